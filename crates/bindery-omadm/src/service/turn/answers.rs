//! What the device answered to the commands that were sent.

use bindery_syncml::{Status, StatusCode, Text};

use super::{Abort, Turn};
use crate::service::{CommandState, ResultKind, state::Asked};

/// How often the device may refuse this side's credentials in a session: the first time it only
/// tells the nonce, the second one may be of another scheme.
const REFUSALS: u8 = 3;

/// The longest nonce that is kept, in octets.
const NONCE: usize = 256;

impl Turn<'_> {
    /// A Status of the device.
    pub(super) fn answered(&mut self, status: &Status) {
        let code = status.code();
        if &*status.cmd_ref == "0" || status.cmd.eq_ignore_ascii_case("SyncHdr") {
            return self.header_answered(status, code);
        }
        let Some(code) = code else { return };
        let at = self.asked_at(&status.msg_ref, &status.cmd_ref);
        let Some(asked) = at.and_then(|at| self.state.asked.get_mut(at)) else { return };
        let is_itself = Text::number(&status.cmd_ref) == Some(u64::from(asked.cmd));
        if is_itself {
            asked.status = worse(asked.status, code);
        }
        asked.worst = worse(asked.worst, code);
        let asked = asked.clone();
        if is_itself && asked.piece_end.is_some() {
            return self.piece_answered(&asked, code);
        }
        let data = status.items.iter().find_map(|item| item.data.as_ref()?.as_str());
        // Windows says more here.
        let attributes = &status.data.attributes;
        let error = attributes.iter().find(|one| &*one.local == "originalerror");
        let data = data
            .map(str::to_owned)
            .or_else(|| error.map(|error| format!("originalerror {}", error.value)));
        let uri = status.target_refs.first().map(Text::to_string).unwrap_or_default();
        self.record(ResultKind::Status, |entry| {
            entry.command = Some(asked.id);
            (entry.uri, entry.status) = (uri, Some(code));
            entry.data = data.unwrap_or_default().into();
        });
    }

    /// The Status of this side's message: whether the device takes who it comes from.
    fn header_answered(&mut self, status: &Status, code: Option<StatusCode>) {
        let challenge = status.chal.as_ref();
        if let Some(scheme) = challenge.and_then(|chal| chal.meta.kind.as_deref()) {
            self.state.server.scheme = Some(scheme.to_owned());
        }
        let nonce = challenge.and_then(|chal| chal.nonce()).filter(|it| it.len() <= NONCE);
        if let (Some(nonce), Some(server)) = (nonce, &mut self.device.server)
            && server.nonce != nonce
        {
            server.nonce = nonce;
            self.device_changed = true;
        }
        match code {
            Some(StatusCode::AUTHENTICATION_ACCEPTED) => self.state.server.done = true,
            Some(
                StatusCode::INVALID_CREDENTIALS
                | StatusCode::AUTHENTICATION_REQUIRED_MISSING_CREDENTIALS,
            ) => {
                self.state.server.done = false;
                self.state.server.refused = self.state.server.refused.saturating_add(1);
                self.refused = true;
                if self.state.server.refused >= REFUSALS || self.device.server.is_none() {
                    self.break_off(Abort::Refused);
                }
            }
            _ => {}
        }
    }

    /// Which of the commands that were sent a reference means.
    fn asked_at(&self, msg_ref: &str, cmd_ref: &str) -> Option<usize> {
        let number = |text: &str| Text::from(text).number();
        let (msg, cmd) = (number(msg_ref), number(cmd_ref)?);
        self.state.asked.iter().position(|asked| {
            let first = u64::from(asked.cmd);
            // Some devices leave MsgRef out; what is open is of one message.
            msg.is_none_or(|msg| msg == u64::from(asked.msg))
                && (first..=first + u64::from(asked.inner)).contains(&cmd)
        })
    }

    /// The command of the queue that a reference means.
    pub(super) fn command_of(&self, msg_ref: &str, cmd_ref: &str) -> Option<String> {
        let asked = self.state.asked.get(self.asked_at(msg_ref, cmd_ref)?)?;
        Some(asked.id.clone())
    }

    /// The device's package is over: what was asked for is answered now or never.
    pub(super) fn settle(&mut self) {
        for asked in std::mem::take(&mut self.state.asked) {
            let unknown = asked.status.is_none_or(|code| matches!(code, 401 | 407));
            if self.refused && unknown {
                self.put_back(&asked.id);
            } else if asked.piece_end.is_none() && asked.worst.is_some() {
                self.done(&asked);
            } else {
                // Not answered, or the device ended its package in the middle of the object.
                self.requeue(&asked.id);
            }
            if self.state.sending.as_ref().is_some_and(|sending| sending.id == asked.id) {
                self.state.sending = None;
            }
        }
    }

    /// A command that was answered.
    fn done(&mut self, asked: &Asked) {
        let Some(worst) = asked.worst.map(StatusCode) else { return };
        let own = asked.status.map_or(worst, StatusCode);
        self.advance(&asked.id, |progress| {
            progress.status = Some(worst);
            if worst.is_success() {
                progress.state = CommandState::Acknowledged;
            } else {
                progress.state = CommandState::Failed;
                progress.explanation = Some(explain(own, worst));
            }
        });
    }

    /// A command that was not answered goes back, until it was sent too often.
    fn requeue(&mut self, id: &str) {
        let Some(progress) = self.progress_of(id) else { return };
        if progress.attempts >= self.scene.config.attempts {
            self.give_up(id, progress.attempts);
        } else {
            self.advance(id, |progress| progress.state = CommandState::Queued);
        }
    }

    /// A command that was sent too often.
    pub(super) fn give_up(&mut self, id: &str, times: u32) {
        let why = format!(
            "it was sent {times} times and never answered: the device may not survive it; look at \
             the device before you queue it again"
        );
        self.fail(id, None, why);
    }

    /// A command that the device did not look at, because it did not know who sent it.
    fn put_back(&mut self, id: &str) {
        self.advance(id, |progress| {
            progress.state = CommandState::Queued;
            progress.attempts = progress.attempts.saturating_sub(1);
        });
    }
}

/// The worse of two statuses: what failed by itself, then an Atomic that failed by a part of it,
/// then what was not done because of others; of successes the later one.
fn worse(known: Option<u16>, code: StatusCode) -> Option<u16> {
    let rank = |code: StatusCode| match code {
        code if code.is_success() => 0,
        StatusCode::NOT_EXECUTED | StatusCode::ATOMIC_ROLL_BACK_OK => 1,
        StatusCode::ATOMIC_FAILED => 2,
        _ => 3,
    };
    match known.map(StatusCode) {
        Some(known) if rank(known) > 0 && rank(known) >= rank(code) => Some(known.0),
        _ => Some(code.0),
    }
}

/// What an operator is told of a failure.
pub(super) fn explain(own: StatusCode, worst: StatusCode) -> String {
    let said = |code: StatusCode| match code.row() {
        Some(row) if row.remedy().is_empty() => format!("{code}: {}", row.meaning()),
        Some(row) => format!("{code}: {} {}", row.meaning(), row.remedy()),
        None => code.to_string(),
    };
    if own == worst {
        return said(worst);
    }
    format!("{own}, because of a part of it with {}", said(worst))
}
