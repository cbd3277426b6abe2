//! Status and alert codes.

use bindery_syncml::{AlertCode, StatusCode};

#[test]
fn a_code_is_explained() {
    let row = StatusCode(507).row().unwrap();
    assert_eq!(row.name(), "Atomic failed");
    assert!(row.meaning().contains("none of its commands"));
    assert!(row.remedy().contains("215"));
    assert_eq!(StatusCode(507).to_string(), "507 (Atomic failed)");
    assert_eq!(AlertCode(1201).to_string(), "1201 (Client-initiated management)");
}

#[test]
fn an_unknown_code_stays_a_number() {
    assert_eq!(StatusCode(599).name(), None);
    assert_eq!(StatusCode(599).to_string(), "599");
    assert_eq!(StatusCode::from_text(" 599\n"), Some(StatusCode(599)));
    for text in ["", "+200", "2 00", "70000", "abc"] {
        assert_eq!(StatusCode::from_text(text), None, "{text}");
    }
}

#[test]
fn the_rows_are_in_order_and_say_something() {
    let codes: Vec<u16> = StatusCode::rows().iter().map(|row| row.code().0).collect();
    assert!(codes.is_sorted());
    assert!(StatusCode::rows().iter().all(|row| !row.meaning().is_empty()));
    let failures = StatusCode::rows().iter().filter(|row| !row.code().is_success());
    assert!(failures.clone().count() > 40);
    let codes: Vec<u16> = AlertCode::rows().iter().map(|row| row.code().0).collect();
    assert!(codes.is_sorted());
    assert!(AlertCode::rows().iter().all(|row| !row.meaning().is_empty()));
}

#[test]
fn what_was_not_carried_out_is_no_success() {
    for (code, success) in
        [(200, true), (212, true), (213, true), (215, false), (216, false), (404, false)]
    {
        assert_eq!(StatusCode(code).is_success(), success, "{code}");
    }
}
