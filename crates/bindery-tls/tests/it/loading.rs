//! Files: which one, what is wrong, what to do.

use std::{fs, path::PathBuf};

use bindery_core::Timestamp;
use bindery_tls::{
    Backend as _, ClientConfig, Identity, Policy, Role, Roots, ServerConfig, TlsError,
    TlsErrorKind as Kind,
    pki::{Leaf, Validity},
};
use tempfile::TempDir;

use crate::support::{World, backend};

struct Files {
    directory: TempDir,
    world: World,
}

impl Files {
    fn new() -> Self {
        let files = Self { directory: tempfile::tempdir().unwrap(), world: World::new() };
        files.write("server.pem", files.world.server.certificate_pem());
        files.write("server.key", files.world.server.key_pem());
        files.write("ca.pem", files.world.authority.certificate_pem());
        files
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn identity(&self, chain: &str, key: &str) -> Result<Identity, TlsError> {
        Identity::from_pem_files(self.path(chain), self.path(key))
    }
}

/// An error of the configuration that names the file, says what is wrong, and what to do.
fn says(error: &TlsError, file: &str, reason: &str, hint: &str) {
    let text = error.to_string();
    assert_eq!(error.kind(), Kind::Configuration, "{text}");
    assert!(error.is_our_fault());
    assert!(text.contains(file), "{text} does not name {file}");
    assert!(text.contains(reason), "{text} does not say {reason}");
    assert!(error.hint().contains(hint), "{} does not say {hint}", error.hint());
}

#[test]
fn what_is_right_is_taken() {
    let files = Files::new();
    let identity = files.identity("server.pem", "server.key").unwrap();
    assert_eq!(identity.chain().len(), 1);
    let roots = Roots::from_pem_file(files.path("ca.pem")).unwrap();
    assert_eq!(roots.certificates().len(), 1);
    let both = [files.world.server.certificate_pem(), files.world.server.key_pem()].concat();
    files.write("both.pem", both);
    files.identity("both.pem", "both.pem").unwrap();
    let config = ServerConfig::new(identity).with_client_roots(roots);
    backend().acceptor(&Policy::kmip(), config).unwrap();
}

#[test]
fn files_that_are_missing_empty_or_too_large() {
    let files = Files::new();
    let error = files.identity("nowhere.pem", "server.key").unwrap_err();
    says(&error, "nowhere.pem", "No such file", "check the path");
    let error = files.identity("server.pem", "nowhere.key").unwrap_err();
    says(&error, "nowhere.key", "No such file", "check the path");
    files.write("empty.pem", "\n  \n");
    let error = files.identity("empty.pem", "server.key").unwrap_err();
    says(&error, "empty.pem", "empty", "put PEM text");
    let error = Roots::from_pem_file(files.path("empty.pem")).unwrap_err();
    says(&error, "empty.pem", "empty", "put PEM text");
    files.write("huge.pem", vec![b'a'; 5 * 1024 * 1024]);
    let error = Roots::from_pem_file(files.path("huge.pem")).unwrap_err();
    says(&error, "huge.pem", "at most 4194304 octets are read", "only");
    // What has no length is not read without end.
    #[cfg(unix)]
    {
        let error = Roots::from_pem_file("/dev/zero").unwrap_err();
        says(&error, "/dev/zero", "at most 4194304 octets are read", "only");
    }
    let error = Roots::from_pem_file(files.directory.path()).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
}

#[test]
fn text_that_is_not_the_right_pem() {
    let files = Files::new();
    let certificate = files.world.server.certificate_pem();
    for (name, text, reason, hint) in [
        ("text.pem", "hello", "no PEM section", "-----BEGIN CERTIFICATE-----"),
        ("cut.pem", &certificate[..certificate.len() / 2], "section 1 is not PEM", "BEGIN and END"),
        (
            "base64.pem",
            "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
            "section 1 is not PEM",
            "Base64",
        ),
        (
            "crl.pem",
            "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n",
            "no CERTIFICATE among them",
            "certificate",
        ),
    ] {
        files.write(name, text);
        says(&files.identity(name, "server.key").unwrap_err(), name, reason, hint);
        says(&Roots::from_pem_file(files.path(name)).unwrap_err(), name, reason, hint);
    }
    let second =
        [certificate, "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----"].concat();
    files.write("second.pem", second);
    let error = files.identity("second.pem", "server.key").unwrap_err();
    says(&error, "second.pem", "section 2 is not PEM", "Base64");
    let der = files.world.server.identity().unwrap().chain()[0].to_vec();
    files.write("server.der", der);
    let error = files.identity("server.der", "server.key").unwrap_err();
    says(&error, "server.der", "no PEM section", "DER");
}

#[test]
fn keys_that_are_not_there_not_one_or_not_readable() {
    let files = Files::new();
    let error = files.identity("server.key", "server.key").unwrap_err();
    says(&error, "server.key", "no CERTIFICATE among them", "certificate chain");
    let error = files.identity("server.pem", "server.pem").unwrap_err();
    says(&error, "key file", "no private key among them", "PRIVATE KEY");
    files.write("text.key", "hello");
    let error = files.identity("server.pem", "text.key").unwrap_err();
    says(&error, "text.key", "no PEM section", "-----BEGIN PRIVATE KEY-----");
    let two = [files.world.server.key_pem(), files.world.client.key_pem()].concat();
    files.write("two.key", two);
    let error = files.identity("server.pem", "two.key").unwrap_err();
    says(&error, "two.key", "2 private keys, expected one", "only the key");
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----";
    files.write("encrypted.key", encrypted);
    let error = files.identity("server.pem", "encrypted.key").unwrap_err();
    says(&error, "encrypted.key", "is encrypted, and no passphrase", "openssl pkey");
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAA=\n\
               -----END RSA PRIVATE KEY-----";
    files.write("old.key", old);
    let error = files.identity("server.pem", "old.key").unwrap_err();
    says(&error, "old.key", "", "");
    files.write("junk.key", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----");
    let identity = files.identity("server.pem", "junk.key").unwrap();
    let error = backend().acceptor(&Policy::modern(), ServerConfig::new(identity)).unwrap_err();
    says(&error, "junk.key", "cannot be used", "ECDSA P-256");
}

#[test]
fn a_key_of_another_certificate() {
    let files = Files::new();
    files.write("client.key", files.world.client.key_pem());
    let identity = files.identity("server.pem", "client.key").unwrap();
    let error = backend().acceptor(&Policy::modern(), ServerConfig::new(identity)).unwrap_err();
    says(&error, "client.key does not belong to certificate file", "server.pem", "leaf");
    // The authority in front of the leaf is the same mistake in another place.
    let chain =
        [files.world.authority.certificate_pem(), files.world.client.certificate_pem()].concat();
    files.write("wrong-order.pem", chain);
    let identity = files.identity("wrong-order.pem", "client.key").unwrap();
    let config = ClientConfig::new(files.world.authority.roots().unwrap()).with_identity(identity);
    let error = backend().connector(&Policy::modern(), config).unwrap_err();
    says(&error, "wrong-order.pem", "marked as an authority", "issue");
}

#[test]
fn certificates_that_are_none() {
    let files = Files::new();
    files.write("junk.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----");
    let identity = files.identity("junk.pem", "server.key").unwrap();
    let error = identity.certificate().unwrap_err();
    says(&error, "junk.pem", "not a certificate", "X.509");
    let error = backend().acceptor(&Policy::modern(), ServerConfig::new(identity)).unwrap_err();
    says(&error, "junk.pem", "not a certificate", "X.509");
    let roots = Roots::from_pem_file(files.path("junk.pem")).unwrap();
    let error = backend().connector(&Policy::modern(), ClientConfig::new(roots)).unwrap_err();
    says(&error, "junk.pem", "certificate 1: it cannot be read", "replace");
    let error = Roots::from_pem_file(files.path("server.key")).unwrap_err();
    says(&error, "server.key", "a private key among the authorities", "certificates only");
}

#[test]
fn dates_and_roles_are_checked_against_a_given_time() {
    let files = Files::new();
    let validity = Validity {
        not_before: Timestamp::from_unix_seconds(1_000_000_000),
        not_after: Timestamp::from_unix_seconds(1_100_000_000),
    };
    let leaf = Leaf::server("localhost").with_validity(validity);
    let issued = files.world.authority.issue(&leaf).unwrap();
    files.write("old.pem", issued.certificate_pem());
    files.write("old.key", issued.key_pem());
    let identity = files.identity("old.pem", "old.key").unwrap();
    let at = |seconds| identity.check(Role::Server, Timestamp::from_unix_seconds(seconds));
    at(1_000_000_000).unwrap();
    at(1_100_000_000).unwrap();
    let early = at(999_999_999).unwrap_err();
    assert_eq!(early.kind(), Kind::CertificateNotYetValid);
    assert!(early.to_string().contains("is not valid before 2001-09-09T01:46:40Z"), "{early}");
    let late = at(1_100_000_001).unwrap_err();
    assert_eq!(late.kind(), Kind::CertificateExpired);
    for part in ["old.pem", "CN=localhost", "expired at 2004-11-09T11:33:20Z", "it is 2004-11-09"] {
        assert!(late.to_string().contains(part), "{late}");
    }
    let error = identity.check(Role::Client, Timestamp::from_unix_seconds(1_050_000_000));
    says(&error.unwrap_err(), "old.pem", "lacks clientAuth", "clientAuth");
}

/// The octets of the first DER element in `der` whose tag is `tag`, not counting `skip` of them,
/// among the elements of the outermost SEQUENCE.
fn element(der: &[u8], tag: u8) -> Vec<u8> {
    let (mut rest, _) = content(der);
    while let [found, ..] = rest {
        let (inside, after) = content(rest);
        if *found == tag {
            return inside.to_vec();
        }
        rest = after;
    }
    panic!("no element of tag {tag:#x}")
}

/// The content of the first DER element, and what stands behind it.
fn content(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, start) = match der[1] {
        short @ 0..=127 => (usize::from(short), 2),
        long => {
            let octets = usize::from(long & 0x7f);
            let length = der[2..2 + octets].iter().fold(0, |all, o| all << 8 | usize::from(*o));
            (length, 2 + octets)
        }
    };
    (&der[start..start + length], &der[start + length..])
}

#[test]
fn keys_in_their_three_forms() {
    let files = Files::new();
    let octet_string = 4;
    for (leaf, label) in [
        (Leaf::server("localhost"), "EC PRIVATE KEY"),
        (Leaf::server("localhost").with_rsa_key(), "RSA PRIVATE KEY"),
    ] {
        let issued = files.world.authority.issue(&leaf).unwrap();
        let pkcs8 = issued.identity().unwrap();
        // The inner form of PKCS#8 is the older form of the same key.
        let inner = element(pkcs8.key().secret_der(), octet_string);
        let text = pem(label, &inner);
        let identity =
            Identity::from_pem(issued.certificate_pem().as_bytes(), text.as_bytes()).unwrap();
        for identity in [pkcs8, identity] {
            backend().acceptor(&Policy::modern(), ServerConfig::new(identity)).unwrap();
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\n");
    for chunk in der.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |all, o| all << 8 | u32::from(*o)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let six = bits >> (18 - 6 * place) & 63;
            text.push(if place > chunk.len() { '=' } else { ALPHABET[six as usize].into() });
        }
    }
    format!("{text}\n-----END {label}-----\n")
}

#[test]
fn a_key_is_never_shown() {
    let files = Files::new();
    let identity = files.identity("server.pem", "server.key").unwrap();
    let shown = format!(
        "{identity:?} {:?} {:?} {:?}",
        ServerConfig::new(identity.clone()),
        files.world.server,
        files.world.authority
    );
    let key = files.world.server.key_pem().lines().nth(1).unwrap();
    assert!(!shown.contains(key) && !shown.contains("PRIVATE"), "{shown}");
    assert!(shown.contains("server.key"), "{shown}");
}

#[test]
fn an_authority_is_saved_and_read_again() {
    use bindery_tls::pki::Authority;
    let world = World::new();
    let saved = (world.authority.certificate_pem(), world.authority.key_pem());
    let again = Authority::from_pem(saved.0, saved.1).unwrap();
    let [one, two] =
        [&world.authority, &again].map(|a| a.issue(&Leaf::server("localhost")).unwrap());
    let [one, two] = [one, two].map(|i| i.identity().unwrap().certificate().unwrap());
    assert_eq!(one.issuer, two.issuer);
    assert_ne!(one.serial, two.serial);
    assert_eq!(one.serial.len(), 32);
    Authority::from_pem(saved.0, "nonsense").unwrap_err();
    world.authority.issue(&Leaf::server("not a name")).unwrap_err();
}

/// Keys that `openssl pkcs8 -topk8` encrypted, as operators have them.
#[test]
fn encrypted_keys_open_with_their_passphrase_only() {
    let files = Files::new();
    let (key, new) = (files.path("server.key"), files.path("encrypted.key"));
    let openssl = std::process::Command::new("openssl")
        .args(["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:open sesame"])
        .arg("-in")
        .arg(&key)
        .arg("-out")
        .arg(&new)
        .output();
    let Ok(openssl) = openssl else {
        println!("skipped: openssl is not there");
        return;
    };
    assert!(openssl.status.success(), "{openssl:?}");
    let open = |key: &PathBuf, passphrase| {
        let chain = files.path("server.pem");
        Identity::from_pem_files_with_passphrase(chain, key, files.path(passphrase))
    };
    let read = |passphrase| open(&new, passphrase);
    files.write("passphrase", "open sesame\nthe rest is not read");
    let identity = read("passphrase").unwrap();
    backend().acceptor(&Policy::modern(), ServerConfig::new(identity)).unwrap();
    files.write("wrong", "close sesame");
    says(&read("wrong").unwrap_err(), "encrypted.key", "cannot be opened", "passphrase");
    files.write("empty", "\nopen sesame");
    says(&read("empty").unwrap_err(), "passphrase file", "first line is empty", "first line");
    says(&read("nowhere").unwrap_err(), "nowhere", "No such file", "path");
    let text = fs::read_to_string(&new).unwrap();
    fs::write(&new, &text[..text.len() - 40]).unwrap();
    says(
        &read("passphrase").unwrap_err(),
        "encrypted.key",
        "its END line is missing",
        "BEGIN and END",
    );
    // A key that is not encrypted is read all the same.
    open(&key, "passphrase").unwrap();
}
