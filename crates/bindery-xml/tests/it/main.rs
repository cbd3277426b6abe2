//! Tests of bindery-xml through its public API.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper of tests fails like a test")]

mod encodings;
mod fragments;
mod hostile;
mod malformed;
mod namespaces;
mod push;
mod reading;
mod writing;

use bindery_xml::{Error, Options, Progress, PushReader, Source, Tolerance};

/// Everything is an event, nothing is refused that a tolerance allows.
const ALL: Options = Options::STRICT
    .with_tolerance(Tolerance::LENIENT)
    .with_comments(true)
    .with_processing_instructions(true);

/// The events with their positions and pieces, and the fault that ends them.
fn pulled(bytes: &[u8], options: &Options) -> (Vec<String>, Option<Error>) {
    let source = Source::with_options(bytes, options);
    let mut reader = source.reader();
    let mut events = Vec::new();
    loop {
        let event = match reader.next_event() {
            Ok(Some(event)) => format!("{event:?}"),
            Ok(None) => return (events, None),
            Err(error) => {
                assert_eq!(reader.next_event(), Err(error.clone()), "a fault stays");
                return (events, Some(error));
            }
        };
        events.push(format!("{event} {} {:?}", reader.position(), reader.raw()));
    }
}

/// The same from a document that arrives in pieces.
fn pushed<'p>(
    pieces: impl Iterator<Item = &'p [u8]>,
    options: &Options,
) -> (Vec<String>, Option<Error>) {
    let mut reader = PushReader::with_options(options);
    let mut events = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        if let Some(end) = drain(&mut reader, &mut events) {
            assert!(end.is_err(), "nothing ends before it is said to end");
            return (events, end.err());
        }
    }
    reader.finish();
    let end = drain(&mut reader, &mut events).expect("a finished document needs no input");
    (events, end.err())
}

fn drain(reader: &mut PushReader, events: &mut Vec<String>) -> Option<Result<(), Error>> {
    loop {
        let event = match reader.next_event() {
            Ok(Progress::Event(event)) => format!("{event:?}"),
            Ok(Progress::NeedInput) => return None,
            Ok(_) => return Some(Ok(())),
            Err(error) => {
                assert_eq!(reader.next_event(), Err(error.clone()), "a fault stays");
                return Some(Err(error));
            }
        };
        events.push(format!("{event} {} {:?}", reader.position(), reader.raw()));
    }
}

/// The events without their places.
fn events(text: &str, options: &Options) -> Vec<String> {
    let source = Source::with_options(text.as_bytes(), options);
    let mut reader = source.reader();
    let mut events = Vec::new();
    while let Some(event) = reader.next_event().unwrap_or_else(|error| panic!("{error}")) {
        events.push(format!("{event:?}"));
    }
    events
}

/// The fault of a document, in words.
fn fault(document: impl AsRef<[u8]>, options: &Options) -> String {
    let (_, error) = pulled(document.as_ref(), options);
    error.unwrap_or_else(|| panic!("read without a fault")).to_string()
}
