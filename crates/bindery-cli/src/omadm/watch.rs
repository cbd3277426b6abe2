//! What goes on in a session: told while it runs (`-v`), and written down (`--capture`).

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use bindery_core::{Body, Delivery, Exchange};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};

use crate::{
    decode::{self, Entry},
    error::{Failure, Result},
    output::{self, Output},
    serve::now,
};

/// Who is told.
#[derive(Debug)]
pub(crate) struct Watch {
    output: Output,
    /// Where messages are told of.
    teller: fn(&str),
    capture: Option<Mutex<Capture>>,
}

/// A file that messages are written into.
#[derive(Debug)]
struct Capture {
    file: File,
    failed: Option<String>,
}

impl Watch {
    /// Tells of messages on standard error, as much as is asked for.
    pub(crate) const fn new(output: Output, teller: fn(&str)) -> Self {
        Self { output, teller, capture: None }
    }

    /// The same, and writes them into a file that only its owner may read: the octets of the messages
    /// have credentials and nonces. What stands beside them is hidden unless secrets are to be shown.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(super) fn with_capture(mut self, path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Failure::usage(format!("the capture {}: {error}", path.display()))
                .hint("name a file that can be written")
        };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        // A file that was there has the mode that it had; what is no file (a terminal, a pipe) keeps its own.
        #[cfg(unix)]
        if file.metadata().map_err(failed)?.is_file() {
            let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            file.set_permissions(owner_only).map_err(failed)?;
        }
        writeln!(file, "{}", Entry::FIRST).map_err(failed)?;
        if let Some(exposed) = crate::files::exposure("capture", path) {
            output::warn(&exposed);
        }
        self.capture = Some(Mutex::new(Capture { file, failed: None }));
        Ok(self)
    }

    /// Whether there is anything to do for it.
    fn is_idle(&self) -> bool {
        self.output.verbose == 0 && self.capture.is_none()
    }

    /// Tells whether everything was written down.
    ///
    /// # Errors
    /// It was not.
    pub(super) fn finish(&self) -> Result<()> {
        let Some(capture) = &self.capture else { return Ok(()) };
        let mut capture = capture.lock().unwrap_or_else(PoisonError::into_inner);
        match capture.failed.take() {
            Some(reason) => Err(Failure::usage(format!("the capture is not whole: {reason}"))
                .hint("the sessions are over; look for room on the disk")),
            None => Ok(()),
        }
    }

    fn message(&self, device: &str, from: &str, head: &str, fields: &HeaderMap, octets: &[u8]) {
        if self.output.verbose > 0 {
            let arrow = if from == "server" { '<' } else { '>' };
            let head = decode::shown_head(head, self.output.show_secrets);
            let mut told = format!("{arrow} {head}   {device}   {} octets", octets.len());
            if !octets.is_empty() {
                let shown = decode::shown_markup(octets, self.output.show_secrets);
                indent(&mut told, &shown.text);
                if self.output.verbose > 1 && (!shown.secret || self.output.show_secrets) {
                    indent(&mut told, &decode::dump_all(octets));
                } else if self.output.verbose > 1 {
                    indent(&mut told, "the octets hold credentials: --show-secrets shows them");
                }
            }
            (self.teller)(&output::clean_lines(&told));
        }
        if let Some(capture) = &self.capture {
            let fields = fields.iter().map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                (
                    name.to_string(),
                    decode::shown_field(name.as_str(), &value, self.output.show_secrets),
                )
            });
            let entry = Entry {
                at: super::time(now()),
                device: device.to_owned(),
                from: from.to_owned(),
                head: decode::shown_head(head, self.output.show_secrets),
                fields: fields.collect(),
                octets: output::hex(octets),
            };
            let mut capture = capture.lock().unwrap_or_else(PoisonError::into_inner);
            let line = serde_json::to_string(&entry).map_err(|error| error.to_string());
            let written = line.and_then(|line| {
                writeln!(capture.file, "{line}").map_err(|error| error.to_string())
            });
            if let Err(reason) = written {
                capture.failed.get_or_insert(reason);
            }
        }
    }
}

fn indent(told: &mut String, text: &str) {
    for line in text.lines() {
        told.push_str("\n  ");
        told.push_str(line);
    }
}

/// An exchange that is watched.
#[derive(Debug)]
pub(super) struct Watched<'w, E> {
    pub(super) inner: E,
    pub(super) watch: &'w Watch,
    pub(super) device: &'w str,
}

/// The octets of a body that is whole, which our own messages are and the answers to them.
fn look(body: Body, tell: impl FnOnce(&Bytes)) -> Body {
    match body.into_bytes() {
        Ok(octets) => {
            tell(&octets);
            octets.into()
        }
        Err(body) => body,
    }
}

impl<E: Exchange> Exchange for Watched<'_, E> {
    type Outcome = E::Outcome;

    fn poll_transmit(&mut self, now: Instant) -> Option<Request<Body>> {
        let request = self.inner.poll_transmit(now)?;
        if self.watch.is_idle() {
            return Some(request);
        }
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let head = format!("{} {path}", parts.method);
        let body = look(body, |octets| {
            self.watch.message(self.device, "device", &head, &parts.headers, octets);
        });
        Some(Request::from_parts(parts, body))
    }

    fn handle_response(&mut self, now: Instant, response: Response<Body>) {
        if self.watch.is_idle() {
            return self.inner.handle_response(now, response);
        }
        let (parts, body) = response.into_parts();
        let head = parts.status.to_string();
        let body = look(body, |octets| {
            self.watch.message(self.device, "server", &head, &parts.headers, octets);
        });
        self.inner.handle_response(now, Response::from_parts(parts, body));
    }

    fn handle_failure(&mut self, now: Instant, delivery: Delivery) {
        if self.watch.output.verbose > 0 {
            (self.watch.teller)(&format!("! no answer ({delivery:?})   {}", self.device));
        }
        self.inner.handle_failure(now, delivery);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.inner.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }

    fn poll_outcome(&mut self) -> Option<E::Outcome> {
        self.inner.poll_outcome()
    }
}
