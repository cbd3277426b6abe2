//! The XML reader, its push form, fragments and the writer: what holds for any octets.

use bindery_xml::{
    Error, Event, Fragment, Limits, Options, Progress, PushReader, Reader, Source, Tolerance,
    Writer,
};

/// Limits under which a finding is small, and which are reached.
const LIMITS: Limits = Limits::DEFAULT.with_depth(64).with_attributes(32).with_namespaces(32);

const STRICT: Options = Options::STRICT.with_limits(LIMITS);

/// Everything is an event, every tolerance is on.
const ALL: Options = Options::STRICT
    .with_limits(LIMITS)
    .with_tolerance(Tolerance::LENIENT)
    .with_comments(true)
    .with_processing_instructions(true);

/// The readers: none panics, the push form gives what the pull form gives wherever the pieces end, faults lie in the
/// document, lenient accepts what strict accepts.
pub fn read(data: &[u8]) {
    let mut accepted = Vec::new();
    for options in [&STRICT, &ALL] {
        let (events, fault) = pulled(data, options);
        // The sizes depend on the document, so that a finding repeats.
        for size in [1, 2 + data.len() % 7, 1 + data.len() / 2] {
            let found = pushed(data.chunks(size), options);
            assert_eq!(found, (events.clone(), fault.clone()), "pieces of {size}");
        }
        if let Some(error) = &fault {
            assert!(error.position().offset <= data.len() as u64, "a fault lies in the document");
            assert!(!error.to_string().is_empty());
        }
        accepted.push(fault.is_none());
    }
    assert!(accepted != [true, false], "lenient accepts what strict accepts");
}

/// A document that is read is written, and reads the same again; its elements can be moved into another one.
pub fn read_write_read(data: &[u8]) {
    let source = Source::with_options(data, &ALL);
    let mut reader = source.reader();
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    loop {
        match reader.next_event() {
            Ok(Some(event)) => _ = writer.event(&event),
            Ok(None) => break,
            Err(_) => return,
        }
    }
    writer.finish().expect("what was read can be written");
    let names = contents(&mut source.reader());
    let second = Source::with_options(&out, &WIDE);
    assert_eq!(contents(&mut second.reader()), names, "the same document");

    let mut reader = source.reader();
    let mut budget = 8;
    while let Ok(Some(event)) = reader.next_event() {
        if matches!(event, Event::Start(_)) && budget > 0 {
            budget -= 1;
            let fragment = reader.clone().subtree().expect("well-formed");
            moved(&fragment);
        }
    }
}

/// A fragment has the same names inside another document.
fn moved(fragment: &Fragment<'_>) {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    writer.start("outer").namespace("", "urn:outer").namespace("p", "urn:p").fragment(fragment);
    writer.end();
    writer.finish().expect("a fragment can be written anywhere");
    let inside = contents(&mut fragment.reader(&WIDE));
    let source = Source::with_options(&out, &WIDE);
    let outside = contents(&mut source.reader());
    assert_eq!(outside[1..outside.len() - 1], inside, "the same element");
}

/// Room for what writing adds.
const WIDE: Options = ALL.with_limits(
    LIMITS.with_depth(65).with_attributes(128).with_namespaces(128).with_name_length(8192),
);

/// The events by namespace and local name, without declarations, so that those may differ.
fn contents(reader: &mut Reader<'_>) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(event) = reader.next_event().expect("read before") {
        match event {
            Event::Declaration(_) => {}
            Event::Start(start) => {
                let attributes: Vec<_> = start
                    .attributes()
                    .map(|a| (a.name.namespace(), a.name.qualified(), a.value))
                    .collect();
                let empty = start.is_empty_tag();
                found.push(format!("{:?} {empty} {attributes:?}", start.name()));
            }
            other => found.push(format!("{other:?}")),
        }
    }
    found
}

type Outcome = (Vec<String>, Option<Error>);

fn pulled(data: &[u8], options: &Options) -> Outcome {
    let source = Source::with_options(data, options);
    let mut reader = source.reader();
    let mut events = Vec::new();
    loop {
        let event = match reader.next_event() {
            Ok(Some(event)) => format!("{event:?}"),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        };
        events.push(format!("{event} {} {:?}", reader.position(), reader.raw()));
    }
}

fn pushed<'p>(pieces: impl Iterator<Item = &'p [u8]>, options: &Options) -> Outcome {
    let mut reader = PushReader::with_options(options);
    let mut events = Vec::new();
    for piece in pieces.map(Some).chain([None]) {
        match piece {
            Some(piece) => reader.feed(piece),
            None => reader.finish(),
        }
        loop {
            let event = match reader.next_event() {
                Ok(Progress::Event(event)) => format!("{event:?}"),
                Ok(Progress::NeedInput) => break,
                Ok(_) => return (events, None),
                Err(error) => return (events, Some(error)),
            };
            events.push(format!("{event} {} {:?}", reader.position(), reader.raw()));
        }
    }
    panic!("a finished document needs no input");
}
