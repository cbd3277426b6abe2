//! Reading windows of a feed. Each call is one short read, and nothing is held behind it.

use std::collections::BTreeSet;

use bindery_core::Timestamp;
use bindery_taxii::service::{ContentFilter, Loaded, Page, PageLimits, Subject, Window};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::{bounded, divide::most_blocks, row};
use crate::sqlite::SqliteStore;

/// For how many bindings a window is put together from their own ranges; for more the window is looked through.
const RANGES: usize = 16;

/// How many blocks one page looks through.
const SCAN: i64 = 10_000;

/// How many bindings and subtypes one statement looks up: SQLite joins at most 500 queries.
const TERMS: usize = 400;

/// A window by the numbers of this file.
pub(super) struct Range {
    feed: i64,
    after: i64,
    until: i64,
    wanted: Wanted,
}

/// Which blocks are wanted.
enum Wanted {
    All,
    /// Those of a few bindings, by their numbers.
    Few(Vec<i64>),
    /// Those of many. However many these are, none but the filter's own are held.
    Many(ContentFilter),
}

impl SqliteStore {
    pub(super) async fn count_of(&self, window: &Window, most: u64) -> Loaded<u64> {
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
        range.push_rows_to(&mut query, None);
        query.push(" LIMIT ").push_bind(bounded(most)).push(")");
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
        let range = self.range_of(window, after.max(window.begin)).await?;
        let Some(mut range) = range else { return Ok(Page::default()) };
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let reach = range.keep_to_scan(&mut connection).await.map_err(failed)?;
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
        let last = blocks.last().filter(|_| more).map(|last| last.label);
        let next = last.or_else(|| reach.map(Timestamp::from_unix_micros));
        Ok(Page::new(blocks, next))
    }

    /// What a window is in this file; nothing where it has no block.
    pub(super) async fn range_of(
        &self,
        window: &Window,
        after: Option<Timestamp>,
    ) -> Loaded<Option<Range>> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        self.range(&mut connection, window, after).await.map_err(failed)
    }

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
            true => Wanted::All,
            false => wanted(connection, &window.content).await?,
        };
        if matches!(&wanted, Wanted::Few(none) if none.is_empty()) {
            return Ok(None);
        }
        let after = after.map_or(i64::MIN, Timestamp::unix_micros);
        Ok(Some(Range { feed, after, until: window.end.unix_micros(), wanted }))
    }
}

/// The bindings that are meant: by their numbers where these are few.
async fn wanted(
    connection: &mut SqliteConnection,
    filter: &ContentFilter,
) -> Result<Wanted, sqlx::Error> {
    let terms: usize = filter.ids().map(|(_, named)| named.map_or(1, BTreeSet::len)).sum();
    if terms > TERMS {
        return Ok(Wanted::Many(filter.clone()));
    }
    let mut query = QueryBuilder::<Sqlite>::new("SELECT id FROM (");
    let mut list = query.separated(" UNION ALL ");
    for (id, named) in filter.ids() {
        match named {
            None => {
                list.push("SELECT id FROM feed_binding WHERE binding = ").push_bind_unseparated(id);
            }
            Some(named) => {
                for subtype in named {
                    list.push("SELECT id FROM feed_binding WHERE binding = ");
                    list.push_bind_unseparated(id);
                    list.push_unseparated(" AND ifnull(subtype, x'') = ");
                    list.push_bind_unseparated(subtype.as_str());
                }
            }
        }
    }
    query.push(") LIMIT ").push_bind(bounded(RANGES + 1));
    let found: Vec<i64> = query.build_query_scalar().fetch_all(connection).await?;
    Ok(if found.len() > RANGES { Wanted::Many(filter.clone()) } else { Wanted::Few(found) })
}

const ROWS: &str = "SELECT label, binding, octets, content, received FROM feed_block AS b ";

impl Range {
    /// Goes on behind a label.
    pub(super) const fn begin_behind(&mut self, label: i64) {
        self.after = label;
    }

    /// Where the window has to be looked through: ends it where one page has looked enough, which is the label given
    /// back.
    async fn keep_to_scan(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<Option<i64>, sqlx::Error> {
        if !matches!(self.wanted, Wanted::Many(_)) {
            return Ok(None);
        }
        let mut query = QueryBuilder::<Sqlite>::new("SELECT label FROM feed_block WHERE feed = ");
        self.push_bounds(&mut query);
        query.push(" ORDER BY label LIMIT 1 OFFSET ").push_bind(SCAN - 1);
        let reach: Option<i64> = query.build_query_scalar().fetch_optional(connection).await?;
        let reach = reach.filter(|reach| *reach < self.until);
        self.until = reach.unwrap_or(self.until);
        Ok(reach)
    }

    /// The window's first rows, by label.
    fn push_to(&self, query: &mut QueryBuilder<Sqlite>, limit: i64) {
        self.push_rows_to(query, Some(limit));
        push_limit(query, Some(limit));
    }

    /// The window's rows, in any order; of each binding no more than the limit.
    fn push_rows_to(&self, query: &mut QueryBuilder<Sqlite>, limit: Option<i64>) {
        match &self.wanted {
            Wanted::All => {
                query.push(ROWS).push("WHERE feed = ");
                self.push_bounds(query);
            }
            Wanted::Few(bindings) => {
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
            Wanted::Many(filter) => {
                query.push(ROWS).push("WHERE feed = ");
                self.push_bounds(query);
                push_filter(query, filter);
            }
        }
    }

    fn push_bounds(&self, query: &mut QueryBuilder<Sqlite>) {
        query.push_bind(self.feed).push(" AND label > ").push_bind(self.after);
        query.push(" AND label <= ").push_bind(self.until);
    }

    /// The window's first rows, up to one more than the limit's blocks: which of them fit, and whether one does not.
    fn push_fitting_to(&self, query: &mut QueryBuilder<Sqlite>, limits: PageLimits) {
        query.push("SELECT *, max(NOT fits) OVER () AS more FROM (");
        self.push_sizes_to(query, limits);
        query.push(")");
    }

    /// The same, without whether there is more.
    pub(super) fn push_sizes_to(&self, query: &mut QueryBuilder<Sqlite>, limits: PageLimits) {
        let blocks = most_blocks(limits);
        query.push("SELECT label, binding, content, received, row_number() OVER sofar = 1 ");
        query.push("OR (row_number() OVER sofar <= ").push_bind(blocks);
        query.push(" AND sum(octets) OVER sofar <= ").push_bind(bounded(limits.octets));
        query.push(") AS fits FROM (");
        self.push_to(query, blocks.saturating_add(1));
        query.push(") WINDOW sofar AS (ORDER BY label ROWS UNBOUNDED PRECEDING)");
    }
}

/// The condition that a block's binding is one of the filter's: looked at for each block, so that it costs nothing to have
/// many bindings in the file.
fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &ContentFilter) {
    query.push(
        " AND EXISTS (SELECT 1 FROM feed_binding AS n WHERE n.id = b.binding AND (n.binding IN (",
    );
    let mut whole = query.separated(", ");
    for (id, _) in filter.ids().filter(|(_, named)| named.is_none()) {
        whole.push_bind(id);
    }
    query.push(")");
    let named = filter.ids().filter_map(|(id, named)| Some((id, named?)));
    let mut pairs = named.flat_map(|(id, named)| named.iter().map(move |one| (id, one))).peekable();
    if pairs.peek().is_some() {
        query.push(" OR (n.binding, n.subtype) IN (");
        query.push_values(pairs, |mut values, (id, subtype)| {
            values.push_bind(id).push_bind(subtype.as_str());
        });
        query.push(")");
    }
    query.push("))");
}

fn push_limit(query: &mut QueryBuilder<Sqlite>, limit: Option<i64>) {
    if let Some(limit) = limit {
        query.push(" ORDER BY label LIMIT ").push_bind(limit);
    }
}
