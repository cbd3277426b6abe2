//! Tests of bindery-taxii-xml through its public API.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper of tests fails like a test")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

mod pieces;
mod query;
mod refused;
mod round_trip;
mod samples;
mod timestamps;
mod vectors;

use bindery_taxii_xml::{
    Dialect, Error, Message, Options, Progress, PushReader, Read, read, write,
};
use bindery_xml::{Event, Source};

/// The message in pieces of a size, put together.
fn pushed(
    bytes: &[u8],
    size: usize,
    options: &Options,
) -> Result<(Dialect, Message<'static>), Error> {
    let mut reader = PushReader::new(options);
    let mut read: Option<(Dialect, Message<'static>)> = None;
    let mut take = |reader: &mut PushReader| {
        loop {
            match reader.next_piece()? {
                Progress::Piece(Read::Head(head)) => read = Some((head.dialect, head.message)),
                Progress::Piece(Read::Block(block)) => {
                    read.as_mut().expect("the head comes first").1.blocks.push(*block);
                }
                Progress::Piece(Read::End(tail)) => {
                    read.as_mut().expect("the head comes first").1.signature = tail.signature;
                }
                _ => return Ok(()),
            }
        }
    };
    for piece in bytes.chunks(size) {
        reader.feed(piece);
        take(&mut reader)?;
    }
    reader.finish();
    take(&mut reader)?;
    Ok(read.expect("a document that ends well has a message"))
}

/// Names, attributes and text in one form: prefixes, white space between elements and the order of attributes do not
/// count.
fn canonical(bytes: &[u8]) -> Vec<String> {
    let source = Source::new(bytes);
    let mut reader = source.reader();
    let (mut out, mut text) = (Vec::new(), String::new());
    while let Some(event) = reader.next_event().expect("well-formed") {
        if !matches!(event, Event::Text(_) | Event::Cdata(_)) {
            let whole = std::mem::take(&mut text);
            if !whole.trim().is_empty() {
                out.push(format!("{whole:?}"));
            }
        }
        match event {
            Event::Start(start) => {
                let name = start.name();
                let mut attributes: Vec<_> = start
                    .attributes()
                    .map(|a| format!("{}|{}={:?}", a.name.namespace(), a.name.local(), a.value))
                    .collect();
                attributes.sort();
                out.push(format!("<{}|{} {attributes:?}>", name.namespace(), name.local()));
            }
            Event::End(name) => out.push(format!("</{}>", name.local())),
            Event::Text(piece) | Event::Cdata(piece) => text.push_str(piece),
            _ => {}
        }
    }
    out
}

/// Reads a message every way, writes it, and reads what was written: always the same message.
fn round_trip(bytes: &[u8], options: &Options) -> Vec<u8> {
    let source = Source::new(bytes);
    let (dialect, message) = read(&source, options).expect("a valid message");
    for size in [1, 7, 4096] {
        let (found, in_pieces) = pushed(bytes, size, options).expect("valid in pieces");
        assert_eq!((found, in_pieces.body), (dialect, message.body.clone()), "pieces of {size}");
        assert_eq!(in_pieces.blocks.len(), message.blocks.len());
    }
    let mut out = Vec::new();
    write(&message, dialect, &mut out).expect("what was read can be written");
    assert_eq!(canonical(&out), canonical(bytes), "{}", String::from_utf8_lossy(&out));
    let again = Source::new(&out);
    let (_, second) = read(&again, options).expect("what was written can be read");
    let mut twice = Vec::new();
    write(&second, dialect, &mut twice).expect("and written again");
    assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&out));
    out
}
