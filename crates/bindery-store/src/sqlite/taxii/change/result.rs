//! Result sets and their parts.

use bindery_core::{Principal, Timestamp};
use bindery_taxii::service::{
    CommitError, ResultLimits, ResultPart, ResultSet, ResultState, Subject,
};
use bindery_taxii_xml::ResponseType;
use sqlx::{QueryBuilder, Sqlite};

use crate::sqlite::taxii::{
    bounded, pack,
    step::{Stop, Tx},
};

/// How many parts one statement writes.
const PARTS: usize = 128;

/// How many result sets at most make room for a new one: a limit that was lowered is come to by and by.
const OLD: i64 = 2;

/// A result set as its row has it.
pub(super) struct Row {
    one: ResultSet,
    state: i64,
    failure: Option<String>,
    bindings: Vec<u8>,
    query: Option<Vec<u8>>,
    push: Option<Vec<u8>>,
    parts: Vec<ResultPart>,
}

impl Row {
    pub(super) fn of(one: ResultSet, parts: Vec<ResultPart>) -> Result<Self, CommitError> {
        if (1..).zip(&parts).any(|(number, part)| part.number != number) {
            return Err(CommitError::Misuse("the parts of a result are not numbered from 1 on"));
        }
        let (state, failure) = match &one.state {
            ResultState::Ready => (0, None),
            ResultState::Pending => (1, None),
            ResultState::Failed(reason) => (2, Some(reason.clone())),
            _ => return Err(CommitError::Misuse("a state that this store does not know")),
        };
        Ok(Self {
            state,
            failure,
            bindings: pack::bindings(one.window.content.bindings()),
            query: one.query.as_ref().map(pack::query),
            push: one.push.as_ref().map(pack::push),
            parts,
            one,
        })
    }

    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    fn subject(&self) -> Subject {
        Subject::ResultSet(self.one.id.clone())
    }
}

macro_rules! row {
    ($query:expr, $row:expr, $feed:expr) => {{
        let one = &$row.one;
        $query
            .bind(one.id.as_str())
            .bind($feed)
            .bind(one.owner.as_ref().map(Principal::as_str))
            .bind(one.created.unix_micros())
            .bind(one.expires.unix_micros())
            .bind(one.window.begin.map(Timestamp::unix_micros))
            .bind(one.window.end.unix_micros())
            .bind($row.state)
            .bind($row.failure.as_deref())
            .bind(one.response_type == ResponseType::CountOnly)
            .bind(one.subscription.as_deref())
            .bind($row.bindings.as_slice())
            .bind($row.query.as_deref())
            .bind($row.push.as_deref())
            .bind(one.blocks.map(bounded))
            .bind(bounded(one.parts))
    }};
}

impl Tx<'_> {
    pub(super) async fn insert_result(
        &mut self,
        row: &Row,
        limits: ResultLimits,
        now: i64,
    ) -> Result<(), Stop> {
        let (feed, _) = self.feed(&row.one.window.collection).await?;
        self.make_room_for_result(row, limits).await?;
        let sql = "INSERT INTO feed_result (id, feed, owner, created, expires, begin_label, end_label, state, failure, \
                   counts, subscription, bindings, query, push, blocks, parts, version) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING";
        self.execute_one(row!(sqlx::query(sql), row, feed), || row.subject()).await?;
        self.put_parts(row).await?;
        self.send_result(row, now).await
    }

    pub(super) async fn replace_result(
        &mut self,
        row: &Row,
        expected: i64,
        now: i64,
    ) -> Result<(), Stop> {
        let (feed, _) = self.feed(&row.one.window.collection).await?;
        let sql = "UPDATE feed_result SET owner = ?3, created = ?4, expires = ?5, begin_label = ?6, end_label = ?7, \
                   state = ?8, failure = ?9, counts = ?10, subscription = ?11, bindings = ?12, query = ?13, \
                   push = ?14, blocks = ?15, parts = ?16, version = version + 1 \
                   WHERE id = ?1 AND feed = ?2 AND version = ?17";
        let query = row!(sqlx::query(sql), row, feed).bind(expected);
        self.execute_one(query, || row.subject()).await?;
        let sql = "DELETE FROM feed_part WHERE result = ?";
        self.execute(sqlx::query(sql).bind(row.one.id.as_str())).await?;
        self.put_parts(row).await?;
        self.send_result(row, now).await
    }

    /// Puts into the outbox what a result needs: work on it, or its push.
    async fn send_result(&mut self, row: &Row, now: i64) -> Result<(), Stop> {
        let kind: i64 = match &row.one.state {
            ResultState::Pending => 2,
            ResultState::Ready if row.one.push.is_some() => 1,
            _ => return Ok(()),
        };
        let sql = "INSERT INTO feed_outbox (kind, target, progress, due, lease, attempts, since) \
                   VALUES (?1, ?2, 0, ?3, 0, 0, ?3) ON CONFLICT DO NOTHING";
        let query = sqlx::query(sql).bind(kind).bind(row.one.id.as_str()).bind(now);
        self.execute(query).await.map(|_| ())
    }

    /// The owner's oldest result sets make room for one more.
    async fn make_room_for_result(&mut self, row: &Row, limits: ResultLimits) -> Result<(), Stop> {
        let sql = "SELECT id FROM feed_result WHERE ifnull(owner, x'') = ifnull(?1, x'') \
                   ORDER BY created DESC, id DESC LIMIT ?3 OFFSET ?2";
        let old: Vec<String> = sqlx::query_scalar(sql)
            .bind(row.one.owner.as_ref().map(Principal::as_str))
            .bind(bounded(limits.of_owner.max(1) - 1))
            .bind(OLD)
            .fetch_all(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        for id in &old {
            self.remove_result(id).await?;
        }
        let most = limits.in_all.max(1);
        let sql = "SELECT count(*) FROM (SELECT 1 FROM feed_result LIMIT ?)";
        let there: i64 = sqlx::query_scalar(sql)
            .bind(bounded(most))
            .fetch_one(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        match there >= bounded(most) {
            true => Err(Stop::Limit("result sets", most)),
            false => Ok(()),
        }
    }

    async fn put_parts(&mut self, row: &Row) -> Result<(), Stop> {
        let id = row.one.id.as_str();
        for chunk in row.parts.chunks(PARTS) {
            let sql =
                "INSERT INTO feed_part (result, number, begin_label, end_label, blocks, more) ";
            let mut query = QueryBuilder::<Sqlite>::new(sql);
            query.push_values(chunk, |mut values, part| {
                values.push_bind(id).push_bind(bounded(part.number));
                values.push_bind(part.begin.map(Timestamp::unix_micros));
                values.push_bind(part.end.unix_micros());
                values.push_bind(bounded(part.blocks)).push_bind(part.more);
            });
            let done = query.build().execute(&mut *self.connection).await;
            done.map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    pub(super) async fn remove_result(&mut self, id: &str) -> Result<(), Stop> {
        for sql in [
            "DELETE FROM feed_outbox WHERE kind IN (1, 2) AND target = ? AND given_up IS NULL",
            "DELETE FROM feed_part WHERE result = ?",
            "DELETE FROM feed_result WHERE id = ?",
        ] {
            self.execute(sqlx::query(sql).bind(id)).await?;
        }
        Ok(())
    }
}
