//! Many clients at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bindery_kmip::message::{AttributeValue, ManagedObject, Name};
use bindery_tests::site::Site;
use bindery_ttlv::registry::{CryptographicAlgorithm, CryptographicUsageMask, State};
use tokio::{sync::Barrier, task::JoinSet};

const CLIENTS: usize = 16;
const KEYS: usize = 12;

/// Every second client is another principal, the others share one.
fn account(client: usize) -> String {
    if client.is_multiple_of(2) { format!("client-{client}") } else { "shared".to_owned() }
}

fn octets(object: &ManagedObject) -> Vec<u8> {
    object.key_block().unwrap().octets().unwrap().expose().to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_clients_create_at_once_and_everything_is_there() {
    let site = Arc::new(Site::start().await);
    let start = Arc::new(Barrier::new(CLIENTS));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let (site, start) = (Arc::clone(&site), Arc::clone(&start));
        clients.spawn(async move {
            let mut client = site.client(&account(number));
            start.wait().await;
            let mut made = Vec::new();
            for key in 0..KEYS {
                let name = Name::text(format!("{number}/{key}")).into();
                let usage = CryptographicUsageMask::ENCRYPT;
                let aes = CryptographicAlgorithm::AES;
                made.push(client.create(aes, 256, usage, [name]).await.unwrap());
            }
            (account(number), made)
        });
    }
    let mut made: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    while let Some(done) = clients.join_next().await {
        let (account, uids) = done.unwrap();
        made.entry(account).or_default().extend(uids.iter().map(ToString::to_string));
    }
    let all: BTreeSet<&String> = made.values().flatten().collect();
    assert_eq!(all.len(), CLIENTS * KEYS, "all distinct");

    let (site, stopped) = Arc::into_inner(site).unwrap().restart().await;
    assert_eq!(stopped.aborted, 0);
    let mut keys = BTreeSet::new();
    for (account, uids) in &made {
        let mut client = site.client(account);
        let located = client.locate([]).await.unwrap();
        assert_eq!(located.len(), uids.len(), "{account}");
        assert_eq!(
            &located.iter().map(ToString::to_string).collect::<BTreeSet<_>>(),
            uids,
            "{account}"
        );
        for uid in uids {
            keys.insert(octets(&client.get(uid.clone()).await.unwrap()));
        }
    }
    assert_eq!(keys.len(), CLIENTS * KEYS, "no key is like another");
}

/// All of them change one object: each change is decided on what is there, and exactly one wins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_clients_activate_one_object_and_one_of_them_did() {
    let site = Arc::new(Site::start().await);
    for _ in 0..4 {
        let usage = CryptographicUsageMask::ENCRYPT;
        let mut owner = site.client("shared");
        let uid = owner.create(CryptographicAlgorithm::AES, 256, usage, []).await.unwrap();
        let start = Arc::new(Barrier::new(CLIENTS));
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (site, start, uid) = (Arc::clone(&site), Arc::clone(&start), uid.clone());
            clients.spawn(async move {
                let mut client = site.client("shared");
                client.connection_mut().open().await.unwrap();
                start.wait().await;
                client.activate(uid).await
            });
        }
        let outcomes = clients.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        for failed in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(failed.failed().is_some(), "said in KMIP: {failed}");
        }
        let attributes = owner.get_attributes(uid, ["State"]).await.unwrap();
        assert_eq!(attributes[0].value, AttributeValue::State(State::ACTIVE));
    }
}
