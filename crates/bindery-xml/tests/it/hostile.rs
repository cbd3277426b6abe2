//! Attacks: bounded memory, linear time, a clear fault.

use bindery_xml::{ErrorKind, Limit, Limits, Options, Progress, PushReader, Source};

use crate::{ALL, pulled, pushed};

fn limited(document: &[u8], options: &Options) -> (Limit, u64) {
    let pull = pulled(document, options).1.unwrap();
    let push = pushed(document.chunks(4096), options).1.unwrap();
    assert_eq!(pull, push);
    match pull.kind() {
        ErrorKind::Limit { limit, maximum } => (*limit, *maximum),
        other => panic!("{other} is no limit"),
    }
}

#[test]
fn a_million_elements_inside_each_other() {
    let document = "<a>".repeat(1_000_000);
    assert_eq!(limited(document.as_bytes(), &ALL), (Limit::Depth, 256));
    // Where the caller allows it, it is only memory: nothing recurses.
    let deep = ALL.with_limits(Limits::DEFAULT.with_depth(2_000_000));
    let document = format!("{document}{}", "</a>".repeat(1_000_000));
    let source = Source::with_options(document.as_bytes(), &deep);
    let mut reader = source.reader();
    let mut count = 0;
    while reader.next_event().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 2_000_000);
}

#[test]
fn floods() {
    let attributes: String = (0..100_000).map(|i| format!(" a{i}=''")).collect();
    let wide = ALL.with_limits(Limits::DEFAULT.with_tag_length(8 << 20));
    assert_eq!(limited(format!("<a{attributes}/>").as_bytes(), &wide), (Limit::Attributes, 256));
    assert_eq!(
        limited(format!("<a{}/>", " ".repeat(2 << 20)).as_bytes(), &ALL),
        (Limit::TagLength, 1 << 20)
    );
    assert_eq!(
        limited(format!("<{}", "a".repeat(2 << 20)).as_bytes(), &ALL),
        (Limit::TagLength, 1 << 20)
    );
    assert_eq!(
        limited(format!("<{}/>", "a".repeat(2000)).as_bytes(), &ALL),
        (Limit::NameLength, 1024)
    );
    assert_eq!(
        limited(format!("<a b='{}", "c".repeat(2 << 20)).as_bytes(), &ALL),
        (Limit::TagLength, 1 << 20)
    );
    assert_eq!(
        limited(format!("<a xmlns='{}'/>", "c".repeat(2000)).as_bytes(), &ALL),
        (Limit::NameLength, 1024)
    );
    assert_eq!(
        limited(format!("<?{} ?><a/>", "c".repeat(2000)).as_bytes(), &ALL),
        (Limit::NameLength, 1024)
    );
    let nested: String =
        (0..200).map(|i| format!("<a xmlns:p{i}='n{i}' xmlns:q{i}='n'>")).collect();
    assert_eq!(limited(nested.as_bytes(), &ALL), (Limit::Namespaces, 256));
    let short = ALL.with_limits(Limits::DEFAULT.with_text_length(1000));
    for opening in ["<a>", "<a><!--", "<a><![CDATA[", "<a><?p "] {
        let document = format!("{opening}{}", "x".repeat(5000));
        assert_eq!(limited(document.as_bytes(), &short), (Limit::TextLength, 1000));
    }
}

#[test]
fn limits_are_what_is_still_allowed() {
    let limits = Limits::DEFAULT
        .with_depth(2)
        .with_attributes(2)
        .with_name_length(5)
        .with_tag_length(21)
        .with_text_length(10)
        .with_namespaces(1)
        .with_document_length(65);
    let options = ALL.with_limits(limits);
    let document = b"<abc d='1' e='234567'>0123456789<b xmlns='nnnnn'/><!--xyz--></abc>";
    let (_, error) = pulled(document, &options);
    assert_eq!(error.unwrap().kind(), &ErrorKind::Limit { limit: Limit::TagLength, maximum: 21 });
    let options = ALL.with_limits(limits.with_tag_length(22));
    let (_, error) = pulled(document, &options);
    assert_eq!(
        error.unwrap().kind(),
        &ErrorKind::Limit { limit: Limit::DocumentLength, maximum: 65 }
    );
    let options = ALL.with_limits(limits.with_tag_length(22).with_document_length(66));
    assert_eq!(document.len(), 66);
    assert_eq!(pulled(document, &options).1, None);
}

#[test]
fn the_push_form_buffers_one_piece() {
    let mut reader = PushReader::new();
    reader.feed(b"<a>");
    let block = format!("<b>{}</b>", "x".repeat(1000));
    let mut texts = 0;
    for _ in 0..20_000 {
        reader.feed(block.as_bytes());
        while let Progress::Event(event) = reader.next_event().unwrap() {
            texts += usize::from(matches!(event, bindery_xml::Event::Text(_)));
        }
    }
    assert_eq!(texts, 20_000);
    // What the reader holds is in what Debug shows of it.
    assert!(format!("{reader:?}").len() < 20_000, "20 MB went through");
}
