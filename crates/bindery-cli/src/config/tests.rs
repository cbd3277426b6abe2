use std::path::Path;

use super::*;
use crate::error::Exit;

fn read(text: &str) -> Result<Config, String> {
    Loaded::from_text(Path::new("bindery.toml"), text)
        .map(|loaded: Loaded<Config>| loaded.value)
        .map_err(|problems| problems.into_failure(Exit::Usage).message)
}

/// The template with every default switched on: a line `#key = value` becomes `key = value`.
fn all_keys() -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => rest.to_owned() + "\n",
        _ => line.to_owned() + "\n",
    };
    TEMPLATE.lines().map(line).collect()
}

#[test]
fn the_template_is_a_configuration() {
    let config = read(TEMPLATE).unwrap();
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.log, Log::default());
    assert_eq!(config.identity, Identity::default());
    assert_eq!(config.tls, Tls::default());
    assert_eq!(config.service.kmip, Some(KmipService::default()));
    assert_eq!(config.service.omadm, Some(omadm::OmadmService::default()));
    let taxii = config.service.taxii.unwrap();
    assert_eq!(taxii.collection["default"], taxii::TaxiiCollection::default());
    let without = taxii::TaxiiService { collection: BTreeMap::new(), ..taxii };
    assert_eq!(without, taxii::TaxiiService::default());
    assert_eq!(config.admin, Some(Admin::default()));
    assert_eq!(config.client, ClientSettings::default());
}

fn without_examples(mut services: Services) -> Services {
    if let Some(omadm) = &mut services.omadm {
        omadm.url = None;
    }
    if let Some(taxii) = &mut services.taxii {
        (taxii.public_url, taxii.later_above) = (None, None);
        (taxii.push.cacert, taxii.push.cert, taxii.push.key) = (None, None, None);
        for one in taxii.collection.values_mut() {
            (one.volume, one.keep_days, one.keep_blocks) = (None, None, None);
        }
    }
    services
}

#[test]
fn the_defaults_in_the_template_are_the_defaults() {
    let plain = read(TEMPLATE).unwrap();
    let all = read(&all_keys()).unwrap();
    let passphrases = |listeners: BTreeMap<String, Listener>| {
        let without = |l: Listener| Listener { key_passphrase_file: None, psk_file: None, ..l };
        listeners.into_iter().map(|(name, l)| (name, without(l))).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(passphrases(all.listener), plain.listener);
    assert_eq!(all.tls, plain.tls);
    assert_eq!(without_examples(all.service), plain.service);
    assert_eq!(all.identity, plain.identity);
    assert_eq!(all.admin, plain.admin);
    assert_eq!(all.log, plain.log);
    assert_eq!(all.limits, plain.limits);
    assert_eq!(Store { kek_env: None, ..all.store }, plain.store);
    let client = crate::settings::Settings::of(all.client.clone(), ServiceName::Kmip).unwrap();
    let url = all.client.url;
    let by_default = ClientSettings { url, ..ClientSettings::default() };
    let by_default = crate::settings::Settings::of(by_default, ServiceName::Kmip).unwrap();
    assert_eq!(client.tls_policy, by_default.tls_policy);
    assert_eq!(client.timeout, by_default.timeout);
}

#[test]
fn commented_keys_without_a_default_are_said_to_be_examples() {
    let mut examples = Vec::new();
    let mut example = false;
    for line in TEMPLATE.lines() {
        let key = line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '-']));
        match key.and_then(|rest| rest.split_once(" = ")) {
            Some((key, _)) if example => examples.push(key),
            Some(_) => {}
            None => example = line.ends_with("Examples:"),
        }
    }
    let expected = [
        "psk_file",
        "key_passphrase_file",
        "url",
        "public_url",
        "later_above",
        "cacert",
        "cert",
        "key",
        "volume",
        "keep_days",
        "keep_blocks",
        "file",
        "kek_env",
        "proxy",
        "url",
        "omadm_url",
        "taxii_url",
        "cacert",
        "cert",
        "key",
    ];
    assert_eq!(examples, expected);
}

#[test]
fn every_key_stands_in_the_template() {
    let all = read(&all_keys()).unwrap();
    let text = toml::Value::try_from(&all).unwrap();
    // A key that is missing from the template is None, and is then missing here too; so count.
    let count = |table: &str| text.get(table).and_then(|v| v.as_table()).map_or(0, |t| t.len());
    let main = text.get("listener").and_then(|listeners| listeners.get("main"));
    assert_eq!(main.and_then(|main| main.as_table()).map(|main| main.len()), Some(22));
    assert_eq!(count("identity"), 2);
    assert_eq!(count("accounts"), 2);
    assert_eq!(count("client"), 10);
    assert_eq!(count("store"), 4);
    assert_eq!(count("limits"), 12);
    for table in [
        "listener", "service", "tls", "identity", "accounts", "store", "limits", "admin", "log",
        "client",
    ] {
        assert!(TEMPLATE.contains(&format!("[{table}")), "{table}");
    }
}

#[test]
fn unknown_keys_and_wrong_values_are_named_with_their_line() {
    let cases = [
        (
            "[limits]\nhandshak = \"10s\"\n",
            "limits.handshak (line 2, column 1): unknown field `handshak`",
        ),
        ("[limits]\n\nidle = \"soon\"\n", "limits.idle (line 3, column 8): \"soon\" is no span"),
        ("[limits]\nconnections = 0\n", "limits.connections (line 2, column 15): "),
        (
            "[store]\nsynchronous = \"off\"\n",
            "store.synchronous (line 2, column 15): unknown variant `off`",
        ),
        ("[listener.a]\naddress = \"here\"\n", "listener.a.address (line 2, column 11): "),
        ("[listener.a]\ncertificate = \"a.pem\"\n", "missing field `address`"),
        ("[surprise]\n", "surprise (line 1, column 2): unknown field `surprise`"),
        ("[limits\n", "(line 1, column 8): "),
    ];
    for (text, expected) in cases {
        let message = read(text).unwrap_err();
        assert!(message.starts_with("bindery.toml: "), "{message}");
        assert!(message.contains(expected), "{text}: {message}");
    }
}
