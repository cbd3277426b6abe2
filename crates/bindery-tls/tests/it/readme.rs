//! The table of policies in README.md is what the policies say.

use bindery_tls::{Backend as _, Need, Policy, Row};

use crate::support::backend;

/// Names of rows that are used somewhere, those that are required with a star.
fn names<T>(rows: &[Row<T>], name: impl Fn(&T) -> String) -> String {
    let used = rows.iter().filter(|row| row.need != Need::LeftOut);
    let names = used.map(|row| match row.need {
        Need::Required => format!("{}*", name(&row.what)),
        _ => name(&row.what),
    });
    names.collect::<Vec<_>>().join(", ")
}

fn table() -> String {
    let mut table = "| policy | versions | suites | clients' certificates | on rustls |\n\
                     | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for policy in Policy::built_in() {
        let plan = policy.resolve(&backend().capabilities());
        let rustls = match plan {
            Ok(plan) => format!("served, with {} suites", plan.suites.len()),
            Err(_) => "refused: required rows are missing".to_owned(),
        };
        let count = |need| policy.suites.iter().filter(|row| row.need == need).count();
        table += &format!(
            "| `{}` | {} | {} required, {} permitted | {} | {rustls} |\n",
            policy.name,
            names(&policy.versions, ToString::to_string),
            count(Need::Required),
            count(Need::Permitted),
            policy.client_auth,
        );
    }
    table
}

#[test]
fn the_table_of_policies_is_true() {
    let readme = include_str!("../../README.md");
    let table = table();
    assert!(readme.contains(&table), "README.md should have this table:\n\n{table}");
    for policy in Policy::built_in() {
        assert!(readme.contains(&format!("**`{}`**", policy.name)), "{}", policy.name);
    }
}
