//! From XML to binary TTLV.

use std::borrow::Cow;

use bindery_xml::{Event, Name, Reader, Source, Start};

use crate::form::{self, Builder, FormError, FormErrorKind, Scalar};
use crate::{ItemType, Options, Tag};

/// Appends the binary form of a message in XML to `out`; the document holds one item. Gives its length in octets.
///
/// # Errors
/// The document is not well-formed, is not TTLV in XML, or passes a limit. `out` is then as it was.
pub fn from_xml(document: &[u8], options: &Options, out: &mut Vec<u8>) -> Result<usize, FormError> {
    let source = Source::with_options(document, &xml_options(options));
    let mut messages = XmlMessages::of(source.reader(), options);
    let before = out.len();
    let read = messages.next_message(out)?;
    let end = messages.next_message(&mut Vec::new());
    match (read, end) {
        (true, Ok(false)) => Ok(out.len() - before),
        (false, _) => Err(content("the document has no item")),
        (true, Ok(true)) => {
            out.truncate(before);
            Err(content("the document has more than one item"))
        }
        (true, Err(error)) => {
            out.truncate(before);
            Err(error)
        }
    }
}

/// What is put in the place of a value before it is read: for the variables of test cases.
pub type Substitute<'s> = &'s dyn Fn(Tag, ItemType, &str) -> Option<String>;

/// The messages of a document one by one: the one item that it is, or the items inside a root element of another name,
/// as the OASIS test cases have them (`<KMIP>`, `<KmipTestCase>`).
pub struct XmlMessages<'a> {
    reader: Reader<'a>,
    options: &'a Options,
    substitute: Option<Substitute<'a>>,
    /// How many elements are open around a message; `None` until the root element was seen.
    around: Option<usize>,
}

impl std::fmt::Debug for XmlMessages<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("XmlMessages").field("around", &self.around).finish_non_exhaustive()
    }
}

impl<'a> XmlMessages<'a> {
    /// The messages of a document. The limits on items and length hold for each message.
    pub fn new(text: &'a str, options: &'a Options) -> Self {
        Self::of(Reader::with_options(text, &xml_options(options)), options)
    }

    fn of(reader: Reader<'a>, options: &'a Options) -> Self {
        Self { reader, options, substitute: None, around: None }
    }

    /// The same with something put in the place of values.
    #[must_use]
    pub const fn with_substitute(mut self, substitute: Substitute<'a>) -> Self {
        self.substitute = Some(substitute);
        self
    }

    /// Appends the binary form of the next message to `out`; false when there is none.
    ///
    /// # Errors
    /// As [`from_xml`]. Nothing can be read behind a fault.
    pub fn next_message(&mut self, out: &mut Vec<u8>) -> Result<bool, FormError> {
        let before = out.len();
        let read = self.read(out);
        if read.is_err() {
            out.truncate(before);
        }
        read
    }

    fn read(&mut self, out: &mut Vec<u8>) -> Result<bool, FormError> {
        let mut builder = Builder::xml(out, self.options);
        let mut place = Place::Before;
        loop {
            let event = self.reader.next_event().map_err(|error| syntax(&error))?;
            let Some(event) = event else { return Ok(false) };
            let next = match event {
                Event::Start(start) if self.around.is_none() && tag_of(&start).is_none() => {
                    self.around = Some(1);
                    continue;
                }
                Event::Start(_) if place == Place::Item => {
                    Err(FormErrorKind::Content("an element inside an item that has a value".into()))
                }
                Event::Start(start) => {
                    self.around.get_or_insert(0);
                    begin(&mut builder, &start, self.substitute)
                }
                Event::End(_) if place == Place::Before => Ok(Place::Before),
                Event::End(_) => {
                    let around = self.around.unwrap_or_default();
                    let inside = self.reader.depth().saturating_sub(around);
                    while builder.depth() > inside {
                        builder.end();
                    }
                    if inside == 0 {
                        let finished = builder.finish().map(|_| true);
                        return finished
                            .map_err(|error| FormError::new("XML", FormErrorKind::Length(error)));
                    }
                    Ok(Place::Inside)
                }
                Event::Text(text) | Event::Cdata(text)
                    if !text.chars().all(char::is_whitespace) =>
                {
                    let what = "text, where only elements stand: values are attributes";
                    Err(FormErrorKind::Content(what.to_owned()))
                }
                _ => Ok(place),
            };
            place = next.map_err(|kind| self.fault(kind, &builder))?;
        }
    }

    #[cold]
    fn fault(&self, kind: FormErrorKind, builder: &Builder<'_, '_>) -> FormError {
        let position = self.reader.position();
        FormError::new("XML", kind).inside(builder.path()).at(
            position.line,
            position.column,
            position.offset,
        )
    }
}

/// Where in a message the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In front of it.
    Before,
    /// Inside a structure.
    Inside,
    /// Inside an item that has a value.
    Item,
}

/// An element: a structure, which stays open, or an item.
fn begin(
    builder: &mut Builder<'_, '_>,
    start: &Start<'_>,
    substitute: Option<Substitute<'_>>,
) -> Result<Place, FormErrorKind> {
    let Some(tag) = tag_of(start) else {
        let what = format!("the element {} is no tag of KMIP", shown(start.name()));
        return Err(FormErrorKind::Content(what));
    };
    let item_type = match start.attribute("", "type") {
        None => ItemType::Structure,
        Some(name) => ItemType::from_form_name(name).ok_or_else(|| {
            FormErrorKind::Content(format!("the element {} has no known type", shown(start.name())))
        })?,
    };
    if item_type == ItemType::Structure {
        return builder.begin(tag).map(|()| Place::Inside);
    }
    let Some(value) = start.attribute("", "value") else {
        let what = format!("the element {} has no value", shown(start.name()));
        return Err(FormErrorKind::Content(what));
    };
    let value = match substitute.and_then(|substitute| substitute(tag, item_type, value)) {
        Some(other) => Cow::Owned(other),
        None => Cow::Borrowed(value),
    };
    builder.value(tag, item_type, Scalar::Text(&value)).map(|()| Place::Item)
}

/// The tag that an element stands for.
fn tag_of(start: &Start<'_>) -> Option<Tag> {
    match start.name().local() {
        "TTLV" => form::tag(start.attribute("", "tag")?),
        name => Tag::from_name(name),
    }
}

/// A name, cut where it is long.
fn shown(name: Name<'_>) -> String {
    name.local().chars().take(64).collect()
}

fn content(what: &str) -> FormError {
    FormError::new("XML", FormErrorKind::Content(what.to_owned()))
}

#[cold]
fn syntax(error: &bindery_xml::Error) -> FormError {
    FormError::new("XML", FormErrorKind::Syntax(error.to_string()))
}

/// The limits of XML that follow from those of TTLV: a byte string takes two characters an octet.
fn xml_options(options: &Options) -> bindery_xml::Options {
    let limits = &options.limits;
    let longest = limits.bytes_length.max(limits.text_length) as usize;
    // Behind a message's element stand a wrapper and, in a Text String, references of up to six characters.
    let limits = bindery_xml::Limits::DEFAULT
        .with_depth(usize::from(limits.depth).saturating_add(2))
        .with_tag_length(longest.saturating_mul(6).saturating_add(4096))
        .with_document_length(u64::from(limits.message_length).saturating_mul(16).max(4096));
    bindery_xml::Options::STRICT.with_limits(limits)
}
