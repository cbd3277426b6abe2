//! One case: its requests with the placeholders filled in, its responses held against the server's.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use bindery_kmip::message::RequestMessage;
use bindery_tests::site::Site;
use bindery_ttlv::{ItemType, Options, Tag, XmlMessages, hex::Hex};
use bytes::Bytes;

use crate::{
    compare::{Known, compare},
    name_and_version,
    tree::{Data, Node},
};

/// Who a case's requests come from.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    name: String,
}

/// What stands in the octets of a response for a placeholder, in front of its name.
pub(crate) const MARK: &[u8] = b"\0placeholder:";

/// Replays a case; gives the number of its exchanges.
pub(crate) async fn replay(
    site: &Site,
    file: &Path,
    number: usize,
    families: &mut BTreeMap<String, Client>,
) -> Result<usize, String> {
    let octets = fs::read(file).map_err(|error| error.to_string())?;
    let text = String::from_utf8(octets).map_err(|error| format!("not UTF-8: {error}"))?;
    let (name, version) = name_and_version(file);
    let family = name.rsplit_once('-').map_or(name.as_str(), |(family, _)| family);
    let folder = file.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let family = format!("{folder}/{family}-{version}");
    let fresh = Client { name: format!("{name}-{version}-{number}") };
    let client = match families.get(&family) {
        Some(earlier) if goes_on(&text) => earlier.clone(),
        _ => fresh,
    };
    families.insert(family, client.clone());
    run(site, &text, &client).await
}

/// Whether a case needs what another made: it locates before it makes anything, and then finds something.
fn goes_on(text: &str) -> bool {
    let operation =
        |name: &str| text.find(&format!("<Operation type=\"Enumeration\" value=\"{name}\""));
    let first = ["Create", "Register", "CreateKeyPair"].into_iter().filter_map(operation).min();
    match (operation("Locate"), first) {
        (Some(_), None) => true,
        (Some(locate), Some(made)) => locate < made,
        (None, _) => false,
    }
}

async fn run(site: &Site, text: &str, client: &Client) -> Result<usize, String> {
    let now = clock()?;
    let known = RefCell::new(Known::new(now));
    let unbound = Cell::new(None);
    let request = Cell::new(true);
    let substitute = |tag: Tag, item_type: ItemType, value: &str| {
        let known = known.borrow();
        let given = substitute(&known, request.get(), tag, item_type, value);
        if given.is_none() && value.starts_with('$') && request.get() {
            unbound.set(Some(value.to_owned()));
        }
        given
    };
    let options = Options::STRICT;
    let mut messages = XmlMessages::new(text, &options).with_substitute(&substitute);
    let mut kmip = site.client(&client.name);
    let mut exchanges = 0;
    loop {
        let mut asked = Vec::new();
        request.set(true);
        let read = messages.next_message(&mut asked);
        if !read.map_err(|error| format!("exchange {}: {error}", exchanges + 1))? {
            break;
        }
        exchanges += 1;
        let fault = |what: String| format!("exchange {exchanges}: {what}");
        if let Some(name) = unbound.take() {
            return Err(fault(format!("nothing has given a value to {name}")));
        }
        let asked = Node::of(&asked).map(|tree| (Bytes::from(asked), tree));
        let (asked, asked_tree) = asked.map_err(fault)?;
        known.borrow_mut().asked(&asked_tree);
        let message = RequestMessage::decode(&asked, &options).map_err(|e| fault(e.to_string()))?;
        let mut expected = Vec::new();
        request.set(false);
        let read = messages.next_message(&mut expected);
        if !read.map_err(|error| fault(error.to_string()))? {
            return Err(fault("the case has no response".to_owned()));
        }
        let answer = kmip.call(message).await.map_err(|e| fault(e.to_string()))?;
        let answer = answer.encode().map_err(|e| fault(e.to_string()))?;
        let expected = Node::of(&expected).map_err(fault)?;
        let answer = Node::of(&answer).map_err(fault)?;
        compare(&mut known.borrow_mut(), &expected, &answer).map_err(|difference| {
            let operation = operation(&asked_tree);
            fault(format!("{operation}: {difference}"))
        })?;
    }
    if exchanges == 0 { Err("the case has no message".to_owned()) } else { Ok(exchanges) }
}

#[expect(clippy::disallowed_methods, reason = "a driver: the cases' $NOW is the server's now")]
fn clock() -> Result<i64, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?;
    i64::try_from(now.as_secs()).map_err(|e| e.to_string())
}

/// The operations of a request, for people.
fn operation(request: &Node) -> String {
    let items = request.fields().iter().filter(|field| field.tag == Tag::BATCH_ITEM);
    let names = items.filter_map(|item| match &item.field(Tag::OPERATION)?.value {
        Data::Other(code) => Some(code.clone()),
        _ => None,
    });
    names.collect::<Vec<_>>().join(", ")
}

fn substitute(
    known: &Known,
    request: bool,
    tag: Tag,
    item_type: ItemType,
    value: &str,
) -> Option<String> {
    let Some(name) = value.strip_prefix('$') else {
        // Cases that were taken out of a document have its line breaks in their texts.
        let words: Vec<&str> = value.split_whitespace().collect();
        let text = words.join(" ");
        return (item_type == ItemType::TextString && text != value).then_some(text);
    };
    match item_type {
        ItemType::DateTime | ItemType::DateTimeExtended => {
            let offset: i64 = match name.strip_prefix("NOW")? {
                "" => 0,
                offset => offset.parse().ok()?,
            };
            let unit = if item_type == ItemType::DateTime { 1 } else { 1_000_000 };
            Some(format!("0x{:016x}", (known.now + offset) * unit))
        }
        ItemType::ByteString if request => {
            known.octets(name, tag).map(|octets| Hex(octets).to_string())
        }
        ItemType::ByteString => Some(Hex(&[MARK, name.as_bytes()].concat()).to_string()),
        ItemType::TextString if request && name.starts_with("NOW") => Some(known.now.to_string()),
        ItemType::TextString if request => known.text(name).map(str::to_owned),
        // In a response the name itself stands for what it is bound to.
        _ => None,
    }
}
