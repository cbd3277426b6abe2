//! Section 5.1: connections.

use bindery_omadm::profile;
use bindery_syncml::Form;
use bindery_tests::raw::Raw;
use bindery_transport::Target;

use super::desk::{Desk, Post, XML, code, message, read};

/// proves: DM-CONN-2, DSDM-HTTP-S-011-O
#[tokio::test]
async fn a_session_runs_over_one_connection_or_over_one_for_each_request() {
    let desk = Desk::start().await;
    let mut kept = Raw::clear(desk.address).await;
    for msg in 1..=3 {
        kept.send(Post::of(message(msg, Form::Xml, false), XML).octets()).await;
        assert!(matches!(code(&read(&kept.answer().await)), 200 | 212), "message {msg}");
    }
    for msg in 4..=6 {
        let mut single = Raw::clear(desk.address).await;
        let post = Post::of(message(msg, Form::Xml, msg == 6), XML).with("Connection", "close");
        single.send(post.octets()).await;
        let answer = single.answer().await;
        assert!(matches!(code(&read(&answer)), 200 | 212), "message {msg}");
        assert_eq!(answer.field("connection"), Some("close"));
        assert!(single.is_ended().await, "the server closes as it was asked to");
    }
    assert_eq!(desk.heard().len(), 6);
}

/// proves: DM-CONN-6
#[tokio::test]
async fn the_ports_are_80_and_443_and_any_that_is_provisioned() {
    let ports: Vec<u16> = profile().ports.iter().map(|port| port.number).collect();
    assert_eq!(ports, [443, 80]);
    let port = |url: &str| url.parse::<Target>().unwrap().port();
    assert_eq!(port("http://dm.example/omadm"), 80);
    assert_eq!(port("https://dm.example/omadm"), 443);
    assert_eq!(port("http://dm.example:8080/omadm"), 8080);
    let desk = Desk::start().await;
    assert_ne!(desk.address.port(), 80);
    assert_eq!(code(&read(&desk.ask(&Post::new(1)).await)), 212);
}
