//! Between WBXML and XML, as streams: each event is written as it is read, no tree is built.
//!
//! What XML has no form for is carried so that it comes back: opaque data that its element says nothing of as a CDATA
//! section where it is text and as a processing instruction `bindery-opaque` with base64 where it is not; a token that
//! the language does not have as the name `token-PP-TT` (code page and token in hexadecimal digits).

mod from_xml;
mod to_xml;
mod variable;

use thiserror::Error;

use crate::{EncodeError, Error, Language};

pub use self::from_xml::{FromXml, from_xml};
pub use self::to_xml::to_xml;

/// The target of the processing instruction that carries opaque data which is no text.
const OPAQUE_TARGET: &str = "bindery-opaque";

/// Why a document could not be turned into the other form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The bytes are no WBXML document.
    #[error(transparent)]
    Wbxml(#[from] Error),
    /// The bytes are no XML document.
    #[error(transparent)]
    Xml(#[from] bindery_xml::Error),
    /// XML cannot carry what the WBXML document holds.
    #[error("at offset {offset}: {error}")]
    ToXml {
        /// Where the event begins, in bytes from the start of the WBXML document.
        offset: usize,
        /// What XML has against it.
        error: bindery_xml::WriteError,
    },
    /// WBXML cannot carry what the XML document holds.
    #[error("{error} (at {position} of the XML document)")]
    FromXml {
        /// Where the event begins in the XML document.
        position: bindery_xml::Position,
        /// What WBXML has against it.
        error: EncodeError,
    },
    /// An attribute's value has a piece that only its language explains: a token or opaque data.
    #[error(
        "WBXML: at offset {offset}: {what} in an attribute's value has no text; name the document's language, or read \
         it as events"
    )]
    Value {
        /// Where the piece begins, in bytes from the start of the document.
        offset: usize,
        /// What it is.
        what: &'static str,
    },
    /// An extension that the language does not define.
    #[error(
        "WBXML: at offset {offset}: the language has no extension {number} there; name another language, or read the \
         document as events"
    )]
    Extension {
        /// Where it begins, in bytes from the start of the document.
        offset: usize,
        /// Which of the three of its kind.
        number: u8,
    },
    /// No language is named by the caller, the document type, the namespace or the document element.
    #[error(
        "XML: nothing says which WBXML language a document with the element {root} is of; name the language, or add a \
         DOCTYPE with its public identifier"
    )]
    Language {
        /// The document element.
        root: String,
    },
    /// The instruction that carries opaque data holds no base64.
    #[error(
        "XML: at {position}: the instruction bindery-opaque does not hold base64; write the octets with padding and \
         without white space"
    )]
    Opaque {
        /// Where the instruction begins.
        position: bindery_xml::Position,
    },
}

/// The name in XML of a token that has none.
fn token_name(page: u8, token: u8) -> String {
    format!("token-{page:02x}-{token:02x}")
}

/// Page and token of a name that [`token_name`] made.
fn named_token(name: &str) -> Option<(u8, u8)> {
    let (page, token) = name.strip_prefix("token-")?.split_once('-')?;
    let pair = (u8::from_str_radix(page, 16).ok()?, u8::from_str_radix(token, 16).ok()?);
    (token_name(pair.0, pair.1) == name).then_some(pair)
}

/// The language of a document that stands inside opaque data of another one, by the namespace and name of its document
/// element. Where versions share them it is the one with the outer language's version.
fn embedded(outer: &Language, namespace: &str, root: &str) -> Option<&'static Language> {
    let version = |language: &Language| {
        language.id().trim_start_matches(|c: char| !c.is_ascii_digit()).to_owned()
    };
    let fits = || Language::by_root(root).filter(|l| l.namespace(0) == Some(namespace));
    fits().find(|language| version(language) == version(outer)).or_else(|| fits().next())
}
