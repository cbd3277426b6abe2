//! The TAXII reader, its push form and the writer: what holds for any octets.

use bindery_taxii_xml::{
    DefaultQuery, DefaultQueryInfo, Dialect, Error, Message, MessageWriter, Options, Progress,
    PushReader, Read, Tolerances, read as read_message, write,
};
use bindery_xml::{Limits, Source};

/// Limits under which a finding is small, and which are reached.
const LIMITS: Limits = Limits::DEFAULT.with_depth(80).with_attributes(32).with_namespaces(32);

fn options(rules: bool) -> Options {
    let xml = bindery_xml::Options::STRICT.with_limits(LIMITS);
    Options { xml, blocks: 20, rules, tolerances: Tolerances::NONE }
}

type Whole<'a> = Result<(Dialect, Message<'a>), Error>;

/// The readers: none panics, the push form gives what the pull form gives wherever the pieces end, faults lie in the
/// document and have words, what the rules accept the schema accepts.
pub fn read(data: &[u8]) {
    let mut accepted = Vec::new();
    for rules in [true, false] {
        let options = options(rules);
        let source = Source::with_options(data, &options.xml);
        let found = read_message(&source, &options).map(|(d, message)| (d, message.into_owned()));
        // The sizes depend on the document, so that a finding repeats.
        for size in [1, 2 + data.len() % 7, 1 + data.len() / 2] {
            assert_eq!(pushed(data, size, &options), found, "pieces of {size}");
        }
        match &found {
            Ok((_, message)) => queries(message),
            Err(error) => {
                assert!(error.position().offset <= data.len() as u64, "it lies in the document");
                assert!(!error.to_string().is_empty());
            }
        }
        accepted.push(found.is_ok());
    }
    assert!(accepted != [true, false], "the schema accepts what schema and rules accept");
}

fn pushed(data: &[u8], size: usize, options: &Options) -> Whole<'static> {
    let mut reader = PushReader::new(options);
    let mut whole: Option<(Dialect, Message<'static>)> = None;
    for piece in data.chunks(size) {
        reader.feed(piece);
        take(&mut reader, &mut whole)?;
    }
    reader.finish();
    take(&mut reader, &mut whole)?;
    Ok(whole.expect("a document that ends well is a message"))
}

fn take(
    reader: &mut PushReader,
    whole: &mut Option<(Dialect, Message<'static>)>,
) -> Result<(), Error> {
    while let Progress::Piece(piece) = reader.next_piece()? {
        match (piece, whole.as_mut()) {
            (Read::Head(head), None) => *whole = Some((head.dialect, head.message)),
            (Read::Block(block), Some((_, message))) => message.blocks.push(*block),
            (Read::End(tail), Some((_, message))) => message.signature = tail.signature,
            (piece, _) => panic!("out of order: {piece:?}"),
        }
    }
    Ok(())
}

/// What a content block holds may be a query too: it is read, and written again where it is one.
fn queries(message: &Message<'_>) {
    for header in &message.extended_headers {
        if let Ok(query) = DefaultQuery::read(&header.value) {
            let written = query.to_query().expect("what was read can be written");
            assert_eq!(DefaultQuery::read(&written.inside).as_ref(), Ok(&query));
        }
        if let Ok(info) = DefaultQueryInfo::read(&header.value) {
            let written = info.to_query().expect("what was read can be written");
            assert_eq!(DefaultQueryInfo::read(&written.inside).as_ref(), Ok(&info));
        }
    }
}

/// A message that is read is written, whole and in pieces the same, and reads as the same message; written once more it
/// is the same octets.
pub fn read_write_read(data: &[u8]) {
    let options = options(true);
    let source = Source::with_options(data, &options.xml);
    let Ok((dialect, message)) = read_message(&source, &options) else { return };
    let mut first = Vec::new();
    write(&message, dialect, &mut first).expect("what was read can be written");
    let mut pieces = Vec::new();
    let mut writer = MessageWriter::new(dialect);
    writer.begin(&message, &mut pieces).expect("the head");
    for block in &message.blocks {
        writer.block(block, &mut pieces).expect("a block");
    }
    writer.end(message.signature.as_ref(), &mut pieces).expect("the end");
    assert_eq!(pieces, first, "whole and in pieces");

    let wide = Limits::DEFAULT.with_namespaces(usize::MAX).with_attributes(usize::MAX);
    let wide = bindery_xml::Options::STRICT.with_limits(wide);
    let again = Source::with_options(&first, &wide);
    let (found, second) = read_message(&again, &options).expect("what was written can be read");
    assert_eq!(found, dialect);
    assert_eq!(second.body.kind(), message.body.kind());
    assert_eq!(second.blocks.len(), message.blocks.len());
    for (a, b) in message.blocks.iter().zip(&second.blocks) {
        assert_eq!(a.binding, b.binding);
        assert_eq!(a.timestamp_label, b.timestamp_label);
    }
    let mut twice = Vec::new();
    write(&second, dialect, &mut twice).expect("and written again");
    assert_eq!(twice, first, "the same octets");
}
