//! Large objects from the device: pieces are kept aside and count once they are whole (OMA DM 1.2
//! Protocol, section 7).

use bindery_syncml::{AlertCode, Command, Content, Item, StatusCode, Text};
use bytes::{Bytes, BytesMut};

use super::{Turn, open::items_of};
use crate::service::{Change, state::Receiving};

/// The pieces of the object that a session is receiving.
#[derive(Default)]
pub(super) struct Object {
    /// How many octets are stored.
    stored: u64,
    /// What is done to the stored ones, in order.
    steps: Vec<Step>,
    /// Octets of this message that are not stored yet.
    fresh: Vec<Bytes>,
}

enum Step {
    Append(Bytes),
    Clear,
}

impl Object {
    pub(super) const fn new(stored: u64) -> Self {
        Self { stored, steps: Vec::new(), fresh: Vec::new() }
    }

    fn len(&self) -> u64 {
        self.stored + self.fresh.iter().map(|piece| piece.len() as u64).sum::<u64>()
    }

    fn append(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.steps.push(Step::Append(piece.clone()));
            self.fresh.push(piece);
        }
    }

    pub(super) fn clear(&mut self) {
        if self.stored > 0 || !self.fresh.is_empty() {
            self.steps.push(Step::Clear);
        }
        self.stored = 0;
        self.fresh.clear();
    }

    /// Everything that was received with the last piece: what was stored before, as it was
    /// fetched, and what is fresh.
    fn whole(&self, fetched: Option<&Bytes>, last: &[u8]) -> Option<Bytes> {
        let before = match (self.stored, fetched) {
            (0, _) => &[][..],
            (stored, Some(octets)) if octets.len() as u64 == stored => octets,
            _ => return None,
        };
        let mut all = BytesMut::with_capacity(before.len() + last.len());
        all.extend_from_slice(before);
        self.fresh.iter().for_each(|piece| all.extend_from_slice(piece));
        all.extend_from_slice(last);
        Some(all.freeze())
    }

    pub(super) fn changes(
        &mut self,
        device: &str,
        session_id: &str,
        at_most: u64,
        changes: &mut Vec<Change>,
    ) {
        // What is cleared later need not be stored first.
        let last_clear = self.steps.iter().rposition(|step| matches!(step, Step::Clear));
        let steps = std::mem::take(&mut self.steps).into_iter().enumerate();
        for (_, step) in steps.filter(|(at, _)| last_clear.is_none_or(|clear| *at >= clear)) {
            let (device, session_id) = (device.to_owned(), session_id.to_owned());
            changes.push(match step {
                Step::Append(octets) => {
                    Change::AppendObject { device, session_id, octets, at_most }
                }
                Step::Clear => Change::ClearObject { device, session_id },
            });
        }
    }
}

/// What a command is to the large object that is being received.
pub(super) enum Piece {
    /// It has nothing to do with one.
    None,
    /// It was one, and is answered.
    Taken,
    /// It was the last one: the whole object.
    Whole(Receiving, Bytes),
}

impl Turn<'_> {
    /// Takes a command that may be a piece of a large object.
    pub(super) fn take_piece(&mut self, command: &Command, name: &str) -> Piece {
        let Some([item]) = items_of(command) else {
            self.miss_end();
            return Piece::None;
        };
        let uri = item.uri().unwrap_or_default();
        if self.is_dropped(command, name, item) {
            self.owe_for(command, name, StatusCode::SIZE_MISMATCH);
            return Piece::Taken;
        }
        let receiving = self.state.receiving.as_ref();
        let continues = receiving.is_some_and(|it| it.name == name && it.uri == uri);
        if !continues {
            if is_next_message(command) {
                return Piece::None;
            }
            self.miss_end();
            if !item.more_data {
                return Piece::None;
            }
            if let Err(code) = self.begin_object(command, name, item) {
                return self.give_up_object(command, name, code);
            }
        }
        self.take_octets(command, name, item)
    }

    /// Whether a command is what is left of an object that was given up.
    fn is_dropped(&mut self, command: &Command, name: &str, item: &Item) -> bool {
        if self.state.dropped.is_none() || is_next_message(command) {
            return false;
        }
        let Some((of, uri)) = self.state.dropped.take() else { return false };
        // One that says its size begins anew.
        let anew = item.meta.as_ref().is_some_and(|meta| meta.size.is_some());
        let rest = of == name && uri == item.uri().unwrap_or_default() && !anew;
        if rest && item.more_data {
            self.state.dropped = Some((of, uri));
        }
        rest
    }

    /// A command that is no piece came while pieces were due (Alert 1225).
    pub(super) fn miss_end(&mut self) {
        let Some(receiving) = self.state.receiving.take() else { return };
        self.object.clear();
        let item = Item { source: Some(receiving.uri.as_str().into()), ..Item::default() };
        self.alert(AlertCode::NO_END_OF_DATA, vec![item]);
    }

    fn begin_object(
        &mut self,
        command: &Command,
        name: &str,
        item: &Item,
    ) -> Result<(), StatusCode> {
        let (of_command, msg_ref, cmd_ref) = match command {
            Command::Results(results) => (
                results.meta.as_deref(),
                results.msg_ref.as_deref().unwrap_or_default(),
                results.cmd_ref.as_str(),
            ),
            Command::Replace(replace) => (replace.meta.as_deref(), "", ""),
            _ => (None, "", ""),
        };
        let metas = || item.meta.as_deref().into_iter().chain(of_command);
        let size = metas().find_map(|meta| meta.size).ok_or(StatusCode::SIZE_REQUIRED)?;
        if size > self.scene.config.max_obj_size {
            return Err(StatusCode::REQUESTED_SIZE_TOO_BIG);
        }
        let format = metas().find_map(|meta| meta.format.as_ref()).map(Text::to_string);
        let content = item.data.as_ref().map(|data| &data.content);
        self.state.receiving = Some(Receiving {
            name: name.to_owned(),
            uri: item.uri().unwrap_or_default().to_owned(),
            msg_ref: msg_ref.to_owned(),
            cmd_ref: cmd_ref.to_owned(),
            size,
            format,
            opaque: matches!(content, Some(Content::Opaque(_))),
        });
        Ok(())
    }

    fn take_octets(&mut self, command: &Command, name: &str, item: &Item) -> Piece {
        let octets = match item.data.as_ref().map(|data| &data.content) {
            Some(Content::Text(text)) => text.to_bytes(),
            Some(Content::Opaque(octets)) => octets.clone(),
            None => Bytes::new(),
            // Elements cannot be cut into pieces.
            Some(_) => return self.give_up_object(command, name, StatusCode::BAD_REQUEST),
        };
        let size = self.state.receiving.as_ref().map_or(0, |receiving| receiving.size);
        let format = self.state.receiving.as_ref().and_then(|it| it.format.as_deref());
        // Text in Base64 is longer than what its Size may speak of.
        let text = if format == Some("b64") { size.div_ceil(3).saturating_mul(4) } else { 0 };
        let most = size.max(text);
        if self.object.len() + octets.len() as u64 > most {
            return self.give_up_object(command, name, StatusCode::SIZE_MISMATCH);
        }
        if item.more_data {
            self.object.append(octets);
            self.owe_for(command, name, StatusCode::CHUNKED_ITEM_ACCEPTED_AND_BUFFERED);
            return Piece::Taken;
        }
        if self.object.stored > 0 && self.fetched.object.is_none() {
            self.wanted.object = true;
        }
        let whole = self.object.whole(self.fetched.object.as_ref(), &octets);
        let (Some(receiving), Some(whole)) = (self.state.receiving.take(), whole) else {
            return self.give_up_object(command, name, StatusCode::INCOMPLETE_COMMAND);
        };
        self.object.clear();
        match decoded(&receiving, whole) {
            Some(octets) => Piece::Whole(receiving, octets),
            None => self.give_up_object(command, name, StatusCode::SIZE_MISMATCH),
        }
    }

    fn give_up_object(&mut self, command: &Command, name: &str, code: StatusCode) -> Piece {
        self.state.receiving = None;
        self.object.clear();
        let item = items_of(command).and_then(<[Item]>::first);
        if let Some(item) = item.filter(|item| item.more_data) {
            let uri = item.uri().unwrap_or_default().to_owned();
            self.state.dropped = Some((name.to_owned(), uri));
        }
        self.owe_for(command, name, code);
        Piece::Taken
    }

    /// A status for a command with its addresses.
    pub(super) fn owe_for(&mut self, command: &Command, name: &str, code: StatusCode) {
        let cmd = command.cmd_id().map(Text::to_string).unwrap_or_default();
        let item = items_of(command).and_then(<[Item]>::first);
        let target = item.and_then(|item| Some(item.target.as_ref()?.loc_uri.to_string()));
        let source = item.and_then(|item| Some(item.source.as_ref()?.loc_uri.to_string()));
        self.owe(&cmd, name, code, target, source);
    }
}

/// Whether a command only asks for the next message, which it may between two pieces.
fn is_next_message(command: &Command) -> bool {
    let Command::Alert(alert) = command else { return false };
    matches!(alert.code(), Some(AlertCode::NEXT_MESSAGE | AlertCode::DS_NEXT_MESSAGE))
}

/// The octets that the pieces stand for; `None` if they are not as many as was said.
fn decoded(receiving: &Receiving, whole: Bytes) -> Option<Bytes> {
    let length = whole.len() as u64;
    if receiving.opaque || receiving.format.as_deref() != Some("b64") {
        return (length == receiving.size).then_some(whole);
    }
    let text = Content::Text(Text::from_utf8(whole)?);
    let octets = text.octets(Some("b64"))?;
    // Some senders count the text, some what it stands for.
    (length == receiving.size || octets.len() as u64 == receiving.size).then_some(octets)
}
