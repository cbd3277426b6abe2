//! What a debugger sees of a session.

use bindery_syncml::{Alert, AlertCode, Content};
use bytes::Bytes;

use super::{Conversation, Proofs};
use crate::client::{Account, AuthType, Begin, Client, Credential, Tree};

/// The ways in which octets of 0xC5 could be shown.
const CANARIES: [&str; 5] = ["197", "c5c5", "C5C5", "xcXF", "\\xc5"];

fn hides(shown: &str) {
    for canary in CANARIES {
        assert!(!shown.contains(canary), "{shown}");
    }
    assert!(!shown.contains("canary"), "{shown}");
}

fn account() -> Account {
    let mut account = Account::new("srv", "https://dm.example/omadm".parse().unwrap());
    let mut credential = Credential::new(AuthType::Digest, "eve", "canary");
    credential.nonce = Bytes::from(vec![0xC5; 16]);
    account.client = Some(credential.clone());
    account.server = Some(credential);
    account
}

#[test]
fn neither_nonces_nor_what_they_are_made_of_are_shown() {
    let begin = Begin::new("7", [0xC5; 16]);
    hides(&format!("{begin:?} {begin:#?}"));
    hides(&format!("{:?}", Proofs::new(&account(), [0xC5; 16])));
    let mut client = Client::new(Tree::new(), account());
    let mut conversation = Conversation::new(&mut client, begin);
    let mut alert = Alert::new(0_u32, AlertCode::GENERIC_ALERT);
    alert.correlator = Some("canary".into());
    alert.items.push(bindery_syncml::Item {
        data: Some(Content::base64(&[0xC5; 16]).into()),
        ..bindery_syncml::Item::default()
    });
    conversation.owe_status(&alert.into(), bindery_syncml::StatusCode::OK);
    assert!(conversation.message().is_some());
    hides(&format!("{conversation:?} {conversation:#?}"));
    let binding = crate::DmHttp::default();
    let session = crate::client::Session::new(&binding, conversation);
    hides(&format!("{session:?} {session:#?}"));
    drop(session);
    hides(&format!("{client:?}"));
}
