//! From JSON to binary TTLV, in two passes: the members of an object may stand in any order, and what an item is has to
//! be known before its value is written.

use crate::form::{self, Builder, FormError, FormErrorKind, Scalar};
use crate::{ItemType, Options, Tag};

use super::token::{Token, Tokens, Wrong, unescape};

/// Appends the binary form of a message in JSON to `out`. Gives its length in octets. Members other than `tag`, `type`,
/// `name` and `value` are a fault.
///
/// # Errors
/// The text is not UTF-8 or not JSON, is not one item of TTLV in JSON, or passes a limit. `out` is then as it was.
pub fn from_json(text: &[u8], options: &Options, out: &mut Vec<u8>) -> Result<usize, FormError> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let what = "the text is not UTF-8".to_owned();
            let offset = error.valid_up_to() as u64;
            return Err(FormError::new("JSON", FormErrorKind::Syntax(what)).at(1, 1, offset));
        }
    };
    let before = out.len();
    let result = items(text, options).and_then(|items| build(text, &items, options, out));
    if result.is_err() {
        out.truncate(before);
    }
    result
}

/// An item, and what its object says of it. Items stand in the order in which their objects begin.
#[derive(Clone, Copy, Debug, Default)]
struct Node<'t> {
    /// Where the object begins.
    at: usize,
    tag: Option<Tag>,
    item_type: Option<ItemType>,
    value: Held<'t>,
    /// How many items stand up to the end of this one, itself included.
    end: usize,
}

/// The value of an item.
#[derive(Clone, Copy, Debug, Default)]
enum Held<'t> {
    #[default]
    Missing,
    /// `null`, or an array, whose items follow.
    Items,
    Text(&'t str),
    Number(&'t str),
    Truth(bool),
}

/// Where the first pass is: inside an object or an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    /// Of an object: the item's number. An array is an item's value.
    item: Option<usize>,
    /// A member or an item stands in it already.
    begun: bool,
}

/// The first pass.
struct Scan<'t, 'o> {
    tokens: Tokens<'t>,
    text: &'t str,
    options: &'o Options,
    nodes: Vec<Node<'t>>,
    levels: Vec<Level>,
}

fn items<'t>(text: &'t str, options: &Options) -> Result<Vec<Node<'t>>, FormError> {
    let mut scan =
        Scan { tokens: Tokens::new(text), text, options, nodes: Vec::new(), levels: Vec::new() };
    match scan.token()? {
        Some(Token::BeginObject) => scan.begin()?,
        Some(_) => return Err(scan.syntax("a message is an object: { \"tag\": .. }")),
        None => return Err(scan.syntax("the text is empty")),
    }
    while let Some(level) = scan.levels.last().copied() {
        match level.item {
            Some(at) => scan.member(at, level.begun)?,
            None => scan.element(level.begun)?,
        }
    }
    match scan.token()? {
        None => Ok(scan.nodes),
        Some(_) => Err(scan.syntax("something stands behind the message")),
    }
}

impl<'t> Scan<'t, '_> {
    fn token(&mut self) -> Result<Option<Token<'t>>, FormError> {
        self.tokens.next_token().map_err(|Wrong { at, what }| fault(self.text, at, what))
    }

    fn required(&mut self) -> Result<Token<'t>, FormError> {
        let token = self.token()?;
        token.ok_or_else(|| self.syntax("the text ends inside the message"))
    }

    #[cold]
    fn syntax(&self, what: &str) -> FormError {
        fault(self.text, self.tokens.begin(), what)
    }

    #[cold]
    fn content(&self, what: &str) -> FormError {
        located(self.text, self.tokens.begin(), FormErrorKind::Content(what.to_owned()))
    }

    /// An object begins.
    fn begin(&mut self) -> Result<(), FormError> {
        let limits = &self.options.limits;
        let at = self.tokens.begin();
        if self.nodes.len() >= limits.items as usize {
            return Err(located(self.text, at, FormErrorKind::Limit("items", limits.items.into())));
        }
        // Each structure is an object and an array; the innermost item is an object more.
        if self.levels.len() > 2 * usize::from(limits.depth) {
            return Err(located(self.text, at, FormErrorKind::Limit("depth", limits.depth.into())));
        }
        self.levels.push(Level { item: Some(self.nodes.len()), begun: false });
        self.nodes.push(Node { at, ..Node::default() });
        Ok(())
    }

    /// What comes next in an object or array: its first token, behind a comma where one has to be; `None` at the
    /// end, which is gone past.
    fn next_in(&mut self, begun: bool, end: Token<'_>) -> Result<Option<Token<'t>>, FormError> {
        let token = self.required()?;
        if token == end {
            self.levels.pop();
            return Ok(None);
        }
        if let Some(level) = self.levels.last_mut() {
            level.begun = true;
        }
        match token {
            Token::Comma if begun => self.required().map(Some),
            _ if begun => Err(self.syntax("a comma stands between members and between items")),
            token => Ok(Some(token)),
        }
    }

    /// One member of an object, or its end.
    fn member(&mut self, at: usize, begun: bool) -> Result<(), FormError> {
        let Some(token) = self.next_in(begun, Token::EndObject)? else {
            let end = self.nodes.len();
            if let Some(node) = self.nodes.get_mut(at) {
                node.end = end;
            }
            return Ok(());
        };
        let Token::Text(name) = token else {
            return Err(self.syntax("a member begins with its name in quotes"));
        };
        if self.required()? != Token::Colon {
            return Err(self.syntax("a colon stands between a member's name and its value"));
        }
        match name {
            "tag" => self.tag(at),
            "type" => self.item_type(at),
            "name" => match self.required()? {
                Token::Text(_) => Ok(()),
                _ => Err(self.content("the member \"name\" is a string")),
            },
            "value" => self.value(at),
            _ => Err(self.content("an item has the members tag, type, name and value only")),
        }
    }

    fn tag(&mut self, at: usize) -> Result<(), FormError> {
        let tag = match self.required()? {
            Token::Text(name) => form::tag(name),
            _ => None,
        };
        let tag = tag.ok_or_else(|| {
            self.content("no tag: a name of the registry, or 0x and six hexadecimal digits")
        })?;
        match self.nodes.get_mut(at) {
            Some(node) if node.tag.is_none() => node.tag = Some(tag),
            _ => return Err(self.content("the member \"tag\" stands there twice")),
        }
        Ok(())
    }

    fn item_type(&mut self, at: usize) -> Result<(), FormError> {
        let item_type = match self.required()? {
            Token::Text(name) => ItemType::from_form_name(name),
            _ => None,
        };
        let item_type = item_type.ok_or_else(|| self.content("no type of TTLV"))?;
        match self.nodes.get_mut(at) {
            Some(node) if node.item_type.is_none() => node.item_type = Some(item_type),
            _ => return Err(self.content("the member \"type\" stands there twice")),
        }
        Ok(())
    }

    fn value(&mut self, at: usize) -> Result<(), FormError> {
        let held = match self.required()? {
            Token::Text(raw) => Held::Text(raw),
            Token::Number(text) => Held::Number(text),
            Token::Truth(value) => Held::Truth(value),
            Token::Null => Held::Items,
            Token::BeginArray => {
                self.levels.push(Level { item: None, begun: false });
                Held::Items
            }
            _ => return Err(self.content("a value is an array, a string, a number, true or false")),
        };
        match self.nodes.get_mut(at) {
            Some(node) if matches!(node.value, Held::Missing) => node.value = held,
            _ => return Err(self.content("the member \"value\" stands there twice")),
        }
        Ok(())
    }

    /// One item of an array, or its end.
    fn element(&mut self, begun: bool) -> Result<(), FormError> {
        match self.next_in(begun, Token::EndArray)? {
            None => Ok(()),
            Some(Token::BeginObject) => self.begin(),
            Some(_) => Err(self.content("the value of a structure is an array of objects")),
        }
    }
}

/// The second pass.
fn build(
    text: &str,
    nodes: &[Node<'_>],
    options: &Options,
    out: &mut Vec<u8>,
) -> Result<usize, FormError> {
    let mut builder = Builder::json(out, options);
    let mut ends: Vec<usize> = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        while ends.last().is_some_and(|end| *end <= number) {
            ends.pop();
            builder.end();
        }
        let outcome = match node.item_type.unwrap_or(ItemType::Structure) {
            ItemType::Structure => structure(&mut builder, node).map(|()| ends.push(node.end)),
            item_type => item(&mut builder, node, item_type),
        };
        outcome.map_err(|kind| located(text, node.at, kind).inside(builder.path()))?;
    }
    for _ in ends {
        builder.end();
    }
    builder.finish().map_err(|error| FormError::new("JSON", FormErrorKind::Length(error)))
}

fn structure(builder: &mut Builder<'_, '_>, node: &Node<'_>) -> Result<(), FormErrorKind> {
    match node.value {
        Held::Items => builder.begin(tag_of(node)?),
        Held::Missing => Err(without("value")),
        Held::Text(_) | Held::Number(_) | Held::Truth(_) => {
            let what = "the value of a structure is an array; other items have a type".to_owned();
            Err(FormErrorKind::Content(what))
        }
    }
}

fn item(
    builder: &mut Builder<'_, '_>,
    node: &Node<'_>,
    item_type: ItemType,
) -> Result<(), FormErrorKind> {
    let tag = tag_of(node)?;
    match node.value {
        Held::Text(raw) => {
            let Some(text) = unescape(raw) else {
                let what = "half of a surrogate pair in a string".to_owned();
                return Err(FormErrorKind::Content(what));
            };
            builder.value(tag, item_type, Scalar::Text(&text))
        }
        Held::Number(text) => builder.value(tag, item_type, Scalar::Number(text)),
        Held::Truth(value) => builder.value(tag, item_type, Scalar::Truth(value)),
        Held::Missing => Err(without("value")),
        Held::Items => {
            let what = "only a structure has an array or null as value".to_owned();
            Err(FormErrorKind::Content(what))
        }
    }
}

fn tag_of(node: &Node<'_>) -> Result<Tag, FormErrorKind> {
    node.tag.ok_or_else(|| without("tag"))
}

#[cold]
fn without(member: &str) -> FormErrorKind {
    FormErrorKind::Content(format!("an item without the member \"{member}\""))
}

#[cold]
fn fault(text: &str, at: usize, what: &str) -> FormError {
    located(text, at, FormErrorKind::Syntax(what.to_owned()))
}

#[cold]
fn located(text: &str, at: usize, kind: FormErrorKind) -> FormError {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    FormError::new("JSON", kind).at(line, column, at as u64)
}
