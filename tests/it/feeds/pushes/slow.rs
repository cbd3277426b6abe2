//! Inboxes that take long.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bindery_taxii::{
    Service,
    service::{FeedStore, PushFailed, PushTo, Pusher, PusherConfig, SendPush, Sending, Stepped},
};
use bindery_taxii_xml::{Dialect, Message, PushParameters};

use super::{asking, fill, later, rules, site};

/// Never comes to an end at one inbox, and at once at every other.
#[derive(Debug, Default)]
struct Stuck {
    at: String,
    sent: Mutex<Vec<String>>,
}

impl SendPush for Stuck {
    fn send<'a>(&'a self, to: &'a PushTo, _: Dialect, _: Message<'static>) -> Sending<'a> {
        self.sent.lock().unwrap().push(to.address.clone());
        Box::pin(async {
            if to.address.contains(&self.at) {
                std::future::pending::<()>().await;
            }
            Ok::<(), PushFailed>(())
        })
    }
}

#[tokio::test]
async fn slow_inboxes_hold_up_nobody_else() {
    let site = site(Some(rules())).await;
    let management = site.url(Service::CollectionManagement);
    let mut client = site.client(Dialect::V1_1, None);
    for address in ["1:7/a", "1:7/b", "1:7/c", "1:7/d", "1:8/a", "1:8/b"] {
        let request = asking(PushParameters {
            protocol_binding: "urn:taxii.mitre.org:protocol:http:1.0".to_owned(),
            address: format!("http://127.0.0.{address}"),
            message_binding: "urn:taxii.mitre.org:message:xml:1.1".to_owned(),
            content_bindings: vec![],
        });
        client.subscription(&management, request).await.unwrap();
    }
    fill(&site, &mut client, 1).await;
    let stuck = Arc::new(Stuck { at: "1:7/".to_owned(), sent: Mutex::default() });
    let mut config = PusherConfig::default();
    config.push = Some(rules());
    let sender = Arc::clone(&stuck) as Arc<dyn SendPush>;
    let pusher = Arc::new(Pusher::new(Arc::new(site.store.clone()), sender, config));
    // As many workers as there are deliveries to the slow inbox, and one.
    let now = later(0);
    let steps = |pusher: Arc<Pusher>| async move {
        while let Stepped::Worked(_) = pusher.step(now).await.unwrap() {}
    };
    let workers: Vec<_> = (0..3).map(|_| tokio::spawn(steps(Arc::clone(&pusher)))).collect();
    let sent = || stuck.sent.lock().unwrap().clone();
    tokio::time::timeout(Duration::from_secs(20), async {
        let all = |to: &str| sent().iter().filter(|one| one.contains(to)).count();
        while all("1:8/") < 2 || all("1:7/") < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The third worker looks at those that wait, and then has nothing to do.
        while !workers.iter().any(tokio::task::JoinHandle::is_finished) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{:?}", sent()));
    assert_eq!(sent().iter().filter(|to| to.contains("1:7/")).count(), 2);
    // Those that found it busy are due again soon, and no attempt is counted.
    let leased = FeedStore::lease(&site.store, later(30), later(31), 9).await.unwrap();
    assert_eq!(leased.len(), 2, "{leased:?}");
    assert!(leased.iter().all(|one| one.attempts == 0 && one.last_error.is_none()));
    workers.iter().for_each(tokio::task::JoinHandle::abort);
}
