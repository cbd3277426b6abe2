//! What the demonstration does with the feed services.

use bindery_taxii::{ClientError, PollOptions};
use bindery_taxii_xml::{
    Action, Content, ContentBinding, ContentBlock, Dialect, ServiceType, StatusType,
    SubscriptionParameters, SubscriptionRequest,
};
use bindery_xml::{Event, Inside, Reader};
use http::Uri;

use super::{Client, report::Report};
use crate::{dev::FEED, error::Result, taxii::Session};

/// The content of the demonstration: the namespace is declared outside of it.
const DOCUMENT: &str = "<r xmlns:stix=\"http://stix.mitre.org/stix-1\"><c>\
    <stix:STIX_Package id=\"demo:1\" version=\"1.1.1\"/></c></r>";
const BINDING: &str = "urn:stix.mitre.org:xml:1.1.1";

/// What a step came to: what is shown of it.
type Outcome = Result<String, String>;

/// Runs all steps, each whatever came of the others.
///
/// # Errors
/// The client cannot even be made.
pub(super) async fn run(client: &Client, report: &mut Report) -> Result<()> {
    let mut session = Session::new(&client.feeds, Dialect::V1_1, None)?;
    report.step("TAXII: discovery in all dialects", discovery(client).await);
    report.step("collections", collections(&mut session).await);
    report.step("push a block", push(&mut session).await);
    report.step("poll it, by 1.1 and 1.0", poll(client).await);
    report.step("subscribe, twice", subscribe(&mut session).await);
    report.step("unknown collection: refused", unknown(&mut session).await);
    Ok(())
}

fn check(right: bool, wrong: impl Into<String>) -> Result<(), String> {
    if right { Ok(()) } else { Err(wrong.into()) }
}

async fn service(session: &mut Session, kind: ServiceType) -> Result<Uri, String> {
    session.service(kind).await.map_err(|failure| failure.to_string())
}

async fn discovery(client: &Client) -> Outcome {
    for dialect in Dialect::ALL {
        let session = Session::new(&client.feeds, dialect, None);
        let mut session = session.map_err(|failure| failure.to_string())?;
        let found = session.client.discovery(&client.feeds.url).await;
        let found = found.map_err(|error| format!("{dialect}: {error}"))?;
        check(found.len() == 4, format!("{dialect}: {} services", found.len()))?;
    }
    Ok("4 services in the draft, 1.0 and 1.1".to_owned())
}

async fn collections(session: &mut Session) -> Outcome {
    let url = service(session, ServiceType::CollectionManagement).await?;
    let found = session.client.collections(&url).await.map_err(|error| error.to_string())?;
    let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
    check(names == [FEED], format!("found {names:?}"))?;
    Ok(names.join(", "))
}

fn content() -> Result<Inside<'static>, String> {
    let mut reader = Reader::new(DOCUMENT);
    loop {
        let start = match reader.next_event().map_err(|error| error.to_string())? {
            Some(Event::Start(start)) => start.name().local() == "c",
            Some(_) => false,
            None => return Err("there is no content".to_owned()),
        };
        if start {
            let fragment = reader.subtree().map_err(|error| error.to_string())?;
            return Ok(fragment.into_inside().into_owned());
        }
    }
}

async fn push(session: &mut Session) -> Outcome {
    let url = service(session, ServiceType::Inbox).await?;
    let block = ContentBlock::new(ContentBinding::new(BINDING), Content::Inside(content()?));
    let pushed = session.client.push(&url, vec![FEED.to_owned()], vec![block]).await;
    pushed.map_err(|error| error.to_string())?;
    Ok("SUCCESS".to_owned())
}

async fn poll(client: &Client) -> Outcome {
    let mut told = String::new();
    for dialect in [Dialect::V1_1, Dialect::V1_0] {
        let session = Session::new(&client.feeds, dialect, None);
        let mut session = session.map_err(|failure| failure.to_string())?;
        let url = service(&mut session, ServiceType::Poll).await?;
        let options = PollOptions::default();
        let polled = session.client.poll(&url, FEED, &options).await;
        let mut polling = polled.map_err(|error| format!("{dialect}: {error}"))?;
        let mut blocks = Vec::new();
        while let Some(block) = polling.next_block().await.map_err(|error| error.to_string())? {
            blocks.push(block);
        }
        let [block] = blocks.as_slice() else {
            return Err(format!("{dialect}: {} blocks", blocks.len()));
        };
        check(block.content.raw() == content()?.raw(), format!("{dialect}: other content"))?;
        check(block.binding.id == BINDING, format!("{dialect}: {}", block.binding.id))?;
        let (label, end) = (block.timestamp_label.as_ref(), polling.end());
        check(label.is_some() && label <= end, format!("{dialect}: {label:?} behind {end:?}"))?;
        told = format!("the same content, up to {}", end.map_or("", |end| end.as_str()));
    }
    Ok(told)
}

async fn subscribe(session: &mut Session) -> Outcome {
    let url = service(session, ServiceType::CollectionManagement).await?;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let request = SubscriptionRequest {
            collection: FEED.to_owned(),
            action: Action::Subscribe,
            subscription_id: None,
            parameters: Some(SubscriptionParameters {
                response_type: None,
                content_bindings: Vec::new(),
                query: None,
            }),
            push: None,
            terms: None,
        };
        let answered = session.client.subscription(&url, request).await;
        let answered = answered.map_err(|error| error.to_string())?;
        ids.extend(answered.subscriptions.into_iter().map(|one| one.id));
    }
    let [first, second] = ids.as_slice() else { return Err(format!("found {ids:?}")) };
    check(first == second, "the second time another one was made")?;
    Ok(format!("{first} both times"))
}

async fn unknown(session: &mut Session) -> Outcome {
    let url = service(session, ServiceType::Poll).await?;
    let polled = session.client.poll(&url, "no-such-feed", &PollOptions::default()).await;
    match polled.map(|_| ()) {
        Err(ClientError::Status { status, .. }) if status.status_type == StatusType::NotFound => {
            Ok("NOT_FOUND".to_owned())
        }
        Err(error) => Err(error.to_string()),
        Ok(()) => Err("it was answered".to_owned()),
    }
}
