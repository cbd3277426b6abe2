//! A private WBXML language in a file, for documents whose vocabulary is in no registry.

use std::path::Path;

use bindery_wbxml::{Language, LanguageBuilder, OpaqueForm};
use serde::Deserialize;

use crate::{
    decode::read_file,
    error::{Failure, Result},
};

/// What a file holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The document element.
    root: String,
    id: Option<String>,
    /// The public identifier as a number.
    number: Option<u32>,
    fpi: Option<String>,
    system_id: Option<String>,
    #[serde(default)]
    namespace: Vec<Namespace>,
    #[serde(default)]
    tag: Vec<Tag>,
    #[serde(default)]
    attribute: Vec<Attribute>,
    #[serde(default)]
    value: Vec<Value>,
    #[serde(default)]
    extension: Vec<Extension>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Namespace {
    #[serde(default)]
    page: u8,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    #[serde(default)]
    page: u8,
    token: u8,
    name: String,
    #[serde(default)]
    form: Form,
}

/// What opaque data in an element means.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Form {
    #[default]
    Text,
    Base64,
    ByType,
    DateTime,
    WvDateTime,
    WvInteger,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attribute {
    #[serde(default)]
    page: u8,
    token: u8,
    name: String,
    /// What the value begins with.
    #[serde(default)]
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Value {
    #[serde(default)]
    page: u8,
    token: u8,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extension {
    number: u8,
    text: String,
}

/// The language of a file, which lives as long as the program: one is read for a run.
///
/// # Errors
/// The file cannot be read, is no TOML of this shape, or its tokens are none.
pub(super) fn read(file: &Path) -> Result<&'static Language> {
    let shown = file.display();
    let wrong = |what: &dyn std::fmt::Display| {
        Failure::usage(format!("the language in {shown}: {what}"))
            .hint("bindery help convert shows what such a file holds")
    };
    let octets = read_file(file)?;
    let text = String::from_utf8(octets).map_err(|_| wrong(&"not UTF-8"))?;
    let parsed: File = toml::from_str(&text).map_err(|e| wrong(&e))?;
    let language = build(parsed).build().map_err(|e| wrong(&e))?;
    Ok(Box::leak(Box::new(language)))
}

fn build(file: File) -> LanguageBuilder {
    let id = file.id.unwrap_or_else(|| file.root.clone());
    let mut builder = Language::builder(id)
        .root(file.root)
        .fpi(file.fpi.unwrap_or_default())
        .system_id(file.system_id.unwrap_or_default());
    if let Some(number) = file.number {
        builder = builder.number(number);
    }
    for Namespace { page, name } in file.namespace {
        builder = builder.namespace(page, name);
    }
    for Tag { page, token, name, form } in file.tag {
        builder = builder.tag_with(page, token, name, form.into());
    }
    for Attribute { page, token, name, value } in file.attribute {
        builder = builder.attribute(page, token, name, value);
    }
    for Value { page, token, text } in file.value {
        builder = builder.value(page, token, text);
    }
    for Extension { number, text } in file.extension {
        builder = builder.extension(number, text);
    }
    builder
}

impl From<Form> for OpaqueForm {
    fn from(form: Form) -> Self {
        match form {
            Form::Text => Self::Text,
            Form::Base64 => Self::Base64,
            Form::ByType => Self::ByType,
            Form::DateTime => Self::DateTime,
            Form::WvDateTime => Self::WvDateTime,
            Form::WvInteger => Self::WvInteger,
        }
    }
}
