//! What is refused, and how it is said.

use bindery_xml::{
    EncodingFault, ErrorKind, Limit, Limits, Options, StructureFault, SyntaxFault, Tolerance,
};

use crate::{ALL, fault, pulled};

/// `check(document, kind)`: the fault in words, without place and remedy.
#[track_caller]
fn check(document: &str, expected: &str) {
    let (_, error) = pulled(document.as_bytes(), &ALL);
    let error = error.unwrap_or_else(|| panic!("{document:?} was read"));
    assert_eq!(error.kind().to_string(), expected, "{document:?}");
    assert!(error.position().offset <= document.len() as u64);
    assert!(!error.remedy().is_empty());
}

#[test]
fn markup() {
    check("<", "the document ends inside markup");
    check("<a", "the document ends inside a start tag");
    check("<a b='>", "the document ends inside a start tag");
    check("<a></a", "the document ends inside an end tag");
    check("<a><!-", "the document ends inside markup");
    check("<a><!-->", "the document ends inside a comment");
    check("<a><!--->", "the document ends inside a comment");
    check("<a><![CDATA[]>", "the document ends inside a CDATA section");
    check("<?p", "the document ends inside a processing instruction");
    check("<!DOCTYPE a '>'", "the document ends inside the DOCTYPE");
    check("<a><!x></a>", "< begins no markup");
    check("<a><![cdata[]]></a>", "< begins no markup");
    check("<!doctype a><a/>", "< begins no markup");
    check("<!ENTITY a 'b'>", "< begins no markup");
    check("< a/>", "expected a name");
    check("<>", "expected a name");
    check("<1/>", "expected a name");
    check("<a:/>", "expected a name");
    check("<:a/>", "expected a name");
    check("<\u{D7}/>", "expected a name");
    check("<a></a b='c'>", "expected > behind the name of the end tag");
    check("<a></ a>", "expected a name");
    check("<a></>", "expected a name");
}

#[test]
fn attributes() {
    check("<a b='c'd='e'/>", "expected white space before an attribute, or >");
    check("<a b/>", "expected = behind the attribute's name");
    check("<a b=c/>", "expected a value in quotes");
    check("<a b=/>", "expected a value in quotes");
    check("<a b='<'/>", "expected &lt; instead of < in a value");
    check("<a / >", "expected a name");
    check("<a:b:c/>", "expected white space before an attribute, or >");
    check("<a b='1' b='2'/>", "the attribute b stands there twice");
    check("<a xmlns:p='n' xmlns:q='n' p:b='1' q:b='2'/>", "the attribute q:b stands there twice");
    let many: String = (0..20).map(|i| format!(" b{i}=''")).collect();
    check(&format!("<a{many} b7=''/>"), "the attribute b7 stands there twice");
}

#[test]
fn text_and_references() {
    check("<a>&</a>", "& begins no reference");
    check("<a>& b;</a>", "& begins no reference");
    check("<a>&lt</a>", "& begins no reference");
    check("<a>&;</a>", "& begins no reference");
    check("<a>&-;</a>", "& begins no reference");
    check("<a>&nbsp;</a>", "the entity \"nbsp\" is not declared");
    check("<a b='&LT;'/>", "the entity \"LT\" is not declared");
    check("<a>&#0;</a>", "&#0; refers to no character of XML");
    check("<a>&#x;</a>", "&#x; refers to no character of XML");
    check("<a>&#X41;</a>", "&#X41; refers to no character of XML");
    check("<a>&#+65;</a>", "&#+65; refers to no character of XML");
    check("<a>&#8;</a>", "&#8; refers to no character of XML");
    check("<a>&#xD800;</a>", "&#xD800; refers to no character of XML");
    check("<a>&#xDFFF;</a>", "&#xDFFF; refers to no character of XML");
    check("<a>&#xFFFE;</a>", "&#xFFFE; refers to no character of XML");
    check("<a b='&#x110000;'/>", "&#x110000; refers to no character of XML");
    check(
        "<a>&#99999999999999999999;</a>",
        "&#99999999999999999999; refers to no character of XML",
    );
    check("<a>x]]>y</a>", "]]> in text");
    check("<a>\0</a>", "the character U+0000 may not stand in XML");
    check("<a b='\u{1}'/>", "the character U+0001 may not stand in XML");
    check("<a>\u{FFFE}</a>", "the character U+FFFE may not stand in XML");
    check("<a><!--\u{FFFF}--></a>", "the character U+FFFF may not stand in XML");
    check("<a><![CDATA[\u{1F}]]></a>", "the character U+001F may not stand in XML");
    check("<a><!-- -- --></a>", "-- in a comment");
    check("<a><!-- ---></a>", "-- in a comment");
}

#[test]
fn forbidden_characters_are_found_anywhere() {
    for before in (0..200).chain([4095, 4096, 4097]) {
        let text = format!("<a>{}\u{FFFF}</a>", "\u{EF}".repeat(before));
        let (_, error) = pulled(text.as_bytes(), &ALL);
        assert_eq!(error.unwrap().position().offset, 3 + 2 * before as u64);
    }
}

#[test]
fn prolog() {
    check(" <?xml version='1.0'?><a/>", "the XML declaration may not stand here");
    check("<!----><?xml version='1.0'?><a/>", "the XML declaration may not stand here");
    check("<a><?xml version='1.0'?></a>", "the XML declaration may not stand here");
    check("<?xml?><a/>", "expected version in the XML declaration");
    check("<?xml encoding='UTF-8'?><a/>", "expected version in the XML declaration");
    check("<?xml version='2.0'?><a/>", "expected the version 1.0 in the XML declaration");
    check("<?xml version='1.'?><a/>", "expected the version 1.0 in the XML declaration");
    check("<?xml version=1.0?><a/>", "expected a value in quotes in the XML declaration");
    check(
        "<?xml version='1.0' standalone='maybe'?><a/>",
        "expected yes or no in the XML declaration",
    );
    check(
        "<?xml version='1.0' standalone='no' encoding='UTF-8'?><a/>",
        "expected ?> behind version, encoding and standalone, in this order in the XML declaration",
    );
    check(
        "<?XML version='1.0'?><a/>",
        "the processing instruction has no target, or a reserved one",
    );
    check("<??><a/>", "the processing instruction has no target, or a reserved one");
    check("<?a:b?><a/>", "the processing instruction has no target, or a reserved one");
    check("<!DOCTYPE><a/>", "expected white space in the DOCTYPE");
    check("<!DOCTYPE ><a/>", "expected a name in the DOCTYPE");
    check("<!DOCTYPE a PUBLIC 'x'><a/>", "expected a system identifier in quotes in the DOCTYPE");
    check(
        "<!DOCTYPE a PUBLIC '{' ''><a/>",
        "expected a character of public identifiers in the DOCTYPE",
    );
    check("<!DOCTYPE a b><a/>", "expected > behind the name and the identifiers in the DOCTYPE");
    check("<!DOCTYPE a><!DOCTYPE a><a/>", "the DOCTYPE may not stand here");
    check("<a><!DOCTYPE a></a>", "the DOCTYPE may not stand here");
    check("<a/><!DOCTYPE a>", "the DOCTYPE may not stand here");
}

#[test]
fn structure() {
    check("", "the document has no element");
    check(" <!-- --> ", "the document has no element");
    check("<a>", "the document ends inside the element a");
    check("<a><b></a></b>", "expected </b>, found </a>");
    check("<p:a xmlns:p='n' xmlns:q='n'></q:a>", "expected </p:a>, found </q:a>");
    check("<a/></a>", "</a> ends no element");
    check("</a>", "</a> ends no element");
    check("<a/><b/>", "the element b stands behind the root element");
    check("x<a/>", "text outside the root element");
    check("<a/>&#32;", "text outside the root element");
    check("<![CDATA[]]><a/>", "text outside the root element");
}

#[test]
fn document_types_and_entities_are_refused() {
    let laughs =
        "<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;&lol;'>]><lolz>&lol2;</lolz>";
    let external = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>";
    let parameter = "<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://peer.example/x'> %x;]><a/>";
    let element = "<!DOCTYPE a [<!--x--><!ELEMENT a ANY>]><a/>";
    let section = "<!DOCTYPE a [<![IGNORE[x]]>]><a/>";
    for text in [laughs, external, parameter, element, section, "<!DOCTYPE a [x]><a/>"] {
        check(text, "an internal subset is refused");
    }
    let tolerance = Tolerance::LENIENT.with_subset(false);
    let text = "<!DOCTYPE a SYSTEM 'x' [ ]><a/>";
    let error = pulled(text.as_bytes(), &ALL.with_tolerance(tolerance)).1.unwrap();
    assert_eq!(error.kind(), &ErrorKind::Structure(StructureFault::InternalSubset));
    assert_eq!(error.position().offset, 23);
    for text in [laughs, external, parameter, "<!DOCTYPE a><a/>", "<!DOCTYPE", "<!DOCTYPE a [[[["] {
        let (events, error) = pulled(text.as_bytes(), &Options::STRICT);
        assert_eq!(events, [""; 0]);
        assert_eq!(error.unwrap().kind(), &ErrorKind::Structure(StructureFault::Doctype));
    }
    // Without a declaration an entity is unknown, also when a DOCTYPE could have declared it elsewhere.
    check("<!DOCTYPE a SYSTEM 'x'><a>&lol;</a>", "the entity \"lol\" is not declared");
}

#[test]
fn a_subset_that_declares_nothing_is_well_formed() {
    check("<!DOCTYPE a [<!-- -- -->]><a/>", "-- in a comment");
    let target = "the processing instruction has no target, or a reserved one";
    check("<!DOCTYPE a [<?xml version='1.0'?>]><a/>", target);
    check("<!DOCTYPE a [<?1?>]><a/>", target);
    let end = "expected > behind the name and the identifiers in the DOCTYPE";
    check("<!DOCTYPE a [ ] [ ]><a/>", end);
    check("<!DOCTYPE a [ ] x><a/>", end);
    check("<!DOCTYPE a [ ", "the document ends inside the DOCTYPE");
    check("<!DOCTYPE a [<!-- ]>", "the document ends inside the DOCTYPE");
    check("<!DOCTYPE a [<?p ]>", "the document ends inside the DOCTYPE");
}

#[test]
fn errors_say_place_and_remedy() {
    assert_eq!(
        fault("<a>\n  <b></c></a>", &ALL),
        "XML: at line 2, column 6 (offset 9): expected </b>, found </c>; close every element once, the inner ones \
         first; escape text that is not markup"
    );
    assert_eq!(
        fault("<a>1 &bad; 2</a>", &ALL),
        "XML: at line 1, column 6 (offset 5): the entity \"bad\" is not declared; use amp, lt, gt, apos, quot or a \
         character reference; no entity is declared"
    );
    let long = "x".repeat(500);
    assert!(fault(format!("<a>&{long};</a>"), &ALL).len() < 300, "a peer's name is cut");
}

#[test]
fn kinds_are_told_apart() {
    let kind = |text: &[u8]| pulled(text, &Options::STRICT).1.unwrap().kind().clone();
    assert!(matches!(kind(b"<a b>"), ErrorKind::Syntax(SyntaxFault::Attribute { .. })));
    assert!(matches!(kind(b"<a></b>"), ErrorKind::Structure(StructureFault::MismatchedEnd { .. })));
    assert!(matches!(kind(b"<a>\xFF</a>"), ErrorKind::Encoding(EncodingFault::Invalid { .. })));
    let limits = Limits::DEFAULT.with_depth(1);
    let (_, error) = pulled(b"<a><b/></a>", &Options::STRICT.with_limits(limits));
    assert_eq!(error.unwrap().kind(), &ErrorKind::Limit { limit: Limit::Depth, maximum: 1 });
}

#[test]
fn cut_off_anywhere() {
    let text = "<?xml version='1.0'?><!DOCTYPE a SYSTEM 's'><!--c--><a p:b='&lt;' xmlns:p='n'>\u{20AC}x&#65;<![CDATA[c]]>\
        <?p d?><b/></a>";
    let (whole, error) = pulled(text.as_bytes(), &ALL);
    assert_eq!(error, None);
    for end in 0..text.len() {
        let (events, error) = pulled(&text.as_bytes()[..end], &ALL);
        let error = error.unwrap_or_else(|| panic!("read {end} bytes of {}", text.len()));
        // A text is an event also when the document ends behind it; everything else was complete.
        let complete =
            events.len() - usize::from(events.last().is_some_and(|e| e.starts_with("Text")));
        assert_eq!(events[..complete], whole[..complete], "cut at {end}");
        assert!(error.position().offset <= end as u64);
    }
}
