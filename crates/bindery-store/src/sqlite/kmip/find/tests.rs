use bindery_core::Principal;
use bindery_kmip::service::{Change, IndexEntry, KeyStore, Record};

use super::*;
use crate::{Kek, SqliteOptions};

/// How SQLite goes about a listing.
async fn plan(store: &SqliteStore, filter: &Filter) -> Vec<String> {
    let distinct: Vec<_> = entries::distinct(&filter.entries).into_iter().collect();
    let statement = listing(filter, &distinct, Some(filter.limit)).into_string();
    let mut query = QueryBuilder::<Sqlite>::new("EXPLAIN QUERY PLAN ");
    query.push(statement);
    let mut connection = store.inner.readers.acquire().await.unwrap();
    let rows = query.build().fetch_all(&mut *connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail")).collect()
}

#[tokio::test]
async fn listings_are_range_scans_and_sort_nothing() {
    let options = SqliteOptions::temporary(Kek::generate().unwrap());
    let store = SqliteStore::open(options).await.unwrap();
    let owner = Principal::new("alice");
    let changes = (0..500_u16).map(|number| {
        let mut record =
            Record::new(format!("{number:04}"), owner.clone(), bindery_core::Timestamp::UNIX_EPOCH);
        record.index = vec![IndexEntry::new("State", number.to_be_bytes()[1..].to_vec())];
        Change::Insert(record)
    });
    store.commit(changes.collect()).await.unwrap();
    let entries = [IndexEntry::new("Name", vec![1]), IndexEntry::new("State", vec![1])];
    for owner in [Some(owner), None] {
        for after in [None, Some("0100".to_owned())] {
            for entries in [&entries[..0], &entries[..1], &entries] {
                let mut filter = Filter::owned_by(Principal::new(""), 10);
                filter.owner = owner.clone();
                filter.after = after.clone();
                filter.entries = entries.to_vec();
                let plan = plan(&store, &filter).await;
                let text = plan.join("\n");
                assert!(!text.contains("TEMP B-TREE"), "{filter:?} sorts:\n{text}");
                let everything = entries.is_empty() && filter.owner.is_none();
                // Everybody's records from the beginning are the only scan of a table there is.
                if !(everything && after.is_none()) {
                    assert!(!text.contains("SCAN"), "{filter:?} scans:\n{text}");
                }
                let first = plan.first().unwrap();
                let position = if after.is_some() { "uid>?" } else { "" };
                assert!(first.contains(position), "{filter:?} reads earlier pages again:\n{text}");
                if !entries.is_empty() {
                    let owned = if filter.owner.is_some() { " AND owner=?" } else { "" };
                    let range = format!("(name=? AND value=?{owned}");
                    assert!(first.contains(&range), "{filter:?}:\n{text}");
                    let joined = plan.get(1).unwrap();
                    assert!(joined.contains("SEARCH o USING PRIMARY KEY (uid=?)"), "{text}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_rarest_entry_leads() {
    let options = SqliteOptions::temporary(Kek::generate().unwrap());
    let store = SqliteStore::open(options).await.unwrap();
    let changes = (0..2000).map(|number| {
        let time = bindery_core::Timestamp::UNIX_EPOCH;
        let mut record = Record::new(format!("{number:04}"), Principal::new("alice"), time);
        record.index = vec![IndexEntry::new("State", vec![1])];
        if number % 1000 == 7 {
            record.index.push(IndexEntry::new("Name", vec![2]));
        }
        Change::Insert(record)
    });
    store.commit(changes.collect()).await.unwrap();
    let mut filter = Filter::owned_by(Principal::new("alice"), 10);
    let entries: [Entry<'_>; 3] = [("State", &[1]), ("Name", &[2]), ("Name", &[3])];
    let mut connection = store.inner.readers.acquire().await.unwrap();
    let counts = count(&mut connection, &filter, &entries).await.unwrap();
    assert_eq!(counts, [1000, 2, 0]);
    filter.after = Some("0007".to_owned());
    let counts = count(&mut connection, &filter, &entries).await.unwrap();
    assert_eq!(counts, [1000, 1, 0]);
}
