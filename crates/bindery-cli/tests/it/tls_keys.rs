//! Which key of a configuration an error of TLS names, and its remedy.

use std::path::Path;

use bindery_tls::pki::{Authority, Leaf, Validity};

use crate::{
    support::{Server, file, run},
    tls_operation::{FILES, configuration, prepared, problem},
};

/// What is allowed and should be known of a configuration.
fn warnings(path: &Path, text: &str) -> Vec<String> {
    file(path, "good.toml", text);
    let checked = run(path, "config check good.toml -o json").exits(0).json();
    let warnings = checked["warnings"].as_array().unwrap().clone();
    warnings.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[test]
fn faults_of_what_a_policy_trusts_are_told_of_the_policy() {
    let folder = prepared();
    let path = folder.path();
    let authority = Authority::new("Plant CA", Validity::default()).unwrap();
    let client = authority.issue(&Leaf::client("pump-7")).unwrap();
    file(path, "pump.pem", client.certificate_pem());
    file(path, "plant.crl", authority.revocation_list(&[], Validity::default()).unwrap());
    let own =
        FILES.replace("client_authorities = \".bindery-dev/ca.pem\"", "tls_policy = \"plant\"");
    let policy = |keys: &str| format!("[tls.policy.plant]\nbased_on = \"kmip\"\n{keys}\n");
    for (keys, member, says) in [
        ("trust_anchors = [\"none.pem\"]", "trust_anchors", "authority file none.pem"),
        ("trust_anchors = [\"pump.pem\"]", "trust_anchors", "is no authority"),
        (
            "trust_anchors = [\".bindery-dev/ca.pem\"]\ncrls = [\"none.crl\"]",
            "crls",
            "revocation list file none.crl",
        ),
        (
            "trust_anchors = [\".bindery-dev/ca.pem\"]\ncrls = [\"plant.crl\"]",
            "crls",
            "plant.crl is of CN=Plant CA",
        ),
    ] {
        let (key, said) = problem(path, &configuration(&own, &policy(keys)));
        assert_eq!(key, format!("tls.policy.plant.{member}"), "{said}");
        assert!(said.contains(says), "{said}");
    }
    // The listener's own are told of the listener.
    let both = format!("{FILES}\ntls_policy = \"plant\"");
    let both = both.replace(".bindery-dev/ca.pem", "pump.pem");
    let (key, _) = problem(path, &configuration(&both, &policy("")));
    assert_eq!(key, "listener.main.client_authorities");
}

#[test]
fn what_leaves_nothing_is_named() {
    let folder = prepared();
    let path = folder.path();
    for (listener, member) in [
        ("tls_groups = [\"x448\"]", "tls_groups"),
        ("tls_suites = [\"TLS_AES_128_GCM_SHA256\"]", "tls_suites"),
        ("tls_versions = [\"TLS 1.1\"]", "tls_versions"),
        ("client_certificates = \"optional\"", "client_certificates"),
    ] {
        let (key, said) = problem(path, &configuration(&format!("{FILES}\n{listener}"), ""));
        assert_eq!(key, format!("listener.main.{member}"), "{said}");
        // In the words of the file, and not of this program's sources.
        assert!(!said.contains("Required") && !said.contains("Optional"), "{said}");
    }
    let own = format!("{FILES}\ntls_policy = \"plant\"");
    for (keys, member) in [
        ("[tls.policy.plant.suites]\nrequired = [\"TLS_RSA_WITH_AES_128_CBC_SHA\"]", "suites"),
        ("[tls.policy.plant.groups]\nrequired = [\"x448\"]", "groups"),
        ("[tls.policy.plant.signatures]\nrequired = [\"ed448\"]", "signatures"),
        (
            "[tls.policy.plant.versions]\nminimum = \"TLS 1.1\"\nrequired = [\"TLS 1.1\"]",
            "versions",
        ),
    ] {
        let policy = format!("[tls.policy.plant]\nbased_on = \"kmip\"\n{keys}\n");
        let (key, said) = problem(path, &configuration(&own, &policy));
        assert_eq!(key, format!("tls.policy.plant.{member}"), "{said}");
    }
    // Of a built-in policy, its name is to blame.
    let (key, _) =
        problem(path, &configuration(&format!("{FILES}\ntls_policy = \"kmip-1.4\""), ""));
    assert_eq!(key, "listener.main.tls_policy");
}

#[test]
fn a_restriction_that_takes_out_what_the_policy_requires_is_told() {
    let folder = prepared();
    let path = folder.path();
    let listener = format!("{FILES}\ntls_suites = [\"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\"]");
    let policy = "[tls.policy.plant]\nbased_on = \"kmip\"\n[tls.policy.plant.suites]\n\
                  required = [\"TLS_AES_256_GCM_SHA384\"]\n\
                  permitted = [\"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\"]\n";
    let text = configuration(&format!("{listener}\ntls_policy = \"plant\""), policy);
    let told = warnings(path, &text);
    let said = told.iter().find(|one| one.contains("takes out")).unwrap();
    assert!(said.contains("TLS_AES_256_GCM_SHA384 (suites.required)"), "{said}");
    assert_eq!(warnings(path, &configuration(FILES, "")), [""; 0]);
}

#[test]
fn no_remedy_is_one_that_the_policy_refuses() {
    let folder = prepared();
    let path = folder.path();
    let bare = FILES.replace("client_authorities = \".bindery-dev/ca.pem\"", "");
    let (key, said) = problem(path, &configuration(&bare, ""));
    assert_eq!(key, "listener.main.client_authorities");
    assert!(!said.contains("= \"none\""), "{said}");
    assert!(said.contains("the policy kmip has client certificates \"required\""), "{said}");
    // The policy modern asks for none: there it is one.
    let (_, said) = problem(path, &configuration(&format!("{bare}\ntls_policy = \"modern\""), ""));
    assert!(said.contains("client_certificates = \"none\""), "{said}");
}

/// Whoever gives a passphrase believes that the key is encrypted.
#[test]
fn a_passphrase_for_a_key_that_is_not_encrypted_is_told() {
    let folder = prepared();
    let path = folder.path();
    file(path, "word", "secret\n");
    let listener = format!("{FILES}\nkey_passphrase_file = \"word\"");
    let told = warnings(path, &configuration(&listener, ""));
    let said = told.iter().find(|one| one.contains("is not encrypted")).unwrap();
    assert!(said.contains("key file .bindery-dev/server.key"), "{said}");
    let server = Server::dev(path);
    for line in ["kmip query", "tls probe"] {
        let at = server.url().trim_start_matches("https://").trim_end_matches("/kmip");
        let at = if line == "tls probe" {
            at.to_owned()
        } else {
            format!("--url {} --cacert .bindery-dev/ca.pem", server.url())
        };
        let options = "--cert .bindery-dev/client.pem --key .bindery-dev/client.key";
        let ran = run(path, &format!("{line} {at} {options} --key-passphrase-file word")).exits(0);
        assert!(ran.stderr.contains("the key is not encrypted"), "{}", ran.stderr);
        let ran = run(path, &format!("{line} {at} {options}")).exits(0);
        assert!(!ran.stderr.contains("encrypted"), "{}", ran.stderr);
    }
    // A probe opens one that is.
    let dev = path.join(".bindery-dev");
    let sealed = std::process::Command::new("openssl")
        .args(["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "file:word", "-in"])
        .arg(dev.join("client.key"))
        .arg("-out")
        .arg(path.join("sealed.key"))
        .current_dir(path)
        .output();
    let Ok(sealed) = sealed else { return };
    assert!(sealed.status.success());
    let at = server.url().trim_start_matches("https://").trim_end_matches("/kmip");
    let probe = format!("tls probe {at} --cert .bindery-dev/client.pem --key sealed.key");
    run(path, &probe).exits(2);
    let ran = run(path, &format!("{probe} --key-passphrase-file word --tls-policy kmip")).exits(0);
    assert!(!ran.stderr.contains("encrypted"), "{}", ran.stderr);
}
