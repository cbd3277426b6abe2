//! What the standard library lacks for files that must last.

use std::{fs::File, io, path::Path};

/// Makes a new file that only its owner may read; refuses where one exists.
pub(crate) fn create_own(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a new file's name last as well: without it, a power failure may take the name although
/// the content is on disk.
#[cfg(unix)]
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

/// Other systems have no such call.
#[cfg(not(unix))]
pub(crate) fn sync_directory_of(_: &Path) -> io::Result<()> {
    Ok(())
}
