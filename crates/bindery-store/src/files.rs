//! What the standard library lacks for files that must last.

use std::{io, path::Path};

/// Makes a new file's name last as well: without it, a power failure may take the name although
/// the content is on disk.
#[cfg(unix)]
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::File::open(directory)?.sync_all()
}

/// Other systems have no such call.
#[cfg(not(unix))]
pub(crate) fn sync_directory_of(_: &Path) -> io::Result<()> {
    Ok(())
}
