//! Commands from the queue to their end.

use std::sync::{Arc, Mutex};

use bindery_omadm::service::{
    Change, CommandState, DeviceStore as _, DmServerConfig, Happened, Management, Moment,
    NewCommand, Order, Value,
};
use bindery_syncml::{Atomic, Command, Get, Item, StatusCode};

use crate::support::{Phone, Site, asked, now, results, status_for, statuses};

fn site() -> Site {
    Site::new(DmServerConfig::default()).with_device("phone")
}

fn get(uri: &str) -> Order {
    Order::get([uri]).unwrap()
}

#[test]
fn a_refusal_is_explained_and_the_others_go_on() {
    let site = site();
    for (id, uri) in [("a", "./A"), ("b", "./B"), ("c", "./C")] {
        site.queue("phone", id, get(uri));
    }
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    let mut answers = vec![];
    for (command, code) in asked(&first).zip([200, 404, 425]) {
        answers.push(status_for(&first, command, StatusCode(code)));
    }
    phone.say(None, answers, true);
    assert_eq!(site.state("a"), (CommandState::Acknowledged, Some(200)));
    assert_eq!(site.state("b"), (CommandState::Failed, Some(404)));
    let why = site.command("b").progress.explanation.unwrap();
    assert!(why.contains("404 (Not found)") && why.len() > 30, "{why}");
    assert_eq!(site.state("c"), (CommandState::Failed, Some(425)));
}

#[test]
fn a_command_without_an_answer_is_sent_again_alone_and_given_up() {
    let site = site();
    for id in ["good", "poison", "other"] {
        site.queue("phone", id, get(&format!("./{id}")));
    }
    let mut done = Vec::new();
    let mut nonce = Phone::new(&site, "phone").nonce;
    for session in 1..=12 {
        let mut phone = Phone {
            session: session.to_string(),
            nonce: nonce.clone(),
            ..Phone::new(&site, "phone")
        };
        let mut message = phone.begin();
        loop {
            let targets: Vec<_> = asked(&message).filter_map(target).collect();
            if targets.is_empty() {
                break;
            }
            if targets.iter().any(|target| target == "./poison") {
                // The device does not survive it: the session just stops.
                assert!(
                    targets.len() == 1 || session == 1,
                    "alone after the first time: {targets:?}"
                );
                break;
            }
            done.extend(targets);
            message = phone.obey(&message, StatusCode::OK);
        }
        nonce = phone.nonce;
    }
    assert_eq!(done, ["./good", "./other"], "each is done once");
    assert_eq!(site.state("good").0, CommandState::Acknowledged);
    assert_eq!(site.state("other").0, CommandState::Acknowledged);
    let poison = site.command("poison").progress;
    assert_eq!((poison.state, poison.attempts), (CommandState::Failed, 3));
    assert!(poison.explanation.unwrap().contains("never answered"));
}

fn target(command: &Command) -> Option<String> {
    match command {
        Command::Get(Get { items, .. }) => Some(items[0].uri()?.to_owned()),
        _ => None,
    }
}

#[test]
fn statuses_inside_an_atomic_count_for_it() {
    let site = site();
    let replace = |uri: &str| Order::replace(Value::new(uri, "chr", "1")).unwrap();
    site.queue("phone", "all", Order::atomic([replace("./A"), replace("./B")]).unwrap());
    site.queue("phone", "seq", Order::sequence([replace("./C"), get("./D")]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    let commands: Vec<Command> = asked(&first).cloned().collect();
    let (Command::Atomic(atomic), Command::Sequence(sequence)) = (&commands[0], &commands[1])
    else {
        panic!("{commands:?}")
    };
    let mut answers = vec![
        status_for(&first, &atomic.commands[0], StatusCode(216)),
        status_for(&first, &atomic.commands[1], StatusCode(404)),
        status_for(&first, &commands[0], StatusCode(507)),
        status_for(&first, &sequence.commands[0], StatusCode(200)),
        status_for(&first, &sequence.commands[1], StatusCode(200)),
        status_for(&first, &commands[1], StatusCode(200)),
    ];
    answers.push(results(&first, &sequence.commands[1], "./D", "5".into()).into());
    phone.say(None, answers, true);
    assert_eq!(site.state("all"), (CommandState::Failed, Some(404)));
    let why = site.command("all").progress.explanation.unwrap();
    assert!(why.contains("507") && why.contains("404"), "{why}");
    assert_eq!(site.state("seq"), (CommandState::Acknowledged, Some(200)));
    let parts =
        site.results("phone").into_iter().filter(|one| one.command.as_deref() == Some("all"));
    assert_eq!(parts.count(), 3, "each status is kept");
}

#[test]
fn orders_are_checked_before_they_are_queued() {
    let fails = |order: Result<Order, _>| {
        order.err().map(|error: bindery_omadm::service::OrderError| error.to_string())
    };
    let no_target = Command::from(Get { items: vec![Item::default()], ..Get::default() });
    let inner = |commands| Order::new(Atomic { commands, ..Atomic::default() }.into());
    let nested = Order::atomic([Order::delete("./A").unwrap()]).unwrap();
    for (order, word) in [
        (Order::get([""]), "Target"),
        (Order::get([]), "no item"),
        (Order::new(no_target), "Target"),
        (Order::new(bindery_syncml::Results::default().into()), "does not send"),
        (inner(vec![]), "no command"),
        (inner(vec![get("./A").command().clone()]), "Get does not belong"),
        (Order::atomic([nested]), "inside another"),
        (Order::copy("", "./B"), "Source"),
        (Order::get(["./A"].into_iter().cycle().take(2_000)), "1,000"),
        (Order::get([&*"x".repeat(3_000)]), "2,048"),
        (
            Order::new(
                Get { no_resp: true, items: vec![Item::to("./A")], ..Get::default() }.into(),
            ),
            "NoResp",
        ),
    ] {
        let said = fails(order).unwrap_or_default();
        assert!(said.contains(word), "{said:?} says {word:?}");
    }
    let zero = Order::replace(Value::new("./A", "chr", "a\0b")).unwrap();
    assert!(zero.for_device("x", "phone", bindery_core::Timestamp::UNIX_EPOCH).is_err());
}

#[test]
fn a_device_never_sees_the_commands_of_another() {
    let site = site().with_device("other");
    site.queue("other", "secret", get("./Secret"));
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    assert!(asked(&first).next().is_none());
    // Nor may it answer them.
    let mut phone =
        Phone { session: "2".to_owned(), nonce: phone.nonce, ..Phone::new(&site, "phone") };
    site.queue("phone", "mine", get("./Mine"));
    let first = phone.begin();
    let mine = asked(&first).next().unwrap().clone();
    let mut answers = statuses(&first, StatusCode::OK);
    for cmd in 1..50_u32 {
        let mut other = mine.clone();
        other.set_cmd_id(cmd);
        answers.push(results(&first, &other, "./Secret", "1".into()).into());
    }
    phone.say(None, answers, true);
    assert_eq!(site.state("secret"), (CommandState::Queued, None));
    assert!(site.results("other").is_empty());
    assert!(site.results("phone").iter().all(|one| one.command.as_deref() != Some("secret")));
}

#[test]
fn many_commands_go_in_several_packages_within_the_size_that_the_device_takes() {
    let site = site();
    for number in 0..200 {
        let value = Value::new(format!("./Node/{number}"), "chr", "v".repeat(100));
        site.queue("phone", &format!("c{number}"), Order::replace(value).unwrap());
    }
    let mut phone = Phone { max_msg_size: Some(4_000), ..Phone::new(&site, "phone") };
    let mut message = phone.begin();
    let mut packages = 0;
    while asked(&message).next().is_some() {
        packages += 1;
        assert!(asked(&message).count() <= 64);
        message = phone.obey(&message, StatusCode::OK);
    }
    assert!(packages > 5, "{packages}");
    assert!(
        site.commands("phone").iter().all(|one| one.progress.state == CommandState::Acknowledged)
    );
    assert!(site.commands("phone").iter().all(|one| one.progress.attempts == 1));
}

#[test]
fn a_command_that_was_taken_back_is_not_waited_for() {
    let site = site();
    site.queue("phone", "a", get("./A"));
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    let loaded = now(site.store.command("a")).unwrap().unwrap();
    let mut progress = loaded.entry.progress.clone();
    progress.state = CommandState::Failed;
    let change = Change::Progress { id: "a".to_owned(), expected: loaded.version, progress };
    now(site.store.commit(vec![change])).unwrap();
    phone.obey(&first, StatusCode::OK);
    assert_eq!(site.state("a").0, CommandState::Failed, "finished stays finished");
}

/// Asks for the manufacturer once, and writes down what happens.
#[derive(Debug, Default)]
struct Curious {
    told: Mutex<Vec<(u32, u16, usize, bool)>>,
}

impl Management for Curious {
    fn decide(&self, moment: &Moment<'_>) -> Vec<NewCommand> {
        let asked = moment.results.iter().any(|one| one.command.as_deref() == Some("why"));
        if asked || moment.device.dev_info.get("Man").map(String::as_str) != Some("Acme") {
            return Vec::new();
        }
        vec![get("./DevDetail/SwV").for_device("why", &moment.device.id, moment.now).unwrap()]
    }

    fn happened(&self, it: &Happened<'_>) {
        self.told.lock().unwrap().push((it.msg_id, it.status.0, it.commands.len(), it.over));
    }
}

#[test]
fn an_application_decides_what_is_sent_and_is_told_what_came_of_it() {
    let curious = Arc::new(Curious::default());
    let mut config = DmServerConfig::default();
    config.management = curious.clone();
    let site = Site::new(config).with_device("phone");
    let mut phone = Phone::new(&site, "phone");
    let empty = phone.begin();
    // The device had told nothing before the message, so nothing is asked yet.
    assert!(asked(&empty).next().is_none());
    let mut phone =
        Phone { session: "2".to_owned(), nonce: phone.nonce, ..Phone::new(&site, "phone") };
    let first = phone.begin();
    assert_eq!(asked(&first).count(), 1);
    let end = phone.obey(&first, StatusCode::OK);
    assert!(asked(&end).next().is_none());
    assert_eq!(site.state("why"), (CommandState::Acknowledged, Some(200)));
    let told = curious.told.lock().unwrap().clone();
    assert_eq!(told, [(1, 212, 0, true), (1, 212, 1, false), (2, 200, 1, true)]);
}
