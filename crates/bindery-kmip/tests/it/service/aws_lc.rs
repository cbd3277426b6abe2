//! Cryptography on AWS-LC.

use bindery_kmip::service::{AwsLcCrypto, Crypto};

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// FIPS 180-4; NIST's example values for SHA-256 (CSRC, "SHA256.pdf"), and a million times `a`.
#[test]
fn sha256_gives_the_known_answers() {
    let known: [(&[u8], &str); 4] = [
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (&[b'a'; 1_000_000], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ];
    for (octets, hash) in known {
        assert_eq!(hex(&AwsLcCrypto::new().sha256(octets)), hash);
    }
}

#[test]
fn random_octets_differ_between_calls_and_within_one() {
    let crypto = AwsLcCrypto::new();
    let (mut first, mut second) = ([0; 64], [0; 64]);
    crypto.fill_random(&mut first).unwrap();
    crypto.fill_random(&mut second).unwrap();
    assert_ne!(first, second);
    // Of 64 random octets fewer than 20 different ones come about once in 10^40 times.
    let distinct: std::collections::BTreeSet<u8> = first.into_iter().collect();
    assert!(distinct.len() >= 20, "{first:?}");
}

#[test]
fn a_random_secret_has_the_length_that_is_asked_for() {
    let crypto = AwsLcCrypto::new();
    for octets in [0, 1, 16, 32, 1_024] {
        assert_eq!(crypto.random_secret(octets).unwrap().len(), octets);
    }
    assert_ne!(crypto.random_secret(32).unwrap(), crypto.random_secret(32).unwrap());
}
