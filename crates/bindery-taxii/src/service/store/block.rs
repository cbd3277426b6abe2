//! Content blocks as they are kept.

use bindery_core::Timestamp;
use bindery_taxii_xml::{Content, ContentBinding, ContentBlock, Timestamp as Label};
use bindery_xml::{Error, Fragment, Inside, Options, Scope};

/// A piece of XML as it stood in a message: its characters, untouched, and the namespaces in scope that it may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The characters, references included.
    pub raw: String,
    /// Prefix and namespace name, the default namespace under the empty prefix; ordered by prefix.
    pub namespaces: Vec<(String, String)>,
}

impl Part {
    /// A part from what was kept. The characters must be what [`Part::raw`] had, the inside of an element; what is not
    /// well-formed would spoil every message that it is written into.
    pub fn new(raw: impl Into<String>, namespaces: Vec<(String, String)>) -> Self {
        Self { raw: raw.into(), namespaces }
    }

    /// What stood inside an element. Of the namespaces in scope those stay that are mentioned.
    pub fn of_inside(inside: &Inside<'_>) -> Self {
        Self::keeping(inside.raw(), inside.scope())
    }

    /// A whole element.
    pub fn of_element(element: &Fragment<'_>) -> Self {
        Self::keeping(element.raw(), element.scope())
    }

    fn keeping(raw: &str, scope: &Scope) -> Self {
        let markup = raw.contains('<');
        let used = |prefix: &str| markup && (prefix.is_empty() || mentions(raw, prefix));
        let kept = scope.iter().filter(|(prefix, _)| used(prefix));
        let namespaces = kept.map(|(prefix, name)| (prefix.to_owned(), name.to_owned())).collect();
        Self { raw: raw.to_owned(), namespaces }
    }

    /// The inside of an element, to be written into a message.
    pub fn into_inside(self) -> Inside<'static> {
        let scope = scope(&self.namespaces);
        Inside::kept(self.raw, scope)
    }

    /// The same, to be read.
    pub fn inside(&self) -> Inside<'_> {
        Inside::kept(self.raw.as_str(), scope(&self.namespaces))
    }

    /// The one element that it is, to be written into a message: a signature, or the draft's STIX.
    ///
    /// # Errors
    /// It is not one element.
    pub fn into_element(self) -> Result<Fragment<'static>, Error> {
        let scope = scope(&self.namespaces);
        let inside = Inside::kept(self.raw, scope);
        let mut reader = inside.reader(&Options::STRICT);
        reader.next_event()?;
        let element = reader.subtree()?.into_owned();
        while reader.next_event()?.is_some() {}
        Ok(element)
    }

    /// Its size in octets.
    pub fn octets(&self) -> usize {
        let names = self.namespaces.iter().map(|(prefix, name)| prefix.len() + name.len());
        self.raw.len() + names.sum::<usize>()
    }
}

/// Whatever uses a prefix, a name in a value too, has it before a colon.
fn mentions(raw: &str, prefix: &str) -> bool {
    let mut rest = raw;
    while let Some((_, after)) = rest.split_once(prefix) {
        if after.starts_with(':') {
            return true;
        }
        rest = after;
    }
    false
}

fn scope(namespaces: &[(String, String)]) -> Scope {
    namespaces.iter().fold(Scope::EMPTY, |scope, (prefix, name)| {
        // What a document could not declare was not in scope in one.
        scope.clone().with(prefix, name).unwrap_or(scope)
    })
}

/// A content block without label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Block {
    /// The content binding's id; where blocks are nested `outer|inner`.
    pub binding: String,
    /// The subtype's id.
    pub subtype: Option<String>,
    /// The content.
    pub content: Part,
    /// A message for people.
    pub message: Option<String>,
    /// What has no meaning, but may be under the signature.
    pub padding: Option<String>,
    /// The signature over the block, a whole element.
    pub signature: Option<Part>,
}

impl Block {
    /// A block of a binding and content, and nothing else.
    pub fn new(binding: impl Into<String>, content: Part) -> Self {
        Self { binding: binding.into(), content, ..Self::default() }
    }

    /// What a message's block keeps. Its label is not among it: whoever receives a block gives it one of their own.
    pub fn of(block: &ContentBlock<'_>) -> Self {
        Self {
            binding: block.binding.id.clone(),
            subtype: block.binding.subtypes.first().cloned(),
            content: match &block.content {
                Content::Inside(inside) => Part::of_inside(inside),
                Content::Element(element) => Part::of_element(element),
                // Another form of content is taken by its characters.
                other => Part { raw: other.raw().to_owned(), namespaces: Vec::new() },
            },
            message: block.message.clone(),
            padding: block.padding.clone(),
            signature: block.signature.as_ref().map(Part::of_element),
        }
    }

    /// The size that limits of a page count: all texts in octets.
    pub fn octets(&self) -> usize {
        let texts = [self.subtype.as_ref(), self.message.as_ref(), self.padding.as_ref()];
        let texts = texts.into_iter().flatten().map(String::len).sum::<usize>();
        let signature = self.signature.as_ref().map_or(0, Part::octets);
        self.binding.len() + texts + self.content.octets() + signature
    }
}

/// A content block of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredBlock {
    /// Its timestamp label in the collection.
    pub label: Timestamp,
    /// When it was received.
    pub received: Timestamp,
    /// The block.
    pub block: Block,
}

impl StoredBlock {
    /// A block of a collection.
    pub const fn new(label: Timestamp, received: Timestamp, block: Block) -> Self {
        Self { label, received, block }
    }

    /// The block as TAXII 1.1 writes it. For 1.0 the subtype has to be taken away; for the draft the content has to be
    /// an [element](Part::into_element), and all but it.
    ///
    /// # Errors
    /// The signature is not one element: it is not what was stored.
    pub fn into_content_block(self) -> Result<ContentBlock<'static>, Error> {
        let block = self.block;
        let mut binding = ContentBinding::new(block.binding);
        binding.subtypes.extend(block.subtype);
        let content = Content::Inside(block.content.into_inside());
        let mut written = ContentBlock::new(binding, content);
        written.timestamp_label = Label::from_micros(self.label.unix_micros());
        written.message = block.message;
        written.padding = block.padding;
        written.signature = block.signature.map(Part::into_element).transpose()?;
        Ok(written)
    }
}
