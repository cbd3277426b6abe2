//! XML documents by shape and size, and the bare event loops of quick-xml that ours stand beside.

use std::fmt::Write as _;

use bindery_xml::{Limits, Options, Progress, PushReader, Source, Tolerance};

/// What an ordinary document of our protocols looks like, and what an attacker's does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// A SyncML DM message of many Replace commands: short names, short texts, few attributes.
    Syncml,
    /// STIX as TAXII carries it: twenty namespaces, prefixed names, attributes, indented.
    Stix,
    /// One long text of base64.
    Text,
    /// Elements of 200 attributes whose names differ only at their end.
    Attributes,
    /// 200 declarations in scope, and names that use the outermost ones.
    Namespaces,
    /// Elements 250 deep, again and again.
    Depth,
    /// References and nothing else.
    References,
    /// Lines of a few characters that end with CR LF.
    Lines,
    /// Text full of what might end a CDATA section and does not.
    Brackets,
    /// Comments full of what might end them and does not.
    Comments,
    /// Empty-element tags.
    Empties,
}

impl Shape {
    /// Every shape: three ordinary ones, then the hostile ones.
    pub const ALL: [Self; 11] = [
        Self::Syncml,
        Self::Stix,
        Self::Text,
        Self::Attributes,
        Self::Namespaces,
        Self::Depth,
        Self::References,
        Self::Lines,
        Self::Brackets,
        Self::Comments,
        Self::Empties,
    ];

    /// The name in benchmarks' ids.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syncml => "syncml",
            Self::Stix => "stix",
            Self::Text => "text",
            Self::Attributes => "attributes",
            Self::Namespaces => "namespaces",
            Self::Depth => "depth",
            Self::References => "references",
            Self::Lines => "lines",
            Self::Brackets => "brackets",
            Self::Comments => "comments",
            Self::Empties => "empties",
        }
    }

    /// A document of this shape, at least so many octets long and not much longer.
    pub fn document(self, size: usize) -> String {
        let (mut out, piece, end) = match self {
            Self::Syncml => return syncml(size),
            Self::Stix => return stix(size),
            Self::Text => return format!("<a>{}</a>", "A1b2C3d4".repeat(size / 8 + 1)),
            Self::Attributes => ("<a>".to_owned(), attributes(), "</a>"),
            Self::Namespaces => {
                let declared: String = (0..200).fold(String::new(), |mut out, i| {
                    _ = write!(out, " xmlns:p{i}='urn:example:{i}'");
                    out
                });
                (format!("<a{declared}>"), "<p0:b p1:c='d'>x</p0:b>".to_owned(), "</a>")
            }
            Self::Depth => ("<a>".to_owned(), "<b>".repeat(250) + &"</b>".repeat(250), "</a>"),
            Self::References => ("<a>".to_owned(), "&amp;&#x41;&lt;".to_owned(), "</a>"),
            Self::Lines => ("<a>".to_owned(), "x y z\r\n".to_owned(), "</a>"),
            Self::Brackets => ("<a>".to_owned(), "]] > ]>".to_owned(), "</a>"),
            Self::Comments => ("<a>".to_owned(), "<!-- > -> - > ->-->x".to_owned(), "</a>"),
            Self::Empties => ("<a>".to_owned(), "<b/>".to_owned(), "</a>"),
        };
        while out.len() + end.len() < size {
            out.push_str(&piece);
        }
        out + end
    }
}

fn attributes() -> String {
    let mut out = String::from("<b");
    for i in 0..200 {
        _ = write!(out, " an-attribute-name-{i}=\"v\"");
    }
    out + "/>"
}

/// A DM message of Replace commands, as the peers were first measured with.
pub fn syncml(size: usize) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr>\
         <VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>\
         <Target><LocURI>http://127.0.0.1:8080/dm</LocURI></Target><Source><LocURI>IMEI:493005100592800\
         </LocURI></Source><Meta><MaxMsgSize xmlns=\"syncml:metinf\">2097152</MaxMsgSize></Meta>\
         </SyncHdr><SyncBody>",
    );
    let end = "<Final/></SyncBody></SyncML>\n";
    for i in 0.. {
        if out.len() + end.len() >= size {
            break;
        }
        replace(i, &mut out);
    }
    out + end
}

/// The same with this many commands.
pub fn syncml_items(count: usize) -> String {
    let empty = syncml(0);
    let (head, tail) = empty.split_at(empty.find("<Final/>").unwrap_or(empty.len()));
    let mut out = head.to_owned();
    for i in 0..count {
        replace(i, &mut out);
    }
    out + tail
}

fn replace(i: usize, out: &mut String) {
    _ = write!(
        out,
        "<Replace><CmdID>{}</CmdID><Item><Source><LocURI>./Vendor/Example/Node{i}/Setting</LocURI>\
         </Source><Meta><Format xmlns=\"syncml:metinf\">chr</Format><Type xmlns=\"syncml:metinf\">\
         text/plain</Type></Meta><Data>value-{i:06}</Data></Item></Replace>",
        i + 2
    );
}

fn stix(size: usize) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<stix:STIX_Package");
    let prefixes = ["stix", "cybox", "indicator", "ttp", "AddressObj", "stixCommon", "cyboxVocabs"];
    for prefix in prefixes {
        _ = write!(out, "\n    xmlns:{prefix}=\"http://example.org/schemas/{prefix}-1\"");
    }
    for i in 0..13 {
        _ = write!(out, "\n    xmlns:other{i}=\"http://example.org/other/{i}\"");
    }
    out.push_str(" id=\"example:package-1\" version=\"1.1.1\">\n");
    let end = "</stix:STIX_Package>\n";
    for i in 0.. {
        if out.len() + end.len() >= size {
            break;
        }
        _ = write!(
            out,
            "  <stix:Indicator id=\"example:indicator-{i:08x}\" timestamp=\"2014-05-08T09:00:00Z\">\n    \
             <indicator:Title>Traffic to a known address of a botnet &amp; its kin</indicator:Title>\n    \
             <indicator:Observable id=\"example:observable-{i:08x}\">\n      <cybox:Object>\n        \
             <cybox:Properties category=\"ipv4-addr\" condition=\"Equals\">\n          \
             <AddressObj:Address_Value apply_condition=\"ANY\">198.51.100.{}</AddressObj:Address_Value>\n        \
             </cybox:Properties>\n      </cybox:Object>\n    </indicator:Observable>\n  \
             </stix:Indicator>\n",
            i % 256
        );
    }
    out + end
}

/// How we read: limits that the shapes keep to.
pub fn options() -> Options {
    Options::STRICT
        .with_limits(Limits::DEFAULT.with_document_length(1 << 30))
        .with_tolerance(Tolerance::LENIENT)
}

/// Our pull reader from octets: how many events, or nothing for a faulty document.
pub fn pull(document: &[u8], options: &Options) -> Option<usize> {
    let source = Source::with_options(document, options);
    let mut reader = source.reader();
    let mut count = 0;
    while reader.next_event().ok()?.is_some() {
        count += 1;
    }
    Some(count)
}

/// Our push reader, in pieces of 16 KiB.
pub fn push(document: &[u8], options: &Options) -> Option<usize> {
    let mut reader = PushReader::with_options(options);
    let mut count = 0;
    for piece in document.chunks(16 << 10).map(Some).chain([None]) {
        match piece {
            Some(piece) => reader.feed(piece),
            None => reader.finish(),
        }
        loop {
            match reader.next_event().ok()? {
                Progress::Event(_) => count += 1,
                Progress::NeedInput => break,
                _ => return Some(count),
            }
        }
    }
    None
}

/// quick-xml's bare event loop: the end of each piece is found and end tags are compared; attributes, namespaces,
/// characters, references and limits are not looked at.
pub fn quick_xml(document: &[u8]) -> Option<usize> {
    let mut reader = quick_xml::Reader::from_reader(document);
    let mut count = 0;
    loop {
        match reader.read_event().ok()? {
            quick_xml::events::Event::Eof => return Some(count),
            _ => count += 1,
        }
    }
}

/// quick-xml doing more of what a codec needs: namespaces of elements and attributes, attributes taken apart and
/// duplicates among them found, line ends of texts normalised. References, characters and limits are not looked at.
pub fn quick_xml_checked(document: &[u8]) -> Option<usize> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::NsReader::from_reader(document);
    let mut count = 0;
    loop {
        let (_, event) = reader.read_resolved_event().ok()?;
        match event {
            Event::Eof => return Some(count),
            Event::Start(start) | Event::Empty(start) => {
                for attribute in start.attributes() {
                    let attribute = attribute.ok()?;
                    _ = reader.resolver().resolve_attribute(attribute.key);
                    std::hint::black_box(&attribute.value);
                }
            }
            Event::Text(text) => _ = std::hint::black_box(text.xml10_content()),
            _ => {}
        }
        count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Shape, options, pull, push, quick_xml, quick_xml_checked};

    /// What is timed is a whole document for every implementation.
    #[test]
    fn every_shape_is_read_by_all() {
        for shape in Shape::ALL {
            for size in [20_000, 100_000] {
                let document = shape.document(size);
                assert!((size..size + 8192).contains(&document.len()), "{shape:?}");
                let document = document.as_bytes();
                let pulled = pull(document, &options());
                assert!(pulled.is_some(), "{shape:?}");
                assert_eq!(pulled, push(document, &options()), "{shape:?}");
                assert!(quick_xml(document).is_some(), "{shape:?}");
                assert!(quick_xml_checked(document).is_some(), "{shape:?}");
            }
        }
    }
}
