//! `bindery decode` of WBXML and XML: a tree of what is there, and what the protocol says of it.

mod codes;
mod tree;
mod wbxml;
mod xml;

use bindery_taxii_xml::Dialect;
use bindery_wbxml::Language;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    input::undecodable,
    languages::{placed, without_remedy},
};
use crate::{
    args::Form,
    error::{Failure, Result},
    output::{Document, Format, Output},
    preview::Shown,
};
use tree::Tree;

/// What a document is, beyond its syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Protocol {
    SyncMl,
    Taxii(Dialect, String),
    Other,
}

impl Protocol {
    /// The protocol whose messages have this document element.
    fn of(namespace: &str, root: &str) -> Self {
        match Dialect::of_namespace(namespace) {
            Some(dialect) => Self::Taxii(dialect, root.to_owned()),
            None if root == "SyncML" => Self::SyncMl,
            None => Self::Other,
        }
    }

    fn name(&self) -> Option<String> {
        match self {
            Self::SyncMl => Some("SyncML".to_owned()),
            Self::Taxii(dialect, root) => Some(format!("TAXII {dialect} {root}")),
            Self::Other => None,
        }
    }
}

/// Prints a document.
///
/// # Errors
/// It cannot be read from some place on, and what stands before it has then been printed; or it is
/// no message of its protocol.
pub(super) fn decode(
    document: Vec<u8>,
    form: Form,
    language: Option<&'static Language>,
    lenient: bool,
    output: &Output,
) -> Result<()> {
    let mut tree = Tree::new(output);
    let read = if form == Form::Wbxml {
        wbxml::read(&document, &super::languages::options(language, lenient), &mut tree)
    } else {
        xml::read(&document, lenient, &mut tree)
    };
    tree.flush()?;
    let head = read?;
    let document = Bytes::from(document);
    if language.is_none() {
        check(&head.protocol, &document, lenient)?;
    }
    if output.format == Format::Table {
        return Ok(());
    }
    let (items, secret) = tree.finish();
    let mut json = head.members;
    json.insert("protocol".to_owned(), head.protocol.name().into());
    json.insert("items".to_owned(), items);
    Document::new(Value::Object(json), "").with_octets(document, secret).print(output)
}

/// A document as it is shown: whatever is in it, as far as it can be read.
pub(super) fn shown(document: &[u8], show_secrets: bool) -> Shown {
    let read = |tree: &mut Tree| match super::input::recognise(document) {
        Form::Wbxml => wbxml::read(document, &super::languages::options(None, true), tree),
        _ => xml::read(document, true, tree),
    };
    let mut lines = Tree::held(true, show_secrets);
    let fault = read(&mut lines).err().map(|fault| format!("-- {fault}\n"));
    let mut items = Tree::held(false, show_secrets);
    let _ = read(&mut items);
    let (json, secret) = items.finish();
    Shown { text: lines.text() + &fault.unwrap_or_default(), json, secret }
}

/// What a document says of itself before its first element.
struct Head {
    protocol: Protocol,
    members: Map<String, Value>,
}

/// Checks that a document is a message of its protocol.
fn check(protocol: &Protocol, document: &Bytes, lenient: bool) -> Result<()> {
    match protocol {
        Protocol::SyncMl => {
            let strict = bindery_syncml::Options::STRICT;
            let options = if lenient { bindery_syncml::Options::LENIENT } else { strict };
            bindery_syncml::Document::decode(document, &options).map_err(|error| syncml(&error))?;
        }
        Protocol::Taxii(..) => {
            let strict = bindery_taxii_xml::Options::STRICT;
            let options = if lenient { bindery_taxii_xml::Options::SCHEMA } else { strict };
            let source = bindery_xml::Source::with_options(document, &options.xml);
            bindery_taxii_xml::read(&source, &options).map_err(|error| {
                placed(without_remedy(&error, error.remedy()), error.position())
                    .hint(error.remedy())
                    .detail("path", error.path())
            })?;
        }
        Protocol::Other => {}
    }
    Ok(())
}

fn syncml(error: &bindery_syncml::Error) -> Failure {
    let place = error.place();
    let failure = undecodable(without_remedy(error, error.remedy()), Some(place.offset))
        .hint(error.remedy())
        .detail("path", error.path());
    match place.line {
        Some((line, column)) => failure.detail("line", line).detail("column", column),
        None => failure,
    }
}
