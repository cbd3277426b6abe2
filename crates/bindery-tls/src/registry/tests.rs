use super::*;

/// What rustls, which was made from the same registry, calls a number.
#[test]
fn suites_have_the_numbers_that_rustls_knows() {
    let mut compared = 0;
    for row in suites::ALL {
        let Some(name) = rustls::CipherSuite::from(row.suite.id).as_str() else { continue };
        // rustls has two names for 0x001E.
        let name = name.split("_or_").next().unwrap_or(name).replace("TLS13_", "TLS_");
        assert!(name.eq_ignore_ascii_case(row.suite.name), "{name} {}", row.suite.name);
        compared += 1;
    }
    assert!(compared > 300, "{compared}");
    for group in groups::ALL {
        let name = rustls::NamedGroup::from(group.id).as_str();
        assert!(name.is_none_or(|name| name.eq_ignore_ascii_case(group.name)), "{name:?}");
    }
    for scheme in signatures::ALL {
        let Some(name) = rustls::SignatureScheme::from(scheme.id).as_str() else { continue };
        let ours = scheme.name.replace("_rsae_", "_").replace("secp", "nistp").to_uppercase();
        let ours = ours.replace("NISTP256R1", "NISTP256").replace("NISTP384R1", "NISTP384");
        let ours =
            ours.replace("NISTP521R1", "NISTP521").replace("ECDSA_SHA1", "ECDSA_SHA1_Legacy");
        let theirs = name.replace("ML_DSA_", "MLDSA");
        assert!(theirs.eq_ignore_ascii_case(&ours) || ours.contains("PSS_PSS"), "{theirs} {ours}");
    }
}

/// What a source, rustls or OpenSSL may name is there, down to what nobody should use.
#[test]
fn the_whole_registry_is_there() {
    assert_eq!(suites::ALL.len(), 357);
    assert_eq!(suites::ALL.iter().filter(|row| row.recommended).count(), 24);
    assert_eq!(suites::ALL.iter().filter(|row| row.openssl_name.is_some()).count(), 158);
    for (name, bits) in [
        ("TLS_NULL_WITH_NULL_NULL", 0),
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", 40),
        ("TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA", 56),
        ("SSL_RSA_WITH_3DES_EDE_CBC_SHA", 112),
        ("SSL_RSA_WITH_RC4_128_SHA", 128),
        ("TLS_SHA256_SHA256", 0),
    ] {
        assert_eq!(suite_named(name).unwrap().bits, bits, "{name}");
    }
}

#[test]
fn what_a_row_says_fits_its_name() {
    for row in suites::ALL {
        let name = row.suite.name;
        let cipher = row.encryption;
        assert!(name.contains(cipher) || name.starts_with("TLS_SHA"), "{name}");
        for (part, bits) in [("_128_", 128), ("AES_256", 256), ("ARIA_256", 256), ("NULL", 0)] {
            let says = format!("{cipher}_").contains(part);
            assert!(!says || row.bits == bits, "{name}");
        }
        let joined = ["GCM", "CCM", "POLY1305", "MGM", "AEGIS"].iter().any(|m| name.contains(m));
        assert_eq!(row.is_aead(), joined, "{name}");
        let of_1_3 = row.is_of(TlsVersion::TLS_1_3);
        assert_eq!(of_1_3, !name.contains("_WITH_") || cipher.contains("MGM"), "{name}");
        assert!(!of_1_3 || !row.is_of(TlsVersion::TLS_1_2), "{name}");
        assert!(row.first <= row.last, "{name}");
        // An AEAD needs TLS 1.2 (RFC 5246, 6.2.3.3); export ciphers ended with TLS 1.0 (RFC 4346).
        assert!(!row.is_aead() || row.first >= TlsVersion::TLS_1_2, "{name}");
        assert_eq!(name.contains("EXPORT"), row.last == TlsVersion::TLS_1_0, "{name}");
        assert_eq!(row.authentication == "none", name.contains("anon") || row.suite.id == 0);
        assert_eq!(row.needs_psk(), name.contains("PSK"), "{name}");
        let ephemeral = ["DHE_", "_anon_", "SRP", "ECCPWD"].iter().any(|m| name.contains(m));
        assert_eq!(row.has_forward_secrecy(), of_1_3 || ephemeral, "{name}");
    }
}

#[test]
fn rows_are_found_by_number_and_by_name() {
    assert_eq!(suite(0x1302).unwrap().suite, suites::TLS_AES_256_GCM_SHA384);
    assert_eq!(suite_named("TLS_AES_256_GCM_SHA384").unwrap().suite.id, 0x1302);
    assert!(suite(0x00ff).is_none() && suite_named("tls_aes_256_gcm_sha384").is_none());
    assert!(suite_named("RSA_WITH_RC4_128_SHA").is_none());
    let openssl = suite_of_openssl("ECDHE-RSA-AES128-GCM-SHA256").unwrap();
    assert_eq!(openssl.suite, suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
    assert_eq!(group(29), Some(groups::X25519));
    assert_eq!(group_named("X25519"), Some(groups::X25519));
    assert_eq!(group_named("P-256"), None);
    assert_eq!(signature(0x0807), Some(signatures::ED25519));
    assert_eq!(signature_named("ed25519"), Some(signatures::ED25519));
}
