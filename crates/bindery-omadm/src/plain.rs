//! What may be written as text.

use bindery_syncml::Text;
use bytes::Bytes;

/// Octets as text, if XML and WBXML can both carry them as that and give them back the same.
pub(crate) fn plain(data: &Bytes) -> Option<Text> {
    let text = Text::from_utf8(data.clone())?;
    let plain =
        |c: char| matches!(c, '\t' | '\n' | ' '..='\u{7e}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().all(plain).then_some(text)
}
