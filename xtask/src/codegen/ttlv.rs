//! bindery-ttlv: tags, enumerations and bit masks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::{Generated, csv, names};

const CRATE: &str = "crates/bindery-ttlv";

/// Enumerations that are bit masks (an Integer on the wire).
const MASKS: [&str; 3] =
    ["Cryptographic Usage Mask", "Protection Storage Mask", "Storage Status Mask"];

/// Enumerations whose own name is taken by a field that usually holds something else.
const SUFFIXED: [&str; 3] = ["Data", "Item Type", "Unique Identifier"];

struct Tag {
    value: u32,
    title: String,
    name: String,
    since: (u8, u8),
    until: (u8, u8),
    enumeration: Option<String>,
}

struct Member {
    value: u32,
    title: String,
    name: String,
    since: (u8, u8),
    until: (u8, u8),
    note: String,
}

/// Enumeration name to members, in the order of the table.
type Enumerations = Vec<(String, Vec<Member>)>;

pub(super) fn generate(root: &Path) -> Result<Vec<Generated>, String> {
    let registry = root.join(CRATE).join("registry");
    let enumerations = read_enumerations(&registry.join("enumerations.csv"))?;
    let tags = read_tags(&registry, &enumerations)?;
    let source = Path::new(CRATE).join("src/registry");
    Ok(vec![
        Generated { path: source.join("tags.rs"), text: tags_file(&tags) },
        Generated {
            path: source.join("enumerations.rs"),
            text: enumerations_file(&tags, &enumerations)?,
        },
        Generated {
            path: source.join("fields.rs"),
            text: fields_file(&registry.join("fields.csv"), &tags, &enumerations)?,
        },
    ])
}

fn read_tags(registry: &Path, enumerations: &Enumerations) -> Result<Vec<Tag>, String> {
    let path = registry.join("tags.csv");
    let mut tags = Vec::new();
    let columns = ["tag_hex", "name", "camel_case", "first_version", "last_version", "note"];
    for (line, [hex, title, name, first, last, _]) in csv::read(&path, columns)? {
        let fail = |e: String| format!("{}: line {line}: {e}", path.display());
        let value = u32::from_str_radix(&hex, 16).map_err(|e| fail(e.to_string()))?;
        let since = version(&first).map_err(fail)?;
        let until = version(&last).map_err(fail)?;
        let enumeration = enumerations.iter().find(|(n, _)| *n == title).map(|(n, _)| n.clone());
        tags.push(Tag { value, title, name, since, until, enumeration });
    }
    let path = registry.join("tag-enumerations.csv");
    for (line, [name, enumeration, _]) in csv::read(&path, ["tag", "enumeration", "note"])? {
        let fail = |e: String| format!("{}: line {line}: {e}", path.display());
        let tag = tags.iter_mut().find(|tag| tag.name == name);
        let tag = tag.ok_or_else(|| fail(format!("{name} is no tag of tags.csv")))?;
        if !enumerations.iter().any(|(n, _)| *n == enumeration) {
            return Err(fail(format!("{enumeration} is no enumeration of enumerations.csv")));
        }
        tag.enumeration = Some(enumeration);
    }
    tags.sort_by_key(|tag| tag.value);
    unique("tags.csv", tags.iter().map(|tag| format!("{:06X}", tag.value)))?;
    unique("tags.csv", tags.iter().map(|tag| names::constant(&tag.title)))?;
    Ok(tags)
}

fn read_enumerations(path: &Path) -> Result<Enumerations, String> {
    let mut order = Vec::new();
    let mut by_name: BTreeMap<String, Vec<Member>> = BTreeMap::new();
    let columns = [
        "enumeration",
        "member",
        "camel_case",
        "value_hex",
        "first_version",
        "last_version",
        "note",
    ];
    for (line, [enumeration, title, name, hex, first, last, note]) in csv::read(path, columns)? {
        let fail = |e: String| format!("{}: line {line}: {e}", path.display());
        let value = u32::from_str_radix(&hex, 16).map_err(|e| fail(e.to_string()))?;
        let since = version(&first).map_err(fail)?;
        let until = version(&last).map_err(fail)?;
        if !by_name.contains_key(&enumeration) {
            order.push(enumeration.clone());
        }
        by_name.entry(enumeration).or_default().push(Member {
            value,
            title,
            name,
            since,
            until,
            note,
        });
    }
    let mut out = Vec::new();
    for enumeration in order {
        let mut members = by_name.remove(&enumeration).unwrap_or_default();
        members.sort_by_key(|member| member.value);
        unique(&enumeration, members.iter().map(|member| format!("{:08X}", member.value)))?;
        unique(&enumeration, members.iter().map(|member| names::constant(&member.title)))?;
        unique(&enumeration, members.iter().map(|member| member.name.clone()))?;
        out.push((enumeration, members));
    }
    Ok(out)
}

fn unique(place: &str, keys: impl Iterator<Item = String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for key in keys {
        if !seen.insert(key.clone()) {
            return Err(format!("{place}: {key} stands there twice"));
        }
    }
    Ok(())
}

fn version(text: &str) -> Result<(u8, u8), String> {
    let parts = text
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    parts.ok_or_else(|| format!("\"{text}\" is no version like 1.4"))
}

fn head(tables: &str, doc: &str) -> String {
    format!(
        "// @generated by cargo xtask codegen from {tables}; do not edit by hand.\n\n//! {doc}\n\n"
    )
}

/// The positions of `keys` in the order of the keys.
fn order(keys: impl Iterator<Item = String>) -> String {
    let mut keys: Vec<(String, usize)> = keys.zip(0..).collect();
    keys.sort();
    let positions: Vec<String> = keys.iter().map(|(_, position)| position.to_string()).collect();
    positions.join(", ")
}

fn row(value: u32, name: &str, title: &str, since: (u8, u8), until: (u8, u8)) -> String {
    let ((a, b), (c, d)) = (since, until);
    format!("Row::new({value:#X}, \"{name}\", \"{title}\", ({a}, {b}), ({c}, {d}))")
}

fn tags_file(tags: &[Tag]) -> String {
    let mut out =
        head("registry/tags.csv and registry/tag-enumerations.csv", "The tags of KMIP 1.0 to 3.0.");
    out += "use super::{Row, enumerations, Enumeration};\nuse crate::Tag;\n\nimpl Tag {\n";
    for tag in tags {
        let constant = names::constant(&tag.title);
        let ((a, b), (c, d)) = (tag.since, tag.until);
        let range =
            if (a, b) == (c, d) { format!("{a}.{b}") } else { format!("{a}.{b} to {c}.{d}") };
        let _ = writeln!(
            out,
            "/// {}: KMIP {range}.\npub const {constant}: Self = Self({:#X});",
            tag.title, tag.value
        );
    }
    out += "}\n\n/// Every tag, by value.\n#[rustfmt::skip]\n";
    let _ = writeln!(out, "pub(super) static ROWS: [Row; {}] = [", tags.len());
    for tag in tags {
        let _ =
            writeln!(out, "    {},", row(tag.value, &tag.name, &tag.title, tag.since, tag.until));
    }
    out += "];\n\n/// Positions in `ROWS`, by CamelCase name.\n";
    let by_name = order(tags.iter().map(|tag| tag.name.clone()));
    let by_title = order(tags.iter().map(|tag| tag.title.clone()));
    let _ = writeln!(out, "pub(super) static BY_NAME: [u16; {}] = [{by_name}];\n", tags.len());
    out += "/// Positions in `ROWS`, by the name with spaces.\n";
    let _ = writeln!(out, "pub(super) static BY_TITLE: [u16; {}] = [{by_title}];\n", tags.len());
    let pairs: Vec<_> =
        tags.iter().filter_map(|tag| Some((tag, tag.enumeration.as_ref()?))).collect();
    out += "/// The enumerations and masks that the values of tags belong to, by tag.\n";
    let _ =
        writeln!(out, "pub(super) static ENUMERATIONS: [(Tag, &Enumeration); {}] = [", pairs.len());
    for (tag, enumeration) in pairs {
        let constant = names::constant(&tag.title);
        let _ =
            writeln!(out, "(Tag::{constant}, enumerations::{}::REGISTRY),", rust_type(enumeration));
    }
    out += "];\n";
    out
}

/// The fields that stand in their structures in some versions only: looked up by structure, operation and field.
fn fields_file(path: &Path, tags: &[Tag], enumerations: &Enumerations) -> Result<String, String> {
    let columns = ["structure", "operation", "field", "first_version", "last_version", "note"];
    let mut rows = Vec::new();
    for (line, [structure, operation, field, first, last, _]) in csv::read(path, columns)? {
        let fail = |e: String| format!("{}: line {line}: {e}", path.display());
        let tag = |title: &str| {
            let tag = tags.iter().find(|tag| tag.title == title);
            tag.ok_or_else(|| fail(format!("{title} is no tag of tags.csv")))
        };
        let member = || {
            let (_, members) = enumerations.iter().find(|(name, _)| name == "Operation")?;
            members.iter().find(|member| member.title == operation)
        };
        let (structure, field) = (tag(&structure)?, tag(&field)?);
        let code = match (operation.as_str(), member()) {
            ("", _) => 0,
            (_, Some(member)) => member.value,
            _ => return Err(fail(format!("{operation} is no operation of enumerations.csv"))),
        };
        let ((a, b), (c, d)) = (version(&first).map_err(fail)?, version(&last).map_err(fail)?);
        let text = format!(
            "FieldRow::new(Tag::{}, {code:#X}, Tag::{}, ({a}, {b}), ({c}, {d})),",
            names::constant(&structure.title),
            names::constant(&field.title)
        );
        rows.push(((structure.value, code, field.value), text));
    }
    rows.sort();
    unique("fields.csv", rows.iter().map(|(key, _)| format!("{key:X?}")))?;
    let mut out = head(
        "registry/fields.csv",
        "Fields that their structures have in some versions of KMIP only.",
    );
    out += "use super::FieldRow;\nuse crate::Tag;\n\n/// By structure, operation and field.\n#[rustfmt::skip]\n";
    let _ = writeln!(out, "static ROWS: [FieldRow; {}] = [", rows.len());
    for (_, text) in rows {
        let _ = writeln!(out, "    {text}");
    }
    out += "];\n\n/// The row of a field, if its structure does not have it in every version.\n\
            pub(crate) fn row(structure: Tag, operation: u32, field: Tag) -> Option<&'static FieldRow> {\n\
            let key = (structure, operation, field);\n\
            ROWS.binary_search_by_key(&key, FieldRow::key).ok().and_then(|at| ROWS.get(at))\n}\n";
    Ok(out)
}

fn rust_type(enumeration: &str) -> String {
    let suffix = if SUFFIXED.contains(&enumeration) { "Enumeration" } else { "" };
    names::type_name(enumeration) + suffix
}

fn enumerations_file(tags: &[Tag], enumerations: &Enumerations) -> Result<String, String> {
    for mask in MASKS {
        if !enumerations.iter().any(|(name, _)| name == mask) {
            return Err(format!("enumerations.csv: {mask} is missing"));
        }
    }
    let mut out =
        head("registry/enumerations.csv", "The enumerations and bit masks of KMIP 1.0 to 3.0.");
    out += "use super::{enumeration, mask};\n\n";
    for (name, members) in enumerations {
        let mask = MASKS.contains(&name.as_str());
        let _ = writeln!(out, "{}! {{", if mask { "mask" } else { "enumeration" });
        let camel = names::type_name(name);
        let tag = tags.iter().find(|tag| tag.title == *name);
        let display = tag.map_or(camel, |tag| tag.name.clone());
        let what = if mask { "bit mask (an Integer on the wire)" } else { "enumeration" };
        let _ = writeln!(out, "    /// {name} {what}; values without a name are kept.");
        let _ = writeln!(out, "    {} \"{display}\"", rust_type(name));
        match tag {
            Some(tag) => _ = writeln!(out, "    [{}]", names::constant(&tag.title)),
            None => out += "    []\n",
        }
        let _ = writeln!(out, "    by_name [{}]", order(members.iter().map(|m| m.name.clone())));
        for m in members {
            let ((a, b), (c, d)) = (m.since, m.until);
            let range =
                if (a, b) == (c, d) { format!("{a}.{b}") } else { format!("{a}.{b} to {c}.{d}") };
            let note = if m.note.is_empty() { String::new() } else { format!("; {}", m.note) };
            let _ = writeln!(out, "    /// {}: KMIP {range}{note}.", m.title);
            let _ = writeln!(
                out,
                "    {} = {:#X}, \"{}\", \"{}\", ({a}, {b}), ({c}, {d});",
                names::constant(&m.title),
                m.value,
                m.name,
                m.title
            );
        }
        out += "}\n\n";
    }
    Ok(out)
}
