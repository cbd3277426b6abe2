//! The message, its body, and the commands that hold others.

use bytes::Bytes;

use super::command::{
    Add, Alert, Copy, Delete, Exec, Get, Map, Move, Put, Replace, Results, Search, Status,
};
use crate::decode::{self, Decoder, Progress};
use crate::error::Limit;
use crate::macros::{Structure, field_read, field_rule, field_type, field_write, structure};
use crate::sink::{self, Sink};
use crate::{
    Cred, Element, EncodeError, Error, ErrorKind, Input, Meta, Name, Options, Others, Source,
    Start, SyncHdr, Tag, Target, Text, Version, WriteOptions,
};

/// A SyncML message (RepPro 1.2, 6.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncMl {
    /// Who speaks.
    pub hdr: SyncHdr,
    /// What is said.
    pub body: SyncBody,
    /// Elements and attributes that are not named above.
    pub others: Others,
}

/// SyncBody: the commands, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncBody {
    /// The commands.
    pub commands: Vec<Command>,
    /// Final: this is the last message of the package.
    pub is_final: bool,
    /// Attributes of the element, and what stands behind Final.
    pub others: Others,
}

structure! {
    /// Atomic: all of its commands, or none (RepPro 1.2, 6.5.3).
    Atomic = ATOMIC {
        /// The command, unique in its message and never 0.
        one cmd_id: text = CMD_ID,
        /// No status is wanted.
        opt no_resp: flag = NO_RESP,
        /// What holds for all commands.
        boxed meta: [Meta] = META,
    }
    {
        /// The commands.
        commands: Vec<Command>,
    }
}

structure! {
    /// Sequence: its commands one after the other (RepPro 1.2, 6.5.17).
    Sequence = SEQUENCE {
        /// The command, unique in its message and never 0.
        one cmd_id: text = CMD_ID,
        /// No status is wanted.
        opt no_resp: flag = NO_RESP,
        /// What holds for all commands.
        boxed meta: [Meta] = META,
    }
    {
        /// The commands.
        commands: Vec<Command>,
    }
}

structure! {
    /// Sync: changes of a data store (DS; RepPro 1.2, 6.5.19).
    Sync = SYNC {
        /// The command, unique in its message and never 0.
        one cmd_id: text = CMD_ID,
        /// No status is wanted.
        opt no_resp: flag = NO_RESP,
        /// Credentials for this command.
        boxed cred: [Cred] = CRED,
        /// The receiver's data store.
        opt target: [Target] = TARGET,
        /// The sender's data store.
        opt source: [Source] = SOURCE,
        /// What holds for all commands.
        boxed meta: [Meta] = META,
        /// How many changes there will be (1.1).
        opt number_of_changes: number = NUMBER_OF_CHANGES,
    }
    {
        /// The changes.
        commands: Vec<Command>,
    }
}

macro_rules! command {
    ($($simple:ident = $simple_tag:ident,)* ; $($container:ident = $container_tag:ident,)*) => {
        /// A command.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Command {
            $(
                #[doc = concat!("[`", stringify!($simple), "`](struct@", stringify!($simple), ").")]
                $simple($simple),
            )*
            $(
                #[doc = concat!("[`", stringify!($container), "`](struct@", stringify!($container), ").")]
                $container($container),
            )*
            /// An element that is no command of SyncML.
            Other(Element),
        }

        $(impl From<$simple> for Command {
            fn from(command: $simple) -> Self {
                Self::$simple(command)
            }
        })*
        $(impl From<$container> for Command {
            fn from(command: $container) -> Self {
                Self::$container(command)
            }
        })*

        impl Command {
            /// The element; `None` for an unknown one.
            pub const fn tag(&self) -> Option<Tag> {
                match self {
                    $(Self::$simple(_) => Some(Tag::$simple_tag),)*
                    $(Self::$container(_) => Some(Tag::$container_tag),)*
                    Self::Other(_) => None,
                }
            }

            /// Its CmdID; `None` for an unknown element.
            pub const fn cmd_id(&self) -> Option<&Text> {
                match self {
                    $(Self::$simple(command) => Some(&command.cmd_id),)*
                    $(Self::$container(command) => Some(&command.cmd_id),)*
                    Self::Other(_) => None,
                }
            }

            /// Gives it another CmdID; nothing happens to an unknown element.
            pub fn set_cmd_id(&mut self, cmd_id: impl Into<Text>) {
                match self {
                    $(Self::$simple(command) => command.cmd_id = cmd_id.into(),)*
                    $(Self::$container(command) => command.cmd_id = cmd_id.into(),)*
                    Self::Other(_) => {}
                }
            }

            /// The commands inside; empty for a command that holds none.
            pub fn commands(&self) -> &[Self] {
                match self {
                    $(Self::$container(command) => &command.commands,)*
                    _ => &[],
                }
            }

            /// A command without others inside.
            fn read(start: Start, decoder: &mut Decoder<'_, '_>) -> Result<Self, Error> {
                Ok(match start.name {
                    $(Name::Tag(Tag::$simple_tag) => {
                        Self::$simple(decoder.structure(start.attributes)?)
                    })*
                    Name::Tag(tag) if !decoder.tolerance().misplaced => {
                        let found = tag.name().to_owned();
                        return Err(decoder.error(ErrorKind::Misplaced { found }));
                    }
                    _ => Self::Other(decoder.element(start)?),
                })
            }

            /// The whole command, or of one that holds others its start and fields.
            fn write_open<S: Sink>(&self, sink: &mut S) {
                match self {
                    $(Self::$simple(command) => command.write(sink),)*
                    $(Self::$container(command) => command.write_open(sink),)*
                    Self::Other(element) => sink.events(element.events()),
                }
            }

            const fn is_container(&self) -> bool {
                matches!(self, $(Self::$container(_))|*)
            }
        }

        /// A command that holds others, and how far it has been read.
        #[expect(clippy::large_enum_variant, reason = "at most `nesting` of them are on the stack")]
        enum Open {
            $($container($container, Progress),)*
        }

        impl Open {
            fn new(tag: Tag) -> Option<Self> {
                Some(match tag {
                    $(Tag::$container_tag => Self::$container($container::default(), Progress::default()),)*
                    _ => return None,
                })
            }

            fn push(&mut self, command: Command) {
                match self {
                    $(Self::$container(open, progress) => {
                        open.commands.push(command);
                        progress.behind_all();
                    })*
                }
            }

            fn attributes(&mut self, attributes: Vec<crate::Attribute>) {
                match self {
                    $(Self::$container(open, _) => open.others.set_attributes(attributes),)*
                }
            }

            fn has_field(&self, tag: Tag) -> bool {
                match self {
                    $(Self::$container(..) => $container::FIELDS.iter().any(|field| field.tag == tag),)*
                }
            }

            fn has_commands(&self) -> bool {
                match self {
                    $(Self::$container(open, _) => !open.commands.is_empty(),)*
                }
            }

            fn place(&mut self, start: Start, decoder: &mut Decoder<'_, '_>) -> Result<(), Error> {
                match self {
                    $(Self::$container(open, progress) => decoder.place(open, start, progress),)*
                }
            }

            fn finish(self, decoder: &Decoder<'_, '_>) -> Result<Command, Error> {
                Ok(match self {
                    $(Self::$container(open, progress) => {
                        decoder.finish::<$container>(&progress)?;
                        Command::$container(open)
                    })*
                })
            }
        }
    };
}

command! {
    Add = ADD,
    Alert = ALERT,
    Copy = COPY,
    Delete = DELETE,
    Exec = EXEC,
    Get = GET,
    Map = MAP,
    Move = MOVE,
    Put = PUT,
    Replace = REPLACE,
    Results = RESULTS,
    Search = SEARCH,
    Status = STATUS,
    ;
    Atomic = ATOMIC,
    Sequence = SEQUENCE,
    Sync = SYNC,
}

/// The commands that stand in SyncBody only.
const TOP_ONLY: [Tag; 4] = [Tag::STATUS, Tag::RESULTS, Tag::PUT, Tag::SEARCH];

/// The commands that may stand elsewhere too.
const COMMANDS: [Tag; 12] = [
    Tag::ADD,
    Tag::ALERT,
    Tag::ATOMIC,
    Tag::COPY,
    Tag::DELETE,
    Tag::EXEC,
    Tag::GET,
    Tag::MAP,
    Tag::MOVE,
    Tag::REPLACE,
    Tag::SEQUENCE,
    Tag::SYNC,
];

impl SyncBody {
    /// Reads the commands; those that hold others are kept on a stack.
    fn read(start: Start, decoder: &mut Decoder<'_, '_>) -> Result<Self, Error> {
        let mut body = Self::default();
        decoder.attributes(&start.attributes)?;
        body.others.set_attributes(start.attributes);
        let mut stack: Vec<Open> = Vec::new();
        loop {
            let Some(start) = decoder.child()? else {
                let Some(open) = stack.pop() else { return Ok(body) };
                let command = open.finish(decoder)?;
                body.push(&mut stack, command);
                continue;
            };
            if let Name::Tag(tag) = start.name {
                body.check(tag, stack.is_empty(), decoder)?;
                if let Some(mut open) = Open::new(tag) {
                    let maximum = decoder.events.options().limits.nesting;
                    if stack.len() >= usize::from(maximum) {
                        let (limit, maximum) = (Limit::Nesting, u32::from(maximum));
                        return Err(decoder.error(ErrorKind::Limit { limit, maximum }));
                    }
                    decoder.attributes(&start.attributes)?;
                    open.attributes(start.attributes);
                    stack.push(open);
                    continue;
                }
                match stack.last_mut() {
                    Some(open) if open.has_field(tag) => {
                        open.place(start, decoder)?;
                        continue;
                    }
                    None if tag == Tag::FINAL && !body.is_final => {
                        decoder.empty(&start.attributes)?;
                        body.is_final = true;
                        continue;
                    }
                    _ => {}
                }
            }
            if let Some(open) = stack.last_mut()
                && !open.has_commands()
                && !matches!(start.name, Name::Tag(tag) if TOP_ONLY.contains(&tag) || COMMANDS.contains(&tag))
            {
                open.place(start, decoder)?;
                continue;
            }
            if stack.is_empty() && start.name == Name::Tag(Tag::FINAL) {
                // A second one, which `check` lets pass.
                let element = decoder.element(start)?;
                body.others.push(usize::MAX, element);
                continue;
            }
            let command = Command::read(start, decoder)?;
            body.push(&mut stack, command);
        }
    }

    fn push(&mut self, stack: &mut [Open], command: Command) {
        match stack.last_mut() {
            Some(open) => open.push(command),
            None => self.commands.push(command),
        }
    }

    /// That an element may stand here.
    fn check(&self, tag: Tag, top: bool, decoder: &Decoder<'_, '_>) -> Result<(), Error> {
        let tolerance = decoder.tolerance();
        let found = || tag.name().to_owned();
        let command = COMMANDS.contains(&tag) || top && TOP_ONLY.contains(&tag);
        if top && !command && tag != Tag::FINAL || !top && TOP_ONLY.contains(&tag) {
            if !tolerance.misplaced {
                return Err(decoder.error(ErrorKind::Misplaced { found: found() }));
            }
        } else if top && self.is_final && tag == Tag::FINAL && !tolerance.repeated {
            return Err(decoder.error(ErrorKind::Repeated { found: found() }));
        } else if top && self.is_final && tag != Tag::FINAL && !tolerance.order {
            return Err(decoder.error(ErrorKind::Order { found: found() }));
        }
        Ok(())
    }

    fn write<S: Sink>(&self, sink: &mut S) {
        sink.start(Tag::SYNC_BODY, self.others.attributes());
        let mut stack = vec![self.commands.iter()];
        while let Some(commands) = stack.last_mut() {
            match commands.next() {
                Some(command) => {
                    command.write_open(sink);
                    if command.is_container() {
                        stack.push(command.commands().iter());
                    }
                }
                None => {
                    stack.pop();
                    // The innermost command ends; behind the last one comes the body's own end.
                    if !stack.is_empty() {
                        sink.end();
                    }
                }
            }
        }
        if self.is_final {
            sink.start(Tag::FINAL, &[]);
            sink.end();
        }
        self.others.elements().iter().for_each(|other| sink.events(other.element.events()));
        sink.end();
    }
}

impl SyncMl {
    /// Reads a message, XML or WBXML by its first byte.
    ///
    /// # Errors
    /// The first fault, by [`ErrorKind`], with its place.
    pub fn decode(message: &Bytes, options: &Options) -> Result<Self, Error> {
        let input = Input::new(message, options);
        let mut events = input.events()?;
        let decoder = &mut Decoder { events: &mut events };
        let attributes = decode::expect(decoder, Tag::SYNC_ML)?;
        let message = Self::read(attributes, decoder)?;
        decode::end(decoder)?;
        Ok(message)
    }

    /// Reads the header alone: of a message whose commands cannot be read, to tell its sender so.
    ///
    /// # Errors
    /// The first fault up to the header's end.
    pub fn decode_hdr(message: &Bytes, options: &Options) -> Result<SyncHdr, Error> {
        let input = Input::new(message, options);
        let mut events = input.events()?;
        let decoder = &mut Decoder { events: &mut events };
        decode::expect(decoder, Tag::SYNC_ML)?;
        while let Some(start) = decoder.child()? {
            if start.name == Name::Tag(Tag::SYNC_HDR) {
                return decoder.structure(start.attributes);
            }
            decoder.element(start)?;
        }
        Err(decoder.error(ErrorKind::Missing { expected: "SyncHdr" }))
    }

    pub(crate) fn read(
        attributes: Vec<crate::Attribute>,
        decoder: &mut Decoder<'_, '_>,
    ) -> Result<Self, Error> {
        let mut message = Self::default();
        decoder.attributes(&attributes)?;
        message.others.set_attributes(attributes);
        let (mut hdr, mut body) = (false, false);
        while let Some(start) = decoder.child()? {
            match start.name {
                Name::Tag(Tag::SYNC_HDR) if !hdr => {
                    hdr = true;
                    if body && !decoder.tolerance().order {
                        return Err(decoder.error(ErrorKind::Order { found: "SyncHdr".into() }));
                    }
                    message.hdr = decoder.structure(start.attributes)?;
                    message.check_version(decoder)?;
                }
                Name::Tag(Tag::SYNC_BODY) if !body => {
                    body = true;
                    message.body = SyncBody::read(start, decoder)?;
                }
                Name::Tag(tag) if !decoder.tolerance().misplaced => {
                    let found = tag.name().to_owned();
                    return Err(decoder.error(ErrorKind::Misplaced { found }));
                }
                _ => {
                    let element = decoder.element(start)?;
                    message.others.push(usize::MAX, element);
                }
            }
        }
        let missing = [(hdr, "SyncHdr"), (body, "SyncBody")];
        match missing.into_iter().find(|(there, _)| !there) {
            Some((_, expected)) if !decoder.tolerance().missing => {
                Err(decoder.error(ErrorKind::Missing { expected }))
            }
            _ => Ok(message),
        }
    }

    fn check_version(&self, decoder: &Decoder<'_, '_>) -> Result<(), Error> {
        let said = decoder.events.version();
        let same = said.is_none() || said == Version::from_dtd(&self.hdr.ver_dtd);
        if same || decoder.tolerance().version {
            Ok(())
        } else {
            Err(decoder.error(ErrorKind::Version))
        }
    }

    /// The version that VerDTD says; 1.2 where it says none that is known.
    pub fn version(&self) -> Version {
        Version::from_dtd(&self.hdr.ver_dtd).unwrap_or_default()
    }

    /// Appends the message to the buffer; on an error the buffer is as before.
    ///
    /// # Errors
    /// If the encoding cannot carry what is in it: octets that are no text in XML, zero characters in WBXML.
    pub fn encode(&self, buffer: &mut Vec<u8>, options: &WriteOptions) -> Result<(), EncodeError> {
        sink::encode(self, buffer, options)
    }

    /// The bytes that [`encode`](Self::encode) appends, nothing being written: exact for elements that the tables have,
    /// without attributes; otherwise never less. To keep to MaxMsgSize.
    pub fn encoded_len(&self, options: &WriteOptions) -> usize {
        sink::encoded_len(self, options)
    }

    pub(crate) fn write<S: Sink>(&self, sink: &mut S) {
        sink.start(Tag::SYNC_ML, self.others.attributes());
        self.hdr.write(sink);
        self.body.write(sink);
        self.others.elements().iter().for_each(|other| sink.events(other.element.events()));
        sink.end();
    }
}
