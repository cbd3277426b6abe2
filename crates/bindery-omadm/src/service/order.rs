//! Commands for devices, checked before they are queued, and how a store keeps them.

use bindery_core::Timestamp;
use bindery_syncml::{
    Add, Atomic, Command, Content, Copy, Data, Delete, Exec, Form, Get, Item, Meta, Options,
    Replace, Sequence, SyncMl, Text, WriteOptions,
};
use bytes::Bytes;
use thiserror::Error;

use super::NewCommand;

/// Data from this many octets on stands beside a command's body, so that it can be sent in pieces
/// without the whole of it being read each time.
const LARGE: usize = 4 << 10;

/// The most items and commands in one order; a message would hardly hold more.
const MEMBERS: usize = 1_000;

/// The longest address, in octets.
const ADDRESS: usize = 2_048;

/// How the data of a stored command is kept: the first octet of its body.
mod kept {
    /// All of it stands in the body.
    pub(super) const WITHIN: u8 = 0;
    /// It stands beside the body, and is text.
    pub(super) const TEXT: u8 = 1;
    /// It stands beside the body, and is octets.
    pub(super) const OCTETS: u8 = 2;
}

/// A command that a device can be asked to do: what [`NewCommand`] holds encoded.
///
/// It is checked when it is made, because a device says little of why it refuses one: the right
/// commands, addresses where there must be some, no Get and no Atomic in an Atomic. Data goes out
/// through the codec, so that no text can break a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order(Command);

/// A value for a node of a management tree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Value {
    /// The node's address, such as `./Vendor/MSFT/Policy/Config/Camera/AllowCamera`.
    pub uri: String,
    /// What kind of value it is (`chr`, `int`, `bool`, `node`, `xml`, `b64`, `bin`); nothing for a
    /// device that knows.
    pub format: Option<String>,
    /// Its media type.
    pub media_type: Option<String>,
    /// The value. Octets go out as they are in WBXML, and as Base64 with Format `b64` in XML.
    pub content: Content,
}

impl Value {
    /// A value of a format.
    pub fn new(
        uri: impl Into<String>,
        format: impl Into<Option<&'static str>>,
        content: impl Into<Content>,
    ) -> Self {
        let format = format.into().map(str::to_owned);
        Self { uri: uri.into(), format, media_type: None, content: content.into() }
    }

    /// The same with a media type.
    #[must_use]
    pub fn with_media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    fn into_item(self) -> Item {
        let meta = Meta {
            format: self.format.map(Text::from),
            kind: self.media_type.map(Text::from),
            ..Meta::default()
        };
        let item = Item::to(&self.uri);
        let meta = (meta != Meta::default()).then(|| Box::new(meta));
        Item { meta, data: Some(Data::from(self.content)), ..item }
    }
}

/// Why a command cannot be queued.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{command}: {reason}; {remedy}")]
#[non_exhaustive]
pub struct OrderError {
    /// The command at fault.
    pub command: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Order {
    /// A command of SyncML, checked. Its CmdID does not count: the session gives it one.
    ///
    /// # Errors
    /// It is no command that a server sends to a device, or one that a device would refuse.
    pub fn new(command: Command) -> Result<Self, OrderError> {
        let mut members = 0;
        check(&command, Within::Package, &mut members)?;
        Ok(Self(command))
    }

    /// Get of some addresses.
    ///
    /// # Errors
    /// An address is missing or too long.
    pub fn get<'a>(uris: impl IntoIterator<Item = &'a str>) -> Result<Self, OrderError> {
        let items = uris.into_iter().map(Item::to).collect();
        Self::new(Get { items, ..Get::default() }.into())
    }

    /// Add of a node.
    ///
    /// # Errors
    /// The address is missing or too long.
    pub fn add(value: Value) -> Result<Self, OrderError> {
        Self::new(Add { items: vec![value.into_item()], ..Add::default() }.into())
    }

    /// Replace of a node's value.
    ///
    /// # Errors
    /// The address is missing or too long.
    pub fn replace(value: Value) -> Result<Self, OrderError> {
        Self::new(Replace { items: vec![value.into_item()], ..Replace::default() }.into())
    }

    /// Delete of a node with all below it.
    ///
    /// # Errors
    /// The address is missing or too long.
    pub fn delete(uri: &str) -> Result<Self, OrderError> {
        Self::new(Delete { items: vec![Item::to(uri)], ..Delete::default() }.into())
    }

    /// Copy of a node to another address of the device.
    ///
    /// # Errors
    /// An address is missing or too long.
    pub fn copy(from: &str, to: &str) -> Result<Self, OrderError> {
        let item = Item { source: Some(from.into()), ..Item::to(to) };
        Self::new(Copy { items: vec![item], ..Copy::default() }.into())
    }

    /// Exec of a node, with data for it.
    ///
    /// # Errors
    /// The address is missing or too long.
    pub fn exec(uri: &str, data: Option<Content>) -> Result<Self, OrderError> {
        let item = Item { data: data.map(Data::from), ..Item::to(uri) };
        Self::new(Exec { items: vec![item], ..Exec::default() }.into())
    }

    /// All of some commands or none.
    ///
    /// # Errors
    /// There is none, or one that does not belong there.
    pub fn atomic(orders: impl IntoIterator<Item = Self>) -> Result<Self, OrderError> {
        let commands = orders.into_iter().map(|order| order.0).collect();
        Self::new(Atomic { commands, ..Atomic::default() }.into())
    }

    /// Some commands one after the other.
    ///
    /// # Errors
    /// There is none.
    pub fn sequence(orders: impl IntoIterator<Item = Self>) -> Result<Self, OrderError> {
        let commands = orders.into_iter().map(|order| order.0).collect();
        Self::new(Sequence { commands, ..Sequence::default() }.into())
    }

    /// The command.
    pub const fn command(&self) -> &Command {
        &self.0
    }

    /// The order for a device's queue. `id` is unique over all devices and never used again.
    ///
    /// # Errors
    /// The command holds what WBXML, in which it is kept, cannot carry: text with a zero character.
    pub fn for_device(
        self,
        id: impl Into<String>,
        device: impl Into<String>,
        now: Timestamp,
    ) -> Result<NewCommand, OrderError> {
        let mut command = self.0;
        let (how, data) = take_large(&mut command);
        let name = name_of(&command);
        let mut body = vec![how];
        let mut message = SyncMl::default();
        message.body.commands.push(command);
        message.encode(&mut body, &WriteOptions::WBXML).map_err(|_| OrderError {
            command: name,
            reason: "it holds text with a zero character",
            remedy: "give such data as octets",
        })?;
        let mut new = NewCommand::new(id, device, body, now);
        new.data = data;
        Ok(new)
    }

    /// The order out of a store's octets. Data that stands beside them is left empty: text or
    /// octets, as it was.
    ///
    /// # Errors
    /// They are no order's.
    pub fn read(body: &Bytes) -> Result<Self, OrderError> {
        let damaged = || OrderError {
            command: "the queued command",
            reason: "what is stored is not what was queued",
            remedy: "queue it again",
        };
        let how = *body.first().ok_or_else(damaged)?;
        let message = SyncMl::decode(&body.slice(1..), &Options::LENIENT).map_err(|_| damaged())?;
        let mut commands = message.body.commands.into_iter();
        let (Some(mut command), None) = (commands.next(), commands.next()) else {
            return Err(damaged());
        };
        match how {
            kept::WITHIN => {}
            kept::TEXT => put_content(&mut command, Content::from("")),
            kept::OCTETS => put_content(&mut command, Content::Opaque(Bytes::new())),
            _ => return Err(damaged()),
        }
        Ok(Self(command))
    }

    /// Whether the order is one item of Add or Replace: what may be sent as a large object.
    pub(super) fn object(&self) -> Option<&Content> {
        let item = only_item(&self.0)?;
        let content = &item.data.as_ref()?.content;
        matches!(content, Content::Text(_) | Content::Opaque(_)).then_some(content)
    }

    /// The command as it goes out in a form: octets as Base64 in XML.
    pub(super) fn written(mut self, form: Form) -> Command {
        if form == Form::Xml {
            to_base64(&mut self.0);
        }
        self.0
    }

    /// The same with a piece of data in its only item.
    pub(super) fn with_content(mut self, content: Content) -> Self {
        put_content(&mut self.0, content);
        self
    }
}

/// What a command stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Package,
    Atomic,
    Sequence,
}

/// The name of a command in errors.
fn name_of(command: &Command) -> &'static str {
    command.tag().map_or("an unknown element", |tag| tag.name())
}

fn check(command: &Command, within: Within, members: &mut usize) -> Result<(), OrderError> {
    let name = name_of(command);
    let fault = |reason, remedy| Err(OrderError { command: name, reason, remedy });
    *members += 1;
    let (items, no_resp) = match command {
        Command::Add(add) => (&add.items, add.no_resp),
        Command::Alert(alert) => (&alert.items, alert.no_resp),
        Command::Copy(copy) => (&copy.items, copy.no_resp),
        Command::Delete(delete) => (&delete.items, delete.no_resp),
        Command::Exec(exec) => (&exec.items, exec.no_resp),
        Command::Get(get) => (&get.items, get.no_resp),
        Command::Replace(replace) => (&replace.items, replace.no_resp),
        Command::Atomic(atomic) if within == Within::Package => {
            return check_inner(name, &atomic.commands, atomic.no_resp, Within::Atomic, members);
        }
        Command::Sequence(sequence) if within == Within::Package => {
            let inner = &sequence.commands;
            return check_inner(name, inner, sequence.no_resp, Within::Sequence, members);
        }
        Command::Atomic(_) | Command::Sequence(_) => {
            return fault("devices need not take it inside another one", "take it out");
        }
        _ => return fault("a server does not send it to a device", "use Get, Replace and so on"),
    };
    *members += items.len();
    if *members > MEMBERS {
        return fault("there are more than 1,000 items", "queue several commands");
    }
    if no_resp {
        return fault("NoResp asks for no status", "leave it out: the queue waits for one");
    }
    if within == Within::Atomic && matches!(command, Command::Get(_)) {
        return fault("Get does not belong in an Atomic", "queue it by itself");
    }
    check_items(command, name, items)
}

fn check_inner(
    name: &'static str,
    commands: &[Command],
    no_resp: bool,
    within: Within,
    members: &mut usize,
) -> Result<(), OrderError> {
    if commands.is_empty() {
        return Err(OrderError {
            command: name,
            reason: "it holds no command",
            remedy: "put some into it",
        });
    }
    if no_resp {
        return Err(OrderError {
            command: name,
            reason: "NoResp asks for no status",
            remedy: "leave it out: the queue waits for one",
        });
    }
    commands.iter().try_for_each(|command| check(command, within, members))
}

fn check_items(command: &Command, name: &'static str, items: &[Item]) -> Result<(), OrderError> {
    let fault = |reason, remedy| Err(OrderError { command: name, reason, remedy });
    if matches!(command, Command::Alert(_)) {
        return Ok(());
    }
    if items.is_empty() {
        return fault("it has no item", "name what it works on");
    }
    if matches!(command, Command::Exec(_)) && items.len() > 1 {
        return fault("it has more than one item", "queue one Exec for each");
    }
    for item in items {
        let target = item.target.as_ref().map_or("", |target| &*target.loc_uri);
        if target.is_empty() {
            return fault("an item has no Target address", "name the node");
        }
        let source = item.source.as_ref().map_or("", |source| &*source.loc_uri);
        if matches!(command, Command::Copy(_)) && source.is_empty() {
            return fault("an item has no Source address", "name the node to copy");
        }
        if target.len().max(source.len()) > ADDRESS {
            return fault("an address is longer than 2,048 octets", "use a shorter one");
        }
        if item.more_data {
            return fault("MoreData is the session's to say", "give the data whole");
        }
    }
    Ok(())
}

/// The only item of an Add or Replace.
fn only_item(command: &Command) -> Option<&Item> {
    let items = match command {
        Command::Add(add) => &add.items,
        Command::Replace(replace) => &replace.items,
        _ => return None,
    };
    match items.as_slice() {
        [item] => Some(item),
        _ => None,
    }
}

pub(super) fn only_item_mut(command: &mut Command) -> Option<&mut Item> {
    let items = match command {
        Command::Add(add) => &mut add.items,
        Command::Replace(replace) => &mut replace.items,
        _ => return None,
    };
    match items.as_mut_slice() {
        [item] => Some(item),
        _ => None,
    }
}

fn put_content(command: &mut Command, content: Content) {
    if let Some(item) = only_item_mut(command) {
        item.data.get_or_insert_default().content = content;
    }
}

/// Takes large data out of a command.
fn take_large(command: &mut Command) -> (u8, Bytes) {
    let Some(content) =
        only_item_mut(command).and_then(|item| Some(&mut item.data.as_mut()?.content))
    else {
        return (kept::WITHIN, Bytes::new());
    };
    let (how, data) = match content {
        Content::Text(text) if text.len() >= LARGE => (kept::TEXT, text.to_bytes()),
        Content::Opaque(octets) if octets.len() >= LARGE => (kept::OCTETS, octets.clone()),
        _ => return (kept::WITHIN, Bytes::new()),
    };
    *content = Content::default();
    (how, data)
}

/// Writes octets as text in Base64, as XML needs.
fn to_base64(command: &mut Command) {
    let items = match command {
        Command::Add(add) => &mut add.items,
        Command::Exec(exec) => &mut exec.items,
        Command::Replace(replace) => &mut replace.items,
        Command::Alert(alert) => &mut alert.items,
        // One level of commands inside is all that an order may have.
        Command::Atomic(atomic) => return atomic.commands.iter_mut().for_each(flat_to_base64),
        Command::Sequence(sequence) => {
            return sequence.commands.iter_mut().for_each(flat_to_base64);
        }
        _ => return,
    };
    items.iter_mut().for_each(item_to_base64);
}

fn flat_to_base64(command: &mut Command) {
    let items = match command {
        Command::Add(add) => &mut add.items,
        Command::Exec(exec) => &mut exec.items,
        Command::Replace(replace) => &mut replace.items,
        Command::Alert(alert) => &mut alert.items,
        _ => return,
    };
    items.iter_mut().for_each(item_to_base64);
}

fn item_to_base64(item: &mut Item) {
    let Some(data) = &mut item.data else { return };
    let Content::Opaque(octets) = &data.content else { return };
    data.content = Content::base64(octets);
    item.meta.get_or_insert_default().format = Some("b64".into());
}
