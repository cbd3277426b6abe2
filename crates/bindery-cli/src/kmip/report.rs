//! From the payload of a response to what is printed.

use bindery_kmip::message::{
    Attribute, GetAttributesResponse, GetResponse, KeyValue, ManagedObject, QueryResponse,
    ResponsePayload, UniqueIdentifier,
};
use bindery_ttlv::{Options, Text, to_bytes};
use serde_json::{Map, Value, json};

use crate::{
    decode::json_tree,
    output::{Document, hex, pairs},
};

/// The document of an answer; `message` is the whole response as it came.
pub(crate) fn document(payload: &ResponsePayload, message: &[u8], show_secrets: bool) -> Document {
    match payload {
        ResponsePayload::Get(response) => return get(response, show_secrets),
        ResponsePayload::GetAttributes(response) => {
            return attributes(response, show_secrets).with_octets(message, false);
        }
        ResponsePayload::Query(response) => return query(response).with_octets(message, false),
        _ => {}
    }
    let document = match payload {
        ResponsePayload::Create(answer) => one_object(
            "created",
            json!({
                "unique_identifier": answer.unique_identifier.to_string(),
                "object_type": answer.object_type.to_string(),
            }),
        ),
        ResponsePayload::Register(answer) => changed("registered", &answer.unique_identifier),
        ResponsePayload::Activate(answer) => changed("activated", &answer.unique_identifier),
        ResponsePayload::Revoke(answer) => changed("revoked", &answer.unique_identifier),
        ResponsePayload::Destroy(answer) => changed("destroyed", &answer.unique_identifier),
        ResponsePayload::Locate(answer) => {
            let found: Vec<String> =
                answer.unique_identifiers.iter().map(ToString::to_string).collect();
            let text = if found.is_empty() { "none found".to_owned() } else { found.join("\n") };
            Document::new(
                json!({ "unique_identifiers": found, "located_items": answer.located_items }),
                text,
            )
        }
        ResponsePayload::GetAttributeList(answer) => {
            let uid = answer.unique_identifier.to_string();
            let names = answer.clone().into_names();
            let names: Vec<&str> = names.iter().map(Text::as_str).collect();
            let json = json!({ "unique_identifier": uid, "attribute_names": names });
            Document::new(json, names.join("\n"))
        }
        ResponsePayload::DiscoverVersions(answer) => {
            let versions: Vec<String> =
                answer.protocol_versions.iter().map(ToString::to_string).collect();
            Document::new(json!({ "protocol_versions": versions }), versions.join("\n"))
        }
        other => {
            let name = other.operation().to_string();
            Document::new(json!({ "operation": name }), name)
        }
    };
    document.with_octets(message, false)
}

fn changed(word: &str, unique_identifier: &UniqueIdentifier) -> Document {
    one_object(word, json!({ "unique_identifier": unique_identifier.to_string() }))
}

/// `created  SymmetricKey  01980c3e-..`
fn one_object(word: &str, mut json: Value) -> Document {
    let member = |name: &str| json.get(name).and_then(Value::as_str);
    let kind = member("object_type").map(|kind| format!("{kind}  ")).unwrap_or_default();
    let uid = member("unique_identifier").unwrap_or_default();
    let text = format!("{word}  {kind}{}", crate::output::clean(uid));
    if let Value::Object(members) = &mut json {
        members.insert("result".to_owned(), word.into());
    }
    Document::new(json, text)
}

fn get(response: &GetResponse, show_secrets: bool) -> Document {
    let object = &response.object;
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("unique_identifier", response.unique_identifier.to_string().into());
    put("object_type", response.object_type.to_string().into());
    if let Some(block) = object.key_block() {
        put("key_format_type", block.key_format_type.to_string().into());
        if let Some(algorithm) = block.cryptographic_algorithm {
            put("algorithm", algorithm.to_string().into());
        }
        if let Some(bits) = block.cryptographic_length {
            put("key_bits", bits.into());
        }
        if matches!(block.key_value, Some(KeyValue::Wrapped(_))) {
            put("wrapped", true.into());
        }
    }
    let (value, secret) = value(object);
    let shown = match value {
        Some(octets) if secret && !show_secrets => {
            format!("<{} octets, hidden; --show-secrets>", octets.len())
        }
        Some(octets) => hex(octets),
        None => "<none in one piece; --show-secrets -v shows the message>".to_owned(),
    };
    match value {
        Some(octets) if !secret || show_secrets => put("value", hex(octets).into()),
        Some(octets) => {
            put("value", Value::Null);
            put("hidden_octets", octets.len().into())
        }
        None => put("value", Value::Null),
    };
    let rows =
        members.iter().filter(|(name, _)| !matches!(name.as_str(), "value" | "hidden_octets"));
    let rows = rows.map(|(name, value)| (name.replace('_', " "), plain(value)));
    let text = pairs(rows.chain([("value".to_owned(), shown)]));
    let document = Document::new(Value::Object(members), text);
    match value {
        Some(octets) => document.with_octets(octets, secret),
        None => document,
    }
}

/// An object's own octets, and whether they are secret.
fn value(object: &ManagedObject) -> (Option<&[u8]>, bool) {
    match object {
        ManagedObject::Certificate(certificate) => (Some(&certificate.certificate_value), false),
        ManagedObject::OpaqueObject(opaque) => (Some(opaque.opaque_data_value.expose()), true),
        ManagedObject::PublicKey(key) => {
            (key.key_block.octets().map(bindery_kmip::Secret::expose), false)
        }
        other => {
            let block = other.key_block();
            let wrapped = block.and_then(|block| match &block.key_value {
                Some(KeyValue::Wrapped(octets)) => Some(octets),
                _ => None,
            });
            let octets = block.and_then(|block| block.octets()).or(wrapped);
            (octets.map(bindery_kmip::Secret::expose), true)
        }
    }
}

fn attributes(response: &GetAttributesResponse, show_secrets: bool) -> Document {
    let rows: Vec<(String, Value)> = response
        .attributes
        .iter()
        .map(|attribute| {
            let index = attribute.index.filter(|index| *index > 0);
            let index = index.map(|index| format!(" [{index}]")).unwrap_or_default();
            (format!("{}{index}", attribute.name()), attribute_json(attribute, show_secrets))
        })
        .collect();
    let text = pairs(rows.iter().map(|(name, value)| (crate::output::clean(name), plain(value))));
    let list: Vec<Value> = response
        .attributes
        .iter()
        .zip(&rows)
        .map(|(attribute, (_, value))| {
            json!({ "name": attribute.name(), "index": attribute.index, "value": value })
        })
        .collect();
    let uid = response.unique_identifier.to_string();
    Document::new(json!({ "unique_identifier": uid, "attributes": list }), text)
}

/// An attribute's value with the names of its enumerations.
pub(crate) fn attribute_json(attribute: &Attribute, show_secrets: bool) -> Value {
    let Ok(octets) = to_bytes(attribute) else { return Value::Null };
    let Ok(tree) = json_tree(&octets, &Options::LENIENT, show_secrets) else { return Value::Null };
    let items = tree.pointer("/0/items").and_then(Value::as_array);
    let value = items.and_then(|items| items.iter().find(|item| item["name"] == "AttributeValue"));
    value.map_or(Value::Null, simple)
}

/// A node of a decoded tree without what only matters on the wire.
fn simple(node: &Value) -> Value {
    let Some(items) = node.get("items").and_then(Value::as_array) else {
        let shown = node.get("meaning").or_else(|| node.get("value"));
        return shown.cloned().unwrap_or_else(|| "hidden".into());
    };
    let name = |item: &Value| match (item["name"].as_str(), item["tag"].as_str()) {
        (Some(name), _) | (None, Some(name)) => name.to_owned(),
        (None, None) => String::new(),
    };
    let mut members: Map<String, Value> = Map::new();
    for item in items {
        let value = simple(item);
        match members.get_mut(&name(item)) {
            None => {
                members.insert(name(item), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    Value::Object(members)
}

/// A value on one line, for people.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{name} {}", plain(value)));
            members.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn query(response: &QueryResponse) -> Document {
    let operations: Vec<String> = response.operations.iter().map(ToString::to_string).collect();
    let types: Vec<String> = response.object_types.iter().map(ToString::to_string).collect();
    let vendor = response.vendor_identification.as_ref().map(Text::as_str);
    let namespaces: Vec<&str> = response.application_namespaces.iter().map(Text::as_str).collect();
    let extensions: Vec<&str> =
        response.extension_information.iter().map(|one| one.extension_name.as_str()).collect();
    let rows = [
        ("operations", operations.join(", ")),
        ("object types", types.join(", ")),
        ("vendor", vendor.unwrap_or_default().to_owned()),
        ("application namespaces", namespaces.join(", ")),
        ("extensions", extensions.join(", ")),
    ];
    let text = pairs(rows.into_iter().filter(|(_, value)| !value.is_empty()));
    let json = json!({
        "operations": operations,
        "object_types": types,
        "vendor_identification": vendor,
        "application_namespaces": namespaces,
        "extensions": extensions,
    });
    Document::new(json, text)
}
