//! `--dry-run` and `--curl`: what would be sent, without sending it.

use std::{fmt::Write, path::Path};

use bindery_transport::UpgradeMode;
use http::{Method, request::Parts};
use serde_json::{Map, Value, json};

use crate::{
    error::{Failure, Result},
    output::{self, Document, Output, shell_word, write_stdout},
    settings::Settings,
};

/// A message as it is shown.
#[derive(Debug)]
pub(crate) struct Shown {
    /// For people.
    pub(crate) text: String,
    /// For tools.
    pub(crate) json: Value,
    /// Whether the octets hold something that is hidden by default.
    pub(crate) secret: bool,
}

/// Prints a request: its head and decoded body, or a curl command that sends the same.
///
/// # Errors
/// It holds key material that nobody asked to see, or writing failed.
pub(crate) fn print(
    parts: &Parts,
    octets: &[u8],
    shown: &Shown,
    settings: &Settings,
    as_curl: bool,
    output: Output,
) -> Result<()> {
    if as_curl {
        if settings.upgrade != UpgradeMode::Never && settings.url.scheme_str() == Some("http") {
            return Err(Failure::usage("curl has no upgrade to TLS (RFC 2817)")
                .hint("--dry-run shows what would be sent; or name an https URL"));
        }
        if shown.secret && !output.show_secrets {
            return Err(Failure::usage("the request holds secrets, which are not shown")
                .hint("add --show-secrets, and mind where the output goes"));
        }
        return write_stdout(curl(parts, octets, settings).as_bytes());
    }
    let upgraded =
        settings.upgrade != UpgradeMode::Never && settings.url.scheme_str() == Some("http");
    if upgraded && settings.upgrade == UpgradeMode::Required {
        output::note(
            "before it, in clear and alone: OPTIONS * HTTP/1.1 with Upgrade: TLS/1.3, TLS/1.2 (RFC 2817); \
             the request goes within TLS",
        );
    } else if upgraded {
        output::note(
            "it goes in clear, with Upgrade: TLS/1.3, TLS/1.2 among its fields (RFC 2817)",
        );
    }
    let json = json!({
        "method": parts.method.as_str(),
        "url": parts.uri.to_string(),
        "headers": fields(parts, octets).into_iter().collect::<Map<_, _>>(),
        "body_octets": octets.len(),
        "body": shown.json,
    });
    let text = text(parts, octets, &shown.text);
    Document::new(json, text).with_octets(octets, shown.secret).print(&output)
}

/// The header fields, with those that the connection adds.
fn fields(parts: &Parts, octets: &[u8]) -> Vec<(String, Value)> {
    let host = parts.uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let mut fields = vec![("host".to_owned(), Value::from(host))];
    for (name, value) in &parts.headers {
        fields.push((name.to_string(), value.to_str().unwrap_or("(not text)").into()));
    }
    if !octets.is_empty() || parts.method != Method::GET {
        fields.push(("content-length".to_owned(), octets.len().to_string().into()));
    }
    fields
}

fn text(parts: &Parts, octets: &[u8], shown: &str) -> String {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut text = format!("{} {path} HTTP/1.1\n", parts.method);
    for (name, value) in fields(parts, octets) {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{name}: {}", value.as_str().unwrap_or_default());
    }
    text.push('\n');
    text.push_str(shown);
    text
}

/// A command for a POSIX shell: `printf` makes the octets, curl posts them.
fn curl(parts: &Parts, octets: &[u8], settings: &Settings) -> String {
    let mut body = String::with_capacity(octets.len() * 4);
    for octet in octets {
        let _ = write!(body, "\\{octet:03o}");
    }
    let mut command = match octets.is_empty() {
        true => "curl --silent --show-error".to_owned(),
        false => format!("printf '{body}' | curl --silent --show-error"),
    };
    let mut option = |name: &str, value: &str| {
        let _ = write!(command, " {name} {}", shell_word(value));
    };
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let files =
        [("--cacert", &settings.cacert), ("--cert", &settings.cert), ("--key", &settings.key)];
    for (name, file) in files {
        if let Some(file) = file {
            option(name, &path(file));
        }
    }
    // Curl asks for the password.
    if let Some((user, _)) = &settings.login {
        option("--user", user);
    }
    option("--max-time", &settings.timeout.duration().as_secs().max(1).to_string());
    for (name, value) in &parts.headers {
        option("--header", &format!("{name}: {}", value.to_str().unwrap_or_default()));
    }
    if let Some(proxy) = settings.proxy() {
        option("--proxy", &format!("http://{proxy}"));
    }
    if settings.insecure {
        command.push_str(" --insecure");
    }
    let url = shell_word(&parts.uri.to_string());
    let data = if octets.is_empty() { "" } else { " --data-binary @-" };
    let _ = writeln!(command, "{data} {url} | bindery decode");
    command
}
