//! Our messages: as much of what is owed as the server takes in one.

use std::{collections::VecDeque, fmt};

use bindery_syncml::{
    Alert, AlertCode, Chal, Command, Content, Item, Meta, Replace, Results, Status, StatusCode,
    SyncHdr, SyncMl, Text, WriteOptions,
};

use super::{Conversation, SessionError};
use crate::{
    Outgoing,
    client::{
        device,
        tree::{Found, NodePath, Value},
    },
    plain::plain,
};

/// What a message has to have room for beside its commands and their sizes as they stand alone: a
/// switch of the code page more, a number with more digits.
const SLACK: usize = 8;

/// The least room for a piece of a large object; below that it goes into the next message.
const PIECE: usize = 256;

/// Something to be sent.
pub(super) struct Owed {
    command: Command,
    /// Results of which a part was sent: how many octets of the data of the first item.
    sent: usize,
    /// The octets of what was found.
    octets: usize,
    /// How long it is in a message, once that is known: it may wait for many of them.
    length: Option<usize>,
}

/// Without what it says: it may be a value, or ask for a proof with a nonce.
impl fmt::Debug for Owed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.command.tag().map_or("Unknown", |tag| tag.name());
        f.debug_struct("Owed").field("command", &name).finish_non_exhaustive()
    }
}

impl Owed {
    const fn new(command: Command) -> Self {
        Self { command, sent: 0, octets: 0, length: None }
    }

    /// The status of the server's header.
    pub(super) fn hdr(msg_ref: &str, code: StatusCode, chal: Option<Chal>) -> Self {
        let mut status = Status::of(0_u32, msg_ref, 0_u32, "SyncHdr", code);
        status.chal = chal.map(Box::new);
        Self::new(status.into())
    }

    /// The status of a command.
    pub(super) fn status(msg_ref: &str, command: &Command, code: StatusCode) -> Self {
        let cmd_ref = command.cmd_id().cloned().unwrap_or_else(|| Text::from(0_u32));
        let name = command.tag().map_or("Unknown", |tag| tag.name());
        Self::new(Status::of(0_u32, msg_ref, cmd_ref, name, code).into())
    }

    /// What a Get found.
    pub(super) fn results(msg_ref: &str, command: &Command, found: Vec<Found>) -> Self {
        let octets = found.iter().map(Found::octets).sum();
        let results = Results {
            msg_ref: Some(msg_ref.into()),
            cmd_ref: command.cmd_id().cloned().unwrap_or_default(),
            items: found.into_iter().map(item).collect(),
            ..Results::default()
        };
        Self { octets, ..Self::new(results.into()) }
    }

    /// Nodes and octets of what was found and is not sent yet, at most.
    pub(super) fn held(&self) -> (usize, usize) {
        match &self.command {
            Command::Results(results) => (results.items.len(), self.octets),
            _ => (0, 0),
        }
    }

    /// An alert without more.
    pub(super) fn alert(code: AlertCode) -> Self {
        Self::new(Alert::new(0_u32, code).into())
    }
}

fn item(found: Found) -> Item {
    let mut meta = Meta { format: Some((&*found.format).into()), ..Meta::default() };
    meta.kind = found.kind.as_deref().map(Into::into);
    let data = found.data.map(|data| match plain(&data) {
        Some(text) => Content::Text(text),
        None => {
            meta.format = Some("b64".into());
            Content::base64(&data)
        }
    });
    Item {
        source: Some((&*found.uri).into()),
        meta: Some(Box::new(meta)),
        data: data.map(Into::into),
        ..Item::default()
    }
}

impl Conversation<'_> {
    /// The next message, encoded.
    pub(super) fn compose(&mut self) -> Result<Outgoing, SessionError> {
        let config = &self.client.config;
        let options = WriteOptions::new(config.form);
        let form = config.form;
        self.msg_id += 1;
        self.summary.messages += 1;
        let mut message = SyncMl { hdr: self.hdr(), ..SyncMl::default() };
        if self.opening {
            self.opening = false;
            self.package_1(&mut message.body.commands);
        }
        let limit = self.max_msg_size.and_then(|limit| usize::try_from(limit).ok());
        let mut room = limit.unwrap_or(usize::MAX);
        room = room.saturating_sub(message.encoded_len(&options) + 2 * SLACK);
        if self.giving_up.is_some() {
            message.body.commands.push(Alert::new(0_u32, AlertCode::SESSION_ABORT).into());
        }
        self.fill(&mut message, room, &options);
        let more = !self.statuses.is_empty() || !self.owed.is_empty();
        if !self.complete && !more {
            // More of the server's package has to come.
            message.body.commands.push(Alert::new(0_u32, AlertCode::NEXT_MESSAGE).into());
        }
        message.body.is_final = self.complete && !more;
        number(&mut message.body.commands);
        let mut octets = Vec::new();
        let failed = |error: bindery_syncml::EncodeError| SessionError::Encode(error.to_string());
        message.encode(&mut octets, &options).map_err(failed)?;
        let mut outgoing = Outgoing::new(octets, form);
        outgoing.hmac = self.proofs.hmac(&self.client.account, &outgoing.octets);
        Ok(outgoing)
    }

    fn hdr(&self) -> SyncHdr {
        let client = &self.client;
        let mut source: bindery_syncml::Source = client.device_id().into();
        // Whose the credentials are.
        source.loc_name = client.account.client.as_ref().map(|it| (&*it.name).into());
        let meta = Meta {
            max_msg_size: Some(client.config.max_msg_size.into()),
            max_obj_size: Some(client.config.max_obj_size.into()),
            ..Meta::default()
        };
        SyncHdr {
            ver_dtd: "1.2".into(),
            ver_proto: "DM/1.2".into(),
            session_id: (&*self.begin.session_id).into(),
            msg_id: self.msg_id.into(),
            target: (&*self.target.to_string()).into(),
            source,
            cred: self.proofs.cred(&client.account).map(Box::new),
            meta: Some(Box::new(meta)),
            ..SyncHdr::default()
        }
    }

    /// Package 1: who begins, what happened, what the device is.
    fn package_1(&mut self, commands: &mut Vec<Command>) {
        let code = match self.begin.by_server {
            true => AlertCode::SERVER_INITIATED_MANAGEMENT,
            false => AlertCode::CLIENT_INITIATED_MANAGEMENT,
        };
        commands.push(Alert::new(0_u32, code).into());
        self.told = self.client.alerts.len();
        commands.extend(self.client.alerts.iter().cloned().map(Command::from));
        let mut replace = Replace::default();
        let dev_info = NodePath::default().join("DevInfo");
        if let Some(Value::Interior(children)) =
            self.client.tree.node(&dev_info).map(|node| &node.value)
        {
            for name in children.keys() {
                let path = device::dev_info(name);
                let Some(text) = self.client.tree.text(&path) else { continue };
                replace.items.push(Item {
                    source: Some((&*path.to_string()).into()),
                    data: Some(text.into()),
                    ..Item::default()
                });
            }
        }
        commands.push(replace.into());
    }

    /// Puts in what is owed, as long as there is room.
    fn fill(&mut self, message: &mut SyncMl, mut room: usize, options: &WriteOptions) {
        for queue in [&mut self.statuses, &mut self.owed] {
            while let Some(mut owed) = queue.pop_front() {
                let length = owed.length(options);
                if let Some(length) = length.filter(|length| *length <= room) {
                    room -= length;
                    message.body.commands.push(owed.command);
                    continue;
                }
                // One message has to hold something, or nothing would ever go.
                let alone = message.body.commands.is_empty();
                match cut(&mut owed, room, options) {
                    Some(piece) => message.body.commands.push(piece),
                    None if alone && owed.sent == 0 => {
                        message.body.commands.push(owed.command);
                        continue;
                    }
                    None => {}
                }
                if !owed.is_done() {
                    queue.push_front(owed);
                }
                return;
            }
        }
    }
}

impl Owed {
    /// The octets of it as a whole, at most; `None` where a part was sent already.
    fn length(&mut self, options: &WriteOptions) -> Option<usize> {
        let Self { command, length: known, .. } = self;
        (self.sent == 0).then(|| *known.get_or_insert_with(|| length(command, options)))
    }

    fn is_done(&self) -> bool {
        matches!(&self.command, Command::Results(results) if results.items.is_empty())
    }
}

/// Takes a part of Results that fits: whole items, or a piece of the first one.
fn cut(owed: &mut Owed, room: usize, options: &WriteOptions) -> Option<Command> {
    let Command::Results(results) = &mut owed.command else { return None };
    owed.length = None;
    if owed.sent == 0
        && results.items.len() > 1
        && let Some(part) = some_items(results, room, options)
    {
        return Some(part.into());
    }
    let first = results.items.first()?;
    let Some(Content::Text(text)) = first.data.as_ref().map(|data| &data.content) else {
        return None;
    };
    let text = text.clone();
    let mut item = Item { data: Some(Content::default().into()), more_data: true, ..first.clone() };
    let all = std::mem::take(&mut results.items);
    let mut piece = results.clone();
    results.items = all;
    let meta = item.meta.get_or_insert_default();
    meta.size = (owed.sent == 0).then_some(text.len() as u64);
    piece.items.push(item);
    let frame = length(&Command::from(piece.clone()), options);
    let left = text.get(owed.sent..).unwrap_or_default();
    let least = PIECE.min(6 * left.len());
    let spare = room.checked_sub(frame).filter(|spare| *spare >= least)?;
    let end = fitting(left, spare, options);
    let (now, _) = left.split_at_checked(end)?;
    let last = end == left.len();
    if let Some(item) = piece.items.first_mut() {
        item.data = Some(now.into());
        item.more_data = !last;
    }
    if last {
        owed.sent = 0;
        results.items.remove(0);
    } else {
        owed.sent += end;
    }
    Some(piece.into())
}

/// As many items as fit, taken away from what is owed.
fn some_items(results: &mut Results, room: usize, options: &WriteOptions) -> Option<Results> {
    let items: VecDeque<Item> = std::mem::take(&mut results.items).into();
    let mut part = results.clone();
    let mut left = room.saturating_sub(length(&Command::from(part.clone()), options));
    let mut items = items;
    while let Some(item) = items.pop_front() {
        let alone = Results { items: vec![item], ..Results::default() };
        let length = length(&Command::from(alone.clone()), options);
        if length > left {
            items.extend(alone.items.into_iter().rev());
            items.rotate_right(1);
            break;
        }
        left -= length;
        part.items.extend(alone.items);
    }
    results.items = items.into();
    (!part.items.is_empty()).then_some(part)
}

/// How many octets of a text fit into so many, when they are written.
fn fitting(text: &str, spare: usize, options: &WriteOptions) -> usize {
    let xml = options.form == bindery_syncml::Form::Xml;
    let mut used = 0;
    for (at, c) in text.char_indices() {
        // The longest way in which XML writes a character.
        used += match c {
            '<' | '>' if xml => 4,
            '&' | '\r' if xml => 5,
            '"' | '\'' if xml => 6,
            c => c.len_utf8(),
        };
        if used > spare {
            return at;
        }
    }
    text.len()
}

/// The octets of a command in a message, at most.
fn length(command: &Command, options: &WriteOptions) -> usize {
    let message = |commands| {
        let mut message = SyncMl::default();
        message.hdr.ver_dtd = "1.2".into();
        message.body.commands = commands;
        message.encoded_len(options)
    };
    let alone = message(vec![command.clone()]);
    alone.saturating_sub(message(Vec::new())) + SLACK
}

/// Numbers the commands of a message from 1.
fn number(commands: &mut [Command]) {
    for (number, command) in (1_u32..).zip(commands) {
        command.set_cmd_id(number);
    }
}
