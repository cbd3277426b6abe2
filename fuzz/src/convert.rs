//! XML to WBXML to XML.

use bindery_wbxml::{FromXml, Limits, Options, Strings, from_xml, languages, to_xml};

/// Limits under which a finding is small, and large enough for what the writer makes of such a document.
const LIMITS: Limits = Limits::DEFAULT.with_attributes(u16::MAX).with_depth(u16::MAX);

/// Any octets as XML, in the language that they name and in two that the caller names: what WBXML can carry has a way
/// back, the way back gives the same octets again, and the string table changes nothing that is read.
pub fn xml_wbxml_xml(data: &[u8]) {
    for language in [None, Some(&languages::ACTIVESYNC), Some(&languages::WML13)] {
        let mut options = FromXml::default();
        options.language = language;
        let Some(wbxml) = wbxml_of(data, &options) else { continue };
        let read = language.map_or(Options::STRICT, |l| Options::STRICT.with_language(l));
        let read = read.with_limits(LIMITS);
        let xml = xml_of(&wbxml, &read);
        let again = wbxml_of(&xml, &options);
        assert_eq!(again.as_ref(), Some(&wbxml), "there, back, and there: {}", shown(&xml));
        let shared = options.clone().with_strings(Strings::Shared);
        let shared = wbxml_of(data, &shared).expect("a string table forbids nothing");
        assert_eq!(shown(&xml_of(&shared, &read)), shown(&xml), "strings of the table");
        assert!(shared.len() <= wbxml.len() + 4, "a string table makes nothing longer");
    }
}

fn wbxml_of(xml: &[u8], options: &FromXml<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match from_xml(xml, options, &mut out) {
        Ok(()) => Some(out),
        Err(error) => {
            assert!(out.is_empty() && !error.to_string().is_empty(), "nothing is left of a fault");
            None
        }
    }
}

fn xml_of(wbxml: &[u8], options: &Options<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    to_xml(wbxml, options, &mut out).unwrap_or_else(|e| panic!("no way back: {e}: {wbxml:02x?}"));
    out
}

fn shown(xml: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(xml)
}
