//! Who may do what.

use bindery_taxii::{PollOptions, Service};
use bindery_taxii_xml::{Dialect, StatusType};
use bindery_tests::feeds::FeedSite;

use super::{block, read};

#[tokio::test]
async fn collections_are_seen_and_used_by_right() {
    let site = FeedSite::start().await;
    let information = site.secure_url(Service::CollectionManagement);
    let (poll, inbox) = (site.secure_url(Service::Poll), site.secure_url(Service::Inbox));
    let mut alice = site.client(Dialect::V1_1, Some("alice"));
    let mut bob = site.client(Dialect::V1_1, Some("bob"));
    let mut nobody = site.client(Dialect::V1_1, None);
    for (client, expected) in [
        (&mut alice, vec!["hidden", "open", "readonly"]),
        (&mut bob, vec!["open", "readonly"]),
        (&mut nobody, vec!["open", "readonly"]),
    ] {
        let found = client.collections(&information).await.unwrap();
        let names: Vec<_> = found.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, expected);
    }
    let to = |name: &str| vec![name.to_owned()];
    alice.push(&inbox, to("hidden"), vec![block("secret")]).await.unwrap();
    let options = PollOptions::default();
    assert_eq!(read(&mut alice, &poll, "hidden", &options).await.0, ["secret"]);
    // To others it is not there: the same answer as for a name that nothing has.
    let said = bob.poll(&poll, "hidden", &options).await.unwrap_err().to_string();
    let none = bob.poll(&poll, "nowhere", &options).await.unwrap_err().to_string();
    assert_eq!(said.replace("hidden", "NAME"), none.replace("nowhere", "NAME"));
    let error = nobody.poll(&poll, "hidden", &options).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::Unauthorized), "{error}");
    let error = bob.push(&inbox, to("readonly"), vec![block("x")]).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::Denied), "{error}");
    let error = bob.push(&inbox, to("hidden"), vec![block("x")]).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::DestinationCollectionError), "{error}");
    assert!(error.to_string().contains("ACCEPTABLE_DESTINATION open"), "{error}");
    assert!(!error.to_string().contains("ACCEPTABLE_DESTINATION hidden"), "{error}");
    // All or nothing: one collection that is refused keeps the message out of the others.
    let both = vec!["open".to_owned(), "readonly".to_owned()];
    bob.push(&inbox, both, vec![block("x")]).await.unwrap_err();
    assert_eq!(read(&mut bob, &poll, "open", &options).await.0, Vec::<String>::new());
}

#[tokio::test]
async fn a_result_belongs_to_who_polled() {
    let mut setup = bindery_tests::feeds::FeedSetup::default();
    setup.config.part = bindery_taxii::service::PageLimits::new(1, 1 << 20);
    let site = FeedSite::with(setup).await;
    let (poll, inbox) = (site.secure_url(Service::Poll), site.secure_url(Service::Inbox));
    let mut alice = site.client(Dialect::V1_1, Some("alice"));
    let mut bob = site.client(Dialect::V1_1, Some("bob"));
    let blocks = vec![block("a"), block("b")];
    alice.push(&inbox, vec!["open".to_owned()], blocks).await.unwrap();
    let options = PollOptions::default();
    let polling = alice.poll(&poll, "open", &options).await.unwrap();
    let result = polling.response().result_id.clone().unwrap();
    let error = bob.fulfil(&poll, "open", &result, 2, &options).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::NotFound), "{error}");
    alice.fulfil(&poll, "open", &result, 2, &options).await.unwrap();
}
