//! The schema as a machine: takes a document's events, checks each against the registry, and gives checked elements.

use std::borrow::Cow;

use bindery_xml::{Fragment, Name, SchemaFault, Start};

use crate::dialect::{DEFAULT_QUERY_NAMESPACE, Dialect};
use crate::error::Fault;
use crate::message::MessageKind;
use crate::node::{Held, Item, Node};
use crate::reader::{Options, Tolerances};
use crate::registry::{
    Content, ELEMENTS, Element, Field, Group, Kind, QUERY_DEFAULT_QUERY, QUERY_DEFAULT_QUERY_INFO,
    Space, Type, Value,
};
use crate::rules;

/// Elements inside each other before content: messages have 7, criteria of a query may be inside each other.
const DEPTH: usize = 64;

const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const STIX: &str = "http://stix.mitre.org";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What an element must be at the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schema {
    /// A message of any dialect.
    Message,
    /// `Default_Query`.
    Query,
    /// `Default_Query_Info`.
    QueryInfo,
}

#[derive(Debug)]
pub(crate) struct Walker<'a> {
    schema: Schema,
    rules: bool,
    tolerances: Tolerances,
    /// Known once the root element is.
    root: Option<(Dialect, MessageKind)>,
    frames: Vec<Frame<'a>>,
    leaf: Option<Leaf>,
    pending: Option<Pending<'a>>,
}

#[derive(Debug)]
struct Frame<'a> {
    ty: &'static Type,
    name: &'static str,
    field: Field,
    node: Node<'a>,
    /// The first element of the schema that may still come.
    at: usize,
    counts: [u32; ELEMENTS],
    text: String,
    spared: Option<Field>,
}

/// An element of text.
#[derive(Debug)]
struct Leaf {
    name: &'static str,
    field: Field,
    kind: Kind,
    text: String,
}

/// An element that is to be kept as it stands.
#[derive(Debug)]
struct Pending<'a> {
    name: &'static str,
    field: Field,
    /// Its attributes, and the field of what is inside; nothing: the element itself is kept.
    mixed: Option<(Node<'a>, Field, &'static Type)>,
}

/// What to do after a start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Event,
    /// Take the element as it stands, and give it to [`Walker::kept`].
    Keep,
}

/// What has been completed.
#[derive(Debug)]
pub(crate) enum Done<'a> {
    Nothing,
    /// A content block of the message.
    Block(Item<'a>),
    /// The root element.
    Root(Node<'a>),
}

impl<'a> Walker<'a> {
    pub(crate) fn new(schema: Schema, options: &Options) -> Self {
        let (rules, tolerances) = (options.rules, options.tolerances);
        let (root, frames, leaf, pending) = (None, Vec::new(), None, None);
        Self { schema, rules, tolerances, root, frames, leaf, pending }
    }

    /// The element of a type that may be missing although the schema asks for it.
    fn spared(&self, ty: &Type) -> Option<Field> {
        let feed = self.dialect() == Dialect::V1_0 && ty.name == "Collection";
        (feed && self.tolerances.feed_without_bindings).then_some(Field::ContentBinding)
    }

    pub(crate) const fn root(&self) -> Option<(Dialect, MessageKind)> {
        self.root
    }

    /// Whether a content block of the message is open.
    pub(crate) fn in_block(&self) -> bool {
        match self.frames.as_slice() {
            [_] => self.pending.as_ref().is_some_and(|pending| pending.field == Field::Block),
            [_, frame, ..] => frame.field == Field::Block,
            [] => false,
        }
    }

    /// What the root element has so far, when a block or its end is there; it has no more of it then.
    pub(crate) fn take_head(&mut self) -> Node<'a> {
        self.frames.first_mut().map(|frame| std::mem::take(&mut frame.node)).unwrap_or_default()
    }

    /// The open elements: `Poll_Request/Poll_Parameters`.
    pub(crate) fn path(&self) -> String {
        let names = self.frames.iter().map(|frame| frame.name);
        let leaf = self.leaf.iter().map(|leaf| leaf.name);
        let pending = self.pending.iter().map(|pending| pending.name);
        names.chain(leaf).chain(pending).collect::<Vec<_>>().join("/")
    }

    fn dialect(&self) -> Dialect {
        self.root.map_or(Dialect::V1_1, |(dialect, _)| dialect)
    }

    fn namespace(&self) -> &'static str {
        match self.schema {
            Schema::Message => self.dialect().namespace(),
            Schema::Query | Schema::QueryInfo => DEFAULT_QUERY_NAMESPACE,
        }
    }

    pub(crate) fn start(&mut self, start: &Start<'_>) -> Result<Next, Fault> {
        if let Some(leaf) = &self.leaf {
            return Err(unexpected(&format!("text only in {}", leaf.name), start.name()).into());
        }
        if self.frames.is_empty() {
            let (ty, name) = self.begin(start.name())?;
            return self.open(ty, name, Field::Block, start);
        }
        if self.frames.len() >= DEPTH {
            return Err(Fault::Rule("criteria are at most 64 elements deep"));
        }
        let namespace = self.namespace();
        let Some(frame) = self.frames.last_mut() else { return Ok(Next::Event) };
        let element = frame.admit(start.name(), namespace)?;
        match element.value {
            Value::Type(ty) => self.open(ty, element.name, element.field, start),
            Value::Text(kind) => {
                no_attributes(start)?;
                let (name, field, text) = (element.name, element.field, String::new());
                self.leaf = Some(Leaf { name, field, kind, text });
                Ok(Next::Event)
            }
            Value::Kept => {
                let (name, field) = (element.name, element.field);
                self.pending = Some(Pending { name, field, mixed: None });
                Ok(Next::Keep)
            }
        }
    }

    /// The type of the root element.
    fn begin(&mut self, name: Name<'_>) -> Result<(&'static Type, &'static str), Fault> {
        let part = match self.schema {
            Schema::Message => None,
            Schema::Query => Some((&QUERY_DEFAULT_QUERY, "Default_Query")),
            Schema::QueryInfo => Some((&QUERY_DEFAULT_QUERY_INFO, "Default_Query_Info")),
        };
        if let Some((ty, local)) = part {
            let right = name.is(DEFAULT_QUERY_NAMESPACE, local);
            return right.then_some((ty, local)).ok_or_else(|| unexpected(local, name).into());
        }
        let dialect = Dialect::of_namespace(name.namespace());
        let roots = dialect.map(Dialect::roots).unwrap_or_default();
        match (dialect, roots.iter().find(|root| root.name == name.local())) {
            (Some(dialect), Some(root)) => {
                self.root = Some((dialect, root.kind));
                Ok((root.ty, root.name))
            }
            (Some(dialect), None) => {
                Err(unexpected(&format!("a message of TAXII {dialect}"), name).into())
            }
            (None, _) => Err(unexpected("a message in a namespace of TAXII", name).into()),
        }
    }

    fn open(
        &mut self,
        ty: &'static Type,
        name: &'static str,
        field: Field,
        start: &Start<'_>,
    ) -> Result<Next, Fault> {
        let node = attributes(ty, self.dialect(), start)?;
        if let Content::Mixed(inside) = ty.content {
            self.pending = Some(Pending { name, field, mixed: Some((node, inside, ty)) });
            return Ok(Next::Keep);
        }
        let (at, counts, text) = (0, [0; ELEMENTS], String::new());
        let spared = self.spared(ty);
        self.frames.push(Frame { ty, name, field, node, at, counts, text, spared });
        Ok(Next::Event)
    }

    pub(crate) fn text(&mut self, text: &str) -> Result<(), Fault> {
        let kept = match (&mut self.leaf, self.frames.last_mut()) {
            (Some(leaf), _) => &mut leaf.text,
            (None, Some(frame)) if matches!(frame.ty.content, Content::Text(..)) => &mut frame.text,
            _ if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() => return Ok(()),
            _ => return Err(SchemaFault::Text.into()),
        };
        kept.push_str(text);
        Ok(())
    }

    /// The element that was to be kept.
    pub(crate) fn kept(&mut self, fragment: Fragment<'a>) -> Result<Done<'a>, Fault> {
        let Some(Pending { field, mixed, .. }) = self.pending.take() else {
            return Ok(Done::Nothing);
        };
        let Some((mut node, inside, ty)) = mixed else {
            return Ok(self.attach(field, Item::Element(Held::Read(fragment))));
        };
        node.push(inside, Item::Inside(Held::Read(fragment.into_inside())));
        if self.rules {
            rules::check(self.dialect(), ty, &node)?;
        }
        Ok(self.attach(field, Item::Node(node)))
    }

    pub(crate) fn end(&mut self) -> Result<Done<'a>, Fault> {
        if let Some(leaf) = &self.leaf {
            let value = checked(leaf.kind, self.dialect(), &leaf.text)?.into_owned();
            let field = leaf.field;
            self.leaf = None;
            return Ok(self.attach(field, Item::Text(Cow::Owned(value))));
        }
        let dialect = self.dialect();
        let Some(frame) = self.frames.last_mut() else { return Ok(Done::Nothing) };
        complete(frame.ty, &frame.counts, frame.spared)?;
        if let Content::Text(field, kind) = frame.ty.content {
            let value = checked(kind, dialect, &frame.text)?.into_owned();
            frame.node.push(field, Item::Text(Cow::Owned(value)));
        }
        if self.rules {
            rules::check(dialect, frame.ty, &frame.node)?;
        }
        if self.frames.len() == 1 {
            // The frame stays, so that an error at the end still names the message.
            return Ok(Done::Root(self.take_head()));
        }
        let Some(frame) = self.frames.pop() else { return Ok(Done::Nothing) };
        Ok(self.attach(frame.field, Item::Node(frame.node)))
    }

    fn attach(&mut self, field: Field, item: Item<'a>) -> Done<'a> {
        if field == Field::Block && self.frames.len() == 1 {
            return Done::Block(item);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.node.push(field, item);
        }
        Done::Nothing
    }
}

impl Frame<'_> {
    /// The element of the schema that a start tag is, where it stands.
    fn admit(&mut self, name: Name<'_>, namespace: &str) -> Result<&'static Element, Fault> {
        let elements: &'static [Element] = self.ty.elements;
        let is = |element: &Element| match element.space {
            Space::Own => name.is(namespace, element.name),
            Space::Signature => name.is(SIGNATURE, element.name),
            Space::Stix => name.is(STIX, element.name),
            Space::Any => true,
        };
        let found = elements.iter().enumerate().skip(self.at).find(|(_, element)| is(element));
        let Some((index, element)) = found else {
            return Err(unexpected(&self.expected(), name).into());
        };
        let first = elements.iter().position(|e| e.order == element.order).unwrap_or(index);
        let passed = elements.iter().zip(&self.counts).take(first).skip(self.at.min(first));
        let missing = |element: &Element, count: &u32| {
            *count < element.min && self.spared != Some(element.field)
        };
        if passed.into_iter().any(|(element, count)| missing(element, count)) {
            return Err(unexpected(&self.expected(), name).into());
        }
        self.at = first;
        match self.counts.get_mut(index) {
            Some(count) if *count < element.max => *count += 1,
            _ => return Err(unexpected(&self.expected(), name).into()),
        }
        Ok(element)
    }

    /// What may stand next, for people.
    fn expected(&self) -> String {
        let mut names = Vec::new();
        for (element, count) in self.ty.elements.iter().zip(&self.counts).skip(self.at) {
            if *count < element.max {
                names.push(element.name);
                if *count < element.min {
                    break;
                }
            }
        }
        let end = format!("the end of {}", self.name);
        if names.is_empty() { end } else { format!("{} or {end}", names.join(", ")) }
    }
}

/// That everything is there that must be, but for what is spared.
pub(crate) fn complete(
    ty: &Type,
    counts: &[u32; ELEMENTS],
    spared: Option<Field>,
) -> Result<(), Fault> {
    let elements = || ty.elements.iter().zip(counts);
    let missing = |(element, count): &(&Element, &u32)| {
        **count < element.min && spared != Some(element.field)
    };
    if let Some((element, _)) = elements().find(missing) {
        return Err(SchemaFault::MissingElement { expected: element.name.to_owned() }.into());
    }
    for group in [Group::One, Group::Some] {
        let of_group = || elements().filter(|(element, _)| element.group == group);
        let found: u32 = of_group().fold(0, |sum, (_, count)| sum.saturating_add(*count));
        let wrong = if group == Group::One { found != 1 } else { found == 0 };
        if wrong && of_group().next().is_some() {
            let names: Vec<_> = of_group().map(|(element, _)| element.name).collect();
            let number = if group == Group::One { "exactly one" } else { "at least one" };
            let expected = format!("{number} of {}", names.join(", "));
            return Err(SchemaFault::MissingElement { expected }.into());
        }
    }
    Ok(())
}

pub(crate) fn checked(kind: Kind, dialect: Dialect, text: &str) -> Result<Cow<'_, str>, Fault> {
    kind.checked(dialect, text).ok_or_else(|| {
        let found = text.chars().take(64).collect();
        SchemaFault::Value { expected: kind.expected().to_owned(), found }.into()
    })
}

fn attributes<'a>(ty: &Type, dialect: Dialect, start: &Start<'_>) -> Result<Node<'a>, Fault> {
    let mut node = Node::default();
    for attribute in start.attributes() {
        let name = attribute.name;
        if ignored(name) {
            continue;
        }
        let mut rows = ty.attributes.iter();
        let Some(row) = rows.find(|row| name.is("", row.name)) else {
            return Err(SchemaFault::Attribute { found: name.qualified().to_owned() }.into());
        };
        let value = checked(row.kind, dialect, attribute.value)?.into_owned();
        node.push(row.field, Item::Text(Cow::Owned(value)));
    }
    match ty.attributes.iter().find(|row| row.required && !node.has(row.field)) {
        Some(row) => Err(SchemaFault::MissingAttribute { expected: row.name.to_owned() }.into()),
        None => Ok(node),
    }
}

/// Hints for a schema's place may stand on every element (XML Schema 1.0, part 1, 2.6).
fn ignored(name: Name<'_>) -> bool {
    name.namespace() == INSTANCE
        && ["schemaLocation", "noNamespaceSchemaLocation"].contains(&name.local())
}

fn no_attributes(start: &Start<'_>) -> Result<(), Fault> {
    match start.attributes().find(|attribute| !ignored(attribute.name)) {
        Some(found) => {
            Err(SchemaFault::Attribute { found: found.name.qualified().to_owned() }.into())
        }
        None => Ok(()),
    }
}

fn unexpected(expected: &str, name: Name<'_>) -> SchemaFault {
    let found = if name.namespace().is_empty() {
        format!("{} without a namespace", name.qualified())
    } else {
        format!("{} of {}", name.qualified(), name.namespace())
    };
    let found = found.chars().take(160).collect();
    SchemaFault::Element { expected: expected.to_owned(), found }
}
