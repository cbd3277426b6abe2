//! One server for one directory of data.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::Path,
    process,
};

use crate::error::{Exit, Failure, Layer, Result};

/// The file that is locked. It stays when the server ends: the lock on it counts, not the file, so
/// one that a killed server left behind is in nobody's way.
const FILE: &str = "bindery.lock";
/// The most that is read of it, in octets: a process id is shorter.
const LONGEST_PID: u64 = 16;

/// The hold of this process on a directory of data; the operating system ends it with the process.
#[derive(Debug)]
pub(super) struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes hold of a directory that exists.
    ///
    /// # Errors
    /// Another process has hold of it, or its file system does not lock files.
    pub(super) fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let failed = |error: io::Error| {
            let message = format!("{}: cannot lock the data: {error}", path.display());
            Failure::new(Exit::Start, Layer::Store, message)
                .hint("choose a --data directory on a local disk that can be written")
        };
        let mut options = OpenOptions::new();
        // Not truncated: until it is locked, what stands in it is another process's.
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(folder, holder(&file))),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0)
            .and_then(|()| file.write_all(format!("{}\n", process::id()).as_bytes()))
            .map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// The process that a locked file names. There is none while its owner has not yet written it, and
/// where a lock keeps others from reading.
fn holder(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(LONGEST_PID).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn in_use(folder: &Path, pid: Option<u32>) -> Failure {
    let by = pid.map_or_else(|| "another process".to_owned(), |pid| format!("pid {pid}"));
    let message = format!("{}: data in use by {by}", folder.display());
    Failure::new(Exit::Start, Layer::Store, message).hint("stop it or choose another --data")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_holds_a_directory_until_it_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        // What a process that was killed left behind, longer than what replaces it.
        fs::write(folder.path().join(FILE), "4294967295 and more\n").unwrap();
        let held = DataLock::take(folder.path()).unwrap();
        let refused = DataLock::take(folder.path()).unwrap_err();
        assert_eq!(refused.exit, Exit::Start);
        let by = format!("data in use by pid {}", process::id());
        assert!(refused.message.ends_with(&by), "{refused}");
        drop(held);
        DataLock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_holder_without_a_name_is_one_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join(FILE)).unwrap();
        file.lock().unwrap();
        let refused = DataLock::take(folder.path()).unwrap_err();
        assert!(refused.message.ends_with("data in use by another process"), "{refused}");
    }
}
