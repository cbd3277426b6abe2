//! Blocks of a large message, kept in the file before the message is whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use bindery_taxii::service::Subject;
use futures_util::future::BoxFuture;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{Placed, Staged};
use crate::sqlite::{
    SqliteError,
    taxii::{
        bounded, pack,
        step::{Step, Stop, Tx},
    },
    writer::{Rejection, Work},
};

/// How many rows one statement writes.
pub(super) const ROWS: usize = 32;

/// Stages blocks.
pub(super) struct Stage {
    /// What was staged before.
    pub(super) staged: Staged,
    /// Whether nothing was.
    pub(super) first: bool,
    pub(super) received: i64,
    pub(super) octets: usize,
    pub(super) held: Vec<Placed>,
}

impl Step for Stage {
    type Output = ();

    fn run<'a>(&'a self, tx: &'a mut Tx<'_>) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move {
            let sql = match self.first {
                true => "INSERT INTO feed_insertion (id, received) VALUES (?, ?)",
                // It may have taken too long, and have been cleared away.
                false => {
                    "UPDATE feed_insertion SET received = received WHERE id = ? AND received = ?"
                }
            };
            let done = sqlx::query(sql)
                .bind(self.staged.id)
                .bind(self.received)
                .execute(&mut *tx.connection)
                .await
                .map_err(|error| tx.failed(error))?;
            if done.rows_affected() == 0 {
                return Err(Stop::Conflict(Subject::Insertion));
            }
            let rows = tx.add_contents(&self.held).await?;
            for (chunk, from) in rows.chunks(ROWS).zip((0..).step_by(ROWS)) {
                let sql = "INSERT INTO feed_staged \
                           (insertion, destination, position, binding, octets, content) ";
                let mut query = QueryBuilder::<Sqlite>::new(sql);
                let places = chunk.iter().zip(from..).flat_map(|(row, place)| {
                    row.to.iter().map(move |to| (row, *to, self.staged.blocks + place))
                });
                query.push_values(places, |mut values, (row, to, place)| {
                    values.push_bind(self.staged.id).push_bind(bounded(to)).push_bind(place);
                    values.push_bind(row.binding).push_bind(row.octets).push_bind(row.content);
                });
                let done = query.build().execute(&mut *tx.connection).await;
                done.map_err(|error| tx.failed(error))?;
            }
            Ok(())
        })
    }

    fn bytes(&self) -> usize {
        self.octets
    }
}

/// A block as its rows name it.
pub(super) struct Row<'a> {
    pub(super) binding: i64,
    pub(super) octets: i64,
    pub(super) content: i64,
    pub(super) to: &'a BTreeSet<usize>,
}

impl Tx<'_> {
    /// Writes contents side by side.
    pub(super) async fn add_contents<'a>(
        &mut self,
        held: &'a [Placed],
    ) -> Result<Vec<Row<'a>>, Stop> {
        let last: i64 = sqlx::query_scalar("SELECT ifnull(max(id), 0) FROM feed_content")
            .fetch_one(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        let mut uses = BTreeMap::new();
        for Placed { block, to } in held {
            let key = (block.binding.as_str(), block.subtype.as_deref());
            *uses.entry(key).or_insert(0) += to.len();
        }
        let mut bindings = BTreeMap::new();
        for (key, uses) in uses {
            bindings.insert(key, self.binding(key, uses).await?);
        }
        let mut rows = Vec::with_capacity(held.len());
        let mut content = last;
        for chunk in held.chunks(ROWS) {
            let sql = "INSERT INTO feed_content (id, uses, rest, raw) ";
            let mut query = QueryBuilder::<Sqlite>::new(sql);
            query.push_values(chunk, |mut values, Placed { block, to }| {
                content += 1;
                values.push_bind(content).push_bind(bounded(to.len()));
                values.push_bind(pack::rest(block)).push_bind(block.content.raw.as_str());
                let key = (block.binding.as_str(), block.subtype.as_deref());
                let binding = bindings.get(&key).copied().unwrap_or_default();
                rows.push(Row { binding, octets: bounded(block.octets()), content, to });
            });
            let done = query.build().execute(&mut *self.connection).await;
            done.map_err(|error| self.failed(error))?;
        }
        Ok(rows)
    }

    /// The number of a binding that so many more rows name.
    async fn binding(
        &mut self,
        (binding, subtype): (&str, Option<&str>),
        uses: usize,
    ) -> Result<i64, Stop> {
        let sql = "INSERT INTO feed_binding (binding, subtype, uses) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (binding, ifnull(subtype, x'')) DO UPDATE SET uses = uses + ?3 RETURNING id";
        let id = sqlx::query_scalar(sql).bind(binding).bind(subtype).bind(bounded(uses));
        id.fetch_one(&mut *self.connection).await.map_err(|error| self.failed(error))
    }
}

/// Takes away what was staged of a message that does not come.
pub(super) struct Abandon {
    pub(super) insertion: i64,
}

impl Work for Abandon {
    fn apply<'a>(
        &'a self,
        connection: &'a mut SqliteConnection,
        path: &'a Path,
    ) -> BoxFuture<'a, Result<(), Rejection>> {
        Box::pin(async move { Ok(remove_staged(connection, self.insertion, path).await?) })
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// Takes a staged message away, with its contents.
pub(super) async fn remove_staged(
    connection: &mut SqliteConnection,
    insertion: i64,
    path: &Path,
) -> Result<(), SqliteError> {
    for sql in [
        "DELETE FROM feed_content WHERE id IN (SELECT content FROM feed_staged WHERE insertion = ?)",
        "UPDATE feed_binding AS n SET uses = n.uses - gone.blocks FROM (SELECT binding, count(*) AS blocks \
         FROM feed_staged WHERE insertion = ? GROUP BY binding) AS gone WHERE n.id = gone.binding",
        "DELETE FROM feed_staged WHERE insertion = ?",
        "DELETE FROM feed_insertion WHERE id = ?",
    ] {
        let done = sqlx::query(sql).bind(insertion).execute(&mut *connection).await;
        done.map_err(|error| SqliteError::from_sqlx(path, error))?;
    }
    Ok(())
}
