//! TAXII messages by kind and size, and what is done with them.

use std::fmt::Write as _;

use bindery_taxii_xml::{Dialect, Message, Options, Progress, PushReader, Read, read, write};
use bindery_xml::Source;

/// A message that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// A Discovery Response with five services.
    Discovery,
    /// An Inbox Message with 10 blocks of about 4 KB.
    Inbox10,
    /// An Inbox Message with 1,000 of them.
    Inbox1000,
    /// A Poll Response with 1,000 of them and their labels.
    Poll1000,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 4] = [Self::Discovery, Self::Inbox10, Self::Inbox1000, Self::Poll1000];

    /// The name in benchmarks' ids.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Inbox10 => "inbox_10",
            Self::Inbox1000 => "inbox_1000",
            Self::Poll1000 => "poll_1000",
        }
    }

    /// The message, as libtaxii's writer lays it out: prefixes on every name, indented by two blanks.
    pub fn message(self) -> String {
        match self {
            Self::Discovery => discovery(),
            Self::Inbox10 => framed("Inbox_Message message_id=\"1\"", 10, false),
            Self::Inbox1000 => framed("Inbox_Message message_id=\"1\"", 1_000, false),
            Self::Poll1000 => {
                let head = "Poll_Response message_id=\"1\" in_response_to=\"2\" collection_name=\"c\" more=\"false\"";
                framed(head, 1_000, true)
            }
        }
    }
}

const NAMESPACE: &str = "xmlns:taxii_11=\"http://taxii.mitre.org/messages/taxii_xml_binding-1.1\"";

fn discovery() -> String {
    let mut out = format!(
        "<taxii_11:Discovery_Response {NAMESPACE} message_id=\"1\" in_response_to=\"2\">\n"
    );
    for service in ["DISCOVERY", "POLL", "INBOX", "COLLECTION_MANAGEMENT", "POLL"] {
        _ = write!(
            out,
            "  <taxii_11:Service_Instance service_type=\"{service}\" available=\"true\" \
             service_version=\"urn:taxii.mitre.org:services:1.1\">\n    \
             <taxii_11:Protocol_Binding>urn:taxii.mitre.org:protocol:https:1.0</taxii_11:Protocol_Binding>\n    \
             <taxii_11:Address>https://taxii.example.com/services/{service}/</taxii_11:Address>\n    \
             <taxii_11:Message_Binding>urn:taxii.mitre.org:message:xml:1.1</taxii_11:Message_Binding>\n    \
             <taxii_11:Message>This is the {service} service.</taxii_11:Message>\n  \
             </taxii_11:Service_Instance>\n"
        );
    }
    out + "</taxii_11:Discovery_Response>\n"
}

fn framed(head: &str, blocks: usize, labels: bool) -> String {
    let name = head.split(' ').next().unwrap_or(head);
    let mut out = format!("<taxii_11:{head} {NAMESPACE}>\n");
    if labels {
        out.push_str("  <taxii_11:Inclusive_End_Timestamp>2014-05-01T00:00:00Z</taxii_11:Inclusive_End_Timestamp>\n");
    }
    for number in 0..blocks {
        block(&mut out, number, labels);
    }
    _ = writeln!(out, "</taxii_11:{name}>");
    out
}

/// A watchlist of 16 file hashes in STIX 1.1.1.
fn block(out: &mut String, number: usize, label: bool) {
    _ = write!(
        out,
        "  <taxii_11:Content_Block>\n    <taxii_11:Content_Binding binding_id=\"urn:stix.mitre.org:xml:1.1.1\"/>\n    \
         <taxii_11:Content><stix:STIX_Package xmlns:stix=\"http://stix.mitre.org/stix-1\" \
         xmlns:indicator=\"http://stix.mitre.org/Indicator-2\" xmlns:cybox=\"http://cybox.mitre.org/cybox-2\" \
         xmlns:FileObj=\"http://cybox.mitre.org/objects#FileObject-2\" xmlns:cyboxCommon=\"http://cybox.mitre.org/common-2\" \
         id=\"example:Package-{number:08}\" version=\"1.1.1\">\n"
    );
    for hash in 0..16 {
        _ = write!(
            out,
            "      <cybox:Object>\n        <cybox:Properties>\n          <FileObj:Hashes>\n            \
             <cyboxCommon:Simple_Hash_Value condition=\"Equals\">{number:016x}{hash:016x}</cyboxCommon:Simple_Hash_Value>\n          \
             </FileObj:Hashes>\n        </cybox:Properties>\n      </cybox:Object>\n"
        );
    }
    out.push_str("    </stix:STIX_Package></taxii_11:Content>\n");
    if label {
        _ = writeln!(
            out,
            "    <taxii_11:Timestamp_Label>2014-04-01T00:00:00.{number:06}Z</taxii_11:Timestamp_Label>"
        );
    }
    out.push_str("  </taxii_11:Content_Block>\n");
}

/// Reads a message whole, checked by schema and rules; how many blocks it has.
pub fn parse(octets: &[u8]) -> Option<usize> {
    let source = Source::new(octets);
    let (_, message) = read(&source, &Options::STRICT).ok()?;
    Some(message.blocks.len())
}

/// The same in pieces of 16 KiB, as they come from a connection.
pub fn push(octets: &[u8]) -> Option<usize> {
    let mut reader = PushReader::new(&Options::STRICT);
    let mut blocks = 0;
    let mut pieces = octets.chunks(16 << 10);
    loop {
        match reader.next_piece().ok()? {
            Progress::Piece(Read::Block(_)) => blocks += 1,
            Progress::Piece(_) => {}
            Progress::NeedInput => match pieces.next() {
                Some(piece) => reader.feed(piece),
                None => reader.finish(),
            },
            _ => return Some(blocks),
        }
    }
}

/// A message as types, for writing.
pub fn owned(octets: &[u8]) -> Option<Message<'static>> {
    let source = Source::new(octets);
    read(&source, &Options::STRICT).ok().map(|(_, message)| message.into_owned())
}

/// Writes a message into a buffer that is used again; how long it is.
pub fn serialize(message: &Message<'_>, out: &mut Vec<u8>) -> Option<usize> {
    out.clear();
    write(message, Dialect::V1_1, out).ok()?;
    Some(out.len())
}

/// quick-xml's bare event loop with every event written back: what the least writer does.
pub fn quick_xml_write(octets: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    out.clear();
    let mut reader = quick_xml::Reader::from_reader(octets);
    let mut writer = quick_xml::Writer::new(out);
    loop {
        match reader.read_event().ok()? {
            quick_xml::events::Event::Eof => break,
            event => writer.write_event(event).ok()?,
        }
    }
    Some(writer.into_inner().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_timed_does_its_work() {
        for (shape, blocks) in Shape::ALL.into_iter().zip([0, 10, 1_000, 1_000]) {
            let text = shape.message();
            assert_eq!(parse(text.as_bytes()), Some(blocks), "{}", shape.name());
            assert_eq!(push(text.as_bytes()), Some(blocks));
            let message = owned(text.as_bytes()).unwrap();
            let (mut out, mut peer) = (Vec::new(), Vec::new());
            serialize(&message, &mut out).unwrap();
            assert_eq!(owned(&out).unwrap().blocks.len(), blocks);
            assert_eq!(quick_xml_write(text.as_bytes(), &mut peer), Some(text.len()));
        }
    }
}
