use rustls_pki_types::CertificateDer;

use super::*;

#[test]
fn a_peer_without_a_certificate_is_nobody() {
    for map in kinds() {
        assert_eq!(map.principal(&Peer::default()), Ok(None));
    }
}

#[test]
fn a_pre_shared_key_is_an_account_of_its_own() {
    for map in kinds() {
        let peer =
            |identity: &'static [u8]| Peer::default().with_psk_identity(Some(identity.into()));
        let account = map.principal(&peer(b"device-17")).unwrap().unwrap();
        assert_eq!(account.as_str(), "psk:device-17");
        let account = map.principal(&peer(b"a\\\xFF\n")).unwrap().unwrap();
        assert_eq!(account.as_str(), "psk:a\\\\\\xff\\n");
    }
}

#[test]
fn the_subject_is_the_default() {
    assert_eq!(CertificateIdentity::default(), CertificateIdentity::subject());
}

#[test]
fn octets_that_are_no_certificate_are_an_error_and_not_nobody() {
    let chain = [CertificateDer::from(b"abc".to_vec())];
    let peer = Peer::default().with_certificates(chain);
    for map in [CertificateIdentity::subject(), CertificateIdentity::common_name()] {
        let error = map.principal(&peer).unwrap_err();
        assert!(error.to_string().contains("the client's certificate"), "{error}");
    }
}

fn kinds() -> [CertificateIdentity; 3] {
    [
        CertificateIdentity::subject(),
        CertificateIdentity::common_name(),
        CertificateIdentity::fingerprint(),
    ]
}

#[cfg(feature = "pki")]
mod issued {
    use super::*;
    use crate::pki::{Authority, Leaf, Validity};

    fn peer(leaf: &Leaf) -> Peer {
        let authority = Authority::new("CA", Validity::default()).unwrap();
        let identity = authority.issue(leaf).unwrap().identity().unwrap();
        Peer::default().with_certificates(identity.chain().clone())
    }

    #[test]
    fn each_kind_gives_its_name() {
        let peer = peer(&Leaf::client("alice").with_organization("Example"));
        let [subject, common_name, fingerprint] =
            kinds().map(|map| map.principal(&peer).unwrap().unwrap().as_str().to_owned());
        assert_eq!(subject, "CN=alice,O=Example");
        assert_eq!(common_name, "alice");
        let expected = crate::certificate::fingerprint(peer.certificate().unwrap());
        assert_eq!(fingerprint, format!("sha256:{expected}"));
    }

    #[test]
    fn an_account_needs_a_name() {
        let error =
            CertificateIdentity::common_name().principal(&peer(&Leaf::client(""))).unwrap_err();
        assert!(error.reason.contains("Common Name is empty"), "{error}");
        for (rule, what) in [
            (Naming::DnsName, "no host name in its subjectAltName"),
            (Naming::MailAddress, "no mail address in its subjectAltName"),
            (Naming::Uri, "no URI in its subjectAltName"),
        ] {
            let map = CertificateIdentity::by([rule]);
            let error = map.principal(&peer(&Leaf::client("alice"))).unwrap_err();
            assert!(error.reason.contains(what), "{error}");
        }
    }

    #[test]
    fn the_first_rule_that_finds_a_name_decides() {
        let map = CertificateIdentity::by([Naming::DnsName, Naming::CommonName]);
        let named = peer(&Leaf::client("alice").with_name("device.example"));
        assert_eq!(map.principal(&named).unwrap().unwrap().as_str(), "dns:device.example");
        let bare = peer(&Leaf::client("alice"));
        assert_eq!(map.principal(&bare).unwrap().unwrap().as_str(), "alice");
        let two = peer(&Leaf::client("alice").with_name("a.example").with_name("b.example"));
        let error = map.principal(&two).unwrap_err();
        assert!(error.reason.contains("more than one host name"), "{error}");
        let long = peer(&Leaf::client("alice").with_name(&"a".repeat(1025)));
        let error = map.principal(&long).unwrap_err();
        assert!(error.reason.contains("is longer than 1024 octets"), "{error}");
        assert_eq!(CertificateIdentity::by([]), CertificateIdentity::subject());
    }

    /// Nobody becomes somebody else by the Common Name that an authority lets them have.
    #[test]
    fn a_common_name_that_reads_like_another_kind_is_refused() {
        let mixed = CertificateIdentity::by([Naming::DnsName, Naming::CommonName]);
        for name in
            ["dns:a.example", "mail:a@example", "uri:x", "sha256:00", "psk:d", "a;issuer=CN=CA"]
        {
            for map in [&mixed, &mixed.clone().with_issuer(), &CertificateIdentity::common_name()] {
                let error = map.principal(&peer(&Leaf::client(name))).unwrap_err();
                assert!(error.reason.contains("name of another kind"), "{name}: {error}");
            }
        }
        let subjects = CertificateIdentity::by([Naming::CommonName, Naming::Subject]);
        let error = subjects.principal(&peer(&Leaf::client("O=Example"))).unwrap_err();
        assert!(error.reason.contains("whole subject"), "{error}");
        let named = mixed.principal(&peer(&Leaf::client("O=Example"))).unwrap().unwrap();
        assert_eq!(named.as_str(), "O=Example");
    }

    #[test]
    fn a_host_is_one_host_whatever_its_letters() {
        let map = CertificateIdentity::by([Naming::DnsName]);
        let upper = peer(&Leaf::client("a").with_name("Device.EXAMPLE"));
        assert_eq!(map.principal(&upper).unwrap().unwrap().as_str(), "dns:device.example");
        let wild = peer(&Leaf::client("a").with_name("*.example"));
        let error = map.principal(&wild).unwrap_err();
        assert!(error.reason.contains("stands for many hosts"), "{error}");
    }

    /// The same subject from two authorities is one account, or two where it is asked for.
    #[test]
    fn two_authorities_are_told_apart_by_issuer() {
        let of = |authority: &str, leaf: &Leaf| {
            let authority = Authority::new(authority, Validity::default()).unwrap();
            let identity = authority.issue(leaf).unwrap().identity().unwrap();
            Peer::default().with_certificates(identity.chain().clone())
        };
        let leaf = Leaf::client("alice").with_name("a.example");
        let (one, two) = (of("CA One", &leaf), of("CA Two", &leaf));
        let name = |map: &CertificateIdentity, peer| map.principal(peer).unwrap().unwrap();
        let plain = CertificateIdentity::subject();
        assert_eq!(name(&plain, &one), name(&plain, &two));
        let apart = plain.with_issuer();
        assert_eq!(name(&apart, &one).as_str(), "CN=alice;issuer=CN=CA One");
        assert_eq!(name(&apart, &two).as_str(), "CN=alice;issuer=CN=CA Two");
        let by_host = CertificateIdentity::by([Naming::DnsName]).with_issuer();
        assert_eq!(name(&by_host, &one).as_str(), "dns:a.example;issuer=CN=CA One");
        // A subject cannot be written so that it looks like another one with an issuer.
        let sly = of("CA Two", &Leaf::client("alice;issuer=CN=CA One"));
        assert_eq!(name(&apart, &sly).as_str(), "CN=alice\\;issuer=CN=CA One;issuer=CN=CA Two");
        let print = CertificateIdentity::fingerprint();
        assert_eq!(name(&print.clone().with_issuer(), &one), name(&print, &one));
    }
}
