//! Large objects in both directions.

use bindery_omadm::service::{CommandState, DmServerConfig, Order, ResultKind, Value};
use bindery_syncml::{
    Add, Alert, AlertCode, Command, Content, Form, Item, Meta, Replace, Status, StatusCode, SyncMl,
};
use bytes::Bytes;

use crate::support::{Phone, Site, alerts, asked, code_of, results, status_for, statuses};

fn site() -> Site {
    Site::new(DmServerConfig::default()).with_device("phone")
}

fn octets(length: usize) -> Vec<u8> {
    (0..length).map(|at| at.wrapping_mul(31).to_le_bytes()[1] ^ at.to_le_bytes()[0]).collect()
}

/// The only item of the only command of a message.
fn item(message: &SyncMl) -> (&Command, &Item) {
    let commands: Vec<_> = asked(message).collect();
    match commands[..] {
        [command @ Command::Add(Add { items, .. })]
        | [command @ Command::Replace(Replace { items, .. })] => {
            (command, <&[Item; 1]>::try_from(items.as_slice()).map(|one| &one[0]).unwrap())
        }
        _ => panic!("{commands:?}"),
    }
}

/// Takes an object in pieces as a device does; gives its octets and the number of pieces.
fn take(phone: &mut Phone<'_>, mut message: SyncMl) -> (Vec<u8>, usize, SyncMl) {
    let (mut whole, mut pieces, mut said) = (Vec::new(), 0, None);
    loop {
        let (command, item) = item(&message);
        let meta = item.meta.as_ref();
        match pieces {
            0 => said = Some(meta.unwrap().size.unwrap()),
            _ => assert_eq!(meta.and_then(|meta| meta.size), None, "Size in the first piece only"),
        }
        pieces += 1;
        let content = &item.data.as_ref().unwrap().content;
        let piece = content.octets(None).unwrap();
        assert!(!piece.is_empty());
        whole.extend_from_slice(&piece);
        assert_eq!(message.body.is_final, !item.more_data, "Final with the last piece");
        let header = Status::of("", message.hdr.msg_id.clone(), 0_u32, "SyncHdr", StatusCode::OK);
        if !item.more_data {
            assert_eq!(whole.len() as u64, said.unwrap());
            let status = status_for(&message, command, StatusCode::OK);
            let end = phone.say(None, vec![header.into(), status], true);
            return (whole, pieces, end);
        }
        let status = status_for(&message, command, StatusCode(213));
        let next = Alert::new("", AlertCode::NEXT_MESSAGE);
        message = phone.say(None, vec![header.into(), status, next.into()], false);
    }
}

#[test]
fn five_megabytes_go_to_the_device_in_messages_of_ten_kilobytes() {
    let plain = octets(5_000_000);
    for form in [Form::Wbxml, Form::Xml] {
        let site = site();
        let value = Value::new("./Firmware", "bin", Bytes::from(plain.clone()));
        site.queue("phone", "big", Order::replace(value).unwrap());
        site.queue("phone", "after", Order::get(["./A"]).unwrap());
        let mut phone = Phone { form, max_msg_size: Some(10_240), ..Phone::new(&site, "phone") };
        let first = phone.begin();
        let (came, pieces, end) = take(&mut phone, first);
        let came = match form {
            Form::Xml => {
                Content::from(String::from_utf8(came).unwrap()).octets(Some("b64")).unwrap()
            }
            _ => came.into(),
        };
        assert!(came == plain, "the same octets");
        let expected = if form == Form::Xml { 650..1_000 } else { 480..700 };
        assert!(expected.contains(&pieces), "{pieces}");
        assert_eq!(site.state("big"), (CommandState::Acknowledged, Some(200)));
        assert_eq!(asked(&end).count(), 1, "then the queue goes on");
    }
}

#[test]
fn text_is_cut_between_characters_and_escaped_within_the_limit() {
    let text = "a<b>&c\u{e9}\u{20ac}\u{1f600}".repeat(2_000);
    for form in [Form::Wbxml, Form::Xml] {
        let site = site();
        site.queue("phone", "big", Order::add(Value::new("./T", "chr", text.as_str())).unwrap());
        let mut phone = Phone { form, max_msg_size: Some(2_048), ..Phone::new(&site, "phone") };
        let first = phone.begin();
        let (came, pieces, _) = take(&mut phone, first);
        assert!(came == text.as_bytes());
        assert!(pieces > 10);
    }
}

#[test]
fn data_of_middle_size_that_is_short_in_the_queue_goes_in_pieces_too() {
    let site = site();
    let text = "x".repeat(3_000);
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    site.queue("phone", "mid", Order::replace(Value::new("./T", "chr", text.as_str())).unwrap());
    let mut phone = Phone { max_msg_size: Some(1_500), ..Phone::new(&site, "phone") };
    let first = phone.begin();
    assert_eq!(asked(&first).count(), 1, "an object begins in a message of its own");
    let second = phone.obey(&first, StatusCode::OK);
    let (came, pieces, _) = take(&mut phone, second);
    assert_eq!(came, text.as_bytes());
    assert!(pieces >= 3);
}

#[test]
fn a_piece_that_the_device_refuses_ends_the_object_and_not_the_session() {
    let site = site();
    let big = Bytes::from(octets(50_000));
    site.queue("phone", "big", Order::replace(Value::new("./F", "bin", big)).unwrap());
    site.queue("phone", "after", Order::get(["./A"]).unwrap());
    let mut phone = Phone { max_msg_size: Some(5_000), ..Phone::new(&site, "phone") };
    let first = phone.begin();
    let status = status_for(&first, item(&first).0, StatusCode(420));
    let next = phone.say(None, vec![status], true);
    assert_eq!(site.state("big"), (CommandState::Failed, Some(420)));
    assert!(site.command("big").progress.explanation.unwrap().contains("full"));
    assert!(matches!(asked(&next).collect::<Vec<_>>()[..], [Command::Get(_)]));
}

#[test]
fn what_is_larger_than_the_device_takes_is_not_sent() {
    let site = site();
    let big = Bytes::from(octets(50_000));
    site.queue("phone", "big", Order::replace(Value::new("./F", "bin", big)).unwrap());
    let uris: Vec<String> = (0..200).map(|n| format!("./A/rather/long/{n}")).collect();
    let get = Order::get(uris.iter().map(String::as_str)).unwrap();
    site.queue("phone", "wide", get);
    site.queue("phone", "after", Order::get(["./A"]).unwrap());
    let mut phone = Phone {
        max_msg_size: Some(2_000),
        max_obj_size: Some(40_000),
        ..Phone::new(&site, "phone")
    };
    let first = phone.begin();
    assert_eq!(site.state("big"), (CommandState::Failed, Some(416)));
    assert!(site.command("big").progress.explanation.unwrap().contains("40000"));
    assert_eq!(site.state("wide").0, CommandState::Failed);
    assert!(site.command("wide").progress.explanation.unwrap().contains("2000"));
    assert_eq!(asked(&first).count(), 1);
}

/// A Results in pieces of `length`, of which the first says `size`.
fn give(
    phone: &mut Phone<'_>,
    first: &SyncMl,
    content: &[Content],
    size: u64,
    format: &str,
) -> Vec<SyncMl> {
    let get = asked(first).next().unwrap().clone();
    let mut answers = Vec::new();
    for (at, piece) in content.iter().enumerate() {
        let mut command = results(first, &get, "./Log", piece.clone());
        let last = at + 1 == content.len();
        command.items[0].more_data = !last;
        if at == 0 {
            let meta = Meta { size: Some(size), format: Some(format.into()), ..Meta::default() };
            command.items[0].meta = Some(Box::new(meta));
        }
        let mut commands = if at == 0 { statuses(first, StatusCode::OK) } else { vec![] };
        commands.push(command.into());
        answers.push(phone.say(None, commands, last));
    }
    answers
}

fn code_of_results(message: &SyncMl) -> Vec<u16> {
    let code = |command: &Command| match command {
        Command::Status(status) if &*status.cmd == "Results" => status.code().map(|code| code.0),
        _ => None,
    };
    message.body.commands.iter().filter_map(code).collect()
}

#[test]
fn five_megabytes_come_from_the_device_in_messages_of_ten_kilobytes() {
    let plain = octets(5_000_000);
    let raw: Vec<Content> =
        plain.chunks(9_600).map(|piece| Content::Opaque(Bytes::copy_from_slice(piece))).collect();
    let Content::Text(all) = Content::base64(&plain) else { panic!() };
    let text: Vec<Content> = all
        .as_bytes()
        .chunks(9_600)
        .map(|piece| Content::from(std::str::from_utf8(piece).unwrap()))
        .collect();
    let sizes = [plain.len() as u64, all.len() as u64];
    for (form, pieces, size, format) in [
        (Form::Wbxml, &raw, sizes[0], "bin"),
        (Form::Xml, &text, sizes[1], "b64"),
        (Form::Xml, &text, sizes[0], "b64"),
    ] {
        let site = site();
        site.queue("phone", "log", Order::get(["./Log"]).unwrap());
        let mut phone = Phone { form, ..Phone::new(&site, "phone") };
        let first = phone.begin();
        let answers = give(&mut phone, &first, pieces, size, format);
        let (last, before) = answers.split_last().unwrap();
        for answer in before {
            assert_eq!(code_of_results(answer), [213]);
            assert_eq!(alerts(answer), [1222]);
        }
        assert_eq!(code_of_results(last), [200]);
        let found = site.results("phone");
        let entry = found.iter().find(|one| one.kind == ResultKind::Results).unwrap();
        assert!(entry.data == plain, "{} octets", entry.data.len());
        assert_eq!((&*entry.uri, entry.command.as_deref()), ("./Log", Some("log")));
        assert_eq!(site.state("log"), (CommandState::Acknowledged, Some(200)));
    }
}

#[test]
fn an_object_of_another_size_than_it_said_does_not_count() {
    let pieces: Vec<Content> = vec!["aaaa".into(), "bbbb".into(), "cc".into()];
    for (size, codes) in [(11, [213, 213, 424]), (9, [213, 213, 424]), (6, [213, 424, 424])] {
        let site = site();
        site.queue("phone", "log", Order::get(["./Log"]).unwrap());
        let mut phone = Phone::new(&site, "phone");
        let first = phone.begin();
        let answers = give(&mut phone, &first, &pieces, size, "chr");
        let found: Vec<_> = answers.iter().flat_map(code_of_results).collect();
        assert_eq!(found, codes, "{size}");
        let kept = site.results("phone");
        assert!(kept.iter().all(|one| one.kind != ResultKind::Results), "{kept:?}");
    }
}

#[test]
fn an_object_without_a_size_or_beyond_the_limit_is_refused() {
    let site = site();
    site.queue("phone", "log", Order::get(["./Log"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    let get = asked(&first).next().unwrap().clone();
    let mut piece = results(&first, &get, "./Log", "abc".into());
    piece.items[0].more_data = true;
    let answer = phone.say(None, vec![piece.clone().into()], false);
    assert_eq!(code_of(&answer, 1), Some(411));
    let meta = Meta { size: Some(1 << 40), ..Meta::default() };
    piece.items[0].meta = Some(Box::new(meta));
    let answer = phone.say(None, vec![piece.into()], false);
    assert_eq!(code_of(&answer, 1), Some(416));
}

#[test]
fn a_command_in_the_middle_of_an_object_is_told_of_with_1225() {
    let site = site();
    site.queue("phone", "log", Order::get(["./Log", "./Other"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    let get = asked(&first).next().unwrap().clone();
    let meta = Meta { size: Some(100), ..Meta::default() };
    let mut piece = results(&first, &get, "./Log", "abc".into());
    piece.items[0].more_data = true;
    piece.items[0].meta = Some(Box::new(meta));
    phone.say(None, vec![piece.into()], false);
    let other = results(&first, &get, "./Other", "whole".into());
    let answer = phone.say(None, vec![other.into()], true);
    assert!(alerts(&answer).contains(&1225), "{answer:?}");
    let kept: Vec<_> = site
        .results("phone")
        .into_iter()
        .filter(|one| one.kind == ResultKind::Results)
        .map(|one| one.data)
        .collect();
    assert_eq!(kept, ["whole"], "half an object is nothing");
}

#[test]
fn the_server_begins_an_object_anew_when_the_device_missed_its_end() {
    let site = site();
    let big = Bytes::from(octets(20_000));
    site.queue("phone", "big", Order::replace(Value::new("./F", "bin", big.clone())).unwrap());
    let mut phone = Phone { max_msg_size: Some(5_000), ..Phone::new(&site, "phone") };
    let first = phone.begin();
    let header = Status::of("", first.hdr.msg_id.clone(), 0_u32, "SyncHdr", StatusCode::OK);
    let missed = Alert::new("", AlertCode::NO_END_OF_DATA);
    let again = phone.say(None, vec![header.into(), missed.into()], true);
    let (came, _, _) = take(&mut phone, again);
    assert!(came == big);
    assert_eq!(site.state("big"), (CommandState::Acknowledged, Some(200)));
}
