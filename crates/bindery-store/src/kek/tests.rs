use super::*;

const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// 32 octets that need the 63rd and 64th letter of the alphabet.
const URL_SAFE: &str = "-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_8";

fn counting() -> [u8; 32] {
    std::array::from_fn(|at| u8::try_from(at).unwrap())
}

fn file(content: &[u8]) -> Result<Kek, KekError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kek");
    std::fs::write(&path, content).unwrap();
    Kek::from_file(path).map(|(kek, _)| kek)
}

#[track_caller]
fn accept(content: &[u8]) {
    let kek = file(content).unwrap();
    assert_eq!(kek.octets.as_slice(), counting());
    // Computed by another implementation of HKDF from the description in seal.rs.
    assert_eq!(kek.id().to_string(), "65cf9e04784f8ee1");
}

#[track_caller]
fn refuse(content: &[u8]) {
    let error = file(content).unwrap_err();
    assert!(matches!(error, KekError::Form { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("the key file") && text.contains("openssl rand -hex 32"), "{text}");
    assert!(!text.contains("0001") && !text.contains("AAEC"), "the error shows the key: {text}");
}

#[test]
fn every_form_is_read() {
    accept(&counting());
    accept(HEX.as_bytes());
    accept(format!(" {HEX}\r\n").as_bytes());
    accept(HEX.to_uppercase().as_bytes());
    let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    accept(base64.as_bytes());
    accept(format!("{base64}=\n").as_bytes());
    let standard = URL_SAFE.replace('-', "+").replace('_', "/");
    let url_safe = file(URL_SAFE.as_bytes()).unwrap();
    assert_eq!(url_safe.id(), file(standard.as_bytes()).unwrap().id());
    assert_eq!(url_safe.octets.first(), Some(&0xfb));
}

#[test]
fn everything_else_is_refused() {
    for content in ["", "\n", "password", &HEX[1..], &HEX[..32], &format!("{HEX}00")] {
        refuse(content.as_bytes());
    }
    refuse(HEX.replace('f', "g").as_bytes());
    // The last digit carries bits beyond the 32 octets; a group too short, a letter too strange.
    refuse(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9");
    refuse(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH===");
    refuse(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd*h8=");
    refuse(&counting()[..31]);
    refuse(&[&counting()[..], &[10]].concat());
    refuse(&[0xff; 64]);
    // Exactly 32 octets, all of them text.
    refuse(b"correct horse battery staple etc");
}

#[test]
fn a_key_of_one_octet_is_weak() {
    assert!(matches!(file(&[0; 32]), Err(KekError::Weak { .. })));
    assert!(matches!(file("0".repeat(64).as_bytes()), Err(KekError::Weak { .. })));
    assert!(matches!(file("A".repeat(43).as_bytes()), Err(KekError::Weak { .. })));
    assert!(matches!(Kek::new(&[7; 32]), Err(KekError::Weak { .. })));
}

#[test]
fn an_endless_file_is_not_read_to_its_end() {
    let path = Path::new("/dev/zero");
    if path.exists() {
        assert!(matches!(Kek::from_file(path), Err(KekError::Form { .. })));
    }
}

#[test]
fn missing_sources_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kek");
    assert!(matches!(Kek::from_file(&path), Err(KekError::Missing { path: told }) if told == path));
    assert!(matches!(Kek::from_file(directory.path()), Err(KekError::Read { .. })));
    let unset = Kek::from_env("BINDERY_TEST_NO_SUCH_VARIABLE").unwrap_err();
    assert!(unset.to_string().contains("BINDERY_TEST_NO_SUCH_VARIABLE"));
}

#[test]
fn the_environment_is_read() {
    // A variable that cargo sets for every test, and that holds no key.
    let error = Kek::from_env("CARGO_PKG_NAME").unwrap_err();
    assert!(matches!(error, KekError::Form { .. }), "{error:?}");
    assert!(error.to_string().contains("the environment variable CARGO_PKG_NAME"));
}

#[cfg(unix)]
#[test]
fn a_generated_key_is_kept_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kek");
    let made = Kek::generate_file(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let (read, warning) = Kek::from_file(&path).unwrap();
    assert_eq!(read.octets, made.octets);
    assert_eq!((read.id(), warning), (made.id(), None));
    let before = std::fs::read(&path).unwrap();
    assert_eq!(before.len(), 65);
    // Never over a key that is there.
    assert!(matches!(Kek::generate_file(&path), Err(KekError::Write { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_ne!(Kek::generate().unwrap().id(), made.id());
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_gives_a_warning() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kek");
    Kek::generate_file(&path).unwrap();
    for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let (_, warning) = Kek::from_file(&path).unwrap();
        assert_eq!(warning.is_some(), warned, "{mode:o}");
        if let Some(warning) = warning {
            assert_eq!(warning.mode, mode);
            assert!(warning.to_string().contains("chmod 600"), "{warning}");
        }
    }
}

#[test]
fn debug_shows_the_name_only() {
    let kek = Kek::new(&counting()).unwrap();
    assert_eq!(format!("{kek:?}"), "Kek(65cf9e04784f8ee1)");
}
