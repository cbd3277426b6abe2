//! Running other programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::output::say;

/// The cargo that runs us, so that `cargo +toolchain xtask` stays on its toolchain.
pub(crate) fn cargo(root: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root);
    command
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program =
        Path::new(command.get_program()).file_name().unwrap_or_else(|| command.get_program());
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), quoted(value?))))
        .collect();
    words.push(program.to_string_lossy().into_owned());
    words.extend(command.get_args().map(quoted));
    words.join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Whether OpenSSL 3 can be built against here.
pub(crate) fn has_openssl() -> bool {
    let mut asked = Command::new("pkg-config");
    asked.args(["--exists", "openssl >= 3.0.0"]).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

/// Shows the command, runs it with our own standard streams, and fails when it fails.
///
/// # Errors
/// Says which command did not start, or its exit status and how to repeat it.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    say(format!("$ {}", shown(command)));
    let status =
        command.stdin(Stdio::null()).status().map_err(|e| format!("{}: {e}", shown(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{status}; to repeat it: {}", shown(command)))
    }
}

/// Runs the command and keeps what it writes; standard error goes into the error when it fails.
///
/// # Errors
/// As [`run`].
pub(crate) fn capture(command: &mut Command) -> Result<String, String> {
    let output = output(command)?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "{}; to repeat it: {}\n{}",
            output.status,
            shown(command),
            text.trim_end()
        ));
    }
    String::from_utf8(output.stdout).map_err(|e| format!("{}: {e}", shown(command)))
}

/// Runs the command and keeps both streams, whatever its exit status.
///
/// # Errors
/// The command does not start.
pub(crate) fn output(command: &mut Command) -> Result<Output, String> {
    command.stdin(Stdio::null()).output().map_err(|e| format!("{}: {e}", shown(command)))
}

/// Where a program stands on the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The commit of the work tree, with `-dirty` where files that git tracks are changed.
pub(crate) fn commit(root: &Path) -> Result<String, String> {
    let hash = capture(Command::new("git").arg("-C").arg(root).args(["rev-parse", "HEAD"]))?;
    let changed = capture(Command::new("git").arg("-C").arg(root).args([
        "status",
        "--porcelain",
        "--untracked-files=no",
    ]))?;
    Ok(format!("{}{}", hash.trim(), if changed.trim().is_empty() { "" } else { "-dirty" }))
}

#[cfg(test)]
mod tests {
    use super::{capture, run, shown};
    use std::process::Command;

    #[test]
    fn commands_are_shown_as_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["test", "-p", "a b"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(shown(&command), "RUSTDOCFLAGS='-D warnings' cargo test -p 'a b'");
    }

    #[test]
    fn failure_names_the_command() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert!(error.contains("exit status: 3") && error.ends_with("sh -c 'exit 3'"), "{error}");
        let error = capture(Command::new("sh").args(["-c", "echo why >&2; exit 1"])).unwrap_err();
        assert!(error.ends_with("\nwhy"), "{error}");
    }
}
