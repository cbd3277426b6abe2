//! A server that asks for too much.

use bindery_omadm::client::{Ended, NodePath, SessionError, Value};
use bindery_syncml::{
    Add, Alert, AlertCode, Atomic, Command, Copy, Delete, Form, Get, Item, Meta, Options, Replace,
    Results, StatusCode, SyncMl,
};

use super::{Server, begin, client, code, exchange, finish, is_alert, session};

fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

fn get(uri: &str) -> Command {
    Get { items: vec![Item::to(uri)], ..Get::default() }.into()
}

fn results(back: &SyncMl) -> usize {
    let items = back.body.commands.iter().filter_map(|command| match command {
        Command::Results(Results { items, .. }) => Some(items.len()),
        _ => None,
    });
    items.sum()
}

#[test]
fn a_message_has_so_many_commands_and_the_rest_is_told_413() {
    let mut client = client();
    client.config.max_commands = 4;
    let gets = |count| vec![get("./DevInfo/Man"); count];
    let (back, summary) = session(&mut client, gets(6));
    let codes: Vec<_> = (4..10).map(|number| code(&back, 1, number)).collect();
    assert_eq!(codes, [200, 200, 200, 200, 413, 413]);
    assert_eq!((results(&back), summary.done, summary.failed), (4, 4, 2));
    // Those inside of others count, and alerts do.
    let atomic = |count| Atomic { commands: vec![delete(); count], ..Atomic::default() };
    let (back, _) = session(&mut client, vec![atomic(3).into()]);
    assert_eq!(code(&back, 1, 4), 507);
    let display: Command = Alert::new(0_u32, AlertCode::DISPLAY).into();
    let (back, summary) = session(&mut client, vec![display; 6]);
    let codes: Vec<_> = (4..10).map(|number| code(&back, 1, number)).collect();
    assert_eq!(codes, [200, 200, 200, 200, 413, 413]);
    assert_eq!(summary.displayed.len(), 4);
}

fn delete() -> Command {
    Delete { items: vec![Item::to("./None")], ..Delete::default() }.into()
}

#[test]
fn what_is_found_by_one_message_is_bounded_in_nodes() {
    let mut client = client();
    for number in 0..50 {
        client.tree.put_text(&path(&format!("./A/{number}")), "v").unwrap();
    }
    client.config.max_nodes = 120;
    // Each list takes 51 nodes and one for the looking.
    let list = get("./A?list=StructData");
    let (back, _) = session(&mut client, vec![list; 5]);
    let codes: Vec<_> = (4..9).map(|number| code(&back, 1, number)).collect();
    assert_eq!(codes, [200, 200, 413, 413, 413]);
    assert_eq!(results(&back), 102);
    // The items of one command count like commands.
    let many = Get { items: vec![Item::to("./A/1"); 200], ..Get::default() };
    let (back, _) = session(&mut client, vec![many.into()]);
    assert_eq!((code(&back, 1, 4), results(&back)), (413, 120));
}

#[test]
fn what_is_found_by_one_message_is_bounded_in_octets() {
    let mut client = client();
    client.tree.put_text(&path("./A"), &"v".repeat(1_000)).unwrap();
    client.config.max_found = 3_500;
    let (back, _) = session(&mut client, vec![get("./A"); 6]);
    let codes: Vec<_> = (4..10).map(|number| code(&back, 1, number)).collect();
    assert_eq!(codes, [200, 200, 200, 413, 413, 413]);
    // The next session may ask for as much again.
    let (back, _) = session(&mut client, vec![get("./A"); 3]);
    assert_eq!(code(&back, 1, 6), 200);
}

#[test]
fn what_is_found_and_not_sent_yet_counts_for_the_next_message() {
    let mut client = client();
    client.tree.put_text(&path("./A"), &"v".repeat(3_000)).unwrap();
    client.config.max_found = 10_000;
    let mut server = Server::new(Form::Wbxml);
    server.max_msg_size = Some(1_500);
    let mut conversation = client.begin(begin());
    let back = exchange(&mut conversation, &mut server, vec![get("./A"); 3]);
    assert!(!back.body.is_final, "most of it waits");
    let more = server.answer(&back, StatusCode::OK, vec![get("./A")]);
    let number = more.body.commands.last().unwrap().cmd_id().unwrap().number().unwrap();
    conversation.receive(&server.write(&more));
    let mut back = server.read(&conversation.message().unwrap());
    let number = u32::try_from(number).unwrap();
    assert_eq!(code(&back, 2, number), 413);
    for _ in 0..20 {
        if back.body.is_final {
            break;
        }
        let next = server.answer(&back, StatusCode::OK, vec![super::next_message()]);
        conversation.receive(&server.write(&next));
        back = server.read(&conversation.message().unwrap());
    }
    finish(&mut conversation, &mut server, &back).unwrap();
}

#[test]
fn copies_and_deletions_cost_what_they_move() {
    let mut client = client();
    for number in 0..50 {
        client.tree.put_text(&path(&format!("./A/{number}")), "v").unwrap();
    }
    client.config.max_nodes = 120;
    let copy = |to: &str| -> Command {
        let item = Item { source: Some("./A".into()), ..Item::to(to) };
        Copy { items: vec![item], ..Copy::default() }.into()
    };
    let delete: Command = Delete { items: vec![Item::to("./A")], ..Delete::default() }.into();
    let (back, _) = session(&mut client, vec![copy("./B"), copy("./C"), copy("./D"), delete]);
    let codes: Vec<_> = (4..8).map(|number| code(&back, 1, number)).collect();
    assert_eq!(codes, [200, 200, 413, 413]);
    assert!(client.tree.node(&path("./A/1")).is_some() && client.tree.node(&path("./D")).is_none());
}

#[test]
fn ten_thousand_empty_atomics_are_answered() {
    let mut client = client();
    for number in 0..5_000 {
        client.tree.put_text(&path(&format!("./A/{number}")), "v").unwrap();
    }
    client.config.max_commands = 10_000;
    let before = std::ptr::from_ref(client.tree.node(&path("./A/1")).unwrap());
    let (back, summary) = session(&mut client, vec![Atomic::default().into(); 10_000]);
    assert!((4..10_004).step_by(499).all(|number| code(&back, 1, number) == 200));
    assert_eq!(summary.failed, 0);
    let failing = Atomic {
        commands: vec![
            Replace {
                items: vec![Item { data: Some("w".into()), ..Item::to("./A/1") }],
                ..Replace::default()
            }
            .into(),
            delete(),
        ],
        ..Atomic::default()
    };
    session(&mut client, vec![failing.into(); 100]);
    assert_eq!(client.tree.text(&path("./A/1")), Some("v"));
    // A tree that was put back from a copy has its nodes elsewhere.
    let after = std::ptr::from_ref(client.tree.node(&path("./A/1")).unwrap());
    assert_eq!(before, after, "the tree was copied");
}

#[test]
fn a_server_that_leaves_no_room_for_the_answers_is_left_with_1223() {
    let mut client = client();
    client.config.max_commands = 50;
    let mut server = Server::new(Form::Wbxml);
    server.max_msg_size = Some(700);
    let mut conversation = client.begin(begin());
    let mut back = exchange(&mut conversation, &mut server, vec![delete(); 50]);
    let mut rounds = 0;
    while !back.body.commands.iter().any(|one| is_alert(one, AlertCode::SESSION_ABORT)) {
        rounds += 1;
        assert!(rounds < 5, "what is owed grows and grows");
        let more = server.answer(&back, StatusCode::OK, vec![delete(); 50]);
        conversation.receive(&server.write(&more));
        server.unanswered.clear();
        // What it sends is judged here: not all that was asked is answered any more.
        let message = conversation.message().unwrap();
        back = SyncMl::decode(&message.octets, &Options::STRICT).unwrap();
    }
    assert!(back.body.is_final);
    // What the server's last message is told of its header is not lost.
    assert_eq!(code(&back, server.msg_id, 0), 200);
    let end = server.answer(&back, StatusCode::OK, Vec::new());
    conversation.receive(&server.write(&end));
    assert!(conversation.message().is_none());
    assert!(matches!(conversation.outcome(), Some(Err(SessionError::Overloaded))));
}

#[test]
fn an_abort_ends_the_session_wherever_it_stands() {
    let mut client = client();
    client.config.max_commands = 2;
    let mut server = Server::new(Form::Wbxml);
    let mut conversation = client.begin(begin());
    let first = server.read(&conversation.message().unwrap());
    let mut commands = vec![get("./DevInfo/Man"); 5];
    commands.push(Alert::new(0_u32, AlertCode::SESSION_ABORT).into());
    let answer = server.answer(&first, StatusCode::OK, commands);
    conversation.receive(&server.write(&answer));
    assert!(conversation.message().is_none());
    assert_eq!(conversation.outcome().unwrap().unwrap().ended, Ended::Aborted);
}

#[test]
fn what_is_inside_of_a_command_that_is_refused_counts_as_not_done() {
    let mut client = client();
    client.config.max_commands = 4;
    let mut server = Server::new(Form::Wbxml);
    let mut conversation = client.begin(begin());
    let first = server.read(&conversation.message().unwrap());
    let atomic = Atomic { commands: vec![delete(); 5], ..Atomic::default() };
    let answer = server.answer(&first, StatusCode::OK, vec![atomic.into()]);
    conversation.receive(&server.write(&answer));
    // The status of the whole is that of all in it.
    server.unanswered.retain(|(_, number)| *number <= 4);
    let back = server.read(&conversation.message().unwrap());
    assert_eq!(code(&back, 1, 4), 413);
    let summary = finish(&mut conversation, &mut server, &back).unwrap();
    assert_eq!((summary.done, summary.failed), (0, 5));
}

fn data(uri: &str, text: &str) -> Item {
    Item { data: Some(text.into()), ..Item::to(uri) }
}

#[test]
fn a_piece_of_an_object_is_nothing_for_an_atomic() {
    let mut client = client();
    client.tree.put_text(&path("./A"), "old").unwrap();
    let meta = Meta { size: Some(4), ..Meta::default() };
    let item = Item { more_data: true, meta: Some(Box::new(meta)), ..data("./A", "ne") };
    let piece = Replace { items: vec![item], ..Replace::default() };
    let atomic = Atomic { commands: vec![piece.into()], ..Atomic::default() };
    let (back, summary) = session(&mut client, vec![atomic.into()]);
    assert_eq!((code(&back, 1, 4), code(&back, 1, 5)), (507, 406));
    assert_eq!((client.tree.text(&path("./A")), summary.failed), (Some("old"), 1));
}

#[test]
fn types_and_access_control_lists_are_of_bounded_length() {
    let mut client = client();
    let add = |name: &str, kind: usize| -> Command {
        let meta = Meta { kind: Some((&*"t".repeat(kind)).into()), ..Meta::default() };
        let item = Item { meta: Some(Box::new(meta)), ..data(name, "x") };
        Add { items: vec![item], ..Add::default() }.into()
    };
    let list = |server: usize| -> Command {
        let text = format!("Get={}", vec!["s".repeat(server); 64].join("+"));
        Replace { items: vec![data("./A?prop=ACL", &text)], ..Replace::default() }.into()
    };
    let (back, _) =
        session(&mut client, vec![add("./A", 255), add("./B", 256), list(100), list(130)]);
    let codes: Vec<_> = (4..8).map(|number| code(&back, 1, number)).collect();
    assert_eq!(codes, [200, 413, 200, 413]);
    assert!(client.tree.node(&path("./B")).is_none());
}

/// A small value in a large message would keep all of it, whatever the limits say.
#[test]
fn a_value_does_not_hold_on_to_its_message() {
    let mut client = client();
    let mut server = Server::new(Form::Wbxml);
    let mut conversation = client.begin(begin());
    let first = server.read(&conversation.message().unwrap());
    let add = Add { items: vec![data("./A", &"v".repeat(1_000))], ..Add::default() };
    let answer = server.answer(&first, StatusCode::OK, vec![add.into()]);
    let message = server.write(&answer);
    conversation.receive(&message);
    let back = SyncMl::decode(&conversation.message().unwrap().octets, &Options::STRICT).unwrap();
    assert_eq!(code(&back, 1, 4), 200);
    drop(conversation);
    let Value::Leaf(kept) = &client.tree.node(&path("./A")).unwrap().value else { panic!() };
    assert_eq!(kept.len(), 1_000);
    assert!(!message.octets.as_ptr_range().contains(&kept.as_ptr()), "it is a part of it");
}
