//! Writing a document.

mod escape;
mod tag;

use std::fmt;
use std::ops::Range;

use crate::chars::{QName, forbidden, is_ncname, whole_qname};
use crate::error::{Construct, ErrorKind, StructureFault, SyntaxFault, shown};
use crate::event::Event;
use crate::fragment::{Fragment, Inside};
use crate::namespaces::{Namespaces, Scope};

/// Writes a document in UTF-8 to the end of a buffer of the caller's, which is cut back when the document is faulty.
///
/// The methods do not fail one by one: the first fault is kept, nothing more is written, and
/// [`finish`](Self::finish) reports it. What is written is well-formed with namespaces, and one choice is made where
/// XML has several:
///
/// - an element without content is `<a/>`; [`content`](Self::content) makes it `<a></a>`;
/// - values stand in double quotes; attributes stand in the order of the calls;
/// - in text `&`, `<`, `>` and CR are escaped, in values `&`, `<`, `"`, tab, LF and CR, in the forms of Canonical
///   XML 1.0 (`&amp;` `&lt;` `&gt;` `&quot;` `&#x9;` `&#xA;` `&#xD;`), so that a reader gets the same characters;
/// - nothing is indented, unless [`with_indent`](Self::with_indent) asks for it.
///
/// Characters that XML cannot carry are a fault, never left out.
#[derive(Debug)]
pub struct Writer<'w> {
    out: &'w mut Vec<u8>,
    /// The buffer's length before the document.
    base: usize,
    open: Vec<Open>,
    namespaces: Namespaces,
    /// Where the open tag has its attributes' names in the buffer, and how long their prefixes are.
    attributes: Vec<(Range<usize>, usize)>,
    tag: Tag,
    stage: Stage,
    indent: Option<usize>,
    error: Option<WriteError>,
}

pub use self::tag::QualifiedName;

/// Whether the innermost element's start tag still is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Open,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Start,
    Prolog,
    Doctype,
    Root,
    Epilog,
}

#[derive(Debug)]
struct Open {
    /// Where its start tag has its name, in the buffer.
    name: Range<usize>,
    prefix: usize,
    /// Declarations in scope outside.
    outside: usize,
    /// It has text, so that nothing in it may be indented.
    text: bool,
    /// It has children.
    children: bool,
}

/// Why a document cannot be written: a fault of the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteError {
    kind: ErrorKind,
    element: String,
}

impl WriteError {
    /// What would be wrong with the document.
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The innermost open element; empty outside the root element.
    pub fn element(&self) -> &str {
        &self.element
    }
}

/// `XML writer: in the element Data: the character U+0000 may not stand in XML; leave ...`
impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("XML writer: ")?;
        if !self.element.is_empty() {
            write!(f, "in the element {}: ", self.element)?;
        }
        write!(f, "{}; {}", self.kind, self.kind.remedy())
    }
}

impl std::error::Error for WriteError {}

impl<'w> Writer<'w> {
    /// Begins a document behind what is in the buffer.
    pub fn new(out: &'w mut Vec<u8>) -> Self {
        let base = out.len();
        Self {
            out,
            base,
            open: Vec::new(),
            namespaces: Namespaces::default(),
            attributes: Vec::new(),
            tag: Tag::Closed,
            stage: Stage::Start,
            indent: None,
            error: None,
        }
    }

    /// Writes one element as a piece of a document whose declarations at that place are given, so that they need not
    /// stand in it again.
    pub fn within(out: &'w mut Vec<u8>, scope: &Scope) -> Self {
        let mut writer = Self::new(out);
        for (prefix, name) in scope.iter() {
            // A scope holds only what can be declared.
            _ = writer.namespaces.declare(prefix, name, usize::MAX);
        }
        writer
    }

    /// The same with every element, comment and instruction on a line of its own, indented by so many spaces per
    /// level; nothing is added inside an element that has text, behind that text.
    #[must_use]
    pub const fn with_indent(mut self, spaces: usize) -> Self {
        self.indent = Some(spaces);
        self
    }

    /// The first fault so far.
    pub const fn error(&self) -> Option<&WriteError> {
        self.error.as_ref()
    }

    /// How many elements are open.
    pub const fn depth(&self) -> usize {
        self.open.len()
    }

    /// The namespace that a prefix (empty: the default namespace) has in the innermost element; nothing for an
    /// undeclared prefix, the empty name for no namespace.
    pub fn resolve(&self, prefix: &str) -> Option<&str> {
        self.namespaces.resolve(prefix).map(|namespace| self.namespaces.name(namespace))
    }

    /// Ends the document.
    ///
    /// # Errors
    /// The first fault of what was written; the buffer is as it was before the document.
    pub fn finish(mut self) -> Result<(), WriteError> {
        if let Some(open) = self.open.last() {
            let name = shown(self.name_of(open));
            self.fail(StructureFault::Unclosed { name });
        } else if self.stage != Stage::Epilog {
            self.fail(StructureFault::NoRoot);
        }
        match self.error {
            Some(error) => {
                self.out.truncate(self.base);
                Err(error)
            }
            None => Ok(()),
        }
    }

    /// `<?xml version="1.0" encoding="UTF-8"?>`, at the very start.
    pub fn declaration(&mut self) -> &mut Self {
        self.attempt(|w| {
            if w.stage != Stage::Start {
                return Err(misplaced(Construct::Declaration));
            }
            w.put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
            w.stage = Stage::Prolog;
            Ok(())
        })
    }

    /// A document type declaration before the root element. A public identifier needs a system identifier.
    pub fn doctype(
        &mut self,
        name: &str,
        public_id: Option<&str>,
        system_id: Option<&str>,
    ) -> &mut Self {
        self.attempt(|w| {
            if w.stage > Stage::Prolog {
                return Err(misplaced(Construct::Doctype));
            }
            let parts = escape::doctype(name, public_id, system_id)?;
            w.line();
            w.put(&parts);
            w.stage = Stage::Doctype;
            Ok(())
        })
    }

    /// Begins an element: `taxii:Poll_Request` or `Poll_Request`. Its prefix must be in scope once its tag is
    /// complete.
    pub fn start(&mut self, name: &str) -> &mut Self {
        self.attempt(|w| {
            let prefix = qualified(name)?.prefix;
            w.begin(name, prefix)
        })
    }

    /// The same with a name that was checked before.
    #[inline]
    pub fn start_named(&mut self, name: QualifiedName<'_>) -> &mut Self {
        self.attempt(|w| w.begin(name.name, name.prefix))
    }

    #[inline]
    fn begin(&mut self, name: &str, prefix: usize) -> Result<(), ErrorKind> {
        self.close_tag()?;
        if self.stage == Stage::Epilog {
            return Err(StructureFault::SecondRoot { found: shown(name) }.into());
        }
        self.line();
        self.out.push(b'<');
        let start = self.out.len();
        self.put(name);
        self.open.push(Open {
            name: start..self.out.len(),
            prefix,
            outside: self.namespaces.len(),
            text: false,
            children: false,
        });
        (self.stage, self.tag) = (Stage::Root, Tag::Open);
        Ok(())
    }

    /// Text inside an element.
    #[inline]
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.attempt(|w| {
            if text.is_empty() {
                return Ok(());
            }
            w.make_ready()?;
            escape::text(text, w.out)
        })
    }

    /// A CDATA section inside an element. `]]>` divides it into two; CR cannot stand in one.
    pub fn cdata(&mut self, text: &str) -> &mut Self {
        self.attempt(|w| {
            allowed(text)?;
            no_return(text)?;
            w.make_ready()?;
            w.put("<![CDATA[");
            for (i, part) in text.split("]]>").enumerate() {
                if i > 0 {
                    w.put("]]]]><![CDATA[>");
                }
                w.put(part);
            }
            w.put("]]>");
            Ok(())
        })
    }

    /// A comment anywhere. `--` and CR cannot stand in one, nor `-` at its end.
    pub fn comment(&mut self, text: &str) -> &mut Self {
        self.attempt(|w| {
            allowed(text)?;
            no_return(text)?;
            if text.contains("--") || text.ends_with('-') {
                return Err(SyntaxFault::CommentHyphens.into());
            }
            w.between(&["<!--", text, "-->"])
        })
    }

    /// A processing instruction anywhere. `?>` and CR cannot stand in one, nor white space at its start.
    pub fn processing_instruction(&mut self, target: &str, data: &str) -> &mut Self {
        self.attempt(|w| {
            let spaced = data.starts_with(|c: char| c.is_ascii_whitespace());
            if !is_ncname(target) || target.eq_ignore_ascii_case("xml") {
                return Err(SyntaxFault::Target.into());
            }
            allowed(data)?;
            no_return(data)?;
            if data.contains("?>") || spaced {
                let expected = "instruction data without ?> and without white space at its start";
                let construct = Construct::ProcessingInstruction;
                return Err(SyntaxFault::Prolog { construct, expected }.into());
            }
            let space = if data.is_empty() { "" } else { " " };
            w.between(&["<?", target, space, data, "?>"])
        })
    }

    /// Completes the start tag, so that an element without content is `<a></a>`.
    pub fn content(&mut self) -> &mut Self {
        self.attempt(Self::close_tag)
    }

    /// Ends the innermost element.
    #[inline]
    pub fn end(&mut self) -> &mut Self {
        self.attempt(|w| {
            let empty = w.tag == Tag::Open;
            if empty {
                w.check_tag()?;
            }
            let Some(open) = w.open.pop() else {
                return Err(StructureFault::UnexpectedEnd { found: String::new() }.into());
            };
            if empty {
                w.put("/>");
                w.tag = Tag::Closed;
            } else {
                if open.children && !open.text {
                    w.new_line(w.open.len());
                }
                w.out.extend_from_slice(b"</");
                w.out.extend_from_within(open.name.clone());
                w.out.push(b'>');
            }
            w.namespaces.truncate(open.outside);
            if w.open.is_empty() {
                w.stage = Stage::Epilog;
            }
            Ok(())
        })
    }

    /// A whole element with text only.
    pub fn element(&mut self, name: &str, text: &str) -> &mut Self {
        self.start(name).text(text).end()
    }

    /// An element of another document, untouched but for the namespace declarations that are in scope there and not
    /// here: they are added to its start tag.
    pub fn fragment(&mut self, fragment: &Fragment<'_>) -> &mut Self {
        self.attempt(|w| {
            w.close_tag()?;
            if w.stage == Stage::Epilog {
                let found = shown(fragment.halves().0.trim_start_matches('<'));
                return Err(StructureFault::SecondRoot { found }.into());
            }
            w.line();
            let (start, rest) = fragment.halves();
            w.put(start);
            let default = fragment.scope().get("").is_none().then_some(("", ""));
            for (prefix, name) in default.into_iter().chain(fragment.scope().iter()) {
                if !fragment.declares(prefix) && w.resolve(prefix) != Some(name) {
                    w.put(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
                    w.put(prefix);
                    escape::value(name, w.out)?;
                }
            }
            w.put(rest);
            w.stage = if w.open.is_empty() { Stage::Epilog } else { Stage::Root };
            Ok(())
        })
    }

    /// What stood inside an element of another document, untouched, as the content of the element that was just begun;
    /// declarations that are in scope there, mentioned in it and not in scope here are added to its start tag, so this
    /// comes before all other content.
    pub fn inside(&mut self, inside: &Inside<'_>) -> &mut Self {
        let raw = inside.raw();
        if memchr::memchr(b'<', raw.as_bytes()).is_some() {
            let default = inside.scope().get("").is_none().then_some(("", ""));
            for (prefix, name) in default.into_iter().chain(inside.scope().iter()) {
                // Whatever uses a prefix, a name in a value too, has it before a colon.
                let used = || mentions(raw, prefix);
                if self.resolve(prefix) != Some(name) && (prefix.is_empty() || used()) {
                    self.namespace(prefix, name);
                }
            }
        }
        self.attempt(|w| {
            if w.open.is_empty() {
                return Err(StructureFault::TextOutsideRoot.into());
            }
            w.close_tag()?;
            if let Some(open) = w.open.last_mut()
                && !inside.raw().is_empty()
            {
                open.text = true;
            }
            w.put(inside.raw());
            Ok(())
        })
    }

    /// What a reader gave. Declarations say UTF-8, whatever the event says.
    pub fn event(&mut self, event: &Event<'_>) -> &mut Self {
        match event {
            Event::Declaration(_) => self.declaration(),
            Event::Doctype(d) => self.doctype(d.name, d.public_id, d.system_id),
            Event::Start(start) => {
                self.start(start.name().qualified());
                for (prefix, name) in start.declarations() {
                    self.namespace(prefix, name);
                }
                for attribute in start.attributes() {
                    self.attribute(attribute.name.qualified(), attribute.value);
                }
                if start.is_empty_tag() { self } else { self.content() }
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(text),
            Event::Cdata(text) => self.cdata(text),
            Event::Comment(text) => self.comment(text),
            Event::ProcessingInstruction(pi) => self.processing_instruction(pi.target, pi.data),
        }
    }

    #[inline]
    fn attempt(&mut self, write: impl FnOnce(&mut Self) -> Result<(), ErrorKind>) -> &mut Self {
        if self.error.is_none()
            && let Err(kind) = write(self)
        {
            self.fail(kind);
        }
        self
    }

    #[cold]
    fn fail(&mut self, kind: impl Into<ErrorKind>) {
        if self.error.is_none() {
            let element = self.open.last().map(|open| self.name_of(open));
            let element = shown(element.unwrap_or_default());
            self.error = Some(WriteError { kind: kind.into(), element });
        }
    }

    #[inline]
    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// The name of an open element.
    fn name_of(&self, open: &Open) -> &str {
        let name = self.out.get(open.name.clone()).unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// Completes the start tag that is open.
    #[inline]
    fn close_tag(&mut self) -> Result<(), ErrorKind> {
        if self.tag == Tag::Open {
            self.check_tag()?;
            self.out.push(b'>');
            self.tag = Tag::Closed;
        }
        Ok(())
    }

    /// Makes ready for text in an element.
    fn make_ready(&mut self) -> Result<(), ErrorKind> {
        self.close_tag()?;
        match self.open.last_mut() {
            Some(open) => {
                open.text = true;
                Ok(())
            }
            None => Err(StructureFault::TextOutsideRoot.into()),
        }
    }

    /// Writes a comment or instruction.
    fn between(&mut self, parts: &[&str]) -> Result<(), ErrorKind> {
        self.close_tag()?;
        self.line();
        parts.iter().for_each(|part| self.put(part));
        self.stage = self.stage.max(Stage::Prolog);
        Ok(())
    }

    /// A new line before a child, where lines are asked for and no text forbids it.
    #[inline]
    fn line(&mut self) {
        if self.indent.is_some() {
            self.indented();
        }
    }

    fn indented(&mut self) {
        let text = self.open.last_mut().is_some_and(|open| {
            open.children = true;
            open.text
        });
        if !text && self.out.len() > self.base {
            self.new_line(self.open.len());
        }
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(spaces) = self.indent {
            self.out.push(b'\n');
            let width = spaces.saturating_mul(depth);
            self.out.resize(self.out.len().saturating_add(width), b' ');
        }
    }
}

fn misplaced(construct: Construct) -> ErrorKind {
    StructureFault::Misplaced { construct }.into()
}

fn qualified(name: &str) -> Result<QName, ErrorKind> {
    whole_qname(name).ok_or_else(|| SyntaxFault::Name.into())
}

/// Whether `prefix:` stands anywhere in it.
fn mentions(raw: &str, prefix: &str) -> bool {
    let raw = raw.as_bytes();
    memchr::memmem::find_iter(raw, prefix).any(|at| raw.get(at + prefix.len()) == Some(&b':'))
}

fn allowed(text: &str) -> Result<(), ErrorKind> {
    match forbidden(text) {
        Some((_, found)) => Err(SyntaxFault::Character { found }.into()),
        None => Ok(()),
    }
}

/// CR would be read as LF where no reference can stand.
fn no_return(text: &str) -> Result<(), ErrorKind> {
    if text.contains('\r') { Err(SyntaxFault::Character { found: '\r' }.into()) } else { Ok(()) }
}
