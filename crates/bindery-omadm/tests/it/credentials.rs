//! Known answers, made with Python's hashlib; the one of Bruce2 is the OMA text's own.

use bindery_omadm::{CredentialDigest, Initiator, Notification, NotificationError, UiMode};

const NONCE: &[u8] = &[0, 58, 255, 7];
const PACKAGE_0: &str = "d0cbd2d28ba76ae156d4e3acbb001b7502e800000012340a646d2e6578616d706c650102";

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn notification() -> Notification {
    Notification {
        version: Notification::VERSION_1_2,
        ui_mode: UiMode::Informative,
        initiator: Initiator::Server,
        future: 0,
        session_id: 0x1234,
        server_id: "dm.example".to_owned(),
        vendor: vec![1, 2],
    }
}

#[test]
fn md5_takes_the_raw_nonce() {
    let digest = CredentialDigest::new("Bruce2", "OhBehave");
    assert_eq!(digest.md5(b"Nonce"), "Zz6EivR3yeaaENcRN6lpAQ==");
    assert!(digest.verify_md5(b"Nonce", "Zz6EivR3yeaaENcRN6lpAQ=="));
    assert!(!digest.verify_md5(b"Tm9uY2U=", "Zz6EivR3yeaaENcRN6lpAQ=="));
    assert!(!digest.verify_md5(b"Nonce", "not base64"));
    let digest = CredentialDigest::new("eve", "moth");
    let raw = [46, 190, 242, 134, 151, 202, 180, 197, 120, 143, 65, 151, 191, 6, 21, 121];
    assert!(digest.verify_md5_octets(NONCE, &raw));
    assert!(!digest.verify_md5_octets(NONCE, &raw[1..]));
}

#[test]
fn basic_is_checked_against_the_digest_alone() {
    let kept = *CredentialDigest::new("eve", "moth").octets();
    let digest = CredentialDigest::from_octets(kept);
    assert!(digest.verify_basic("ZXZlOm1vdGg="));
    assert!(!digest.verify_basic("ZXZlOm1vdGhz"));
    assert!(!digest.verify_basic("eve:moth"));
    assert_eq!(format!("{digest:?}"), "CredentialDigest(..)");
}

#[test]
fn a_mac_holds_for_one_body_and_nonce() {
    let digest = CredentialDigest::new("eve", "moth");
    let mac = digest.mac(NONCE, b"<SyncML/>");
    assert_eq!(mac, "bToZbGaZgBMPEvK7DM9E1Q==");
    assert!(digest.verify_mac(NONCE, b"<SyncML/>", &mac));
    assert!(!digest.verify_mac(NONCE, b"<SyncML />", &mac));
    assert!(!digest.verify_mac(b"", b"<SyncML/>", &mac));
}

#[test]
fn a_notification_is_signed_and_verified() {
    let server = CredentialDigest::new("dm.example", "srv");
    let octets = notification().sign(&server, NONCE).unwrap();
    assert_eq!(hex(&octets), PACKAGE_0);
    assert_eq!(Notification::verify(&octets, &server, NONCE), Ok(Some(notification())));
    assert_eq!(Notification::verify(&octets, &server, b"other"), Ok(None));
    for at in 0..octets.len() {
        let mut changed = octets.clone();
        changed[at] ^= 1;
        assert!(!matches!(Notification::verify(&changed, &server, NONCE), Ok(Some(_))), "{at}");
    }
}

#[test]
fn what_ends_too_early_is_refused_with_its_length() {
    let octets = notification().sign(&CredentialDigest::new("a", "b"), NONCE).unwrap();
    for length in 0..octets.len() - 2 {
        let read = Notification::read(&octets[..length]);
        assert_eq!(read, Err(NotificationError::Truncated(length)));
    }
}

#[test]
fn what_has_no_room_is_not_written() {
    let server = CredentialDigest::new("a", "b");
    let sign = |change: fn(&mut Notification)| {
        let mut changed = notification();
        change(&mut changed);
        changed.sign(&server, NONCE)
    };
    let too_large = |what| Err(NotificationError::TooLarge(what));
    assert_eq!(sign(|n| n.version = 1024), too_large("the version"));
    assert_eq!(sign(|n| n.future = 1 << 27), too_large("the future field"));
    assert_eq!(sign(|n| n.server_id = "x".repeat(256)), too_large("the server's identifier"));
}
