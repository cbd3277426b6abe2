//! The client against this crate's server: nothing but messages between them.

use std::{sync::Arc, time::Duration};

use bindery_core::{Channel, Context, Peer, Principal, Timestamp};
use bindery_omadm::{
    CredentialDigest, Incoming,
    client::{
        Account, AuthType, Begin, Client, Credential, Leaf, Node, NodePath, SessionError, Summary,
    },
    service::{
        AppAuth, Change, CommandState, Device, DeviceStore, DmServer, DmServerConfig, MemoryStore,
        Order, ResultFilter, ResultKind, Scheme, Value,
    },
};
use bindery_syncml::{Form, Options};
use bytes::Bytes;

use crate::support::{Counting, now};

const ID: &str = "urn:x:1";

/// A server, its store, and a device that has an account there.
struct Pair {
    store: Arc<MemoryStore>,
    server: DmServer,
    client: Client,
    sessions: u32,
    /// The longest message seen from either side.
    longest: usize,
}

fn digest(name: &str, secret: &str) -> CredentialDigest {
    CredentialDigest::new(name, secret)
}

impl Pair {
    fn new(auth: AuthType, mutual: bool, form: Form, config: DmServerConfig) -> Self {
        let store = Arc::new(MemoryStore::new());
        let shared: Arc<dyn DeviceStore> = store.clone();
        let server = DmServer::new(shared, Arc::new(Counting::default()), config).unwrap();
        let mut device = Device::new(ID, Principal::new("fleet"), Timestamp::UNIX_EPOCH);
        device.client = Some(AppAuth::new("device", digest("device", "one")));
        let mut account = Account::new("srv", crate::support::URL.parse().unwrap());
        account.client = Some(Credential::new(auth, "device", "one"));
        if mutual {
            device.server = Some(AppAuth::new("srv", digest("srv", "two")));
            let auth = if auth == AuthType::Hmac { auth } else { AuthType::Digest };
            account.server = Some(Credential::new(auth, "srv", "two"));
        }
        now(store.commit(vec![Change::InsertDevice(device)])).unwrap();
        let mut tree = super::tree();
        account.grant(&mut tree);
        let mut client = Client::new(tree, account);
        client.config.form = form;
        Self { store, server, client, sessions: 0, longest: 0 }
    }

    fn queue(&self, id: &str, order: Order) {
        let command = order.for_device(id, ID, Timestamp::UNIX_EPOCH).unwrap();
        now(self.store.commit(vec![Change::Enqueue { command, at_most: 1_000 }])).unwrap();
    }

    fn session(&mut self) -> Result<Summary, SessionError> {
        self.sessions += 1;
        let number = self.sessions;
        let begin = Begin::new(number.to_string(), [u8::try_from(number).unwrap(); 16]);
        let mut conversation = self.client.begin(begin);
        let address = "192.0.2.7:5000".parse().unwrap();
        let mut seconds = 1_000;
        loop {
            let Some(message) = conversation.message() else {
                return conversation.outcome().expect("nothing to send and no outcome");
            };
            self.longest = self.longest.max(message.octets.len());
            let mut incoming = Incoming::read(message.octets, &Options::STRICT).unwrap();
            incoming.hmac = message.hmac;
            incoming.url = Some(conversation.target().clone());
            seconds += 1;
            let cx = Context::new(
                Channel::Clear,
                Peer::from_address(address),
                Timestamp::from_unix_seconds(seconds),
            );
            let reply = now(self.server.respond(&cx, &incoming));
            self.longest = self.longest.max(reply.octets.len());
            let mut answer = Incoming::read(reply.octets, &Options::STRICT).unwrap();
            answer.hmac = reply.hmac;
            conversation.receive(&answer);
        }
    }

    fn state(&self, id: &str) -> (CommandState, Option<u16>) {
        let progress = now(self.store.command(id)).unwrap().unwrap().entry.progress;
        (progress.state, progress.status.map(|code| code.0))
    }

    fn results(&self) -> Vec<(String, String)> {
        let results = now(self.store.results(&ResultFilter::of(ID, 1_000))).unwrap();
        let results = results.into_iter().filter(|it| it.kind == ResultKind::Results);
        results.map(|it| (it.uri, String::from_utf8(it.data.to_vec()).unwrap())).collect()
    }
}

fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

fn config(scheme: Scheme) -> DmServerConfig {
    let mut config = DmServerConfig::default();
    config.schemes = vec![scheme];
    config.dangerous_basic_in_clear = true;
    config
}

#[test]
fn every_way_of_proving_carries_a_session() {
    for (auth, scheme) in [
        (AuthType::Basic, Scheme::Basic),
        (AuthType::Digest, Scheme::Md5),
        (AuthType::Hmac, Scheme::Mac),
    ] {
        for (mutual, form) in
            [(false, Form::Xml), (false, Form::Wbxml), (true, Form::Xml), (true, Form::Wbxml)]
        {
            let mut pair = Pair::new(auth, mutual, form, config(scheme));
            pair.queue("get", Order::get(["./DevDetail/SwV"]).unwrap());
            pair.queue("add", Order::add(Value::new("./Mark", "chr", "1")).unwrap());
            pair.queue("none", Order::get(["./None"]).unwrap());
            let what = format!("{auth:?}, mutual {mutual}, {form:?}");
            let summary = pair.session().unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!((summary.done, summary.failed), (2, 1), "{what}");
            assert_eq!(summary.server_proved, mutual, "{what}");
            assert_eq!(pair.state("get"), (CommandState::Acknowledged, Some(200)), "{what}");
            assert_eq!(pair.state("add"), (CommandState::Acknowledged, Some(200)), "{what}");
            assert_eq!(pair.state("none"), (CommandState::Failed, Some(404)), "{what}");
            assert_eq!(pair.results(), [("./DevDetail/SwV".to_owned(), "2".to_owned())]);
            assert_eq!(pair.client.tree.text(&path("./Mark")), Some("1"));

            // The next sessions begin with the nonces of the last one.
            for _ in 0..3 {
                let summary = pair.session().unwrap_or_else(|error| panic!("{what}: {error}"));
                assert!(summary.messages <= 3, "{what}: {summary:?}");
            }
            let loaded =
                now(pair.store.load(&bindery_omadm::service::Ask::new(ID, None::<String>, 0)));
            let info = loaded.unwrap().device.unwrap().entry.dev_info;
            assert_eq!(info.get("Man").map(String::as_str), Some("Maker"), "{what}");
        }
    }
}

#[test]
fn a_wrong_password_gets_nothing() {
    for (auth, scheme) in [
        (AuthType::Basic, Scheme::Basic),
        (AuthType::Digest, Scheme::Md5),
        (AuthType::Hmac, Scheme::Mac),
    ] {
        let mut pair = Pair::new(auth, false, Form::Wbxml, config(scheme));
        pair.queue("add", Order::add(Value::new("./Mark", "chr", "1")).unwrap());
        pair.client.account.client = Some(Credential::new(auth, "device", "two"));
        let outcome = pair.session();
        assert!(matches!(outcome, Err(SessionError::Refused(_))), "{auth:?}: {outcome:?}");
        assert_eq!(pair.state("add").0, CommandState::Queued);
        assert!(pair.client.tree.node(&path("./Mark")).is_none());
    }
}

#[test]
fn a_server_with_the_wrong_secret_is_not_obeyed() {
    for (auth, scheme) in [(AuthType::Digest, Scheme::Md5), (AuthType::Hmac, Scheme::Mac)] {
        let mut pair = Pair::new(auth, true, Form::Wbxml, config(scheme));
        pair.queue("add", Order::add(Value::new("./Mark", "chr", "1")).unwrap());
        pair.client.account.server = Some(Credential::new(auth, "srv", "three"));
        let outcome = pair.session();
        assert!(outcome.is_err(), "{auth:?}: {outcome:?}");
        assert!(pair.client.tree.node(&path("./Mark")).is_none());
    }
}

#[test]
fn five_megabytes_go_both_ways_through_ten_kilobytes() {
    let text = "0123456789abcdef".repeat((5 << 20) / 16);
    for form in [Form::Wbxml, Form::Xml] {
        let mut config = config(Scheme::Md5);
        (config.max_msg_size, config.peer_max_msg_size) = (10 << 10, 10 << 10);
        let mut pair = Pair::new(AuthType::Digest, false, form, config);
        pair.client.config.max_msg_size = 10 << 10;
        pair.client.config.max_messages = 5_000;
        pair.queue("down", Order::add(Value::new("./Down", "chr", text.as_str())).unwrap());
        pair.queue("up", Order::get(["./Up"]).unwrap());
        pair.client.tree.put_text(&path("./Up"), &text).unwrap();
        let summary = pair.session().unwrap();
        assert_eq!(pair.state("down"), (CommandState::Acknowledged, Some(200)));
        assert_eq!(pair.state("up"), (CommandState::Acknowledged, Some(200)));
        assert!(pair.client.tree.text(&path("./Down")) == Some(&text), "another object came");
        let results = pair.results();
        let [(uri, data)] = &results[..] else { panic!("{} results", results.len()) };
        assert!(uri == "./Up" && *data == text, "another object went");
        assert!(pair.longest <= 10 << 10, "a message of {} octets", pair.longest);
        assert!(summary.messages > 1_000, "{summary:?}");
    }
}

#[test]
fn octets_of_any_kind_go_both_ways() {
    let octets: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for form in [Form::Wbxml, Form::Xml] {
        let mut pair = Pair::new(AuthType::Digest, true, form, config(Scheme::Md5));
        pair.client.tree.put(&path("./Up"), Node::leaf(Leaf::new("bin", octets.clone()))).unwrap();
        pair.queue(
            "down",
            Order::add(Value::new("./Down", "bin", Bytes::from(octets.clone()))).unwrap(),
        );
        pair.queue("up", Order::get(["./Up"]).unwrap());
        pair.session().unwrap();
        assert_eq!(pair.state("down"), (CommandState::Acknowledged, Some(200)), "{form:?}");
        let bindery_omadm::client::Value::Leaf(down) =
            &pair.client.tree.node(&path("./Down")).unwrap().value
        else {
            panic!()
        };
        assert!(**down == *octets);
        let results = now(pair.store.results(&ResultFilter::of(ID, 10))).unwrap();
        let up = results.iter().find(|it| it.kind == ResultKind::Results).unwrap();
        assert!(*up.data == *octets, "{form:?}: {} octets", up.data.len());
    }
}

#[test]
fn a_whole_tree_is_listed_in_as_many_messages_as_it_takes() {
    let mut config = config(Scheme::Md5);
    config.max_msg_size = 4_000;
    let mut pair = Pair::new(AuthType::Digest, false, Form::Wbxml, config);
    for number in 0..500 {
        pair.client.tree.put_text(&path(&format!("./Many/{number:03}")), "value").unwrap();
    }
    pair.queue("list", Order::get(["./Many?list=StructData"]).unwrap());
    pair.queue("after", Order::get(["./DevInfo/Man"]).unwrap());
    pair.session().unwrap();
    assert_eq!(pair.state("list"), (CommandState::Acknowledged, Some(200)));
    assert_eq!(pair.state("after"), (CommandState::Acknowledged, Some(200)));
    let leaves = pair.results().into_iter().filter(|(uri, _)| uri.starts_with("./Many/"));
    let expected: Vec<_> = (0..500).map(|number| format!("./Many/{number:03}")).collect();
    assert_eq!(leaves.map(|(uri, _)| uri).collect::<Vec<_>>(), expected);
}

#[test]
fn a_session_timeout_is_no_end_of_the_queue() {
    let mut config = config(Scheme::Md5);
    config.session_timeout = Duration::from_secs(5);
    let mut pair = Pair::new(AuthType::Digest, false, Form::Wbxml, config);
    for number in 0..3 {
        let value = Value::new(format!("./M{number}"), "chr", "1");
        pair.queue(&format!("c{number}"), Order::add(value).unwrap());
    }
    pair.session().unwrap();
    for number in 0..3 {
        assert_eq!(pair.state(&format!("c{number}")).0, CommandState::Acknowledged);
    }
}
