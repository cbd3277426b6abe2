//! Contexts: client settings under a name, in a file.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    config::{ClientSettings, Loaded},
    error::{Exit, Failure, Layer, Result},
    settings::absolute,
};

/// Where `bindery dev` keeps its data unless told otherwise.
pub(crate) const DEV_DIRECTORY: &str = ".bindery-dev";
/// The file's name in that directory, and in the user's configuration directory.
pub(crate) const FILE_NAME: &str = "contexts.toml";

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ContextFile {
    /// The context that is taken when none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
    /// The contexts by name.
    pub(crate) context: BTreeMap<String, ClientSettings>,
}

/// A file of contexts that was found.
#[derive(Clone, Debug)]
pub(crate) struct Contexts(Loaded<ContextFile>);

impl Contexts {
    /// Reads the named file, or else the first that there is of `.bindery-dev/contexts.toml` here
    /// and the user's own; `None` if there is neither.
    ///
    /// # Errors
    /// The file cannot be read, or is another user's.
    pub(crate) fn find(file: Option<&Path>) -> Result<Option<Self>> {
        if let Some(file) = file {
            return Self::read(file).map(Some);
        }
        let here = Path::new(DEV_DIRECTORY).join(FILE_NAME);
        if here.is_file() {
            refuse_foreign(&here)?;
            return Self::read(&here).map(Some);
        }
        match user_file().filter(|file| file.is_file()) {
            Some(file) => Self::read(&file).map(Some),
            None => Ok(None),
        }
    }

    fn read(file: &Path) -> Result<Self> {
        let loaded = Loaded::from_file(file);
        loaded.map(Self).map_err(|problems| problems.into_failure(Exit::Usage))
    }

    /// The settings of a context, or of the file's default; empty settings where it has none.
    ///
    /// # Errors
    /// There is no such context.
    pub(crate) fn settings(&self, name: Option<&str>) -> Result<ClientSettings> {
        let Some(name) = name.or(self.0.value.default.as_deref()) else {
            return Ok(ClientSettings::default());
        };
        match self.0.value.context.get(name) {
            Some(settings) => Ok(absolute(&self.0, settings)),
            None => {
                let known: Vec<&str> = self.0.value.context.keys().map(String::as_str).collect();
                Err(unknown(name, &known))
            }
        }
    }
}

/// The failure of naming a context that is not there.
pub(crate) fn unknown(name: &str, known: &[&str]) -> Failure {
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Failure::new(
        Exit::Usage,
        Layer::Config,
        format!("there is no context \"{name}\"; known: {known}"),
    )
    .hint("run `bindery dev` for the context dev, or name the file with --context-file")
}

/// `bindery/contexts.toml` in the user's configuration directory (XDG Base Directory).
fn user_file() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = || set("HOME").map(|home| home.join(".config"));
    let folder = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(home)?;
    Some(folder.join("bindery").join(FILE_NAME))
}

/// A context is found by itself in the current directory, so whoever can put one there could send
/// our keys to a server of theirs.
#[cfg(unix)]
fn refuse_foreign(file: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;

    let metadata = std::fs::metadata(file)
        .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    let ours = rustix::process::geteuid().as_raw() == metadata.uid();
    let open_to_others = metadata.mode() & 0o022 != 0;
    if ours && !open_to_others {
        return Ok(());
    }
    let why = if ours { "can be written by others" } else { "belongs to another user" };
    Err(Failure::usage(format!("{} {why} and is not used by itself", file.display()))
        .hint("name it with --context-file if you trust it"))
}

#[cfg(not(unix))]
fn refuse_foreign(_file: &Path) -> Result<()> {
    Ok(())
}
