//! Windows cut into parts, by the small rows alone.

use bindery_core::Timestamp;
use bindery_taxii::service::{Loaded, PageLimits, ResultPart, Window};
use sqlx::{QueryBuilder, Sqlite};

use super::{bounded, page::Range};
use crate::sqlite::SqliteStore;

impl SqliteStore {
    pub(super) async fn divided(
        &self,
        window: &Window,
        limits: PageLimits,
        most: usize,
    ) -> Loaded<Vec<ResultPart>> {
        let empty = ResultPart::new(1, window.begin, window.end, 0, false);
        let Some(mut range) = self.range_of(window, window.begin).await? else {
            return Ok(vec![empty]);
        };
        let mut parts: Vec<ResultPart> = Vec::new();
        let (mut begin, mut number) = (window.begin, 1);
        loop {
            // Each look is a short read of its own, and a connection is not held between them.
            let (blocks, last) = self.first_part(&range, limits).await?;
            let more = last.is_some();
            let end = last.map_or(window.end, Timestamp::from_unix_micros);
            parts.push(ResultPart::new(number, begin, end, blocks, more));
            let Some(last) = last.filter(|_| parts.len() < most.max(1)) else { return Ok(parts) };
            range.begin_behind(last);
            (begin, number) = (Some(end), number.saturating_add(1));
        }
    }

    /// How many blocks fit, and the last one's label where others follow.
    async fn first_part(&self, range: &Range, limits: PageLimits) -> Loaded<(u64, Option<i64>)> {
        let failed = |error| self.unread(error);
        let mut connection = self.inner.readers.acquire().await.map_err(failed)?;
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT ifnull(sum(fits), 0), max(iif(fits, label, NULL)), ifnull(sum(NOT fits), 0) FROM (",
        );
        range.push_sizes_to(&mut query, limits);
        query.push(")");
        let found: (i64, Option<i64>, i64) =
            query.build_query_as().fetch_one(&mut *connection).await.map_err(failed)?;
        let (blocks, last, behind) = found;
        Ok((u64::try_from(blocks).unwrap_or_default(), last.filter(|_| behind > 0)))
    }
}

/// A limit as SQLite counts: one block at least.
pub(super) fn most_blocks(limits: PageLimits) -> i64 {
    bounded(limits.blocks).max(1)
}
