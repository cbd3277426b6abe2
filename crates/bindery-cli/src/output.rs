//! What a command prints: tables for people, JSON and YAML for scripts, octets as they are.

pub(crate) mod yaml;

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, TableStyle};
use serde_json::Value;

use crate::error::{Failure, Result, output_failed};

/// The form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table for people.
    #[default]
    Table,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// The octets of the answer.
    Raw,
    /// The octets of the answer in hexadecimal digits.
    Hex,
}

/// How to print: the options that every command has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Output {
    /// The form.
    pub(crate) format: Format,
    /// Whether key material is shown.
    pub(crate) show_secrets: bool,
    /// How much is told about the exchange: 0 nothing, 1 decoded messages, 2 octets too.
    pub(crate) verbose: u8,
}

/// The result of a command in all the forms that it has.
#[derive(Debug)]
pub(crate) struct Document {
    json: Value,
    text: String,
    octets: Option<Octets>,
}

#[derive(Debug)]
struct Octets {
    bytes: Vec<u8>,
    secret: bool,
}

impl Document {
    /// A result that is printed as `text` in the table form.
    pub(crate) fn new(json: Value, text: impl Into<String>) -> Self {
        Self { json, text: text.into(), octets: None }
    }

    /// The same with octets for the forms `raw` and `hex`; `secret` if key material is in them.
    #[must_use]
    pub(crate) fn with_octets(mut self, bytes: impl Into<Vec<u8>>, secret: bool) -> Self {
        self.octets = Some(Octets { bytes: bytes.into(), secret });
        self
    }

    /// Prints the result on standard output.
    ///
    /// # Errors
    /// The result has no octets, or secret ones that nobody asked to see; or writing failed.
    pub(crate) fn print(&self, output: &Output) -> Result<()> {
        let bytes = match output.format {
            Format::Table => with_newline(self.text.clone()).into_bytes(),
            Format::Json => format!("{:#}\n", self.json).into_bytes(),
            Format::Yaml => yaml::to_string(&self.json).into_bytes(),
            Format::Raw => self.octets(output)?.to_vec(),
            Format::Hex => format!("{}\n", hex(self.octets(output)?)).into_bytes(),
        };
        write_stdout(&bytes)
    }

    fn octets(&self, output: &Output) -> Result<&[u8]> {
        let Some(octets) = &self.octets else {
            return Err(Failure::usage("this result has no octets to print")
                .hint("use -o table, json or yaml"));
        };
        if octets.secret && !output.show_secrets {
            return Err(Failure::usage("the octets hold key material, which is not shown")
                .hint("add --show-secrets, and mind where the output goes"));
        }
        Ok(&octets.bytes)
    }
}

/// Writes octets to standard output.
///
/// A reader that has gone (`bindery decode FILE | head`) has seen what it wanted.
///
/// # Errors
/// Writing failed.
pub(crate) fn write_stdout(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(output_failed(&error)),
        _ => Ok(()),
    }
}

/// Writes a line to standard output, for what goes on while a command runs. Whoever does not read
/// it misses only that.
pub(crate) fn say(line: &str) {
    let _ = writeln!(anstream::stdout(), "{line}");
}

/// Writes a line to standard error: the place for everything that is not the result.
pub(crate) fn note(line: &str) {
    // Nothing can be told where standard error itself is gone.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Writes a warning to standard error.
pub(crate) fn warn(line: &str) {
    let style = anstyle::AnsiColor::Yellow.on_default().bold();
    note(&format!("{style}warning:{style:#} {line}"));
}

/// Rows of a name and a value, aligned.
pub(crate) fn pairs<N: AsRef<str>, V: AsRef<str>>(
    rows: impl IntoIterator<Item = (N, V)>,
) -> String {
    let rows: Vec<(N, V)> = rows.into_iter().collect();
    let width = rows.iter().map(|(name, _)| name.as_ref().chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in rows {
        let value = clean(value.as_ref());
        let line = format!("{:width$}  {value}", name.as_ref());
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A table with a heading, as wide as the terminal where there is one.
pub(crate) fn table<R>(heading: &[&str], rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item = String>,
{
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heading.iter().map(|name| name.to_uppercase()));
    for row in rows {
        table.add_row(row.into_iter().map(|cell| clean(&cell)));
    }
    let lines = table.lines().map(|line| line.trim().to_owned() + "\n");
    lines.collect()
}

/// Text from elsewhere made safe for a terminal: control characters are written as escapes.
pub(crate) fn clean(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The same for text of several lines, whose line breaks stay.
pub(crate) fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// Octets as lower-case hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        // Writing to a String does not fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// The octets of hexadecimal digits; `None` if the text is something else.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |sum, digit| sum << 4 | digit)).collect())
}

/// A word of a POSIX shell.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn with_newline(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_aligned_and_control_characters_are_written_out() {
        let text = pairs([("a", "one"), ("longer", "two\u{1b}[31m")]);
        assert_eq!(text, "a       one\nlonger  two\\u{1b}[31m\n");
    }

    #[test]
    fn a_table_has_a_heading_and_no_frame() {
        let rows = [["1".to_owned(), "alpha".to_owned()], ["20".to_owned(), "b".to_owned()]];
        assert_eq!(table(&["id", "name"], rows), "ID  NAME\n1   alpha\n20  b\n");
    }

    #[test]
    fn words_of_a_shell() {
        assert_eq!(shell_word("a/b.pem"), "a/b.pem");
        assert_eq!(shell_word("my file"), "'my file'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word("$(x)"), "'$(x)'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn secret_octets_are_printed_only_when_asked_for() {
        let document = Document::new(Value::Null, "").with_octets(vec![1, 2], true);
        let hidden = Output { format: Format::Hex, ..Output::default() };
        assert!(document.octets(&hidden).unwrap_err().hint.unwrap().contains("--show-secrets"));
        let shown = Output { show_secrets: true, ..hidden };
        assert_eq!(document.octets(&shown).unwrap(), [1, 2]);
    }
}
