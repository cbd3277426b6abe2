//! Who may speak, and for how long.

use std::sync::Arc;

use bindery_auth::Attempts;
use bindery_omadm::{
    CredentialDigest, Hmac,
    service::{AppAuth, CommandState, DmServerConfig, Order, Scheme},
};
use bindery_syncml::{
    Chal, Command, Content, Form, Meta, Status, StatusCode, SyncMl, WriteOptions,
};
use bytes::Bytes;

use crate::support::{
    Broken, Phone, Sending, Site, URL, account, asked, challenge, code_of, cred, digest, now,
    package_1, status_for, statuses,
};

fn site() -> Site {
    Site::new(DmServerConfig::default()).with_device("phone")
}

#[test]
fn a_nonce_counts_once() {
    let site = site();
    let mut phone = Phone::new(&site, "phone");
    let used = phone.md5();
    assert_eq!(code_of(&phone.begin(), 0), Some(212));
    let fresh = phone.nonce.clone();
    for session in ["2", "3"] {
        let mut thief = Phone { session: session.to_owned(), ..Phone::new(&site, "phone") };
        let answer = thief.say(Some(used.clone()), package_1("phone"), true);
        assert_eq!(code_of(&answer, 0), Some(401), "the recorded credentials");
        assert_eq!(thief.nonce, fresh, "the challenge has the nonce that counts");
    }
    let mut phone = Phone { session: "4".to_owned(), nonce: fresh, ..Phone::new(&site, "phone") };
    assert_eq!(code_of(&phone.begin(), 0), Some(212), "who knows the password is not kept out");
}

#[test]
fn nobody_goes_on_with_a_session_without_its_address() {
    let site = site();
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    let uri = first.hdr.resp_uri.clone().unwrap();
    assert!(uri.starts_with(URL) && uri.len() > URL.len() + 20, "{uri}");
    for url in
        [URL.to_owned(), format!("{URL}?session="), format!("{URL}?session=AAAAAAAAAAAAAAAAAAAAAA")]
    {
        let mut thief = Phone { msg: 1, url, ..Phone::new(&site, "phone") };
        let answer = thief.say(None, statuses(&first, StatusCode::OK), true);
        assert_eq!(code_of(&answer, 0), Some(407));
        assert_eq!(site.state("a"), (CommandState::Sent, None), "nothing of it counts");
        // Not even for what was sent before.
        let (again, _) = thief.again();
        assert_eq!(code_of(&again, 0), Some(407));
    }
    let answer = phone.obey(&first, StatusCode::OK);
    assert_eq!(code_of(&answer, 0), Some(200));
    assert_eq!(site.state("a").0, CommandState::Acknowledged);
}

#[test]
fn a_device_that_does_not_follow_the_address_proves_itself_each_time() {
    let site = site();
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    phone.url = URL.to_owned();
    let refused = phone.say(None, statuses(&first, StatusCode::OK), true);
    assert_eq!(code_of(&refused, 0), Some(407));
    let cred = phone.md5();
    let answer = phone.say(Some(cred), statuses(&first, StatusCode::OK), true);
    assert_eq!(code_of(&answer, 0), Some(200), "200: again in each message");
    assert_eq!(site.state("a").0, CommandState::Acknowledged);
}

#[test]
fn basic_goes_over_tls_only_unless_allowed() {
    let text = Content::base64(b"phone:secret");
    let site = site();
    let mut phone = Phone::new(&site, "phone");
    let answer = phone.say(Some(cred("syncml:auth-basic", text.clone())), package_1("phone"), true);
    assert_eq!(code_of(&answer, 0), Some(212));
    let wrong = Content::base64(b"phone:wrong");
    let mut phone = Phone { session: "2".to_owned(), ..Phone::new(&site, "phone") };
    let answer = phone.say(Some(cred("syncml:auth-basic", wrong)), package_1("phone"), true);
    assert_eq!(code_of(&answer, 0), Some(401));

    let octets = {
        let mut message = SyncMl {
            hdr: phone.header(Some(cred("syncml:auth-basic", text))),
            ..SyncMl::default()
        };
        message.body.is_final = true;
        let mut octets = Vec::new();
        message.encode(&mut octets, &WriteOptions::XML).unwrap();
        Bytes::from(octets)
    };
    let incoming =
        bindery_omadm::Incoming::read(octets, &bindery_syncml::Options::LENIENT).unwrap();
    let clear = |site: &Site| {
        let mut cx = site.context(None);
        cx.channel = bindery_core::Channel::Clear;
        let reply = now(site.server.respond(&cx, &incoming));
        let reply = SyncMl::decode(&reply.octets, &bindery_syncml::Options::STRICT).unwrap();
        code_of(&reply, 0)
    };
    assert_eq!(clear(&site), Some(401));
    let mut config = DmServerConfig::default();
    config.dangerous_basic_in_clear = true;
    assert_eq!(clear(&Site::new(config).with_device("phone")), Some(212));
}

#[test]
fn raw_digests_and_ones_without_a_format_are_taken() {
    let site = site();
    let mut phone = Phone::new(&site, "phone");
    let Some(raw) = Content::from(digest("phone").md5(&phone.nonce)).octets(Some("b64")) else {
        panic!()
    };
    let mut cred = cred("syncml:auth-md5", Content::Opaque(raw));
    cred.meta.as_mut().unwrap().format = None;
    let answer = phone.say(Some(cred), package_1("phone"), true);
    assert_eq!(code_of(&answer, 0), Some(212));
}

#[test]
fn a_device_without_a_nonce_gets_one_before_anything_counts() {
    let site = Site::new(DmServerConfig::default());
    let mut auth = account("phone");
    auth.nonce = Bytes::new();
    site.register("phone", Some(auth), None);
    let mut phone = Phone { nonce: Bytes::new(), ..Phone::new(&site, "phone") };
    let answer = phone.begin();
    assert_eq!(code_of(&answer, 0), Some(401));
    assert_eq!(phone.nonce.len(), 16);
    assert_eq!(code_of(&phone.begin(), 0), Some(212));
}

#[test]
fn an_unknown_device_hears_what_a_known_one_hears() {
    let site = site();
    let mut known = Phone::new(&site, "phone");
    let mut unknown = Phone::new(&site, "nobody");
    for credentials in [None, Some(cred("syncml:auth-md5", "AAAAAAAAAAAAAAAAAAAAAA=="))] {
        let one = known.say(credentials.clone(), package_1("phone"), true);
        let two = unknown.say(credentials, package_1("nobody"), true);
        assert_eq!(code_of(&one, 0), code_of(&two, 0));
        let shape = |message: &SyncMl| {
            message
                .body
                .commands
                .iter()
                .map(|command| match command {
                    Command::Status(status) => (
                        status.code(),
                        status
                            .chal
                            .as_ref()
                            .map(|chal| (chal.meta.kind.clone(), chal.nonce().unwrap().len() > 8)),
                    ),
                    _ => panic!(),
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(shape(&one), shape(&two));
        assert_eq!(
            challenge(&one),
            challenge(&{
                let mut k = Phone::new(&site, "phone");
                k.say(None, package_1("phone"), true)
            }),
            "the same each time"
        );
    }
    assert!(site.session("phone", "1").is_none(), "nothing is kept for who is not known");
}

#[test]
fn a_device_that_was_locked_out_gets_403_once_it_has_proved_itself() {
    let site = site();
    let loaded = now(bindery_omadm::service::DeviceStore::load(
        &*site.store,
        &bindery_omadm::service::Ask::new("phone", None::<String>, 0),
    ))
    .unwrap();
    let device = loaded.device.unwrap();
    let mut locked = device.entry.clone();
    locked.enabled = false;
    now(bindery_omadm::service::DeviceStore::commit(
        &*site.store,
        vec![bindery_omadm::service::Change::ReplaceDevice {
            device: locked,
            expected: device.version,
        }],
    ))
    .unwrap();
    let mut phone = Phone::new(&site, "phone");
    assert_eq!(code_of(&phone.say(None, package_1("phone"), true), 0), Some(407));
    let answer = phone.begin();
    assert_eq!(code_of(&answer, 0), Some(403));
    assert!(asked(&answer).next().is_none());
}

#[test]
fn a_channel_speaks_for_its_own_device_only() {
    let mut config = DmServerConfig::default();
    config.register = true;
    let site = Site::new(config);
    site.register("phone", None, None);
    for (principal, code) in
        [(None, 403), (Some("somebody"), 403), (Some("phone"), 200), (Some("fleet"), 200)]
    {
        let mut phone = Phone {
            principal: principal.map(str::to_owned),
            session: principal.unwrap_or("0").to_owned(),
            ..Phone::new(&site, "phone")
        };
        let answer = phone.say(None, package_1("phone"), true);
        assert_eq!(code_of(&answer, 0), Some(code), "{principal:?}");
    }
    // Registering needs a channel that says who it is.
    let mut nobody = Phone::new(&site, "new");
    assert_eq!(code_of(&nobody.say(None, package_1("new"), true), 0), Some(407));
    let mut new = Phone { principal: Some("carol".to_owned()), ..Phone::new(&site, "new") };
    assert_eq!(code_of(&new.say(None, package_1("new"), true), 0), Some(200));
    assert_eq!(site.device("new").owner.as_str(), "carol");
}

/// A message with its MAC.
fn post_mac(phone: &mut Phone<'_>, commands: Vec<Command>) -> (SyncMl, bindery_omadm::Outgoing) {
    let mut message = SyncMl { hdr: phone.header(None), ..SyncMl::default() };
    message.hdr.source.loc_name = Some(phone.id.as_str().into());
    for (number, mut command) in (1_u32..).zip(commands) {
        command.set_cmd_id(number);
        message.body.commands.push(command);
    }
    message.body.is_final = true;
    let mut octets = Vec::new();
    message.encode(&mut octets, &WriteOptions::new(phone.form)).unwrap();
    let hmac = Some(Hmac::sign(&phone.id, &digest(&phone.id), &phone.nonce, &octets));
    phone.last = octets.into();
    let (message, reply) =
        phone.site.post(phone.last.clone(), &Sending { hmac, ..Sending::default() });
    if let Some(nonce) = challenge(&message) {
        phone.nonce = nonce;
    }
    (message, reply)
}

#[test]
fn a_mac_stands_on_every_message_of_its_session() {
    for form in [Form::Wbxml, Form::Xml] {
        let site = site();
        site.queue("phone", "a", Order::get(["./A"]).unwrap());
        let mut phone = Phone { form, ..Phone::new(&site, "phone") };
        let before = phone.nonce.clone();
        let (first, _) = post_mac(&mut phone, package_1("phone"));
        assert_eq!(code_of(&first, 0), Some(200), "200: again in each message");
        assert_ne!(phone.nonce, before, "with a new nonce");
        assert!(first.hdr.resp_uri.is_none());
        // Without one, or with an old nonce, nothing counts.
        let answer = phone.say(None, statuses(&first, StatusCode::OK), true);
        assert_eq!(code_of(&answer, 0), Some(407));
        let good = std::mem::replace(&mut phone.nonce, before);
        let (answer, _) = post_mac(&mut phone, statuses(&first, StatusCode::OK));
        assert_eq!(code_of(&answer, 0), Some(401));
        assert_eq!(site.state("a").0, CommandState::Sent);
        phone.nonce = good;
        let (answer, _) = post_mac(&mut phone, statuses(&first, StatusCode::OK));
        assert_eq!(code_of(&answer, 0), Some(200));
        assert_eq!(site.state("a").0, CommandState::Acknowledged);
    }
}

#[test]
fn a_message_that_was_changed_on_its_way_is_not_the_devices() {
    let site = site();
    let mut phone = Phone::new(&site, "phone");
    let mut message = SyncMl { hdr: phone.header(None), ..SyncMl::default() };
    message.body.is_final = true;
    let mut octets = Vec::new();
    message.encode(&mut octets, &WriteOptions::XML).unwrap();
    let hmac = Some(Hmac::sign("phone", &digest("phone"), &phone.nonce, &octets));
    let changed = String::from_utf8(octets).unwrap().replace("<Final/>", "<Final></Final>");
    let sending = Sending { hmac, ..Sending::default() };
    let (answer, _) = site.post(changed.into_bytes().into(), &sending);
    assert_eq!(code_of(&answer, 0), Some(401));
}

/// What the device says of the server's credentials.
fn judged(first: &SyncMl, code: u16, kind: &str, nonce: &[u8]) -> Command {
    let mut status = Status::of("", first.hdr.msg_id.clone(), 0_u32, "SyncHdr", StatusCode(code));
    let meta = Meta {
        format: Some("b64".into()),
        kind: Some(kind.into()),
        next_nonce: Some(Content::base64(nonce)),
        ..Meta::default()
    };
    status.chal = Some(Box::new(Chal { meta, ..Chal::default() }));
    status.into()
}

fn server_account() -> AppAuth {
    AppAuth::new("dm.example", CredentialDigest::new("dm.example", "server secret"))
}

#[test]
fn the_server_proves_itself_with_the_nonce_that_the_device_gives() {
    let site = Site::new(DmServerConfig::default());
    site.register("phone", Some(account("phone")), Some(server_account()));
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let data = |message: &SyncMl| {
        let cred = message.hdr.cred.as_ref()?;
        cred.data.as_str().map(str::to_owned)
    };
    let server = CredentialDigest::new("dm.example", "server secret");
    let first = phone.begin();
    assert_eq!(data(&first), Some(server.md5(b"")));
    let get = asked(&first).next().unwrap().clone();
    let refused = vec![
        judged(&first, 401, "syncml:auth-md5", b"fresh"),
        status_for(&first, &get, StatusCode(401)),
    ];
    let second = phone.say(None, refused, true);
    assert_eq!(data(&second), Some(server.md5(b"fresh")));
    assert_eq!(asked(&second).count(), 1, "what was refused is sent again");
    assert_eq!(site.command("a").progress.attempts, 1, "and it was not the command's fault");
    let get = asked(&second).next().unwrap().clone();
    let taken = vec![
        judged(&second, 212, "syncml:auth-md5", b"next session"),
        status_for(&second, &get, StatusCode::OK),
    ];
    let third = phone.say(None, taken, true);
    assert_eq!(data(&third), None, "taken for the whole session");
    assert_eq!(site.state("a").0, CommandState::Acknowledged);
    assert_eq!(&*site.device("phone").server.unwrap().nonce, b"next session");
}

#[test]
fn the_server_signs_each_message_where_the_device_asks_for_it() {
    let site = Site::new(DmServerConfig::default());
    site.register("phone", Some(account("phone")), Some(server_account()));
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let first = phone.begin();
    let get = asked(&first).next().unwrap().clone();
    let refused = vec![
        judged(&first, 407, "syncml:auth-MAC", b"nonce"),
        status_for(&first, &get, StatusCode(407)),
    ];
    phone.say(None, refused, true);
    let (message, reply) = phone.again();
    let hmac = reply.hmac.unwrap();
    let server = CredentialDigest::new("dm.example", "server secret");
    assert_eq!(hmac.username, "dm.example");
    assert!(hmac.verify(&server, b"nonce", &reply.octets));
    assert!(message.hdr.cred.is_none());
    assert_eq!(message.hdr.source.loc_name.as_deref(), Some("dm.example"));
}

#[test]
fn a_device_that_never_takes_the_server_ends_the_session() {
    let site = Site::new(DmServerConfig::default());
    site.register("phone", Some(account("phone")), Some(server_account()));
    site.queue("phone", "a", Order::get(["./A"]).unwrap());
    let mut phone = Phone::new(&site, "phone");
    let mut message = phone.begin();
    for round in 0..3 {
        let mut answers = vec![judged(&message, 401, "syncml:auth-md5", b"n")];
        answers.extend(asked(&message).map(|one| status_for(&message, one, StatusCode(401))));
        message = phone.say(None, answers, true);
        assert_eq!(crate::support::alerts(&message).contains(&1223), round == 2);
    }
    assert_eq!(site.state("a"), (CommandState::Queued, None));
}

#[test]
fn who_fails_too_often_has_to_wait_and_others_do_not() {
    let mut config = DmServerConfig::default();
    config.rate_limit = Some(Arc::new(Attempts::default()));
    let site = Site::new(config).with_device("phone").with_device("other");
    let mut phone = Phone { nonce: Bytes::from_static(b"wrong"), ..Phone::new(&site, "phone") };
    let mut codes = Vec::new();
    for _ in 0..8 {
        let answer = phone.say(Some(cred("syncml:auth-md5", "AAAA")), package_1("phone"), true);
        codes.push(code_of(&answer, 0).unwrap());
    }
    assert_eq!(codes[..5], [401; 5]);
    assert_eq!(codes[7], 417);
    let mut other = Phone::new(&site, "other");
    assert_eq!(code_of(&other.begin(), 0), Some(212));
}

#[test]
fn without_random_numbers_nobody_is_served() {
    let store = Arc::new(bindery_omadm::service::MemoryStore::new());
    let config = DmServerConfig::default();
    assert!(bindery_omadm::service::DmServer::new(store, Arc::new(Broken), config).is_err());
}

#[test]
fn schemes_that_are_switched_off_are_not_taken() {
    let mut config = DmServerConfig::default();
    config.schemes = vec![Scheme::Mac];
    let site = Site::new(config).with_device("phone");
    let mut phone = Phone::new(&site, "phone");
    let answer = phone.begin();
    assert_eq!(code_of(&answer, 0), Some(401));
    let Some(Command::Status(status)) = answer.body.commands.first() else { panic!() };
    assert_eq!(status.chal.as_ref().unwrap().meta.kind.as_deref(), Some("syncml:auth-MAC"));
}
