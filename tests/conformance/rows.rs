//! The rows themselves: without them in order, no report means anything.

use std::collections::BTreeSet;

use bindery_tests::requirements::{Requirement, areas, read};

fn all() -> Result<Vec<Requirement>, String> {
    let mut rows = Vec::new();
    for area in areas().map_err(|e| e.to_string())? {
        rows.extend(read(&area)?);
    }
    Ok(rows)
}

#[test]
fn every_id_is_given_once() {
    let rows = all().unwrap();
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids.len(), rows.len());
}

#[test]
fn roles_and_levels_are_of_the_vocabulary() {
    for row in all().unwrap() {
        assert!(
            ["client", "server", "both", "proxy"].contains(&row.role.as_str()),
            "{}: {}",
            row.id,
            row.role
        );
        let levels = ["must", "must-not", "should", "should-not", "may"];
        assert!(levels.contains(&row.level.as_str()), "{}: {}", row.id, row.level);
        assert!(!row.text.trim().is_empty(), "{} has no text", row.id);
    }
}

#[test]
fn needs_name_rows() {
    let rows = all().unwrap();
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    for row in &rows {
        for need in &row.needs {
            assert!(ids.contains(need.as_str()) && *need != row.id, "{} needs {need}", row.id);
        }
    }
}

/// The numbers of rows that the sources gave. A row is not lost by accident: who removes one changes this.
#[test]
fn no_row_is_lost() {
    let counts: Vec<(String, usize)> =
        areas().unwrap().into_iter().map(|a| (a.clone(), read(&a).unwrap().len())).collect();
    let counts: Vec<(&str, usize)> =
        counts.iter().map(|(area, count)| (area.as_str(), *count)).collect();
    assert_eq!(
        counts,
        [
            ("http-substrate", 23),
            ("kmip-https", 25),
            ("oma-dm-http", 61),
            ("oma-dm-scr", 116),
            ("taxii-http", 45),
            ("tls-over-http", 42),
        ]
    );
}
