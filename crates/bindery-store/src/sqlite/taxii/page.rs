//! Reading windows of a feed. Each call is one short read, and nothing is held behind it.

use std::collections::BTreeSet;

use bindery_core::Timestamp;
use bindery_taxii::service::{ContentFilter, Loaded, Page, PageLimits, Subject, Window};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{bounded, row};
use crate::sqlite::SqliteStore;

/// For how many bindings a window is put together from their own ranges; for more the whole window is looked through.
const RANGES: usize = 16;

/// A window by the numbers of this file.
struct Range {
    feed: i64,
    after: i64,
    until: i64,
    /// Numbers of bindings; nothing: all.
    wanted: Option<Vec<i64>>,
}

impl SqliteStore {
    pub(super) async fn count_of(&self, window: &Window) -> Loaded<u64> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        if window.begin.is_none() && window.content.is_any() {
            // All there is: it stands in the feed's own row.
            let all: Option<i64> =
                sqlx::query_scalar("SELECT blocks FROM feed WHERE name = ? AND mark <= ?")
                    .bind(&window.collection)
                    .bind(window.end.unix_micros())
                    .fetch_optional(&mut *connection)
                    .await
                    .map_err(failed)?;
            if let Some(all) = all {
                return Ok(u64::try_from(all).unwrap_or_default());
            }
        }
        let range = self.range(&mut connection, window, window.begin).await.map_err(failed)?;
        let Some(range) = range else { return Ok(0) };
        let mut query = QueryBuilder::<Sqlite>::new("SELECT count(*) FROM (");
        range.push_to(&mut query, None);
        query.push(")");
        let count: i64 =
            query.build_query_scalar().fetch_one(&mut *connection).await.map_err(failed)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    pub(super) async fn page_of(
        &self,
        window: &Window,
        after: Option<Timestamp>,
        limits: PageLimits,
    ) -> Loaded<Page> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let range = self.range(&mut connection, window, after.max(window.begin)).await;
        let Some(range) = range.map_err(failed)? else { return Ok(Page::default()) };
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT w.label, w.received, n.binding, n.subtype, c.rest, c.raw, w.more FROM (",
        );
        range.push_fitting_to(&mut query, limits);
        // A LEFT JOIN, so that what has lost its content is told and not passed over.
        query.push(
            ") AS w LEFT JOIN feed_binding AS n ON n.id = w.binding \
             LEFT JOIN feed_content AS c ON c.id = w.content WHERE w.fits ORDER BY w.label",
        );
        let rows = query.build().fetch_all(&mut *connection).await.map_err(failed)?;
        drop(connection);
        let blocks = rows.iter().map(|found| {
            row::block(found).map_err(|reason| {
                let label: i64 = found.try_get(0).unwrap_or_default();
                let place = format!("{} of {}", label, window.collection);
                row::damaged(Subject::Block(place), &reason)
            })
        });
        let blocks = blocks.collect::<Loaded<Vec<_>>>()?;
        let more = rows.last().map_or(Ok(false), |row| row.try_get(6)).map_err(failed)?;
        let next = blocks.last().filter(|_| more).map(|last| last.label);
        Ok(Page::new(blocks, next))
    }

    /// What a window is in this file; nothing where it has no block.
    async fn range(
        &self,
        connection: &mut SqliteConnection,
        window: &Window,
        after: Option<Timestamp>,
    ) -> Result<Option<Range>, sqlx::Error> {
        let feed: Option<i64> = sqlx::query_scalar("SELECT id FROM feed WHERE name = ?")
            .bind(&window.collection)
            .fetch_optional(&mut *connection)
            .await?;
        let Some(feed) = feed else { return Ok(None) };
        let wanted = match window.content.is_any() {
            true => None,
            false => Some(wanted(connection, &window.content).await?),
        };
        if wanted.as_ref().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
        let after = after.map_or(i64::MIN, Timestamp::unix_micros);
        Ok(Some(Range { feed, after, until: window.end.unix_micros(), wanted }))
    }
}

/// The numbers of the bindings that are meant.
async fn wanted(
    connection: &mut SqliteConnection,
    filter: &ContentFilter,
) -> Result<Vec<i64>, sqlx::Error> {
    let ids: BTreeSet<&str> = filter.bindings().iter().map(|one| one.id.as_str()).collect();
    let mut found = BTreeSet::new();
    for id in ids {
        let rows = sqlx::query("SELECT id, subtype FROM feed_binding WHERE binding = ?")
            .bind(id)
            .fetch_all(&mut *connection)
            .await?;
        for row in rows {
            let (number, subtype) = numbered(&row)?;
            if filter.matches(id, subtype) {
                found.insert(number);
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn numbered(row: &SqliteRow) -> Result<(i64, Option<&str>), sqlx::Error> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

const ROWS: &str = "SELECT label, binding, octets, content, received FROM feed_block ";

impl Range {
    /// The window's rows; by label where there is a limit.
    fn push_to(&self, query: &mut QueryBuilder<Sqlite>, limit: Option<i64>) {
        match &self.wanted {
            None => {
                query.push(ROWS).push("WHERE feed = ");
                self.push_bounds(query);
            }
            Some(bindings) if bindings.len() <= RANGES => {
                // Each binding's own range, as far as it can matter, then all in order.
                query.push("SELECT * FROM (");
                for (place, binding) in bindings.iter().enumerate() {
                    let union = if place == 0 { "" } else { " UNION ALL " };
                    query.push(union).push("SELECT * FROM (").push(ROWS);
                    query.push("INDEXED BY feed_block_by_binding WHERE binding = ");
                    query.push_bind(*binding).push(" AND feed = ");
                    self.push_bounds(query);
                    push_limit(query, limit);
                    query.push(")");
                }
                query.push(")");
            }
            Some(bindings) => {
                let list: Vec<String> = bindings.iter().map(i64::to_string).collect();
                query.push(ROWS).push("WHERE binding IN (SELECT value FROM json_each(");
                query.push_bind(format!("[{}]", list.join(","))).push(")) AND feed = ");
                self.push_bounds(query);
            }
        }
        push_limit(query, limit);
    }

    fn push_bounds(&self, query: &mut QueryBuilder<Sqlite>) {
        query.push_bind(self.feed).push(" AND label > ").push_bind(self.after);
        query.push(" AND label <= ").push_bind(self.until);
    }

    /// The window's first rows, up to one more than the limit's blocks: which of them fit, and whether one does not.
    fn push_fitting_to(&self, query: &mut QueryBuilder<Sqlite>, limits: PageLimits) {
        let blocks = bounded(limits.blocks).max(1);
        query.push("SELECT *, max(NOT fits) OVER () AS more FROM (");
        query.push("SELECT label, binding, content, received, row_number() OVER sofar = 1 ");
        query.push("OR (row_number() OVER sofar <= ").push_bind(blocks);
        query.push(" AND sum(octets) OVER sofar <= ").push_bind(bounded(limits.octets));
        query.push(") AS fits FROM (");
        self.push_to(query, Some(blocks.saturating_add(1)));
        query.push(") WINDOW sofar AS (ORDER BY label ROWS UNBOUNDED PRECEDING))");
    }
}

fn push_limit(query: &mut QueryBuilder<Sqlite>, limit: Option<i64>) {
    if let Some(limit) = limit {
        query.push(" ORDER BY label LIMIT ").push_bind(limit);
    }
}
