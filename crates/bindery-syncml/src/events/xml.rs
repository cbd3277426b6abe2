//! Events of XML.

use bindery_xml::{self as xml, Reader};
use bytes::Bytes;

use super::space_inside;
use crate::{
    Attribute, ErrorKind, Event, Name, Options, OtherName, Space, Start, Tag, Text, Version,
};

#[inline]
pub(super) fn next(
    reader: &mut Reader<'_>,
    bytes: &Bytes,
    open: &[Name],
    options: &Options,
    version: &mut Option<Version>,
) -> Result<Option<Event>, ErrorKind> {
    loop {
        let event = match reader.next_event() {
            Ok(None) => return Ok(None),
            Ok(Some(event)) => event,
            Err(error) => return Err(ErrorKind::Xml(error)),
        };
        return Ok(Some(match event {
            xml::Event::Start(start) => {
                let name = start.name();
                if open.is_empty()
                    && let Some((_, said)) = Space::of_namespace(name.namespace())
                {
                    *version = said;
                }
                let attributes = start.attributes().map(|a| Attribute {
                    namespace: Text::within(bytes, a.name.namespace()),
                    local: Text::within(bytes, a.name.local()),
                    value: Text::within(bytes, a.value),
                });
                let attributes = attributes.collect();
                let tolerant = options.tolerance.namespaces;
                let declared = start.declarations().any(|(prefix, _)| prefix.is_empty());
                let inherited = !declared && name.prefix().is_none();
                let (namespace, local) = (name.namespace(), name.local());
                let name = resolve(namespace, local, open.last(), inherited, tolerant)?;
                Event::Start(Start { name, attributes })
            }
            xml::Event::End(_) => Event::End,
            xml::Event::Text(text) => Event::Text(Text::within(bytes, text)),
            xml::Event::Cdata(text) => Event::Opaque(Text::within(bytes, text).to_bytes()),
            _ => continue,
        }));
    }
}

/// The name in a vocabulary of ours; where the namespace is not quite right, the one that fits the parent. A namespace
/// that the element itself declares is meant; one that is inherited may have been forgotten.
pub(super) fn resolve(
    namespace: &str,
    local: &str,
    parent: Option<&Name>,
    inherited: bool,
    tolerant: bool,
) -> Result<Name, ErrorKind> {
    let space = Space::of_namespace(namespace).map(|(space, _)| space);
    let inside = space_inside(parent);
    let misnamed = || ErrorKind::Namespace { found: local.chars().take(64).collect() };
    if inherited
        && space == Some(Space::SyncMl)
        && let Some(document) = inside
        && matches!(document, Space::DevInf | Space::Ddf)
        && let Some(tag) = Tag::by_name(document, local)
    {
        return if tolerant { Ok(Name::Tag(tag)) } else { Err(misnamed()) };
    }
    if let Some(tag) = space.and_then(|space| Tag::by_name(space, local)) {
        return Ok(Name::Tag(tag));
    }
    let other = |space: Option<Space>| {
        let namespace = if space.is_some() { Text::default() } else { Text::from(namespace) };
        Name::Other(Box::new(OtherName { space, namespace, local: local.into() }))
    };
    if namespace.is_empty() && matches!(inside, Some(Space::Provisioning | Space::Ddf)) {
        let tag = inside.and_then(|space| Tag::by_name(space, local));
        return Ok(tag.map_or_else(|| other(inside), Name::Tag));
    }
    if namespace.is_empty() && parent.is_none() {
        match local {
            // Neither needs a namespace.
            "wap-provisioningdoc" => return Ok(Name::Tag(Tag::PROV_WAP_PROVISIONINGDOC)),
            "MgmtTree" => return Ok(Name::Tag(Tag::DDF_MGMT_TREE)),
            _ => {}
        }
    }
    let meant = space.is_some() && !inherited;
    match guess(namespace, local, parent, space.is_some()).filter(|_| !meant) {
        None => Ok(other(space)),
        Some(tag) if tolerant => Ok(Name::Tag(tag)),
        Some(_) => Err(misnamed()),
    }
}

/// What a name without a namespace, or with a wrong one of ours, is meant to be.
fn guess(namespace: &str, local: &str, parent: Option<&Name>, ours: bool) -> Option<Tag> {
    let family = ours
        || namespace.is_empty()
        || namespace.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("syncml:"));
    if !family {
        return None;
    }
    let inside = space_inside(parent).unwrap_or(Space::SyncMl);
    if let Some(tag) = Tag::by_name(inside, local) {
        return Some(tag);
    }
    // Documents inside others, whose own namespace is missing.
    match (local, parent) {
        ("DevInf", _) => Some(Tag::DEVINF_DEV_INF),
        ("MgmtTree", _) => Some(Tag::DDF_MGMT_TREE),
        (_, Some(Name::Tag(Tag::DATA))) => Tag::by_name(Space::MetInf, local),
        _ => None,
    }
}
