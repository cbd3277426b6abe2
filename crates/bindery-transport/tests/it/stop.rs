//! Stopping: what ends at once, what may finish, what is cut off.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use bindery_transport::Limits;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{PATIENCE, Running, SHORT};

#[tokio::test]
async fn idle_connections_close_and_busy_ones_finish() {
    let mut server = Running::start(Limits::default()).await;
    let mut fresh = server.connect().await;
    let mut idle = server.connect().await;
    assert!(idle.is_alive().await);
    let mut busy = server.connect().await;
    busy.post("hold").await;
    server.service.arrived.notified().await;
    // The fresh one has been accepted by now: connections are accepted in their order.
    server.signal();
    assert!(fresh.is_ended().await);
    assert!(idle.is_ended().await);
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    timeout(PATIENCE, refused).await.expect("no further connection is taken");
    server.service.release.notify_one();
    let answer = busy.answer().await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"hold".as_slice()));
    assert_eq!(answer.field("connection"), Some("close"));
    assert!(busy.is_ended().await);
    let stopped = server.stopped().await;
    assert_eq!(stopped.aborted, 0);
    assert!(stopped.drained >= 1);
}

#[tokio::test]
async fn a_stuck_request_is_cut_off_at_the_deadline() {
    let mut limits = Limits::default();
    limits.drain = SHORT;
    let server = Running::start(limits).await;
    let mut stuck = server.connect().await;
    stuck.post("stuck").await;
    server.service.arrived.notified().await;
    let mut idle = server.connect().await;
    assert!(idle.is_alive().await);
    let service = Arc::clone(&server.service);
    let stopped = server.stopped().await;
    assert_eq!((stopped.drained, stopped.aborted), (1, 1));
    assert_eq!(service.cancelled.load(SeqCst), 1);
}

#[tokio::test]
async fn half_a_request_may_be_finished() {
    let mut server = Running::start(Limits::default()).await;
    let mut raw = server.connect().await;
    let request = crate::support::request("abc");
    let (head, body) = request.split_at(request.len() - 2);
    raw.send(head).await;
    // The head has come to the endpoint once a later connection was answered twice.
    let mut other = server.connect().await;
    assert!(other.is_alive().await);
    sleep(SHORT / 2).await;
    server.signal();
    assert!(other.is_ended().await);
    raw.send(body).await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.field("connection")), (200, Some("close")));
    assert_eq!(server.stopped().await.aborted, 0);
}

#[tokio::test]
async fn half_a_head_does_not_hold_the_stop() {
    let mut limits = Limits::default();
    limits.drain = SHORT;
    let server = Running::start(limits).await;
    let mut raw = server.connect().await;
    raw.send("POST /echo HTTP/1.1\r\n").await;
    sleep(SHORT / 5).await;
    server.stopped().await;
    assert!(raw.maybe_answer().await.is_none());
}

#[tokio::test]
async fn nothing_open() {
    let stopped = Running::start(Limits::default()).await.stopped().await;
    assert_eq!((stopped.drained, stopped.aborted), (0, 0));
}

#[tokio::test]
async fn a_server_that_is_dropped_ends_everything() {
    let server = Running::start(Limits::default()).await;
    let mut idle = server.connect().await;
    assert!(idle.is_alive().await);
    let mut busy = server.connect().await;
    busy.post("stuck").await;
    server.service.arrived.notified().await;
    let (address, service) = (server.address, Arc::clone(&server.service));
    server.abort().await;
    assert!(idle.is_ended().await);
    assert!(busy.maybe_answer().await.is_none());
    assert_eq!(service.cancelled.load(SeqCst), 1);
    assert!(TcpStream::connect(address).await.is_err());
}
