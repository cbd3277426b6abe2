//! `bindery taxii` against `bindery dev` and `bindery serve`.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
    thread,
    time::Duration,
};

use crate::support::{Server, file, folder, run, run_with_input};

/// The namespace of STIX as the draft has it.
const DRAFT_STIX: &str = "http://stix.mitre.org";

const STIX: &str = "<?xml version=\"1.0\"?>\n<stix:STIX_Package xmlns:stix=\"http://stix.mitre.org/stix-1\" \
                    id=\"a:1\"><stix:STIX_Header/></stix:STIX_Package>\n";

#[test]
fn content_goes_in_and_comes_out_in_every_version() {
    let folder = folder();
    let path = folder.path();
    let _server = Server::dev(path);
    let services = run(path, "taxii discovery --context dev -o json").exits(0).json();
    let types: Vec<&str> =
        services.as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["DISCOVERY", "COLLECTION_MANAGEMENT", "POLL", "INBOX"]);
    let found = run(path, "taxii collections --context dev -o json").exits(0).json();
    assert_eq!(found[0]["name"], "default");
    file(path, "a.xml", STIX);
    file(path, "b.txt", "10.0.0.1 & others\n");
    let push = "taxii push --context dev --dest default a.xml";
    assert_eq!(run(path, &format!("{push} -o json")).exits(0).json()["blocks"], 1);
    let text = "taxii push --context dev --dest default -b urn:example:text b.txt";
    run(path, text).exits(0);
    let count =
        run(path, "taxii poll --context dev -c default --count-only -o json").exits(0).json();
    assert_eq!(count["count"], 2);
    for version in ["1.0", "1.1"] {
        let line = format!("taxii poll --context dev -t {version} -c default -o json");
        let polled = run(path, &line).exits(0).json();
        let blocks = polled["blocks"].as_array().unwrap();
        assert_eq!(blocks.len(), 2, "{version}: {polled}");
        let content = blocks[0]["content"].as_str().unwrap();
        assert!(content.contains("xmlns:stix=\"http://stix.mitre.org/stix-1\""), "{content}");
        assert_eq!(blocks[1]["content"], "10.0.0.1 & others\n");
        assert!(blocks[0]["label"].as_str() < blocks[1]["label"].as_str());
        assert_eq!(blocks[1]["label"], polled["end"]);
    }
    // The draft asks for one binding, and carries nothing but an element STIX.
    let draft =
        "taxii poll --context dev -t draft -c default -b urn:stix.mitre.org:xml:1.1.1 -o json";
    let polled = run(path, draft).exits(0).json();
    assert_eq!(polled["blocks"].as_array().unwrap().len(), 0, "{polled}");
    run(path, "taxii push --context dev -t draft a.xml").exits(2);
    file(path, "c.xml", format!("<s:STIX xmlns:s=\"{DRAFT_STIX}\"/>"));
    run(path, "taxii push --context dev -t draft c.xml").exits(0);
    let polled = run(path, draft).exits(0).json();
    assert_eq!(polled["blocks"].as_array().unwrap().len(), 1, "{polled}");
}

#[test]
fn nothing_is_sent_where_nothing_shall_be() {
    let folder = folder();
    let path = folder.path();
    for option in ["--dry-run", "--curl"] {
        let line = format!("taxii discovery --url http://127.0.0.1:1/ {option}");
        assert!(run(path, &line).exits(2).stderr.contains("are not there"), "{line}");
    }
}

#[test]
fn a_cursor_file_goes_on_where_the_last_poll_ended() {
    let folder = folder();
    let path = folder.path();
    let _server = Server::dev(path);
    let push = "taxii push --context dev --text -b urn:example:text -";
    run_with_input(path, push, b"one").exits(0);
    let poll = "taxii poll --context dev -c default --cursor-file cursors -o json";
    let blocks = |line: &str| run(path, line).exits(0).json()["blocks"].as_array().unwrap().len();
    assert_eq!(blocks(poll), 1);
    assert_eq!(blocks(poll), 0);
    run_with_input(path, push, b"two").exits(0);
    run_with_input(path, push, b"three").exits(0);
    assert_eq!(blocks(&format!("{poll} --dest-dir out")), 2);
    let mut names: Vec<String> = fs::read_dir(path.join("out"))
        .unwrap()
        .map(|one| one.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 2);
    assert_eq!(fs::read_to_string(path.join("out").join(&names[1])).unwrap(), "three");
    file(path, "cursors", "not a cursor\n");
    let error = run(path, poll).exits(2).error();
    assert!(error["message"].as_str().unwrap().contains("line 1"), "{error}");
}

#[test]
fn a_subscription_s_life() {
    let folder = folder();
    let path = folder.path();
    let _server = Server::dev(path);
    let ask = |rest: &str| {
        run(path, &format!("taxii subscription {rest} --context dev -c default -o json"))
    };
    let made = ask("subscribe").exits(0).json();
    let id = made["subscriptions"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(ask("subscribe").exits(0).json()["subscriptions"][0]["id"], *id);
    for (action, state) in
        [("pause", "PAUSED"), ("pause", "PAUSED"), ("resume", "ACTIVE"), ("status", "ACTIVE")]
    {
        let shown = ask(&format!("{action} -s {id}")).exits(0).json();
        assert_eq!(shown["subscriptions"][0]["status"], state, "{action}");
    }
    let polled = format!("taxii poll --context dev -c default -s {id} -o json");
    run(path, &polled).exits(0);
    assert_eq!(ask("status").exits(0).json()["subscriptions"].as_array().unwrap().len(), 1);
    ask(&format!("unsubscribe -s {id}")).exits(0);
    ask("unsubscribe -s urn:no:such").exits(0);
    assert_eq!(ask("status").exits(0).json()["subscriptions"].as_array().unwrap().len(), 0);
    let error = ask("pause -s urn:no:such").exits(1).error();
    assert_eq!(error["status_type"], "NOT_FOUND", "{error}");
    run(path, &polled).exits(1);
}

/// A server with passwords, a collection for each case, and no certificates asked for.
fn serve(path: &Path) -> Server {
    serve_with(path, "")
}

/// The same with other settings of the feed services.
fn serve_with(path: &Path, settings: &str) -> Server {
    assert!(Server::dev(path).stop().success());
    for (user, password) in [("alice", "correct horse"), ("bob", "battery staple")] {
        let set = format!(
            "account set {user} --password-file - --accounts accounts.toml --scheme basic,digest-sha256"
        );
        run_with_input(path, &set, password.as_bytes()).exits(0);
        file(path, user, password);
    }
    file(
        path,
        "serve.toml",
        format!(
            "[service.taxii]\nhttp_auth = [\"basic\", \"digest\"]\nanonymous = true\n{settings}\
         [service.taxii.collection.open]\nread = [\"@anyone\"]\nwrite = [\"alice\"]\n\
         [service.taxii.collection.closed]\nread = [\"alice\"]\nwrite = [\"alice\"]\nbindings = [\"urn:a\"]\n\
         [accounts]\nfile = \"accounts.toml\"\n\
         [store]\nfile = \"serve.db\"\nkek_file = \".bindery-dev/bindery.kek\"\n\
         [admin]\naddress = \"127.0.0.1:0\"\n\
         [listener.main]\naddress = \"127.0.0.1:0\"\ncertificate = \".bindery-dev/server.pem\"\n\
         key = \".bindery-dev/server.key\"\nclient_certificates = \"none\"\ntls_policy = \"taxii\"\n"
        ),
    );
    Server::start(path, "serve --config serve.toml -o json")
}

#[test]
fn accounts_with_passwords_have_the_rights_of_the_configuration() {
    let folder = folder();
    let path = folder.path();
    let server = serve(path);
    let own = format!("--cacert .bindery-dev/ca.pem --url {}", server.service("taxii"));
    let ask = |who: &str, line: &str| {
        let login = if who.is_empty() {
            String::new()
        } else {
            format!("--user {who} --password-file {who}")
        };
        run(path, &format!("taxii {line} {own} {login} -o json"))
    };
    let names = |who: &str| -> Vec<String> {
        let found = ask(who, "collections").exits(0).json();
        found
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(""), ["open"]);
    assert_eq!(names("bob"), ["open"]);
    assert_eq!(names("alice"), ["closed", "open"]);
    file(path, "x.xml", "<x/>");
    ask("alice", "push --dest open --dest closed -b urn:a x.xml").exits(0);
    // One destination that does not take it refuses all.
    let error = ask("alice", "push --dest open --dest closed -b urn:b x.xml").exits(1).error();
    assert_eq!(error["status_type"], "UNSUPPORTED_CONTENT", "{error}");
    let count = ask("", "poll -c open --count-only").exits(0).json();
    assert_eq!(count["count"], 1);
    assert_eq!(ask("bob", "poll -c closed").exits(1).error()["status_type"], "NOT_FOUND");
    assert_eq!(ask("", "poll -c closed").exits(4).error()["status_type"], "UNAUTHORIZED");
    // Who may not send there is told no more than that it is no destination.
    let error = ask("bob", "push --dest closed -b urn:a x.xml").exits(1).error();
    assert_eq!(error["status_type"], "DESTINATION_COLLECTION_ERROR", "{error}");
    // A wrong password is no way to be nobody.
    file(path, "mallory", "guess");
    let error = ask("mallory", "collections").exits(4).error();
    assert_eq!(error["status_type"], "UNAUTHORIZED", "{error}");
    // The password changes while the server runs.
    run_with_input(path, "account set bob --password-file - --accounts accounts.toml", b"new")
        .exits(0);
    server.signal("HUP");
    file(path, "bob", "new");
    crate::support::wait_for("the new password", || {
        let ran =
            run(path, &format!("taxii collections {own} --user bob --password-file bob -o json"));
        ran.text().contains("open").then_some(())
    });
}

const QUERY: &str = "<q:Default_Query xmlns:q='http://taxii.mitre.org/query/taxii_default_query-1' \
    targeting_expression_id='urn:stix.mitre.org:xml:1.1.1'><q:Criteria operator='AND'><q:Criterion>\
    <q:Target>STIX_Package/@id</q:Target><q:Test capability_id='urn:taxii.mitre.org:query:capability:core-1' \
    relationship='equals'><q:Parameter name='value'>a:1</q:Parameter>\
    <q:Parameter name='match_type'>case_sensitive_string</q:Parameter></q:Test></q:Criterion></q:Criteria></q:Default_Query>";

/// An inbox of the program that ends after one message, and where it listens.
fn inbox(path: &Path) -> (std::process::Child, String) {
    let line = "taxii inbox --clear --dest-dir got --messages 1";
    let mut child = crate::support::bindery(path)
        .args(line.split_whitespace())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("listening on ") {
        line.clear();
        assert!(BufRead::read_line(&mut told, &mut line).unwrap() > 0, "it ended");
    }
    let url = line.split("listening on ").nth(1).unwrap().trim().to_owned();
    (child, url)
}

/// The whole way: the server pushes what meets a subscriber's query to the program's own inbox, answers later, and one
/// collection is copied into another.
#[test]
fn content_is_queried_pushed_answered_later_and_mirrored() {
    let folder = folder();
    let path = folder.path();
    let settings = "queries = true\nlater_above = 0\n\
                    [service.taxii.push]\nhosts = [\"127.0.0.1:*\"]\nclear = true\n";
    let server = serve_with(path, settings);
    let url = server.service("taxii");
    let own = format!("--cacert .bindery-dev/ca.pem --url {url}");
    let ask = |line: &str| {
        run(path, &format!("taxii {line} {own} --user alice --password-file alice -o json"))
    };
    file(path, "q.xml", QUERY);
    file(path, "a.xml", STIX);
    file(path, "b.xml", STIX.replace("a:1", "b:1"));
    let (mut child, inbox) = inbox(path);
    ask(&format!("subscription subscribe -c open --query q.xml --inbox {inbox}")).exits(0);
    ask("push --dest open -b urn:stix.mitre.org:xml:1.1.1 a.xml b.xml").exits(0);
    assert!(child.wait().unwrap().success());
    let files: Vec<_> = fs::read_dir(path.join("got")).unwrap().collect();
    assert_eq!(files.len(), 1);
    let got = fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
    assert!(got.contains("a:1"), "{got}");
    for later in ["", "--later"] {
        let polled = ask(&format!("poll -c open --query q.xml {later}")).exits(0).json();
        assert_eq!(polled["blocks"].as_array().unwrap().len(), 1, "{polled}");
    }
    let polled = ask("poll -c open --later").exits(0).json();
    assert_eq!(polled["blocks"].as_array().unwrap().len(), 2, "{polled}");
    let error = ask("poll -c open --query a.xml").exits(2).error();
    assert!(error["message"].as_str().unwrap().contains("a.xml"), "{error}");
    // A password is for the server that it was given for.
    let error =
        ask(&format!("mirror -c open --to {url} --cursor-file cursors --to-collection closed"));
    error.exits(4);
    let mirror = format!(
        "mirror -c open --to {url} --to-user alice --to-password-file alice --cursor-file cursors"
    );
    // What the other collection does not take is no reason to go on behind it.
    let error = ask(&format!("{mirror} --to-collection closed")).exits(1).error();
    assert_eq!(error["status_type"], "UNSUPPORTED_CONTENT", "{error}");
    assert!(!path.join("cursors").exists());
    file(path, "c.txt", "x");
    for _ in 0..3 {
        ask("push --dest open -b urn:a --text c.txt c.txt").exits(0);
    }
    let mirror = format!("{mirror} --to-collection closed -b urn:a");
    assert_eq!(ask(&mirror).exits(0).json()["blocks"], 6);
    assert_eq!(ask(&mirror).exits(0).json()["blocks"], 0);
    ask("push --dest open -b urn:a --text c.txt").exits(0);
    assert_eq!(ask(&mirror).exits(0).json()["blocks"], 1);
    let count = ask("poll -c closed --count-only").exits(0).json();
    assert_eq!(count["count"], 7);
    run(path, "taxii inbox").exits(2);
}

/// An inbox in clear that tells what it was sent, and answers or does not.
fn told_of(listener: &TcpListener, answers: bool) -> String {
    listener.set_nonblocking(true).unwrap();
    let mut stream = (0..2_000)
        .find_map(|_| {
            thread::sleep(Duration::from_millis(10));
            listener.accept().ok()
        })
        .expect("nobody comes")
        .0;
    stream.set_nonblocking(false).unwrap();
    let mut read = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        read.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    read.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    if answers {
        let status = format!(
            "<t:Status_Message xmlns:t='http://taxii.mitre.org/messages/taxii_xml_binding-1.1' message_id='1' \
             in_response_to='{}' status_type='SUCCESS'/>",
            message_id(&body)
        );
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ncontent-length: {}\r\nconnection: close\r\n\
             x-taxii-content-type: urn:taxii.mitre.org:message:xml:1.1\r\n\
             x-taxii-protocol: urn:taxii.mitre.org:protocol:http:1.0\r\n\
             x-taxii-services: urn:taxii.mitre.org:services:1.1\r\n\r\n{status}",
            status.len()
        );
        stream.write_all(answer.as_bytes()).unwrap();
    }
    body
}

fn message_id(body: &str) -> &str {
    body.split("message_id=\"").nth(1).unwrap().split('"').next().unwrap()
}

/// The answer to a message was lost, and more has come when the next run begins: it begins with the same message.
#[test]
fn what_a_mirror_sends_again_is_the_same_message() {
    let folder = folder();
    let path = folder.path();
    let server = serve_with(path, "");
    let url = server.service("taxii");
    let own = format!("--cacert .bindery-dev/ca.pem --url {url}");
    let ask = |line: &str| {
        run(path, &format!("taxii {line} {own} --user alice --password-file alice -o json"))
    };
    file(path, "a.txt", "a");
    file(path, "b.txt", "b");
    file(path, "large.txt", "x".repeat((4 << 20) - 10));
    file(path, "c.txt", "c".repeat(100));
    ask("push --dest open -b urn:a --text a.txt b.txt").exits(0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let inbox = format!("http://{}/inbox", listener.local_addr().unwrap());
    let run = |answers: &'static [bool]| {
        thread::scope(|scope| {
            let bodies = scope.spawn(|| {
                answers.iter().map(|answers| told_of(&listener, *answers)).collect::<Vec<_>>()
            });
            let done =
                ask(&format!("mirror -c open --to-inbox {inbox} --cursor-file cursors -b urn:a"));
            let all = answers.iter().all(|answers| *answers);
            done.exits(if all { 0 } else { 3 });
            bodies.join().unwrap()
        })
    };
    let first = run(&[false]).remove(0);
    assert!(path.join("cursors.sending").exists());
    ask("push --dest open -b urn:a --text large.txt c.txt").exits(0);
    // Again, and then what has come: a large block goes with none that would make it too long.
    let bodies = run(&[true, true, true]);
    assert_eq!(bodies[0], first);
    assert!(bodies[1].len() > (4 << 20) - 10 && bodies[2].len() < 4_000, "one is large");
    let ids: BTreeSet<_> = bodies.iter().map(|body| message_id(body)).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(!path.join("cursors.sending").exists());
    assert_eq!(run(&[]).len(), 0);
}

#[test]
fn usage_errors() {
    let folder = folder();
    let path = folder.path();
    for (line, said) in [
        ("taxii discovery", "no server is named"),
        ("taxii poll -c a --begin yesterday --insecure --url https://127.0.0.1:1/", "no timestamp"),
        ("taxii push --insecure --url https://127.0.0.1:1/ no-such-file", "no-such-file"),
        ("taxii discovery --insecure --url https://127.0.0.1:1/ --user a", "--password-file"),
        ("kmip query --url https://127.0.0.1:1/ --user a --password-file b", "forbids"),
    ] {
        let error = run(path, &format!("{line} -o json")).exits(2).error();
        assert!(error["message"].as_str().unwrap().contains(said), "{line}: {error}");
    }
}
