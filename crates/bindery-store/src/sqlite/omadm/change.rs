//! Commits: prepared by the caller (credentials are sealed there), made by the writer.

use std::{path::Path, sync::Arc};

use bindery_omadm::service::{Change, Device, Session, StoreError};
use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use zeroize::Zeroizing;

use super::{conflict_device, conflict_session, identity, signed};
use crate::{
    keys::Ring,
    seal,
    sqlite::{
        SqliteError, pairs, sealing,
        writer::{Declined, Rejection, Work},
    },
};

/// The most octets of one change. SQLite's own limit for a row is 1 GB.
const LARGEST: usize = 256 << 20;

/// The changes of one commit, in their order, and what is sealed for them.
pub(super) struct Commit {
    /// Kept as they came: they are sealed again where the data key has changed.
    pub(super) changes: Arc<[Change]>,
    /// For each device that the changes put, in their order.
    rows: Vec<DeviceRow>,
    bytes: usize,
}

/// What of a device's row has to be made.
struct DeviceRow {
    dev_info: Vec<u8>,
    digests: Option<Vec<u8>>,
}

impl Commit {
    /// Seals and encodes what is to be stored.
    ///
    /// # Errors
    /// Something is too large, or the cryptographic library failed.
    pub(super) fn prepare(
        changes: Arc<[Change]>,
        ring: &Ring,
        path: &Path,
    ) -> Result<Self, StoreError> {
        let (mut rows, mut bytes) = (Vec::new(), 0_usize);
        for change in &*changes {
            let octets = octets(change);
            if octets > LARGEST {
                let detail = format!("a change has {octets} octets, more than {LARGEST}");
                return Err(SqliteError::Other { path: path.to_owned(), detail }.into());
            }
            bytes = bytes.saturating_add(octets);
            if let Change::InsertDevice(device) | Change::ReplaceDevice { device, .. } = change {
                rows.push(DeviceRow::prepare(device, ring, path)?);
            }
        }
        Ok(Self { changes, rows, bytes })
    }
}

/// What a change adds to the file, about.
fn octets(change: &Change) -> usize {
    match change {
        Change::InsertDevice(device) | Change::ReplaceDevice { device, .. } => {
            device.dev_info.iter().map(|(name, value)| name.len() + value.len()).sum()
        }
        Change::PutSession { session, .. } => session.state.len() + session.reply.len(),
        Change::AppendObject { octets, .. } => octets.len(),
        Change::Enqueue { command, .. } => command.body.len() + command.data.len(),
        Change::Record { result, .. } => result.data.len(),
        _ => 0,
    }
}

impl DeviceRow {
    fn prepare(device: &Device, ring: &Ring, path: &Path) -> Result<Self, StoreError> {
        let failed = |detail: String| {
            let detail = format!("the device {}: {detail}", device.id);
            StoreError::from(SqliteError::Other { path: path.to_owned(), detail })
        };
        let pairs = device.dev_info.iter();
        let dev_info = pairs::encode(pairs.map(|(name, value)| (name.as_str(), value.as_bytes())))
            .ok_or_else(|| failed("its DevInfo is too large".to_owned()))?;
        let mut digests = Zeroizing::new(Vec::with_capacity(32));
        for auth in device.client.iter().chain(&device.server) {
            digests.extend_from_slice(auth.digest.octets());
        }
        let parts = [device.id.as_str(), device.owner.as_str()];
        let digests = match digests.is_empty() {
            true => None,
            false => Some(
                seal::seal(ring.current(), identity(&parts), &digests)
                    .map_err(|error| failed(error.to_string()))?,
            ),
        };
        Ok(Self { dev_info, digests })
    }
}

/// Shared with the caller, who seals it again where the data key has changed.
impl Work for Arc<Commit> {
    fn apply<'a>(
        &'a self,
        connection: &'a mut SqliteConnection,
        path: &'a Path,
    ) -> BoxFuture<'a, Result<(), Rejection>> {
        Box::pin(async move {
            let sql = "UPDATE dm_commit SET number = number + 1 RETURNING number";
            let version: i64 = sqlx::query_scalar(sql)
                .fetch_one(&mut *connection)
                .await
                .map_err(|error| SqliteError::from_sqlx(path, error))?;
            let mut tables = Tables { connection, path, version };
            let mut rows = self.rows.iter();
            for change in &*self.changes {
                tables.apply(change, &mut rows).await?;
            }
            Ok(())
        })
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The device management server's tables, inside a transaction.
pub(super) struct Tables<'a> {
    pub(super) connection: &'a mut SqliteConnection,
    path: &'a Path,
    /// The commit's number.
    pub(super) version: i64,
}

impl Tables<'_> {
    async fn apply(
        &mut self,
        change: &Change,
        rows: &mut std::slice::Iter<'_, DeviceRow>,
    ) -> Result<(), Rejection> {
        match change {
            Change::InsertDevice(device) => self.put_device(device, rows.next(), None).await,
            Change::ReplaceDevice { device, expected } => {
                self.put_device(device, rows.next(), Some(*expected)).await
            }
            Change::DeleteDevice { id, expected } => self.delete_device(id, *expected).await,
            Change::PutSession { session, expected: None } => self.insert_session(session).await,
            Change::PutSession { session, expected: Some(expected) } => {
                self.replace_session(session, *expected).await
            }
            Change::DeleteSession { device, session_id, expected } => {
                self.delete_session(device, session_id, *expected).await
            }
            Change::KeepSessions { device, authenticated, newest } => {
                self.keep_sessions(device, *authenticated, *newest).await
            }
            Change::AppendObject { device, session_id, octets, at_most } => {
                self.append_object(device, session_id, octets, *at_most).await
            }
            Change::ClearObject { device, session_id } => {
                self.clear_object(device, session_id).await
            }
            Change::Enqueue { command, at_most } => self.enqueue(command, *at_most).await,
            Change::Progress { id, expected, progress } => {
                self.progress(id, *expected, progress).await
            }
            Change::Record { result, keep } => self.record(result, *keep).await,
            other => {
                let detail = format!("a change that the store does not know: {other:?}");
                Err(SqliteError::Other { path: self.path.to_owned(), detail }.into())
            }
        }
    }

    async fn put_device(
        &mut self,
        device: &Device,
        row: Option<&DeviceRow>,
        expected: Option<u64>,
    ) -> Result<(), Rejection> {
        let conflict = || conflict_device(&device.id);
        let row = row.ok_or_else(conflict)?;
        let insert = "INSERT INTO dm_device (owner, version, registered, last_seen, enabled, \
                      client_name, client_nonce, server_name, server_nonce, dev_info, digests, id) \
                      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let update = "UPDATE dm_device SET owner = ?, version = ?, registered = ?, last_seen = ?, \
                      enabled = ?, client_name = ?, client_nonce = ?, server_name = ?, \
                      server_nonce = ?, dev_info = ?, digests = ? WHERE id = ? AND version = ?";
        let (client, server) = (device.client.as_ref(), device.server.as_ref());
        let query = sqlx::query(if expected.is_some() { update } else { insert })
            .bind(device.owner.as_str())
            .bind(self.version)
            .bind(device.registered.unix_micros())
            .bind(device.last_seen.map(|time| time.unix_micros()))
            .bind(device.enabled)
            .bind(client.map(|auth| auth.name.as_str()))
            .bind(client.map(|auth| &*auth.nonce))
            .bind(server.map(|auth| auth.name.as_str()))
            .bind(server.map(|auth| &*auth.nonce))
            .bind(row.dev_info.as_slice())
            .bind(row.digests.as_deref())
            .bind(device.id.as_str());
        let query = match expected {
            Some(expected) => query.bind(signed(expected)),
            None => query,
        };
        let done = query.execute(&mut *self.connection).await;
        let done = done.map_err(|error| sealing::failed(self.path, error))?;
        if done.rows_affected() == 0 { Err(conflict()) } else { Ok(()) }
    }

    async fn delete_device(&mut self, id: &str, expected: u64) -> Result<(), Rejection> {
        let sql = "DELETE FROM dm_device WHERE id = ? AND version = ?";
        let done = sqlx::query(sql)
            .bind(id)
            .bind(signed(expected))
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        if done.rows_affected() == 0 { Err(conflict_device(id)) } else { Ok(()) }
    }

    async fn insert_session(&mut self, session: &Session) -> Result<(), Rejection> {
        let sql = "INSERT INTO dm_session (version, authenticated, msg_id, started, touched, \
                   expires, state, reply, device, session_id) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        self.write_session(sql, session, None).await
    }

    async fn replace_session(&mut self, session: &Session, expected: u64) -> Result<(), Rejection> {
        let sql = "UPDATE dm_session SET version = ?, authenticated = ?, msg_id = ?, started = ?, \
                   touched = ?, expires = ?, state = ?, reply = ? \
                   WHERE device = ? AND session_id = ? AND version = ?";
        self.write_session(sql, session, Some(expected)).await
    }

    async fn write_session(
        &mut self,
        sql: &'static str,
        session: &Session,
        expected: Option<u64>,
    ) -> Result<(), Rejection> {
        let query = sqlx::query(sql)
            .bind(self.version)
            .bind(session.authenticated)
            .bind(i64::from(session.msg_id))
            .bind(session.started.unix_micros())
            .bind(session.touched.unix_micros())
            .bind(session.expires.unix_micros())
            .bind(&*session.state)
            .bind(&*session.reply)
            .bind(session.device.as_str())
            .bind(session.session_id.as_str());
        let query = match expected {
            Some(expected) => query.bind(signed(expected)),
            None => query,
        };
        let done = query.execute(&mut *self.connection).await;
        let done = done.map_err(|error| self.orphan(error, &session.device))?;
        if done.rows_affected() == 0 {
            return Err(conflict_session(&session.device, &session.session_id));
        }
        Ok(())
    }

    async fn delete_session(
        &mut self,
        device: &str,
        session_id: &str,
        expected: u64,
    ) -> Result<(), Rejection> {
        let sql = "DELETE FROM dm_session WHERE device = ? AND session_id = ? AND version = ?";
        let done = sqlx::query(sql)
            .bind(device)
            .bind(session_id)
            .bind(signed(expected))
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        match done.rows_affected() {
            0 => Err(conflict_session(device, session_id)),
            _ => Ok(()),
        }
    }

    pub(super) fn failed(&self, error: sqlx::Error) -> Rejection {
        SqliteError::from_sqlx(self.path, error).into()
    }

    /// Why a row of a device was not written: there may be no such device.
    pub(super) fn orphan(&self, error: sqlx::Error, device: &str) -> Rejection {
        /// SQLITE_CONSTRAINT_FOREIGNKEY: each of these tables refers to the device only.
        const NO_PARENT: &str = "787";
        match &error {
            sqlx::Error::Database(database) if database.code().as_deref() == Some(NO_PARENT) => {
                conflict_device(device)
            }
            _ => self.failed(error),
        }
    }
}

/// There would be too much of something.
pub(super) fn full(device: &str, what: &'static str, limit: u64) -> Rejection {
    Rejection::Declined(Declined::Full { owner: device.to_owned(), what, limit })
}
