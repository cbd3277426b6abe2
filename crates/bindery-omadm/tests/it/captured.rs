//! Sessions of real clients, as they were recorded with other servers: what they say is answered
//! by the rules of [`judge`](crate::support::judge). The recordings are by others and stay outside
//! the repository; `BINDERY_VECTORS` names their folder.

use std::path::PathBuf;

use bindery_omadm::{
    CredentialDigest, Incoming,
    service::{AppAuth, CommandState, DmServerConfig, Order, ResultKind, Value},
};
use bindery_syncml::{Command, Form, Options, SyncMl, WriteOptions};
use bytes::Bytes;

use crate::support::{Phone, Sending, Site, asked, code_of, package_1};

fn recorded(path: &str) -> Option<Bytes> {
    let folder: PathBuf = std::env::var_os("BINDERY_VECTORS")?.into();
    let file = folder.join("omadm").join(path);
    Some(std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display())).into())
}

/// The same message in another form.
fn converted(octets: &Bytes, form: Form) -> Bytes {
    let message = SyncMl::decode(octets, &Options::LENIENT).unwrap();
    let mut buffer = Vec::new();
    message.encode(&mut buffer, &WriteOptions::new(form)).unwrap();
    buffer.into()
}

/// A server to which recorded clients may speak: their later messages cannot have its address.
fn open_site() -> Site {
    let mut config = DmServerConfig::default();
    config.bind_to_address = false;
    Site::new(config)
}

#[test]
fn libdmclient_is_managed() {
    let Some(one) = recorded("wire/dm-1.2-libdmclient-xml/01-request.xml") else { return };
    let two = recorded("wire/dm-1.2-libdmclient-xml/02-request.xml").unwrap();
    for form in [Form::Xml, Form::Wbxml] {
        let site = open_site();
        let client = AppAuth::new("funambol", CredentialDigest::new("funambol", "funambol"));
        let server = AppAuth::new("funambol", CredentialDigest::new("funambol", "srvpwd"));
        site.register("DMCtest", Some(client), Some(server));
        // What it was asked for by the server that it was recorded with, in the same order.
        let get = |uris: &[&str]| Order::get(uris.iter().copied()).unwrap();
        site.queue("DMCtest", "c4", get(&["./DevInfo/Man", "./DevDetail/SwV"]));
        site.queue("DMCtest", "c5", get(&["./DevInfo"]));
        site.queue("DMCtest", "c6", get(&["./NoSuch/Node"]));
        let value = Value::new("./Memory/n1", "chr", "hello").with_media_type("text/plain");
        site.queue("DMCtest", "c7", Order::add(value).unwrap());
        site.queue("DMCtest", "c8", Order::exec("./DevInfo/Man", None).unwrap());
        let (first, _) = site.post(converted(&one, form), &Sending::default());
        assert_eq!(code_of(&first, 0), Some(212));
        assert_eq!((code_of(&first, 1), code_of(&first, 2)), (Some(200), Some(200)));
        let ids: Vec<_> =
            asked(&first).map(|command| command.cmd_id().unwrap().to_string()).collect();
        assert_eq!(ids, ["4", "5", "6", "7", "8"], "so its recorded answers fit");
        assert!(first.hdr.cred.is_some(), "the server proves itself");
        let (last, _) = site.post(converted(&two, form), &Sending::default());
        assert_eq!(code_of(&last, 0), Some(200));
        assert!(last.body.is_final && asked(&last).next().is_none());
        assert!(last.hdr.cred.is_none(), "it took the server's credentials (212)");
        for (id, state, code) in [
            ("c4", CommandState::Acknowledged, 200),
            ("c5", CommandState::Acknowledged, 200),
            ("c6", CommandState::Failed, 404),
            ("c7", CommandState::Failed, 425),
            ("c8", CommandState::Failed, 425),
        ] {
            assert_eq!(site.state(id), (state, Some(code)), "{id}");
        }
        let kept = site.results("DMCtest");
        let values: Vec<_> = kept
            .iter()
            .filter(|entry| entry.kind == ResultKind::Results)
            .map(|entry| (entry.uri.as_str(), entry.command.as_deref().unwrap()))
            .collect();
        assert_eq!(
            values,
            [("./DevInfo/Man", "c4"), ("./DevDetail/SwV", "c4"), ("./DevInfo", "c5")]
        );
        let device = site.device("DMCtest");
        assert_eq!(device.dev_info["Mod"], "test model");
        assert_eq!(device.dev_info["Ext/Intel/test2"], "data of test2");
        assert_eq!(device.server.unwrap().nonce, "+6UYKDDMDQ4=", "its nonce, base64 of base64");
    }
}

/// Requests of a session of SyncEvolution, with the SyncML of data synchronization: this server is
/// none for that, and says so in its words.
#[test]
fn syncevolution_is_known_and_told_what_is_not_here() {
    for (folder, ending, scheme) in [
        ("wbxml-1.2-md5", "wbxml", "md5"),
        ("wbxml-1.2-largeobject", "wbxml", "md5"),
        ("xml-1.2-basic", "xml", "basic"),
    ] {
        let Some(first) = recorded(&format!("wire/{folder}/01-request.{ending}")) else { return };
        for form in [Form::Xml, Form::Wbxml] {
            let site = open_site();
            let ada = AppAuth::new("ada", CredentialDigest::new("ada", "lovelace"));
            let device = SyncMl::decode(&first, &Options::LENIENT).unwrap().hdr.source.loc_uri;
            site.register(&device, Some(ada), None);
            let (answer, _) = site.post(converted(&first, form), &Sending::default());
            // The recorded digest is over an empty nonce, which no server may take.
            let expected = if scheme == "basic" { 212 } else { 401 };
            assert_eq!(code_of(&answer, 0), Some(expected), "{folder} {form:?}");
            for number in 2..=4 {
                let path = format!("wire/{folder}/0{number}-request.{ending}");
                let exists = std::env::var_os("BINDERY_VECTORS")
                    .is_some_and(|folder| PathBuf::from(folder).join("omadm").join(&path).exists());
                if !exists {
                    continue;
                }
                // Judged by the rules for every answer.
                let octets = recorded(&path).unwrap();
                site.post(converted(&octets, form), &Sending::default());
            }
        }
    }
}

/// A session of SyncEvolution with a data store to refresh: the client as it was recorded, which
/// wants a slow synchronization.
#[test]
fn syncevolution_refreshes_what_it_has() {
    let Some(first) = recorded("wire/xml-1.2-basic/01-request.xml") else { return };
    let second = recorded("wire/xml-1.2-basic/02-request.xml").unwrap();
    let third = recorded("wire/xml-1.2-basic/03-request.xml").unwrap();
    for form in [Form::Xml, Form::Wbxml] {
        let mut config = DmServerConfig::default();
        let store = bindery_omadm::service::Datastore::new("addressbook", "text/vcard", "3.0");
        let stores = bindery_omadm::service::MemoryDatastores::new(vec![store]);
        config.datastores = Some(std::sync::Arc::new(stores));
        let site = Site::new(config);
        let mut ada = AppAuth::new("ada", CredentialDigest::new("ada", "lovelace"));
        ada.nonce = Bytes::from_static(b"n");
        site.register("sc-test-0001", Some(ada), None);
        let mut url = crate::support::URL.to_owned();
        let mut codes = Vec::new();
        for octets in [&first, &second, &third] {
            let message = SyncMl::decode(octets, &Options::LENIENT).unwrap();
            let mut changed = Vec::new();
            message.encode(&mut changed, &WriteOptions::new(form)).unwrap();
            let sending = Sending { url: &url, ..Sending::default() };
            let (answer, _) = site.post(changed.into(), &sending);
            let told = message
                .body
                .commands
                .iter()
                .flat_map(|one| std::iter::once(one).chain(one.commands()));
            let ids = told.filter(|one| !matches!(one, Command::Status(_)));
            let ids =
                ids.map(|one| u32::try_from(one.cmd_id().unwrap().number().unwrap()).unwrap());
            codes.push(ids.map(|id| code_of(&answer, id)).collect::<Vec<_>>());
            if let Some(uri) = &answer.hdr.resp_uri {
                url = uri.as_str().to_owned();
            }
        }
        let expected = [vec![Some(200); 3], [&[Some(200)][..], &[Some(201); 3]].concat(), vec![]];
        assert_eq!(codes, expected, "{form:?}");
    }
}

#[test]
fn the_first_session_of_windows_is_taken() {
    let Some(octets) = recorded("samples/windows-first-session.xml") else { return };
    for session in ["0", "1", "7B"] {
        let mut config = DmServerConfig::default();
        config.register = true;
        let site = Site::new(config);
        let text = String::from_utf8(octets.to_vec()).unwrap();
        let text = text.replace("<SessionID>1<", &format!("<SessionID>{session}<"));
        let sending = Sending { principal: Some("enrolled"), ..Sending::default() };
        let (answer, reply) = site.post(text.into_bytes().into(), &sending);
        assert_eq!(reply.form, Form::Xml);
        assert_eq!(*answer.hdr.session_id, *session);
        assert_eq!(code_of(&answer, 0), Some(200));
        assert!((2..=4).all(|cmd| code_of(&answer, cmd) == Some(200)), "{answer:?}");
        let id = "DB257C3A08778F4FB61E2749066C1F27";
        let device = site.device(id);
        assert_eq!((&*device.dev_info["Man"], &*device.dev_info["DmV"]), ("VMware, Inc.", "1.3"));
        assert_eq!(device.owner.as_str(), "enrolled");
        let kept = site.results(id);
        let login = kept.iter().find(|entry| entry.kind == ResultKind::Alert).unwrap();
        assert_eq!(&*login.data, b"1224 (Client event) com.microsoft/MDM/LoginStatus: user");
    }
}

/// Messages of phones and of hand-made tests: whatever they are, they are answered by the rules.
#[test]
fn samples_of_all_kinds_are_answered() {
    let Some(folder) = std::env::var_os("BINDERY_VECTORS") else { return };
    let folder = PathBuf::from(folder).join("omadm/samples");
    let mut answered = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let octets = Bytes::from(std::fs::read(file.unwrap().path()).unwrap());
        let Ok(incoming) = Incoming::read(octets.clone(), &Options::LENIENT) else { continue };
        let hdr = &incoming.message.hdr;
        if hdr.msg_id.number().is_none_or(|number| number == 0) || hdr.source.loc_uri.is_empty() {
            continue;
        }
        let site = open_site();
        site.register(&hdr.source.loc_uri, None, None);
        let sending = Sending { principal: Some("fleet"), ..Sending::default() };
        site.post(octets, &sending);
        answered += 1;
    }
    assert!(answered >= 8, "{answered}");
    // And the server is as it was.
    let site = open_site().with_device("phone");
    let mut phone = Phone::new(&site, "phone");
    let cred = phone.md5();
    let answer = phone.say(Some(cred), package_1("phone"), true);
    assert!(answer.body.commands.iter().all(|one| matches!(one, Command::Status(_))));
}
