//! Reading: what a message speaks of, and listings by pages.

use std::ops::Range;

use bindery_omadm::service::{
    Ask, Command, CommandFilter, Device, DeviceFilter, Loaded, ResultEntry, ResultFilter,
    StoreError, Versioned,
};
use bytes::{Bytes, BytesMut};
use sqlx::{Connection, QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{PIECE, limit, row, signed};
use crate::sqlite::SqliteStore;

/// What may not be: lengths that their pieces do not add up to.
pub(super) const BROKEN: &[(&str, &str)] = &[
    (
        "the command",
        "SELECT c.id FROM dm_command AS c WHERE c.data_len <> \
         (SELECT coalesce(sum(length(octets)), 0) FROM dm_data WHERE command = c.position)",
    ),
    (
        "the large object of a session of the device",
        "SELECT s.device FROM dm_session AS s WHERE s.object_len <> \
         (SELECT coalesce(sum(length(octets)), 0) FROM dm_object WHERE session = s.number)",
    ),
];

/// A statement that gives rows.
pub(super) struct Listing(QueryBuilder<Sqlite>);

impl Listing {
    /// Runs it.
    pub(super) async fn fetch(
        mut self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        self.0.build().fetch_all(connection).await
    }
}

/// The statement that lists devices.
pub(super) fn devices(filter: &DeviceFilter) -> Listing {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(row::DEVICE).push(" FROM dm_device WHERE 1");
    if let Some(owner) = &filter.owner {
        query.push(" AND owner = ").push_bind(owner.as_str().to_owned());
    }
    if let Some(after) = &filter.after {
        query.push(" AND id > ").push_bind(after.clone());
    }
    query.push(" ORDER BY id LIMIT ").push_bind(limit(filter.limit));
    Listing(query)
}

impl SqliteStore {
    pub(super) async fn load_message(&self, ask: &Ask) -> Result<Loaded, StoreError> {
        let failed = |error| self.unavailable(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let mut view = connection.begin().await.map_err(failed)?;
        let mut loaded = Loaded::default();
        let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
        query.push(row::DEVICE).push(" FROM dm_device WHERE id = ").push_bind(&ask.device);
        let found = query.build().fetch_optional(&mut *view).await.map_err(failed)?;
        if let Some(found) = found {
            loaded.device = Some(self.device(&found, &mut view).await?);
            if let Some(session_id) = &ask.session_id {
                let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
                query.push(row::SESSION).push(", object_len FROM dm_session WHERE device = ");
                query.push_bind(&ask.device).push(" AND session_id = ").push_bind(session_id);
                let found = query.build().fetch_optional(&mut *view).await.map_err(failed)?;
                if let Some(found) = found {
                    loaded.session = Some(row::session(&found)?);
                    let length: i64 = found.try_get(10).map_err(failed)?;
                    loaded.object_len = u64::try_from(length).unwrap_or_default();
                }
            }
            if ask.commands > 0 {
                let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
                query.push(row::COMMAND).push(" FROM dm_command WHERE state < 2 AND device = ");
                query.push_bind(&ask.device).push(" ORDER BY position LIMIT ");
                query.push_bind(limit(ask.commands));
                let rows = query.build().fetch_all(&mut *view).await.map_err(failed)?;
                loaded.commands = rows.iter().map(row::command).collect::<Result<_, _>>()?;
            }
        }
        view.rollback().await.map_err(failed)?;
        Ok(loaded)
    }

    pub(super) async fn list_devices(
        &self,
        filter: &DeviceFilter,
    ) -> Result<Vec<Versioned<Device>>, StoreError> {
        let failed = |error| self.unavailable(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let rows = devices(filter).fetch(&mut connection).await.map_err(failed)?;
        let mut listed = Vec::with_capacity(rows.len());
        for row in &rows {
            listed.push(self.device(row, &mut connection).await?);
        }
        Ok(listed)
    }

    pub(super) async fn one_command(
        &self,
        id: &str,
    ) -> Result<Option<Versioned<Command>>, StoreError> {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(row::COMMAND).push(" FROM dm_command WHERE id = ").push_bind(id.to_owned());
        let rows = self.rows(Listing(query)).await?;
        rows.first().map(row::command).transpose()
    }

    pub(super) async fn list_commands(
        &self,
        filter: &CommandFilter,
    ) -> Result<Vec<Versioned<Command>>, StoreError> {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(row::COMMAND).push(" FROM dm_command WHERE device = ");
        query.push_bind(filter.device.clone()).push(" AND position > ");
        query.push_bind(signed(filter.after));
        if let Some(state) = filter.state {
            query.push(" AND state = ").push_bind(row::state_number(state));
        }
        query.push(" ORDER BY position LIMIT ").push_bind(limit(filter.limit));
        self.rows(Listing(query)).await?.iter().map(row::command).collect()
    }

    pub(super) async fn list_results(
        &self,
        filter: &ResultFilter,
    ) -> Result<Vec<ResultEntry>, StoreError> {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(row::RESULT).push(" FROM dm_result WHERE device = ");
        query.push_bind(filter.device.clone()).push(" AND position > ");
        query.push_bind(signed(filter.after));
        if let Some(command) = &filter.command {
            query.push(" AND command = ").push_bind(command.clone());
        }
        query.push(" ORDER BY position LIMIT ").push_bind(limit(filter.limit));
        self.rows(Listing(query)).await?.iter().map(row::result).collect()
    }

    pub(super) async fn data_of(
        &self,
        command: &str,
        range: Range<u64>,
    ) -> Result<Bytes, StoreError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let piece = PIECE as u64;
        let first = range.start / piece;
        let mut query = QueryBuilder::new("SELECT d.octets FROM dm_command AS c, dm_data AS d ");
        query.push("WHERE d.command = c.position AND c.id = ").push_bind(command.to_owned());
        query.push(" AND d.piece BETWEEN ").push_bind(signed(first));
        query.push(" AND ").push_bind(signed((range.end - 1) / piece)).push(" ORDER BY d.piece");
        let mut whole = self.joined(Listing(query)).await?;
        let start = usize::try_from(range.start - first * piece).unwrap_or(usize::MAX);
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let mut wanted = whole.split_off(start.min(whole.len()));
        wanted.truncate(length);
        Ok(wanted)
    }

    pub(super) async fn object_of(
        &self,
        device: &str,
        session_id: &str,
    ) -> Result<Bytes, StoreError> {
        let mut query = QueryBuilder::new("SELECT o.octets FROM dm_session AS s, dm_object AS o ");
        query.push("WHERE o.session = s.number AND s.device = ").push_bind(device.to_owned());
        query.push(" AND s.session_id = ").push_bind(session_id.to_owned());
        query.push(" ORDER BY o.at");
        self.joined(Listing(query)).await
    }

    /// The first columns of all rows, one after the other.
    async fn joined(&self, listing: Listing) -> Result<Bytes, StoreError> {
        let rows = self.rows(listing).await?;
        let mut whole = BytesMut::new();
        for row in &rows {
            let octets: &[u8] = row.try_get(0).map_err(|error| self.unavailable(error))?;
            whole.extend_from_slice(octets);
        }
        Ok(whole.freeze())
    }

    async fn rows(&self, listing: Listing) -> Result<Vec<SqliteRow>, StoreError> {
        let failed = |error| self.unavailable(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        listing.fetch(&mut connection).await.map_err(failed)
    }
}
