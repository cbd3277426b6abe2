//! Sessions from the first message to the last.

use std::time::Duration;

use bindery_omadm::service::{CommandState, DmServerConfig, Order, ResultKind, Value};
use bindery_syncml::{
    Alert, AlertCode, Command, Content, Form, Get, Item, Meta, Status, StatusCode, SyncMl,
};

use crate::support::{
    Phone, Site, account, alerts, asked, code_of, package_1, results, status_for, statuses,
};

fn site() -> Site {
    Site::new(DmServerConfig::default()).with_device("phone")
}

#[test]
fn a_session_runs_from_the_challenge_to_the_end() {
    for form in [Form::Xml, Form::Wbxml] {
        let site = site();
        site.queue("phone", "get", Order::get(["./DevDetail/SwV", "./Nowhere"]).unwrap());
        site.queue("phone", "set", Order::replace(Value::new("./A", "chr", "x<&")).unwrap());
        let mut phone = Phone { form, ..Phone::new(&site, "phone") };
        let challenged = phone.say(None, package_1("phone"), true);
        assert_eq!(code_of(&challenged, 0), Some(407));
        assert_eq!((code_of(&challenged, 1), code_of(&challenged, 2)), (Some(407), Some(407)));
        assert!(challenged.body.is_final && asked(&challenged).next().is_none());

        let first = phone.begin();
        assert_eq!(first.hdr.msg_id, *"2");
        assert_eq!(code_of(&first, 0), Some(212));
        assert_eq!((code_of(&first, 1), code_of(&first, 2)), (Some(200), Some(200)));
        let commands: Vec<&Command> = asked(&first).collect();
        assert!(matches!(commands[..], [Command::Get(_), Command::Replace(_)]), "{commands:?}");
        assert!(first.body.is_final);
        assert_eq!(site.state("get"), (CommandState::Sent, None));

        let mut answers = statuses(&first, StatusCode::OK);
        answers.push(results(&first, commands[0], "./DevDetail/SwV", "7.1".into()).into());
        let last = phone.say(None, answers, true);
        assert_eq!(code_of(&last, 0), Some(200));
        assert!(last.body.is_final && asked(&last).next().is_none(), "only Final ends the session");
        assert_eq!(site.state("get"), (CommandState::Acknowledged, Some(200)));
        assert_eq!(site.state("set"), (CommandState::Acknowledged, Some(200)));
        let told = site.results("phone");
        let swv = told.iter().find(|entry| entry.kind == ResultKind::Results).unwrap();
        assert_eq!((&*swv.uri, &*swv.data), ("./DevDetail/SwV", &b"7.1"[..]));
        assert_eq!(swv.command.as_deref(), Some("get"));
        let info = site.device("phone").dev_info;
        assert_eq!(info["Man"], "Acme");
        assert_eq!(info["DevId"], "phone");
    }
}

#[test]
fn the_last_message_again_gets_the_same_octets_and_does_nothing_twice() {
    let site = site();
    site.queue("phone", "get", Order::get(["./A"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let url = phone.url.clone();
    let first = phone.begin();
    let (_, one) = phone.again();
    let known = site.results("phone").len();
    // Over another connection, to the address that the message was sent to first.
    phone.url = url;
    let (_, two) = phone.again();
    assert_eq!(one, two);
    assert_eq!(site.results("phone").len(), known);
    assert_eq!(site.command("get").progress.attempts, 1);

    let get = asked(&first).next().unwrap().clone();
    let mut answers = statuses(&first, StatusCode::OK);
    answers.push(results(&first, &get, "./A", "1".into()).into());
    let end = phone.say(None, answers, true);
    let known = site.results("phone").len();
    let (again, _) = phone.again();
    assert_eq!(again, end, "also the one that ended the session");
    assert_eq!(site.results("phone").len(), known);
}

#[test]
fn sessions_go_on_in_another_process_over_the_same_store() {
    let one = site();
    one.queue("phone", "a", Order::get(["./A"]).unwrap());
    let two = Site::over(one.store.clone(), DmServerConfig::default());
    let mut phone = Phone::new(&one, "phone");
    let first = phone.begin();
    phone.site = &two;
    let last = phone.obey(&first, StatusCode::OK);
    assert!(asked(&last).next().is_none());
    assert_eq!(one.state("a"), (CommandState::Acknowledged, Some(200)));
    phone.site = &one;
    let (again, _) = phone.again();
    assert_eq!(again, last);
}

#[test]
fn session_0_of_a_device_with_a_certificate_is_a_session() {
    let site = Site::new(DmServerConfig::default());
    site.register("windows", None, None);
    site.queue("windows", "a", Order::get(["./A"]).unwrap());
    for round in 0..2 {
        let mut phone = Phone {
            session: "0".to_owned(),
            principal: Some("windows".to_owned()),
            form: Form::Xml,
            ..Phone::new(&site, "windows")
        };
        let first = phone.say(None, package_1("windows"), true);
        assert_eq!(code_of(&first, 0), Some(200), "round {round}");
        assert!(first.hdr.resp_uri.is_none(), "the certificate says who goes on");
        assert_eq!(asked(&first).count(), 1 - round, "the number again begins a new session");
        phone.obey(&first, StatusCode::OK);
    }
    assert_eq!(site.state("a"), (CommandState::Acknowledged, Some(200)));
}

#[test]
fn a_package_in_several_messages_is_asked_for_message_by_message() {
    let site = site();
    site.queue("phone", "a", Order::get(["./A", "./B"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    let get = asked(&first).next().unwrap().clone();
    let part = vec![
        Status::of("", first.hdr.msg_id.clone(), 0_u32, "SyncHdr", StatusCode::OK).into(),
        status_for(&first, &get, StatusCode::OK),
        results(&first, &get, "./A", "1".into()).into(),
    ];
    let next = phone.say(None, part, false);
    assert_eq!(alerts(&next), [1222]);
    assert!(!next.body.is_final);
    assert_eq!(site.state("a").0, CommandState::Sent, "the package is not over");
    let rest = vec![results(&first, &get, "./B", "2".into()).into()];
    let end = phone.say(None, rest, true);
    assert!(end.body.is_final);
    assert_eq!(site.state("a"), (CommandState::Acknowledged, Some(200)));
    let values: Vec<_> = site
        .results("phone")
        .into_iter()
        .filter(|entry| entry.kind == ResultKind::Results)
        .map(|entry| entry.uri)
        .collect();
    assert_eq!(values, ["./A", "./B"]);
}

#[test]
fn an_abort_of_the_device_ends_the_session_and_the_queue_keeps_what_was_not_answered() {
    let site = site();
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    site.queue("phone", "b", Order::get(["./B"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    let done = asked(&first).next().unwrap().clone();
    let end = phone.say(
        None,
        vec![
            status_for(&first, &done, StatusCode::OK),
            Alert::new("", AlertCode::SESSION_ABORT).into(),
        ],
        true,
    );
    assert!(end.body.is_final && asked(&end).next().is_none(), "{end:?}");
    assert_eq!(site.state("a"), (CommandState::Acknowledged, Some(200)));
    assert_eq!(site.state("b"), (CommandState::Queued, None));
    // What comes afterwards is not the session's.
    let after = phone.say(None, statuses(&first, StatusCode::OK), true);
    assert_eq!((code_of(&after, 0), &*alerts(&after)), (Some(200), &[1223][..]));
    assert_eq!(site.state("b"), (CommandState::Queued, None));
}

#[test]
fn a_session_that_was_silent_too_long_is_over_and_a_new_one_takes_its_commands() {
    let site = site();
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let mut phone = Phone { session: "7".to_owned(), ..Phone::new(&site, "phone") };
    let first = phone.begin();
    site.passes(Duration::from_secs(3600));
    let cred = phone.md5();
    let late = phone.say(Some(cred), statuses(&first, StatusCode::OK), true);
    assert_eq!(alerts(&late), [1223]);
    assert_eq!(site.state("a").0, CommandState::Sent, "what a lost session says does not count");
    let mut phone =
        Phone { session: "8".to_owned(), nonce: phone.nonce, ..Phone::new(&site, "phone") };
    let first = phone.begin();
    assert_eq!(asked(&first).count(), 1);
    phone.obey(&first, StatusCode::OK);
    assert_eq!(site.state("a"), (CommandState::Acknowledged, Some(200)));
}

#[test]
fn what_a_device_may_not_send_is_refused_and_the_rest_is_taken() {
    let site = site();
    let mut phone = Phone::new(&site, "phone");
    phone.begin();
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let elsewhere = Item {
        source: Some("./Vendor/X".into()),
        data: Some(Content::from("1").into()),
        ..Item::default()
    };
    let mut commands = package_1("phone");
    commands.push(Get { items: vec![Item::to("./X")], ..Get::default() }.into());
    commands.push(bindery_syncml::Replace { items: vec![elsewhere], ..Default::default() }.into());
    commands.push(Alert::new("", AlertCode(1100)).into());
    commands.push(bindery_syncml::Put::default().into());
    let inner =
        vec![Command::from(bindery_syncml::Add { cmd_id: "9".into(), ..Default::default() })];
    commands.push(bindery_syncml::Atomic { commands: inner, ..Default::default() }.into());
    let mut phone =
        Phone { session: "2".to_owned(), nonce: phone.nonce, ..Phone::new(&site, "phone") };
    let cred = phone.md5();
    let answer = phone.say(Some(cred), commands, true);
    let codes: Vec<_> = (0..=7).map(|cmd| code_of(&answer, cmd).unwrap()).collect();
    assert_eq!(codes, [212, 200, 200, 405, 405, 406, 406, 405]);
    assert_eq!(code_of(&answer, 9), Some(215));
    assert_eq!(asked(&answer).count(), 1, "the queue goes on");
    assert!(!site.device("phone").dev_info.contains_key("Vendor/X"));
}

#[test]
fn alerts_of_the_device_are_kept() {
    let site = site();
    let mut phone = Phone::new(&site, "phone");
    let mut commands = package_1("phone");
    let meta = Meta { kind: Some("com.example:battery".into()), ..Meta::default() };
    let item = Item {
        source: Some("./Battery".into()),
        meta: Some(Box::new(meta)),
        data: Some(Content::from("low").into()),
        ..Item::default()
    };
    let alert = Alert { items: vec![item], ..Alert::new("", AlertCode::GENERIC_ALERT) };
    commands.push(alert.into());
    let cred = phone.md5();
    let answer = phone.say(Some(cred), commands, true);
    assert_eq!(code_of(&answer, 3), Some(200));
    let kept = site.results("phone");
    let alert = kept.iter().find(|entry| entry.kind == ResultKind::Alert).unwrap();
    assert_eq!(alert.uri, "./Battery");
    assert_eq!(&*alert.data, b"1226 (Generic alert) com.example:battery: low");
}

#[test]
fn versions_that_are_not_spoken_are_told_so() {
    let site = site();
    let mut phone = Phone::new(&site, "phone");
    let say = |phone: &mut Phone<'_>, dtd: &str, proto: &str| -> SyncMl {
        let cred = phone.md5();
        let mut message = SyncMl { hdr: phone.header(Some(cred)), ..SyncMl::default() };
        (message.hdr.ver_dtd, message.hdr.ver_proto) = (dtd.into(), proto.into());
        message.body.is_final = true;
        phone.send(&message)
    };
    assert_eq!(code_of(&say(&mut phone, "2.0", "DM/1.2"), 0), Some(505));
    assert_eq!(code_of(&say(&mut phone, "1.2", "DM/2.0"), 0), Some(513));
    assert_eq!(code_of(&say(&mut phone, "1.2", "DM/1.3"), 0), Some(212));
}

#[test]
fn no_resp_is_kept_to() {
    let site = site();
    let mut phone = Phone::new(&site, "phone");
    let cred = phone.md5();
    let mut message = SyncMl { hdr: phone.header(Some(cred)), ..SyncMl::default() };
    message.hdr.no_resp = true;
    for (number, mut command) in (1_u32..).zip(package_1("phone")) {
        command.set_cmd_id(number);
        message.body.commands.push(command);
    }
    message.body.is_final = true;
    let answer = phone.send(&message);
    assert!(answer.body.commands.is_empty(), "{answer:?}");
    assert!(answer.body.is_final);
    assert_eq!(site.device("phone").dev_info["Man"], "Acme");
}

#[test]
fn statuses_that_one_message_cannot_hold_come_with_the_next() {
    let site = site();
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let mut phone =
        Phone { max_msg_size: Some(2_000), form: Form::Xml, ..Phone::new(&site, "phone") };
    let mut commands = package_1("phone");
    for _ in 0..40 {
        commands.push(Alert::new("", AlertCode::GENERIC_ALERT).into());
    }
    let cred = phone.md5();
    let mut answer = phone.say(Some(cred), commands, true);
    let mut codes = Vec::new();
    for _ in 0..20 {
        let mine = answer.body.commands.iter().filter_map(|command| match command {
            Command::Status(status) if *status.msg_ref == *"1" && *status.cmd_ref != *"0" => {
                Some(status.cmd_ref.to_string())
            }
            _ => None,
        });
        codes.extend(mine);
        if answer.body.is_final {
            break;
        }
        assert!(asked(&answer).next().is_none(), "first the statuses");
        let alert = Alert::new("", AlertCode::NEXT_MESSAGE);
        answer = phone.say(None, vec![alert.into()], false);
    }
    let expected: Vec<_> = (1..=42).map(|number: u32| number.to_string()).collect();
    assert_eq!(codes, expected);
    assert_eq!(asked(&answer).count(), 1, "and then the queue");
}

#[test]
fn an_operator_may_take_the_session_for_the_device() {
    let mut config = DmServerConfig::default();
    config.bind_to_address = false;
    let site = Site::new(config);
    site.register("phone", Some(account("phone")), None);
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    assert!(first.hdr.resp_uri.is_none());
    assert_eq!(code_of(&first, 0), Some(212));
    let next = phone.obey(&first, StatusCode::OK);
    assert_eq!(code_of(&next, 0), Some(200));
    assert_eq!(site.state("a").0, CommandState::Acknowledged);
}
