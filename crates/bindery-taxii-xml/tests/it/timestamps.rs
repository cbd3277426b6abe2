//! Timestamps: what is allowed, what they mean.

use bindery_taxii_xml::Timestamp;

#[test]
fn labels_have_a_zone_and_at_most_six_decimals() {
    for good in [
        "2014-06-01T12:30:45Z",
        "2014-06-01T12:30:45.1+00:00",
        "2014-06-01T12:30:45.123456-14:00",
        "2016-02-29T24:00:00Z",
        "-0001-12-31T23:59:59Z",
        " 2014-06-01T12:30:45Z\n",
    ] {
        assert!(Timestamp::label(good).is_some(), "{good}");
    }
    for bad in [
        "",
        "2014-06-01",
        "2014-06-01T12:30:45",
        "2014-06-01T12:30:45.Z",
        "2014-06-01T12:30:45.1234567Z",
        "2014-06-01T12:30:45z",
        "2014-06-01 12:30:45Z",
        "2014-06-01T12:30Z",
        "2014-13-01T12:30:45Z",
        "2014-00-01T12:30:45Z",
        "2014-06-31T12:30:45Z",
        "2015-02-29T12:30:45Z",
        "1900-02-29T12:30:45Z",
        "2014-06-01T24:00:01Z",
        "2014-06-01T25:00:00Z",
        "2014-06-01T12:60:00Z",
        "2014-06-01T12:30:60Z",
        "2014-06-01T12:30:45+14:01",
        "2014-06-01T12:30:45+1:00",
        "2014-06-01T12:30:45+01:60",
        "12014-06-01T12:30:45Z",
        "0000-06-01T12:30:45Z",
        "2014-06-01T12:30:45Zx",
        "99999999999999999999-01-01T00:00:00Z",
    ] {
        assert!(Timestamp::label(bad).is_none(), "{bad}");
    }
    for draft in ["2014-06-01T12:30:45", "2014-06-01T12:30:45.1234567Z", "12014-06-01T12:30:45Z"] {
        assert!(Timestamp::date_time(draft).is_some(), "{draft}");
    }
}

#[test]
fn they_are_ordered_as_instants_across_zones() {
    let of = |text: &str| Timestamp::label(text).unwrap();
    assert_eq!(of("2014-06-01T12:00:00Z"), of("2014-06-01T14:00:00.000+02:00"));
    assert_eq!(of("2014-06-01T24:00:00Z"), of("2014-06-02T00:00:00Z"));
    assert!(of("2014-06-01T12:00:00Z") < of("2014-06-01T12:00:00.000001Z"));
    assert!(of("2014-06-01T23:00:00-02:00") > of("2014-06-02T00:59:59Z"));
    assert!(of("-0002-01-01T00:00:00Z") < of("-0001-01-01T00:00:00Z"));
    assert_eq!(of("1970-01-01T00:00:00.000001Z").micros(), 1);
    assert_eq!(of("2014-06-01T12:30:45.123456Z").micros(), 1_401_625_845_123_456);
    assert_eq!(of("2014-06-01T14:00:00.000+02:00").as_str(), "2014-06-01T14:00:00.000+02:00");
}

#[test]
fn instants_are_written_in_utc() {
    for (micros, text) in [
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
    ] {
        let made = Timestamp::from_micros(micros).unwrap();
        assert_eq!(made.as_str(), text);
        assert_eq!(Timestamp::label(text).unwrap().micros(), micros, "{text}");
    }
    assert!(Timestamp::from_micros(253_402_300_800_000_000).is_none());
    assert!(Timestamp::from_micros(-62_135_596_800_000_001).is_none());
    assert!(
        Timestamp::from_micros(i64::MAX).is_none() && Timestamp::from_micros(i64::MIN).is_none()
    );
}
