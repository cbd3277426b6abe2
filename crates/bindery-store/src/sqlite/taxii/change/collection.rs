//! Collections: made, changed, removed; blocks taken out of them.

use bindery_taxii::service::{Collection, CommitError, Offers, Subject};
use bindery_taxii_xml::CollectionType;

use crate::sqlite::taxii::{
    bounded, pack,
    step::{Stop, Tx},
};

/// How many labels one statement names.
const LABELS: usize = 512;

/// A collection as its row has it.
pub(super) struct Setting {
    one: Collection,
    grants: Vec<u8>,
    bindings: Vec<u8>,
    offers: i64,
}

impl Setting {
    pub(super) fn of(one: Collection) -> Result<Self, CommitError> {
        let unknown = CommitError::Misuse("a grant to somebody that this store does not know");
        let grants = pack::grants(&one.grants).ok_or(unknown)?;
        let Offers { poll, subscription, push, inbox, .. } = one.offers;
        Ok(Self {
            grants,
            bindings: pack::bindings(&one.content_bindings),
            offers: bounded(pack::bits(&[poll, subscription, push, inbox])),
            one,
        })
    }

    fn subject(&self) -> Subject {
        Subject::Collection(self.one.name.clone())
    }
}

macro_rules! setting {
    ($query:expr, $setting:expr) => {{
        let one = &$setting.one;
        $query
            .bind(one.name.as_str())
            .bind(one.kind == CollectionType::DataSet)
            .bind(one.description.as_str())
            .bind(one.enabled)
            .bind(one.volume.map(bounded))
            .bind($setting.offers)
            .bind(one.retention.age.map(|age| bounded(age.as_micros())))
            .bind(one.retention.blocks.map(bounded))
            .bind($setting.bindings.as_slice())
            .bind($setting.grants.as_slice())
    }};
}

impl Tx<'_> {
    pub(super) async fn insert_collection(&mut self, one: &Setting, now: i64) -> Result<(), Stop> {
        // Where one of this name was removed, labels go on behind those that it gave.
        let sql = "INSERT INTO feed (name, data_set, description, enabled, volume, offers, keep_micros, keep_blocks, \
                   bindings, grants, version, blocks, mark) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, 0, \
                   max(?11, ifnull((SELECT max(mark) FROM feed WHERE removed = ?1), ?11))) \
                   ON CONFLICT DO NOTHING";
        self.execute_one(setting!(sqlx::query(sql), one).bind(now), || one.subject()).await
    }

    pub(super) async fn replace_collection(
        &mut self,
        one: &Setting,
        expected: i64,
    ) -> Result<(), Stop> {
        let sql = "UPDATE feed SET data_set = ?2, description = ?3, enabled = ?4, volume = ?5, offers = ?6, \
                   keep_micros = ?7, keep_blocks = ?8, bindings = ?9, grants = ?10, version = version + 1 \
                   WHERE name = ?1 AND version = ?11";
        self.execute_one(setting!(sqlx::query(sql), one).bind(expected), || one.subject()).await
    }

    pub(super) async fn remove_collection(
        &mut self,
        name: &str,
        expected: i64,
    ) -> Result<(), Stop> {
        let (feed, _) = self.feed(name).await?;
        let sql = "UPDATE feed SET removed = name, name = NULL WHERE id = ? AND version = ?";
        let query = sqlx::query(sql).bind(feed).bind(expected);
        self.execute_one(query, || Subject::Collection(name.to_owned())).await?;
        for sql in [
            "DELETE FROM feed_outbox WHERE kind = 0 AND given_up IS NULL \
             AND target IN (SELECT id FROM feed_subscription WHERE feed = ?)",
            "DELETE FROM feed_subscription WHERE feed = ?",
            "DELETE FROM feed_outbox WHERE kind IN (1, 2) AND given_up IS NULL \
             AND target IN (SELECT id FROM feed_result WHERE feed = ?)",
            // They cannot be loaded any more. Their parts may be many, and go with the upkeep.
            "UPDATE feed_result SET expires = 0 WHERE feed = ?",
        ] {
            self.execute(sqlx::query(sql).bind(feed)).await?;
        }
        Ok(())
    }

    pub(super) async fn raise_mark(&mut self, name: &str, to: i64) -> Result<(), Stop> {
        let sql = "UPDATE feed SET mark = max(mark, ?) WHERE name = ?";
        let subject = || Subject::Collection(name.to_owned());
        self.execute_one(sqlx::query(sql).bind(to).bind(name), subject).await
    }

    pub(super) async fn remove_blocks(&mut self, name: &str, labels: &[i64]) -> Result<(), Stop> {
        let (feed, _) = self.feed(name).await?;
        for chunk in labels.chunks(LABELS) {
            let list: Vec<String> = chunk.iter().map(i64::to_string).collect();
            self.forget(feed, &Which::Labels(format!("[{}]", list.join(",")))).await?;
        }
        Ok(())
    }

    /// Takes blocks out of a collection, and contents that nobody else has; how many.
    pub(in crate::sqlite::taxii) async fn forget(
        &mut self,
        feed: i64,
        which: &Which,
    ) -> Result<u64, Stop> {
        let chosen = match which {
            Which::Labels(_) => "AND label IN (SELECT value FROM json_each(?2))",
            Which::First(_) => {
                "AND label IN (SELECT label FROM feed_block WHERE feed = ?1 ORDER BY label LIMIT ?2)"
            }
            Which::Received(..) => {
                "AND received <= ?3 AND label IN \
                 (SELECT label FROM feed_block WHERE feed = ?1 ORDER BY label LIMIT ?2)"
            }
        };
        let mut removed = 0;
        for (what, close) in [
            (
                "DELETE FROM feed_content WHERE uses = 1 AND id IN (SELECT content FROM feed_block WHERE feed = ?1 ",
                ")",
            ),
            (
                "UPDATE feed_content SET uses = uses - 1 WHERE id IN (SELECT content FROM feed_block WHERE feed = ?1 ",
                ")",
            ),
            (
                "UPDATE feed_binding AS n SET uses = n.uses - gone.blocks FROM \
                 (SELECT binding, count(*) AS blocks FROM feed_block WHERE feed = ?1 ",
                " GROUP BY binding) AS gone WHERE n.id = gone.binding",
            ),
            ("DELETE FROM feed_block WHERE feed = ?1 ", ""),
        ] {
            let sql = sqlx::AssertSqlSafe(format!("{what}{chosen}{close}"));
            let query = sqlx::query(sql).bind(feed);
            removed = self
                .execute(match which {
                    Which::Labels(list) => query.bind(list.as_str()),
                    Which::First(count) => query.bind(*count),
                    Which::Received(count, until) => query.bind(*count).bind(*until),
                })
                .await?;
        }
        let sql = "UPDATE feed SET blocks = blocks - ? WHERE id = ?";
        self.execute(sqlx::query(sql).bind(bounded(removed)).bind(feed)).await?;
        Ok(removed)
    }
}

/// Which blocks go.
pub(in crate::sqlite::taxii) enum Which {
    /// These, as a JSON list.
    Labels(String),
    /// So many, the first ones.
    First(i64),
    /// Of so many, the first ones, those that were received by then.
    Received(i64, i64),
}
