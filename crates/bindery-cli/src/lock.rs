//! One server for one directory of data, and for one store.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
};

use crate::error::{Exit, Failure, Layer, Result};

/// The file of a directory that is locked. It stays when the server ends: the lock on it counts, not the
/// file, so one that a killed server left behind is in nobody's way.
const FILE: &str = "bindery.lock";
/// What the name of a store's file is followed by in that of its lock. SQLite's own locks on the store's
/// file would end with any other opening of it.
const BESIDE: &str = ".lock";
/// The most that is read of it, in octets: a process id is shorter.
const LONGEST_PID: u64 = 16;

/// The hold of this process on what only one server may have; the operating system ends it with the
/// process.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes hold of a directory that exists.
    ///
    /// # Errors
    /// Another process has hold of it, or its file system does not lock files.
    pub(crate) fn of_data(folder: &Path) -> Result<Self> {
        let hint = "stop it or choose another --data";
        Self::take(&folder.join(FILE), &format!("{}: data", folder.display()), hint)
    }

    /// Takes hold of a store, by a file beside it.
    ///
    /// # Errors
    /// Another server has hold of it, or its file system does not lock files.
    pub(crate) fn of_store(store: &Path) -> Result<Self> {
        let hint = "stop that server first; a store has one server, and the other commands of this \
                    program use it beside that";
        Self::take(&beside(store), &format!("{}: store", store.display()), hint)
    }

    fn take(path: &Path, what: &str, hint: &str) -> Result<Self> {
        let failed = |error: io::Error| {
            let message = format!("{}: cannot be locked: {error}", path.display());
            Failure::new(Exit::Start, Layer::Store, message)
                .hint("choose a directory on a local disk that can be written")
        };
        let mut options = OpenOptions::new();
        // Not truncated: until it is locked, what stands in it is another process's.
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(what, hint, holder(&file))),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0)
            .and_then(|()| file.write_all(format!("{}\n", process::id()).as_bytes()))
            .map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// The lock's file. Two names of one store come to the same.
fn beside(store: &Path) -> PathBuf {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty());
    let there = || {
        let folder = folder.unwrap_or_else(|| Path::new(".")).canonicalize().ok()?;
        Some(folder.join(store.file_name()?))
    };
    let whole = store.canonicalize().ok().or_else(there).unwrap_or_else(|| store.to_owned());
    let mut name = whole.into_os_string();
    name.push(BESIDE);
    name.into()
}

/// The process that a locked file names. There is none while its owner has not yet written it, and
/// where a lock keeps others from reading.
fn holder(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(LONGEST_PID).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn in_use(what: &str, hint: &str, pid: Option<u32>) -> Failure {
    let by = pid.map_or_else(|| "another process".to_owned(), |pid| format!("pid {pid}"));
    Failure::new(Exit::Start, Layer::Store, format!("{what} in use by {by}")).hint(hint)
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
        let held = Lock::of_data(folder.path()).unwrap();
        let refused = Lock::of_data(folder.path()).unwrap_err();
        assert_eq!(refused.exit, Exit::Start);
        let by = format!("data in use by pid {}", process::id());
        assert!(refused.message.ends_with(&by), "{refused}");
        drop(held);
        Lock::of_data(folder.path()).unwrap();
    }

    #[test]
    fn a_store_is_held_under_any_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("serve.db");
        // It is held before it is made.
        let held = Lock::of_store(&path).unwrap();
        fs::write(&path, "").unwrap();
        let by = format!(".db: store in use by pid {}", process::id());
        #[cfg(unix)]
        std::os::unix::fs::symlink(&path, folder.path().join("other.db")).unwrap();
        let names: &[&str] = if cfg!(unix) { &["serve.db", "other.db"] } else { &["serve.db"] };
        for name in names {
            let refused = Lock::of_store(&folder.path().join(name)).unwrap_err();
            assert_eq!(refused.exit, Exit::Start);
            assert!(refused.message.ends_with(&by), "{refused}");
        }
        drop(held);
        Lock::of_store(&path).unwrap();
    }

    #[test]
    fn a_holder_without_a_name_is_one_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join(FILE)).unwrap();
        file.lock().unwrap();
        let refused = Lock::of_data(folder.path()).unwrap_err();
        assert!(refused.message.ends_with("data in use by another process"), "{refused}");
    }
}
