//! Loading what is small.

use std::collections::BTreeMap;

use bindery_core::Principal;
use bindery_taxii::service::{
    CollectionState, FeedStoreError, Loaded, ResultPart, ResultSet, Subject, Subscription,
    SubscriptionFilter, Versioned,
};
use sqlx::{AssertSqlSafe, QueryBuilder, Row, Sqlite};

use super::{bounded, row};
use crate::sqlite::SqliteStore;

/// How many collections one statement loads.
const LOAD: usize = 64;

impl SqliteStore {
    pub(super) async fn collections(
        &self,
        names: &[String],
    ) -> Loaded<Vec<Option<CollectionState>>> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let mut found = BTreeMap::new();
        for chunk in names.chunks(LOAD) {
            let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
            query.push(row::COLLECTION).push(" FROM feed WHERE name IN (");
            let mut list = query.separated(", ");
            for name in chunk {
                list.push_bind(name.as_str());
            }
            query.push(")");
            for row in query.build().fetch_all(&mut *connection).await.map_err(failed)? {
                let state = read_collection(&row)?;
                found.insert(state.collection.name.clone(), state);
            }
        }
        Ok(names.iter().map(|name| found.get(name).cloned()).collect())
    }

    pub(super) async fn all_collections(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Loaded<Vec<CollectionState>> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
        query.push(row::COLLECTION).push(" FROM feed WHERE name IS NOT NULL");
        if let Some(after) = after {
            query.push(" AND name > ").push_bind(after);
        }
        query.push(" ORDER BY name LIMIT ").push_bind(bounded(limit));
        let rows = query.build().fetch_all(&mut *connection).await.map_err(failed)?;
        rows.iter().map(read_collection).collect()
    }

    pub(super) async fn subscription(&self, id: &str) -> Loaded<Option<Versioned<Subscription>>> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let sql = format!(
            "SELECT {} FROM feed_subscription AS s JOIN feed AS f ON f.id = s.feed WHERE s.id = ?",
            row::SUBSCRIPTION
        );
        let found = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(&mut *connection).await;
        found.map_err(failed)?.map(|found| read_subscription(&found)).transpose()
    }

    pub(super) async fn subscriptions(
        &self,
        filter: &SubscriptionFilter,
    ) -> Loaded<Vec<Versioned<Subscription>>> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
        query.push(row::SUBSCRIPTION);
        query.push(" FROM feed_subscription AS s");
        if filter.owner.is_some() {
            // An owner has few, a collection may have very many.
            query.push(" INDEXED BY feed_subscription_by_owner");
        }
        query.push(" JOIN feed AS f ON f.id = s.feed WHERE 1");
        if let Some(collection) = &filter.collection {
            query.push(" AND s.feed = (SELECT id FROM feed WHERE name = ");
            query.push_bind(collection.as_str()).push(")");
        }
        if let Some(owner) = &filter.owner {
            query.push(" AND ifnull(s.owner, x'') = ifnull(");
            query.push_bind(owner.as_ref().map(Principal::as_str)).push(", x'')");
        }
        if !filter.ended {
            query.push(" AND s.status <> 2");
        }
        if let Some(after) = &filter.after {
            query.push(" AND s.id > ").push_bind(after.as_str());
        }
        query.push(" ORDER BY s.id LIMIT ").push_bind(bounded(filter.limit));
        let rows = query.build().fetch_all(&mut *connection).await.map_err(failed)?;
        rows.iter().map(read_subscription).collect()
    }

    pub(super) async fn result(&self, id: &str) -> Loaded<Option<Versioned<ResultSet>>> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let sql = format!(
            "SELECT {} FROM feed_result AS r JOIN feed AS f ON f.id = r.feed WHERE r.id = ? AND f.name IS NOT NULL",
            row::RESULT
        );
        let found = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(&mut *connection).await;
        let damaged = |reason| row::damaged(Subject::ResultSet(id.to_owned()), &reason);
        found.map_err(failed)?.map(|found| row::result(&found).map_err(damaged)).transpose()
    }

    pub(super) async fn parts(
        &self,
        result: &str,
        from: u64,
        limit: usize,
    ) -> Loaded<Vec<ResultPart>> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let sql = format!(
            "SELECT {} FROM feed_part WHERE result = ? AND number >= ? AND EXISTS (SELECT 1 FROM feed_result AS r \
             JOIN feed AS f ON f.id = r.feed WHERE r.id = result AND f.name IS NOT NULL) ORDER BY number LIMIT ?",
            row::PART
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(result)
            .bind(bounded(from))
            .bind(bounded(limit))
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
        let damaged = |reason| row::damaged(Subject::ResultPart(result.to_owned()), &reason);
        rows.iter().map(|found| row::part(found).map_err(damaged)).collect()
    }
}

fn read_collection(found: &sqlx::sqlite::SqliteRow) -> Result<CollectionState, FeedStoreError> {
    row::collection(found).map_err(|reason| {
        row::damaged(Subject::Collection(found.try_get(0).unwrap_or_default()), &reason)
    })
}

fn read_subscription(
    found: &sqlx::sqlite::SqliteRow,
) -> Result<Versioned<Subscription>, FeedStoreError> {
    row::subscription(found).map_err(|reason| {
        row::damaged(Subject::Subscription(found.try_get(0).unwrap_or_default()), &reason)
    })
}
