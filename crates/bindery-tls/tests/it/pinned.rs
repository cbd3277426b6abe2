//! Every row of every built-in policy, held against what was read in the sources.
//!
//! `tests/policies/NAME.txt` has one line for each row, in order: `suite required TLS_..`. A policy
//! that says more, less or something else departs from it. `BINDERY_BLESS=1` writes the files anew;
//! the difference is then read against the sources.

use std::{fs, path::PathBuf};

use bindery_tls::{Need, Policy, Row, registry::suites};

fn file(policy: &Policy) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/policies");
    folder.join(format!("{}.txt", policy.name))
}

/// What a policy says, a line for each rule.
fn lines(policy: &Policy) -> Vec<String> {
    let mut lines = vec![format!("client certificates {}", policy.client_auth)];
    lines.push(format!("tickets {} {:?}", policy.resumption.tickets, policy.resumption.rotation));
    lines.push(format!("application protocols {:?}", policy.alpn));
    lines.extend(policy.versions.iter().map(|r| format!("version {} {}", r.need, r.what)));
    for row in &policy.suites {
        let within = row.within.map(|(a, b)| format!(" in {a} to {b}")).unwrap_or_default();
        lines.push(format!("suite {} {}{within}", row.need, row.what.name));
    }
    lines.extend(policy.groups.iter().map(|r| format!("group {} {}", r.need, r.what.name)));
    lines.extend(policy.signatures.iter().map(|r| format!("signature {} {}", r.need, r.what.name)));
    lines
}

/// The first line in which a policy departs from what was read.
fn departure(policy: &Policy, pinned: &str) -> Option<String> {
    let said = lines(policy);
    let mut read = pinned.lines();
    let differs = said.iter().find(|line| read.next() != Some(line.as_str()));
    differs.cloned().or_else(|| read.next().map(|line| format!("missing: {line}")))
}

fn pinned(policy: &Policy) -> String {
    let file = file(policy);
    if std::env::var_os("BINDERY_BLESS").is_some() {
        fs::write(&file, lines(policy).join("\n") + "\n").unwrap();
    }
    fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

#[test]
fn built_in_policies_say_what_was_read_in_their_sources() {
    for policy in Policy::built_in() {
        assert_eq!(departure(&policy, &pinned(&policy)), None, "{}", policy.name);
        let named = Policy::named(&policy.name).unwrap();
        assert_eq!(named, policy);
        assert!(!policy.notes.is_empty() && !policy.references.is_empty(), "{}", policy.name);
        let sources = policy.suites.iter().map(|row| &row.source);
        assert!(sources.chain(policy.versions.iter().map(|r| &r.source)).all(|s| !s.is_empty()));
    }
}

/// One row more, one less, one of another need, two in another order.
fn mutants<T: Clone>(rows: &[Row<T>]) -> Vec<Vec<Row<T>>> {
    let mut mutants = Vec::new();
    for index in 0..rows.len() {
        let mut less = rows.to_vec();
        less.remove(index);
        mutants.push(less);
        for need in [Need::Required, Need::Permitted, Need::LeftOut] {
            let mut other = rows.to_vec();
            if other[index].need != need {
                other[index].need = need;
                mutants.push(other);
            }
        }
        if index > 0 {
            let mut swapped = rows.to_vec();
            swapped.swap(index - 1, index);
            mutants.push(swapped);
        }
    }
    mutants
}

/// Whoever widens or narrows a built-in policy by one row fails a test: the one above.
#[test]
fn every_change_of_a_row_is_noticed() {
    let mut changes = 0;
    for policy in Policy::built_in() {
        let pinned = pinned(&policy);
        let mut check = |mutant: Policy| {
            changes += 1;
            assert!(departure(&mutant, &pinned).is_some(), "{mutant:?}");
        };
        for versions in mutants(&policy.versions) {
            let mut mutant = policy.clone();
            mutant.versions = versions;
            check(mutant);
        }
        for rows in mutants(&policy.suites) {
            let mut mutant = policy.clone();
            mutant.suites = rows;
            check(mutant);
        }
        for groups in mutants(&policy.groups) {
            let mut mutant = policy.clone();
            mutant.groups = groups;
            check(mutant);
        }
        for signatures in mutants(&policy.signatures) {
            let mut mutant = policy.clone();
            mutant.signatures = signatures;
            check(mutant);
        }
        let unnamed =
            suites::ALL.iter().filter(|s| policy.suites.iter().all(|r| r.what != s.suite));
        for row in unnamed {
            let mut wider = policy.clone();
            wider.suites.push(Row::permitted(row.suite, "a mutant"));
            check(wider);
        }
        for (index, row) in policy.suites.iter().enumerate().filter(|(_, r)| r.within.is_some()) {
            let mut wider = policy.clone();
            wider.suites[index] = Row::new(row.what, row.need, "a mutant");
            check(wider);
        }
    }
    assert!(changes > 2000, "{changes}");
}
