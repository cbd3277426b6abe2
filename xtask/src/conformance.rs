//! `cargo xtask conformance`: requirement rows joined to the tests that name them and that ran and passed.
//!
//! A row is `proved`, `open` (and names what it waits for) or `not-claimed` (with a reason). Nothing is cached: every
//! report runs the tests that it speaks of.

mod judge;
mod mutate;
pub(crate) mod rows;
pub(crate) mod run;
pub(crate) mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use self::judge::{Verdict, judge};
use self::rows::Area;
use crate::output::{Stopwatch, print, say, seconds, table};
use crate::workspace::Metadata;

/// What is asked for.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// An area: a file of tests/requirements without its ending, or a short name (kmip, http, omadm, taxii);
    /// all areas when none is given
    area: Option<String>,
    /// The form of the report
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
    /// Fail on any open row, also in areas that are not declared complete
    #[arg(long)]
    release: bool,
    /// Switch off one rule of tests/mutations.toml at a time instead: a test that names the rule's row must then fail
    #[arg(long, conflicts_with_all = ["release", "output", "packages"])]
    mutate: bool,
    /// Build what is on OpenSSL with an OpenSSL of its own (minutes): rows of SSL 3.0 are then proved too
    #[arg(long)]
    vendored: bool,
    /// Build and run only these packages' tests (for use while others do not compile); rows of others stay open
    #[arg(short, long = "package", value_name = "NAME")]
    packages: Vec<String>,
}

impl Options {
    /// What `--mutate` asks for, in all areas.
    pub(crate) fn mutations() -> Self {
        Self { mutate: true, ..Self::default() }
    }
}

/// The form of the report.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people
    #[default]
    Table,
    /// A list of objects with id, status, tests and reason
    Json,
}

/// Runs the tests that name rows of the area, and prints the report.
///
/// # Errors
/// A row's status is wrong, or open where it must not be; the tests do not build; there is no such area.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), String> {
    let watch = Stopwatch::start();
    let all = Area::all(root)?;
    let wanted = options.area.as_deref();
    let areas: Vec<&Area> =
        all.iter().filter(|area| wanted.is_none_or(|name| area.is_called(name))).collect();
    if areas.is_empty() {
        let names: Vec<String> = all.iter().map(Area::shown).collect();
        return Err(format!(
            "there is no area {}; there are: {}",
            wanted.unwrap_or_default(),
            names.join(", ")
        ));
    }
    let metadata = Metadata::members(root)?;
    let (named, _) = tests::named(root, &metadata)?;
    if options.mutate {
        return mutate::run(root, &metadata, &areas, &named);
    }
    // A row may need rows of another area, so those are run as well.
    let ids: BTreeSet<&str> =
        areas.iter().flat_map(|a| &a.rows).flat_map(rows::Row::concerned).collect();
    let chosen: Vec<&tests::Named> = named
        .iter()
        .filter(|named| named.test.proves.iter().any(|id| ids.contains(id.as_str())))
        .collect();
    let selection = run::Selection { packages: &options.packages, vendored: options.vendored };
    let outcomes = run::outcomes(root, &metadata, &chosen, &selection, None)?;
    let (verdicts, mut problems) = judge(&areas, &chosen, &outcomes);
    if options.release {
        let open = verdicts.iter().filter(|verdict| verdict.status == judge::Status::Open);
        problems.extend(open.map(|verdict| format!("{} is open: {}", verdict.id, verdict.reason)));
        problems.sort();
        problems.dedup();
    }
    match options.output {
        Form::Json => print(serde_json::to_string_pretty(&verdicts).map_err(|e| e.to_string())?)?,
        Form::Table => print(report(&areas, &verdicts))?,
    }
    for problem in &problems {
        say(format!("conformance: {problem}"));
    }
    say(format!("conformance: {}, in {}", summary(&verdicts), seconds(watch.elapsed())));
    if problems.is_empty() { Ok(()) } else { Err(repeat(options, problems.len())) }
}

fn repeat(options: &Options, problems: usize) -> String {
    let area = options.area.iter().map(|area| format!(" {area}")).collect::<String>();
    let release = if options.release { " --release" } else { "" };
    format!("conformance: {problems} wrong; to repeat it: cargo xtask conformance{area}{release}")
}

fn report(areas: &[&Area], verdicts: &[Verdict]) -> String {
    let mut out = Vec::new();
    for area in areas {
        let of_area: Vec<&Verdict> =
            area.rows.iter().filter_map(|r| verdicts.iter().find(|v| v.id == r.id)).collect();
        let rows: Vec<[String; 4]> = of_area
            .iter()
            .flat_map(|v| {
                let level = area
                    .rows
                    .iter()
                    .find(|row| row.id == v.id)
                    .map_or("", |row| row.level.as_str());
                let mut cells = [v.id.as_str(), level, v.status.shown()].map(str::to_owned);
                // A line for each test, the row's own cells on the first.
                v.detail().into_iter().map(move |detail| {
                    let [id, level, status] = std::mem::take(&mut cells);
                    [id, level, status, detail]
                })
            })
            .collect();
        out.push(format!(
            "{} ({})\n\n{}\n",
            area.title,
            area.shown(),
            table(["row", "level", "status", "by"], &rows)
        ));
        if area.status.scr {
            out.extend(["client", "server"].map(|role| static_conformance(area, &of_area, role)));
        }
    }
    out.push(summary(verdicts));
    out.join("\n")
}

/// What one side claims to support, in the form of a static conformance table.
fn static_conformance(area: &Area, verdicts: &[&Verdict], role: &str) -> String {
    let rows: Vec<[String; 4]> = area
        .rows
        .iter()
        .filter(|row| row.role == role)
        .filter_map(|row| Some((row, verdicts.iter().find(|verdict| verdict.id == row.id)?)))
        .map(|(row, verdict)| {
            let tests = verdict.tests.len();
            let (supported, by) = match verdict.status {
                judge::Status::Proved if tests == 1 => ("yes", "1 test".to_owned()),
                judge::Status::Proved => ("yes", format!("{tests} tests")),
                judge::Status::NotClaimed => ("no", verdict.reason.clone()),
                judge::Status::Open => ("open", verdict.reason.clone()),
            };
            [row.id.clone(), row.text.clone(), supported.to_owned(), by]
        })
        .collect();
    let yes = rows.iter().filter(|[_, _, supported, _]| supported == "yes").count();
    format!(
        "Static conformance of the {role}: {yes} of {} supported\n\n{}\n",
        rows.len(),
        table(["item", "function", "supported", "by"], &rows)
    )
}

fn summary(verdicts: &[Verdict]) -> String {
    let count = |status| verdicts.iter().filter(|verdict| verdict.status == status).count();
    format!(
        "{} rows: {} proved, {} open, {} not claimed",
        verdicts.len(),
        count(judge::Status::Proved),
        count(judge::Status::Open),
        count(judge::Status::NotClaimed)
    )
}
