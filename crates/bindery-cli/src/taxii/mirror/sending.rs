//! The file beside the cursor file that says what was sent last, while nobody knows whether it arrived.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    error::{Failure, Result},
    files,
};

/// Of each mirror with this cursor file: how many blocks behind its cursor were sent, the last message's included.
#[derive(Debug)]
pub(super) struct Sending {
    file: PathBuf,
    key: String,
    all: BTreeMap<String, u64>,
    /// What the run before had sent when it ended early.
    before: Option<u64>,
}

impl Sending {
    /// What the run before left, of a collection at an address.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub(super) fn of(cursors: &Path, address: &str, collection: &str) -> Result<Self> {
        let mut name = cursors.as_os_str().to_owned();
        name.push(".sending");
        let file = PathBuf::from(name);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(&file, &error)),
        };
        let line = |line: &str| {
            let (blocks, key) = line.split_once(' ')?;
            Some((key.to_owned(), blocks.parse().ok()?))
        };
        // What is none of its lines says nothing: then blocks may come twice, and none is missed.
        let all: BTreeMap<String, u64> = text.lines().filter_map(line).collect();
        let key = format!("{address} {collection}").replace(['\n', '\r'], " ");
        let before = all.get(&key).copied();
        Ok(Self { file, key, all, before })
    }

    /// How many blocks behind the cursor the run before had sent when it ended.
    pub(super) const fn before(&self) -> Option<u64> {
        self.before
    }

    /// Notes that so many blocks behind the cursor are being sent.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn begin(&mut self, blocks: u64) -> Result<()> {
        // What the run before came to is held on to until it is passed.
        let blocks = blocks.max(self.before.unwrap_or(0));
        if self.all.insert(self.key.clone(), blocks) == Some(blocks) {
            return Ok(());
        }
        self.write()
    }

    /// Notes that the cursor stands so many blocks further on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn noted(&mut self, blocks: u64) -> Result<()> {
        self.before = self.before.and_then(|before| before.checked_sub(blocks)).filter(|n| *n > 0);
        match self.before {
            None => Ok(()),
            Some(left) => {
                self.all.insert(self.key.clone(), left);
                self.write()
            }
        }
    }

    /// Notes that everything has arrived.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn is_over(&mut self) -> Result<()> {
        if self.all.remove(&self.key).is_none() {
            return Ok(());
        }
        if self.all.is_empty() {
            return fs::remove_file(&self.file).map_err(|error| failed(&self.file, &error));
        }
        self.write()
    }

    fn write(&self) -> Result<()> {
        let lines = self.all.iter().map(|(key, blocks)| format!("{blocks} {key}\n"));
        let text: String = lines.collect();
        files::replace(&self.file, text.as_bytes()).map_err(|error| failed(&self.file, &error))
    }
}

fn failed(file: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("the file {}: {error}", file.display()))
        .hint("name a cursor file in a directory that can be written")
}
