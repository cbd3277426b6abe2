//! bindery-kmip: the attributes' rules, and the type of their values.

use std::fmt::Write as _;
use std::path::Path;

use super::{Generated, csv, names};

const CRATE: &str = "crates/bindery-kmip";
const COLUMNS: [&str; 13] = [
    "name",
    "type",
    "always",
    "set_by",
    "template",
    "server_changes",
    "client_changes",
    "client_deletes",
    "multiple",
    "applies_to",
    "since",
    "section",
    "note",
];

/// Every object type of KMIP 1.0 to 1.4: what `all` stands for.
const ALL: &str = "Certificate|Symmetric Key|Public Key|Private Key|Split Key|Template|Secret Data|Opaque Object|PGP Key";

struct Attribute {
    name: String,
    /// `ItemType::` variant.
    item_type: &'static str,
    /// The Rust type of the value; `None` for a structure without one.
    value: Option<String>,
    /// The registry's enumeration.
    enumeration: Option<String>,
    /// The fields of the row behind the enumeration, as Rust.
    rest: String,
    section: String,
    since: String,
    note: String,
}

pub(super) fn generate(root: &Path) -> Result<Vec<Generated>, String> {
    let path = root.join(CRATE).join("registry/attributes.csv");
    let mut attributes = Vec::new();
    for (line, cells) in csv::read(&path, COLUMNS)? {
        let attribute = read(cells).map_err(|e| format!("{}: line {line}: {e}", path.display()))?;
        attributes.push(attribute);
    }
    let source = Path::new(CRATE).join("src");
    Ok(vec![
        Generated { path: source.join("registry/attributes.rs"), text: rows_file(&attributes) },
        Generated {
            path: source.join("message/attribute/value.rs"),
            text: value_file(&attributes),
        },
    ])
}

fn read(cells: [String; 13]) -> Result<Attribute, String> {
    let [
        name,
        kind,
        always,
        set_by,
        template,
        server,
        client,
        deletes,
        multiple,
        applies,
        since,
        section,
        note,
    ] = cells;
    let (item_type, value, enumeration) = value_type(&kind)?;
    let applies = if applies == "all" { ALL } else { &applies };
    let applies: Vec<String> =
        applies.split('|').map(|name| format!("ObjectType::{}", names::constant(name))).collect();
    let (major, minor) = since
        .split_once('.')
        .filter(|(major, minor)| matches!(*major, "1" | "2") && minor.len() == 1)
        .ok_or_else(|| format!("{since} is no version 1.x or 2.x"))?;
    let rest = format!(
        "always: {}, set_by: {}, template: {}, server_changes: {}, client_changes: {}, client_deletes: {}, \
         multiple: {}, applies_to: &[{}], since: ProtocolVersion::new({major}, {minor}), section: \"{section}\",",
        yes(&always)?,
        match set_by.as_str() {
            "server" => "SetBy::Server",
            "client" => "SetBy::Client",
            "both" => "SetBy::Both",
            other => return Err(format!("set_by is server, client or both, not {other}")),
        },
        yes(&template)?,
        change(&server)?,
        change(&client)?,
        change(&deletes)?,
        yes(&multiple)?,
        applies.join(", "),
    );
    Ok(Attribute { name, item_type, value, enumeration, rest, section, since, note })
}

/// Item type, Rust type and enumeration of a cell such as `Enumeration State`.
fn value_type(kind: &str) -> Result<(&'static str, Option<String>, Option<String>), String> {
    let plain = |item, rust: &str| Ok((item, Some(rust.to_owned()), None));
    match kind {
        "Text String" => return plain("TextString", "Text"),
        "Byte String" => return plain("ByteString", "Bytes"),
        "Integer" => return plain("Integer", "i32"),
        "Boolean" => return plain("Boolean", "bool"),
        "Date-Time" => return plain("DateTime", "DateTime"),
        "Interval" => return plain("Interval", "Interval"),
        "Structure" => return Ok(("Structure", None, None)),
        _ => {}
    }
    let (item, name) = kind.split_once(' ').ok_or_else(|| format!("{kind} is no type"))?;
    let rust = names::type_name(name);
    match item {
        "Enumeration" => Ok(("Enumeration", Some(rust.clone()), Some(rust))),
        "Mask" => Ok(("Integer", Some(rust.clone()), Some(rust))),
        "Structure" => Ok(("Structure", Some(rust), None)),
        _ => Err(format!("{kind} is no type")),
    }
}

fn yes(cell: &str) -> Result<bool, String> {
    match cell {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(format!("expected yes or no, found {other}")),
    }
}

fn change(cell: &str) -> Result<&'static str, String> {
    Ok(match cell {
        "no" => "Change::No",
        "yes" => "Change::Yes",
        "pre-active" => "Change::PreActive",
        "pre-active or active" => "Change::PreActiveOrActive",
        "unallocated" => "Change::Unallocated",
        "generated" => "Change::Generated",
        other => return Err(format!("{other} is no rule for a change")),
    })
}

fn header(about: &str) -> String {
    format!(
        "// @generated by cargo xtask codegen from registry/attributes.csv; do not edit by hand.\n\n//! {about}\n\n"
    )
}

fn rows_file(attributes: &[Attribute]) -> String {
    let mut text = header("The standard attributes of KMIP 1.0 to 2.1.");
    let mut imports: Vec<&str> =
        attributes.iter().filter_map(|a| a.enumeration.as_deref()).chain(["ObjectType"]).collect();
    imports.sort_unstable();
    imports.dedup();
    let _ = write!(
        text,
        "use bindery_ttlv::{{ItemType, ProtocolVersion, registry::{{{}}}}};\n\n\
         use super::{{AttributeRow, Change, SetBy}};\n\n\
         /// Every row, in the order of the specification.\n\
         pub(super) static ROWS: &[AttributeRow] = &[",
        imports.join(", ")
    );
    for attribute in attributes {
        let enumeration = match &attribute.enumeration {
            Some(name) => format!("Some({name}::REGISTRY)"),
            None => "None".to_owned(),
        };
        let Attribute { name, item_type, rest, .. } = attribute;
        let _ = write!(
            text,
            "AttributeRow {{ name: \"{name}\", item_type: ItemType::{item_type}, enumeration: {enumeration}, {rest} }},"
        );
    }
    let mut order: Vec<usize> = (0..attributes.len()).collect();
    order.sort_by_key(|at| attributes.get(*at).map(|attribute| &attribute.name));
    let order: Vec<String> = order.iter().map(usize::to_string).collect();
    let _ = write!(
        text,
        "];\n\n/// The rows' places, by name.\npub(super) static BY_NAME: &[u16] = &[{}];\n",
        order.join(", ")
    );
    text
}

/// The attributes whose value has a type, with the variant's name and the type.
fn typed(attributes: &[Attribute]) -> impl Iterator<Item = (&Attribute, String, &str)> {
    attributes.iter().filter_map(|attribute| {
        let variant = attribute.name.replace('#', " ");
        Some((attribute, names::type_name(&variant), attribute.value.as_deref()?))
    })
}

fn value_file(attributes: &[Attribute]) -> String {
    let mut text = header("The value of an attribute, by its name.");
    text.push_str(&value_imports(attributes));
    text.push_str(
        "/// The value of an attribute; the variant stands for the Attribute Name.\n\
         #[derive(Clone, Debug, PartialEq, Eq)]\n#[non_exhaustive]\npub enum AttributeValue {",
    );
    for (attribute, variant, value) in typed(attributes) {
        let Attribute { name, section, since, note, .. } = attribute;
        let note = if note.is_empty() { String::new() } else { format!("; {note}") };
        let since = if since == "1.0" { String::new() } else { format!(", since {since}") };
        let value = if boxed(value) { format!("Box<{value}>") } else { value.to_owned() };
        let _ = write!(text, "/// {name} (section {section}{since}){note}.\n{variant}({value}),\n");
    }
    text.push_str(
        "/// An attribute that has no variant: a custom one (`x-`, `y-`), a newer one, a structure\n\
         /// that is kept as it stood or that leaves out fields, as Locate may.\n\
         Other(Text, RawValue),\n\
         /// A vendor's attribute in the form of KMIP 2.x.\nVendor(Box<VendorAttribute>),\n\
         /// A name without a value: Notify says so that an attribute was deleted.\nAbsent(Text),\n}\n\n",
    );
    text.push_str(&value_methods(attributes));
    for (_, variant, value) in typed(attributes) {
        let alone = typed(attributes).filter(|(_, _, other)| *other == value).count() == 1;
        if alone {
            let inner = if boxed(value) { "Box::new(value)" } else { "value" };
            let _ = write!(
                text,
                "\nimpl From<{value}> for AttributeValue {{ fn from(value: {value}) -> Self {{ \
                 Self::{variant}({inner}) }} }}\n"
            );
        }
    }
    text
}

/// Large structures, which would make every attribute large.
fn boxed(value: &str) -> bool {
    matches!(value, "CryptographicParameters" | "Digest" | "UsageLimits" | "RevocationReason")
}

fn value_imports(attributes: &[Attribute]) -> String {
    let sorted = |keep: &dyn Fn(&Attribute) -> Option<String>| {
        let mut all: Vec<String> = attributes.iter().filter_map(keep).collect();
        all.sort_unstable();
        all.dedup();
        all.join(", ")
    };
    let registry = sorted(&|a| a.enumeration.clone());
    let structures = sorted(&|a| a.value.clone().filter(|_| a.item_type == "Structure"));
    format!(
        "use bindery_ttlv::{{DateTime, Element, Encode, Error, Interval, RawValue, Tag, Text, Writer, \
         registry::{{{registry}}}}};\nuse bytes::Bytes;\n\nuse super::structures::{{{structures}, VendorAttribute}};\n\n"
    )
}

fn value_methods(attributes: &[Attribute]) -> String {
    let mut text = String::from(
        "impl AttributeValue {\n/// The Attribute Name.\n#[expect(clippy::too_many_lines, reason = \"a table of the attributes\")]\npub fn name(&self) -> &str { match self {",
    );
    for (attribute, variant, _) in typed(attributes) {
        let _ = write!(text, "Self::{variant}(_) => \"{}\",", attribute.name);
    }
    text.push_str(
        "Self::Other(name, _) | Self::Absent(name) => name,\n\
         Self::Vendor(vendor) => &vendor.attribute_name,}}\n\n\
         /// The value of a named attribute; `None` if the name has no variant.\n\
         #[expect(clippy::too_many_lines, reason = \"a table of the attributes\")]\n         pub(super) fn decode_named(name: &str, element: Element<'_>) -> Result<Option<Self>, Error> {\n\
         Ok(Some(match name {",
    );
    for (attribute, variant, _) in typed(attributes) {
        let _ = write!(text, "\"{}\" => Self::{variant}(element.decode()?),", attribute.name);
    }
    text.push_str(
        "_ => return Ok(None),}))}\n\n\
         /// Writes the value under a tag, if there is one.\n\
         #[expect(clippy::too_many_lines, reason = \"a table of the attributes\")]\n         pub(super) fn encode_value(&self, tag: Tag, writer: &mut Writer<'_>) { match self {",
    );
    for (_, variant, _) in typed(attributes) {
        let _ = write!(text, "Self::{variant}(value) => value.encode(tag, writer),");
    }
    text.push_str(
        "Self::Other(_, value) => value.encode(tag, writer),\n\
         Self::Vendor(vendor) => vendor.attribute_value.encode(tag, writer), Self::Absent(_) => {}}}}\n",
    );
    text
}
