//! Large objects both ways, and messages of a size.

use bindery_omadm::client::NodePath;
use bindery_syncml::{
    AlertCode, Command, Form, Get, Item, Meta, Replace, Results, StatusCode, SyncMl,
};

use super::{Server, begin, client, code, is_alert, next_message};

const LARGE: usize = 5 << 20;

fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

/// A text that shows where each of its parts belongs, with what XML has to escape.
fn text(length: usize) -> String {
    let mut text = String::with_capacity(length + 16);
    while text.len() < length {
        text.push_str(&format!("<{}&ä>", text.len()));
    }
    let mut end = length;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

fn results(message: &SyncMl) -> Vec<&Results> {
    let commands = message.body.commands.iter();
    commands
        .filter_map(|command| match command {
            Command::Results(results) => Some(results),
            _ => None,
        })
        .collect()
}

/// All that a Get gives, however many messages it takes.
fn fetch(
    form: Form,
    uri: &str,
    limit: u64,
    put: impl FnOnce(&mut bindery_omadm::client::Tree),
) -> (Vec<Item>, usize) {
    let mut client = client();
    client.config.form = form;
    client.config.max_messages = 5_000;
    put(&mut client.tree);
    let mut conversation = client.begin(begin());
    let mut server = Server::new(form);
    let first = server.read(&conversation.message().unwrap());
    server.max_msg_size = Some(limit);
    let get: Command = Get { items: vec![Item::to(uri)], ..Get::default() }.into();
    let mut answer = server.answer(&first, StatusCode::OK, vec![get]);
    let (mut items, mut messages): (Vec<(Item, Vec<String>)>, _) = (Vec::new(), 0);
    let mut more = false;
    loop {
        conversation.receive(&server.write(&answer));
        let Some(message) = conversation.message() else { break };
        let read = server.read(&message);
        messages += 1;
        for item in results(&read).into_iter().flat_map(|results| results.items.clone()) {
            let size = item.meta.as_ref().and_then(|meta| meta.size);
            assert_eq!(size.is_some(), item.more_data && !more, "Size stands in the first piece");
            let piece = item.data.as_ref().map(|data| data.as_str().unwrap().to_owned());
            match items.last_mut().filter(|_| more) {
                Some((open, pieces)) => {
                    assert_eq!(open.source, item.source);
                    pieces.extend(piece);
                }
                None => items.push((item.clone(), piece.into_iter().collect())),
            }
            more = item.more_data;
        }
        let commands = if read.body.is_final { Vec::new() } else { vec![next_message()] };
        answer = server.answer(&read, StatusCode::OK, commands);
        if !read.body.is_final {
            answer.body.is_final = false;
        }
    }
    assert!(!more);
    conversation.outcome().unwrap().unwrap();
    let whole = items.into_iter().map(|(mut item, pieces)| {
        item.data = item.data.map(|_| pieces.concat().into());
        item
    });
    (whole.collect(), messages)
}

#[test]
fn a_large_value_comes_in_pieces_of_the_servers_size() {
    for form in [Form::Wbxml, Form::Xml] {
        let whole = text(LARGE);
        let (items, messages) = fetch(form, "./Large", 10 << 10, |tree| {
            tree.put_text(&path("./Large"), &whole).unwrap();
        });
        let [item] = &items[..] else { panic!("{} items", items.len()) };
        assert!(item.data.as_ref().unwrap().as_str() == Some(&whole), "not what was there");
        assert_eq!(item.meta.as_ref().unwrap().size, Some(whole.len() as u64));
        assert!(messages > LARGE / (10 << 10) && messages < 3 * LARGE / (10 << 10), "{messages}");
    }
}

#[test]
fn many_values_come_in_several_messages_and_none_twice() {
    let (items, messages) = fetch(Form::Wbxml, "./Many?list=StructData", 2_000, |tree| {
        for number in 0..300 {
            let value = format!("value {number}");
            tree.put_text(&path(&format!("./Many/{number:03}")), &value).unwrap();
        }
        tree.put_text(&path("./Many/150x"), &text(5_000)).unwrap();
    });
    assert!(messages > 5);
    let uris: Vec<_> = items.iter().map(|item| item.uri().unwrap()).collect();
    let mut expected: Vec<_> = (0..300).map(|number| format!("./Many/{number:03}")).collect();
    expected.insert(151, "./Many/150x".to_owned());
    expected.insert(0, "./Many".to_owned());
    assert_eq!(uris, expected);
    assert_eq!(items[152].data.as_ref().unwrap().as_str(), Some(&*text(5_000)));
}

#[test]
fn what_the_server_does_not_take_is_not_sent() {
    let mut client = client();
    client.tree.put_text(&path("./Large"), &text(1001)).unwrap();
    client.tree.put_text(&path("./Small"), &text(1000)).unwrap();
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Wbxml);
    server.max_obj_size = Some(1000);
    let get = |uri| -> Command { Get { items: vec![Item::to(uri)], ..Get::default() }.into() };
    let back =
        super::exchange(&mut conversation, &mut server, vec![get("./Large"), get("./Small")]);
    assert_eq!((code(&back, 1, 4), code(&back, 1, 5)), (413, 200));
    assert_eq!(results(&back).len(), 1);
}

/// A piece of a Replace.
fn piece(uri: &str, data: &str, size: Option<usize>, more: bool) -> Command {
    let meta = size.map(|size| {
        Box::new(Meta { size: Some(size as u64), format: Some("chr".into()), ..Meta::default() })
    });
    let item = Item { meta, data: Some(data.into()), more_data: more, ..Item::to(uri) };
    Replace { items: vec![item], ..Replace::default() }.into()
}

/// Sends pieces, one a message; the status of each, and whether the device said 1225 with it.
fn send(client: &mut bindery_omadm::client::Client, pieces: Vec<Command>) -> Vec<(u16, bool)> {
    let mut conversation = client.begin(begin());
    let mut server = Server::new(Form::Wbxml);
    let mut read = server.read(&conversation.message().unwrap());
    let mut found = Vec::new();
    let last = pieces.len() - 1;
    for (at, piece) in pieces.into_iter().enumerate() {
        let mut answer = server.answer(&read, StatusCode::OK, vec![piece]);
        answer.body.is_final = at == last;
        let number = u32::try_from(answer.body.commands.len()).unwrap();
        conversation.receive(&server.write(&answer));
        read = server.read(&conversation.message().unwrap());
        let has = |code| read.body.commands.iter().any(|command| is_alert(command, code));
        assert_eq!(has(AlertCode::NEXT_MESSAGE), at != last);
        assert_eq!(read.body.is_final, at == last);
        found.push((code(&read, server.msg_id, number), has(AlertCode::NO_END_OF_DATA)));
    }
    super::finish(&mut conversation, &mut server, &read).unwrap();
    found
}

#[test]
fn a_large_object_from_the_server_is_put_together_and_only_then_stored() {
    let mut client = client();
    client.tree.put_text(&path("./Large"), "before").unwrap();
    let whole = text(LARGE);
    let mut pieces = Vec::new();
    let mut rest = whole.as_str();
    while !rest.is_empty() {
        let mut end = rest.len().min(9_000);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (now, later) = rest.split_at(end);
        let size = pieces.is_empty().then_some(whole.len());
        pieces.push(piece("./Large", now, size, !later.is_empty()));
        rest = later;
    }
    let found = send(&mut client, pieces);
    assert!(found[..found.len() - 1].iter().all(|it| *it == (213, false)));
    assert_eq!(found.last(), Some(&(200, false)));
    assert!(client.tree.text(&path("./Large")) == Some(&whole));
}

#[test]
fn pieces_that_do_not_fit_change_nothing() {
    let mut client = client();
    client.config.max_obj_size = 1000;
    client.tree.put_text(&path("./A"), "before").unwrap();
    client.tree.put_text(&path("./B"), "before").unwrap();
    let cases = [
        // Shorter and longer than was said; longer already before the end.
        (
            vec![piece("./A", "12345", Some(10), true), piece("./A", "678", None, false)],
            vec![213, 424],
        ),
        (
            vec![piece("./A", "12345", Some(6), true), piece("./A", "678", None, false)],
            vec![213, 424],
        ),
        (
            vec![
                piece("./A", "12345", Some(6), true),
                piece("./A", "678", None, true),
                piece("./B", "new", None, false),
            ],
            vec![213, 424, 200],
        ),
        (
            vec![piece("./A", "12345", Some(1001), true), piece("./B", "new", None, false)],
            vec![413, 200],
        ),
        (vec![piece("./A", "12345", None, true), piece("./B", "new", None, false)], vec![411, 200]),
    ];
    for (pieces, expected) in cases {
        let found = send(&mut client, pieces);
        assert_eq!(found.iter().map(|(code, _)| *code).collect::<Vec<_>>(), expected);
        assert!(found.iter().all(|(_, lost)| !lost));
        assert_eq!(client.tree.text(&path("./A")), Some("before"));
    }
}

#[test]
fn an_object_that_is_broken_off_is_told_and_forgotten() {
    let mut client = client();
    client.tree.put_text(&path("./A"), "before").unwrap();
    client.tree.put_text(&path("./B"), "before").unwrap();
    let pieces = vec![piece("./A", "12345", Some(10), true), piece("./B", "whole", None, false)];
    assert_eq!(send(&mut client, pieces), [(213, false), (200, true)]);
    assert_eq!(client.tree.text(&path("./A")), Some("before"));
    assert_eq!(client.tree.text(&path("./B")), Some("whole"));
}
