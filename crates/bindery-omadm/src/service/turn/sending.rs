//! Commands of the queue on their way to the device, whole or in pieces.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bindery_syncml::{Command, Content, Form, StatusCode, Text};
use bytes::Bytes;

use super::{
    Turn,
    compose::{Draft, Unfit},
};
use crate::service::{
    CommandState, Order, Sent,
    order::only_item_mut,
    state::{Asked, Sending},
};

/// The least room for a piece; with less the next message is better.
const PIECE: usize = 128;

/// What came of a command of the queue.
enum Step {
    Sent,
    /// Nothing of it was sent; others may be.
    Failed,
    /// There is no room for it in this message.
    Full,
    /// A piece of it was sent or is to be sent next: nothing else may stand beside it.
    Amid,
    /// The last piece of it was sent.
    Last,
    /// Its data has to be read first.
    Wanting,
}

/// The data of a command, or a part of it.
struct Data {
    /// How many octets there are in all.
    total: u64,
    /// Where `octets` begins.
    offset: u64,
    octets: Bytes,
    /// It is octets, and no text.
    is_octets: bool,
}

impl Turn<'_> {
    /// Puts commands into the answer; whether this side's package is over with them.
    pub(super) fn send(&mut self, draft: &mut Draft) -> bool {
        if let Some(sending) = self.state.sending.clone() {
            match self.go_on(draft, &sending) {
                Step::Amid | Step::Full | Step::Wanting => return false,
                Step::Last => return true,
                Step::Failed | Step::Sent => self.state.sending = None,
            }
        }
        let ids: Vec<String> = self.queue.iter().map(|one| one.entry.id.clone()).collect();
        for id in ids {
            let Some(progress) = self.progress_of(&id).filter(|it| it.state.is_open()) else {
                continue;
            };
            if progress.attempts >= self.scene.config.attempts {
                self.give_up(&id, progress.attempts);
                continue;
            }
            // What was not answered before is sent alone, lest it takes others with it.
            let alone = progress.attempts > 0;
            if draft.has_commands() && alone {
                break;
            }
            match self.send_one(draft, &id) {
                Step::Sent if alone => break,
                Step::Sent | Step::Failed => {}
                Step::Full | Step::Last => break,
                Step::Amid | Step::Wanting => return false,
            }
            if self.state.asked.len() >= self.scene.config.commands as usize {
                break;
            }
        }
        true
    }

    fn send_one(&mut self, draft: &mut Draft, id: &str) -> Step {
        let Some(command) = self.queued(id).map(|command| command.entry.clone()) else {
            return Step::Failed;
        };
        let order = match Order::read(&command.body) {
            Ok(order) => order,
            Err(error) => return self.unfit(id, error.to_string()),
        };
        let size = order.object().map_or(0, content_len).max(command.data_len);
        if let Some(most) = self.state.max_obj_size.filter(|most| size > *most) {
            let why = format!("it has {size} octets, and the device takes objects of up to {most}");
            self.fail(id, Some(StatusCode::REQUESTED_SIZE_TOO_BIG), why);
            return Step::Failed;
        }
        let Some(data) = self.data_of(id, &order, command.data_len, 0) else {
            return if draft.has_commands() { Step::Full } else { Step::Wanting };
        };
        let is_whole = data.as_ref().is_none_or(|data| data.octets.len() as u64 == data.total);
        if is_whole {
            let whole = match data.as_ref().filter(|_| command.data_len > 0) {
                Some(data) => match content_of(data.octets.clone(), data.is_octets) {
                    Some(content) => order.clone().with_content(content),
                    None => return self.unfit(id, "its text is no UTF-8".to_owned()),
                },
                None => order.clone(),
            };
            match draft.push(whole.written(draft.form())) {
                Ok((cmd, inner)) => {
                    self.sent(id, cmd, inner, None, true);
                    return Step::Sent;
                }
                Err(Unfit::Encoding(error)) => return self.unfit(id, error.to_string()),
                Err(Unfit::TooLarge) if draft.has_commands() => return Step::Full,
                Err(Unfit::TooLarge) => {}
            }
        } else if draft.has_commands() {
            return Step::Full;
        }
        match data {
            Some(data) => self.send_piece(draft, id, order, &data),
            None => {
                self.too_large(id);
                Step::Failed
            }
        }
    }

    /// The next piece of the object that is being sent.
    fn go_on(&mut self, draft: &mut Draft, sending: &Sending) -> Step {
        let Some(command) = self.queued(&sending.id).map(|command| command.entry.clone()) else {
            // Somebody took it back in the middle.
            return Step::Failed;
        };
        let Ok(order) = Order::read(&command.body) else { return Step::Failed };
        match self.data_of(&sending.id, &order, command.data_len, sending.offset) {
            None => Step::Wanting,
            Some(None) => Step::Failed,
            Some(Some(data)) => self.send_piece(draft, &sending.id, order, &data),
        }
    }

    /// The data of an Add or Replace from an offset on; `Some(None)` for other commands, `None`
    /// where it has to be read first.
    fn data_of(
        &mut self,
        id: &str,
        order: &Order,
        data_len: u64,
        offset: u64,
    ) -> Option<Option<Data>> {
        let Some(content) = order.object() else { return Some(None) };
        let is_octets = matches!(content, Content::Opaque(_));
        if data_len == 0 {
            let all = content.octets(None).unwrap_or_default();
            let from = usize::try_from(offset).unwrap_or(usize::MAX).min(all.len());
            let (total, octets) = (all.len() as u64, all.slice(from..));
            return Some(Some(Data { total, offset, octets, is_octets }));
        }
        match &self.fetched.piece {
            Some((of, from, octets)) if of == id && *from == offset => {
                let octets = octets.clone();
                Some(Some(Data { total: data_len, offset, octets, is_octets }))
            }
            _ => {
                let most = super::compose::budget(&self.scene, &self.state) as u64;
                self.wanted.piece = Some((id.to_owned(), offset..offset.saturating_add(most)));
                None
            }
        }
    }

    /// Sends as much of a command's data as there is room for.
    fn send_piece(&mut self, draft: &mut Draft, id: &str, order: Order, data: &Data) -> Step {
        let encoded = data.is_octets && draft.form() == Form::Xml;
        let frame =
            order.with_content(content_of(Bytes::new(), data.is_octets).unwrap_or_default());
        let frame = framed(frame.written(draft.form()), data, encoded, true);
        let (frame, cost) = draft.measure(frame);
        let room = match cost {
            Ok(cost) => draft.room().saturating_sub(cost),
            Err(_) => 0,
        };
        let sending = Sending { id: id.to_owned(), offset: data.offset, total: data.total };
        if room < PIECE {
            if draft.room() < draft.roomiest() / 2 {
                // Statuses took the room; the next message has more.
                self.state.sending = Some(sending);
                return Step::Amid;
            }
            self.too_large(id);
            return Step::Failed;
        }
        let mut length = if encoded { room / 4 * 3 } else { room }.min(data.octets.len());
        while length > 0 {
            let cut = cut(&data.octets, length, data.is_octets, encoded);
            let end = data.offset + cut as u64;
            let more = end < data.total;
            let octets = data.octets.slice(..cut);
            let content = if encoded {
                Some(Content::from(STANDARD.encode(&octets)))
            } else {
                content_of(octets, data.is_octets)
            };
            let Some(content) = content else {
                return self.unfit(id, "its text is no UTF-8".to_owned());
            };
            let mut command = framed(frame.clone(), data, encoded, more);
            if let Some(item) = only_item_mut(&mut command) {
                item.data.get_or_insert_default().content = content;
            }
            match draft.push(command) {
                Ok((cmd, _)) => {
                    let end = more.then_some(end);
                    self.sent(id, cmd, 0, end, data.offset == 0);
                    self.state.sending = more.then_some(sending);
                    return if more { Step::Amid } else { Step::Last };
                }
                Err(Unfit::TooLarge) => length = cut.min(length) * 3 / 4,
                Err(Unfit::Encoding(error)) => return self.unfit(id, error.to_string()),
            }
        }
        self.too_large(id);
        Step::Failed
    }

    /// Writes down that a command was sent.
    fn sent(&mut self, id: &str, cmd: u32, inner: u32, piece_end: Option<u64>, first: bool) {
        let (msg, session) = (self.msg_id, self.session_id().to_owned());
        let (status, worst) = (None, None);
        self.state.asked.push(Asked {
            msg,
            cmd,
            inner,
            id: id.to_owned(),
            piece_end,
            status,
            worst,
        });
        self.advance(id, |progress| {
            progress.state = CommandState::Sent;
            progress.attempts = progress.attempts.saturating_add(u32::from(first));
            progress.sent = Some(Sent::new(session, msg, cmd));
        });
    }

    fn unfit(&mut self, id: &str, why: String) -> Step {
        self.fail(id, None, format!("it cannot be sent: {why}"));
        Step::Failed
    }

    fn too_large(&mut self, id: &str) {
        let most = super::compose::budget(&self.scene, &self.state);
        self.fail(
            id,
            None,
            format!(
                "it does not fit a message of {most} octets, which is what the device takes; queue \
             smaller commands"
            ),
        );
    }

    /// The device's answer to a piece.
    pub(super) fn piece_answered(&mut self, asked: &Asked, code: StatusCode) {
        self.state.asked.retain(|one| one.id != asked.id);
        let Some(end) = asked.piece_end else { return };
        if code.is_success() {
            if let Some(sending) = self.state.sending.as_mut().filter(|it| it.id == asked.id) {
                sending.offset = end;
            }
            return;
        }
        self.state.sending = None;
        if matches!(code.0, 401 | 407) {
            self.state.asked.push(Asked { piece_end: None, ..asked.clone() });
            return;
        }
        let why = format!("at octet {end}: {}", super::answers::explain(code, code));
        self.fail(&asked.id, Some(code), why);
    }

    /// The device goes on without a status for the piece: it has taken it.
    pub(super) fn piece_passed(&mut self) {
        let Some(asked) = self.state.asked.iter().find(|asked| asked.piece_end.is_some()).cloned()
        else {
            return;
        };
        self.piece_answered(&asked, StatusCode::CHUNKED_ITEM_ACCEPTED_AND_BUFFERED);
    }

    /// The device says that the end of an object did not come (Alert 1225): it is sent anew.
    pub(super) fn piece_missed(&mut self) {
        if let Some(sending) = self.state.sending.take() {
            self.state.asked.retain(|asked| asked.id != sending.id);
            self.advance(&sending.id, |progress| progress.state = CommandState::Queued);
        }
    }
}

fn content_len(content: &Content) -> u64 {
    match content {
        Content::Text(text) => text.len() as u64,
        Content::Opaque(octets) => octets.len() as u64,
        _ => 0,
    }
}

/// Octets as text or as what they are; `None` for text that is none.
fn content_of(octets: Bytes, is_octets: bool) -> Option<Content> {
    if is_octets {
        Some(Content::Opaque(octets))
    } else {
        Text::from_utf8(octets).map(Content::Text)
    }
}

/// A command with what goes with a piece: Size in the first one, MoreData in all but the last.
fn framed(mut command: Command, data: &Data, encoded: bool, more: bool) -> Command {
    if let Some(item) = only_item_mut(&mut command) {
        item.more_data = more;
        let size = if encoded { data.total.div_ceil(3).saturating_mul(4) } else { data.total };
        let meta = item.meta.get_or_insert_default();
        meta.size = (data.offset == 0).then_some(size);
        if encoded {
            meta.format = Some("b64".into());
        }
    }
    command
}

/// Where a piece of at most `length` octets ends: between two characters of text, and behind a
/// multiple of three octets where Base64 goes on.
fn cut(octets: &Bytes, length: usize, is_octets: bool, encoded: bool) -> usize {
    if length >= octets.len() {
        return octets.len();
    }
    if encoded {
        return (length / 3 * 3).max(3).min(octets.len());
    }
    if is_octets {
        return length;
    }
    // At most three octets back: the next one then begins a character.
    (length.saturating_sub(3)..=length)
        .rev()
        .find(|at| octets.get(*at).is_some_and(|octet| octet & 0xC0 != 0x80))
        .unwrap_or(length)
}
