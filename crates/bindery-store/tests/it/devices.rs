//! Devices' credentials at rest, and damage to what is kept of devices.

use bindery_core::{Principal, Timestamp};
use bindery_omadm::{
    CredentialDigest,
    service::{AppAuth, Ask, Change, Device, DeviceFilter, DeviceStore, NewCommand, StoreError},
};
use bindery_store::SqliteStore;
use sqlx::Connection;

use crate::support::{Place, connect, kek};

fn device(number: usize) -> Device {
    let mut device =
        Device::new(format!("d{number}"), Principal::new("alice"), Timestamp::UNIX_EPOCH);
    let mut digest = *b"CANARYdigest....";
    digest[15] = number.try_into().unwrap();
    device.client = Some(AppAuth::new("user", CredentialDigest::from_octets(digest)));
    device
}

async fn register(store: &SqliteStore, numbers: std::ops::Range<usize>) {
    let changes = numbers.map(|number| Change::InsertDevice(device(number))).collect();
    DeviceStore::commit(store, changes).await.unwrap();
}

async fn listed(store: &SqliteStore) -> Result<Vec<Device>, StoreError> {
    let listed = store.devices(&DeviceFilter::all(1000)).await?;
    Ok(listed.into_iter().map(|it| it.entry).collect())
}

fn is_in_the_files(needle: &[u8], place: &Place) -> bool {
    let files = std::fs::read_dir(place.directory.path()).unwrap();
    files.into_iter().any(|entry| {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        content.windows(needle.len()).any(|window| window == needle)
    })
}

#[tokio::test]
async fn credentials_are_not_in_the_files() {
    let place = Place::new();
    let store = place.open().await;
    register(&store, 0..20).await;
    store.close().await.unwrap();
    assert!(is_in_the_files(b"alice", &place), "the search is blind");
    assert!(!is_in_the_files(b"CANARY", &place));
}

#[tokio::test]
async fn credentials_of_another_row_do_not_open() {
    let place = Place::new();
    let store = place.open().await;
    register(&store, 0..3).await;
    store.close().await.unwrap();
    place
        .tamper("UPDATE dm_device SET digests = (SELECT digests FROM dm_device WHERE id = 'd1') WHERE id = 'd2'")
        .await;
    let store = place.open().await;
    let error = store.load(&Ask::new("d2", None::<String>, 0)).await.unwrap_err();
    assert!(matches!(&error, StoreError::Damaged { entry, .. } if entry == "the device d2"));
    let report = store.check().await.unwrap();
    assert_eq!((report.records, report.problems.len()), (3, 1), "{:?}", report.problems);
    assert!(store.load(&Ask::new("d1", None::<String>, 0)).await.is_ok());
}

#[tokio::test]
async fn pieces_that_are_gone_are_noticed() {
    let place = Place::new();
    let store = place.open().await;
    register(&store, 0..1).await;
    let mut command = NewCommand::new("c", "d0", "do", Timestamp::UNIX_EPOCH);
    command.data = vec![1; 200_000].into();
    let changes = vec![Change::Enqueue { command, at_most: 1 }];
    DeviceStore::commit(&store, changes).await.unwrap();
    assert!(store.check().await.unwrap().is_sound());
    store.close().await.unwrap();
    place.tamper("DELETE FROM dm_data WHERE piece = 1").await;
    let report = place.open().await.check().await.unwrap();
    assert_eq!(report.problems, ["the command c is not as long as its pieces"]);
}

#[tokio::test]
async fn credentials_are_sealed_again_while_others_write() {
    let place = Place::new();
    let store = place.open().await;
    register(&store, 0..100).await;
    // Another process that does not know the new key yet.
    let other = place.open().await;
    store.change_kek(kek(2)).await.unwrap();
    assert_eq!(store.reseal(|_| ()).await.unwrap(), 100);
    let mut sql = connect(&place.file()).await;
    let count = "SELECT count(DISTINCT substr(digests, 2, 8)) FROM dm_device";
    let keys: i64 = sqlx::query_scalar(count).fetch_one(&mut sql).await.unwrap();
    assert_eq!(keys, 1);
    sql.close().await.unwrap();
    register(&store, 100..101).await;
    let expected: Vec<_> = (0..101).map(device).collect();
    let mut found = listed(&store).await.unwrap();
    found.sort_by_key(|device| device.id[1..].parse::<usize>().unwrap());
    assert_eq!(found, expected);
    // It holds the old KEK, so it can neither write under the new data key nor read it.
    let refused = vec![Change::InsertDevice(device(200))];
    assert!(DeviceStore::commit(&other, refused).await.is_err());
}

#[tokio::test]
async fn a_commit_that_waits_is_sealed_again_under_the_new_key() {
    let place = Place::new();
    let store = place.open().await;
    let other = place.open().await;
    register(&store, 0..1).await;
    assert_eq!(store.reseal(|_| ()).await.unwrap(), 1);
    // `other` still has the ring of before, but the same KEK.
    register(&other, 1..2).await;
    assert_eq!(listed(&store).await.unwrap(), [device(0), device(1)]);
    assert_eq!(listed(&other).await.unwrap(), [device(0), device(1)]);
}

#[tokio::test]
async fn a_store_of_before_the_device_service_gets_its_tables() {
    let place = Place::new();
    let store = place.open().await;
    store.close().await.unwrap();
    // As a program without the service would have made it.
    for table in
        ["dm_result", "dm_data", "dm_command", "dm_object", "dm_session", "dm_device", "dm_commit"]
    {
        let mut sql = connect(&place.file()).await;
        let drop = sqlx::AssertSqlSafe(format!("DROP TABLE {table}"));
        sqlx::raw_sql(drop).execute(&mut sql).await.unwrap();
        sql.close().await.unwrap();
    }
    place.tamper("DELETE FROM meta WHERE key = 'schema.omadm'").await;
    let store = place.open().await;
    register(&store, 0..2).await;
    assert_eq!(listed(&store).await.unwrap().len(), 2);
    assert!(store.check().await.unwrap().is_sound());
}
