//! What is written reads the same, for every kind of message in every dialect.

use std::fs;
use std::path::Path;

use bindery_taxii_xml::{Dialect, MessageWriter, Options, read, write};
use bindery_xml::Source;

use crate::{round_trip, samples};

#[test]
fn every_message_of_every_dialect_reads_back_equal() {
    // The interop step validates them against the schemas.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("taxii-samples");
    fs::create_dir_all(&folder).unwrap();
    for dialect in Dialect::ALL {
        let all = samples::all(dialect);
        assert!(all.len() > 20, "{dialect}");
        for (name, message) in all {
            let mut out = Vec::new();
            write(&message, dialect, &mut out).expect(&name);
            fs::write(folder.join(format!("{name}.xml")), &out).unwrap();
            let source = Source::new(&out);
            let (found, second) = read(&source, &Options::STRICT).expect(&name);
            assert_eq!(found, dialect);
            assert_eq!(
                (&second.id, &second.in_response_to),
                (&message.id, &message.in_response_to)
            );
            assert_eq!(second.blocks.len(), message.blocks.len(), "{name}");
            assert_eq!(second.signature.is_some(), message.signature.is_some(), "{name}");
            assert_eq!(second.extended_headers.len(), message.extended_headers.len());
            assert_eq!(second.header_elements.len(), message.header_elements.len());
            round_trip(&out, &Options::STRICT);
        }
    }
}

#[test]
fn signatures_stay_as_they_are() {
    let (_, message) = samples::all(Dialect::V1_1)
        .into_iter()
        .find(|(name, _)| name.ends_with("PollResponse"))
        .unwrap();
    let mut out = Vec::new();
    write(&message, Dialect::V1_1, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches(samples::SIGNATURE).count(), 2, "one of the message, one of a block");
}

#[test]
fn content_keeps_the_namespaces_that_it_needs_and_only_those() {
    let text = "<t:Inbox_Message xmlns:t='http://taxii.mitre.org/messages/taxii_xml_binding-1.1' \
                xmlns='urn:default' xmlns:s='urn:stix' xmlns:x='urn:xsi' xmlns:unused='urn:unused' \
                message_id='1'><t:Content_Block><t:Content_Binding binding_id='b'/>\
                <t:Content><s:P x:type='s:T'><inner/></s:P></t:Content></t:Content_Block></t:Inbox_Message>";
    let out = round_trip(text.as_bytes(), &Options::STRICT);
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("<s:P x:type='s:T'><inner/></s:P>"), "untouched: {out}");
    for declared in ["xmlns=\"urn:default\"", "xmlns:s=\"urn:stix\"", "xmlns:x=\"urn:xsi\""] {
        assert!(out.contains(declared), "{declared}: {out}");
    }
    assert!(!out.contains("unused"), "{out}");
}

#[test]
fn a_message_is_written_piece_by_piece_as_it_is_in_one() {
    for dialect in Dialect::ALL {
        for (name, message) in samples::all(dialect) {
            let (mut whole, mut sent) = (Vec::new(), Vec::new());
            write(&message, dialect, &mut whole).unwrap();
            let mut writer = MessageWriter::new(dialect);
            let mut piece = Vec::new();
            writer.begin(&message, &mut piece).unwrap();
            sent.append(&mut piece);
            for block in &message.blocks {
                writer.block(block, &mut piece).unwrap();
                sent.append(&mut piece);
            }
            writer.end(message.signature.as_ref(), &mut piece).unwrap();
            sent.append(&mut piece);
            assert_eq!(String::from_utf8(sent), String::from_utf8(whole), "{name}");
            assert!(writer.end(None, &mut piece).is_err(), "it has ended");
        }
    }
}

#[test]
fn texts_may_be_longer_than_ten_megabytes() {
    let text = "A".repeat(11 << 20);
    let message = format!(
        "<Inbox_Message xmlns='http://taxii.mitre.org/messages/taxii_xml_binding-1' message_id='1'>\
         <Content_Block><Content_Binding>b</Content_Binding><Content>{text}</Content></Content_Block>\
         </Inbox_Message>"
    );
    let source = Source::new(message.as_bytes());
    let (_, read) = read(&source, &Options::STRICT).unwrap();
    assert_eq!(read.blocks[0].content.as_text().unwrap(), text);
}
