//! What well-formed documents consist of.

use bindery_xml::{ErrorKind, Event, Options, Position, Reader, SchemaFault, Source};

use crate::{ALL, events};

#[test]
fn every_kind_of_event() {
    let text = "<?xml version=\"1.0\" encoding='UTF-8' standalone=\"yes\" ?>\n\
        <!DOCTYPE SyncML PUBLIC '-//SYNCML//DTD SyncML 1.2//EN' \"http://www.openmobilealliance.org/a>b.dtd\" >\n\
        <!-- before --><?go fast?>\n\
        <a x='1'>t<b/><![CDATA[<&]]><!---->e<?p?></a >\n<!--after-->\n";
    assert_eq!(
        events(text, &ALL),
        [
            r#"Declaration(Declaration { version: "1.0", encoding: Some("UTF-8"), standalone: Some(true) })"#,
            "Doctype(Doctype { name: \"SyncML\", public_id: Some(\"-//SYNCML//DTD SyncML 1.2//EN\"), \
             system_id: Some(\"http://www.openmobilealliance.org/a>b.dtd\") })",
            r#"Comment(" before ")"#,
            r#"ProcessingInstruction(ProcessingInstruction { target: "go", data: "fast" })"#,
            r#"Start(Start { name: a, empty_tag: false, declarations: [], attributes: [Attribute { name: x, value: "1" }] })"#,
            r#"Text("t")"#,
            "Start(Start { name: b, empty_tag: true, declarations: [], attributes: [] })",
            "End(b)",
            r#"Cdata("<&")"#,
            r#"Comment("")"#,
            r#"Text("e")"#,
            r#"ProcessingInstruction(ProcessingInstruction { target: "p", data: "" })"#,
            "End(a)",
            r#"Comment("after")"#,
        ]
    );
}

#[test]
fn doctypes_without_an_internal_subset_or_with_one_that_declares_nothing() {
    for (text, expected) in [
        ("<!DOCTYPE a>", r#"name: "a", public_id: None, system_id: None"#),
        ("<!DOCTYPE\ta\n>", r#"name: "a", public_id: None, system_id: None"#),
        ("<!DOCTYPE a SYSTEM '['>", r#"name: "a", public_id: None, system_id: Some("[")"#),
        ("<!DOCTYPE x:a SYSTEM\n''  >", r#"name: "x:a", public_id: None, system_id: Some("")"#),
        ("<!DOCTYPE a[]>", r#"name: "a", public_id: None, system_id: None"#),
        (
            "<!DOCTYPE a SYSTEM 's' [ <!--]>'\"<?-->\n<?p ]> <!--?><!----> ] >",
            r#"name: "a", public_id: None, system_id: Some("s")"#,
        ),
    ] {
        let found = events(&format!("{text}<a/>"), &ALL);
        assert_eq!(found[0], format!("Doctype(Doctype {{ {expected} }})"));
    }
}

#[test]
fn comments_and_instructions_are_skipped_unless_asked_for() {
    let text = "<?p?><a>x<!--c-->y<?p q?></a><!--c-->";
    let found = events(text, &Options::STRICT);
    assert_eq!(found[1..], [r#"Text("x")"#, r#"Text("y")"#, "End(a)"]);
}

#[test]
fn references_and_line_ends() {
    for (text, expected) in [
        ("&lt;&gt;&amp;&apos;&quot;", "<>&'\""),
        ("a&#65;&#x42;&#x1F600;&#0067;z", "aAB\u{1F600}Cz"),
        ("a\r\nb\rc\n\r\n\rd", "a\nb\nc\n\n\nd"),
        ("&#13;&#xD;\r", "\r\r\n"),
        ("]] > ]&gt;]>", "]] > ]>]>"),
        ("\u{FEFF}\u{7F}\u{85}\u{FFFD}\u{10FFFF}", "\u{FEFF}\u{7F}\u{85}\u{FFFD}\u{10FFFF}"),
    ] {
        let found = events(&format!("<a>{text}</a>"), &ALL);
        assert_eq!(found[1], format!("Text({expected:?})"), "{text}");
    }
    let found = events("<a><![CDATA[&amp;\r\n]] >]]]]></a>", &ALL);
    assert_eq!(found[1], r#"Cdata("&amp;\n]] >]]")"#);
    let found = events("<a><!--\r--><?p a\r\nb ?></a>", &ALL);
    assert_eq!(found[1], r#"Comment("\n")"#);
    assert_eq!(
        found[2],
        r#"ProcessingInstruction(ProcessingInstruction { target: "p", data: "a\nb " })"#
    );
}

#[test]
fn attribute_values_are_normalised() {
    let text = "<a  b = 'x\ty\r\nz\rw\n'\n c=\"'&#9;&#10;&#13;&lt;>\" />";
    let mut reader = Reader::new(text);
    let Some(Event::Start(start)) = reader.next_event().unwrap() else { panic!("no start") };
    assert_eq!(start.attribute("", "b"), Some("x y z w "));
    assert_eq!(start.attribute("", "c"), Some("'\t\n\r<>"));
    assert_eq!(start.attribute("", "d"), None);
    assert_eq!(start.raw(), text);
    assert!(start.is_empty_tag());
}

#[test]
fn unreplaced_text_is_borrowed_from_the_document() {
    let document = b"<a b='value'>text</a>".to_vec();
    let memory = document.as_ptr_range();
    let source = Source::new(&document);
    assert!(source.is_borrowed());
    let mut reader = source.reader();
    let Some(Event::Start(start)) = reader.next_event().unwrap() else { panic!("no start") };
    assert!(memory.contains(&start.attribute("", "b").unwrap().as_ptr()));
    let Some(Event::Text(text)) = reader.next_event().unwrap() else { panic!("no text") };
    assert!(memory.contains(&text.as_ptr()));
}

#[test]
fn text_of_an_element() {
    for (text, expected) in [
        ("<a/>", Ok("")),
        ("<a></a>", Ok("")),
        ("<a>x</a>", Ok("x")),
        ("<a>x<![CDATA[&]]><!-- c -->&amp;y</a>", Ok("x&&y")),
        ("<a>x<b/></a>", Err("expected text only, found the element b")),
    ] {
        let mut reader = Reader::new(text);
        reader.next_event().unwrap();
        match (reader.text(), expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(found, expected);
                assert_eq!(reader.depth(), 0);
                assert_eq!(reader.next_event().unwrap(), None);
            }
            (Err(found), Err(expected)) => assert_eq!(found.kind().to_string(), expected),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}

#[test]
fn positions_count_lines_columns_and_offsets() {
    let text = "<a>\r\n\u{E9}<b\n/>\r\r<c/>\n</a>";
    let mut reader = Reader::with_options(text, &ALL);
    let mut places = Vec::new();
    while reader.next_event().unwrap().is_some() {
        let place = reader.position();
        assert_eq!(reader.position(), place, "asking twice changes nothing");
        places.push((place.line, place.column, place.offset));
    }
    let expected = [
        (1, 1, 0),
        (1, 4, 3),
        (2, 2, 7),
        (3, 3, 12),
        (3, 3, 12),
        (5, 1, 14),
        (5, 5, 18),
        (5, 5, 18),
        (6, 1, 19),
    ];
    assert_eq!(places[..2], expected[..2]);
    assert_eq!(places, expected);
    assert_eq!(Position::START.to_string(), "line 1, column 1 (offset 0)");
}

#[test]
fn depth_and_skipping() {
    let mut reader = Reader::new("<a><b><b/>x</b><c/></a>");
    assert_eq!(reader.depth(), 0);
    reader.next_event().unwrap();
    assert_eq!(reader.depth(), 1);
    reader.next_event().unwrap();
    reader.skip_element().unwrap();
    assert_eq!(reader.depth(), 1);
    let Some(Event::Start(start)) = reader.next_event().unwrap() else { panic!("no start") };
    assert_eq!(start.name().local(), "c");
    reader.skip_element().unwrap();
    assert!(matches!(reader.next_event().unwrap(), Some(Event::End(name)) if name.is("", "a")));
    assert_eq!(reader.depth(), 0);
}

#[test]
fn schema_errors_name_the_place() {
    let mut reader = Reader::new("<a>\n <b xmlns='n'/></a>");
    reader.next_event().unwrap();
    reader.next_event().unwrap();
    assert_eq!(reader.unexpected("c").kind(), &ErrorKind::Schema(SchemaFault::Text));
    reader.next_event().unwrap();
    assert_eq!(
        reader.unexpected("the element c").to_string(),
        "XML: at line 2, column 2 (offset 5): expected the element c, found the element b{n}; \
         send the elements that the schema has, in its order and namespace"
    );
    reader.next_event().unwrap();
    reader.next_event().unwrap();
    let missing = SchemaFault::MissingElement { expected: "c".to_owned() };
    assert_eq!(reader.unexpected("c").kind(), &ErrorKind::Schema(missing));
    assert!(reader.skip_element().is_err(), "an end is no element");
}
