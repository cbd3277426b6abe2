//! Namespaces in XML 1.0.

use bindery_xml::{Event, Options, Reader, Scope, XML_NAMESPACE};

use crate::{ALL, events, fault};

#[test]
fn names_are_resolved() {
    let found = events(
        "<a xmlns='d' xmlns:p='n'><p:b p:x='1' x='2' xml:lang='en'/><c xmlns=''><p:d xmlns:p='m'/></c></a>",
        &ALL,
    );
    assert_eq!(
        found,
        [
            r#"Start(Start { name: a{d}, empty_tag: false, declarations: [("", "d"), ("p", "n")], attributes: [] })"#,
            &format!(
                "Start(Start {{ name: p:b{{n}}, empty_tag: true, declarations: [], attributes: [\
                 Attribute {{ name: p:x{{n}}, value: \"1\" }}, Attribute {{ name: x, value: \"2\" }}, \
                 Attribute {{ name: xml:lang{{{XML_NAMESPACE}}}, value: \"en\" }}] }})"
            ),
            "End(p:b{n})",
            r#"Start(Start { name: c, empty_tag: false, declarations: [("", "")], attributes: [] })"#,
            r#"Start(Start { name: p:d{m}, empty_tag: true, declarations: [("p", "m")], attributes: [] })"#,
            "End(p:d{m})",
            "End(c)",
            "End(a{d})",
        ]
    );
}

#[test]
fn a_name_is_its_namespace_and_local_part() {
    let mut reader = Reader::new("<p:a xmlns:p='n&amp;m'/>");
    let Some(Event::Start(start)) = reader.next_event().unwrap() else { panic!("no start") };
    let name = start.name();
    assert_eq!((name.namespace(), name.local(), name.prefix()), ("n&m", "a", Some("p")));
    assert_eq!(name.qualified(), "p:a");
    let mut other = Reader::new("<a xmlns='n&amp;m'/>");
    let Some(Event::Start(start)) = other.next_event().unwrap() else { panic!("no start") };
    assert_eq!(start.name(), name);
    assert_eq!(start.name().prefix(), None);
}

#[test]
fn faults() {
    for (text, expected) in [
        ("<p:a/>", "the prefix p is not declared"),
        ("<a p:b=''/>", "the prefix p is not declared"),
        ("<a><b xmlns:p='n'/><p:c/></a>", "the prefix p is not declared"),
        ("<xmlns:a/>", "the prefix xmlns is not declared"),
        ("<a xmlns:p=''/>", "the prefix p may not be declared so"),
        ("<a xmlns:xmlns='n'/>", "the prefix xmlns may not be declared so"),
        ("<a xmlns:xml='n'/>", "the prefix xml may not be declared so"),
        (
            "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
            "the prefix p may not be declared so",
        ),
        ("<a xmlns='http://www.w3.org/2000/xmlns/'/>", "the default namespace may not be this one"),
        ("<a xmlns:p='n' xmlns:p='m'/>", "the attribute xmlns:p stands there twice"),
        ("<a xmlns='n' xmlns='n'/>", "the attribute xmlns stands there twice"),
    ] {
        assert!(fault(text, &ALL).contains(expected), "{text}: {}", fault(text, &ALL));
    }
    assert_eq!(events("<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", &ALL).len(), 2);
}

#[test]
fn long_and_similar_prefixes_are_distinct() {
    let long = "p".repeat(263);
    let names: Vec<String> = [
        "ppppppp".to_owned(),
        "pppppppp".to_owned(),
        long.clone(),
        format!("{long}q"),
        "ppppppq".to_owned(),
    ]
    .into();
    let declared: String = names.iter().map(|n| format!(" xmlns:{n}='uri-{n}'")).collect();
    let used: String = names.iter().map(|n| format!("<{n}:x/>")).collect();
    let text = format!("<a{declared}>{used}</a>");
    let mut reader = Reader::with_options(&text, &Options::STRICT);
    reader.next_event().unwrap();
    for name in &names {
        let Some(Event::Start(start)) = reader.next_event().unwrap() else { panic!("no start") };
        assert_eq!(start.name().namespace(), format!("uri-{name}"));
        reader.next_event().unwrap();
    }
}

#[test]
fn scopes() {
    let mut reader =
        Reader::new("<a xmlns='d' xmlns:p='n'><b xmlns='' xmlns:p='m' xmlns:q='o'/></a>");
    reader.next_event().unwrap();
    let outer = reader.scope();
    assert_eq!(outer.iter().collect::<Vec<_>>(), [("", "d"), ("p", "n")]);
    reader.next_event().unwrap();
    let inner = reader.scope();
    assert_eq!(inner.iter().collect::<Vec<_>>(), [("p", "m"), ("q", "o")]);
    assert_eq!((inner.get("p"), inner.get(""), inner.get("r")), (Some("m"), None, None));
    assert_eq!(inner.get("xml"), Some(XML_NAMESPACE));
    reader.next_event().unwrap();
    reader.next_event().unwrap();
    assert_eq!(reader.scope(), outer);
    let made = Scope::EMPTY.with("p", "n").unwrap().with("", "x").unwrap().with("", "d").unwrap();
    assert_eq!(made, outer);
    assert_eq!(made.with("", "").unwrap().with("p", "n").unwrap().iter().count(), 1);
    assert!(Scope::EMPTY.with("p", "").is_err());
    assert!(Scope::EMPTY.with("a b", "n").is_err());
    assert!(Scope::EMPTY.with("a", "\0").is_err());
}
