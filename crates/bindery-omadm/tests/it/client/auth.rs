//! Who proves what, and what is done for whom.

use bindery_omadm::{
    CredentialDigest, Hmac,
    client::{AuthType, Client, Credential, NodePath, SessionError},
};
use bindery_syncml::{Add, Chal, Command, Content, Cred, Form, Item, Meta, StatusCode, SyncMl};
use bytes::Bytes;

use super::{Server, begin, client, code, finish};

fn proving(auth: AuthType) -> Client {
    let mut client = client();
    client.account.client = Some(Credential::new(auth, "device", "one"));
    client
}

fn add() -> Command {
    let item = Item { data: Some("1".into()), ..Item::to("./Mark") };
    Add { items: vec![item], ..Add::default() }.into()
}

fn was_done(client: &Client) -> bool {
    client.tree.node(&NodePath::parse("./Mark").unwrap()).is_some()
}

fn challenge(scheme: &str, nonce: Option<&[u8]>) -> Box<Chal> {
    let meta = Meta {
        kind: Some(scheme.into()),
        format: Some("b64".into()),
        next_nonce: nonce.map(Content::base64),
        ..Meta::default()
    };
    Box::new(Chal { meta, ..Chal::default() })
}

/// The header's status gets a challenge.
fn with_chal(mut answer: SyncMl, chal: Box<Chal>) -> SyncMl {
    let Some(Command::Status(status)) = answer.body.commands.first_mut() else { panic!() };
    status.chal = Some(chal);
    answer
}

fn scheme(message: &SyncMl) -> (&str, &str) {
    let cred = message.hdr.cred.as_ref().unwrap();
    (cred.meta.as_ref().unwrap().kind.as_deref().unwrap(), cred.data.as_str().unwrap())
}

#[test]
fn credentials_are_sent_until_they_are_taken_for_the_session() {
    for (hdr, again) in [(StatusCode::AUTHENTICATION_ACCEPTED, false), (StatusCode::OK, true)] {
        let mut client = proving(AuthType::Basic);
        let mut conversation = client.begin(begin());
        let mut server = Server::new(Form::Wbxml);
        let first = server.read(&conversation.message().unwrap());
        assert_eq!(scheme(&first), ("syncml:auth-basic", "ZGV2aWNlOm9uZQ=="));
        assert_eq!(first.hdr.source.loc_name.as_deref(), Some("device"));
        let answer = server.answer(&first, hdr, vec![add()]);
        conversation.receive(&server.write(&answer));
        let second = server.read(&conversation.message().unwrap());
        assert_eq!(second.hdr.cred.is_some(), again);
        finish(&mut conversation, &mut server, &second).unwrap();
    }
}

#[test]
fn a_challenge_is_answered_with_its_nonce_and_the_next_nonce_is_kept() {
    let mut client = proving(AuthType::Digest);
    let digest = CredentialDigest::new("device", "one");
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Xml);
    let first = server.read(&conversation.message().unwrap());
    assert_eq!(scheme(&first), ("syncml:auth-md5", &*digest.md5(b"")));
    let answer = server.answer(&first, StatusCode::INVALID_CREDENTIALS, Vec::new());
    let answer = with_chal(answer, challenge("syncml:auth-md5", Some(&[0, 255, 3])));
    conversation.receive(&server.write(&answer));
    // Package 1 again, in the same session, by the next message.
    server.unanswered.clear();
    let second = server.read(&conversation.message().unwrap());
    assert_eq!(scheme(&second), ("syncml:auth-md5", &*digest.md5(&[0, 255, 3])));
    assert_eq!(second.body.commands, first.body.commands);
    assert!(second.body.is_final);
    let answer = server.answer(&second, StatusCode::AUTHENTICATION_ACCEPTED, vec![add()]);
    let answer = with_chal(answer, challenge("syncml:auth-md5", Some(b"next")));
    conversation.receive(&server.write(&answer));
    let third = server.read(&conversation.message().unwrap());
    finish(&mut conversation, &mut server, &third).unwrap();
    assert!(was_done(&client));
    // The next session begins with it.
    assert_eq!(client.account.client.as_ref().unwrap().nonce, "next");
    let mut server = Server::new(Form::Xml);
    let message = server.read(&client.begin(begin()).message().unwrap());
    assert_eq!(scheme(&message).1, digest.md5(b"next"));
}

#[test]
fn a_client_that_is_refused_again_and_again_gives_up() {
    let mut client = proving(AuthType::Digest);
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Xml);
    let mut messages = 0;
    while let Some(message) = conversation.message() {
        server.unanswered.clear();
        messages += 1;
        let read = server.read(&message);
        let answer = server.answer(&read, StatusCode::INVALID_CREDENTIALS, vec![add()]);
        let answer = with_chal(answer, challenge("syncml:auth-md5", Some(b"no")));
        conversation.receive(&server.write(&answer));
    }
    assert_eq!(messages, 3);
    let outcome = conversation.outcome();
    assert!(matches!(outcome, Some(Err(SessionError::Refused(_)))), "{outcome:?}");
    assert!(!was_done(&client));
    // A nonce of somebody who did not take the credentials is not kept.
    assert!(client.account.client.unwrap().nonce.is_empty());
}

#[test]
fn a_password_is_not_given_to_whoever_asks_for_less() {
    for asked in ["syncml:auth-basic", "syncml:auth-other"] {
        let mut client = proving(AuthType::Digest);
        let mut conversation = client.begin(begin());
        let mut server = Server::new(Form::Xml);
        let first = server.read(&conversation.message().unwrap());
        let answer = server.answer(&first, StatusCode::INVALID_CREDENTIALS, Vec::new());
        let answer = with_chal(answer, challenge(asked, None));
        conversation.receive(&server.write(&answer));
        assert!(conversation.message().is_none());
        assert!(matches!(conversation.outcome(), Some(Err(SessionError::Refused(_)))));
    }
}

#[test]
fn a_mac_stands_beside_each_message_under_each_new_nonce() {
    let mut client = proving(AuthType::Hmac);
    client.account.client.as_mut().unwrap().nonce = Bytes::from_static(b"zero");
    let digest = CredentialDigest::new("device", "one");
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Wbxml);
    let mut last = None;
    for (nonce, next) in [("zero", "one"), ("one", "two")] {
        let message = conversation.message().unwrap();
        let hmac = message.hmac.clone().unwrap();
        assert_eq!(hmac.username, "device");
        assert!(hmac.verify(&digest, nonce.as_bytes(), &message.octets));
        let read = server.read(&message);
        assert!(read.hdr.cred.is_none());
        let commands = if nonce == "zero" { vec![add()] } else { Vec::new() };
        let answer = server.answer(&read, StatusCode::OK, commands);
        let answer = with_chal(answer, challenge("syncml:auth-MAC", Some(next.as_bytes())));
        conversation.receive(&server.write(&answer));
        last = conversation.outcome();
    }
    assert!(last.unwrap().is_ok());
    assert_eq!(client.account.client.unwrap().nonce, "two");
}

/// A device that wants its server to prove itself.
fn demanding(auth: AuthType) -> Client {
    let mut client = client();
    client.account.server = Some(Credential::new(auth, "srv", "two"));
    client.account.server.as_mut().unwrap().nonce = Bytes::from_static(b"known");
    client
}

fn prove(answer: &mut SyncMl, nonce: &[u8]) {
    let meta = Meta {
        kind: Some("syncml:auth-md5".into()),
        format: Some("b64".into()),
        ..Meta::default()
    };
    let data = CredentialDigest::new("srv", "two").md5(nonce).into();
    let cred = Cred { meta: Some(Box::new(meta)), data, ..Cred::default() };
    answer.hdr.cred = Some(Box::new(cred));
}

/// The nonce that a message asks to be used next.
fn asked(message: &SyncMl) -> Bytes {
    let Some(Command::Status(status)) = message.body.commands.first() else { panic!() };
    assert_eq!(&*status.cmd, "SyncHdr");
    status.chal.as_ref().unwrap().nonce().unwrap()
}

#[test]
fn nothing_is_done_for_a_server_that_does_not_prove_itself() {
    let mut client = demanding(AuthType::Digest);
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Wbxml);
    let first = server.read(&conversation.message().unwrap());
    let mut read = first;
    let mut seen = Vec::new();
    for (turn, expected) in [(1, 407), (2, 401), (3, 0)] {
        let mut answer = server.answer(&read, StatusCode::OK, vec![add()]);
        if turn > 1 {
            // The nonce of before, although another one was asked for.
            prove(&mut answer, b"known");
        }
        let number = u32::try_from(answer.body.commands.len()).unwrap();
        conversation.receive(&server.write(&answer));
        let Some(message) = conversation.message() else {
            assert_eq!(turn, 3);
            break;
        };
        read = server.read(&message);
        assert_eq!(code(&read, turn, 0), expected);
        assert_eq!(code(&read, turn, number), expected);
        seen.push(asked(&read));
    }
    assert!(matches!(conversation.outcome(), Some(Err(SessionError::ServerUnproved))));
    assert!(!was_done(&client));
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0], seen[1], "a nonce was asked for twice");
    assert_eq!(client.account.server.unwrap().nonce, "known");
}

#[test]
fn a_server_that_proves_itself_is_obeyed_and_gets_the_next_nonce() {
    let mut client = demanding(AuthType::Digest);
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Wbxml);
    let first = server.read(&conversation.message().unwrap());
    // Without, then with what was asked for.
    let answer = server.answer(&first, StatusCode::OK, vec![add()]);
    conversation.receive(&server.write(&answer));
    let second = server.read(&conversation.message().unwrap());
    let mut answer = server.answer(&second, StatusCode::OK, vec![add()]);
    prove(&mut answer, &asked(&second));
    let number = u32::try_from(answer.body.commands.len()).unwrap();
    conversation.receive(&server.write(&answer));
    let third = server.read(&conversation.message().unwrap());
    assert_eq!((code(&third, 2, 0), code(&third, 2, number)), (212, 200));
    let next = asked(&third);
    // 212 holds for the session.
    let summary = finish(&mut conversation, &mut server, &third).unwrap();
    assert!(summary.server_proved && was_done(&client));
    let kept = client.account.server.unwrap();
    assert_eq!((kept.nonce, kept.spent), (next, false));
}

#[test]
fn a_nonce_that_was_used_without_an_answer_proves_no_other_message() {
    let mut client = demanding(AuthType::Digest);
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Wbxml);
    let first = server.read(&conversation.message().unwrap());
    // Nothing is wanted, so nothing is answered, and no other nonce told.
    let mut answer = server.answer(&first, StatusCode::OK, Vec::new());
    prove(&mut answer, b"known");
    conversation.receive(&server.write(&answer));
    assert!(conversation.message().is_none());
    assert!(conversation.outcome().unwrap().unwrap().server_proved);

    // Somebody who heard it uses it for more.
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Wbxml);
    let first = server.read(&conversation.message().unwrap());
    let mut answer = server.answer(&first, StatusCode::OK, vec![add()]);
    prove(&mut answer, b"known");
    conversation.receive(&server.write(&answer));
    let second = server.read(&conversation.message().unwrap());
    assert_eq!(code(&second, 1, 0), 401);
    // The server itself can use the nonce that it is told.
    let mut answer = server.answer(&second, StatusCode::OK, vec![add()]);
    prove(&mut answer, &asked(&second));
    conversation.receive(&server.write(&answer));
    let third = server.read(&conversation.message().unwrap());
    assert_eq!(code(&third, 2, 0), 212);
    assert!(was_done(&client));
}

#[test]
fn a_servers_mac_is_wanted_with_each_message() {
    let mut client = demanding(AuthType::Hmac);
    let digest = CredentialDigest::new("srv", "two");
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Wbxml);
    let first = server.read(&conversation.message().unwrap());
    let answer = server.answer(&first, StatusCode::OK, vec![add()]);
    let mut incoming = server.write(&answer);
    incoming.hmac = Some(Hmac::sign("srv", &digest, b"known", &incoming.octets));
    conversation.receive(&incoming);
    let second = server.read(&conversation.message().unwrap());
    assert_eq!(code(&second, 1, 0), 200);
    let nonce = asked(&second);
    // Over other octets, then by nobody, then too often.
    for expected in [401, 407, 0] {
        let read = server.got.last().unwrap().clone();
        let answer = server.answer(&read, StatusCode::OK, vec![add()]);
        let mut incoming = server.write(&answer);
        if expected == 401 {
            incoming.hmac = Some(Hmac::sign("srv", &digest, &nonce, b"other octets"));
        }
        conversation.receive(&incoming);
        let Some(message) = conversation.message() else {
            assert_eq!(expected, 0);
            continue;
        };
        let read = server.read(&message);
        assert_eq!(code(&read, server.msg_id, 0), expected);
    }
    assert!(matches!(conversation.outcome(), Some(Err(SessionError::ServerUnproved))));
}
