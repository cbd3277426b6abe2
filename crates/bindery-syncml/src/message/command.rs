//! The commands that hold no others (RepPro 1.2, 6.5).

use crate::codes::{AlertCode, StatusCode};
use crate::macros::{field_read, field_rule, field_type, field_write, structure};
use crate::{Chal, Cred, Item, Meta, Source, Target, Text};

macro_rules! commands {
    ($($(#[$meta:meta])* $name:ident = $tag:ident { $($(#[$doc:meta])* $extra:ident: flag = $extra_tag:ident,)* })*) => {$(
        structure! {
            $(#[$meta])*
            $name = $tag {
                /// The command, unique in its message and never 0.
                one cmd_id: text = CMD_ID,
                /// No status is wanted.
                opt no_resp: flag = NO_RESP,
                $($(#[$doc])* opt $extra: flag = $extra_tag,)*
                /// Credentials for this command.
                boxed cred: [Cred] = CRED,
                /// What holds for all items.
                boxed meta: [Meta] = META,
                /// What it works on.
                many items: [Item] = ITEM,
            }
        }
    )*};
}

commands! {
    /// Add: makes items that are not there.
    Add = ADD {}
    /// Copy: copies an item at the receiver's side.
    Copy = COPY {}
    /// Delete: takes items away.
    Delete = DELETE {
        /// Keep a copy elsewhere (DS).
        archive: flag = ARCHIVE,
        /// Keep the item for the other side (DS).
        sft_del: flag = SFT_DEL,
    }
    /// Move: gives items another parent (DS 1.2).
    Move = MOVE {}
    /// Replace: overwrites items.
    Replace = REPLACE {}
}

structure! {
    /// Exec: runs something at the receiver's side. One item only.
    Exec = EXEC {
        /// The command, unique in its message and never 0.
        one cmd_id: text = CMD_ID,
        /// No status is wanted.
        opt no_resp: flag = NO_RESP,
        /// Credentials for this command.
        boxed cred: [Cred] = CRED,
        /// What holds for the item.
        boxed meta: [Meta] = META,
        /// What a later Generic Alert will say of this command (1.2).
        opt correlator: text = CORRELATOR,
        /// What to run.
        many items: [Item] = ITEM,
    }
}

structure! {
    /// Get: asks for items; Results bring them.
    Get = GET {
        /// The command, unique in its message and never 0.
        one cmd_id: text = CMD_ID,
        /// No status is wanted.
        opt no_resp: flag = NO_RESP,
        /// The language that is preferred.
        opt lang: text = LANG,
        /// Credentials for this command.
        boxed cred: [Cred] = CRED,
        /// What holds for all items.
        boxed meta: [Meta] = META,
        /// What is wanted.
        many items: [Item] = ITEM,
    }
}

structure! {
    /// Put: gives items unasked, such as device information.
    Put = PUT {
        /// The command, unique in its message and never 0.
        one cmd_id: text = CMD_ID,
        /// No status is wanted.
        opt no_resp: flag = NO_RESP,
        /// The language of the items.
        opt lang: text = LANG,
        /// Credentials for this command.
        boxed cred: [Cred] = CRED,
        /// What holds for all items.
        boxed meta: [Meta] = META,
        /// What is given.
        many items: [Item] = ITEM,
    }
}

structure! {
    /// Alert: says that something happened, or asks for something.
    Alert = ALERT {
        /// The command, unique in its message and never 0.
        one cmd_id: text = CMD_ID,
        /// No status is wanted.
        opt no_resp: flag = NO_RESP,
        /// Credentials for this command.
        boxed cred: [Cred] = CRED,
        /// The code; see [`Alert::code`].
        opt data: data = DATA,
        /// The Exec that it tells of (1.2).
        opt correlator: text = CORRELATOR,
        /// More about it.
        many items: [Item] = ITEM,
    }
}

impl Alert {
    /// An alert with a code.
    pub fn new(cmd_id: impl Into<Text>, code: AlertCode) -> Self {
        Self { cmd_id: cmd_id.into(), data: Some(code.into()), ..Self::default() }
    }

    /// The code, if it is a number.
    pub fn code(&self) -> Option<AlertCode> {
        AlertCode::from_text(self.data.as_ref()?.as_str()?)
    }
}

structure! {
    /// Status: what became of a command.
    Status = STATUS {
        /// The command, unique in its message and never 0.
        one cmd_id: text = CMD_ID,
        /// The message of the command.
        one msg_ref: text = MSG_REF,
        /// The command; 0 is SyncHdr.
        one cmd_ref: text = CMD_REF,
        /// Its name.
        one cmd: text = CMD,
        /// Its targets.
        many target_refs: text = TARGET_REF,
        /// Its sources.
        many source_refs: text = SOURCE_REF,
        /// Credentials for this command.
        boxed cred: [Cred] = CRED,
        /// Which credentials are wanted.
        boxed chal: [Chal] = CHAL,
        /// The code; see [`Status::code`].
        one data: data = DATA,
        /// More about it, for instance the items that failed.
        many items: [Item] = ITEM,
    }
}

impl Status {
    /// A status for a command of the message `msg_ref`.
    pub fn of(
        cmd_id: impl Into<Text>,
        msg_ref: impl Into<Text>,
        cmd_ref: impl Into<Text>,
        cmd: &str,
        code: StatusCode,
    ) -> Self {
        Self {
            cmd_id: cmd_id.into(),
            msg_ref: msg_ref.into(),
            cmd_ref: cmd_ref.into(),
            cmd: cmd.into(),
            data: code.into(),
            ..Self::default()
        }
    }

    /// The code, if it is a number.
    pub fn code(&self) -> Option<StatusCode> {
        StatusCode::from_text(self.data.as_str()?)
    }
}

structure! {
    /// Results: what a Get or Search asked for.
    Results = RESULTS {
        /// The command, unique in its message and never 0.
        one cmd_id: text = CMD_ID,
        /// The message of the command.
        opt msg_ref: text = MSG_REF,
        /// The command.
        one cmd_ref: text = CMD_REF,
        /// What holds for all items.
        boxed meta: [Meta] = META,
        /// Its target.
        opt target_ref: text = TARGET_REF,
        /// Its source.
        opt source_ref: text = SOURCE_REF,
        /// What was found.
        many items: [Item] = ITEM,
    }
}

structure! {
    /// Map: which identifiers of the two sides belong together (DS).
    Map = MAP {
        /// The command, unique in its message and never 0.
        one cmd_id: text = CMD_ID,
        /// The receiver's data store.
        one target: [Target] = TARGET,
        /// The sender's data store.
        one source: [Source] = SOURCE,
        /// Credentials for this command.
        boxed cred: [Cred] = CRED,
        /// What holds for all items.
        boxed meta: [Meta] = META,
        /// The pairs.
        many map_items: [MapItem] = MAP_ITEM,
    }
}

structure! {
    /// MapItem: a pair of identifiers.
    MapItem = MAP_ITEM {
        /// The receiver's.
        one target: [Target] = TARGET,
        /// The sender's.
        one source: [Source] = SOURCE,
    }
}

structure! {
    /// Search: asks for items by a query.
    Search = SEARCH {
        /// The command, unique in its message and never 0.
        one cmd_id: text = CMD_ID,
        /// No status is wanted.
        opt no_resp: flag = NO_RESP,
        /// No results are wanted: they stay in Target.
        opt no_results: flag = NO_RESULTS,
        /// Credentials for this command.
        boxed cred: [Cred] = CRED,
        /// Where the results go.
        opt target: [Target] = TARGET,
        /// Where to look.
        many sources: [Source] = SOURCE,
        /// The language that is preferred.
        opt lang: text = LANG,
        /// The grammar of the query.
        boxed meta: [Meta] = META,
        /// The query.
        one data: data = DATA,
    }
}
