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
