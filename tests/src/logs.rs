//! Everything that this process logs, at every level.
//!
//! One recording for the whole test binary: servers run on threads that a subscriber of one test would not see. A test
//! looks for what only it can have caused, such as the address of its own connection.

use std::{
    io::{self, Write},
    sync::{Mutex, Once, PoisonError},
};

use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

static RECORDED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Starts the recording, once for the process.
pub fn record() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(Recorder)
            .init();
        log::set_logger(&Recorder).expect("no other logger");
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// What was logged since the recording began, octet by octet.
#[must_use]
pub fn recorded() -> Vec<u8> {
    RECORDED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The lines that hold a text.
#[must_use]
pub fn lines_with(text: &str) -> Vec<String> {
    let recorded = recorded();
    let recorded = String::from_utf8_lossy(&recorded);
    recorded.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

struct Recorder;

impl Write for Recorder {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        RECORDED.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Recorder {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// rustls and others that do not know `tracing`.
impl log::Log for Recorder {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}: {}\n", record.level(), record.target(), record.args());
        RECORDED.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line.as_bytes());
    }

    fn flush(&self) {}
}
