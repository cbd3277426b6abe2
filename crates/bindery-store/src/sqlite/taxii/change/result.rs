//! Result sets and their parts.

use bindery_core::{Principal, Timestamp};
use bindery_taxii::service::{CommitError, ResultPart, ResultSet, ResultState, Subject};
use bindery_taxii_xml::ResponseType;

use crate::sqlite::taxii::{
    bounded, pack,
    step::{Stop, Tx},
};

/// A result set as its row has it.
pub(super) struct Row {
    one: ResultSet,
    state: i64,
    failure: Option<String>,
    bindings: Vec<u8>,
    query: Option<Vec<u8>>,
    push: Option<Vec<u8>>,
}

impl Row {
    pub(super) fn of(one: ResultSet) -> Result<Self, CommitError> {
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
            one,
        })
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
    }};
}

impl Tx<'_> {
    pub(super) async fn insert_result(&mut self, row: &Row, now: i64) -> Result<(), Stop> {
        let (feed, _) = self.feed(&row.one.window.collection).await?;
        let sql = "INSERT INTO feed_result (id, feed, owner, created, expires, begin_label, end_label, state, failure, \
                   counts, subscription, bindings, query, push, version) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING";
        self.execute_one(row!(sqlx::query(sql), row, feed), || row.subject()).await?;
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
                   push = ?14, version = version + 1 WHERE id = ?1 AND feed = ?2 AND version = ?15";
        let query = row!(sqlx::query(sql), row, feed).bind(expected);
        self.execute_one(query, || row.subject()).await?;
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

    pub(super) async fn insert_part(
        &mut self,
        result: &str,
        part: &ResultPart,
    ) -> Result<(), Stop> {
        let sql = "INSERT INTO feed_part (result, number, begin_label, end_label, blocks, more) \
                   SELECT ?1, ?2, ?3, ?4, ?5, ?6 FROM feed_result WHERE id = ?1 \
                   AND ?2 = 1 + ifnull((SELECT max(number) FROM feed_part WHERE result = ?1), 0)";
        let query = sqlx::query(sql)
            .bind(result)
            .bind(bounded(part.number))
            .bind(part.begin.map(Timestamp::unix_micros))
            .bind(part.end.unix_micros())
            .bind(bounded(part.blocks))
            .bind(part.more);
        self.execute_one(query, || Subject::ResultPart(result.to_owned())).await
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
