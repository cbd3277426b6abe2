//! The requirement rows, `requirements/*.toml`: what each source asks of a client, a server or both.
//!
//! A test proves a row by naming it in a line of its doc comment, `/// proves: ID, ID`. `cargo xtask conformance` joins
//! rows and tests.

use std::path::Path;

use serde::Deserialize;

use crate::paths;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Requirement {
    /// The id that tests name, unique over all files.
    pub id: String,
    /// `client`, `server`, `both` or `proxy`.
    pub role: String,
    /// `must`, `must-not`, `should`, `should-not` or `may`.
    pub level: String,
    /// What is asked, in our words.
    pub text: String,
    /// The section of the source, where the file covers more than one.
    pub section: Option<String>,
    /// Ids of the rows that a claim of this one includes.
    #[serde(default)]
    pub needs: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    requirement: Vec<Requirement>,
}

/// The rows of one file, named without its ending (`kmip-https`), in the order written.
///
/// # Errors
/// The file cannot be read, or is not of the form; the text names it.
pub fn read(area: &str) -> Result<Vec<Requirement>, String> {
    let file = paths::tests().join("requirements").join(format!("{area}.toml"));
    let place = |e: &dyn std::fmt::Display| format!("{}: {e}", file.display());
    let text = std::fs::read_to_string(&file).map_err(|e| place(&e))?;
    let File { requirement } = toml::from_str(&text).map_err(|e| place(&e))?;
    Ok(requirement)
}

/// The names of all files of rows, sorted.
///
/// # Errors
/// The folder cannot be read.
pub fn areas() -> std::io::Result<Vec<String>> {
    let files = paths::files(&paths::tests().join("requirements"))?;
    let rows = files.iter().filter(|file| file.extension().is_some_and(|e| e == "toml"));
    Ok(rows
        .filter_map(|file| Some(Path::new(file).file_stem()?.to_string_lossy().into_owned()))
        .collect())
}
