//! Answers that the client reads as they come.

use std::{pin::Pin, time::Duration};

use bindery_core::{Body, BodyError};
use bindery_transport::{Client, ClientLimits, ErrorKind};
use bytes::Bytes;
use http::StatusCode;
use http_body::Body as _;

use crate::client::{Act, Script, client, message, say};

async fn piece(body: &mut Body) -> Option<Result<Bytes, BodyError>> {
    let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
    Some(frame.map(|frame| frame.into_data().unwrap()))
}

fn ok(length: usize, body: &str) -> Act {
    say(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"))
}

fn limited(set: impl FnOnce(&mut ClientLimits)) -> Client {
    let mut limits = ClientLimits::default();
    set(&mut limits);
    Client::builder().limits(limits).build()
}

#[tokio::test]
async fn a_connection_comes_back_once_the_body_was_read() {
    let server = Script::start(vec![vec![ok(3, "one"), ok(3, "two")], vec![ok(5, "three")]]).await;
    let mut connection = server.connection(&client());
    let mut first = connection.send_streamed(message("a")).await.unwrap();
    assert!(first.body().as_bytes().is_none(), "it is not collected");
    assert_eq!(piece(first.body_mut()).await.unwrap().unwrap(), "one");
    assert!(piece(first.body_mut()).await.is_none());
    let second = connection.send_streamed(message("b")).await.unwrap();
    assert_eq!(server.connections(), 1);
    // Not read to its end: the connection is closed, and the next request opens another.
    drop(second);
    let third = connection.send(message("c")).await.unwrap();
    assert_eq!(third.into_body().into_bytes().unwrap(), "three");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn what_goes_wrong_behind_the_head_is_the_bodys_error() {
    let server = Script::start(vec![vec![ok(30, "one")]]).await;
    let mut cut = server.connection(&client()).send_streamed(message("a")).await.unwrap();
    assert_eq!(piece(cut.body_mut()).await.unwrap().unwrap(), "one");
    let error = piece(cut.body_mut()).await.unwrap().unwrap_err();
    assert!(matches!(error, BodyError::Incomplete(_)), "{error}");
    assert!(piece(cut.body_mut()).await.is_none(), "it ends with its error");

    let server = Script::start(vec![vec![ok(6, "abcdef")]]).await;
    let small = limited(|limits| limits.response_body = 5);
    let mut long = server.connection(&small).send_streamed(message("a")).await.unwrap();
    let error = piece(long.body_mut()).await.unwrap().unwrap_err();
    assert!(matches!(error, BodyError::TooLarge { limit: 5 }), "{error}");
}

#[tokio::test]
async fn a_body_that_stops_coming_is_given_up() {
    let server = Script::start(vec![vec![ok(30, "one"), Act::Nothing]]).await;
    let hasty = limited(|limits| limits.response = Duration::from_millis(300));
    let mut slow = server.connection(&hasty).send_streamed(message("a")).await.unwrap();
    assert_eq!(piece(slow.body_mut()).await.unwrap().unwrap(), "one");
    let error = piece(slow.body_mut()).await.unwrap().unwrap_err();
    assert!(matches!(error, BodyError::Timeout(_)), "{error}");
}

#[tokio::test]
async fn refusals_come_whole() {
    let no = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    let server = Script::start(vec![vec![say(no), say("nonsense\r\n\r\n")]]).await;
    let mut connection = server.connection(&client());
    let answer = connection.send_streamed(message("a")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(answer.into_body().into_bytes().unwrap(), "no");
    let error = connection.send_streamed(message("b")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
}
