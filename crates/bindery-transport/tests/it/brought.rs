//! Connections that are no listener's.

use std::{num::NonZero, sync::Arc};

use bindery_core::{Bound, Peer};
use bindery_transport::{Limits, Router, Server, Streams};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    time::timeout,
};

use crate::support::{Echo, PATIENCE, Service, request};

fn streams(limits: Limits) -> Streams {
    let service = Arc::new(Service::default());
    let endpoint = Arc::new(Bound::new(Echo::new(Echo::profile()), service));
    let router = Router::new().mount("/echo", endpoint).unwrap();
    Server::builder().router(router).limits(limits).streams(None)
}

fn open(streams: &Streams, peer: Peer) -> DuplexStream {
    let (near, far) = duplex(1 << 16);
    let streams = streams.clone();
    tokio::spawn(async move { streams.serve(Box::new(near), peer).await });
    far
}

async fn ask(io: &mut DuplexStream, body: &str) -> String {
    io.write_all(&request(body)).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(format!("\r\n\r\n{body}").as_bytes()) {
        let more = timeout(PATIENCE, io.read_buf(&mut read)).await.expect("an answer");
        assert!(more.unwrap() > 0, "{}", read.escape_ascii());
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn a_pipe_is_served_as_a_socket_is() {
    let streams = streams(Limits::default());
    let mut pipe = open(&streams, Peer::default());
    for body in ["one", "two"] {
        assert!(ask(&mut pipe, body).await.starts_with("HTTP/1.1 200 "));
    }
    // Told to stop, an idle one ends.
    streams.stop();
    let end = timeout(PATIENCE, pipe.read_to_end(&mut Vec::new())).await.expect("an end");
    assert_eq!(end.unwrap(), 0);
}

#[tokio::test]
async fn the_caps_hold() {
    let mut limits = Limits::default();
    limits.connections = NonZero::new(3).unwrap();
    limits.connections_per_address = NonZero::new(1);
    let streams = streams(limits);
    let peer = || Peer::from_address("192.0.2.7:1".parse().unwrap());
    let mut first = open(&streams, peer());
    ask(&mut first, "one").await;
    // The second of one address.
    let mut second = open(&streams, peer());
    let end = timeout(PATIENCE, second.read_to_end(&mut Vec::new())).await.expect("an end");
    assert_eq!(end.unwrap(), 0);
    // Peers without one are bound by the cap on all.
    let mut others = [open(&streams, Peer::default()), open(&streams, Peer::default())];
    for other in &mut others {
        ask(other, "two").await;
    }
    let mut waiting = open(&streams, Peer::default());
    waiting.write_all(&request("three")).await.unwrap();
    tokio::task::yield_now().await;
    drop(first);
    let mut read = [0; 12];
    timeout(PATIENCE, waiting.read_exact(&mut read)).await.expect("a place is free").unwrap();
    assert_eq!(&read, b"HTTP/1.1 200");
}
