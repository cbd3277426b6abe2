//! Finding records: a range scan of the index that fits best, further entries looked up one by
//! one, nothing sorted.

use std::collections::BTreeSet;

use bindery_kmip::service::{Filter, StoreError, Versioned};
use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::{COLUMNS, entries, listed};
use crate::sqlite::SqliteStore;

/// How many entries of a filter SQLite compares; further ones are compared with the rows that come
/// out. Keeps statements, and how many different ones there are, within bounds.
const COMPARED: usize = 16;

/// How far the rows of an entry are counted to see which entry is the rarest.
const COUNTED: u32 = 1000;

type Entry<'a> = (&'a str, &'a [u8]);

impl SqliteStore {
    pub(super) async fn find_records(&self, filter: &Filter) -> Result<Vec<Versioned>, StoreError> {
        let failed = |error| StoreError::from(self.failed(error));
        let mut found = Vec::new();
        if filter.limit == 0 {
            return Ok(found);
        }
        let distinct = entries::distinct(&filter.entries);
        let mut entries: Vec<Entry<'_>> = distinct.into_iter().collect();
        let rest = entries.split_off(entries.len().min(COMPARED));
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        if entries.len() > 1 {
            let counts = count(&mut connection, filter, &entries).await.map_err(failed)?;
            let rarest = counts.iter().enumerate().min_by_key(|(_, count)| **count);
            match rarest {
                Some((_, 0)) => return Ok(found),
                Some((place, _)) => entries.swap(0, place),
                None => {}
            }
        }
        // SQLite can stop at the limit itself only if it compares everything.
        let limit = if rest.is_empty() { Some(filter.limit) } else { None };
        let mut query = listing(filter, &entries, limit);
        let mut rows = query.build().fetch(&mut *connection);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let versioned = listed(&row)?;
            let has: BTreeSet<Entry<'_>> = match rest.is_empty() {
                true => BTreeSet::new(),
                false => entries::distinct(&versioned.record.index),
            };
            if rest.iter().all(|entry| has.contains(entry)) {
                found.push(versioned);
            }
            if found.len() >= filter.limit {
                break;
            }
        }
        Ok(found)
    }
}

/// The statement that lists what a filter asks for: driven by the first of `entries`, or without
/// any by the objects themselves.
fn listing(filter: &Filter, entries: &[Entry<'_>], limit: Option<usize>) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(COLUMNS);
    match entries.split_first() {
        None => {
            query.push(" FROM object AS o WHERE 1");
            if let Some(owner) = &filter.owner {
                query.push(" AND o.owner = ").push_bind(owner.as_str());
            }
            if let Some(after) = &filter.after {
                query.push(" AND o.uid > ").push_bind(after.as_str());
            }
            query.push(" ORDER BY o.uid");
        }
        Some((first, others)) => {
            // CROSS JOIN: in this order, whatever SQLite believes of the sizes.
            query.push(" FROM object_index AS i CROSS JOIN object AS o WHERE o.uid = i.uid AND ");
            range(&mut query, filter, *first);
            for (name, value) in others {
                query.push(" AND EXISTS (SELECT 1 FROM object_index AS e WHERE e.name = ");
                query.push_bind(*name).push(" AND e.value = ").push_bind(*value);
                query.push(" AND e.owner = i.owner AND e.uid = i.uid)");
            }
            query.push(" ORDER BY i.uid");
        }
    }
    if let Some(limit) = limit {
        query.push(" LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
    }
    query
}

/// The part of the index that one entry of a filter stands for.
fn range(query: &mut QueryBuilder<Sqlite>, filter: &Filter, (name, value): Entry<'_>) {
    query.push("i.name = ").push_bind(name).push(" AND i.value = ").push_bind(value);
    if let Some(owner) = &filter.owner {
        query.push(" AND i.owner = ").push_bind(owner.as_str());
    }
    if let Some(after) = &filter.after {
        query.push(" AND i.uid > ").push_bind(after.as_str());
    }
}

/// How many rows of the index each entry stands for, counted up to [`COUNTED`].
async fn count(
    connection: &mut SqliteConnection,
    filter: &Filter,
    entries: &[Entry<'_>],
) -> Result<Vec<i64>, sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
    for (place, entry) in entries.iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        query.push(separator).push("(SELECT count(*) FROM (SELECT 1 FROM object_index AS i WHERE ");
        range(&mut query, filter, *entry);
        query.push(" LIMIT ").push(COUNTED).push("))");
    }
    let row = query.build().fetch_one(connection).await?;
    (0..entries.len()).map(|place| row.try_get(place)).collect()
}

#[cfg(test)]
mod tests;
