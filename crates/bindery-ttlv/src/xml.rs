//! TTLV in XML (KMIP Additional Message Encodings 1.0, section 4; Profiles 2.1, section 5.4), to binary and back.
//!
//! An item is an element named by its tag (`<BatchCount type="Integer" value="1"/>`), or `<TTLV tag="0x540001" ..>`
//! where the registry has no name; a structure has items inside. Whatever binary TTLV says comes back the same, but
//! for text with characters that XML cannot carry, which is refused.

mod read;
mod write;

pub use read::{Substitute, XmlMessages, from_xml};
pub use write::{to_xml, to_xml_indented};
