//! Package 1, notifications, bootstrap, the end of a session.

use bindery_omadm::{
    CredentialDigest, Initiator, Notification, UiMode,
    client::{
        Account, AuthType, BootstrapError, Client, Credential, Ended, SessionError, WakeError,
    },
};
use bindery_syncml::{
    Alert, AlertCode, Characteristic, Command, Form, Item, Parameter, Parm, ProvisioningDoc,
    StatusCode, WriteOptions,
};
use bytes::Bytes;

use super::{Server, account, begin, client, finish, is_alert, next_message, session, tree};

#[test]
fn the_first_message_says_who_begins_and_what_the_device_is() {
    for (form, by_server, code) in [
        (Form::Xml, false, AlertCode::CLIENT_INITIATED_MANAGEMENT),
        (Form::Wbxml, true, AlertCode::SERVER_INITIATED_MANAGEMENT),
    ] {
        let mut client = client();
        client.config.form = form;
        let mut begin = begin();
        begin.by_server = by_server;
        let mut conversation = client.begin(begin);
        let mut server = Server::new(form);
        let first = server.read(&conversation.message().unwrap());
        assert!(conversation.message().is_none(), "one message at a time");
        assert_eq!((&*first.hdr.ver_dtd, &*first.hdr.ver_proto), ("1.2", "DM/1.2"));
        assert_eq!(&*first.hdr.source.loc_uri, "urn:x:1");
        assert_eq!(&*first.hdr.target.loc_uri, super::SERVER);
        let meta = first.hdr.meta.as_ref().unwrap();
        assert_eq!((meta.max_msg_size, meta.max_obj_size), (Some(64 << 10), Some(16 << 20)));
        assert!(first.body.is_final && first.hdr.cred.is_none());
        let [alert, Command::Replace(replace)] = &first.body.commands[..] else { panic!() };
        assert!(is_alert(alert, code));
        let told: Vec<_> =
            replace.items.iter().map(|it| (it.uri().unwrap(), it.data.as_ref().unwrap())).collect();
        let told: Vec<_> = told.into_iter().map(|(uri, it)| (uri, it.as_str().unwrap())).collect();
        assert_eq!(
            told,
            [
                ("./DevInfo/DevId", "urn:x:1"),
                ("./DevInfo/DmV", "1.2"),
                ("./DevInfo/Lang", "en"),
                ("./DevInfo/Man", "Maker"),
                ("./DevInfo/Mod", "Thing"),
            ]
        );
        let summary = finish(&mut conversation, &mut server, &first).unwrap();
        assert_eq!((summary.ended, summary.messages), (Ended::Finished, 1));
    }
}

#[test]
fn alerts_are_told_until_the_server_has_taken_them() {
    let mut client = client();
    client.tell("./Battery", "org.example:low", "warning", "7 %");
    client.tell("./Door", "org.example:open", "alert", "");
    // No answer: they stay.
    client.begin(begin()).message().unwrap();
    assert_eq!(client.alerts.len(), 2);
    let (..) = session(&mut client, Vec::new_in_session());
    assert!(client.alerts.is_empty());
}

/// Nothing wanted still needs a message to carry it: a display of nothing.
trait InSession {
    fn new_in_session() -> Self;
}

impl InSession for Vec<Command> {
    fn new_in_session() -> Self {
        let mut alert = Alert::new(0_u32, AlertCode::DISPLAY);
        alert.items = vec![Item { data: Some("hello".into()), ..Item::default() }];
        vec![alert.into()]
    }
}

#[test]
fn what_is_to_be_shown_is_and_what_is_to_be_asked_is_not() {
    let mut client = client();
    let mut wanted = Vec::new_in_session();
    wanted.push(Alert::new(0_u32, AlertCode::CONFIRM_OR_REJECT).into());
    let (back, summary) = session(&mut client, wanted);
    assert_eq!(summary.displayed, ["hello"]);
    assert_eq!((super::code(&back, 1, 4), super::code(&back, 1, 5)), (200, 406));
}

#[test]
fn the_server_may_break_the_session_off() {
    let mut client = client();
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Wbxml);
    let first = server.read(&conversation.message().unwrap());
    let abort = vec![Alert::new(0_u32, AlertCode::SESSION_ABORT).into()];
    let answer = server.answer(&first, StatusCode::OK, abort);
    conversation.receive(&server.write(&answer));
    assert!(conversation.message().is_none(), "the client does not answer an abort");
    assert_eq!(conversation.outcome().unwrap().unwrap().ended, Ended::Aborted);
}

#[test]
fn a_server_that_never_ends_is_left() {
    let mut client = client();
    client.config.max_messages = 10;
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Wbxml);
    while let Some(message) = conversation.message() {
        let read = server.read(&message);
        let mut answer = server.answer(&read, StatusCode::OK, vec![next_message()]);
        answer.body.is_final = false;
        conversation.receive(&server.write(&answer));
    }
    let outcome = conversation.outcome().unwrap();
    assert!(matches!(outcome, Err(SessionError::TooLong(10))), "{outcome:?}");
}

#[test]
fn another_sessions_message_is_not_taken() {
    let mut client = client();
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Wbxml);
    let first = server.read(&conversation.message().unwrap());
    let mut answer = server.answer(&first, StatusCode::OK, Vec::new());
    answer.hdr.session_id = "8".into();
    conversation.receive(&server.write(&answer));
    assert!(matches!(conversation.outcome(), Some(Err(SessionError::Server(_)))));
}

#[test]
fn the_next_message_goes_where_the_server_says_but_to_no_other_server() {
    for (uri, expected) in [
        ("http://dm.example/omadm?s=1", "http://dm.example/omadm?s=1"),
        ("/other?s=2", "http://dm.example/other?s=2"),
        ("http://evil.example/omadm", super::SERVER),
        ("https://dm.example/omadm", super::SERVER),
        ("http://dm.example:81/omadm", super::SERVER),
        ("\u{1}", super::SERVER),
    ] {
        let mut client = client();
        let mut conversation = client.begin(begin());
        let mut server = Server::new(Form::Wbxml);
        let first = server.read(&conversation.message().unwrap());
        let mut answer = server.answer(&first, StatusCode::OK, Vec::new_in_session());
        answer.hdr.resp_uri = Some(uri.into());
        conversation.receive(&server.write(&answer));
        assert_eq!(conversation.target(), expected);
    }
}

/// A device that its server may wake.
fn wakeable() -> Client {
    let mut account = account();
    let mut server = Credential::new(AuthType::Digest, "srv", "secret");
    server.nonce = Bytes::from_static(b"nonce");
    account.server = Some(server);
    Client::new(tree(), account)
}

/// proves: DM-PUSH-1
#[test]
fn a_notification_becomes_a_session() {
    let client = wakeable();
    let notification = Notification {
        version: Notification::VERSION_1_2,
        ui_mode: UiMode::Informative,
        initiator: Initiator::Server,
        future: 0,
        session_id: 513,
        server_id: "srv".to_owned(),
        vendor: Vec::new(),
    };
    let digest = CredentialDigest::new("srv", "secret");
    let octets = notification.sign(&digest, b"nonce").unwrap();
    let (begin, ui_mode) = client.wake(&octets, [1; 16]).unwrap();
    assert_eq!((begin.session_id.as_str(), begin.by_server), ("513", true));
    assert_eq!(ui_mode, UiMode::Informative);

    let old = notification.sign(&digest, b"earlier").unwrap();
    assert_eq!(client.wake(&old, [1; 16]), Err(WakeError::Unproved));
    let mut changed = octets.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(client.wake(&changed, [1; 16]), Err(WakeError::Unproved));
    let mut other = notification.clone();
    other.server_id = "srw".to_owned();
    let other = other.sign(&digest, b"nonce").unwrap();
    assert_eq!(client.wake(&other, [1; 16]), Err(WakeError::OtherServer));
    assert!(matches!(client.wake(&octets[..20], [1; 16]), Err(WakeError::Notification(_))));
    let without = Client::new(tree(), account());
    assert_eq!(without.wake(&octets, [1; 16]), Err(WakeError::NoCredential));
}

fn characteristic(
    kind: &str,
    parms: &[(&str, &str)],
    inner: Vec<Characteristic>,
) -> Characteristic {
    let parms = parms.iter().map(|(name, value)| {
        Parameter::Parm(Parm {
            name: (*name).into(),
            value: Some((*value).into()),
            ..Parm::default()
        })
    });
    let inner = inner.into_iter().map(Parameter::Characteristic);
    let parameters = parms.chain(inner).collect();
    Characteristic { kind: kind.into(), parameters, ..Characteristic::default() }
}

fn provisioning(characteristics: Vec<Characteristic>, form: Form) -> Bytes {
    let document =
        ProvisioningDoc { version: Some("1.1".into()), characteristics, ..Default::default() };
    let mut octets = Vec::new();
    document.encode(&mut octets, &WriteOptions::new(form)).unwrap();
    octets.into()
}

#[test]
fn a_provisioning_document_gives_the_first_account() {
    let address = characteristic("APPADDR", &[("ADDR", "https://dm.example/dm")], Vec::new());
    let auth = |level, kind, name, secret| {
        characteristic(
            "APPAUTH",
            &[
                ("AAUTHLEVEL", level),
                ("AAUTHTYPE", kind),
                ("AAUTHNAME", name),
                ("AAUTHSECRET", secret),
                ("AAUTHDATA", "bm9uY2U="),
            ],
            Vec::new(),
        )
    };
    let application = characteristic(
        "APPLICATION",
        &[("APPID", "w7"), ("PROVIDER-ID", "srv"), ("NAME", "Operator")],
        vec![
            address,
            auth("APPSRV", "DIGEST", "device", "one"),
            auth("CLIENT", "HMAC", "srv", "two"),
        ],
    );
    let other = characteristic("APPLICATION", &[("APPID", "w2")], Vec::new());
    for form in [Form::Xml, Form::Wbxml] {
        let document = provisioning(vec![other.clone(), application.clone()], form);
        let account = Account::from_provisioning(&document).unwrap();
        assert_eq!((&*account.server_id, &*account.name), ("srv", "Operator"));
        assert_eq!(account.address, "https://dm.example/dm");
        let (client, server) = (account.client.clone().unwrap(), account.server.clone().unwrap());
        assert_eq!(
            (client.auth, &*client.name, &**client.secret),
            (AuthType::Digest, "device", "one")
        );
        assert_eq!((server.auth, &*server.name, &**server.secret), (AuthType::Hmac, "srv", "two"));
        assert_eq!(client.nonce, "nonce");

        // In the tree and back, and the server cannot read the secrets.
        let mut tree = tree();
        account.put(&mut tree, "operator").unwrap();
        account.grant(&mut tree);
        assert_eq!(Account::from_tree(&tree, "operator"), Some(account));
        assert_eq!(Account::from_tree(&tree, "other"), None);
        let secret = "./DMAcc/operator/AppAuth/1/AAuthSecret";
        let read = tree.get("srv", &bindery_omadm::client::Address::parse(secret).unwrap());
        assert_eq!(read, Err(StatusCode::COMMAND_NOT_ALLOWED));
        let list = bindery_omadm::client::Address::parse("./DMAcc?list=StructData").unwrap();
        let listed = tree.get("srv", &list).unwrap();
        assert!(listed.len() > 5);
        assert!(listed.iter().all(|it| it.data.as_ref().is_none_or(|data| data != "one")));
    }
    let document = provisioning(vec![other], Form::Xml);
    let error = Account::from_provisioning(&document).unwrap_err();
    assert!(matches!(error, BootstrapError::NoApplication));
    let nowhere =
        characteristic("APPLICATION", &[("APPID", "w7"), ("PROVIDER-ID", "srv")], Vec::new());
    let error = Account::from_provisioning(&provisioning(vec![nowhere], Form::Xml)).unwrap_err();
    assert!(matches!(error, BootstrapError::Missing("ADDR")));
    assert!(Account::from_provisioning(&Bytes::from_static(b"<a/>")).is_err());
}
