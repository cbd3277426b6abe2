//! What is shown of requests and answers: instead of sending them (`--dry-run`, `--curl`), and while they go (`-v`).

use std::{
    fmt::Write,
    sync::{Mutex, PoisonError},
};

use bindery_taxii::WatchCalls;
use http::{HeaderMap, request, response};

use crate::{
    args::client::ClientArgs,
    decode,
    error::Result,
    output::{self, Output},
    preview,
    settings::Settings,
};

/// The octets of a body that `-v` shows.
const SHOWN: usize = 64 << 10;

/// Shows requests and answers as much as is asked for.
#[derive(Debug)]
pub(super) struct Show {
    output: Output,
    settings: Settings,
    /// Whether nothing is sent; then, whether it is shown as a command of curl.
    instead: Option<bool>,
    /// What came of showing a request that is not sent.
    shown: Mutex<Option<Result<()>>>,
}

impl Show {
    /// As the options say.
    pub(super) fn new(args: &ClientArgs, settings: &Settings, output: Output) -> Self {
        let instead = (args.dry_run || args.curl).then_some(args.curl);
        Self { output, settings: settings.clone(), instead, shown: Mutex::new(None) }
    }

    /// Whether nothing is sent.
    pub(super) const fn sends_nothing(&self) -> bool {
        self.instead.is_some()
    }

    /// What came of showing a request, if one was not sent.
    pub(super) fn outcome(&self) -> Option<Result<()>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn tell(&self, head: &str, fields: &HeaderMap, octets: &[u8], length: u64) {
        let mut told = format!("{head}   {length} octets");
        if self.output.verbose > 1 {
            for (name, value) in fields {
                let value = String::from_utf8_lossy(value.as_bytes());
                let value = decode::shown_field(name.as_str(), &value, self.output.show_secrets);
                // Writing to a String does not fail.
                let _ = write!(told, "\n  {name}: {value}");
            }
        }
        if !octets.is_empty() {
            let shown = decode::shown_markup(octets, self.output.show_secrets);
            for line in shown.text.lines() {
                told.push_str("\n  ");
                told.push_str(line);
            }
        }
        output::note(&output::clean_lines(&told));
    }
}

impl WatchCalls for Show {
    fn request(&self, head: &request::Parts, body: &[u8]) -> bool {
        if let Some(as_curl) = self.instead {
            let shown = decode::shown_markup(body, self.output.show_secrets);
            let printed = preview::print(head, body, &shown, &self.settings, as_curl, self.output);
            *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(printed);
            return false;
        }
        if self.output.verbose > 0 {
            let line = format!("> {} {}", head.method, head.uri);
            let begun = body.get(..SHOWN).unwrap_or(body);
            self.tell(&line, &head.headers, begun, body.len() as u64);
        }
        true
    }

    fn answer(&self, head: &response::Parts, begun: &[u8], octets: u64) {
        if self.output.verbose > 0 {
            self.tell(&format!("< {}", head.status), &head.headers, begun, octets);
        }
    }
}
