use super::*;

const WHO: Identity<'_> = Identity { kind: "kmip material", parts: &["uid-1", "alice"] };

fn kek() -> Kek {
    Kek::new(&std::array::from_fn(|at| u8::try_from(at).unwrap())).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// The expected octets were computed in Python (hmac, hashlib, cryptography's AESGCM) from the
/// description of the format, for the key 00..1f and the salt 64..83.
#[test]
fn the_format_is_as_described() {
    let salt = std::array::from_fn(|at| u8::try_from(at + 100).unwrap());
    let expected =
        hex("0165cf9e04784f8ee16465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f80818283\
         f97b1265c5b280e9d540c0ca43c277ccb6885b02cf2e4b3e3d1e6b1093d23e71");
    assert_eq!(seal_with(&kek(), WHO, b"sixteen octets!!", &salt).unwrap(), expected);
    assert_eq!(*open(&kek(), WHO, &expected).unwrap(), b"sixteen octets!!");
    let check_value =
        hex("0165cf9e04784f8ee16465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f80818283\
         16629f007454c7aedd5d37ca0267402f511fc619e99047ced8e88468861b08ea");
    assert_eq!(check(&kek(), &check_value), Ok(()));
}

#[test]
fn what_was_sealed_opens_for_its_identity_only() {
    for length in [0, 1, 16, 1000] {
        let secret = vec![0x42; length];
        let sealed = seal(&kek(), WHO, &secret).unwrap();
        assert_eq!(sealed.len(), length + 1 + 8 + 32 + 16);
        assert_eq!(*open(&kek(), WHO, &sealed).unwrap(), secret);
        for (kind, parts) in [
            ("kmip material", &["uid-2", "alice"][..]),
            ("kmip material", &["uid-1", "bob"]),
            ("kmip material", &["uid-1"]),
            ("kmip material", &["uid-1a", "lice"]),
            ("kmip material", &["uid-1", "alice", ""]),
            ("other material", &["uid-1", "alice"]),
        ] {
            assert_eq!(open(&kek(), Identity { kind, parts }, &sealed), Err(SealError::Forged));
        }
    }
}

#[test]
fn no_bit_can_be_altered_and_no_octet_lost() {
    let sealed = seal(&kek(), WHO, b"secret").unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered[at] ^= 1 << bit;
            let error = open(&kek(), WHO, &altered).unwrap_err();
            match at {
                0 => assert_eq!(error, SealError::Format(altered[0])),
                1..9 => assert!(matches!(error, SealError::OtherKey(_))),
                _ => assert_eq!(error, SealError::Forged),
            }
        }
        open(&kek(), WHO, &sealed[..at]).unwrap_err();
    }
    let mut longer = sealed;
    longer.push(0);
    assert_eq!(open(&kek(), WHO, &longer), Err(SealError::Forged));
}

#[test]
fn another_key_is_named() {
    let other = Kek::new(&[[1; 16], [2; 16]].concat().try_into().unwrap()).unwrap();
    let sealed = seal(&other, WHO, b"secret").unwrap();
    assert_eq!(open(&kek(), WHO, &sealed), Err(SealError::OtherKey(other.id().0)));
    let value = check_value(&other).unwrap();
    assert_eq!(check(&kek(), &value), Err(SealError::OtherKey(other.id().0)));
    assert_eq!(check(&other, &value), Ok(()));
}

#[test]
fn a_check_value_cannot_be_altered() {
    let value = check_value(&kek()).unwrap();
    for at in 0..value.len() {
        let mut altered = value.clone();
        altered[at] ^= 1;
        check(&kek(), &altered).unwrap_err();
        check(&kek(), &value[..at]).unwrap_err();
    }
    // The right name alone is not the key.
    let mut forged = value;
    forged.truncate(41);
    forged.extend_from_slice(&[0; 32]);
    assert_eq!(check(&kek(), &forged), Err(SealError::Forged));
}
