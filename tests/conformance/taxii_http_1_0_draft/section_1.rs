//! Sections 1.2 and 1.3: terms, and the protocol's version ids.

use bindery_core::Timestamp;
use bindery_taxii::Service;
use bindery_taxii::service::{Change, Collection, CommitError, FeedStore};
use bindery_taxii_xml::Body;
use bindery_tests::feeds::{FeedSite, draft};

use super::{ask, ask_tls, good, message, sent};

/// proves: TAXII-FEED-1
#[tokio::test]
async fn a_second_feed_of_a_name_cannot_be_registered() {
    let site = FeedSite::start().await;
    let second = Change::InsertCollection(Collection::new("open", "another one"));
    let now = Timestamp::from_unix_seconds(2_000);
    let refused = FeedStore::commit(&site.store, vec![second], now).await.unwrap_err();
    assert!(matches!(refused, CommitError::Conflict(_)), "{refused}");
    let other = Change::InsertCollection(Collection::new("other", "another name"));
    FeedStore::commit(&site.store, vec![other], now).await.unwrap();
    let get = draft::get(Service::CollectionManagement, &draft::information());
    let Body::CollectionInformationResponse(found) = message(&ask(&site, get).await.body).body
    else {
        panic!("feed information")
    };
    let open: Vec<_> = found.collections.iter().filter(|one| one.name == "open").collect();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].description, "the collection open");
}

/// proves: TAXII-VER-1
#[tokio::test]
async fn the_id_tells_the_truth_about_the_channel() {
    let site = FeedSite::start().await;
    for (what, request) in good() {
        let clear = ask(&site, request.clone()).await;
        assert_eq!(clear.field("x-taxii-protocol"), Some("TAXII_HTTP_BINDING_1.0"), "{what}");
        let secure = ask_tls(&site, None, request.clone()).await;
        assert_eq!(secure.field("x-taxii-protocol"), Some("TAXII_HTTPS_BINDING_1.0"), "{what}");
        assert_eq!((clear.status, secure.status), (200, 200), "{what}");
        // Who names the other channel is not believed.
        let lie = request.clone().set("X-TAXII-Protocol", "TAXII_HTTPS_BINDING_1.0");
        assert_eq!(ask(&site, lie).await.status, 400, "{what}");
        let mut raw = site.raw_tls(None).await;
        raw.send(request.octets()).await;
        assert_eq!(raw.answer().await.status, 400, "{what}");
    }
    for request in sent().await {
        assert_eq!(request.field("x-taxii-protocol"), Some("TAXII_HTTPS_BINDING_1.0"));
    }
}
