use super::*;

fn read(text: &str) -> Result<PskIdentities, TlsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.psk");
    std::fs::write(&path, text).unwrap();
    PskIdentities::from_file(&path)
}

const KEY: &str = "000102030405060708090A0b0c0d0e0f";

#[test]
fn a_file_of_psktool_is_read() {
    let text = format!("# devices\n\ndevice-17:{KEY}\r\nurn:imei:1234:{KEY}ff\n");
    let read = read(&text).unwrap();
    let identities: Vec<&[u8]> = read.keys.iter().map(Psk::identity).collect();
    assert_eq!(identities, [&b"device-17"[..], b"urn:imei:1234"]);
    assert_eq!(read.keys[0].key(), (0..16).collect::<Vec<u8>>());
    assert_eq!(read.keys[1].key().len(), 17);
}

#[test]
fn what_is_wrong_is_named_by_line_and_no_key_is_shown() {
    for (text, expected) in [
        (String::new(), "no key in it"),
        (format!("device-17:{KEY}\ndevice-18 {KEY}"), "line 2: not an identity"),
        (format!("device-17:{KEY}0"), "line 1: not an identity"),
        ("device-17:0001".to_owned(), "line 1: a pre-shared key has from 16"),
        (format!(":{KEY}"), "line 1: a PSK identity has from 1"),
        (format!("a:{KEY}\na:{KEY}"), "line 2: the identity a has a key already"),
    ] {
        let error = read(&text).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("keys.psk") && message.contains(expected), "{message}");
        assert!(!message.contains("0001") && !error.hint().is_empty(), "{message}");
    }
}
