//! Reading a configuration file, and saying what is wrong with one.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use super::Config;
use crate::error::{Exit, Failure, Layer, Result};

/// The longest configuration file, in octets.
const LONGEST: u64 = 1 << 20;

/// A configuration and where it came from: paths in it are relative to its directory.
#[derive(Clone, Debug)]
pub(crate) struct Loaded<T = Config> {
    /// The file.
    pub(crate) file: PathBuf,
    /// What stands in it.
    pub(crate) value: T,
    /// The text; empty where there is no file.
    pub(crate) text: String,
}

impl<T: DeserializeOwned> Loaded<T> {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, or has keys or values that it should not have.
    pub(crate) fn from_file(file: &Path) -> Result<Self, Problems> {
        let text = read(file).map_err(|reason| {
            Problems::one(file, None, reason, "name another file, or make one: bindery config init")
        })?;
        Self::from_text(file, &text)
    }

    /// Reads TOML text as if it stood in `file`.
    pub(crate) fn from_text(file: &Path, text: &str) -> Result<Self, Problems> {
        match toml::from_str(text) {
            Ok(value) => Ok(Self { file: file.to_owned(), value, text: text.to_owned() }),
            Err(error) => Err(Problems::one(
                file,
                error.span().map(|span| place(text, &span)),
                error.message().replace('\n', " "),
                "see the documented file: bindery config init",
            )),
        }
    }
}

impl<T> Loaded<T> {
    /// A configuration that was made and not read; its paths are as if it stood in `file`.
    pub(crate) const fn made(file: PathBuf, value: T) -> Self {
        Self { file, value, text: String::new() }
    }

    /// A path of the file, which is relative to the file's directory.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        match self.file.parent() {
            Some(folder) if !path.is_absolute() => folder.join(path),
            _ => path.to_owned(),
        }
    }
}

fn read(file: &Path) -> Result<String, String> {
    let size = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > LONGEST {
        return Err(format!("the file has {size} octets; the limit is {LONGEST}"));
    }
    std::fs::read_to_string(file).map_err(|error| error.to_string())
}

/// `limits.idle (line 3, column 7)`: the key that stands there, as far as lines tell.
pub(crate) fn place(text: &str, span: &Range<usize>) -> String {
    let before = text.get(..span.start).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    let line = before.matches('\n').count() + 1;
    let column = before.get(begin..).unwrap_or_default().chars().count() + 1;
    let place = format!("line {line}, column {column}");
    let here = text.get(begin..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let table = |line: &str| {
        let name = line.trim().trim_start_matches('[').split(']').next();
        name.map(str::to_owned).filter(|name| !name.is_empty())
    };
    let is_table = |line: &&str| line.trim_start().starts_with('[');
    let key = here.split_once('=').map(|(key, _)| key.trim().to_owned());
    let above = before.lines().rev().find(is_table).and_then(table);
    let names = match key {
        _ if is_table(&here) => table(here).into_iter().collect::<Vec<_>>(),
        key => above.into_iter().chain(key).collect(),
    };
    if names.is_empty() { place } else { format!("{} ({place})", names.join(".")) }
}

/// What is wrong at one place of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The key, such as `listener.main.certificate`, or the line of a file that cannot be read.
    pub(crate) place: Option<String>,
    /// What is wrong.
    pub(crate) reason: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}; {}", self.reason, self.remedy)
    }
}

/// Everything that is wrong with a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problems {
    /// The file.
    pub(crate) file: PathBuf,
    /// Never empty.
    pub(crate) problems: Vec<Problem>,
}

impl Problems {
    /// One problem.
    fn one(file: &Path, place: Option<String>, reason: String, remedy: &str) -> Self {
        let problem = Problem { place, reason, remedy: remedy.to_owned() };
        Self { file: file.to_owned(), problems: vec![problem] }
    }

    /// The same problems with another remedy: of a file that is no configuration.
    #[must_use]
    pub(crate) fn with_remedy(mut self, remedy: &str) -> Self {
        for problem in &mut self.problems {
            remedy.clone_into(&mut problem.remedy);
        }
        self
    }

    /// The failure of a command that needs the configuration.
    pub(crate) fn into_failure(self, exit: Exit) -> Failure {
        let list: Vec<serde_json::Value> = self
            .problems
            .iter()
            .map(|problem| {
                serde_json::json!({
                    "file": self.file,
                    "key": problem.place,
                    "message": problem.reason,
                    "hint": problem.remedy,
                })
            })
            .collect();
        let hint = self.problems.first().map(|problem| problem.remedy.clone());
        let message = match self.problems.as_slice() {
            [problem] => {
                let place = problem.place.as_ref().map(|place| format!(": {place}"));
                let place = place.unwrap_or_default();
                format!("{}{place}: {}", self.file.display(), problem.reason)
            }
            problems => {
                let lines = problems.iter().map(|problem| format!("\n  {problem}"));
                let lines: String = lines.collect();
                format!("{}: {} problems:{lines}", self.file.display(), problems.len())
            }
        };
        let failure = Failure::new(exit, Layer::Config, message).detail("problems", list);
        match (hint, self.problems.len()) {
            (Some(hint), 1) => failure.hint(hint),
            _ => failure.hint("mend each of them; bindery config check FILE looks again"),
        }
    }
}
