use super::*;

#[test]
fn suites_have_the_numbers_that_rustls_knows() {
    for row in suites::ALL {
        let name = rustls::CipherSuite::from(row.suite.id).as_str().expect(row.suite.name);
        assert_eq!(name.replace("TLS13_", "TLS_"), row.suite.name);
    }
    for group in groups::ALL {
        let name = rustls::NamedGroup::from(group.id).as_str();
        // SecP384r1MLKEM1024 is newer than rustls' list.
        assert!(name.is_some_and(|n| n.eq_ignore_ascii_case(group.name)) || group.id == 0x11ed);
    }
}

#[test]
fn what_a_row_says_fits_its_name() {
    for row in suites::ALL {
        let name = row.suite.name;
        assert!(name.contains(row.encryption), "{name}");
        assert_eq!(
            row.bits,
            if row.encryption == "AES_128_GCM" || row.encryption == "AES_128_CBC" {
                128
            } else {
                256
            }
        );
        assert_eq!(row.integrity == "AEAD", !name.contains("CBC"), "{name}");
        let of_1_3 = row.is_of(TlsVersion::TLS_1_3);
        assert_eq!(of_1_3, !name.contains("_WITH_"), "{name}");
        assert_eq!(row.is_of(TlsVersion::TLS_1_2), !of_1_3, "{name}");
        assert_eq!(row.is_of(TlsVersion::TLS_1_0), name.ends_with("_SHA"), "{name}");
        if !of_1_3 {
            let exchange = match (row.key_exchange, row.authentication) {
                ("RSA", "RSA") => "TLS_RSA_WITH_".to_owned(),
                ("PSK", "PSK") => "TLS_PSK_WITH_".to_owned(),
                (exchange, authentication) => format!("TLS_{exchange}_{authentication}_WITH_"),
            };
            assert!(name.starts_with(&exchange), "{name}");
        }
        assert_eq!(row.has_forward_secrecy(), of_1_3 || name.contains("ECDHE"), "{name}");
    }
}

#[test]
fn rows_are_found_by_number_and_by_name() {
    assert_eq!(suite(0x1302).unwrap().suite, suites::TLS_AES_256_GCM_SHA384);
    assert_eq!(suite_named("TLS_AES_256_GCM_SHA384").unwrap().suite.id, 0x1302);
    assert!(suite(0).is_none() && suite_named("tls_aes_256_gcm_sha384").is_none());
    assert_eq!(group(29), Some(groups::X25519));
    assert_eq!(group_named("X25519"), Some(groups::X25519));
    assert_eq!(group_named("P-256"), None);
}
