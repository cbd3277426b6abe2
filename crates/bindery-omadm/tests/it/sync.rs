//! Clients of data synchronization that refresh something.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bindery_core::{Principal, Timestamp};
use bindery_omadm::service::{
    Ask, Change, Datastore, Datastores, Device, DeviceStore as _, DmServerConfig, MemoryDatastores,
    MemoryStore, Order, ResultKind, Scheme, SyncItem, SyncKind, Whose,
};
use bindery_syncml::{
    Add, Alert, AlertCode, Anchor, Command, Content, Delete, Form, Get, Item, Map, MapItem, Meta,
    Put, Replace, Status, StatusCode, Sync, SyncMl,
};

use crate::support::{Phone, Site, alerts, code_of, now};

fn config() -> DmServerConfig {
    let mut config = DmServerConfig::default();
    let store = Datastore::new("addressbook", "text/vcard", "3.0");
    config.datastores = Some(Arc::new(MemoryDatastores::new(vec![store])));
    config.schemes = vec![Scheme::Md5];
    config
}

/// A client, and what it has.
struct Client<'s> {
    phone: Phone<'s>,
    items: BTreeMap<String, String>,
}

impl<'s> Client<'s> {
    fn new(site: &'s Site, id: &str, form: Form) -> Self {
        Self { phone: Phone { form, ..Phone::new(site, id) }, items: BTreeMap::new() }
    }

    fn say(&mut self, first: bool, commands: Vec<Command>, is_final: bool) -> SyncMl {
        let cred = first.then(|| self.phone.md5());
        let mut message = SyncMl { hdr: self.phone.header(cred), ..SyncMl::default() };
        message.hdr.ver_proto = "SyncML/1.2".into();
        let mut number = 0_u32;
        for mut command in commands {
            number += 1;
            command.set_cmd_id(number);
            if let Command::Sync(sync) = &mut command {
                for inner in &mut sync.commands {
                    number += 1;
                    inner.set_cmd_id(number);
                }
            }
            message.body.commands.push(command);
        }
        message.body.is_final = is_final;
        self.phone.send(&message)
    }

    /// The first package: what the client is, and what it wants.
    fn open(&mut self, code: u16, store: &str) -> SyncMl {
        let put = Put {
            items: vec![Item { source: Some("./devinf12".into()), ..Item::default() }],
            ..Put::default()
        };
        let get = Get { items: vec![Item::to("./devinf12")], ..Get::default() };
        self.say(true, vec![put.into(), get.into(), wanted(code, store).into()], true)
    }

    /// Statuses for everything that asks for one, and the identifiers of what was added.
    fn answer(&mut self, message: &SyncMl) -> Vec<Command> {
        let msg = || message.hdr.msg_id.clone();
        let mut all: Vec<Command> =
            vec![Status::of("", msg(), 0_u32, "SyncHdr", StatusCode::OK).into()];
        let mut pairs = Vec::new();
        let commands = message.body.commands.iter();
        for command in commands.flat_map(|one| std::iter::once(one).chain(one.commands())) {
            let (Some(tag), Some(id)) = (command.tag(), command.cmd_id()) else { continue };
            if matches!(command, Command::Status(_)) {
                continue;
            }
            all.push(Status::of("", msg(), id.clone(), tag.name(), StatusCode::OK).into());
            let Command::Add(add) = command else { continue };
            for item in &add.items {
                let guid = item.source.as_ref().unwrap().loc_uri.to_string();
                let format = add.meta.as_ref().and_then(|meta| meta.format.as_deref());
                let octets = item.data.as_ref().unwrap().content.octets(format).unwrap();
                let text = String::from_utf8(octets.to_vec()).unwrap();
                assert!(self.items.insert(guid.clone(), text).is_none(), "{guid} came twice");
                let (target, source) = (guid.as_str().into(), format!("l{guid}").as_str().into());
                pairs.push(MapItem { target, source, ..MapItem::default() });
            }
        }
        if !pairs.is_empty() {
            let (target, source) = ("addressbook".into(), "./addressbook".into());
            all.push(Map { target, source, map_items: pairs, ..Map::default() }.into());
        }
        all
    }

    /// Gives everything to the server; the codes that it has for the changes.
    fn refresh(&mut self, changes: Vec<Command>) -> Vec<u16> {
        let first = self.open(203, "addressbook");
        assert_eq!(code_of(&first, 0), Some(212));
        assert_eq!(alerts(&first), [203]);
        let count = changes.len();
        let mut commands = self.answer(&first);
        let before = u32::try_from(commands.len()).unwrap();
        commands.push(synced(changes).into());
        let mut back = self.say(false, commands, true);
        let mut codes = BTreeMap::new();
        while codes.len() < count {
            for number in (before + 2..).take(count) {
                codes.extend(code_of(&back, number).map(|code| (number, code)));
            }
            if !back.body.is_final {
                let next = Alert::new("", AlertCode::DS_NEXT_MESSAGE).into();
                back = self.say(false, vec![header_ok(&back), next], false);
            }
        }
        let last = self.say(false, vec![header_ok(&back)], true);
        assert!(last.body.is_final && last.body.commands.len() == 1, "the session is over");
        codes.into_values().collect()
    }

    /// Gets everything from the server. How many messages that took.
    fn fetch(&mut self) -> usize {
        let mut first = self.open(205, "addressbook");
        let mut agreed = alerts(&first);
        while !first.body.is_final {
            let next = Alert::new("", AlertCode::DS_NEXT_MESSAGE).into();
            first = self.say(false, vec![header_ok(&first), next], false);
            agreed.extend(alerts(&first));
        }
        assert_eq!(agreed, [205]);
        let mut commands = self.answer(&first);
        commands.push(synced(Vec::new()).into());
        let mut back = self.say(false, commands, true);
        for messages in 1.. {
            let mut commands = self.answer(&back);
            if back.body.is_final {
                let last = self.say(false, commands, true);
                assert!(last.body.is_final);
                let statuses =
                    last.body.commands.iter().filter(|one| matches!(one, Command::Status(_)));
                assert!(statuses.count() >= 1);
                return messages;
            }
            commands.push(Alert::new("", AlertCode::DS_NEXT_MESSAGE).into());
            back = self.say(false, commands, false);
        }
        unreachable!("it returns")
    }
}

fn header_ok(message: &SyncMl) -> Command {
    Status::of("", message.hdr.msg_id.clone(), 0_u32, "SyncHdr", StatusCode::OK).into()
}

fn wanted(code: u16, store: &str) -> Alert {
    let anchor = Anchor { next: "20261128T020000Z".into(), ..Anchor::default() };
    let meta = Meta { anchor: Some(Box::new(anchor)), ..Meta::default() };
    let item = Item {
        source: Some("./addressbook".into()),
        meta: Some(Box::new(meta)),
        ..Item::to(store)
    };
    Alert { items: vec![item], ..Alert::new("", AlertCode(code)) }
}

fn synced(commands: Vec<Command>) -> Sync {
    let (target, source) = (Some("addressbook".into()), Some("./addressbook".into()));
    Sync { target, source, commands, ..Sync::default() }
}

fn item(luid: &str, text: &str) -> Vec<Item> {
    let data = Some(Content::from(text).into());
    vec![Item { source: Some(luid.into()), data, ..Item::default() }]
}

fn add(luid: &str, text: &str) -> Command {
    let meta = Meta { kind: Some("text/vcard".into()), ..Meta::default() };
    Add { items: item(luid, text), meta: Some(Box::new(meta)), ..Add::default() }.into()
}

fn two(config: DmServerConfig) -> Site {
    Site::new(config).with_device("one").with_device("two")
}

#[test]
fn what_one_client_gives_another_gets() {
    for form in [Form::Xml, Form::Wbxml] {
        let site = two(config());
        site.queue("one", "get", Order::get(["./DevDetail/SwV"]).unwrap());
        let mut one = Client::new(&site, "one", form);
        let card = |number: usize| format!("BEGIN:VCARD\nFN:<{number}> &\nEND:VCARD\n");
        let changes = (0..40).map(|number| add(&number.to_string(), &card(number))).collect();
        assert_eq!(one.refresh(changes), vec![201; 40]);
        assert!(site.results("one").iter().any(|one| one.kind == ResultKind::Session
            && one.data == "addressbook: 40 of 40 changes were taken"));
        // Nothing of device management goes to it.
        assert_eq!(site.command("get").progress.attempts, 0);
        let mut two = Client::new(&site, "two", form);
        two.phone.max_msg_size = Some(2_000);
        let messages = two.fetch();
        assert!(messages > 2, "several messages of what fits: {messages}");
        let got: Vec<_> = two.items.values().cloned().collect();
        assert_eq!(got, (0..40).map(card).collect::<Vec<_>>());
        // Another refresh replaces everything.
        one.phone = Phone { session: "2".to_owned(), nonce: one.phone.nonce.clone(), ..one.phone };
        (one.phone.msg, one.phone.url) = (0, crate::support::URL.to_owned());
        assert_eq!(one.refresh(vec![add("x", "new")]), [201]);
        two.phone = Phone { session: "2".to_owned(), nonce: two.phone.nonce.clone(), ..two.phone };
        (two.phone.msg, two.phone.url) = (0, crate::support::URL.to_owned());
        two.items.clear();
        assert_eq!(two.fetch(), 1);
        assert_eq!(two.items.values().collect::<Vec<_>>(), ["new"]);
    }
}

#[test]
fn agreements_name_anchors_and_what_the_server_is() {
    let site = two(config());
    let mut one = Client::new(&site, "one", Form::Xml);
    let first = one.open(203, "./addressbook");
    let alert = first.body.commands.iter().find_map(|one| match one {
        Command::Status(status) if &*status.cmd == "Alert" => Some(status),
        _ => None,
    });
    let anchor = match &alert.unwrap().items[0].data.as_ref().unwrap().content {
        Content::Meta(meta) => meta.anchor.clone().unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(anchor.next.as_str(), "20261128T020000Z", "the client's comes back");
    let inf = first.body.commands.iter().find_map(|one| match one {
        Command::Results(results) => match &results.items[0].data.as_ref()?.content {
            Content::DevInf(inf) => Some(inf.clone()),
            _ => None,
        },
        _ => None,
    });
    let stores = inf.expect("a device information").data_stores;
    assert_eq!(stores[0].source_ref.as_str(), "./addressbook");
}

#[test]
fn what_is_not_there_is_told_in_the_clients_words() {
    let site = two(config());
    for (code, store, expected) in
        [(200, "addressbook", 406), (202, "addressbook", 406), (203, "calendar", 404)]
    {
        let mut one = Client::new(&site, "one", Form::Wbxml);
        one.phone.session = format!("{code}{store}");
        one.phone.nonce = site.device("one").client.unwrap().nonce;
        let first = one.open(code, store);
        assert_eq!(code_of(&first, 3), Some(expected), "{code} {store}");
        assert!(alerts(&first).is_empty());
        // Changes of what was not agreed on.
        let commands = vec![header_ok(&first), synced(vec![add("1", "x")]).into()];
        let back = one.say(false, commands, true);
        assert_eq!((code_of(&back, 2), code_of(&back, 3)), (Some(404), Some(215)));
    }
    let mut one = Client::new(&site, "one", Form::Wbxml);
    one.phone.nonce = site.device("one").client.unwrap().nonce;
    assert_eq!(one.fetch(), 1);
    assert!(one.items.is_empty(), "nothing was kept");
}

#[test]
fn changes_are_judged_one_by_one() {
    let mut config = config();
    let store = Datastore::new("addressbook", "text/vcard", "3.0");
    config.datastores = Some(Arc::new(MemoryDatastores::new(vec![store]).with_room(2, 100)));
    let site = two(config);
    let mut one = Client::new(&site, "one", Form::Xml);
    let mut piece = item("p", "x");
    piece[0].more_data = true;
    let gone = |luid| Delete { items: item(luid, ""), ..Delete::default() }.into();
    let codes = one.refresh(vec![
        add("1", "first"),
        Replace { items: item("1", "second"), ..Replace::default() }.into(),
        add("2", &"x".repeat(95)),
        add("2", "x"),
        add("3", "no room for a third"),
        gone("2"),
        gone("2"),
        Add { items: piece, ..Add::default() }.into(),
        Add { items: item("", "x"), ..Add::default() }.into(),
        Get::default().into(),
    ]);
    assert_eq!(codes, [201, 200, 420, 201, 420, 200, 211, 413, 412, 406]);
    let mut two = Client::new(&site, "two", Form::Xml);
    two.fetch();
    assert_eq!(two.items.values().collect::<Vec<_>>(), ["second"]);
}

#[test]
fn what_no_message_can_hold_is_written_down_and_the_rest_comes() {
    let site = two(config());
    let mut one = Client::new(&site, "one", Form::Xml);
    let codes = one.refresh(vec![add("1", "a"), add("2", &"x".repeat(5_000)), add("3", "c")]);
    assert_eq!(codes, [201, 201, 201]);
    let mut two = Client::new(&site, "two", Form::Xml);
    two.phone.max_msg_size = Some(2_500);
    two.fetch();
    assert_eq!(two.items.values().collect::<Vec<_>>(), ["a", "c"]);
    assert!(site.results("two").iter().any(|one| one.uri.starts_with("./addressbook/")
        && one.data.starts_with(b"5000 octets are more")));
}

#[test]
fn a_slow_one_brings_both_sides_together_and_nothing_twice() {
    for form in [Form::Xml, Form::Wbxml] {
        let site = two(config());
        let mut one = Client::new(&site, "one", form);
        assert_eq!(one.refresh(vec![add("1", "a"), add("2", "b"), add("3", "b")]), [201; 3]);
        let mut two = Client::new(&site, "two", form);
        let first = two.open(201, "addressbook");
        assert_eq!(alerts(&first), [201]);
        let mut commands = two.answer(&first);
        // One b of two is here already, and something that nobody else has.
        let at = u32::try_from(commands.len()).unwrap() + 2;
        commands.push(synced(vec![add("x", "b"), add("y", "c")]).into());
        let back = two.say(false, commands, true);
        assert_eq!((code_of(&back, at), code_of(&back, at + 1)), (Some(200), Some(201)));
        let answers = two.answer(&back);
        let last = two.say(false, answers, true);
        assert!(last.body.is_final);
        assert_eq!(two.items.values().collect::<Vec<_>>(), ["a", "b"], "what it lacked");
        // The other one has to get what the first did not know.
        one.phone = Phone { session: "2".to_owned(), nonce: one.phone.nonce.clone(), ..one.phone };
        (one.phone.msg, one.phone.url) = (0, crate::support::URL.to_owned());
        one.fetch();
        assert_eq!(one.items.values().collect::<Vec<_>>(), ["a", "b", "b", "c"]);
    }
}

#[test]
fn nobody_gets_what_another_owner_gave() {
    let site = two(config());
    let mut stranger = Device::new("three", Principal::new("others"), site.at());
    stranger.client = Some(crate::support::account("three"));
    let change = Change::InsertDevice(stranger);
    now(site.store.commit(vec![change])).unwrap();
    Client::new(&site, "one", Form::Xml).refresh(vec![add("1", "secret")]);
    let mut three = Client::new(&site, "three", Form::Xml);
    three.fetch();
    assert!(three.items.is_empty());
}

/// Control characters are no text in XML, and come as octets.
#[test]
fn items_with_control_characters_come_as_they_are() {
    for form in [Form::Xml, Form::Wbxml] {
        let site = two(config());
        let odd = "BEGIN:\u{1}\u{7f}\u{b}END\u{85}";
        let encoded = Content::base64(odd.as_bytes());
        let meta = Meta { format: Some("b64".into()), ..Meta::default() };
        let item = Item {
            source: Some("1".into()),
            data: Some(encoded.into()),
            meta: Some(Box::new(meta)),
            ..Item::default()
        };
        let mut one = Client::new(&site, "one", form);
        let change = Add { items: vec![item], ..Add::default() };
        assert_eq!(one.refresh(vec![change.into(), add("2", "plain")]), [201, 201]);
        let mut two = Client::new(&site, "two", form);
        two.fetch();
        assert_eq!(two.items.values().collect::<Vec<_>>(), [odd, "plain"], "{form:?}");
    }
}

/// Data stores on which somebody else changes the device whenever a refresh is decided on.
#[derive(Debug)]
struct Meddled {
    inner: MemoryDatastores,
    store: Arc<MemoryStore>,
    meddles: Mutex<bool>,
    begun: Mutex<usize>,
}

impl Datastores for Meddled {
    fn stores(&self) -> Vec<Datastore> {
        self.inner.stores()
    }

    fn may_begin(&self, whose: &Whose<'_>, _: SyncKind) -> StatusCode {
        if *self.meddles.lock().unwrap() {
            let ask = Ask::new(&*whose.device.id, None::<String>, 0);
            let found = now(self.store.load(&ask)).unwrap().device.unwrap();
            let (device, expected) = (found.entry, found.version);
            now(self.store.commit(vec![Change::ReplaceDevice { device, expected }])).unwrap();
        }
        StatusCode::OK
    }

    fn begin(&self, whose: &Whose<'_>, kind: SyncKind) {
        *self.begun.lock().unwrap() += 1;
        self.inner.begin(whose, kind);
    }

    fn put(&self, whose: &Whose<'_>, luid: &str, item: SyncItem) -> StatusCode {
        self.inner.put(whose, luid, item)
    }

    fn delete(&self, whose: &Whose<'_>, luid: &str) -> StatusCode {
        self.inner.delete(whose, luid)
    }

    fn items(
        &self,
        whose: &Whose<'_>,
        after: Option<&str>,
        at_most: usize,
    ) -> Vec<(String, SyncItem)> {
        self.inner.items(whose, after, at_most)
    }

    fn map(&self, whose: &Whose<'_>, luid: &str, guid: &str) -> StatusCode {
        self.inner.map(whose, luid, guid)
    }
}

#[test]
fn nothing_goes_before_the_answer_that_says_so_is_stored() {
    let store = Arc::new(MemoryStore::new());
    let inner = MemoryDatastores::new(vec![Datastore::new("addressbook", "text/vcard", "3.0")]);
    let (meddles, begun) = (Mutex::new(true), Mutex::new(0));
    let meddled = Arc::new(Meddled { inner, store: Arc::clone(&store), meddles, begun });
    let mut config = config();
    config.datastores = Some(Arc::clone(&meddled) as Arc<dyn Datastores>);
    config.conflicts = 2;
    let site = Site::over(store, config).with_device("one");
    let device = site.device("one");
    let whose = Whose::new(&device, "addressbook");
    assert_eq!(meddled.put(&whose, "old", SyncItem::new(None, "old")).0, 201);
    let there = || meddled.items(&Whose::new(&other(), "addressbook"), None, 9).len();
    let mut one = Client::new(&site, "one", Form::Xml);
    let first = one.open(203, "addressbook");
    assert_eq!(code_of(&first, 0), Some(503), "it could not be stored");
    assert_eq!((*meddled.begun.lock().unwrap(), there()), (0, 1));
    *meddled.meddles.lock().unwrap() = false;
    let mut one = Client::new(&site, "one", Form::Xml);
    one.phone.nonce = site.device("one").client.unwrap().nonce;
    assert_eq!(code_of(&one.open(203, "addressbook"), 0), Some(212));
    assert_eq!((*meddled.begun.lock().unwrap(), there()), (1, 0));
}

/// A device of the same owner that has nothing.
fn other() -> Device {
    Device::new("other", Principal::new("fleet"), Timestamp::UNIX_EPOCH)
}

/// Many equal items of several devices, beside a model that goes through all of them each time.
#[test]
fn equal_items_are_told_apart_however_many_there_are() {
    let stores = MemoryDatastores::new(vec![Datastore::new("a", "text/plain", "1")]);
    let devices = ["x", "y"].map(|id| Device::new(id, Principal::new("p"), Timestamp::UNIX_EPOCH));
    // What each item is called by each device.
    let mut model: Vec<(String, [Option<String>; 2])> = Vec::new();
    let mut random = 7_u32;
    for step in 0..6_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let who = (random >> 9) as usize % 2;
        let whose = Whose::new(&devices[who], "a");
        let luid = format!("{}", (random >> 12) % 900);
        match (random >> 24) % 20 {
            0 if step % 7 == 0 => {
                stores.begin(&whose, SyncKind::Slow);
                model.iter_mut().for_each(|(_, names)| names[who] = None);
            }
            1..=3 => {
                let at = model.iter().position(|(_, names)| names[who].as_ref() == Some(&luid));
                let expected = if at.is_some() { 200 } else { 211 };
                assert_eq!(stores.delete(&whose, &luid).0, expected, "{step}");
                at.map(|at| model.remove(at));
            }
            _ => {
                let data = format!("{}", (random >> 20) % 3);
                let named = model.iter().position(|(_, names)| names[who].as_ref() == Some(&luid));
                let same =
                    || model.iter().position(|(of, names)| *of == data && names[who].is_none());
                let at = named.or_else(same);
                let code = stores.put(&whose, &luid, SyncItem::new(None, data.clone())).0;
                assert_eq!(code, if at.is_some() { 200 } else { 201 }, "{step}");
                let at = at.unwrap_or_else(|| {
                    model.push((data.clone(), [None, None]));
                    model.len() - 1
                });
                model[at].0 = data;
                model[at].1[who] = Some(luid);
            }
        }
    }
    let third = Device::new("z", Principal::new("p"), Timestamp::UNIX_EPOCH);
    let all = stores.items(&Whose::new(&third, "a"), None, usize::MAX);
    assert_eq!(all.len(), model.len());
    let found: Vec<_> = all.iter().map(|(_, item)| item.data.clone()).collect();
    assert_eq!(found, model.iter().map(|(data, _)| data.clone()).collect::<Vec<_>>());
}
