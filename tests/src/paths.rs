//! Where the checked-in data of the tests stands.

use std::path::{Path, PathBuf};

/// The folder of this crate, `tests/`.
#[must_use]
pub fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The root of the workspace.
#[must_use]
pub fn root() -> &'static Path {
    tests().parent().unwrap_or_else(tests)
}

/// The seeds and past findings of a fuzz target.
#[must_use]
pub fn corpus(target: &str) -> PathBuf {
    root().join("fuzz/corpus").join(target)
}

/// Vectors made by others, which are not part of the project: the folder that the environment variable
/// `BINDERY_VECTORS` names. `None` where it names none; a test that needs them says so and passes.
#[must_use]
pub fn vectors() -> Option<PathBuf> {
    std::env::var_os("BINDERY_VECTORS").map(PathBuf::from).filter(|folder| folder.is_dir())
}

/// The files of a folder, sorted by name.
///
/// # Errors
/// The folder cannot be read.
pub fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
