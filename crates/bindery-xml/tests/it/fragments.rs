//! Elements that are kept untouched and written elsewhere.

use bindery_xml::{Event, Options, Reader, StructureFault, Writer};

/// The first element with this local name.
fn subtree<'a>(text: &'a str, local: &str) -> bindery_xml::Fragment<'a> {
    let mut reader = Reader::new(text);
    loop {
        let found = match reader.next_event().unwrap() {
            Some(Event::Start(start)) => start.name().local() == local,
            Some(_) => false,
            None => panic!("no {local}"),
        };
        if found {
            return reader.subtree().unwrap();
        }
    }
}

fn written(make: impl FnOnce(&mut Writer<'_>)) -> String {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    make(&mut writer);
    writer.finish().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn missing_declarations_are_added() {
    let text = "<t:m xmlns:t='taxii' xmlns:s='stix' xmlns:x='xsi'><t:Content><s:P x:type='s:T'/></t:Content></t:m>";
    let fragment = subtree(text, "P");
    assert_eq!(fragment.raw(), "<s:P x:type='s:T'/>");
    assert_eq!(fragment.scope().iter().count(), 3);
    // A prefix in an attribute's value counts too, so everything in scope comes along.
    assert_eq!(
        written(|w| {
            w.fragment(&fragment);
        }),
        "<s:P xmlns:s=\"stix\" xmlns:t=\"taxii\" xmlns:x=\"xsi\" x:type='s:T'/>"
    );
    assert_eq!(
        written(|w| {
            w.start("a").namespace("s", "stix").namespace("t", "other").namespace("x", "xsi");
            w.fragment(&fragment).end();
        }),
        "<a xmlns:s=\"stix\" xmlns:t=\"other\" xmlns:x=\"xsi\"><s:P xmlns:t=\"taxii\" x:type='s:T'/></a>"
    );
}

#[test]
fn its_own_declarations_and_the_default_namespace() {
    let text = "<a xmlns='d' xmlns:p='n'><b xmlns='e' p:x=''/></a>";
    let own = subtree(text, "b");
    let here = |fragment| {
        written(|w| {
            w.start("r").namespace("", "h").fragment(fragment).end();
        })
    };
    assert_eq!(here(&own), "<r xmlns=\"h\"><b xmlns:p=\"n\" xmlns='e' p:x=''/></r>");
    let none = subtree("<a><b>1</b></a>", "b");
    assert_eq!(here(&none), "<r xmlns=\"h\"><b xmlns=\"\">1</b></r>");
    let same = subtree("<a xmlns='h'><b>1</b></a>", "b");
    assert_eq!(here(&same), "<r xmlns=\"h\"><b>1</b></r>");
    let odd = subtree("<a xmlns:p='&quot;&lt;'><b/></a>", "b");
    assert_eq!(here(&odd), "<r xmlns=\"h\"><b xmlns=\"\" xmlns:p=\"&quot;&lt;\"/></r>");
}

#[test]
fn a_moved_element_has_the_same_names() {
    let text =
        "<a xmlns='d' xmlns:p='n'><p:b p:c='1' d='2'><e/><p:f xmlns:p='m'><p:g/></p:f></p:b></a>";
    let names = |reader: &mut Reader<'_>| {
        let mut names = Vec::new();
        while let Some(event) = reader.next_event().unwrap() {
            if let Event::Start(start) = event {
                let attributes: Vec<_> = start.attributes().collect();
                names.push(format!("{:?} {attributes:?}", start.name()));
            }
        }
        names
    };
    let fragment = subtree(text, "b").into_owned();
    let inside = names(&mut fragment.reader(&Options::STRICT));
    assert_eq!(inside.len(), 4);
    let moved = written(|w| {
        w.start("z:z").namespace("z", "z").namespace("p", "other").fragment(&fragment).end();
    });
    assert_eq!(names(&mut Reader::new(&moved))[1..], inside);
    let again = subtree(&moved, "b");
    assert_eq!(names(&mut again.reader(&Options::STRICT)), inside);
}

#[test]
fn an_element_that_is_not_well_formed_is_no_fragment() {
    for text in ["<a><b><c></b></a>", "<a><b>", "<a><b><p:c/></b></a>", "<a><b>&x;</b></a>"] {
        let mut reader = Reader::new(text);
        reader.next_event().unwrap();
        reader.next_event().unwrap();
        assert!(reader.subtree().is_err(), "{text}");
    }
}

#[test]
fn the_root_element_is_one() {
    let fragment = subtree("<?xml version='1.0'?><a><b/></a><!-- -->", "a");
    assert_eq!(fragment.raw(), "<a><b/></a>");
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    writer.declaration().fragment(&fragment).fragment(&fragment);
    let error = writer.finish().unwrap_err();
    let second = StructureFault::SecondRoot { found: "a".to_owned() };
    assert_eq!(error.kind(), &second.into());
}

#[test]
fn what_is_inside_moves_into_another_element() {
    let text = "<t:m xmlns:t='taxii' xmlns:s='stix' xmlns:u='unused'><t:C xmlns:x='xsi'>a &amp; <s:P x:t='s:T'/></t:C></t:m>";
    let inside = subtree(text, "C").into_inside();
    assert_eq!(inside.raw(), "a &amp; <s:P x:t='s:T'/>");
    assert_eq!(inside, subtree(text, "C").inside());
    assert_eq!(inside, subtree(text, "C").into_owned().into_inside());
    assert_eq!(inside.as_text(), None, "there is an element in it");
    // Only what is mentioned is declared, and what is in scope is not declared again.
    assert_eq!(
        written(|w| {
            w.start("a").namespace("s", "stix");
            w.start("b").inside(&inside).end().end();
        }),
        "<a xmlns:s=\"stix\"><b xmlns:x=\"xsi\">a &amp; <s:P x:t='s:T'/></b></a>"
    );
    // A default namespace here does not reach names without a prefix.
    let plain = subtree("<a><b>1<c/></b></a>", "b").into_inside();
    assert_eq!(
        written(|w| {
            w.start("p:a").namespace("p", "urn").namespace("", "urn");
            w.start("p:b").inside(&plain).end().end();
        }),
        "<p:a xmlns:p=\"urn\" xmlns=\"urn\"><p:b xmlns=\"\">1<c/></p:b></p:a>"
    );
    for (text, raw) in [("<a/>", ""), ("<a></a>", ""), ("<a x='</'>y</a >", "y")] {
        assert!(
            Reader::new(text).next_event().is_err() || subtree(text, "a").inside().raw() == raw
        );
    }
    let text = bindery_xml::Inside::text("a < & > b\r").unwrap();
    assert_eq!(text.raw(), "a &lt; &amp; &gt; b&#xD;");
    assert_eq!(text.as_text().unwrap(), "a < & > b\r");
    assert!(bindery_xml::Inside::text("\0").is_err());
}

#[test]
fn a_piece_is_written_with_the_declarations_around_it() {
    let scope = bindery_xml::Scope::EMPTY.with("t", "taxii").unwrap();
    let mut out = Vec::new();
    let mut writer = Writer::within(&mut out, &scope);
    writer.start("t:b").end();
    writer.finish().unwrap();
    assert_eq!(out, b"<t:b/>");
    let mut writer = Writer::within(&mut out, &scope);
    writer.start("u:b").end();
    assert!(writer.finish().is_err());
    assert_eq!(out, b"<t:b/>", "nothing is added");
}
