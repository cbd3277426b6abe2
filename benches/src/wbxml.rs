//! WBXML documents by size, and what is done to them.

use bindery_wbxml::{FromXml, Limits, Options, Reader, Strings, from_xml, to_xml};

use crate::xml;

/// A DM message as XML and as WBXML.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pair {
    /// The name in benchmarks' ids.
    pub name: &'static str,
    /// The message in XML.
    pub xml: String,
    /// The same in WBXML, without a string table.
    pub wbxml: Vec<u8>,
    /// The same with one.
    pub shared: Vec<u8>,
}

/// Messages of 1 KB, 20 KB and 1 MB of XML, and one of 10,000 items.
pub const NAMES: [&str; 4] = ["1kb", "20kb", "1mb", "10000-items"];

/// A message by its name.
pub fn pair(name: &str) -> Option<Pair> {
    let name = NAMES.into_iter().find(|known| *known == name)?;
    let xml = match name {
        "1kb" => xml::syncml(1_000),
        "20kb" => xml::syncml(20_000),
        "1mb" => xml::syncml(1 << 20),
        _ => xml::syncml_items(10_000),
    };
    let wbxml = encoded(&xml, Strings::Inline)?;
    let shared = encoded(&xml, Strings::Shared)?;
    Some(Pair { name, xml, wbxml, shared })
}

/// Every message.
pub fn pairs() -> Vec<Pair> {
    NAMES.into_iter().filter_map(pair).collect()
}

/// XML to WBXML.
pub fn encoded(xml: &str, strings: Strings) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    from_xml(xml.as_bytes(), &FromXml::default().with_strings(strings), &mut out).ok()?;
    Some(out)
}

/// How the messages are read: strictly, with room for references into the string table.
pub fn options() -> Options<'static> {
    Options::STRICT.with_limits(Limits::DEFAULT.with_expansion(1 << 30))
}

/// Every event by the pull reader: how many.
pub fn pull(document: &[u8], options: &Options<'_>) -> Option<usize> {
    let mut count = 0;
    for event in Reader::with_options(document, options).ok()? {
        event.ok()?;
        count += 1;
    }
    Some(count)
}

/// WBXML to XML into a buffer that is used again.
pub fn decoded(document: &[u8], options: &Options<'_>, out: &mut Vec<u8>) -> Option<()> {
    out.clear();
    to_xml(document, options, out).ok()
}

#[cfg(test)]
mod tests {
    use super::{decoded, options, pairs, pull};

    #[test]
    fn both_forms_are_the_same_message() {
        let pairs = pairs();
        assert_eq!(pairs.len(), 4);
        for pair in pairs {
            let (mut inline, mut shared) = (Vec::new(), Vec::new());
            decoded(&pair.wbxml, &options(), &mut inline).unwrap();
            decoded(&pair.shared, &options(), &mut shared).unwrap();
            assert_eq!(inline, shared);
            assert!(pair.shared.len() < pair.wbxml.len(), "{}", pair.name);
            assert_eq!(pull(&pair.wbxml, &options()), pull(&pair.shared, &options()));
        }
    }
}
