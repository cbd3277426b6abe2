//! What a debugger sees of a turn and of what is stored.

use bindery_core::{Channel, Context, Peer, Principal, Timestamp};
use bindery_syncml::{Options, SyncMl, WriteOptions};
use bytes::Bytes;

use super::Scene;
use crate::service::state::{Proof, State};
use crate::service::{
    AppAuth, Change, Command, Device, DmServerConfig, MemoryStore, NewCommand, ResultEntry,
    ResultKind, Session,
};
use crate::{CredentialDigest, Incoming};

/// The ways in which octets of 0xC5 could be shown, and a word.
const CANARIES: [&str; 6] = ["197", "c5c5", "C5C5", "xcXF", "\\xc5", "canary"];

fn hides(shown: &str) {
    for canary in CANARIES {
        assert!(!shown.contains(canary), "{canary}: {shown}");
    }
}

#[test]
fn neither_random_octets_nor_the_address_of_a_session_are_shown() {
    let mut octets = Vec::new();
    let mut message = SyncMl::default();
    (message.hdr.session_id, message.hdr.source) = ("1".into(), "phone".into());
    message.encode(&mut octets, &WriteOptions::XML).unwrap();
    let incoming = Incoming::read(octets.into(), &Options::LENIENT).unwrap();
    let (config, decoy) = (DmServerConfig::default(), [0xC5; 16]);
    let address = "192.0.2.1:9".parse().unwrap();
    let cx = Context::new(Channel::Clear, Peer::from_address(address), Timestamp::UNIX_EPOCH);
    let (nonce, token) = ([0xC5; 16], [0xC5; 16]);
    let scene =
        Scene { config: &config, cx: &cx, incoming: &incoming, nonce, token, decoy: &decoy };
    hides(&format!("{scene:?}"));
    let token = Some("canary".to_owned());
    let state = State { token, proof: Proof::Address, ..State::default() };
    hides(&format!("{state:?}"));
    let mut session = Session::new("d", "1", Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    (session.state, session.reply) = (state.write(), Bytes::from_static(b"canary"));
    hides(&format!("{session:?}"));
    hides(&format!("{:?}", Change::PutSession { session, expected: None }));
}

#[test]
fn neither_nonces_nor_values_of_records_are_shown() {
    let mut auth = AppAuth::new("eve", CredentialDigest::new("eve", "canary"));
    auth.nonce = Bytes::from(vec![0xC5; 16]);
    let mut device = Device::new("d", Principal::new("fleet"), Timestamp::UNIX_EPOCH);
    (device.client, device.server) = (Some(auth.clone()), Some(auth));
    hides(&format!("{device:?}"));
    let value = Bytes::from_static(b"canary");
    let mut new = NewCommand::new("1", "d", value.clone(), Timestamp::UNIX_EPOCH);
    new.data = value.clone();
    hides(&format!("{:?} {new:?}", Command::queued(&new, 1)));
    let now = Timestamp::UNIX_EPOCH;
    let mut result = ResultEntry::new("d", now, "1", 1, ResultKind::Results);
    result.data = value.clone();
    hides(&format!("{result:?}"));
    let object = Change::AppendObject {
        device: "d".to_owned(),
        session_id: "1".to_owned(),
        octets: value,
        at_most: 10,
    };
    hides(&format!("{object:?} {:?}", MemoryStore::new()));
    let enqueue = Change::Enqueue { command: new, at_most: 10 };
    hides(&format!("{enqueue:?} {:?}", Change::InsertDevice(device)));
}
