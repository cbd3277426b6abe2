//! Revocation lists as an operator meets them: what is wrong with one is told before it locks anybody
//! out.

use std::{fs, path::Path};

use bindery_core::Timestamp;
use bindery_tls::pki::{Authority, Validity};

use crate::{
    support::{Server, file, folder, run, wait_for},
    tls::{CLIENT, serve},
    tls_operation::{FILES, address, configuration, metrics, prepared, problem},
};

const PAST: Validity = Validity {
    not_before: Timestamp::from_unix_seconds(946_684_800),
    not_after: Timestamp::from_unix_seconds(946_684_900),
};

fn authority(path: &Path) -> Authority {
    let read = |name: &str| fs::read_to_string(path.join(".bindery-dev").join(name)).unwrap();
    Authority::from_pem(&read("ca.pem"), &read("ca.key")).unwrap()
}

fn list(authority: &Authority, validity: Validity) -> String {
    authority.revocation_list(&[], validity).unwrap()
}

/// A list whose signature is not its own: a date in it was changed.
fn damaged(authority: &Authority) -> Vec<u8> {
    let crls =
        bindery_tls::Crls::from_octets(list(authority, Validity::default()).as_bytes()).unwrap();
    let mut der = crls.lists().next().unwrap().der.to_vec();
    let date = der.windows(6).position(|octets| octets == *b"491231").unwrap();
    der[date + 1] = b'8';
    der
}

#[test]
fn a_list_that_would_lock_everybody_out_is_refused_with_the_remedy() {
    let folder = prepared();
    let path = folder.path();
    let authority = authority(path);
    let text = |more: &str| configuration(&format!("{FILES}\ncrls = [\"ca.crl\"]\n{more}"), "");
    let expired = list(&authority, PAST).into_bytes();
    for (octets, parts) in [
        (
            expired.clone(),
            ["ca.crl", "2000-01-01T00:01:40Z (Next Update)", "fetch the authority's new list"],
        ),
        (damaged(&authority), ["ca.crl", "signatureValue", "fetch the list anew"]),
    ] {
        file(path, "ca.crl", octets);
        for more in ["", "crl_check = \"leaf\""] {
            let (key, said) = problem(path, &text(more));
            assert_eq!(key, "listener.main.crls");
            for part in parts {
                assert!(said.contains(part), "{said}");
            }
        }
        // Nothing starts on it either.
        let ran = run(path, "serve --config bad.toml -o json").exits(10);
        assert!(ran.stderr.contains(parts[1]), "{}", ran.stderr);
    }
    // Who says so lets it count beyond its time, and is told.
    file(path, "ca.crl", expired);
    file(path, "good.toml", text("crl_check = \"chain-where-known\""));
    let checked = run(path, "config check good.toml -o json").exits(0).json();
    assert!(checked["warnings"].to_string().contains("it counts all the same"), "{checked}");
}

/// SIGHUP with a list that is not good: what was read before goes on.
#[test]
fn a_list_that_would_lock_somebody_out_is_not_reloaded() {
    let folder = folder();
    let path = folder.path();
    assert!(serve(path, "").stop().success());
    let authority = authority(path);
    let other = Authority::new("Plant CA", Validity::default()).unwrap();
    let two = format!("{}{}", authority.certificate_pem(), other.certificate_pem());
    file(path, "ca.pem", two);
    file(path, "ca.crl", list(&authority, Validity::default()));
    file(path, "plant.crl", list(&other, Validity::default()));
    let text = fs::read_to_string(path.join("serve.toml")).unwrap();
    let crls = "[listener.main]\ncrls = [\"ca.crl\", \"plant.crl\"]\n";
    file(path, "serve.toml", text.replace("[listener.main]\n", crls));
    let server = Server::start(path, "serve --config serve.toml -o json");
    let reloads = |result: &str, count: usize| {
        let line =
            format!("bindery_tls_reloads_total{{listener=\"main\",result=\"{result}\"}} {count}\n");
        wait_for("a reload", || metrics(&server).contains(&line).then_some(()));
    };
    let welcome = || {
        let line = format!("tls probe {} --tls-policy kmip {CLIENT} -o json", address(&server));
        run(path, &line).exits(0);
    };
    welcome();
    // One of two has run out: with it the clients of that authority would be locked out.
    file(path, "ca.crl", list(&authority, PAST));
    server.signal("HUP");
    reloads("bad", 1);
    welcome();
    let log = fs::read_to_string(path.join("log")).unwrap();
    for part in ["listener.main.crls", "ca.crl", "ran out at 2000-01-01", "nothing was changed"] {
        assert!(log.contains(part), "{part}: {log}");
    }
    file(path, "ca.crl", damaged(&authority));
    server.signal("HUP");
    reloads("bad", 2);
    welcome();
    let log = fs::read_to_string(path.join("log")).unwrap();
    assert!(log.contains("signatureValue"), "{log}");
    file(path, "ca.crl", list(&authority, Validity::default()));
    server.signal("HUP");
    reloads("good", 1);
    welcome();
    assert!(server.stop().success());
    // At a start one of several is a loud warning: the clients of the other are served.
    file(path, "ca.crl", list(&authority, PAST));
    let checked = run(path, "config check serve.toml -o json").exits(0).json();
    assert!(
        checked["warnings"].to_string().contains("is refused until a new one is here"),
        "{checked}"
    );
    let server = Server::start(path, "serve --config serve.toml -o json");
    let line = format!("tls probe {} --tls-policy kmip {CLIENT} -o json", address(&server));
    let refused = run(path, &line).exits(3).json();
    assert_eq!(refused["refused"]["kind"], "bad-certificate", "{refused}");
    let log = fs::read_to_string(path.join("log")).unwrap();
    assert!(log.contains("revocation-unknown") && log.contains("ca.crl is out of date"), "{log}");
    assert!(!log.contains("certificate-revoked"), "{log}");
}
