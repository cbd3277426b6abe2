//! What a debugger shows of records: what they are, and of octets how many. Values of devices,
//! passwords in commands and answers, nonces and the address of a session stay hidden.

use std::fmt::{Debug, Formatter, Result};

use super::{AppAuth, Change, Command, NewCommand, ResultEntry, Session};

/// The name and the digest's user, no nonce.
impl Debug for AppAuth {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("AppAuth").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Of its state and its last answer how long they are.
impl Debug for Session {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut shown = f.debug_struct("Session");
        shown.field("device", &self.device).field("session_id", &self.session_id);
        shown.field("authenticated", &self.authenticated).field("msg_id", &self.msg_id);
        shown.field("reply", &self.reply.len()).field("state", &self.state.len());
        shown.field("started", &self.started).field("touched", &self.touched);
        shown.field("expires", &self.expires).finish()
    }
}

/// Of its body and data how long they are.
impl Debug for NewCommand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut shown = f.debug_struct("NewCommand");
        shown.field("id", &self.id).field("device", &self.device).field("key", &self.key);
        shown.field("body", &self.body.len()).field("data", &self.data.len());
        shown.field("queued", &self.queued).finish()
    }
}

/// Of its body how long it is.
impl Debug for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut shown = f.debug_struct("Command");
        shown.field("id", &self.id).field("device", &self.device);
        shown.field("position", &self.position).field("key", &self.key);
        shown.field("body", &self.body.len()).field("data_len", &self.data_len);
        shown.field("queued", &self.queued).field("progress", &self.progress).finish()
    }
}

/// Of its data how long it is.
impl Debug for ResultEntry {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut shown = f.debug_struct("ResultEntry");
        shown.field("device", &self.device).field("position", &self.position);
        shown.field("at", &self.at).field("session_id", &self.session_id);
        shown.field("msg_id", &self.msg_id).field("kind", &self.kind);
        shown.field("command", &self.command).field("uri", &self.uri);
        shown.field("status", &self.status).field("data", &self.data.len()).finish()
    }
}

/// Of octets how many.
impl Debug for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::InsertDevice(device) => f.debug_tuple("InsertDevice").field(device).finish(),
            Self::ReplaceDevice { device, expected } => f
                .debug_struct("ReplaceDevice")
                .field("device", device)
                .field("expected", expected)
                .finish(),
            Self::DeleteDevice { id, expected } => {
                f.debug_struct("DeleteDevice").field("id", id).field("expected", expected).finish()
            }
            Self::PutSession { session, expected } => f
                .debug_struct("PutSession")
                .field("session", session)
                .field("expected", expected)
                .finish(),
            Self::DeleteSession { device, session_id, expected } => f
                .debug_struct("DeleteSession")
                .field("device", device)
                .field("session_id", session_id)
                .field("expected", expected)
                .finish(),
            Self::KeepSessions { device, newest, .. } => f
                .debug_struct("KeepSessions")
                .field("device", device)
                .field("newest", newest)
                .finish_non_exhaustive(),
            Self::AppendObject { device, session_id, octets, .. } => f
                .debug_struct("AppendObject")
                .field("device", device)
                .field("session_id", session_id)
                .field("octets", &octets.len())
                .finish_non_exhaustive(),
            Self::ClearObject { device, session_id } => f
                .debug_struct("ClearObject")
                .field("device", device)
                .field("session_id", session_id)
                .finish(),
            Self::Enqueue { command, at_most } => f
                .debug_struct("Enqueue")
                .field("command", command)
                .field("at_most", at_most)
                .finish(),
            Self::Progress { id, expected, progress } => f
                .debug_struct("Progress")
                .field("id", id)
                .field("expected", expected)
                .field("progress", progress)
                .finish(),
            Self::Record { result, keep } => {
                f.debug_struct("Record").field("result", result).field("keep", keep).finish()
            }
        }
    }
}
