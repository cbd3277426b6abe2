//! The tools, as processes: a document in by standard input, the result by standard output.

use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
};

use bindery_wbxml::Language;

/// What a tool has made, or what it says against the document.
type Made = Result<Vec<u8>, String>;

/// XML of WBXML, with white space kept.
///
/// # Errors
/// The tool does not run.
pub(super) fn wbxml2xml(document: &[u8], language: Option<&Language>) -> Result<Made, String> {
    let mut command = Command::new("wbxml2xml");
    command.args(["-m", "0", "-k", "-o", "-"]);
    if let Some(language) = language {
        command.args(["-l", &name(language)]);
    }
    pipe(command.arg("-"), document)
}

/// WBXML 1.3 of XML, with white space kept and no string table.
///
/// # Errors
/// As [`wbxml2xml`].
pub(super) fn xml2wbxml(document: &[u8]) -> Result<Made, String> {
    pipe(Command::new("xml2wbxml").args(["-n", "-k", "-o", "-", "-"]), document)
}

/// The tools' name of a language.
fn name(language: &Language) -> String {
    match language.id() {
        "ota-settings" => "OTA".to_owned(),
        "wv-csp11" => "CSP11".to_owned(),
        "wv-csp12" => "CSP12".to_owned(),
        id => id.to_uppercase().replace('-', ""),
    }
}

fn pipe(command: &mut Command, document: &[u8]) -> Result<Made, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |e: std::io::Error| format!("{program}: {e}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let mut input = child.stdin.take();
    // Written beside the reading: neither pipe can stop the other.
    let output = thread::scope(|scope| {
        scope.spawn(move || input.as_mut().map(|input| input.write_all(document)));
        child.wait_with_output()
    });
    let output = output.map_err(failed)?;
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ");
    // The exit status says nothing: the tools end with 0 or 1 by the version.
    Ok(if output.stdout.is_empty() { Err(format!("{program}: {said}")) } else { Ok(output.stdout) })
}
