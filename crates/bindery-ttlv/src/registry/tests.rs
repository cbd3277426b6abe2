use super::*;

/// Every enumeration of the generated file, found through the tags; the rest are listed by hand below.
fn enumerations() -> Vec<&'static Enumeration> {
    let mut all: Vec<&Enumeration> =
        tags::ENUMERATIONS.iter().map(|(_, enumeration)| *enumeration).collect();
    all.sort_by_key(|enumeration| enumeration.name());
    all.dedup_by_key(|enumeration| enumeration.name());
    all
}

/// The rows of a table below its heading; comments do not count.
fn table_rows(csv: &str) -> usize {
    csv.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count() - 1
}

#[test]
fn every_tag_by_value_name_and_title() {
    // The generator left none of the table's rows out; a row more in the table is a row more here.
    assert_eq!(Tag::rows().len(), table_rows(include_str!("../../registry/tags.csv")));
    assert!(Tag::rows().is_sorted_by(|a, b| a.value() < b.value()));
    for row in Tag::rows() {
        let tag = Tag::new(row.value()).unwrap();
        assert_eq!(tag.row(), Some(row));
        assert_eq!(tag.name(), Some(row.name()));
        assert_eq!(Tag::from_name(row.name()), Some(tag));
        assert_eq!(Tag::from_title(row.title()), Some(tag));
        assert_eq!(tag.to_string(), row.name());
        assert!(tag.is_allowed() && !tag.is_extension(), "{row:?}");
        assert!(row.since() <= row.until(), "{row:?}");
    }
}

#[test]
fn every_member_by_value_and_name() {
    let all = enumerations();
    let members = all.iter().map(|enumeration| enumeration.rows().len()).sum::<usize>();
    assert_eq!(members, table_rows(include_str!("../../registry/enumerations.csv")));
    for enumeration in all {
        assert!(
            enumeration.rows().is_sorted_by(|a, b| a.value() < b.value()),
            "{}",
            enumeration.name()
        );
        for row in enumeration.rows() {
            assert_eq!(enumeration.row(row.value()), Some(row));
            assert_eq!(enumeration.row_by_name(row.name()), Some(row));
            assert!(row.since() <= row.until(), "{row:?}");
            assert!(!enumeration.is_mask() || row.value().is_power_of_two(), "{row:?}");
        }
        assert_eq!(enumeration.row_by_name(""), None);
        assert_eq!(enumeration.row_by_name("~"), None);
    }
}

#[test]
fn values_of_the_specification() {
    assert_eq!(Tag::UNIQUE_IDENTIFIER.value(), 0x42_0094);
    assert_eq!(Tag::REQUEST_MESSAGE.value(), 0x42_0078);
    assert_eq!(Tag::X_509_CERTIFICATE_ISSUER.title(), Some("X.509 Certificate Issuer"));
    assert_eq!(Tag::CLIENT_CORRELATION_VALUE.since(), Some(ProtocolVersion::V1_4));
    assert_eq!(Operation::DISCOVER_VERSIONS.0, 0x1E);
    assert_eq!(Operation::DISCOVER_VERSIONS.since(), Some(ProtocolVersion::V1_1));
    assert_eq!(CryptographicAlgorithm::DES3.0, 2);
    assert_eq!(CryptographicAlgorithm::from_name("AES"), Some(CryptographicAlgorithm::AES));
    assert_eq!(
        Tag::MASK_GENERATOR_HASHING_ALGORITHM.enumeration().unwrap().name(),
        "HashingAlgorithm"
    );
    assert_eq!(
        Tag::CRYPTOGRAPHIC_USAGE_MASK.enumeration().unwrap().name(),
        "CryptographicUsageMask"
    );
    assert!(Tag::CRYPTOGRAPHIC_LENGTH.enumeration().is_none());
}

#[test]
fn values_without_a_row_are_kept() {
    let vendor = Operation(0x8000_0001);
    assert!(vendor.is_extension() && vendor.name().is_none() && vendor.since().is_none());
    assert_eq!(format!("{vendor} {vendor:?} {}", Operation::GET), "0x80000001 0x80000001 Get");
    let tag = Tag::from_low_bits(0x54_0001);
    assert!(tag.is_extension() && tag.is_allowed() && tag.name().is_none());
    assert_eq!(tag.to_string(), "0x540001");
    assert_eq!(Tag::new(0x100_0000), None);
    assert!(!Tag::from_low_bits(0x43_0000).is_allowed());
}

#[test]
fn masks() {
    let both = CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT;
    assert_eq!(both, CryptographicUsageMask(12));
    assert!(
        both.contains(CryptographicUsageMask::ENCRYPT)
            && !both.contains(CryptographicUsageMask::SIGN)
    );
    assert!(both.intersects(CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::SIGN));
    assert!((both & CryptographicUsageMask::SIGN).is_empty());
    assert!(!(!both).intersects(both));
    assert_eq!(both.to_string(), "Encrypt|Decrypt");
    assert_eq!(CryptographicUsageMask::empty().to_string(), "0");
    assert_eq!(CryptographicUsageMask(i32::MIN | 1).to_string(), "Sign|0x80000000");
    assert_eq!(both.rows().map(Row::name).collect::<Vec<_>>(), ["Encrypt", "Decrypt"]);
    assert_eq!(CryptographicUsageMask::from_name("Sign"), Some(CryptographicUsageMask::SIGN));
}
