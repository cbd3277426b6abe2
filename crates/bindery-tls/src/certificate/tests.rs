use super::*;

#[test]
fn times_are_written_as_rfc_3339() {
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (951_868_799, "2000-02-29T23:59:59Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (1_700_000_000, "2023-11-14T22:13:20Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(rfc3339(Timestamp::from_unix_seconds(seconds)), text);
    }
    // The ends of the range are no panic.
    for micros in [i64::MIN, i64::MAX] {
        assert!(rfc3339(Timestamp::from_unix_micros(micros)).ends_with('Z'));
    }
}

#[cfg(feature = "pki")]
mod issued {
    use super::*;
    use crate::pki::{Authority, Leaf, Validity};

    fn read(leaf: &Leaf) -> Certificate {
        let authority = Authority::new("CA", Validity::default()).unwrap();
        authority.issue(leaf).unwrap().identity().unwrap().certificate().unwrap()
    }

    #[test]
    fn the_quick_look_at_dates_finds_what_the_whole_reading_finds() {
        let at = Timestamp::from_unix_seconds;
        let authority = Authority::new("CA", Validity::default()).unwrap();
        for (first, last) in [(0, 100), (946_684_800, 2_524_607_999), (1, 253_402_300_799)] {
            let validity = Validity { not_before: at(first), not_after: at(last) };
            let leaf = Leaf::client("a").with_validity(validity);
            let identity = authority.issue(&leaf).unwrap().identity().unwrap();
            let (der, read) = (&identity.chain()[0], identity.certificate().unwrap());
            for moment in [first - 1, first, last, last + 1] {
                let whole = read.check_dates(at(moment), "it").is_ok();
                assert_eq!(is_valid_at(der, at(moment)), whole, "{moment}");
            }
            for cut in 0..der.len() {
                // No panic; what is cut before its dates is not valid.
                let valid = is_valid_at(&CertificateDer::from(&der[..cut]), at(first));
                assert!(!valid, "{cut}");
            }
        }
    }

    /// What is passed over would leave another name to say who somebody is, and another usage.
    #[test]
    fn a_name_or_usage_that_cannot_be_read_is_an_error() {
        let authority = Authority::new("CA", Validity::default()).unwrap();
        let leaf = Leaf::server("kms.example").with_name("second.example");
        let der = authority.issue(&leaf).unwrap().identity().unwrap().chain()[0].to_vec();
        Certificate::from_der(&der.clone().into()).unwrap();
        let server_auth: &[u8] = &[0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 1];
        for (from, to, says) in [
            (&b"second.example"[..], &b"\xff\xffcond.example"[..], "subjectAltName"),
            (server_auth, &[0x06, 0x09, 0x2b, 6, 1, 5, 5, 7, 3, 1], "Extended Key Usage"),
        ] {
            let place = der.windows(from.len()).position(|window| window == from).unwrap();
            let mut broken = der.clone();
            broken[place..place + to.len()].copy_from_slice(to);
            let error = Certificate::from_der(&broken.into()).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn what_a_server_certificate_says() {
        let found = read(&Leaf::server("kms.example").with_name("192.0.2.1").with_name("::1"));
        assert_eq!(found.subject, "CN=kms.example");
        assert_eq!(found.issuer, "CN=CA");
        assert_eq!(found.dns_names, ["kms.example"]);
        let addresses: Vec<IpAddr> = vec!["192.0.2.1".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(found.ip_addresses, addresses);
        assert!(found.for_servers && !found.for_clients && !found.is_authority);
        assert_eq!(rfc3339(found.not_before), "2000-01-01T00:00:00Z");
        assert_eq!(rfc3339(found.not_after), "2049-12-31T23:59:59Z");
        assert_eq!(found.fingerprint.len(), 64);
    }

    #[test]
    fn what_a_client_certificate_says() {
        let found = read(&Leaf::client("alice").with_organization("Example, Inc."));
        assert_eq!(found.subject, r"CN=alice,O=Example\, Inc.");
        assert!(found.for_clients && !found.for_servers);
        assert!(read(&Leaf::client("x").marked_as_authority()).is_authority);
    }

    #[test]
    fn the_fingerprint_is_the_one_that_openssl_shows() {
        // SHA-256 of the three octets "abc" (FIPS 180-4).
        let der = CertificateDer::from(b"abc".to_vec());
        assert_eq!(
            fingerprint(&der),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn octets_behind_a_certificate_are_refused() {
        let authority = Authority::new("CA", Validity::default()).unwrap();
        let mut der = authority.roots().unwrap().certificates()[0].to_vec();
        Certificate::from_der(&CertificateDer::from(der.clone())).unwrap();
        der.push(0);
        let error = Certificate::from_der(&CertificateDer::from(der)).unwrap_err();
        assert!(error.to_string().contains("1 octets after its end"), "{error}");
    }

    #[test]
    fn every_prefix_and_every_changed_octet_is_no_panic() {
        let authority = Authority::new("CA", Validity::default()).unwrap();
        let der = authority.roots().unwrap().certificates()[0].to_vec();
        for length in 0..der.len() {
            let cut = CertificateDer::from(der[..length].to_vec());
            assert!(Certificate::from_der(&cut).is_err());
        }
        for at in 0..der.len() {
            for bits in [0x01, 0x80, 0xff] {
                let mut changed = der.clone();
                changed[at] ^= bits;
                let _ = Certificate::from_der(&CertificateDer::from(changed));
            }
        }
    }
}
