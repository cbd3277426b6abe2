//! What the services that keep secrets share: opening what may be under a newer data key, and
//! commits that are sealed again when the data key changes before their turn comes.

use std::{path::Path, sync::Arc};

use sqlx::SqliteConnection;
use zeroize::Zeroizing;

use super::{
    SqliteError, SqliteStore, data_keys,
    writer::{Rejection, Work},
};
use crate::{
    keys::Ring,
    seal::{Identity, SealError},
};

/// How often one commit is sealed: the data key may change while it waits for its turn, and, where
/// somebody seals everything again in a loop, more than once.
const SEALINGS: usize = 8;

/// Why something sealed was not opened.
#[derive(Debug)]
pub(super) enum Unopened {
    /// The store failed.
    Store(SqliteError),
    /// It does not belong here, was altered, or is under a key that is gone.
    Damaged(SealError),
}

impl SqliteStore {
    /// Opens a secret, with the data keys as they are now where the handle's are older.
    pub(super) async fn open_sealed(
        &self,
        connection: &mut SqliteConnection,
        identity: Identity<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let mut opened = self.inner.keys.ring().open(identity, sealed);
        if matches!(opened, Err(SealError::OtherKey(_))) {
            // Another process may have sealed it under a newer key.
            let ring = data_keys::load(connection, &self.inner.keys.kek(), self.path()).await;
            let ring = ring.map_err(Unopened::Store)?;
            opened = ring.open(identity, sealed);
            self.inner.keys.set_ring(ring);
        }
        opened.map_err(|error| match error {
            SealError::Library => Unopened::Store(data_keys::library(self.path(), error)),
            error => Unopened::Damaged(error),
        })
    }

    /// Hands a commit to the writer that was sealed under the current key of `ring`; `again` makes
    /// it anew where that is no longer the current one.
    pub(super) async fn submit_sealed<W, E>(
        &self,
        mut ring: Arc<Ring>,
        work: W,
        again: impl Fn(&W, &Ring, &Ring) -> Result<W, E>,
    ) -> Result<(), E>
    where
        Arc<W>: Work + 'static,
        E: From<Rejection>,
    {
        let mut work = Arc::new(work);
        for _ in 1..SEALINGS {
            match self.submit(Box::new(Arc::clone(&work))).await {
                Err(Rejection::StaleKey) => {
                    self.refresh_keys().await.map_err(|error| E::from(Rejection::Failed(error)))?;
                    let now = self.inner.keys.ring();
                    work = Arc::new(again(&work, &ring, &now)?);
                    ring = now;
                }
                outcome => return outcome.map_err(E::from),
            }
        }
        self.submit(Box::new(work)).await.map_err(E::from)
    }
}

/// What a commit is told whose data key changed each time.
pub(super) fn outrun() -> String {
    format!("the data key was changed {SEALINGS} times while this was being written")
}

/// Why a statement that may write something sealed failed.
pub(super) fn failed(path: &Path, error: sqlx::Error) -> Rejection {
    /// SQLITE_CONSTRAINT_TRIGGER: the only triggers are those that hold writers to the current data key.
    const REFUSED_BY_TRIGGER: &str = "1811";
    match &error {
        sqlx::Error::Database(database)
            if database.code().as_deref() == Some(REFUSED_BY_TRIGGER) =>
        {
            Rejection::StaleKey
        }
        _ => SqliteError::from_sqlx(path, error).into(),
    }
}
