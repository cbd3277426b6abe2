//! Polls over loopback: parts, limits, answers that break off.

use std::collections::VecDeque;

use bindery_taxii::{
    Blocks, BlocksFailed, ClientError, NextBlocks, PollOptions, Service, Streamed, TaxiiRequest,
    TaxiiResponse,
};
use bindery_taxii_xml::{
    Body, ContentBinding, ContentBlock, Dialect, Message, PollResponse, RecordCount, StatusType,
};

use crate::support::{Running, block, client, label, status};

fn response(part: u64, parts: u64) -> PollResponse {
    PollResponse {
        collection: Some("c".to_owned()),
        more: Some(part < parts),
        result_id: Some("r".to_owned()),
        result_part_number: Some(part),
        subscription_id: None,
        begin: None,
        end: Some(label(i64::try_from(part).unwrap() * 10)),
        record_count: None,
        message: None,
        content_binding: None,
    }
}

/// Blocks in pieces; then the end, or a failure.
#[derive(Debug)]
struct Pieces {
    left: VecDeque<Vec<ContentBlock<'static>>>,
    fails: bool,
}

impl Blocks for Pieces {
    fn next(mut self: Box<Self>) -> NextBlocks {
        Box::pin(async move {
            tokio::task::yield_now().await;
            match self.left.pop_front() {
                Some(blocks) => Ok(Some((blocks, self as Box<dyn Blocks>))),
                None if self.fails => Err(BlocksFailed("the store is gone".to_owned())),
                None => Ok(None),
            }
        })
    }
}

fn whole(answers: &str, body: PollResponse, blocks: &[&str]) -> TaxiiResponse {
    let mut message = Message::new("5", Some(answers), body.into());
    message.blocks = blocks.iter().map(|text| block(text)).collect();
    message.into()
}

fn streamed(answers: &str, body: PollResponse, pieces: Pieces) -> TaxiiResponse {
    let head = Message::new("5", Some(answers), body.into());
    TaxiiResponse::Stream(Box::new(Streamed { head, blocks: Box::new(pieces) }))
}

/// A server whose answers name the ids that [`client`] gives its requests, in their order.
fn ids(count: usize) -> Vec<String> {
    let ids = bindery_taxii::Ids::new(3);
    (0..count).map(|_| ids.message(Dialect::V1_1)).collect()
}

async fn read(polling: &mut bindery_taxii::Polling<'_>) -> Result<Vec<String>, ClientError> {
    let mut found = Vec::new();
    while let Some(block) = polling.next_block().await? {
        found.push(block.content.raw().to_owned());
    }
    Ok(found)
}

fn fulfilled(request: &TaxiiRequest) -> Option<(&str, Option<u64>)> {
    match &request.message.body {
        Body::PollFulfillment(asked) => Some((&asked.result_id, asked.result_part_number)),
        _ => None,
    }
}

#[tokio::test]
async fn parts_are_followed_to_the_last() {
    let server = Running::start(Service::Poll).await;
    let ids = ids(3);
    let pieces = Pieces {
        left: [vec![block("c")], vec![], vec![block("d"), block("e")]].into(),
        fails: false,
    };
    server.answers(vec![
        whole(&ids[0], response(1, 3), &["a", "b"]),
        streamed(&ids[1], response(2, 3), pieces),
        whole(&ids[2], response(3, 3), &[]),
    ]);
    let mut client = client(Dialect::V1_1);
    let mut polling = client.poll(&server.url(), "c", &PollOptions::default()).await.unwrap();
    assert_eq!((polling.place(), polling.end()), ((1, Some("r")), None));
    assert_eq!(read(&mut polling).await.unwrap(), ["a", "b", "c", "d", "e"]);
    assert_eq!(polling.end(), Some(&label(30)));
    assert!(polling.next_block().await.unwrap().is_none());
    let asked = server.asked();
    assert_eq!(
        asked.iter().map(fulfilled).collect::<Vec<_>>(),
        [None, Some(("r", Some(2))), Some(("r", Some(3)))]
    );
    // The connection was kept: one client, three requests, and one more.
    server.answers(vec![status(StatusType::Denied)]);
    let error = client.poll(&server.url(), "c", &PollOptions::default()).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::Denied));
}

#[tokio::test]
async fn an_answer_that_breaks_off_gives_no_cursor() {
    let server = Running::start(Service::Poll).await;
    let ids = ids(1);
    let pieces = Pieces { left: [vec![block("a")]].into(), fails: true };
    server.answers(vec![streamed(&ids[0], response(1, 1), pieces)]);
    let mut client = client(Dialect::V1_1);
    // The head and the block may still be in the server's hands when it fails: then the poll fails at once.
    if let Ok(mut polling) = client.poll(&server.url(), "c", &PollOptions::default()).await {
        let error = read(&mut polling).await.unwrap_err();
        assert!(matches!(error, ClientError::Unexpected(_)), "{error}");
        assert_eq!(polling.end(), None);
    }
}

#[tokio::test]
async fn limits_of_blocks_parts_and_octets() {
    let server = Running::start(Service::Poll).await;
    let mut options = PollOptions::default();
    options.max_blocks = Some(2);
    options.max_parts = Some(2);
    let names = ids(8);
    server.answers(vec![whole(&names[0], response(1, 1), &["a", "b", "c"])]);
    let mut client = client(Dialect::V1_1);
    let mut polling = client.poll(&server.url(), "c", &options).await.unwrap();
    let error = read(&mut polling).await.unwrap_err();
    assert!(matches!(error, ClientError::Limit { what: "blocks", limit: 2 }), "{error}");
    assert_eq!(polling.end(), None);
    server.answers(vec![
        whole(&names[1], response(1, 9), &[]),
        whole(&names[2], response(2, 9), &[]),
    ]);
    let mut polling = client.poll(&server.url(), "c", &options).await.unwrap();
    let error = read(&mut polling).await.unwrap_err();
    assert!(matches!(error, ClientError::Limit { what: "parts", limit: 2 }), "{error}");
    options.max_block_octets = Some(1 << 20);
    let long = "x".repeat(3 << 20);
    server.answers(vec![whole(&names[3], response(1, 1), &[&long])]);
    let failed = match client.poll(&server.url(), "c", &options).await {
        Ok(mut polling) => read(&mut polling).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(failed, ClientError::Limit { .. } | ClientError::Unexpected(_)), "{failed}");
}

#[tokio::test]
async fn parts_out_of_turn_are_not_believed() {
    let server = Running::start(Service::Poll).await;
    let ids = ids(1);
    server.answers(vec![whole(&ids[0], response(2, 3), &[])]);
    let mut client = client(Dialect::V1_1);
    let error = client.poll(&server.url(), "c", &PollOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("part 2"), "{error}");
}

#[tokio::test]
async fn counts() {
    let server = Running::start(Service::Poll).await;
    let mut counted = response(1, 1);
    counted.record_count = Some(RecordCount { count: 7, partial: None });
    server.answers(vec![whole(&ids(1)[0], counted, &[])]);
    let mut client = client(Dialect::V1_1);
    let (count, end) = client.count(&server.url(), "c", &PollOptions::default()).await.unwrap();
    assert_eq!((count.unwrap().count, end), (7, Some(label(10))));
    let asked = server.asked().pop().unwrap();
    let Body::PollRequest(poll) = asked.message.body else { panic!() };
    let wanted = poll.parameters.unwrap().response_type;
    assert_eq!(wanted, Some(bindery_taxii_xml::ResponseType::CountOnly));
}

#[tokio::test]
async fn each_dialect_asks_in_its_own_way() {
    let mut options = PollOptions::default();
    options.begin = Some(label(1));
    options.content_bindings = vec![ContentBinding::new("urn:b")];
    for dialect in Dialect::ALL {
        let server = Running::start(Service::Poll).await;
        let mut client = client(dialect);
        let error = client.poll(&server.url(), "c", &options).await.unwrap_err();
        assert_eq!(error.status_type(), Some(StatusType::NotFound), "{error}");
        let asked = server.asked().pop().unwrap();
        assert_eq!(asked.dialect, dialect);
        let Body::PollRequest(poll) = asked.message.body else { panic!() };
        assert_eq!(poll.begin, Some(label(1)));
        let wanted = match poll.parameters {
            Some(parameters) => parameters.content_bindings,
            None => poll.content_bindings,
        };
        assert_eq!(wanted, options.content_bindings, "{dialect}");
        options.allow_asynch = true;
        let refused = client.poll(&server.url(), "c", &options).await.unwrap_err();
        assert_eq!(refused.is_unsent(), dialect != Dialect::V1_1, "{refused}");
        options.allow_asynch = false;
    }
}
