//! Commits that give something back, and say what they conflict with.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bindery_taxii::service::{CommitError, FeedStoreError, Subject};
use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;

use crate::sqlite::{
    SqliteError, SqliteStore,
    writer::{Rejection, Work},
};

/// What a commit consists of.
pub(super) trait Step: Send + Sync + 'static {
    /// What it gives back.
    type Output: Send + 'static;

    /// Makes the changes. It may be called again where a whole group had to be repeated.
    fn run<'a>(&'a self, tx: &'a mut Tx<'_>) -> BoxFuture<'a, Result<Self::Output, Stop>>;

    /// How many octets it holds.
    fn bytes(&self) -> usize;
}

/// The feeds' tables, inside a transaction.
pub(super) struct Tx<'c> {
    pub(super) connection: &'c mut SqliteConnection,
    pub(super) path: &'c Path,
}

impl Tx<'_> {
    pub(super) fn failed(&self, error: sqlx::Error) -> Stop {
        Stop::Store(SqliteError::from_sqlx(self.path, error).into())
    }

    pub(super) fn other(&self, detail: &str) -> Stop {
        let (path, detail) = (self.path.to_owned(), detail.to_owned());
        Stop::Store(SqliteError::Other { path, detail }.into())
    }
}

/// Why a commit was not made.
pub(super) enum Stop {
    Conflict(Subject),
    Limit(&'static str, usize),
    Misuse(&'static str),
    Damaged(Subject, &'static str),
    Store(Rejection),
}

/// What the writer cannot carry itself.
enum Came<T> {
    Output(T),
    Conflict(Subject),
    Limit(&'static str, usize),
    Misuse(&'static str),
    Damaged(Subject, &'static str),
}

type Slot<T> = Arc<Mutex<Option<Came<T>>>>;

struct Attempt<S: Step> {
    step: S,
    slot: Slot<S::Output>,
}

impl<S: Step> Attempt<S> {
    fn put(&self, came: Came<S::Output>) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(came);
    }
}

impl<S: Step> Work for Attempt<S> {
    fn apply<'a>(
        &'a self,
        connection: &'a mut SqliteConnection,
        path: &'a Path,
    ) -> BoxFuture<'a, Result<(), Rejection>> {
        Box::pin(async move {
            let conflict = |uid: &dyn ToString| Err(Rejection::Conflict { uid: uid.to_string() });
            match self.step.run(&mut Tx { connection, path }).await {
                Ok(output) => {
                    self.put(Came::Output(output));
                    Ok(())
                }
                Err(Stop::Conflict(subject)) => {
                    self.put(Came::Conflict(subject.clone()));
                    conflict(&subject)
                }
                Err(Stop::Limit(what, limit)) => {
                    self.put(Came::Limit(what, limit));
                    conflict(&what)
                }
                Err(Stop::Misuse(reason)) => {
                    self.put(Came::Misuse(reason));
                    conflict(&reason)
                }
                Err(Stop::Damaged(subject, reason)) => {
                    let (uid, told) = (subject.to_string(), reason.to_owned());
                    self.put(Came::Damaged(subject, reason));
                    Err(Rejection::Damaged { uid, reason: told })
                }
                Err(Stop::Store(rejection)) => Err(rejection),
            }
        })
    }

    fn bytes(&self) -> usize {
        self.step.bytes()
    }
}

impl SqliteStore {
    /// Has the writer make a commit.
    pub(super) async fn make<S: Step>(&self, step: S) -> Result<S::Output, CommitError> {
        let slot = Slot::<S::Output>::default();
        let work = Attempt { step, slot: Arc::clone(&slot) };
        let outcome = self.submit(Box::new(work)).await;
        let came = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (outcome, came) {
            (Ok(()), Some(Came::Output(output))) => Ok(output),
            (Err(Rejection::Failed(error)), _) => Err(FeedStoreError::from(error).into()),
            (Err(Rejection::Unknown(error)), _) => Err(CommitError::Unknown(error.into())),
            (_, Some(Came::Conflict(subject))) => Err(CommitError::Conflict(subject)),
            (_, Some(Came::Limit(what, limit))) => Err(CommitError::Limit { what, limit }),
            (_, Some(Came::Misuse(reason))) => Err(CommitError::Misuse(reason)),
            (_, Some(Came::Damaged(subject, reason))) => {
                Err(FeedStoreError::Damaged { subject, reason: reason.to_owned() }.into())
            }
            (_, None | Some(Came::Output(_))) => {
                let detail = "a commit came to nothing that is known".to_owned();
                Err(FeedStoreError::Unavailable(detail).into())
            }
        }
    }
}

impl From<SqliteError> for FeedStoreError {
    fn from(error: SqliteError) -> Self {
        match error.is_temporary() {
            true => Self::Unavailable(error.to_string()),
            false => Self::Failed(error.into()),
        }
    }
}
