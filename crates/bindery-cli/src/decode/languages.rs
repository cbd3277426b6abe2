//! WBXML's languages, and `bindery convert` between WBXML and XML.

mod private;

use std::path::Path;

use bindery_wbxml::{ConvertError, FromXml, Language, Options, Tolerance, from_xml, to_xml};
use serde_json::{Value, json};

use super::input::undecodable;
use crate::{
    args::Form,
    error::{Failure, Result},
    output::{Document, table},
};

/// The language of a name, or the one in a file whose name ends with `.toml`.
///
/// # Errors
/// There is none of that name, or the file holds none.
pub(super) fn named(name: Option<&str>) -> Result<Option<&'static Language>> {
    let Some(name) = name else { return Ok(None) };
    let file = Path::new(name);
    if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml")) {
        return private::read(file).map(Some);
    }
    let found = Language::all().iter().find(|language| language.id().eq_ignore_ascii_case(name));
    found.copied().map(Some).ok_or_else(|| {
        Failure::usage(format!("no WBXML language is named {name}")).hint(
            "bindery convert --list-languages lists them; one of your own is a file FILE.toml",
        )
    })
}

/// Every language with what its documents say of themselves.
pub(super) fn list() -> Document {
    let languages = || Language::all().iter();
    let json = languages().map(|language| {
        json!({
            "name": language.id(),
            "public_id": language.number(),
            "fpi": language.fpi(),
            "root": language.root(),
            "system_id": language.system_id(),
            "namespaces": language.namespaces().iter().map(|n| n.name()).collect::<Vec<_>>(),
        })
    });
    let rows = languages().map(|language| {
        let number = language.number().map_or_else(String::new, |number| format!("{number:#06x}"));
        let fpi = language.fpi().unwrap_or_default().to_owned();
        [language.id().to_owned(), number, language.root().to_owned(), fpi]
    });
    let text = table(&["name", "public id", "document element", "formal public identifier"], rows);
    Document::new(Value::Array(json.collect()), text)
}

/// Turns a document into the other form, or into the same one in its canonical shape.
///
/// # Errors
/// It cannot be read, or the other form cannot carry it.
pub(super) fn convert(
    document: &[u8],
    forms: (Form, Form),
    language: Option<&'static Language>,
    lenient: bool,
) -> Result<Vec<u8>> {
    let (mut xml, mut wbxml) = (Vec::new(), Vec::new());
    let failed = |error: ConvertError| failure(&error);
    if forms.0 == Form::Wbxml {
        to_xml(document, &options(language, lenient), &mut xml).map_err(failed)?;
    } else {
        xml.extend_from_slice(document);
    }
    if forms.0 == Form::Wbxml && forms.1 == Form::Xml {
        return Ok(xml);
    }
    let mut options_from = FromXml::default();
    if let Some(language) = language {
        options_from = options_from.with_language(language);
    }
    from_xml(&xml, &options_from, &mut wbxml).map_err(failed)?;
    if forms.1 == Form::Wbxml {
        return Ok(wbxml);
    }
    xml.clear();
    to_xml(&wbxml, &options(language, lenient), &mut xml).map_err(failed)?;
    Ok(xml)
}

/// How WBXML is read.
pub(super) fn options(language: Option<&'static Language>, lenient: bool) -> Options<'static> {
    let tolerance = if lenient { Tolerance::LENIENT } else { Tolerance::STRICT };
    let options = Options::STRICT.with_tolerance(tolerance);
    language.map_or(options, |language| options.with_language(language))
}

fn failure(error: &ConvertError) -> Failure {
    match error {
        ConvertError::Wbxml(error) => wbxml(error),
        ConvertError::Xml(error) => xml(error),
        ConvertError::ToXml { offset, .. }
        | ConvertError::Value { offset, .. }
        | ConvertError::Extension { offset, .. } => {
            undecodable(error.to_string(), Some(*offset as u64))
                .hint("bindery decode shows what XML cannot carry")
        }
        ConvertError::FromXml { position, .. } | ConvertError::Opaque { position } => {
            placed(error.to_string(), *position)
                .hint("write what the language has; --lang names another one")
        }
        ConvertError::Language { .. } => undecodable(error.to_string(), Some(0))
            .hint("add --lang NAME; bindery convert --list-languages lists the names"),
        _ => undecodable(error.to_string(), None),
    }
}

/// What is wrong without what to do about it, which is the hint.
pub(super) fn without_remedy(error: &impl std::fmt::Display, remedy: &str) -> String {
    let text = error.to_string();
    let cut = text.strip_suffix(remedy).map(|text| text.trim_end_matches([';', ' ']));
    cut.map_or_else(|| text.clone(), str::to_owned)
}

/// The failure of reading WBXML.
pub(super) fn wbxml(error: &bindery_wbxml::Error) -> Failure {
    undecodable(without_remedy(error, error.remedy()), Some(error.offset() as u64))
        .hint(error.remedy())
        .detail("path", error.path())
}

/// The failure of reading XML.
pub(super) fn xml(error: &bindery_xml::Error) -> Failure {
    placed(without_remedy(error, error.remedy()), error.position()).hint(error.remedy())
}

/// A failure at a place of an XML document.
pub(super) fn placed(message: String, position: bindery_xml::Position) -> Failure {
    undecodable(message, Some(position.offset))
        .detail("line", position.line)
        .detail("column", position.column)
}
