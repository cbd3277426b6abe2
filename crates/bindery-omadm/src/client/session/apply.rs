//! The server's commands, done in the tree.

use bindery_syncml::{AlertCode, Command, Item, Meta, StatusCode};
use bytes::Bytes;

use super::{
    Conversation,
    compose::Owed,
    data_of,
    object::{self, Piece},
};
use crate::client::tree::{Address, Found, Leaf, Property, Query};

/// The longest name of a media type that a server may give, in octets.
const LONGEST_TYPE: usize = 255;

/// What a command came to, item by item.
struct Done {
    code: StatusCode,
    found: Vec<Found>,
}

impl Conversation<'_> {
    /// Does a command, and says what came of it. Atomic and Sequence are taken apart here;
    /// nothing recurses.
    pub(super) fn command(&mut self, command: &Command) {
        let Some(left) = self.commands_left.checked_sub(count(command)) else {
            self.commands_left = 0;
            // Those inside are not done either.
            self.summary.failed = self.summary.failed.saturating_add(to_do(command));
            self.owe_status(command, StatusCode::REQUEST_ENTITY_TOO_LARGE);
            return;
        };
        self.commands_left = left;
        let mut stack = vec![command];
        while let Some(command) = stack.pop() {
            match command {
                Command::Sequence(sequence) => {
                    self.owe_status(command, StatusCode::OK);
                    stack.extend(sequence.commands.iter().rev());
                }
                Command::Atomic(atomic) => self.atomic(command, &atomic.commands),
                command => self.single(command),
            }
        }
    }

    /// All of the commands, or none.
    fn atomic(&mut self, atomic: &Command, commands: &[Command]) {
        let mut flat = Vec::new();
        let mut stack: Vec<&Command> = commands.iter().rev().collect();
        while let Some(command) = stack.pop() {
            match command {
                Command::Sequence(sequence) => {
                    flat.push(command);
                    stack.extend(sequence.commands.iter().rev());
                }
                command => flat.push(command),
            }
        }
        self.client.tree.begin();
        let mut codes = Vec::with_capacity(flat.len());
        for command in &flat {
            let code = match command {
                Command::Sequence(_) => StatusCode::OK,
                // Neither may stand in one, and what a mounted sub-tree did cannot be taken back.
                Command::Atomic(_) | Command::Get(_) => StatusCode::COMMAND_NOT_ALLOWED,
                // Nor can a piece of an object be taken that is not whole when all is done.
                command if self.leaves_the_tree(command) || is_piece(command) => {
                    StatusCode::OPTIONAL_FEATURE_NOT_SUPPORTED
                }
                command => self.run(command).code,
            };
            codes.push(code);
            if !code.is_success() {
                break;
            }
        }
        let failed = codes.last().is_some_and(|code| !code.is_success());
        if failed {
            self.client.tree.take_back();
        } else {
            self.client.tree.keep();
        }
        self.owe_status(atomic, if failed { StatusCode::ATOMIC_FAILED } else { StatusCode::OK });
        for (at, command) in flat.into_iter().enumerate() {
            let code = match codes.get(at) {
                Some(code) if failed && at + 1 < codes.len() => {
                    debug_assert!(code.is_success(), "only the last one failed");
                    StatusCode::ATOMIC_ROLL_BACK_OK
                }
                Some(code) => *code,
                None => StatusCode::NOT_EXECUTED,
            };
            self.count(code);
            self.owe_status(command, code);
        }
    }

    fn leaves_the_tree(&self, command: &Command) -> bool {
        items(command).is_some_and(|(items, _)| {
            items.iter().filter_map(Item::uri).any(|uri| {
                Address::parse(uri).is_ok_and(|address| self.client.tree.is_mounted(&address.path))
            })
        })
    }

    const fn count(&mut self, code: StatusCode) {
        if code.is_success() {
            self.summary.done += 1;
        } else {
            self.summary.failed += 1;
        }
    }

    fn single(&mut self, command: &Command) {
        let limit = u64::from(self.client.config.max_obj_size);
        let piece = match items(command) {
            Some((items, outer)) if !matches!(command, Command::Get(_)) => {
                object::piece(&mut self.object, command, items, outer, limit)
            }
            _ => match self.object.take() {
                Some(_) => Piece::Bad(StatusCode::OK, true),
                None => Piece::Whole,
            },
        };
        match piece {
            Piece::Whole => self.whole(command),
            Piece::More => {
                let code = StatusCode::CHUNKED_ITEM_ACCEPTED_AND_BUFFERED;
                self.owe_status(command, code);
            }
            Piece::Complete(item) => {
                let mut joined = command.clone();
                if let Some(items) = items_mut(&mut joined) {
                    items.pop();
                    items.push(*item);
                }
                self.whole(&joined);
            }
            Piece::Bad(_, true) => {
                self.owed.push_back(Owed::alert(AlertCode::NO_END_OF_DATA));
                // What came in its place is a command like any other.
                self.single(command);
            }
            Piece::Bad(code, false) => {
                self.count(code);
                self.owe_status(command, code);
            }
        }
    }

    fn whole(&mut self, command: &Command) {
        let mut done = self.run(command);
        if let Some(limit) = self.max_obj_size {
            let too_large =
                |found: &Found| found.data.as_ref().is_some_and(|it| it.len() as u64 > limit);
            if done.found.iter().any(too_large) {
                (done.code, done.found) = (StatusCode::REQUEST_ENTITY_TOO_LARGE, Vec::new());
            }
        }
        self.count(done.code);
        self.owe_status(command, done.code);
        if !done.found.is_empty() {
            self.owed.push_back(Owed::results(&self.server_msg_id, command, done.found));
        }
    }

    /// Does a command that holds no others: all its items, until one fails.
    fn run(&mut self, command: &Command) -> Done {
        let mut done = Done { code: StatusCode::OK, found: Vec::new() };
        let Some((items, outer)) = items(command) else {
            done.code = StatusCode::COMMAND_NOT_IMPLEMENTED;
            return done;
        };
        if items.is_empty() {
            done.code = StatusCode::INCOMPLETE_COMMAND;
        }
        for item in items {
            match self.item(command, item, outer, &mut done.found) {
                Ok(code) => done.code = code,
                Err(code) => {
                    done.code = code;
                    break;
                }
            }
        }
        done
    }

    fn item(
        &mut self,
        command: &Command,
        item: &Item,
        outer: Option<&Meta>,
        found: &mut Vec<Found>,
    ) -> Result<StatusCode, StatusCode> {
        let server = self.client.account.server_id.as_str();
        let (tree, left) = (&mut self.client.tree, &mut self.left);
        let target = item.target.as_ref().map(|target| &*target.loc_uri);
        let address = Address::parse(target.ok_or(StatusCode::INCOMPLETE_COMMAND)?)?;
        if !matches!(command, Command::Get(_)) {
            left.take(1, 0)?;
        }
        match (command, address.query) {
            (Command::Get(_), _) => found.extend(tree.get_within(server, &address, left)?),
            (Command::Replace(_), Query::Property(property)) => {
                let (octets, ..) = data_of(item, outer)?;
                let text = std::str::from_utf8(&octets).map_err(|_| StatusCode::BAD_REQUEST)?;
                if property == Property::Name {
                    tree.weigh(&address.path, left)?;
                }
                tree.set_property(server, &address.path, property, text)?;
            }
            (_, Query::List(_) | Query::Property(_)) => {
                return Err(StatusCode::COMMAND_NOT_ALLOWED);
            }
            (Command::Add(_), _) => {
                let leaf = leaf(item, outer)?;
                tree.add(server, &address.path, leaf)?;
            }
            (Command::Replace(_), _) => {
                let leaf = leaf(item, outer)?.ok_or(StatusCode::COMMAND_NOT_ALLOWED)?;
                tree.replace(server, &address.path, leaf)?;
            }
            (Command::Delete(_), _) => {
                tree.weigh(&address.path, left)?;
                tree.delete(server, &address.path)?;
            }
            (Command::Copy(_), _) => {
                let source = item.source.as_ref().map(|source| &*source.loc_uri);
                let source = Address::parse(source.ok_or(StatusCode::INCOMPLETE_COMMAND)?)?;
                tree.weigh(&source.path, left)?;
                tree.copy(server, &source.path, &address.path)?;
            }
            (Command::Exec(exec), _) => {
                let data = match &item.data {
                    Some(_) => Some(data_of(item, outer)?.0),
                    None => None,
                };
                let correlator = exec.correlator.as_deref();
                return tree.exec(server, &address.path, data.as_ref(), correlator);
            }
            _ => return Err(StatusCode::COMMAND_NOT_IMPLEMENTED),
        }
        Ok(StatusCode::OK)
    }
}

/// How many commands a command is, with those in it.
pub(super) fn count(command: &Command) -> usize {
    let (mut stack, mut count) = (vec![command], 0);
    while let Some(command) = stack.pop() {
        count += 1;
        stack.extend(command.commands());
    }
    count
}

/// How many commands something is to be done for: without those that only hold others.
fn to_do(command: &Command) -> u32 {
    let (mut stack, mut count) = (vec![command], 0_u32);
    while let Some(command) = stack.pop() {
        if !matches!(command, Command::Atomic(_) | Command::Sequence(_)) {
            count = count.saturating_add(1);
        }
        stack.extend(command.commands());
    }
    count
}

/// Whether an item of a command is a piece of an object of which more comes.
fn is_piece(command: &Command) -> bool {
    items(command).is_some_and(|(items, _)| items.iter().any(|item| item.more_data))
}

/// The leaf that an item describes; `None` for an interior node.
fn leaf(item: &Item, outer: Option<&Meta>) -> Result<Option<Leaf>, StatusCode> {
    let (data, format, kind) = data_of(item, outer)?;
    if format == "node" {
        return Ok(None);
    }
    if kind.as_ref().is_some_and(|kind| kind.len() > LONGEST_TYPE) {
        return Err(StatusCode::REQUEST_ENTITY_TOO_LARGE);
    }
    // A copy: a slice would keep the whole message in memory.
    let mut leaf = Leaf::new(format, Bytes::copy_from_slice(&data));
    leaf.kind = kind;
    Ok(Some(leaf))
}

/// What a command of management works on.
fn items(command: &Command) -> Option<(&[Item], Option<&Meta>)> {
    Some(match command {
        Command::Add(it) => (&it.items, it.meta.as_deref()),
        Command::Copy(it) => (&it.items, it.meta.as_deref()),
        Command::Delete(it) => (&it.items, it.meta.as_deref()),
        Command::Exec(it) => (&it.items, it.meta.as_deref()),
        Command::Get(it) => (&it.items, it.meta.as_deref()),
        Command::Replace(it) => (&it.items, it.meta.as_deref()),
        _ => return None,
    })
}

const fn items_mut(command: &mut Command) -> Option<&mut Vec<Item>> {
    Some(match command {
        Command::Add(it) => &mut it.items,
        Command::Copy(it) => &mut it.items,
        Command::Delete(it) => &mut it.items,
        Command::Exec(it) => &mut it.items,
        Command::Replace(it) => &mut it.items,
        _ => return None,
    })
}
