//! Reading a message that is in memory, whole or piece by piece.

use std::collections::VecDeque;

use bindery_xml::{Event, Fragment, Source};

use crate::dialect::Dialect;
use crate::error::{Error, Fault};
use crate::message::{Body, ContentBlock, Message};
use crate::node::{Item, Node, many, one, opt, wrapped};
use crate::registry::Field;
use crate::rules;
use crate::walker::{Done, Next, Schema, Walker};

/// How a message is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Limits of the XML: document, depth, texts (64 MiB, not the 10 MB of others), attributes. A [`Source`] has its
    /// own.
    pub xml: bindery_xml::Options,
    /// Whether the rules of the specifications' text hold beside the schema's. Default: they do.
    pub rules: bool,
    /// The most content blocks of a message. Default 1,000,000.
    pub blocks: u64,
    /// What is let pass. Default: nothing.
    pub tolerances: Tolerances,
}

/// Faults of others that are let pass, each by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerances {
    /// A `Feed` of TAXII 1.0 without `Content_Binding`, which its schema asks for: OpenTAXII 0.9.3 sends a collection that
    /// takes everything so. It is read as one without content bindings.
    pub feed_without_bindings: bool,
}

impl Tolerances {
    /// None.
    pub const NONE: Self = Self { feed_without_bindings: false };
    /// All of them.
    pub const ALL: Self = Self { feed_without_bindings: true };
}

impl Options {
    /// Schema and rules, default limits.
    pub const STRICT: Self = Self {
        xml: bindery_xml::Options::STRICT,
        rules: true,
        blocks: 1_000_000,
        tolerances: Tolerances::NONE,
    };

    /// The schema only.
    pub const SCHEMA: Self = Self { rules: false, ..Self::STRICT };
}

impl Default for Options {
    fn default() -> Self {
        Self::STRICT
    }
}

/// A piece of a message, in the order of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Read<'a> {
    /// What comes before the content blocks: once, first.
    Head(Box<Head>),
    /// A content block.
    Block(Box<ContentBlock<'a>>),
    /// The message has ended as it should: once, last.
    End(Tail<'a>),
}

/// What comes before a message's content blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The message's dialect.
    pub dialect: Dialect,
    /// The message without blocks and signature.
    pub message: Message<'static>,
}

/// What comes after a message's content blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail<'a> {
    /// The signature over the message.
    pub signature: Option<Fragment<'a>>,
}

/// Reads a whole message.
///
/// # Errors
/// The first fault, with element and place. Nothing of a faulty message is given.
pub fn read<'a>(
    source: &'a Source<'_>,
    options: &Options,
) -> Result<(Dialect, Message<'a>), Error> {
    let mut reader = Reader::new(source, options);
    let mut read: Option<(Dialect, Message<'a>)> = None;
    while let Some(piece) = reader.next_piece()? {
        match (piece, &mut read) {
            (Read::Head(head), _) => read = Some((head.dialect, head.message)),
            (Read::Block(block), Some((_, message))) => message.blocks.push(*block),
            (Read::End(tail), Some((_, message))) => message.signature = tail.signature,
            (Read::Block(_) | Read::End(_), None) => {}
        }
    }
    read.ok_or_else(|| reader.xml.unexpected("a message")).map_err(|e| Error::new(String::new(), e))
}

/// Reads a message piece by piece from memory. The blocks' content lies in the source.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(crate) xml: bindery_xml::Reader<'a>,
    assembler: Assembler<'a>,
}

impl<'a> Reader<'a> {
    /// A reader at the start of a document.
    pub fn new(source: &'a Source<'_>, options: &Options) -> Self {
        Self { xml: source.reader(), assembler: Assembler::new(options) }
    }

    /// The next piece; nothing behind the end.
    ///
    /// # Errors
    /// The first fault; every later call returns it again.
    pub fn next_piece(&mut self) -> Result<Option<Read<'a>>, Error> {
        loop {
            if let Some(piece) = self.assembler.piece()? {
                return Ok(Some(piece));
            }
            let step = match self.xml.next_event() {
                Ok(Some(event)) => self.assembler.event(&event),
                Ok(None) => return Ok(None),
                Err(error) => return Err(self.assembler.broken(error)),
            };
            let step = match step {
                Ok(Next::Keep) => match self.xml.subtree() {
                    Ok(fragment) => self.assembler.kept(fragment),
                    Err(error) => return Err(self.assembler.broken(error)),
                },
                Ok(Next::Event) => Ok(()),
                Err(fault) => Err(fault),
            };
            step.map_err(|fault| self.assembler.fail(fault, self.xml.position()))?;
        }
    }
}

/// From events to pieces.
#[derive(Debug)]
pub(crate) struct Assembler<'a> {
    walker: Walker<'a>,
    rules: bool,
    maximum: u64,
    headed: bool,
    blocks: u64,
    /// How many blocks the head announces.
    announced: Option<u64>,
    /// The draft's content binding.
    binding: Option<String>,
    ready: VecDeque<Read<'a>>,
    error: Option<Error>,
}

impl<'a> Assembler<'a> {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            walker: Walker::new(Schema::Message, options),
            rules: options.rules,
            maximum: options.blocks,
            headed: false,
            blocks: 0,
            announced: None,
            binding: None,
            ready: VecDeque::new(),
            error: None,
        }
    }

    /// A piece that is complete, or the fault that ended the reading.
    pub(crate) fn piece(&mut self) -> Result<Option<Read<'a>>, Error> {
        match (self.ready.pop_front(), &self.error) {
            (Some(piece), _) => Ok(Some(piece)),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => Ok(None),
        }
    }

    #[cold]
    pub(crate) fn fail(&mut self, fault: Fault, position: bindery_xml::Position) -> Error {
        self.error.insert(Error::of(self.walker.path(), fault, position)).clone()
    }

    #[cold]
    pub(crate) fn broken(&mut self, error: bindery_xml::Error) -> Error {
        self.error.insert(Error::new(self.walker.path(), error)).clone()
    }

    pub(crate) fn event(&mut self, event: &Event<'_>) -> Result<Next, Fault> {
        match event {
            Event::Start(start) => {
                let next = self.walker.start(start)?;
                // Whoever reads a long message knows what it is before its first block has come.
                if !self.headed && self.walker.in_block() {
                    let head = self.walker.take_head();
                    self.check_head(&head)?;
                    self.head(head)?;
                }
                return Ok(next);
            }
            Event::Text(text) | Event::Cdata(text) => self.walker.text(text)?,
            Event::End(_) => {
                let done = self.walker.end()?;
                self.done(done)?;
            }
            // Declarations, comments and instructions say nothing.
            _ => {}
        }
        Ok(Next::Event)
    }

    pub(crate) fn kept(&mut self, fragment: Fragment<'a>) -> Result<(), Fault> {
        let done = self.walker.kept(fragment)?;
        self.done(done)
    }

    fn done(&mut self, done: Done<'a>) -> Result<(), Fault> {
        match done {
            Done::Nothing => Ok(()),
            Done::Block(item) => self.block(item),
            Done::Root(mut node) => {
                let signature = match node.take(Field::Signature) {
                    Some(Item::Element(element)) => Some(element.into_value()),
                    _ => None,
                };
                self.head(node)?;
                self.ready.push_back(Read::End(Tail { signature }));
                Ok(())
            }
        }
    }

    fn block(&mut self, item: Item<'a>) -> Result<(), Fault> {
        self.blocks = self.blocks.saturating_add(1);
        if self.blocks > self.maximum {
            return Err(Fault::Rule("the message has more blocks than the limit allows"));
        }
        if self.rules && self.announced.is_some_and(|count| self.blocks > count) {
            return Err(rules::RECORD_COUNT);
        }
        let dialect = self.walker.root().map_or(Dialect::V1_1, |(dialect, _)| dialect);
        let block = ContentBlock::read(item, self.binding.as_deref(), dialect).ok_or(UNTYPED)?;
        self.ready.push_back(Read::Block(Box::new(block)));
        Ok(())
    }

    /// The rules of a message's head, which its end checks only when there are no blocks.
    fn check_head(&self, head: &Node<'_>) -> Result<(), Fault> {
        let Some((dialect, kind)) = self.walker.root() else { return Ok(()) };
        match dialect.roots().iter().find(|root| root.kind == kind) {
            Some(root) if self.rules => rules::check(dialect, root.ty, head),
            _ => Ok(()),
        }
    }

    fn head(&mut self, mut node: Node<'a>) -> Result<(), Fault> {
        if self.headed {
            return Ok(());
        }
        let Some((dialect, kind)) = self.walker.root() else { return Ok(()) };
        self.headed = true;
        self.announced = rules::record_count(&node);
        if dialect == Dialect::Draft {
            self.binding = node.text(Field::ContentBinding).map(ToOwned::to_owned);
        }
        let node = &mut node;
        let message = (|| {
            Some(Message {
                id: one::take(node, Field::MessageId, dialect)?,
                in_response_to: opt::take(node, Field::InResponseTo, dialect)?,
                extended_headers: wrapped::take(
                    node,
                    (Field::ExtendedHeaders, Field::ExtendedHeader),
                    dialect,
                )?,
                header_elements: match node.take(Field::HeaderElements) {
                    Some(Item::Node(mut list)) => {
                        many::take(&mut list, Field::HeaderElement, dialect)?
                    }
                    _ => Vec::new(),
                },
                body: Body::read(kind, node, dialect)?,
                blocks: Vec::new(),
                signature: None,
            })
        })();
        let message = message.ok_or(UNTYPED)?;
        self.ready.push_back(Read::Head(Box::new(Head { dialect, message })));
        Ok(())
    }
}

/// What follows the schema has a type; a test reads every element of it.
pub(crate) const UNTYPED: Fault = Fault::Rule("the element has what its type says");
