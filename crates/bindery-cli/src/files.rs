//! Writing files whole.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// Puts octets in the place of a file, which only its owner may read; whole or not at all.
///
/// # Errors
/// The file or its directory cannot be written; the file is what it was.
pub(crate) fn replace(file: &Path, octets: &[u8]) -> io::Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(&name)
        .and_then(|mut new| new.write_all(octets).and_then(|()| new.sync_all()))
        .and_then(|()| fs::rename(&name, file))
}

/// Warns of a file with secrets that others than its owner can reach. A file that cannot be looked
/// at is told by who reads it.
#[cfg(unix)]
pub(crate) fn exposure(what: &str, file: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(file).ok()?.permissions().mode() & 0o7777;
    let file = file.display();
    (mode & 0o077 != 0).then(|| {
        format!(
            "the {what} {file} has mode {mode:04o}, open to others than its owner: chmod 600 {file}"
        )
    })
}

/// Nothing is known of it here.
#[cfg(not(unix))]
pub(crate) fn exposure(_: &str, _: &Path) -> Option<String> {
    None
}
