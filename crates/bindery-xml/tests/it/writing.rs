//! What is written, and that it reads as it was meant.

use bindery_xml::{Event, Options, Reader, WriteError, Writer};
use proptest::prelude::*;

use crate::{ALL, events};

fn write(make: impl FnOnce(&mut Writer<'_>)) -> Result<String, WriteError> {
    let mut out = b"before".to_vec();
    let mut writer = Writer::new(&mut out);
    make(&mut writer);
    let done = writer.finish();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(done.is_err(), text == "before", "a faulty document leaves nothing");
    done.map(|()| text["before".len()..].to_owned())
}

#[test]
fn canonical_choices() {
    let text = write(|w| {
        w.declaration().doctype("a", Some("-//X//EN"), Some("u\"v"));
        w.comment(" c ").processing_instruction("p", "d").processing_instruction("q", "");
        w.start("a")
            .namespace("", "d")
            .namespace("p", "n")
            .attribute("p:b", "<>&\"'\t\n\r")
            .attribute("c", "");
        w.text("<>&\"'\t\n\r]]>")
            .cdata("a]]>b<&")
            .start("e")
            .end()
            .start("f")
            .content()
            .end()
            .element("g", "x")
            .text("");
        w.end().comment("z");
    });
    assert_eq!(
        text.unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE a PUBLIC \"-//X//EN\" 'u\"v'><!-- c --><?p d?><?q?>\
         <a xmlns=\"d\" xmlns:p=\"n\" p:b=\"&lt;>&amp;&quot;'&#x9;&#xA;&#xD;\" c=\"\">\
         &lt;&gt;&amp;\"'\t\n&#xD;]]&gt;<![CDATA[a]]]]><![CDATA[>b<&]]><e/><f></f><g>x</g></a><!--z-->"
    );
}

#[test]
fn indentation_adds_nothing_to_text() {
    let text = write(|_| ()).unwrap_err();
    assert_eq!(
        text.to_string(),
        "XML writer: the document has no element; send a document with one element around everything"
    );
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out).with_indent(2);
    writer.declaration().start("a").start("b").element("c", "1").comment("x").end();
    writer.start("d").text("t").start("e").end().end().start("f").end().end();
    writer.finish().unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>\n  <b>\n    <c>1</c>\n    <!--x-->\n  </b>\n  \
         <d>t<e/></d>\n  <f/>\n</a>"
    );
}

#[test]
fn faults_of_the_caller() {
    type Make = fn(&mut Writer<'_>);
    let cases: [(Make, &str); 27] = [
        (|w| _ = w.start("a b").end(), "expected a name"),
        (|w| _ = w.start("").end(), "expected a name"),
        (|w| _ = w.start("p:a").end(), "in the element p:a: the prefix p is not declared"),
        (|w| _ = w.start("a").attribute("p:b", "").text("x").end(), "the prefix p is not declared"),
        (
            |w| _ = w.start("a").attribute("b", "").attribute("b", "").end(),
            "the attribute b stands there twice",
        ),
        (
            |w| {
                w.start("a").namespace("p", "n").namespace("q", "n");
                w.attribute("p:b", "").attribute("q:b", "").end();
            },
            "the attribute q:b stands there twice",
        ),
        (
            |w| _ = w.start("a").namespace("p", "n").namespace("p", "n").end(),
            "the attribute xmlns:p stands there twice",
        ),
        (|w| _ = w.start("a").namespace("p", "").end(), "may not be declared"),
        (|w| _ = w.start("a").namespace("xml", "n").end(), "may not be declared"),
        (|w| _ = w.start("a").namespace("a:b", "n").end(), "expected a name"),
        (|w| _ = w.start("a").attribute("xmlns:p", "n").end(), "may not be declared"),
        (|w| _ = w.start("a").attribute("b", "\0").end(), "the character U+0000"),
        (|w| _ = w.start("a").text("\u{FFFE}").end(), "the character U+FFFE"),
        (
            |w| _ = w.start("a").text("x").attribute("b", "").end(),
            "an attribute may not stand here",
        ),
        (|w| _ = w.attribute("b", "").start("a").end(), "an attribute may not stand here"),
        (|w| _ = w.start("a").cdata("\r").end(), "the character U+000D"),
        (|w| _ = w.start("a").comment("a--b").end(), "-- in a comment"),
        (|w| _ = w.start("a").comment("a-").end(), "-- in a comment"),
        (|w| _ = w.start("a").processing_instruction("xml", "").end(), "reserved"),
        (|w| _ = w.start("a").processing_instruction("p", "?>").end(), "without ?>"),
        (|w| _ = w.start("a").declaration().end(), "the XML declaration may not stand here"),
        (|w| _ = w.start("a").end().doctype("a", None, None), "the DOCTYPE may not stand here"),
        (|w| _ = w.doctype("a", Some("x"), None).start("a").end(), "expected a system identifier"),
        (
            |w| _ = w.start("a").end().start("b").end(),
            "the element b stands behind the root element",
        ),
        (|w| _ = w.text("x").start("a").end(), "text outside the root element"),
        (|w| _ = w.start("a").end().end(), "ends no element"),
        (|w| _ = w.start("a").start("b").end(), "the document ends inside the element a"),
    ];
    for (make, expected) in cases {
        let error = write(make).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} is not {expected}");
    }
    assert!(write(|w| _ = w.start("a").comment("x").end()).is_ok());
}

/// A tree of what a document may hold.
#[derive(Clone, Debug)]
enum Node {
    Element(String, Vec<(String, String)>, Vec<Self>),
    Text(String),
    Cdata(String),
    Comment(String),
    Instruction(String),
}

fn text() -> impl Strategy<Value = String> {
    let characters = prop::sample::select(vec![
        'a',
        '<',
        '>',
        '&',
        '"',
        '\'',
        ']',
        '-',
        ' ',
        '\t',
        '\n',
        '\r',
        '\u{85}',
        '\u{E9}',
        '\u{2028}',
        '\u{FFFD}',
        '\u{1F600}',
        ';',
        '#',
        'x',
    ]);
    prop::collection::vec(characters, 1..12).prop_map(|list| list.into_iter().collect())
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        text().prop_map(Node::Text),
        text().prop_map(|t| Node::Cdata(t.replace('\r', ""))),
        text().prop_map(|t| Node::Comment(t.replace(['\r', '-'], ""))),
        text().prop_map(|t| Node::Instruction(t.replace(['\r', '>'], "").trim_start().to_owned())),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let name = "[a-z\u{E9}_][a-z0-9.-]{0,3}";
        let named = (name, any::<bool>()).prop_map(|(n, p)| if p { format!("p:{n}") } else { n });
        let attributes = prop::collection::btree_map(name, text(), 0..4);
        (named, attributes, prop::collection::vec(inner, 0..6)).prop_map(
            |(name, attributes, children)| {
                let attributes =
                    attributes.into_iter().filter(|(name, _)| name != "xmlns").collect();
                Node::Element(name, attributes, children)
            },
        )
    })
}

fn write_node(writer: &mut Writer<'_>, node: &Node) {
    match node {
        Node::Element(name, attributes, children) => {
            writer.start(name);
            for (name, value) in attributes {
                writer.attribute(name, value);
            }
            children.iter().for_each(|child| write_node(writer, child));
            writer.end();
        }
        Node::Text(text) => _ = writer.text(text),
        Node::Cdata(text) => _ = writer.cdata(text),
        Node::Comment(text) => _ = writer.comment(text),
        Node::Instruction(text) => _ = writer.processing_instruction("p", text),
    }
}

/// What a reader should give, neighbours of one kind joined.
fn expect(node: &Node, into: &mut Vec<String>) {
    match node {
        Node::Element(name, attributes, children) => {
            into.push(format!("start {name} {attributes:?}"));
            children.iter().for_each(|child| expect(child, into));
            into.push(format!("end {name}"));
        }
        Node::Text(text) => join("text ", text, into),
        Node::Cdata(text) => join("cdata ", text, into),
        Node::Comment(text) => into.push(format!("comment {text}")),
        Node::Instruction(text) => into.push(format!("instruction {text}")),
    }
}

fn join(kind: &str, text: &str, into: &mut Vec<String>) {
    match into.last_mut().filter(|last| last.starts_with(kind)) {
        Some(last) => last.push_str(text),
        None => into.push(format!("{kind}{text}")),
    }
}

fn read(text: &str) -> Vec<String> {
    let mut reader = Reader::with_options(text, &ALL);
    let mut found = Vec::new();
    while let Some(event) = reader.next_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
        match event {
            Event::Start(start) => {
                let attributes: Vec<_> = start
                    .attributes()
                    .map(|a| (a.name.qualified().to_owned(), a.value.to_owned()))
                    .collect();
                found.push(format!("start {} {attributes:?}", start.name()));
            }
            Event::End(name) => found.push(format!("end {name}")),
            Event::Text(text) => join("text ", text, &mut found),
            Event::Cdata(text) => join("cdata ", text, &mut found),
            Event::Comment(text) => found.push(format!("comment {text}")),
            Event::ProcessingInstruction(pi) => found.push(format!("instruction {}", pi.data)),
            other => panic!("{other:?} was not written"),
        }
    }
    found
}

proptest! {
    #[test]
    fn what_is_written_is_read(children in prop::collection::vec(node(), 0..5)) {
        let root = Node::Element("root".to_owned(), Vec::new(), children);
        let text = write(|w| {
            let Node::Element(name, _, children) = &root else { return };
            w.start(name).namespace("p", "urn:p");
            children.iter().for_each(|child| write_node(w, child));
            w.end();
        }).unwrap();
        let mut expected = Vec::new();
        expect(&root, &mut expected);
        prop_assert_eq!(read(&text), expected);

        // Events written again are the same document, and the second time the same bytes.
        let copy = |text: &str| write(|w| {
            let mut reader = Reader::with_options(text, &ALL);
            while let Some(event) = reader.next_event().unwrap() {
                w.event(&event);
            }
        }).unwrap();
        let once = copy(&text);
        prop_assert_eq!(&once, &text);
        prop_assert_eq!(events(&once, &ALL), events(&text, &ALL));
    }
}

#[test]
fn events_are_written_as_they_were_read() {
    let text =
        "<!DOCTYPE p:a SYSTEM 'x'><p:a xmlns:p='n' xmlns='' p:b='1'><c xmlns=\"m\"/>x<d></d></p:a>";
    let copy = write(|w| {
        let mut reader = Reader::with_options(text, &ALL);
        while let Some(event) = reader.next_event().unwrap() {
            w.event(&event);
        }
    });
    assert_eq!(
        copy.unwrap(),
        "<!DOCTYPE p:a SYSTEM \"x\"><p:a xmlns:p=\"n\" xmlns=\"\" p:b=\"1\"><c xmlns=\"m\"/>x<d></d></p:a>"
    );
    assert_eq!(Options::default(), Options::STRICT);
}
