//! Reading piece by piece.

use bindery_taxii_xml::{Dialect, Options, Progress, PushReader, Read, Reader, write};
use bindery_xml::Source;

use crate::samples;

#[test]
fn the_head_comes_before_the_blocks_and_each_block_when_it_is_there() {
    let (_, message) = samples::all(Dialect::V1_1)
        .into_iter()
        .find(|(name, _)| name.ends_with("PollResponse"))
        .unwrap();
    let mut out = Vec::new();
    write(&message, Dialect::V1_1, &mut out).unwrap();

    let source = Source::new(&out);
    let mut reader = Reader::new(&source, &Options::STRICT);
    let mut kinds = Vec::new();
    while let Some(piece) = reader.next_piece().unwrap() {
        kinds.push(match piece {
            Read::Head(head) => format!("head {}", head.message.blocks.len()),
            Read::Block(block) => format!("block {}", block.binding.id),
            Read::End(tail) => format!("end {}", tail.signature.is_some()),
            _ => "other".to_owned(),
        });
    }
    assert_eq!(kinds, ["head 0", "block urn:stix.mitre.org:xml:1.1.1", "block urn:b", "end true"]);
    assert_eq!(reader.next_piece().unwrap(), None);

    // In pieces: what is complete is given at once.
    let first = String::from_utf8_lossy(&out).find("</taxii_11:Content_Block>").unwrap() + 25;
    let mut reader = PushReader::new(&Options::STRICT);
    reader.feed(&out[..first]);
    assert!(matches!(reader.next_piece().unwrap(), Progress::Piece(Read::Head(_))));
    assert!(matches!(reader.next_piece().unwrap(), Progress::Piece(Read::Block(_))));
    assert_eq!(reader.next_piece().unwrap(), Progress::NeedInput);
}

#[test]
fn blocks_before_a_fault_are_given_and_the_fault_stays() {
    let text = "<Inbox_Message xmlns='http://taxii.mitre.org/messages/taxii_xml_binding-1.1' message_id='1'>\
                <Content_Block><Content_Binding binding_id='b'/><Content/></Content_Block><x/></Inbox_Message>";
    let source = Source::new(text.as_bytes());
    let mut reader = Reader::new(&source, &Options::STRICT);
    assert!(matches!(reader.next_piece().unwrap(), Some(Read::Head(_))));
    assert!(matches!(reader.next_piece().unwrap(), Some(Read::Block(_))));
    let error = reader.next_piece().unwrap_err();
    assert_eq!(reader.next_piece().unwrap_err(), error);
}
