//! The XML and JSON forms of TTLV: what holds for any octets, taken as a text and as a binary message.

use bindery_ttlv::{FormError, Options, from_json, from_xml, to_json, to_xml};

type To = fn(&[u8], &Options, &mut Vec<u8>) -> Result<(), FormError>;
type From = fn(&[u8], &Options, &mut Vec<u8>) -> Result<usize, FormError>;

/// XML.
pub fn xml(data: &[u8]) {
    as_text(data, to_xml, from_xml, Control::Refused);
    as_binary(data, to_xml, from_xml, Control::Refused);
}

/// JSON.
pub fn json(data: &[u8]) {
    as_text(data, to_json, from_json, Control::Carried);
    as_binary(data, to_json, from_json, Control::Carried);
}

/// What a form does with characters that XML does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    Carried,
    Refused,
}

/// A text that is read is a message, which is written and read the same.
fn as_text(data: &[u8], to: To, from: From, control: Control) {
    let mut message = b"before".to_vec();
    match from(data, &Options::STRICT, &mut message) {
        Ok(length) => {
            let message = message.split_off(b"before".len());
            assert_eq!(message.len(), length);
            as_binary(&message, to, from, control);
            let mut text = Vec::new();
            to(&message, &Options::STRICT, &mut text).expect("what was read can be written");
        }
        Err(error) => {
            assert_eq!(message, b"before", "nothing is left of a message that is refused");
            assert!(!error.to_string().is_empty());
        }
    }
}

/// A message that is written comes back the same.
fn as_binary(data: &[u8], to: To, from: From, control: Control) {
    let mut text = Vec::new();
    let Err(error) = to(data, &Options::STRICT, &mut text) else {
        let mut again = Vec::new();
        from(&text, &Options::STRICT, &mut again).expect("what was written is read");
        assert_eq!(again, data, "and is the same");
        return;
    };
    assert!(text.is_empty());
    let one = bindery_ttlv::Walk::new(data, &Options::STRICT)
        .try_fold(0_usize, |items, visit| visit.map(|visit| items + usize::from(visit.depth == 0)));
    if matches!(one, Ok(1)) {
        assert!(control == Control::Refused, "a message is not written: {error}");
    }
}
