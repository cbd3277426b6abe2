//! Content sent to an inbox, and the client's own inbox.

use std::sync::{Arc, Mutex};

use bindery_core::Context;
use bindery_taxii::{Ids, PushReceiver, ReceivePush, Received, Receiving, Service};
use bindery_taxii_xml::{
    Content, ContentBinding, ContentBlock, Dialect, StatusMessage, StatusType,
};
use bindery_xml::Source;

use crate::support::{Running, block, client, mounted};

/// Dialect, collections, contents.
type Kept = (Dialect, Vec<String>, Vec<String>);

/// Keeps what comes, until it is full.
#[derive(Debug, Default)]
struct Shelf {
    kept: Mutex<Vec<Kept>>,
}

impl ReceivePush for Shelf {
    fn receive<'a>(&'a self, _: &'a Context, received: Received) -> Receiving<'a> {
        Box::pin(async move {
            let mut kept = self.kept.lock().unwrap();
            if kept.len() >= 3 {
                let mut full = StatusMessage::new(StatusType::Failure);
                full.message = Some("the shelf is full".to_owned());
                return Err(full);
            }
            let blocks = received.blocks.iter().map(|one| one.content.raw().to_owned()).collect();
            kept.push((received.dialect, received.inbox.destination_collections, blocks));
            Ok(())
        })
    }
}

async fn inbox() -> (Running, Arc<PushReceiver<Shelf>>) {
    let receiver = Arc::new(PushReceiver::new(Shelf::default(), Arc::new(Ids::new(5))));
    let handler = Arc::clone(&receiver);
    let routes = |router| mounted(router, Service::Inbox, "/taxii", handler);
    (Running::serve(Arc::default(), routes).await, receiver)
}

#[tokio::test]
async fn an_inbox_takes_content_in_every_dialect() {
    let (server, receiver) = inbox().await;
    let url = server.url();
    client(Dialect::V1_1)
        .push(&url, vec!["c".to_owned()], vec![block("a"), block("b")])
        .await
        .unwrap();
    client(Dialect::V1_0).push(&url, vec![], vec![block("c")]).await.unwrap();
    let document = Source::new(b"<s:STIX xmlns:s='http://stix.mitre.org'><s:x/></s:STIX>");
    let mut reader = document.reader();
    while !matches!(reader.next_event().unwrap(), Some(bindery_xml::Event::Start(_))) {}
    let element = Content::Element(reader.subtree().unwrap().into_owned());
    let stix = ContentBlock::new(ContentBinding::new("STIX_1.0"), element);
    client(Dialect::Draft).push(&url, vec![], vec![stix]).await.unwrap();
    let full = client(Dialect::V1_1).push(&url, vec![], vec![block("d")]).await.unwrap_err();
    assert_eq!(full.status_type(), Some(StatusType::Failure));
    assert!(full.to_string().contains("the shelf is full"), "{full}");
    let kept = receiver.receiver().kept.lock().unwrap();
    let kept: Vec<_> = kept.iter().map(|(d, c, b)| (*d, c.len(), b.join(","))).collect();
    assert_eq!(
        kept[..2],
        [(Dialect::V1_1, 1, "a,b".to_owned()), (Dialect::V1_0, 0, "c".to_owned())]
    );
    assert_eq!(kept[2].0, Dialect::Draft);
    assert!(kept[2].2.contains("<s:x/>"), "{kept:?}");
}

#[tokio::test]
async fn an_inbox_takes_nothing_else() {
    let (server, receiver) = inbox().await;
    let error = client(Dialect::V1_1).discovery(&server.url()).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::Failure));
    assert!(receiver.receiver().kept.lock().unwrap().is_empty());
    // Nothing to send, or to whom the dialect cannot name.
    assert!(
        client(Dialect::Draft).push(&server.url(), vec![], vec![]).await.unwrap_err().is_unsent()
    );
    let named =
        client(Dialect::V1_0).push(&server.url(), vec!["c".to_owned()], vec![block("a")]).await;
    assert!(named.unwrap_err().is_unsent());
}
