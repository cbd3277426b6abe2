//! Rows as the engine's values.

use std::collections::BTreeMap;

use bindery_core::{Principal, Timestamp};
use bindery_omadm::{
    CredentialDigest,
    service::{
        AppAuth, Command, CommandState, Device, NewCommand, Progress, ResultEntry, ResultKind,
        Sent, Session, StatusCode, StoreError, Versioned,
    },
};
use bytes::Bytes;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{damaged, identity};
use crate::sqlite::{SqliteStore, pairs, sealing::Unopened};

/// What [`SqliteStore::device`] reads.
pub(super) const DEVICE: &str = "id, owner, version, registered, last_seen, enabled, \
     client_name, client_nonce, server_name, server_nonce, dev_info, digests";

/// What [`session`] reads.
pub(super) const SESSION: &str = "device, session_id, version, authenticated, msg_id, \
     started, touched, expires, state, reply";

/// What [`command`] reads.
pub(super) const COMMAND: &str = "id, device, position, key, version, queued, state, changed, \
     attempts, sent_session, sent_msg, sent_cmd, status, explanation, data_len, body";

/// What [`result`] reads.
pub(super) const RESULT: &str =
    "device, position, at, session_id, msg_id, kind, command, uri, status, data";

/// A row that is read column by column; any failure says that the entry is damaged.
struct Columns<'a> {
    row: &'a SqliteRow,
    entry: String,
}

impl Columns<'_> {
    fn get<'r, T>(&'r self, at: usize) -> Result<T, StoreError>
    where
        T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.row.try_get(at).map_err(|error| self.damaged(&error))
    }

    fn number<T: TryFrom<i64>>(&self, at: usize) -> Result<T, StoreError> {
        let number: i64 = self.get(at)?;
        T::try_from(number).map_err(|_| self.damaged(&format_args!("{number} in column {at}")))
    }

    fn optional_number<T: TryFrom<i64>>(&self, at: usize) -> Result<Option<T>, StoreError> {
        let number: Option<i64> = self.get(at)?;
        number.map(|_| self.number(at)).transpose()
    }

    fn time(&self, at: usize) -> Result<Timestamp, StoreError> {
        self.get(at).map(Timestamp::from_unix_micros)
    }

    fn octets(&self, at: usize) -> Result<Bytes, StoreError> {
        self.get::<Vec<u8>>(at).map(Bytes::from)
    }

    fn damaged(&self, reason: &dyn std::fmt::Display) -> StoreError {
        damaged(self.entry.clone(), reason)
    }
}

/// The name that a row has in its first column.
fn named<'a>(row: &'a SqliteRow, what: &str) -> Result<(Columns<'a>, String), StoreError> {
    let unreadable = |error: sqlx::Error| damaged(format!("a {what}"), &error);
    let name: String = row.try_get(0).map_err(unreadable)?;
    Ok((Columns { row, entry: format!("the {what} {name}") }, name))
}

impl SqliteStore {
    /// A device with its credentials.
    pub(super) async fn device(
        &self,
        row: &SqliteRow,
        connection: &mut SqliteConnection,
    ) -> Result<Versioned<Device>, StoreError> {
        let (columns, id) = named(row, "device")?;
        let owner = Principal::new(columns.get::<String>(1)?);
        let mut device = Device::new(id, owner, columns.time(3)?);
        let last_seen: Option<i64> = columns.get(4)?;
        device.last_seen = last_seen.map(Timestamp::from_unix_micros);
        device.enabled = columns.get(5)?;
        device.dev_info = dev_info(columns.octets(10)?)
            .ok_or_else(|| columns.damaged(&"its DevInfo is not what was stored"))?;
        if let Some(sealed) = columns.get::<Option<&[u8]>>(11)? {
            let parts = [device.id.as_str(), device.owner.as_str()];
            let digests = match self.open_sealed(connection, identity(&parts), sealed).await {
                Ok(digests) => digests,
                Err(Unopened::Store(error)) => return Err(error.into()),
                Err(Unopened::Damaged(error)) => return Err(columns.damaged(&error)),
            };
            let mut rest = digests.as_slice();
            device.client = app_auth(&columns, 6, &mut rest)?;
            device.server = app_auth(&columns, 8, &mut rest)?;
        }
        Ok(Versioned::new(device, columns.number(2)?))
    }
}

/// A name, its nonce beside it, and the next of the digests.
fn app_auth(
    columns: &Columns<'_>,
    at: usize,
    digests: &mut &[u8],
) -> Result<Option<AppAuth>, StoreError> {
    let Some(name) = columns.get::<Option<String>>(at)? else { return Ok(None) };
    let (digest, rest) = digests
        .split_first_chunk::<16>()
        .ok_or_else(|| columns.damaged(&"it has a name without a digest"))?;
    *digests = rest;
    let mut auth = AppAuth::new(name, CredentialDigest::from_octets(*digest));
    auth.nonce = columns.get::<Option<Vec<u8>>>(at + 1)?.unwrap_or_default().into();
    Ok(Some(auth))
}

fn dev_info(octets: Bytes) -> Option<BTreeMap<String, String>> {
    let pairs = pairs::decode(octets)?.into_iter();
    pairs.map(|(name, value)| Some((name, String::from_utf8(value.into()).ok()?))).collect()
}

/// A session.
pub(super) fn session(row: &SqliteRow) -> Result<Versioned<Session>, StoreError> {
    let (columns, device) = named(row, "session of the device")?;
    let session_id: String = columns.get(1)?;
    let mut session = Session::new(device, session_id, columns.time(5)?, columns.time(7)?);
    session.authenticated = columns.get(3)?;
    session.msg_id = columns.number(4)?;
    session.touched = columns.time(6)?;
    session.state = columns.octets(8)?;
    session.reply = columns.octets(9)?;
    Ok(Versioned::new(session, columns.number(2)?))
}

/// A command.
pub(super) fn command(row: &SqliteRow) -> Result<Versioned<Command>, StoreError> {
    let (columns, id) = named(row, "command")?;
    let device: String = columns.get(1)?;
    let mut new = NewCommand::new(id, device, columns.octets(15)?, columns.time(5)?);
    new.key = columns.get(3)?;
    let mut command = Command::queued(&new, columns.number(2)?);
    command.data_len = columns.number(14)?;
    let state = state(columns.get(6)?).ok_or_else(|| columns.damaged(&"its state"))?;
    let mut progress = Progress::new(state, columns.time(7)?);
    progress.attempts = columns.number(8)?;
    if let Some(session_id) = columns.get::<Option<String>>(9)? {
        progress.sent = Some(Sent::new(session_id, columns.number(10)?, columns.number(11)?));
    }
    progress.status = columns.optional_number(12)?.map(StatusCode);
    progress.explanation = columns.get(13)?;
    command.progress = progress;
    Ok(Versioned::new(command, columns.number(4)?))
}

/// A result.
pub(super) fn result(row: &SqliteRow) -> Result<ResultEntry, StoreError> {
    let (columns, device) = named(row, "result of the device")?;
    let kind = kind(columns.get(5)?).ok_or_else(|| columns.damaged(&"its kind"))?;
    let session_id: String = columns.get(3)?;
    let mut result =
        ResultEntry::new(device, columns.time(2)?, session_id, columns.number(4)?, kind);
    result.position = columns.number(1)?;
    result.command = columns.get(6)?;
    result.uri = columns.get(7)?;
    result.status = columns.optional_number(8)?.map(StatusCode);
    result.data = columns.octets(9)?;
    Ok(result)
}

const STATES: [CommandState; 4] =
    [CommandState::Queued, CommandState::Sent, CommandState::Acknowledged, CommandState::Failed];

const KINDS: [ResultKind; 5] = [
    ResultKind::Status,
    ResultKind::Results,
    ResultKind::Alert,
    ResultKind::Replace,
    ResultKind::Session,
];

fn state(number: i64) -> Option<CommandState> {
    STATES.get(usize::try_from(number).ok()?).copied()
}

fn kind(number: i64) -> Option<ResultKind> {
    KINDS.get(usize::try_from(number).ok()?).copied()
}

/// The number of a state in its column; `None` for one that this store does not know.
pub(super) fn state_number(state: CommandState) -> Option<i64> {
    number_in(&STATES, &state)
}

/// The number of a kind in its column; `None` for one that this store does not know.
pub(super) fn kind_number(kind: ResultKind) -> Option<i64> {
    number_in(&KINDS, &kind)
}

fn number_in<T: PartialEq>(list: &[T], wanted: &T) -> Option<i64> {
    let at = list.iter().position(|it| it == wanted)?;
    i64::try_from(at).ok()
}
