//! The push form is the pull form, wherever the pieces end.

use bindery_xml::{Event, Limits, Options, Progress, PushReader, Reader};
use proptest::prelude::*;

use crate::{ALL, pulled, pushed};

/// Documents and near-documents in many encodings.
fn documents() -> Vec<Vec<u8>> {
    let texts = [
        "<?xml version='1.0' encoding='UTF-8'?>\r\n<!DOCTYPE a SYSTEM 'x'>\r<a b='1\r\n2'>x\r\n\r\u{20AC}\u{1F600}&amp;\
         y<![CDATA[]]]]>]]><!-- - -> --><?p ?? d?><p:c xmlns:p='&#x75;' p:d='>'/></a>\r\n <!--e-->",
        "<a>]]&gt;]]></a>",
        "<a><!--- -- --></a>",
        "<a><!-></a>",
        "<a/><b/>",
        "<a/>\u{FEFF}",
        "\u{FEFF}<a b='\"' c=\"'>\">\u{FFFE}</a>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
        "<!DOCTYPE a [ <!--]>-->\r\n<?p ]> ?> ] ><a/>",
        "<a></a><?xml?>",
        "<?xml version='1.0' encoding='UTF-16'?><a>\u{E9}</a>",
        "<?xml",
        "<",
        "",
    ];
    let mut documents: Vec<Vec<u8>> = Vec::new();
    for text in texts {
        documents.push(text.as_bytes().to_vec());
        documents.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        documents.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    }
    documents.push(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9\r\n\xFF</a>".to_vec());
    documents.push(b"<?xml version='1.0' encoding='x'?><a/>".to_vec());
    documents.push(b"<a>\xE2\x82</a>".to_vec());
    documents.push(b"<a>\xE2\x82".to_vec());
    documents.push(b"\xFF\xFE<\0a\0>\0\x00\xD8<\0/\0".to_vec());
    documents.push(b"\xEF\xBB".to_vec());
    documents.push(format!("<?xml version='1.0'{}?><a/>", " ".repeat(1005)).into_bytes());
    documents.push(format!("<?xml version='1.0'{}", " ".repeat(1005)).into_bytes());
    documents
}

#[test]
fn every_split_in_two_and_byte_by_byte() {
    let short = Limits::DEFAULT.with_text_length(12).with_tag_length(25).with_document_length(90);
    for options in [ALL, Options::STRICT, ALL.with_limits(short)] {
        for document in documents() {
            let expected = pulled(&document, &options);
            for at in 0..=document.len() {
                let (first, second) = document.split_at(at);
                let found = pushed([first, second].into_iter(), &options);
                assert_eq!(found, expected, "{:?} at {at}", String::from_utf8_lossy(&document));
            }
            assert_eq!(pushed(document.chunks(1), &options), expected);
            assert_eq!(pushed(document.chunks(3), &options), expected);
        }
    }
}

/// Pieces of documents that meet in every order: most are malformed.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "<a>",
        "</a>",
        "<a/>",
        "<a b='c'",
        "/>",
        ">",
        "<",
        "</",
        "<!--",
        "-->",
        "--",
        "<![CDATA[",
        "]]>",
        "]",
        "<?p",
        "?>",
        "?",
        "<!DOCTYPE a",
        "[",
        "'",
        "\"",
        " ",
        "\r",
        "\n",
        "\r\n",
        "&",
        "&lt;",
        "&#x41;",
        "&#",
        ";",
        "\u{20AC}",
        "\u{1F600}",
        "x",
        "xmlns:p='n'",
        " p:b=''",
        "<p:a",
        "\u{FEFF}",
        "\0",
        "\u{FFFF}",
        "<?xml version='1.0'?>",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_anything(
        start in any::<bool>(),
        tail in soup(),
        noise in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        strict in any::<bool>(),
    ) {
        let mut document = if start { b"<a b=\"c\">".to_vec() } else { Vec::new() };
        document.extend(tail);
        if let (Some((at, byte)), false) = (noise, document.is_empty()) {
            let at = at.index(document.len());
            document[at] = byte;
        }
        let options = if strict { Options::STRICT } else { ALL };
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(document.len() + 1)).collect();
        cuts.extend([0, document.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &document[cut[0]..cut[1]]);
        prop_assert_eq!(pushed(pieces, &options), pulled(&document, &options));
        prop_assert_eq!(pushed(document.chunks(1), &options), pulled(&document, &options));
    }
}

#[test]
fn events_come_as_soon_as_they_are_complete() {
    let mut reader = PushReader::new();
    assert_eq!(reader.next_event(), Ok(Progress::NeedInput));
    reader.feed(b"<a>te");
    assert!(matches!(reader.next_event(), Ok(Progress::Event(Event::Start(_)))));
    assert_eq!(reader.next_event(), Ok(Progress::NeedInput));
    reader.feed(b"xt<");
    assert_eq!(reader.next_event(), Ok(Progress::Event(Event::Text("text"))));
    assert_eq!(reader.raw(), "text");
    assert_eq!(reader.next_event(), Ok(Progress::NeedInput));
    reader.feed(b"/a>");
    assert!(matches!(reader.next_event(), Ok(Progress::Event(Event::End(_)))));
    assert_eq!(reader.next_event(), Ok(Progress::NeedInput));
    reader.finish();
    assert_eq!(reader.next_event(), Ok(Progress::End));
    assert_eq!(reader.next_event(), Ok(Progress::End));
    reader.feed(b"<a/>");
    assert_eq!(reader.next_event(), Ok(Progress::End), "nothing follows the end");
}

#[test]
fn a_document_may_be_fed_at_once_and_read_later() {
    let mut text = "<a>".to_owned();
    for i in 0..1000 {
        text.push_str(&format!("<b>{i}</b>"));
    }
    text.push_str("</a>");
    let mut reader = PushReader::new();
    text.as_bytes().chunks(7).for_each(|piece| reader.feed(piece));
    reader.finish();
    let mut count = 0;
    while let Progress::Event(_) = reader.next_event().unwrap() {
        count += 1;
    }
    assert_eq!(count, 3002);
}

#[test]
fn subtrees_and_skipping_in_pieces() {
    let text = "<a xmlns='d' xmlns:p='n'><b>1</b><c xmlns:q='o'>\u{20AC}<c/><!-- x --><p:d/>\r\n</c ><e/></a>";
    let mut whole = Reader::new(text);
    for _ in 0..5 {
        whole.next_event().unwrap();
    }
    let expected = whole.subtree().unwrap();
    assert_eq!(expected.raw(), "<c xmlns:q='o'>\u{20AC}<c/><!-- x --><p:d/>\r\n</c >");
    for size in 1..text.len() {
        let mut pieces = text.as_bytes().chunks(size);
        let mut reader = PushReader::new();
        let mut feed = |reader: &mut PushReader| match pieces.next() {
            Some(piece) => reader.feed(piece),
            None => reader.finish(),
        };
        let mut kept = None;
        let mut after = Vec::new();
        loop {
            let local = match reader.next_event().unwrap() {
                Progress::Event(Event::Start(start)) => start.name().local().to_owned(),
                Progress::Event(_) => continue,
                Progress::NeedInput => {
                    feed(&mut reader);
                    continue;
                }
                _ => break,
            };
            match &*local {
                "b" => {
                    while !reader.skip_element().unwrap() {
                        feed(&mut reader);
                    }
                }
                "c" => {
                    kept = loop {
                        match reader.subtree().unwrap() {
                            Some(fragment) => break Some(fragment),
                            None => feed(&mut reader),
                        }
                    };
                }
                _ => after.push(local),
            }
        }
        assert_eq!(kept.as_ref(), Some(&expected), "pieces of {size}");
        assert_eq!(after, ["a", "e"]);
    }
}

#[test]
fn a_fault_ends_a_subtree() {
    let mut reader = PushReader::new();
    reader.feed(b"<a><b></a>");
    reader.next_event().unwrap();
    assert!(reader.subtree().is_err());
    assert!(reader.subtree().is_err());
    assert!(reader.next_event().is_err());
    let mut reader = PushReader::new();
    assert!(reader.subtree().is_err(), "there is no element yet");
}
