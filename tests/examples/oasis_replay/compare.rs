//! The comparison: equal, but for what the profiles permit to vary (KMIP Profiles 2.1, section 4.1; in the profiles of
//! KMIP 1.0 section "Permitted Test Case Variations" of each).

use std::collections::{BTreeMap, BTreeSet};

use bindery_ttlv::{
    Tag,
    registry::{ObjectType, Operation},
};

use crate::{
    case::MARK,
    tree::{Data, Node},
};

/// How far a date may be from the `$NOW` of a case: the exchanges take time, and so does the server.
const NEAR: i64 = 300;
/// A date nearer to now than this was `$NOW` in the case.
const DAY: i64 = 86_400;

/// What a replay knows so far.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) now: i64,
    texts: BTreeMap<String, String>,
    octets: BTreeMap<String, Vec<u8>>,
    /// The last octets that an answer had under a tag.
    last: BTreeMap<Tag, Vec<u8>>,
    /// Octets that the requests brought: keys and data that are the case's own.
    brought: BTreeSet<Vec<u8>>,
    /// Dates that the requests brought.
    dates: BTreeSet<i64>,
    /// Whether the case registered an object; if not, what keys there are the server made.
    registered: bool,
    /// Whether what the last request encrypts comes out otherwise each time: OAEP, or an IV that the
    /// server chooses.
    random: bool,
    /// Whether the case has said so of a key.
    random_key: bool,
}

impl Known {
    pub(crate) fn new(now: i64) -> Self {
        Self {
            now,
            texts: BTreeMap::new(),
            octets: BTreeMap::new(),
            last: BTreeMap::new(),
            brought: BTreeSet::new(),
            dates: BTreeSet::new(),
            registered: false,
            random: false,
            random_key: false,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// What a placeholder stands for; one that nothing was bound to is the last value under its tag: some cases have
    /// the value itself where it first appears, and then a placeholder.
    pub(crate) fn octets(&self, name: &str, tag: Tag) -> Option<&[u8]> {
        self.octets.get(name).or_else(|| self.last.get(&tag)).map(Vec::as_slice)
    }

    /// A request goes out.
    pub(crate) fn asked(&mut self, request: &Node) {
        for node in request.all() {
            if let Data::Bytes(octets) = &node.value {
                self.brought.insert(octets.clone());
            }
            if let Data::Date(date) = &node.value {
                self.dates.insert(*date);
            }
            self.registered |= node.tag == Tag::KEY_BLOCK;
            self.random_key |=
                is(node, Tag::PADDING_METHOD, OAEP) || is(node, Tag::RANDOM_IV, TRUE);
        }
        let encrypts = |node: &&Node| is(node, Tag::OPERATION, ENCRYPT);
        self.random = self.random_key && request.all().iter().any(encrypts);
    }
}

const OAEP: &str = "Enumeration(0x00000002)";
const ENCRYPT: &str = "Enumeration(0x0000001f)";
const TRUE: &str = "Boolean(true)";

fn is(node: &Node, tag: Tag, value: &str) -> bool {
    node.tag == tag && matches!(&node.value, Data::Other(other) if other == value)
}

/// Holds an answer against what the case has.
///
/// # Errors
/// The first difference that is not permitted, with its place.
pub(crate) fn compare(known: &mut Known, expected: &Node, answer: &Node) -> Result<(), String> {
    for node in answer.all() {
        if let Data::Bytes(octets) = &node.value {
            known.last.insert(node.tag, octets.clone());
        }
    }
    node(known, expected, answer)
}

fn node(known: &mut Known, expected: &Node, answer: &Node) -> Result<(), String> {
    let at = |difference: String| format!("{}: {difference}", expected.tag);
    if expected.tag != answer.tag {
        return Err(format!("{} and not {}", expected.tag, answer.tag));
    }
    if servers_attribute(expected) {
        return match servers_attribute(answer) && name_of(expected) == name_of(answer) {
            true => Ok(()),
            false => Err(at("another attribute".to_owned())),
        };
    }
    if varies(known, expected) {
        bind(known, expected, answer);
        return Ok(());
    }
    match (&expected.value, &answer.value) {
        (Data::Structure(_), Data::Structure(_)) => fields(known, expected, answer).map_err(at),
        (Data::Text(text), Data::Text(found)) if text.starts_with('$') => {
            let name = text.trim_start_matches('$');
            match known.texts.get(name) {
                Some(bound) if bound != found => Err(at(format!("{bound:?} and not {found:?}"))),
                _ => {
                    bind(known, expected, answer);
                    Ok(())
                }
            }
        }
        (Data::Bytes(octets), Data::Bytes(_)) if octets.starts_with(MARK) => {
            bind(known, expected, answer);
            Ok(())
        }
        (Data::Date(date), Data::Date(found)) => {
            // A date that no request says is for the server to say.
            let near = (date - known.now).abs() < DAY && (date - found).abs() <= NEAR;
            let servers = !known.dates.contains(date) && (date - known.now).abs() >= DAY;
            if near || servers || date == found {
                Ok(())
            } else {
                Err(at(format!("{date} and not {found}")))
            }
        }
        (expected, found) if expected == found => Ok(()),
        (expected, found) => Err(at(format!("{} and not {}", short(expected), short(found)))),
    }
}

/// Attributes of 1.x whose value is for the server to say.
fn servers_attribute(node: &Node) -> bool {
    let name = node.field(Tag::ATTRIBUTE_NAME).map(|name| &name.value);
    let Some(Data::Text(name)) = name else { return false };
    node.tag == Tag::ATTRIBUTE
        && matches!(
            name.as_str(),
            "Random Number Generator"
                | "Lease Time"
                | "Initial Date"
                | "Last Change Date"
                | "Original Creation Date"
        )
}

/// Operations and object types that a case's server reports and no profile of these requires; ours may
/// not.
fn not_required(expected: &Node) -> bool {
    let code = match &expected.value {
        Data::Other(code) => code.trim_start_matches("Enumeration(0x").trim_end_matches(')'),
        _ => return false,
    };
    let code = u32::from_str_radix(code, 16).unwrap_or(0);
    match expected.tag {
        Tag::OPERATION => NOT_REQUIRED.iter().any(|operation| operation.0 == code),
        Tag::OBJECT_TYPE => {
            [ObjectType::TEMPLATE, ObjectType::PGP_KEY, ObjectType::CERTIFICATE_REQUEST]
                .iter()
                .any(|object_type| object_type.0 == code)
        }
        _ => false,
    }
}

/// What this server does not do, or does only towards clients.
const NOT_REQUIRED: [Operation; 17] = [
    Operation::CERTIFY,
    Operation::RE_CERTIFY,
    Operation::VALIDATE,
    Operation::CANCEL,
    Operation::POLL,
    Operation::NOTIFY,
    Operation::PUT,
    Operation::LOGIN,
    Operation::LOGOUT,
    Operation::DELEGATED_LOGIN,
    Operation::SET_ENDPOINT_ROLE,
    Operation::PKCS_11,
    Operation::RE_PROVISION,
    Operation::SET_DEFAULTS,
    Operation::SET_CONSTRAINTS,
    Operation::GET_CONSTRAINTS,
    Operation::QUERY_ASYNCHRONOUS_REQUESTS,
];

fn short(value: &Data) -> String {
    let text = match value {
        Data::Bytes(octets) => {
            format!("{} octets {}", octets.len(), bindery_ttlv::hex::Hex(octets))
        }
        other => format!("{other:?}"),
    };
    text.chars().take(120).collect()
}

fn name_of(node: &Node) -> Option<&Data> {
    node.field(Tag::ATTRIBUTE_NAME).map(|name| &name.value)
}

/// Remembers what a placeholder stands for.
fn bind(known: &mut Known, expected: &Node, answer: &Node) {
    match (&expected.value, &answer.value) {
        (Data::Text(name), Data::Text(text)) => {
            if let Some(name) = name.strip_prefix('$') {
                known.texts.insert(name.to_owned(), text.clone());
            }
        }
        (Data::Bytes(name), Data::Bytes(octets)) => {
            if let Some(name) = name.strip_prefix(MARK) {
                let name = String::from_utf8_lossy(name).into_owned();
                known.octets.insert(name, octets.clone());
            }
        }
        _ => {}
    }
}

/// Values that may be others than the case's.
fn varies(known: &Known, expected: &Node) -> bool {
    let servers_own = |octets: &[u8]| !known.brought.contains(octets);
    match (expected.tag, &expected.value) {
        (
            Tag::TIME_STAMP
            | Tag::RESULT_MESSAGE
            | Tag::VENDOR_IDENTIFICATION
            | Tag::SERVER_INFORMATION
            | Tag::APPLICATION_NAMESPACE
            | Tag::EXTENSION_INFORMATION
            | Tag::ASYNCHRONOUS_CORRELATION_VALUE
            | Tag::CORRELATION_VALUE
            | Tag::INITIAL_DATE
            | Tag::LAST_CHANGE_DATE
            | Tag::ORIGINAL_CREATION_DATE
            | Tag::SERVER_CORRELATION_VALUE
            | Tag::SHORT_UNIQUE_IDENTIFIER,
            _,
        ) => true,
        // How long a lease is, and which generator made a key, are for the server to say.
        (Tag::LEASE_TIME | Tag::RANDOM_NUMBER_GENERATOR, _) => true,
        // The server chose the key, the form of it and the hash.
        (Tag::KEY_MATERIAL | Tag::KEY_VALUE, Data::Bytes(octets)) => {
            !octets.starts_with(MARK) && servers_own(octets)
        }
        (Tag::DIGEST_VALUE | Tag::HASHING_ALGORITHM | Tag::KEY_FORMAT_TYPE, _) => !known.registered,
        (
            Tag::DATA | Tag::IV_COUNTER_NONCE | Tag::AUTHENTICATED_ENCRYPTION_TAG,
            Data::Bytes(octets),
        ) => !octets.starts_with(MARK) && (known.random || !known.registered),
        // Output of a key that the server made, and of its random generator.
        (Tag::SIGNATURE_DATA | Tag::MAC_DATA, Data::Bytes(octets)) => {
            !octets.starts_with(MARK) && !known.registered
        }
        _ => false,
    }
}

/// Fields that may be missing in an answer.
fn optional(parent: Tag, expected: &Node) -> bool {
    match expected.tag {
        Tag::RESULT_MESSAGE
        | Tag::TEMPLATE_ATTRIBUTE
        | Tag::MESSAGE_EXTENSION
        | Tag::OBJECT_GROUP => true,
        Tag::ATTRIBUTE_NAME => expected.value == Data::Text("Object Group".to_owned()),
        Tag::ATTRIBUTE_INDEX => expected.value == Data::Other("Integer(0)".to_owned()),
        Tag::OPERATION | Tag::OBJECT_TYPE => {
            parent == Tag::RESPONSE_PAYLOAD && not_required(expected)
        }
        // What Query says of the server itself.
        Tag::SERVER_INFORMATION | Tag::EXTENSION_INFORMATION => parent == Tag::RESPONSE_PAYLOAD,
        _ => false,
    }
}

/// Fields that an answer may have beyond the case's.
fn additional(parent: Tag, found: &Node) -> bool {
    match found.tag {
        Tag::RESULT_MESSAGE
        | Tag::MESSAGE_EXTENSION
        | Tag::TEMPLATE_ATTRIBUTE
        // Every response to a request with one has it (KMIP 1.4, section 6.18).
        | Tag::CLIENT_CORRELATION_VALUE
        | Tag::SERVER_CORRELATION_VALUE => true,
        Tag::ATTRIBUTE_INDEX => found.value == Data::Other("Integer(0)".to_owned()),
        // Additional attributes, and what Query lists beyond what a profile requires.
        Tag::ATTRIBUTE
        | Tag::ATTRIBUTE_NAME
        | Tag::ATTRIBUTE_REFERENCE
        | Tag::OPERATION
        | Tag::OBJECT_TYPE
        | Tag::PROTOCOL_VERSION
        | Tag::APPLICATION_NAMESPACE => parent == Tag::RESPONSE_PAYLOAD,
        _ => parent == Tag::ATTRIBUTES,
    }
}

/// Whether the order of such fields among themselves says nothing: attributes, and what lists list.
fn unordered(parent: Tag, tag: Tag) -> bool {
    parent == Tag::ATTRIBUTES
        || parent == Tag::RESPONSE_PAYLOAD
            && matches!(
                tag,
                Tag::ATTRIBUTE
                    | Tag::ATTRIBUTE_NAME
                    | Tag::ATTRIBUTE_REFERENCE
                    | Tag::OPERATION
                    | Tag::OBJECT_TYPE
                    | Tag::PROTOCOL_VERSION
                    | Tag::UNIQUE_IDENTIFIER
                    | Tag::APPLICATION_NAMESPACE
            )
}

/// Each expected field finds one of the answer's; what is left over must be permitted.
fn fields(known: &mut Known, expected: &Node, answer: &Node) -> Result<(), String> {
    let parent = expected.tag;
    let mut left: Vec<&Node> = answer.fields().iter().collect();
    for field in expected.fields() {
        let found = if unordered(parent, field.tag) {
            place(known, field, &left)
        } else {
            left.iter().position(|other| other.tag == field.tag)
        };
        match found {
            Some(place) => {
                let found = left.remove(place);
                node(known, field, found).map_err(|difference| match said(answer) {
                    Some(message) if field.tag != Tag::RESPONSE_PAYLOAD => {
                        format!("{difference} ({message})")
                    }
                    _ => difference,
                })?;
            }
            None if optional(parent, field) => {}
            None => return Err(format!("{} is missing: {}", field.tag, brief(field))),
        }
    }
    match left.iter().find(|other| !additional(parent, other)) {
        Some(other) => Err(format!("{} is there, too: {}", other.tag, brief(other))),
        None => Ok(()),
    }
}

/// What a failed item says of itself.
fn said(answer: &Node) -> Option<&str> {
    match &answer.field(Tag::RESULT_MESSAGE)?.value {
        Data::Text(text) => Some(text),
        _ => None,
    }
}

/// The field among `left` that is the expected one: equal if there is one, else the only one of its tag, for which the
/// comparison then says what is different.
fn place(known: &mut Known, field: &Node, left: &[&Node]) -> Option<usize> {
    let same: Vec<usize> =
        left.iter().enumerate().filter(|(_, n)| n.tag == field.tag).map(|(at, _)| at).collect();
    let fits = |known: &mut Known, at: &usize| {
        let mut tried = Known {
            now: known.now,
            texts: known.texts.clone(),
            octets: known.octets.clone(),
            last: BTreeMap::new(),
            brought: known.brought.clone(),
            dates: known.dates.clone(),
            registered: known.registered,
            random: known.random,
            random_key: known.random_key,
        };
        left.get(*at).is_some_and(|other| node(&mut tried, field, other).is_ok())
    };
    let fitting = same.iter().copied().find(|at| fits(known, at));
    fitting.or_else(|| same.first().copied().filter(|_| same.len() == 1))
}

fn brief(node: &Node) -> String {
    let mut text = format!("{:?}", node.value);
    if text.len() > 200 {
        text = text.chars().take(200).collect::<String>() + "..";
    }
    text
}
