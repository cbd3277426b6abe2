//! Section 3: port 80, and what firewalls and others can tell apart.

use bindery_core::{Body, Scheme};

use super::{
    cards,
    echo::{Echoes, good, in_clear},
    row,
};

/// proves: SUB-PORT-1
#[test]
fn every_card_declares_its_ports_and_who_lets_it_share_those_of_the_web() {
    for card in cards() {
        let name = &card.name;
        assert!(!card.ports.is_empty(), "{name}");
        for port in &card.ports {
            let of_the_web = [80, 443].contains(&port.number);
            assert_eq!(port.shared_by.is_some(), of_the_web, "{name}: {}", port.number);
            let printed = row(&card, "ports");
            assert!(printed.contains(&port.number.to_string()), "{name}: {printed}");
            assert!(printed.contains(port.shared_by.unwrap_or(port.purpose)), "{name}: {printed}");
        }
        // The one that the sources let no port be shared for has its own.
        if name == "kmip" {
            assert!(card.ports.iter().all(|port| port.shared_by.is_none()));
        }
    }
}

/// proves: SUB-PORT-2
#[tokio::test]
async fn on_one_port_each_protocol_is_told_apart_by_what_its_card_says() {
    let cards: Vec<_> = cards().iter().map(in_clear).collect();
    let echoes = Echoes::start(&cards).await;
    for (index, card) in cards.iter().enumerate() {
        let told = card.distinctions();
        assert!(!told.is_empty(), "{}", card.name);
        assert_eq!(row(card, "told apart by"), told.join(", "));
        let path = told.iter().find_map(|by| by.strip_prefix("path ")).unwrap();
        let answer = echoes.ask(good(card, "abc").line(&line(card, path))).await;
        assert_eq!(answer.status, 200, "{}: {answer:?}", card.name);
        for (other, heard) in echoes.heard().iter().enumerate() {
            assert_eq!(heard.len(), usize::from(other <= index), "{}", card.name);
        }
        // A client sends what it is told apart by, wherever the user's URL names no more than a host.
        let target = "https://host".parse().unwrap();
        assert!(card.schemes.contains(&Scheme::Https));
        let request = card.prepare_request(&target, Body::empty()).unwrap();
        assert_eq!(request.uri().path(), path);
        let sent = request.headers()["content-type"].to_str().unwrap().to_owned();
        for own in told.iter().filter_map(|by| by.strip_prefix("media type ")).take(1) {
            assert_eq!(sent, own, "{}", card.name);
        }
    }
    // What is nobody's is served by nobody.
    for path in ["/", "/kmip/", "/omadm/x", "/taxii", "*"] {
        let request = good(&cards[0], "abc").line(&format!("POST {path} HTTP/1.1"));
        assert_eq!(echoes.ask(request).await.status, 404, "{path}");
    }
}

fn line(card: &bindery_core::Profile, path: &str) -> String {
    let method = card.methods.iter().find(|method| **method == "POST").unwrap_or(&card.methods[0]);
    format!("{method} {path} HTTP/1.1")
}
