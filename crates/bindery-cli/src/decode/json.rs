//! A message as JSON, for tools: every item with its offset, tag, type and value.

use bindery_ttlv::{Error, Item, Options, Tag, Value as Ttlv, Walk, hex::Hex};
use jiff::Timestamp;
use serde_json::{Value, json};

/// What stands in the place of a hidden value.
const HIDDEN: &str = "hidden";

/// The message's items; one message gives an array of one.
///
/// # Errors
/// The message is malformed.
pub(crate) fn tree(message: &[u8], options: &Options, show_secrets: bool) -> Result<Value, Error> {
    let mut open: Vec<Open> = Vec::new();
    let mut top = Vec::new();
    let mut attribute = None;
    for visit in Walk::new(message, options) {
        let visit = visit?;
        while open.len() > usize::from(visit.depth) {
            close(&mut open, &mut top);
        }
        let item = visit.item;
        // Key Value and Credential Value are envelopes: their items are judged one by one.
        let envelope = matches!(item.tag, Tag::KEY_VALUE | Tag::CREDENTIAL_VALUE)
            && matches!(item.value, Ttlv::Structure(_));
        let inherited = open.last().is_some_and(|parent| parent.hides);
        let hides = !show_secrets && (inherited || (item.tag.is_secret() && !envelope));
        let node = head(&item);
        if matches!(item.value, Ttlv::Structure(_)) {
            open.push(Open { node, items: Vec::new(), hides });
            attribute = None;
            continue;
        }
        let meaning = if item.tag == Tag::ATTRIBUTE_VALUE { attribute } else { None };
        let node = leaf(node, &item, meaning.unwrap_or(item.tag), hides);
        match open.last_mut() {
            Some(parent) => parent.items.push(node),
            None => top.push(node),
        }
        attribute = match (item.tag, item.value) {
            (Tag::ATTRIBUTE_NAME, Ttlv::TextString(name)) => Tag::from_title(name),
            (Tag::ATTRIBUTE_INDEX, _) => attribute,
            _ => None,
        };
    }
    while !open.is_empty() {
        close(&mut open, &mut top);
    }
    Ok(Value::Array(top))
}

/// A structure whose items are being read.
struct Open {
    node: Node,
    items: Vec<Value>,
    hides: bool,
}

type Node = serde_json::Map<String, Value>;

fn close(open: &mut Vec<Open>, top: &mut Vec<Value>) {
    let Some(Open { mut node, items, .. }) = open.pop() else { return };
    node.insert("items".to_owned(), Value::Array(items));
    match open.last_mut() {
        Some(parent) => parent.items.push(Value::Object(node)),
        None => top.push(Value::Object(node)),
    }
}

fn head(item: &Item<'_>) -> Node {
    let mut node = Node::new();
    node.insert("offset".to_owned(), item.offset.into());
    node.insert("tag".to_owned(), format!("0x{:06x}", item.tag.value()).into());
    node.insert("name".to_owned(), item.tag.name().into());
    node.insert("type".to_owned(), item.value.item_type().name().into());
    node
}

fn leaf(mut node: Node, item: &Item<'_>, tag: Tag, hidden: bool) -> Value {
    if hidden {
        node.insert(HIDDEN.to_owned(), true.into());
        return Value::Object(node);
    }
    let (value, meaning) = match item.value {
        Ttlv::Integer(value) => (value.into(), named(tag, value.cast_unsigned())),
        Ttlv::Enumeration(value) => (value.into(), named(tag, value)),
        Ttlv::LongInteger(value) => (value.into(), None),
        Ttlv::Interval(value) => (value.into(), None),
        Ttlv::Boolean(value) => (value.into(), None),
        Ttlv::TextString(value) => (value.into(), None),
        Ttlv::ByteString(value) | Ttlv::BigInteger(value) => (Hex(value).to_string().into(), None),
        Ttlv::DateTime(value) => (value.into(), time(Timestamp::from_second(value).ok())),
        Ttlv::DateTimeExtended(value) => {
            (value.into(), time(Timestamp::from_microsecond(value).ok()))
        }
        // A structure is no leaf, and the reader gives no type that is not above.
        _ => (Value::Null, None),
    };
    node.insert("value".to_owned(), value);
    if let Some(meaning) = meaning {
        node.insert("meaning".to_owned(), meaning);
    }
    Value::Object(node)
}

fn time(time: Option<Timestamp>) -> Option<Value> {
    time.map(|time| time.to_string().into())
}

/// The name of an enumeration's value, or the names of a mask's bits.
fn named(tag: Tag, value: u32) -> Option<Value> {
    let table = tag.enumeration()?;
    if !table.is_mask() {
        return table.row(value).map(|row| json!(row.name()));
    }
    let bits = table.rows().iter().filter(|row| value & row.value() != 0);
    Some(bits.map(|row| row.name()).collect())
}

#[cfg(test)]
mod tests {
    use bindery_ttlv::hex;

    use super::*;

    const REQUEST: &str = "42000d 02 00000004 00000001 00000000";

    #[test]
    fn an_item_has_offset_tag_type_and_value() {
        let message = hex::parse(REQUEST).unwrap();
        assert_eq!(
            tree(&message, &Options::STRICT, false).unwrap(),
            json!([{
                "offset": 0, "tag": "0x42000d", "name": "BatchCount", "type": "Integer", "value": 1
            }]),
        );
    }

    #[test]
    fn structures_nest_and_key_material_is_hidden() {
        // Key Block / Key Value / Key Material
        let text = "420040 01 00000028 \
                    420042 05 00000004 00000001 00000000 \
                    420045 01 00000010 420043 08 00000008 0102030405060708";
        let message = hex::parse(text).unwrap();
        let hidden = tree(&message, &Options::STRICT, false).unwrap();
        assert_eq!(hidden[0]["items"][0]["meaning"], "Raw");
        assert_eq!(hidden[0]["items"][1]["items"][0]["hidden"], true);
        assert!(!hidden.to_string().contains("0102030405"));
        let shown = tree(&message, &Options::STRICT, true).unwrap();
        assert_eq!(shown[0]["items"][1]["items"][0]["value"], "0102030405060708");
    }
}
