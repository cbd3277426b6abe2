//! What says who speaks, and proves it.

use crate::macros::{field_read, field_rule, field_type, field_write, structure};
use crate::{Filter, Meta};

structure! {
    /// SyncHdr: versions, session, message, addresses, credentials (RepPro 1.2, 6.2.2).
    SyncHdr = SYNC_HDR {
        /// The version of the representation protocol: `1.2`. It decides how the message is written.
        one ver_dtd: text = VER_DTD,
        /// The protocol and its version: `DM/1.2`, `SyncML/1.2`.
        one ver_proto: text = VER_PROTO,
        /// The session; the same in all its messages. `0` is one too.
        one session_id: text = SESSION_ID,
        /// The message, counted from 1 by each side.
        one msg_id: text = MSG_ID,
        /// Who it is for.
        one target: [Target] = TARGET,
        /// Who it is from.
        one source: [Source] = SOURCE,
        /// Where the answer goes.
        opt resp_uri: text = RESP_URI,
        /// No status is wanted for anything in the message.
        opt no_resp: flag = NO_RESP,
        /// The sender's credentials.
        boxed cred: [Cred] = CRED,
        /// MaxMsgSize and MaxObjSize of the sender.
        boxed meta: [Meta] = META,
    }
}

structure! {
    /// Target: an address at the receiver's side.
    Target = TARGET {
        /// The address.
        one loc_uri: text = LOC_URI,
        /// A name for people, or of the user.
        opt loc_name: text = LOC_NAME,
        /// What is wanted of a data store (1.2).
        boxed filter: [Filter] = FILTER,
    }
}

structure! {
    /// Source: an address at the sender's side.
    Source = SOURCE {
        /// The address.
        one loc_uri: text = LOC_URI,
        /// A name for people; in SyncHdr the user's.
        opt loc_name: text = LOC_NAME,
    }
}

structure! {
    /// Cred: credentials. Type and Format stand in Meta; a digest of SyncML 1.0 in WBXML may be sixteen raw octets.
    Cred = CRED {
        /// Type (`syncml:auth-md5`) and Format (`b64`).
        boxed meta: [Meta] = META,
        /// The credentials.
        one data: data = DATA,
    }
}

impl Cred {
    /// The octets of the credentials: decoded, if Format says base64; as they stand, if they are opaque or Format says
    /// nothing of the kind. `None` if they are no base64.
    pub fn octets(&self) -> Option<bytes::Bytes> {
        let format = self.meta.as_ref().and_then(|meta| meta.format.as_deref());
        self.data.content.octets(format)
    }
}

structure! {
    /// Chal: which credentials are wanted.
    Chal = CHAL {
        /// Type, Format and NextNonce.
        one meta: [Meta] = META,
    }
}

impl Chal {
    /// The nonce, decoded from base64 if Format says so (or says nothing and it is text). `None` if there is none, or it
    /// is no base64.
    pub fn nonce(&self) -> Option<bytes::Bytes> {
        let nonce = self.meta.next_nonce.as_ref()?;
        nonce.octets(self.meta.format.as_deref().or(Some("b64")))
    }
}

impl From<&str> for Target {
    fn from(uri: &str) -> Self {
        Self { loc_uri: uri.into(), ..Self::default() }
    }
}

impl From<&str> for Source {
    fn from(uri: &str) -> Self {
        Self { loc_uri: uri.into(), ..Self::default() }
    }
}
