//! What a server asks for, and what it is told.

use std::sync::{Arc, Mutex};

use bindery_omadm::client::{Client, Entry, Leaf, NodePath, SubTree};
use bindery_syncml::{
    Add, Atomic, Command, Copy, Delete, Exec, Get, Item, Meta, Replace, Results, Sequence,
    StatusCode, SyncMl,
};
use bytes::Bytes;

use super::{client, code, session};

fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

fn valued(uri: &str, format: Option<&str>, data: &str) -> Item {
    let meta = format.map(|it| Box::new(Meta { format: Some(it.into()), ..Meta::default() }));
    Item { meta, data: Some(data.into()), ..Item::to(uri) }
}

fn get(uri: &str) -> Command {
    Get { items: vec![Item::to(uri)], ..Get::default() }.into()
}

fn add(uri: &str, data: &str) -> Command {
    Add { items: vec![valued(uri, None, data)], ..Add::default() }.into()
}

fn add_node(uri: &str) -> Command {
    Add { items: vec![valued(uri, Some("node"), "")], ..Add::default() }.into()
}

fn replace(uri: &str, data: &str) -> Command {
    Replace { items: vec![valued(uri, None, data)], ..Replace::default() }.into()
}

fn delete(uri: &str) -> Command {
    Delete { items: vec![Item::to(uri)], ..Delete::default() }.into()
}

fn copy(from: &str, to: &str) -> Command {
    let item = Item { source: Some(from.into()), ..Item::to(to) };
    Copy { items: vec![item], ..Copy::default() }.into()
}

fn exec(uri: &str) -> Command {
    Exec { items: vec![Item::to(uri)], correlator: Some("c".into()), ..Exec::default() }.into()
}

/// What each of the commands came to, behind the three statuses of package 1.
fn codes(client: &mut Client, commands: Vec<Command>) -> Vec<u16> {
    let count = u32::try_from(commands.len()).unwrap();
    let (back, summary) = session(client, commands);
    let codes: Vec<_> = (0..count).map(|at| code(&back, 1, 4 + at)).collect();
    let failed = codes.iter().filter(|code| **code >= 300).count();
    assert_eq!(summary.failed as usize, failed);
    codes
}

fn results(back: &SyncMl) -> Vec<&Results> {
    let commands = back.body.commands.iter();
    commands
        .filter_map(|command| match command {
            Command::Results(results) => Some(results),
            _ => None,
        })
        .collect()
}

/// Address, format and data of everything that a message brings.
fn found(back: &SyncMl) -> Vec<(String, String, Option<String>)> {
    let items = results(back).into_iter().flat_map(|results| &results.items);
    items
        .map(|item| {
            let format = item.meta.as_ref().unwrap().format.as_ref().unwrap().to_string();
            let data = item.data.as_ref().map(|data| data.as_str().unwrap().to_owned());
            (item.source.as_ref().unwrap().loc_uri.to_string(), format, data)
        })
        .collect()
}

#[test]
fn commands_do_what_they_say() {
    let mut client = client();
    let commands = vec![
        add_node("./A"),
        add("./A/x", "1"),
        get("./A/x"),
        replace("./A/x", "2"),
        copy("./A", "./B"),
        delete("./A"),
        get("./B/x"),
    ];
    let (back, summary) = session(&mut client, commands);
    for number in 4..=10 {
        assert_eq!(code(&back, 1, number), 200);
    }
    assert_eq!((summary.done, summary.failed), (7, 0));
    let value = |text: &str| Some(text.to_owned());
    assert_eq!(
        found(&back),
        [("./A/x".into(), "chr".into(), value("1")), ("./B/x".into(), "chr".into(), value("2")),]
    );
    let first = results(&back)[0];
    assert_eq!((first.msg_ref.as_deref(), &*first.cmd_ref), (Some("1"), "6"));
    assert!(client.tree.node(&path("./A")).is_none());
    assert_eq!(client.tree.text(&path("./B/x")), Some("2"));
}

#[test]
fn what_cannot_be_done_is_told_by_its_status() {
    let mut client = client();
    client.tree.put_text(&path("./A/x"), "1").unwrap();
    client
        .tree
        .put(&path("./N"), bindery_omadm::client::Node::leaf(Leaf::new("int", "1")))
        .unwrap();
    let deep = "./a".to_owned() + &"/a".repeat(40);
    let cases = [
        (get("./none"), 404),
        (get("./A/x/y"), 404),
        (add("./A/x", "1"), 418),
        (add("./none/x", "1"), 404),
        (add("./A/x/y", "1"), 405),
        (replace("./none", "1"), 404),
        (replace("./A", "1"), 405),
        (replace("./DevInfo/Man", "Other"), 405),
        (replace("./N", "one"), 415),
        (delete("./none"), 404),
        (delete("./DevInfo"), 405),
        (delete("."), 405),
        (copy("./none", "./B"), 404),
        (copy("./A", "./A/inside"), 405),
        (copy("./A", "./A"), 405),
        (exec("./A/x"), 405),
        (exec("./none"), 404),
        (get("./A/../DevInfo"), 400),
        (get("./A?list=TNDS"), 406),
        (get("./A?prop=TStamp"), 406),
        (get("./A?what"), 400),
        (get(&deep), 414),
        (get(&("./".to_owned() + &"a".repeat(2000))), 414),
        (Get::default().into(), 412),
        (bindery_syncml::Put::default().into(), 501),
    ];
    let (commands, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let found = codes(&mut client, commands);
    assert_eq!(found, expected);
    assert_eq!(client.tree.text(&path("./A/x")), Some("1"));
}

#[test]
fn interior_nodes_list_their_names_and_what_is_below_them() {
    let mut client = client();
    for (at, value) in [("./A/b/c", "1"), ("./A/b/d", "2"), ("./A/e", "3")] {
        client.tree.put_text(&path(at), value).unwrap();
    }
    let (back, _) =
        session(&mut client, vec![get("./A"), get("./A?list=Struct"), get("./A?list=StructData")]);
    let value = |text: &str| Some(text.to_owned());
    let node = |uri: &str, data: Option<&str>| (uri.into(), "node".into(), data.map(str::to_owned));
    let leaf = |uri: &str, data| (uri.into(), "chr".into(), data);
    assert_eq!(
        found(&back),
        [
            node("./A", Some("b/e")),
            node("./A", None),
            node("./A/b", None),
            leaf("./A/b/c", None),
            leaf("./A/b/d", None),
            leaf("./A/e", None),
            node("./A", None),
            node("./A/b", None),
            leaf("./A/b/c", value("1")),
            leaf("./A/b/d", value("2")),
            leaf("./A/e", value("3")),
        ]
    );
}

#[test]
fn properties_are_read_and_some_are_replaced() {
    let mut client = client();
    client.tree.put_text(&path("./A/x"), "text").unwrap();
    let names = ["ACL", "Format", "Name", "Size", "Title", "Type", "VerNo"];
    let mut commands = vec![replace("./A/x?prop=Title", "A title"), replace("./A/x", "longer")];
    commands.extend(names.map(|name| get(&format!("./A/x?prop={name}"))));
    let (back, _) = session(&mut client, commands);
    let read: Vec<_> = found(&back).into_iter().map(|(.., data)| data.unwrap()).collect();
    assert_eq!(read, ["", "chr", "x", "6", "A title", "text/plain", "2"]);

    let found = codes(
        &mut client,
        vec![
            replace("./A/x?prop=Name", "y"),
            replace("./A/y?prop=VerNo", "1"),
            replace("./A/y?prop=Name", "a/b"),
            replace("./DevInfo/Man?prop=Name", "z"),
            replace("./A/y?prop=ACL", "Get=*&Fly=*"),
            add("./A/y?prop=Title", "t"),
        ],
    );
    assert_eq!(found, [200, 405, 400, 405, 400, 405]);
    assert_eq!(client.tree.text(&path("./A/y")), Some("longer"));
}

#[test]
fn access_control_lists_hold() {
    let mut client = client();
    client.tree.put_text(&path("./A/x"), "1").unwrap();
    let found = codes(
        &mut client,
        vec![
            replace("./A?prop=ACL", "Get=*&Replace=other&Add=srv"),
            get("./A/x"),
            replace("./A/x", "2"),
            delete("./A/x"),
            replace("./A/x?prop=ACL", "Replace=srv"),
            add("./A/mine", "1"),
            // Nobody could manage it otherwise.
            replace("./A/mine", "2"),
            delete("./A/mine"),
            // The list of an interior node is its parent's too.
            replace("./A?prop=ACL", ""),
            replace("./A/x", "2"),
        ],
    );
    assert_eq!(found, [200, 200, 425, 425, 425, 200, 200, 200, 200, 200]);
    // Another server has what everybody has.
    client.account.server_id = "third".to_owned();
    let found = codes(&mut client, vec![get("./A/x"), replace("./A/x", "3"), add("./A/t", "1")]);
    assert_eq!(found, [200, 425, 200]);
}

#[test]
fn atomic_is_done_whole_or_not_at_all() {
    let mut client = client();
    client.tree.put_text(&path("./A/x"), "1").unwrap();
    let atomic = |commands| -> Command { Atomic { commands, ..Atomic::default() }.into() };
    let (back, summary) = session(
        &mut client,
        vec![atomic(vec![
            replace("./A/x", "2"),
            add("./A/y", "1"),
            delete("./none"),
            delete("./A/x"),
        ])],
    );
    let found: Vec<_> = (4..=8).map(|number| code(&back, 1, number)).collect();
    assert_eq!(found, [507, 216, 216, 404, 215]);
    assert_eq!((summary.done, summary.failed), (0, 4));
    assert_eq!(client.tree.text(&path("./A/x")), Some("1"));
    assert!(client.tree.node(&path("./A/y")).is_none());

    let sequence = Sequence { commands: vec![add("./A/y", "1")], ..Sequence::default() };
    let (back, _) =
        session(&mut client, vec![atomic(vec![replace("./A/x", "2"), sequence.into()])]);
    let found: Vec<_> = (4..=7).map(|number| code(&back, 1, number)).collect();
    assert_eq!(found, [200; 4]);
    assert_eq!(client.tree.text(&path("./A/y")), Some("1"));

    let (back, _) = session(&mut client, vec![atomic(vec![get("./A/x")])]);
    assert_eq!((code(&back, 1, 4), code(&back, 1, 5)), (507, 405));
}

#[test]
fn a_sequence_is_done_in_its_order() {
    let mut client = client();
    let commands =
        vec![add_node("./A"), add("./A/x", "1"), delete("./none"), replace("./A/x", "2")];
    let sequence = Sequence { commands, ..Sequence::default() };
    let (back, _) = session(&mut client, vec![sequence.into()]);
    let found: Vec<_> = (4..=8).map(|number| code(&back, 1, number)).collect();
    assert_eq!(found, [200, 200, 200, 404, 200]);
}

/// A sub-tree of somebody else's: a switch, and what was done with it.
#[derive(Debug, Clone, Default)]
struct Switch(Arc<Mutex<Vec<String>>>);

impl SubTree for Switch {
    fn get(&self, path: &[String]) -> Result<Entry, StatusCode> {
        match path {
            [] => Ok(Entry::Interior(vec!["on".to_owned()])),
            [name] if name == "on" => Ok(Entry::Leaf(Leaf::new("bool", "true"))),
            _ => Err(StatusCode::NOT_FOUND),
        }
    }

    fn replace(&mut self, path: &[String], leaf: Leaf) -> Result<(), StatusCode> {
        let text = String::from_utf8(leaf.data.to_vec()).unwrap();
        self.0.lock().unwrap().push(format!("{} = {text}", path.join("/")));
        Ok(())
    }

    fn exec(
        &mut self,
        path: &[String],
        _: Option<&Bytes>,
        correlator: Option<&str>,
    ) -> Result<StatusCode, StatusCode> {
        self.0.lock().unwrap().push(format!("run {} {}", path.join("/"), correlator.unwrap()));
        Ok(StatusCode::ACCEPTED_FOR_PROCESSING)
    }
}

#[test]
fn a_plugged_in_sub_tree_answers_for_itself_under_access_control() {
    let mut client = client();
    let switch = Switch::default();
    client.tree.mount(&path("./Dev/Switch"), Box::new(switch.clone())).unwrap();
    let commands = vec![
        get("./Dev?list=StructData"),
        replace("./Dev/Switch/on", "false"),
        exec("./Dev/Switch/on"),
        get("./Dev/Switch/off"),
        add("./Dev/Switch/new", "1"),
        delete("./Dev/Switch"),
        get("./Dev/Switch/on?prop=Format"),
        // What it did cannot be taken back.
        Atomic { commands: vec![replace("./Dev/Switch/on", "x")], ..Atomic::default() }.into(),
    ];
    let (back, _) = session(&mut client, commands);
    let statuses: Vec<_> = (4..=12).map(|number| code(&back, 1, number)).collect();
    assert_eq!(statuses, [200, 200, 202, 404, 405, 405, 200, 507, 406]);
    let names: Vec<_> = found(&back).into_iter().map(|(uri, ..)| uri).collect();
    assert_eq!(names, ["./Dev", "./Dev/Switch", "./Dev/Switch/on", "./Dev/Switch/on?prop=Format"]);
    assert_eq!(*switch.0.lock().unwrap(), ["on = false", "run on c"]);
    client.account.server_id = "third".to_owned();
    assert_eq!(codes(&mut client, vec![exec("./Dev/Switch/on")]), [425]);
}

#[test]
fn octets_that_are_no_text_come_and_go_in_base64() {
    let mut client = client();
    let meta = Meta { format: Some("b64".into()), ..Meta::default() };
    let item =
        Item { meta: Some(Box::new(meta)), data: Some("AP8BAgM=".into()), ..Item::to("./Blob") };
    let add: Command = Add { items: vec![item], ..Add::default() }.into();
    for form in [bindery_syncml::Form::Xml, bindery_syncml::Form::Wbxml] {
        client.config.form = form;
        let (back, _) = session(&mut client, vec![add.clone(), get("./Blob"), delete("./Blob")]);
        assert_eq!(found(&back), [("./Blob".into(), "b64".into(), Some("AP8BAgM=".into()))]);
    }
}
