//! Two XML documents as what they say: for the tests here and the example `libwbxml`.

use bindery_xml::{Error, Event, Options, Source, Tolerance};

/// Elements, attributes and text of a document. Text of white space only is left out, and so is what stands around
/// other text: `wbxml2xml` adds line ends.
pub(super) fn infoset(xml: &[u8]) -> Result<Vec<String>, Error> {
    let options = Options::STRICT.with_tolerance(Tolerance::LENIENT);
    let source = Source::with_options(xml, &options);
    let mut reader = source.reader();
    let (mut out, mut text) = (Vec::new(), String::new());
    while let Some(event) = reader.next_event()? {
        match event {
            Event::Text(piece) | Event::Cdata(piece) => text.push_str(piece),
            Event::Start(start) => {
                flush(&mut text, &mut out);
                out.push(format!("<{:?}", start.name()));
                let mut attributes: Vec<_> =
                    start.attributes().map(|a| format!("@{:?}={}", a.name, a.value)).collect();
                attributes.sort();
                out.append(&mut attributes);
            }
            Event::End(_) => {
                flush(&mut text, &mut out);
                out.push("/".to_owned());
            }
            _ => {}
        }
    }
    Ok(out)
}

fn flush(text: &mut String, out: &mut Vec<String>) {
    let plain = text.replace('\r', "");
    if !plain.trim().is_empty() {
        out.push(format!("\"{}\"", plain.trim()));
    }
    text.clear();
}
