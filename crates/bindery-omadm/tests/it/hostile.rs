//! Messages that are not as they should be.

use std::sync::Arc;

use bindery_omadm::{
    Incoming,
    service::{CommandState, DmServerConfig, Order, ResultKind},
};
use bindery_syncml::{Alert, AlertCode, Command, Form, Options, StatusCode, SyncMl, WriteOptions};
use bytes::Bytes;

use crate::support::{Phone, Sending, Site, asked, code_of, now, package_1, statuses};

fn site() -> Site {
    Site::new(DmServerConfig::default()).with_device("phone")
}

fn encode(message: &SyncMl, form: Form) -> Vec<u8> {
    let mut octets = Vec::new();
    message.encode(&mut octets, &WriteOptions::new(form)).unwrap();
    octets
}

#[test]
fn a_message_that_cannot_be_read_gets_400_and_the_queue_goes_on() {
    let site = site();
    for id in ["a", "b"] {
        site.queue("phone", id, Order::get([&*format!("./{id}")]).unwrap());
    }
    let mut phone = Phone { form: Form::Xml, ..Phone::new(&site, "phone") };
    let mut message = phone.begin();
    assert_eq!(asked(&message).count(), 2);
    for round in 0..8 {
        // A device that does not escape what it tells: the commands break off in the middle.
        let mut answer = SyncMl { hdr: phone.header(None), ..SyncMl::default() };
        answer.body.commands = statuses(&message, StatusCode::OK);
        let text = String::from_utf8(encode(&answer, Form::Xml)).unwrap();
        let broken = text.replacen("<Status>", "<Results><Item><Data><evil></Data>", 1);
        assert_ne!(text, broken);
        let sending = Sending { url: &phone.url, ..Sending::default() };
        (message, _) = site.post(broken.into_bytes().into(), &sending);
        assert_eq!(code_of(&message, 0), Some(400), "round {round}");
        match asked(&message).count() {
            0 => break,
            count => assert_eq!(count, 1, "one by one"),
        }
    }
    for id in ["a", "b"] {
        let progress = site.command(id).progress;
        assert_eq!((progress.state, progress.attempts), (CommandState::Failed, 3), "{id}");
    }
    let said = site.results("phone");
    assert!(said.iter().any(|one| one.kind == ResultKind::Session
        && String::from_utf8_lossy(&one.data).contains("cannot be read")));
}

#[test]
fn one_that_cannot_be_read_does_not_cost_what_was_done_well() {
    let site = site();
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let mut phone = Phone { form: Form::Xml, ..Phone::new(&site, "phone") };
    phone.begin();
    let answer = SyncMl { hdr: phone.header(None), ..SyncMl::default() };
    let text = String::from_utf8(encode(&answer, Form::Xml)).unwrap();
    let broken = text.replace("<SyncBody/>", "<SyncBody><x></SyncBody>");
    assert_ne!(text, broken);
    let sending = Sending { url: &phone.url, ..Sending::default() };
    let (message, _) = site.post(broken.into_bytes().into(), &sending);
    let end = phone.obey(&message, StatusCode::OK);
    assert!(end.body.is_final);
    assert_eq!(site.state("a"), (CommandState::Acknowledged, Some(200)));
}

#[test]
fn the_header_has_to_say_who_speaks_and_in_what() {
    let site = site();
    let good = {
        let mut phone = Phone::new(&site, "phone");
        let cred = phone.md5();
        let mut message = SyncMl { hdr: phone.header(Some(cred)), ..SyncMl::default() };
        message.body.is_final = true;
        message
    };
    let post = |message: &SyncMl| {
        let octets = Bytes::from(encode(message, Form::Xml));
        let incoming = Incoming::read(octets, &Options::LENIENT).unwrap();
        let reply = now(site.server.respond(&site.context(None), &incoming));
        code_of(&SyncMl::decode(&reply.octets, &Options::LENIENT).unwrap(), 0)
    };
    let changed = |change: fn(&mut SyncMl)| {
        let mut message = good.clone();
        change(&mut message);
        post(&message)
    };
    assert_eq!(changed(|m| m.hdr.session_id = "".into()), Some(400));
    assert_eq!(changed(|m| m.hdr.source = "".into()), Some(400));
    for msg_id in ["", "0", "-1", "x", "99999999999", "1e3"] {
        let mut message = good.clone();
        message.hdr.msg_id = msg_id.into();
        assert_eq!(post(&message), Some(400), "{msg_id}");
    }
    assert_eq!(post(&good), Some(212));
}

#[test]
fn a_number_given_twice_or_never_is_told_so() {
    let site = site();
    let mut phone = Phone::new(&site, "phone");
    let cred = phone.md5();
    let mut message = SyncMl { hdr: phone.header(Some(cred)), ..SyncMl::default() };
    for cmd in ["1", "1", "0", ""] {
        message.body.commands.push(Alert::new(cmd, AlertCode::GENERIC_ALERT).into());
    }
    message.body.is_final = true;
    let octets = Bytes::from(encode(&message, Form::Wbxml));
    let incoming = Incoming::read(octets, &Options::LENIENT).unwrap();
    let reply = now(site.server.respond(&site.context(None), &incoming));
    let reply = SyncMl::decode(&reply.octets, &Options::LENIENT).unwrap();
    let codes: Vec<_> = reply
        .body
        .commands
        .iter()
        .filter_map(|one| match one {
            Command::Status(status) => Some((status.cmd_ref.to_string(), status.code()?.0)),
            _ => None,
        })
        .collect();
    let expected = [("0", 212), ("1", 200), ("1", 400), ("0", 400), ("", 400)];
    assert_eq!(codes, expected.map(|(cmd, code)| (cmd.to_owned(), code)));
}

#[test]
fn an_old_message_counts_no_more_and_a_gap_is_let_pass() {
    let site = site();
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    phone.msg = 4;
    let answer = phone.say(None, vec![], false);
    assert_eq!(code_of(&answer, 0), Some(200));
    phone.msg = 2;
    let answer = phone.say(None, statuses(&first, StatusCode::OK), true);
    assert_eq!(code_of(&answer, 0), Some(400));
    assert_eq!(site.state("a").0, CommandState::Sent);
}

#[test]
fn statuses_for_what_was_never_asked_change_nothing() {
    let site = site();
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    phone.begin();
    let mut answers = Vec::new();
    for (msg, cmd) in [("1", "77"), ("9", "4"), ("x", "y"), ("", ""), ("1", "99999999999999999999")]
    {
        answers.push(bindery_syncml::Status::of("", msg, cmd, "Get", StatusCode::OK).into());
    }
    let before = site.results("phone").len();
    phone.say(None, answers, false);
    assert_eq!(site.results("phone").len(), before);
    assert_eq!(site.state("a").0, CommandState::Sent);
}

#[test]
fn a_session_has_an_end_however_long_it_is_made() {
    let mut config = DmServerConfig::default();
    config.messages = 5;
    let site = Site::new(config).with_device("phone");
    let mut phone = Phone::new(&site, "phone");
    let cred = phone.md5();
    phone.say(Some(cred), package_1("phone"), false);
    for _ in 0..4 {
        let answer = phone.say(None, vec![], false);
        assert_eq!(crate::support::alerts(&answer), [1222]);
    }
    let answer = phone.say(None, vec![], false);
    assert_eq!(crate::support::alerts(&answer), [1223]);
}

#[test]
fn what_is_kept_of_a_device_is_bounded() {
    let mut config = DmServerConfig::default();
    (config.dev_info, config.client_commands, config.sessions) = (10, 30, 2);
    config.results = std::num::NonZeroU32::new(50).unwrap();
    let site = Site::new(config).with_device("phone");
    let mut nonce = Phone::new(&site, "phone").nonce;
    for session in 0..6 {
        let mut phone = Phone {
            session: session.to_string(),
            nonce: nonce.clone(),
            ..Phone::new(&site, "phone")
        };
        let told = |number: usize| bindery_syncml::Replace {
            items: vec![bindery_syncml::Item {
                source: Some(format!("./DevInfo/X{session}-{number}").as_str().into()),
                data: Some(bindery_syncml::Content::from("v").into()),
                ..Default::default()
            }],
            ..Default::default()
        };
        let cred = phone.md5();
        let commands = (0..40).map(|number| told(number).into()).collect();
        let answer = phone.say(Some(cred), commands, true);
        assert_eq!(code_of(&answer, 0), Some(413), "more commands than the limit");
        nonce = phone.nonce;
    }
    assert_eq!(site.device("phone").dev_info.len(), 10);
    assert!(site.results("phone").len() <= 50);
    let kept = (0..6).filter(|session| site.session("phone", &session.to_string()).is_some());
    assert_eq!(kept.count(), 2);
}

#[test]
fn two_messages_at_once_are_decided_one_after_the_other() {
    let site = Arc::new(site());
    for number in 0..20 {
        site.queue("phone", &format!("c{number}"), Order::get(["./A"]).unwrap());
    }
    let mut phone = Phone::new(&site, "phone");
    let cred = phone.md5();
    let mut message = SyncMl { hdr: phone.header(Some(cred)), ..SyncMl::default() };
    message.body.is_final = true;
    let octets = Bytes::from(encode(&message, Form::Xml));
    let replies: Vec<Bytes> = std::thread::scope(|scope| {
        let post = || {
            let mut incoming = Incoming::read(octets.clone(), &Options::LENIENT).unwrap();
            incoming.url = Some(crate::support::URL.parse().unwrap());
            now(site.server.respond(&site.context(None), &incoming)).octets
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(post)).collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(replies.iter().all(|one| *one == replies[0]), "all get the one answer");
    assert!(site.commands("phone").iter().all(|one| one.progress.attempts == 1));
}

#[test]
fn statuses_that_a_device_leaves_no_room_for_do_not_grow_without_end() {
    let mut config = DmServerConfig::default();
    config.client_commands = 100;
    let site = Site::new(config).with_device("phone");
    let mut phone = Phone { max_msg_size: Some(1), ..Phone::new(&site, "phone") };
    let cred = phone.md5();
    let alerts = || -> Vec<Command> { vec![Alert::new("", AlertCode::GENERIC_ALERT).into(); 100] };
    let mut largest = 0;
    let mut answer = phone.say(Some(cred), alerts(), false);
    for round in 0.. {
        largest = largest.max(site.session("phone", "1").unwrap().state.len());
        if crate::support::alerts(&answer).contains(&1223) {
            break;
        }
        assert!(round < 4, "{largest} octets of state");
        let message = {
            let mut message = SyncMl { hdr: phone.header(None), ..SyncMl::default() };
            for (number, mut command) in (1_u32..).zip(alerts()) {
                command.set_cmd_id(number);
                message.body.commands.push(command);
            }
            message
        };
        answer = phone.send(&message);
    }
    assert!(answer.body.is_final, "the session is over");
    let state = site.session("phone", "1").unwrap().state.len();
    assert!(state < 2_000, "nothing is owed any more: {state} octets");
    let said = site.results("phone");
    assert!(said.iter().any(|one| one.kind == ResultKind::Session
        && String::from_utf8_lossy(&one.data).contains("MaxMsgSize")));
    // The device may come again and is served.
    let mut again =
        Phone { session: "2".to_owned(), nonce: phone.nonce, ..Phone::new(&site, "phone") };
    assert_eq!(code_of(&again.begin(), 0), Some(212));
}

#[test]
fn commands_inside_of_what_is_refused_are_bounded_too() {
    let mut config = DmServerConfig::default();
    config.client_commands = 10;
    let site = Site::new(config).with_device("phone");
    let mut phone = Phone { max_msg_size: Some(1), ..Phone::new(&site, "phone") };
    let cred = phone.md5();
    let inner = |number: u32| -> Command { Alert::new(number, AlertCode::GENERIC_ALERT).into() };
    let atomic = bindery_syncml::Atomic {
        commands: (2..100).map(inner).collect(),
        ..bindery_syncml::Atomic::default()
    };
    let answer = phone.say(Some(cred), vec![atomic.into()], true);
    assert_eq!(crate::support::alerts(&answer), [1223]);
}

/// Both stand in every status and record of an answer: long ones would be multiplied by the message's commands.
#[test]
fn long_numbers_and_names_of_sessions_are_refused() {
    let site = site();
    let mut phone = Phone { form: Form::Xml, ..Phone::new(&site, "phone") };
    let good = SyncMl { hdr: phone.header(None), ..SyncMl::default() };
    let sending = Sending { url: &phone.url, ..Sending::default() };
    for (msg_id, session_id, taken) in [
        ("0000000001".to_owned(), "1".to_owned(), true),
        (format!("{}1", "0".repeat(10)), "1".to_owned(), false),
        (format!("{}1", "0".repeat(100_000)), "1".to_owned(), false),
        ("1".to_owned(), "s".repeat(65), false),
    ] {
        let mut message = good.clone();
        message.hdr.msg_id = msg_id.into();
        message.hdr.session_id = session_id.into();
        let (answer, _) = site.post(encode(&message, Form::Xml).into(), &sending);
        let code = code_of(&answer, 0);
        assert_eq!(code != Some(400), taken, "{code:?}");
    }
}
