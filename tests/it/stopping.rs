//! A server that is asked to stop: what is under way is finished, and what was acknowledged is there.

use bindery_tests::{
    raw::Post,
    site::{Site, soon},
    wire,
};
use tokio::net::TcpStream;

#[tokio::test]
async fn what_is_under_way_is_finished() {
    let mut site = Site::start().await;
    let mut idle = site.raw("alice").await;
    assert_eq!(idle.post(wire::query()).await.result(), (0, None));
    let mut busy = site.raw("alice").await;
    let post = Post::new(wire::create("the last one"));
    let whole = post.octets();
    let (first, last) = whole.split_at(whole.len() - 8);
    // 100 says that the request has come to the endpoint, which waits for its body.
    busy.send(post.clone().with("Expect", "100-continue").head()).await;
    assert_eq!(busy.answer().await.status, 100);
    busy.send(&first[post.head().len()..]).await;

    site.signal();
    assert!(idle.is_ended().await, "nothing was under way there");
    let address = site.address;
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    tokio::time::timeout(bindery_tests::raw::PATIENCE, refused).await.expect("nobody new");

    busy.send(last).await;
    let answer = busy.answer().await;
    assert_eq!((answer.result(), answer.field("connection")), ((0, None), Some("close")));
    let uid = answer.kmip().at(&[0x0f, 0x7c, 0x94]).text().to_owned();
    let (rest, in_order) = busy.rest().await;
    assert_eq!((rest.len(), in_order), (0, true), "with a closure alert");

    let (site, stopped) = site.restart().await;
    assert_eq!(stopped.aborted, 0);
    let mut client = site.client("alice");
    assert_eq!(client.locate([]).await.unwrap(), [uid.as_str()]);
}

/// A client that had connected before goes on with the server that comes after.
#[tokio::test]
async fn a_client_outlives_the_server() {
    let site = Site::start().await;
    let mut client = site.client("alice");
    let usage = bindery_ttlv::registry::CryptographicUsageMask::ENCRYPT;
    let aes = bindery_ttlv::registry::CryptographicAlgorithm::AES;
    let uid = client.create(aes, 256, usage, []).await.unwrap();
    let address = site.address;
    let (site, _) = site.restart().await;
    // Another port: the old client learns that nothing is there, and that nothing was sent.
    assert_ne!(site.address, address);
    soon("the end is seen", || !client.connection_mut().is_open()).await;
    let error = client.get(uid.clone()).await.unwrap_err();
    assert!(error.is_unsent(), "{error}");
    site.client("alice").get(uid).await.unwrap();
}
