//! Changes of queues, histories and large objects.

use std::num::NonZeroU32;

use bindery_omadm::service::{NewCommand, Progress, ResultEntry};
use sqlx::Row;

use super::{
    PIECE,
    change::{Tables, full},
    conflict_command, conflict_session, row, signed,
};
use crate::sqlite::writer::{Declined, Rejection};

impl Tables<'_> {
    pub(super) async fn keep_sessions(
        &mut self,
        device: &str,
        authenticated: bool,
        newest: u32,
    ) -> Result<(), Rejection> {
        let sql = "DELETE FROM dm_session WHERE number IN \
                   (SELECT number FROM dm_session WHERE device = ? AND authenticated = ? \
                    ORDER BY touched DESC, session_id LIMIT -1 OFFSET ?)";
        sqlx::query(sql)
            .bind(device)
            .bind(authenticated)
            .bind(i64::from(newest))
            .execute(&mut *self.connection)
            .await
            .map(|_| ())
            .map_err(|error| self.failed(error))
    }

    pub(super) async fn append_object(
        &mut self,
        device: &str,
        session_id: &str,
        octets: &[u8],
        at_most: u64,
    ) -> Result<(), Rejection> {
        let sql = "SELECT number, object_len FROM dm_session WHERE device = ? AND session_id = ?";
        let found = sqlx::query(sql)
            .bind(device)
            .bind(session_id)
            .fetch_optional(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?
            .ok_or_else(|| conflict_session(device, session_id))?;
        let number: i64 = found.try_get(0).map_err(|error| self.failed(error))?;
        let at: i64 = found.try_get(1).map_err(|error| self.failed(error))?;
        let length = at.saturating_add(signed(octets.len() as u64));
        if length > signed(at_most) {
            return Err(full(device, "the octets of the large object", at_most));
        }
        if octets.is_empty() {
            return Ok(());
        }
        sqlx::query("INSERT INTO dm_object (session, at, octets) VALUES (?, ?, ?)")
            .bind(number)
            .bind(at)
            .bind(octets)
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        sqlx::query("UPDATE dm_session SET object_len = ? WHERE number = ?")
            .bind(length)
            .bind(number)
            .execute(&mut *self.connection)
            .await
            .map(|_| ())
            .map_err(|error| self.failed(error))
    }

    pub(super) async fn clear_object(
        &mut self,
        device: &str,
        session_id: &str,
    ) -> Result<(), Rejection> {
        let pieces = "DELETE FROM dm_object WHERE session = \
                      (SELECT number FROM dm_session WHERE device = ? AND session_id = ?)";
        let length = "UPDATE dm_session SET object_len = 0 WHERE device = ? AND session_id = ?";
        for sql in [pieces, length] {
            sqlx::query(sql)
                .bind(device)
                .bind(session_id)
                .execute(&mut *self.connection)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    pub(super) async fn enqueue(
        &mut self,
        command: &NewCommand,
        at_most: u32,
    ) -> Result<(), Rejection> {
        self.check_queue(command, at_most).await?;
        let sql = "INSERT INTO dm_command (id, device, key, version, queued, state, changed, \
                   attempts, data_len, body) VALUES (?, ?, ?, ?, ?, 0, ?, 0, ?, ?) \
                   ON CONFLICT DO NOTHING RETURNING position";
        let position: Option<i64> = sqlx::query_scalar(sql)
            .bind(command.id.as_str())
            .bind(command.device.as_str())
            .bind(command.key.as_deref())
            .bind(self.version)
            .bind(command.queued.unix_micros())
            .bind(command.queued.unix_micros())
            .bind(signed(command.data.len() as u64))
            .bind(&*command.body)
            .fetch_optional(&mut *self.connection)
            .await
            .map_err(|error| self.orphan(error, &command.device))?;
        let position = position.ok_or_else(|| conflict_command(&command.id))?;
        for (piece, octets) in command.data.chunks(PIECE).enumerate() {
            sqlx::query("INSERT INTO dm_data (command, piece, octets) VALUES (?, ?, ?)")
                .bind(position)
                .bind(signed(piece as u64))
                .bind(octets)
                .execute(&mut *self.connection)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Whether the queue takes the command: nothing open has its key, and there is room.
    async fn check_queue(&mut self, command: &NewCommand, at_most: u32) -> Result<(), Rejection> {
        let sql = "SELECT (SELECT id FROM dm_command \
                           WHERE device = ?1 AND key = ?2 AND state < 2 AND key IS NOT NULL), \
                   (SELECT count(*) FROM dm_command WHERE device = ?1 AND state < 2)";
        let found = sqlx::query(sql)
            .bind(command.device.as_str())
            .bind(command.key.as_deref())
            .fetch_one(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        let same: Option<String> = found.try_get(0).map_err(|error| self.failed(error))?;
        if let Some(id) = same {
            return Err(Rejection::Declined(Declined::Duplicate { id }));
        }
        let open: i64 = found.try_get(1).map_err(|error| self.failed(error))?;
        if open >= i64::from(at_most) {
            return Err(full(&command.device, "the open commands", at_most.into()));
        }
        Ok(())
    }

    pub(super) async fn progress(
        &mut self,
        id: &str,
        expected: u64,
        progress: &Progress,
    ) -> Result<(), Rejection> {
        let sql = "UPDATE dm_command SET version = ?, state = ?, changed = ?, attempts = ?, \
                   sent_session = ?, sent_msg = ?, sent_cmd = ?, status = ?, explanation = ? \
                   WHERE id = ? AND version = ? AND (state < 2 OR NOT ?)";
        let sent = progress.sent.as_ref();
        let done = sqlx::query(sql)
            .bind(self.version)
            .bind(row::state_number(progress.state))
            .bind(progress.changed.unix_micros())
            .bind(i64::from(progress.attempts))
            .bind(sent.map(|sent| sent.session_id.as_str()))
            .bind(sent.map(|sent| i64::from(sent.msg_id)))
            .bind(sent.map(|sent| i64::from(sent.cmd_id)))
            .bind(progress.status.map(|status| i64::from(status.0)))
            .bind(progress.explanation.as_deref())
            .bind(id)
            .bind(signed(expected))
            .bind(progress.state.is_open())
            .execute(&mut *self.connection)
            .await
            .map_err(|error| self.failed(error))?;
        if done.rows_affected() == 0 { Err(conflict_command(id)) } else { Ok(()) }
    }

    pub(super) async fn record(
        &mut self,
        result: &ResultEntry,
        keep: NonZeroU32,
    ) -> Result<(), Rejection> {
        let sql = "INSERT INTO dm_result (position, device, at, session_id, msg_id, kind, \
                   command, uri, status, data) \
                   SELECT coalesce(max(position), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 \
                   FROM dm_result WHERE device = ?1 RETURNING position";
        let position: i64 = sqlx::query_scalar(sql)
            .bind(result.device.as_str())
            .bind(result.at.unix_micros())
            .bind(result.session_id.as_str())
            .bind(i64::from(result.msg_id))
            .bind(row::kind_number(result.kind))
            .bind(result.command.as_deref())
            .bind(result.uri.as_str())
            .bind(result.status.map(|status| i64::from(status.0)))
            .bind(&*result.data)
            .fetch_one(&mut *self.connection)
            .await
            .map_err(|error| self.orphan(error, &result.device))?;
        let last_gone = position - i64::from(keep.get());
        if last_gone <= 0 {
            return Ok(());
        }
        sqlx::query("DELETE FROM dm_result WHERE device = ? AND position <= ?")
            .bind(result.device.as_str())
            .bind(last_gone)
            .execute(&mut *self.connection)
            .await
            .map(|_| ())
            .map_err(|error| self.failed(error))
    }
}
