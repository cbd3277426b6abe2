//! Writing a message, whole or piece by piece.

use std::borrow::Cow;

use bindery_xml::{Fragment, Inside, Scope, Writer};

use crate::dialect::{DEFAULT_QUERY_NAMESPACE, Dialect};
use crate::error::{Fault, WriteError, WriteFault};
use crate::message::{Body, Content, ContentBlock, Message};
use crate::node::{Held, Item, Node, many, one, opt, wrapped};
use crate::registry::{self, ELEMENTS, Element, Field, Root, Space, Type, Value};
use crate::rules;
use crate::walker::{checked, complete};

/// Writes a whole message to the end of a buffer. It is valid by the dialect's schema and rules.
///
/// # Errors
/// What the dialect does not have, or its schema and rules do not allow; the buffer is as it was then.
pub fn write(message: &Message<'_>, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let start = out.len();
    let mut writer = MessageWriter::new(dialect);
    let written = writer.begin(message, out).and_then(|()| {
        message.blocks.iter().try_for_each(|block| writer.block(block, out))?;
        writer.end(message.signature.as_ref(), out)
    });
    if written.is_err() {
        out.truncate(start);
    }
    written
}

/// Writes a message piece by piece, each to the end of a buffer that may be emptied in between: the head, the content
/// blocks, the end.
#[derive(Debug)]
pub struct MessageWriter {
    dialect: Dialect,
    scope: Scope,
    /// The message's element, while it is open.
    open: Option<&'static Root>,
    /// How many blocks may still come, when the head announced a number.
    left: Option<u64>,
    blocks: u64,
    binding: Option<String>,
}

impl MessageWriter {
    /// A writer for a message of a dialect.
    pub const fn new(dialect: Dialect) -> Self {
        let scope = Scope::EMPTY;
        Self { dialect, scope, open: None, left: None, blocks: 0, binding: None }
    }

    /// Writes all of a message that comes before its blocks.
    ///
    /// # Errors
    /// What the dialect does not have, or its schema and rules do not allow.
    pub fn begin(&mut self, message: &Message<'_>, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let dialect = self.dialect;
        let kind = message.body.kind();
        let failed = |path: &str, fault| WriteError { path: path.to_owned(), fault };
        let Some(root) = dialect.roots().iter().find(|root| root.kind == kind) else {
            return Err(failed("", WriteFault::Message { dialect }));
        };
        let node = head(message, dialect).map_err(|fault| failed(root.name, fault))?;
        self.left = rules::record_count(&node);
        self.binding = match &message.body {
            Body::PollResponse(body) => body.content_binding.clone(),
            Body::Inbox(body) => body.content_binding.clone(),
            _ => None,
        };
        let prefix = dialect.prefix();
        let scope = Scope::EMPTY.with(prefix, dialect.namespace());
        self.scope = scope.unwrap_or_default();
        let length = out.len();
        let names = Names { prefix, dialect, namespace: dialect.namespace() };
        let mut writer = Writer::new(out);
        let head = names.element(&mut writer, root.name, root.ty, &node, true);
        let closed = head.map_err(|(path, fault)| failed(&path, fault)).and_then(|()| {
            writer.content().end();
            writer.finish().map_err(|error| failed(root.name, WriteFault::Xml(error)))
        });
        if let Err(error) = closed {
            out.truncate(length);
            return Err(error);
        }
        // Blocks and the end follow.
        out.truncate(out.len().saturating_sub(prefix.len() + root.name.len() + 4));
        self.open = Some(root);
        Ok(())
    }

    /// Writes a content block.
    ///
    /// # Errors
    /// What the dialect does not have or allow; more blocks than the message's `Record_Count`. The message can go on
    /// without the block.
    pub fn block(&mut self, block: &ContentBlock<'_>, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let Some(root) = self.open else { return Err(order()) };
        let failed = |fault| WriteError { path: format!("{}/Content_Block", root.name), fault };
        let Some(element) = root.ty.elements.iter().find(|e| e.field == Field::Block) else {
            let (dialect, field) = (self.dialect, "content block".to_owned());
            return Err(failed(WriteFault::Field { dialect, field }));
        };
        if self.left == Some(0) {
            return Err(failed(rules::RECORD_COUNT.into()));
        }
        let item = block.write(self.binding.as_deref(), self.dialect).map_err(failed)?;
        self.piece(element, &item, out).map_err(|(_, fault)| failed(fault))?;
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.blocks = self.blocks.saturating_add(1);
        Ok(())
    }

    /// Writes the signature and the end of the message.
    ///
    /// # Errors
    /// A dialect without signatures is given one; a draft's STIX Message has no block.
    pub fn end(
        &mut self,
        signature: Option<&Fragment<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        let Some(root) = self.open else { return Err(order()) };
        let failed = |fault| WriteError { path: root.name.to_owned(), fault };
        let of = |field| root.ty.elements.iter().find(move |element| element.field == field);
        if of(Field::Block).is_some_and(|element| u64::from(element.min) > self.blocks) {
            let expected = "at least one block";
            return Err(failed(WriteFault::Block { expected }));
        }
        if let Some(signature) = signature {
            let Some(element) = of(Field::Signature) else {
                let (dialect, field) = (self.dialect, "Signature".to_owned());
                return Err(failed(WriteFault::Field { dialect, field }));
            };
            let item = Item::Element(Held::Written(signature));
            self.piece(element, &item, out).map_err(|(_, fault)| failed(fault))?;
        }
        out.extend_from_slice(b"</");
        out.extend_from_slice(self.dialect.prefix().as_bytes());
        out.push(b':');
        out.extend_from_slice(root.name.as_bytes());
        out.push(b'>');
        self.open = None;
        Ok(())
    }

    fn piece(&self, element: &Element, item: &Item<'_>, out: &mut Vec<u8>) -> Wrote {
        let (dialect, namespace) = (self.dialect, self.dialect.namespace());
        let names = Names { prefix: dialect.prefix(), dialect, namespace };
        let length = out.len();
        let mut writer = Writer::within(out, &self.scope);
        let written = match (item, element.value) {
            (Item::Node(node), Value::Type(ty)) => {
                names.element(&mut writer, element.name, ty, node, false)
            }
            (Item::Element(fragment), _) => {
                writer.fragment(fragment.get());
                Ok(())
            }
            _ => Err((String::new(), WriteFault::Order)),
        };
        let finished = writer.finish().map_err(|e| (String::new(), WriteFault::Xml(e)));
        let written = written.and(finished);
        if written.is_err() {
            out.truncate(length);
        }
        written
    }
}

#[cold]
fn order() -> WriteError {
    WriteError { path: String::new(), fault: WriteFault::Order }
}

/// All of a message but blocks and signature.
fn head<'m>(message: &'m Message<'_>, d: Dialect) -> Result<Node<'m>, WriteFault> {
    let mut node = message.body.write(d)?;
    one::put(&message.id, &mut node, Field::MessageId, d)?;
    opt::put(&message.in_response_to, &mut node, Field::InResponseTo, d)?;
    let headers = (Field::ExtendedHeaders, Field::ExtendedHeader);
    wrapped::put(&message.extended_headers, &mut node, headers, d)?;
    if !message.header_elements.is_empty() {
        let mut list = Node::default();
        many::put(&message.header_elements, &mut list, Field::HeaderElement, d)?;
        node.push(Field::HeaderElements, Item::Node(list));
    }
    Ok(node)
}

/// Where a fault is, and which one.
type Wrote = Result<(), (String, WriteFault)>;

/// Writes `Default_Query` or `Default_Query_Info` as what stands inside a query.
pub(crate) fn part(
    name: &str,
    ty: &'static Type,
    node: &Node<'_>,
) -> Result<Inside<'static>, WriteError> {
    let mut out = Vec::new();
    let (dialect, namespace) = (Dialect::V1_1, DEFAULT_QUERY_NAMESPACE);
    let names = Names { prefix: "tdq", dialect, namespace };
    let mut writer = Writer::new(&mut out);
    writer.start("w");
    let written = names.element(&mut writer, name, ty, node, false);
    writer.end();
    let failed = |(path, fault)| WriteError { path, fault };
    written.map_err(failed)?;
    writer.finish().map_err(|e| failed((name.to_owned(), WriteFault::Xml(e))))?;
    let text = String::from_utf8(out).unwrap_or_default();
    let mut reader = bindery_xml::Reader::new(&text);
    // What was written a moment ago can be read.
    reader.next_event().map_err(|_| order())?;
    reader.subtree().map(|element| element.into_inside().into_owned()).map_err(|_| order())
}

struct Names {
    prefix: &'static str,
    namespace: &'static str,
    dialect: Dialect,
}

/// What is to be written of an element: elements of the schema with entries of the node.
type Plan<'n> = std::vec::IntoIter<(&'static Element, &'n Item<'n>)>;

impl Names {
    /// Writes an element with all that is in it; with `head`, blocks and the end are left to come.
    fn element<'n>(
        &self,
        writer: &mut Writer<'_>,
        name: &str,
        ty: &'static Type,
        node: &'n Node<'n>,
        head: bool,
    ) -> Wrote {
        let mut open = Vec::new();
        let mut path = vec![name.to_owned()];
        let place = |path: &[String], fault| (path.join("/"), fault);
        let qualified = format!("{}:{name}", self.prefix);
        writer.start(&qualified);
        if writer.resolve(self.prefix) != Some(self.namespace) {
            writer.namespace(self.prefix, self.namespace);
        }
        let first = self.begin(writer, ty, node, head).map_err(|fault| place(&path, fault))?;
        open.push(first);
        while let Some(top) = open.last_mut() {
            let Some((element, item)) = top.next() else {
                open.pop();
                path.pop();
                if !(head && open.is_empty()) {
                    writer.end();
                }
                continue;
            };
            match (element.value, item) {
                (Value::Type(ty), Item::Node(node)) => {
                    path.push(element.name.to_owned());
                    if self.mixed(writer, element.name, ty, node).map_err(|f| place(&path, f))? {
                        path.pop();
                        continue;
                    }
                    writer.start(&format!("{}:{}", self.prefix, element.name));
                    let plan = self.begin(writer, ty, node, false).map_err(|f| place(&path, f))?;
                    open.push(plan);
                }
                (_, item) => self.simple(writer, element, item),
            }
        }
        Ok(())
    }

    /// An element without elements of the schema's.
    fn simple(&self, writer: &mut Writer<'_>, element: &Element, item: &Item<'_>) {
        match item {
            Item::Text(text) => {
                writer.element(&format!("{}:{}", self.prefix, element.name), text);
            }
            Item::Element(fragment) => {
                writer.fragment(fragment.get());
            }
            Item::Inside(_) | Item::Node(_) => {}
        }
    }

    /// Writes an element whose inside is kept as it stands; false for other elements.
    fn mixed(
        &self,
        writer: &mut Writer<'_>,
        name: &str,
        ty: &'static Type,
        node: &Node<'_>,
    ) -> Result<bool, WriteFault> {
        let registry::Content::Mixed(field) = ty.content else { return Ok(false) };
        self.known(ty, node, false)?;
        let found = node.entries.iter().find(|(found, _)| *found == field);
        let inside = match found {
            Some((_, Item::Inside(inside))) => Some(inside.get()),
            _ => None,
        };
        // Inside may mean something else by our prefix.
        let taken = inside.and_then(|inside| inside.scope().get(self.prefix));
        let other = taken.is_some_and(|namespace| namespace != self.namespace);
        let free = other.then(|| free_prefix(inside));
        let prefix = free.as_deref().unwrap_or(self.prefix);
        writer.start(&format!("{prefix}:{name}"));
        if other {
            writer.namespace(prefix, self.namespace);
        }
        self.attributes(writer, ty, node)?;
        match found {
            Some((_, Item::Inside(inside))) => writer.inside(inside.get()),
            Some((_, Item::Element(element))) => writer.fragment(element.get()),
            _ => writer,
        };
        writer.end();
        Ok(true)
    }

    /// Writes attributes and text of an element that was begun, and plans its elements.
    fn begin<'n>(
        &self,
        writer: &mut Writer<'_>,
        ty: &'static Type,
        node: &'n Node<'n>,
        head: bool,
    ) -> Result<Plan<'n>, WriteFault> {
        self.known(ty, node, head)?;
        self.attributes(writer, ty, node)?;
        if let registry::Content::Text(field, kind) = ty.content {
            let text = node.text(field).unwrap_or_default();
            writer.text(&checked(kind, self.dialect, text)?);
        }
        let mut plan = Vec::with_capacity(node.entries.len());
        let mut counts = [0; ELEMENTS];
        let mut rest = ty.elements;
        let mut index = 0_usize;
        while let Some(first) = rest.first() {
            let same = rest.iter().take_while(|element| element.order == first.order).count();
            let (elements, after) = rest.split_at(same);
            for (field, item) in &node.entries {
                let Some(at) = elements.iter().position(|element| element.field == *field) else {
                    continue;
                };
                let Some(element) = elements.get(at) else { continue };
                self.value(element, item)?;
                if let Some(count) = counts.get_mut(index.saturating_add(at)) {
                    *count += 1;
                    if *count > element.max {
                        return Err(self.field(element.name));
                    }
                }
                plan.push((element, item));
            }
            (rest, index) = (after, index.saturating_add(same));
        }
        if head {
            // Those come piece by piece.
            let mut elements = ty.elements.iter().zip(counts.iter_mut());
            if let Some((element, count)) = elements.find(|(e, _)| e.field == Field::Block) {
                *count = element.min;
            }
        }
        complete(ty, &counts, None)?;
        rules::check(self.dialect, ty, node)?;
        Ok(plan.into_iter())
    }

    /// That the value is what the schema has there.
    fn value(&self, element: &Element, item: &Item<'_>) -> Result<(), WriteFault> {
        match (element.value, item) {
            (Value::Text(kind), Item::Text(text)) => {
                checked(kind, self.dialect, text)?;
                Ok(())
            }
            (Value::Type(_), Item::Node(_)) => Ok(()),
            (Value::Kept, Item::Element(_)) if element.space == Space::Any => Ok(()),
            (Value::Kept, Item::Element(fragment)) => named(element, fragment.get()),
            _ => Err(self.field(element.name)),
        }
    }

    fn field(&self, name: &str) -> WriteFault {
        WriteFault::Field { dialect: self.dialect, field: name.to_owned() }
    }

    /// That the dialect has all fields of the node.
    fn known(&self, ty: &Type, node: &Node<'_>, head: bool) -> Result<(), WriteFault> {
        let text = match ty.content {
            registry::Content::Text(field, _) | registry::Content::Mixed(field) => Some(field),
            registry::Content::Elements => None,
        };
        let unknown = node.entries.iter().find(|(field, _)| {
            Some(*field) != text
                && !ty.attributes.iter().any(|attribute| attribute.field == *field)
                && !ty.elements.iter().any(|element| element.field == *field)
                || head && *field == Field::Block
        });
        unknown.map_or(Ok(()), |(field, _)| Err(self.field(&format!("{field:?}"))))
    }

    fn attributes(
        &self,
        writer: &mut Writer<'_>,
        ty: &Type,
        node: &Node<'_>,
    ) -> Result<(), WriteFault> {
        for row in ty.attributes {
            match node.text(row.field) {
                Some(value) => {
                    writer.attribute(row.name, &checked(row.kind, self.dialect, value)?);
                }
                None if row.required => {
                    let expected = row.name.to_owned();
                    let fault = bindery_xml::SchemaFault::MissingAttribute { expected };
                    return Err(Fault::from(fault).into());
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// That a fragment is the element that the schema wants.
fn named(element: &Element, fragment: &Fragment<'_>) -> Result<(), WriteFault> {
    let mut reader = fragment.reader(&bindery_xml::Options::STRICT);
    let wanted = match element.space {
        Space::Signature => "http://www.w3.org/2000/09/xmldsig#",
        Space::Stix | Space::Own | Space::Any => "http://stix.mitre.org",
    };
    match reader.next_event() {
        Ok(Some(bindery_xml::Event::Start(start))) if start.name().is(wanted, element.name) => {
            Ok(())
        }
        _ => Err(WriteFault::Block { expected: "an element of the schema's name" }),
    }
}

/// A prefix that what is inside does not use.
fn free_prefix(inside: Option<&Inside<'_>>) -> String {
    let taken = |prefix: &str| inside.is_some_and(|inside| inside.scope().get(prefix).is_some());
    let mut number = 1_u64;
    loop {
        let prefix = format!("t{number}");
        if !taken(&prefix) {
            return prefix;
        }
        number = number.saturating_add(1);
    }
}

impl Content<'_> {
    /// The text of content without elements, references replaced: base64 for instance.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Inside(inside) => inside.as_text(),
            Self::Element(_) => None,
        }
    }
}
