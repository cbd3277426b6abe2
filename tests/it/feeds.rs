//! The feed services with client and store, over real sockets.

mod access;
mod long;
mod polls;
mod pushes;
mod queries;

use bindery_taxii::{Client, PollOptions, Service};
use bindery_taxii_xml::{
    Action, Content, ContentBinding, ContentBlock, SubscriptionParameters, SubscriptionRequest,
};
use bindery_tests::feeds::FeedSite;
use bindery_xml::Inside;

fn block(text: &str) -> ContentBlock<'static> {
    bound("urn:example:text", None, text)
}

fn bound(binding: &str, subtype: Option<&str>, text: &str) -> ContentBlock<'static> {
    let mut id = ContentBinding::new(binding);
    id.subtypes.extend(subtype.map(str::to_owned));
    ContentBlock::new(id, Content::Inside(Inside::text(text).unwrap()))
}

/// Sends so many blocks, in messages of ten: `0`, `1` and so on.
async fn fill(site: &FeedSite, client: &mut Client, count: usize) {
    let url = site.url(Service::Inbox);
    let all: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    for ten in all.chunks(10) {
        let blocks = ten.iter().map(|text| block(text)).collect();
        client.push(&url, vec!["open".to_owned()], blocks).await.unwrap();
    }
}

/// Everything that a poll gives, and where it ends.
async fn read(
    client: &mut Client,
    url: &http::Uri,
    collection: &str,
    options: &PollOptions,
) -> (Vec<String>, Option<bindery_taxii_xml::Timestamp>) {
    let mut polling = client.poll(url, collection, options).await.unwrap();
    let mut found = Vec::new();
    while let Some(block) = polling.next_block().await.unwrap() {
        found.push(block.content.raw().to_owned());
    }
    (found, polling.end().cloned())
}

fn subscribe(action: Action, id: Option<&str>) -> SubscriptionRequest {
    let parameters = (action == Action::Subscribe).then(|| SubscriptionParameters {
        response_type: None,
        content_bindings: vec![],
        query: None,
    });
    SubscriptionRequest {
        collection: "open".to_owned(),
        action,
        subscription_id: id.map(str::to_owned),
        parameters,
        push: None,
        terms: None,
    }
}
