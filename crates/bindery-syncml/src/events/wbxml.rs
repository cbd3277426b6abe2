//! Events of WBXML.

use bindery_wbxml::{self as wbxml, Reader};
use bytes::Bytes;

use super::space_inside;
use super::xml::resolve;
use crate::{
    Attribute, Error, ErrorKind, Event, Name, Options, Place, Space, Start, Tag, Text, Version,
    text,
};

/// A reader by the language that the document names.
pub(super) fn open<'a>(bytes: &'a Bytes, options: &Options) -> Result<Reader<'a>, Error> {
    let fault = |error: wbxml::Error| {
        let place = Place { offset: error.offset() as u64, line: None };
        Error::new(ErrorKind::Wbxml(error), place, &[])
    };
    let read = options.wbxml();
    let reader = Reader::with_options(bytes, &read).map_err(fault)?;
    if reader.language().is_some() {
        return Ok(reader);
    }
    if !options.tolerance.public_id {
        return Err(Error::new(ErrorKind::PublicId, Place::default(), &[]));
    }
    let language = nearly(&reader).unwrap_or(&wbxml::languages::SYNCML12);
    let read = read.with_language(language);
    Reader::with_options(bytes, &read).map_err(fault)
}

/// The language whose formal identifier differs from the document's by capitals only.
pub(crate) fn nearly(reader: &Reader<'_>) -> Option<&'static wbxml::Language> {
    let wbxml::PublicId::Text { text, .. } = &reader.prologue().public_id else { return None };
    let same = |l: &&wbxml::Language| l.fpi().is_some_and(|fpi| fpi.eq_ignore_ascii_case(text));
    wbxml::Language::all().iter().copied().find(same)
}

/// The vocabulary of a page of a language; `None` where it is none of ours.
fn space(reader: &Reader<'_>, page: u8) -> Option<Space> {
    let language = reader.language().map_or("", wbxml::Language::id);
    Some(match (language.get(..6), page) {
        (Some("syncml"), 0) => Space::SyncMl,
        (Some("syncml" | "metinf"), 1) => Space::MetInf,
        (Some("syncml" | "dmddf1"), 2) => Space::Ddf,
        (Some("devinf"), 0) => Space::DevInf,
        (Some("prov10"), 0 | 1) => Space::Provisioning,
        _ => return None,
    })
}

#[inline]
pub(super) fn next(
    reader: &mut Reader<'_>,
    bytes: &Bytes,
    open: &[Name],
) -> Result<Option<Event>, ErrorKind> {
    loop {
        let event = match reader.next() {
            None => return Ok(None),
            Some(Err(error)) => return Err(ErrorKind::Wbxml(error)),
            Some(Ok(event)) => event,
        };
        return Ok(Some(match event {
            wbxml::Event::Text(text) => Event::Text(Text::within(bytes, &text.value)),
            wbxml::Event::EndElement(_) => Event::End,
            wbxml::Event::StartElement(start) => return self::start(reader, start, open).map(Some),
            wbxml::Event::Opaque(octets) => Event::Opaque(
                text::slice(bytes, octets).unwrap_or_else(|| Bytes::copy_from_slice(octets)),
            ),
            wbxml::Event::Entity(c) => Event::Text(Text::from(c.encode_utf8(&mut [0; 4]) as &str)),
            wbxml::Event::Extension(_) => return Err(ErrorKind::Extension),
            wbxml::Event::Instruction(_) => {
                instruction(reader)?;
                continue;
            }
            _ => continue,
        }));
    }
}

/// A processing instruction is passed over.
fn instruction(reader: &mut Reader<'_>) -> Result<(), ErrorKind> {
    for event in reader {
        match event {
            Err(error) => return Err(ErrorKind::Wbxml(error)),
            Ok(wbxml::Event::EndInstruction) => break,
            Ok(_) => {}
        }
    }
    Ok(())
}

#[inline]
fn start(
    reader: &mut Reader<'_>,
    start: wbxml::StartElement<'_>,
    open: &[Name],
) -> Result<Event, ErrorKind> {
    let (mut attributes, mut namespace) = (Vec::new(), None);
    if start.attributes {
        (attributes, namespace) = self::attributes(reader)?;
    }
    let name = match &start.name {
        wbxml::Name::Token { page, token, .. } => {
            let tag = space(reader, *page).and_then(|space| Tag::by_token(space, *token));
            tag.map_or(Name::Token { page: *page, token: *token }, Name::Tag)
        }
        wbxml::Name::Literal { name, .. } => literal(name, namespace.as_deref(), open.last())?,
        _ => return Err(ErrorKind::PublicId),
    };
    Ok(Event::Start(Start { name, attributes }))
}

/// A name of the string table: in the namespace that an attribute says, otherwise in that of the parent.
fn literal(name: &str, namespace: Option<&str>, parent: Option<&Name>) -> Result<Name, ErrorKind> {
    let outer = || match parent {
        Some(Name::Other(parent)) if parent.space.is_none() => parent.namespace.as_str(),
        parent => space_inside(parent).map_or("", |space| space.namespace(Version::V1_2)),
    };
    resolve(namespace.unwrap_or_else(outer), name, parent, namespace.is_none(), true)
}

/// The attributes up to the end of the list, and the default namespace that they declare.
fn attributes(reader: &mut Reader<'_>) -> Result<(Vec<Attribute>, Option<String>), ErrorKind> {
    let mut found: Vec<(String, String)> = Vec::new();
    loop {
        let event = match reader.next() {
            None => break,
            Some(Err(error)) => return Err(ErrorKind::Wbxml(error)),
            Some(Ok(event)) => event,
        };
        let mut piece = |text: &str| {
            if let Some((_, value)) = found.last_mut() {
                value.push_str(text);
            }
        };
        match event {
            wbxml::Event::Attribute(start) => {
                found.push((start.name.to_string(), start.prefix.to_owned()));
            }
            wbxml::Event::AttributeValue(value) => piece(value.text.unwrap_or_default()),
            wbxml::Event::Text(text) => piece(&text.value),
            wbxml::Event::Entity(c) => piece(c.encode_utf8(&mut [0; 4])),
            wbxml::Event::Opaque(octets) => {
                piece(std::str::from_utf8(octets).map_err(|_| ErrorKind::Octets)?);
            }
            wbxml::Event::Extension(_) => return Err(ErrorKind::Extension),
            wbxml::Event::EndAttributes => break,
            _ => {}
        }
    }
    let namespace = found.iter().find(|(name, _)| name == "xmlns").map(|(_, value)| value.clone());
    let prefixes: Vec<_> = found
        .iter()
        .filter_map(|(n, v)| Some((n.strip_prefix("xmlns:")?.to_owned(), v.clone())))
        .collect();
    let own = found.into_iter().filter(|(n, _)| n != "xmlns" && !n.starts_with("xmlns:"));
    let attributes = own.map(|(name, value)| {
        let split = name.split_once(':');
        let declared = split.and_then(|(prefix, local)| {
            prefixes.iter().find(|(p, _)| p == prefix).map(|(_, uri)| (uri.as_str(), local))
        });
        let (namespace, local) = declared.unwrap_or(("", &name));
        Attribute { namespace: namespace.into(), local: local.into(), value: value.into() }
    });
    Ok((attributes.collect(), namespace))
}
