use bindery_ttlv::{Options, Tag, Writer, decode_with};
use bytes::Bytes;

use super::{Form, Secret, wiped};

fn decoded(octets: usize) -> (Bytes, Secret) {
    let mut message = Vec::new();
    Writer::new(&mut message).byte_string(Tag::KEY_MATERIAL, &vec![0xA5; octets]);
    let message = Bytes::from(message);
    let secret =
        decode_with(&message, &Options::STRICT, |element| element.decode::<Secret>()).unwrap();
    (message, secret)
}

/// Whether a secret stands in the memory of a message.
fn stands_in(message: &Bytes, secret: &Secret) -> bool {
    message.as_ptr_range().contains(&secret.expose().as_ptr())
}

#[test]
fn a_long_one_is_a_slice_of_the_message_and_a_key_is_copied() {
    let (message, secret) = decoded(1 << 20);
    assert!(stands_in(&message, &secret));
    assert_eq!(secret.len(), 1 << 20);
    let (message, secret) = decoded(Secret::COPIED + 1);
    assert!(stands_in(&message, &secret));
    let (message, secret) = decoded(Secret::COPIED);
    assert!(!stands_in(&message, &secret));
    assert_eq!(secret, Secret::new(vec![0xA5; Secret::COPIED]));
}

#[test]
fn the_last_holder_of_a_slice_wipes_it_and_no_other_can() {
    let (message, secret) = decoded(1 << 20);
    let Form::Slice(octets) = &secret.0 else { panic!("a slice") };
    assert!(wiped(octets.clone()).is_none(), "the secret and the message hold it");
    let octets = octets.clone();
    drop(secret);
    assert!(octets.iter().all(|octet| *octet == 0xA5), "the message still holds it");
    drop(message);
    let wiped = wiped(octets).unwrap();
    assert_eq!(wiped.len(), 1 << 20);
    assert!(wiped.iter().all(|octet| *octet == 0));
}

#[test]
fn nothing_is_shown() {
    let (_, secret) = decoded(1 << 20);
    assert_eq!(format!("{secret:?}"), "Secret(1048576 octets)");
    assert_eq!(format!("{:?}", Secret::new(vec![1, 2])), "Secret(2 octets)");
}
