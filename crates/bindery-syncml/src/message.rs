//! A SyncML message (SyncML RepPro 1.2, section 6; OMA DM RepPro 1.2).

mod body;
mod command;
mod data;
mod header;
mod item;

pub use self::body::{Atomic, Command, Sequence, Sync, SyncBody, SyncMl};
pub use self::command::{
    Add, Alert, Copy, Delete, Exec, Get, Map, MapItem, Move, Put, Replace, Results, Search, Status,
};
pub use self::data::{Anchor, Content, Data, Mem, Meta};
pub use self::header::{Chal, Cred, Source, SyncHdr, Target};
pub use self::item::{Field, Filter, Item, Record, SourceParent, TargetParent};
