//! The store and the file system: permissions, room, locks.

use std::time::Duration;

use bindery_kmip::{
    Secret,
    service::{Change, CommitError, KeyStore, StoreError},
};
use bindery_store::{SqliteError, SqliteStore};

use crate::support::{
    Place, assert_unavailable, cause, connect, insert, insertion, kek, load, record, uid,
};

#[cfg(unix)]
#[tokio::test]
async fn a_new_store_belongs_to_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let store = place.open().await;
    insert(&store, [1]).await;
    let mut files = 0;
    for entry in std::fs::read_dir(place.directory.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
        files += 1;
    }
    assert_eq!(files, 3);
}

fn large(number: usize) -> Vec<Change> {
    let mut record = record(number);
    record.material = Some(Secret::new(vec![3; 100_000]));
    vec![Change::Insert(record)]
}

#[track_caller]
fn assert_full(error: &CommitError) {
    match error {
        CommitError::Store(error @ StoreError::Failed(_)) => {
            assert!(matches!(cause(error), SqliteError::DiskFull { .. }), "{error:?}");
            let text = error.to_string();
            assert!(text.contains("keys.db") && text.contains("max_bytes"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_full_disk_takes_nothing_that_was_acknowledged() {
    let place = Place::new();
    let store = SqliteStore::open(place.options().max_bytes(1 << 20)).await.unwrap();
    let mut made = 0;
    let error = loop {
        match store.commit(large(made)).await {
            Ok(()) => made += 1,
            Err(error) => break error,
        }
    };
    assert_full(&error);
    assert!((5..11).contains(&made), "{made}");
    assert!(store.load(&[uid(made)]).await.unwrap()[0].is_none());
    // Small ones beside a large one in one group: only that one fails.
    let commits = (100..110).map(|number| {
        let changes = if number == 105 { large(number) } else { insertion(number) };
        let store = store.clone();
        tokio::spawn(async move { store.commit(changes).await })
    });
    for (number, outcome) in (100..110).zip(commits.collect::<Vec<_>>()) {
        match (number, outcome.await.unwrap()) {
            (105, outcome) => assert_full(&outcome.unwrap_err()),
            (_, outcome) => outcome.unwrap(),
        }
    }
    // Room comes back by deleting.
    store.commit(vec![Change::Delete { uid: uid(0), expected: 1 }]).await.unwrap();
    store.commit(large(200)).await.unwrap();
    assert!(store.check().await.unwrap().is_sound());
    store.close().await.unwrap();
    let store = place.open().await;
    for number in (1..made).chain(100..105).chain(106..110).chain([200]) {
        load(&store, number).await.unwrap();
    }
    assert!(store.load(&[uid(105)]).await.unwrap()[0].is_none());
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused() {
    let place = Place::new();
    let store = place.open().await;
    let mut record = record(1);
    record.attributes = vec![0; (256 << 20) + 1].into();
    let error = store.commit(vec![Change::Insert(record)]).await.unwrap_err();
    assert!(error.to_string().contains(&uid(1)), "{error}");
    insert(&store, [1]).await;
}

#[tokio::test]
async fn a_lock_held_too_long_is_unavailable_and_passes() {
    let place = Place::new();
    let patience = Duration::from_millis(100);
    let store = SqliteStore::open(place.options().busy_timeout(patience)).await.unwrap();
    insert(&store, [1]).await;
    let mut other = connect(&place.file()).await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let error = store.commit(insertion(2)).await.unwrap_err();
    assert_unavailable(&error);
    assert!(error.to_string().contains("locked by another process"), "{error}");
    // Reading goes on.
    assert_eq!(load(&store, 1).await.unwrap().record, record(1));
    let error = SqliteStore::open(place.options().busy_timeout(patience)).await.unwrap_err();
    assert_eq!(error, SqliteError::Locked { path: place.file() });
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    insert(&store, [2]).await;
}

#[tokio::test]
async fn a_lock_held_shortly_is_waited_for() {
    let place = Place::new();
    let store = place.open().await;
    let mut other = connect(&place.file()).await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let commit = tokio::spawn({
        let store = store.clone();
        async move { store.commit(insertion(1)).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!commit.is_finished());
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    commit.await.unwrap().unwrap();
}

const READ_ONLY: &str = "BINDERY_STORE_TEST_READ_ONLY";

/// The part of the test below that runs without root's rights.
#[cfg(unix)]
#[test]
#[ignore = "run by a_file_that_cannot_be_written_is_refused"]
fn open_a_file_that_cannot_be_written() {
    let Some(path) = std::env::var_os(READ_ONLY) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = bindery_store::SqliteOptions::file(path, kek(1));
    let error = runtime.block_on(SqliteStore::open(options)).unwrap_err();
    println!("refused: {error:?}: {error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_cannot_be_written_is_refused() {
    use std::os::unix::{fs::MetadataExt, fs::PermissionsExt, process::CommandExt};

    let place = Place::new();
    let store = place.open().await;
    insert(&store, [1]).await;
    store.close().await.unwrap();
    let directory = place.directory.path();
    // Root may write anything, so the attempt is made by "nobody", who must reach the program.
    let program = directory.join("it");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set(&program, 0o755);
    for (directory_mode, file_mode) in [(0o777, 0o444), (0o555, 0o444), (0o555, 0o666)] {
        set(&place.file(), file_mode);
        set(directory, directory_mode);
        let mut child = std::process::Command::new(&program);
        child
            .args([
                "--ignored",
                "--exact",
                "--nocapture",
                "files::open_a_file_that_cannot_be_written",
            ])
            .env(READ_ONLY, place.file());
        if directory.metadata().unwrap().uid() == 0 {
            child.uid(65534).gid(65534);
        }
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        let refused = text.contains("refused: ReadOnly") || text.contains("refused: CannotOpen");
        assert!(refused && text.contains("keys.db") && text.contains("writ"), "{text}");
        if directory_mode == 0o777 {
            assert!(text.contains("refused: ReadOnly"), "{text}");
        }
        set(directory, 0o755);
    }
    set(&place.file(), 0o600);
    let store = place.open().await;
    assert_eq!(load(&store, 1).await.unwrap().record, record(1));
}
