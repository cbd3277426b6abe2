//! WBXML to XML.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bindery_xml::{QualifiedName, Writer as XmlWriter};

use super::{ConvertError, OPAQUE_TARGET, token_name, variable};
use crate::registry::in_page;
use crate::{
    AttributeStart, Event, Extension, ExtensionValue, Language, Name, OpaqueForm, Options, Reader,
    Row, StartElement,
};

/// Appends a WBXML document to `out` as XML in UTF-8: the declaration, the DOCTYPE of its language, the elements with
/// the namespaces that their code pages stand for.
///
/// Opaque data becomes what its element or attribute says ([`OpaqueForm`]): base64, a date, a number; where the
/// element decides by type and the data is a WBXML document of a registered language (DevInf in SyncML's Data), its
/// elements. Other opaque data that is text becomes a CDATA section, in which a carriage return stands outside as
/// `&#xD;`; what is no text becomes the instruction `bindery-opaque`. [`from_xml`](super::from_xml) turns each back.
/// Which strings were in the string table, entities, and where one string ended and the next began are not kept.
///
/// `options` are those of the WBXML reader; the language named there counts before the document's own.
///
/// ```
/// use bindery_wbxml::{Options, to_xml};
///
/// let mut xml = Vec::new();
/// to_xml(b"\x03\x05\x6a\x00\x45\xc6\x08\x01\x03Mail\x00\x01\x01", &Options::STRICT, &mut xml)?;
/// assert!(xml.ends_with(b"<si><indication action=\"signal-high\">Mail</indication></si>"));
/// # Ok::<(), bindery_wbxml::ConvertError>(())
/// ```
///
/// # Errors
/// The document is faulty, or holds what XML cannot carry: a character that XML forbids in text, an attribute's value
/// whose token no language explains, an extension that the language does not have. `out` then ends where it began.
pub fn to_xml(
    document: &[u8],
    options: &Options<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ConvertError> {
    let reader = Reader::with_options(document, options)?;
    let begin = out.len();
    let mut writer = XmlWriter::new(out);
    writer.declaration();
    let result = Body::new(&mut writer, reader, options, false).run();
    let offset = document.len();
    let finished = writer.finish().map_err(|error| ConvertError::ToXml { offset, error });
    let result = result.and(finished);
    if result.is_err() {
        out.truncate(begin);
    }
    result
}

/// The body of one document, or of one inside it.
struct Body<'x, 'w, 'd> {
    writer: &'x mut XmlWriter<'w>,
    reader: Reader<'d>,
    options: &'x Options<'d>,
    language: Option<&'d Language>,
    variables: bool,
    pages: Pages<'d>,
    open: Vec<Open>,
    nested: bool,
    begun: bool,
}

/// What the end of an element, and what stands in it, has to know.
#[derive(Clone, Copy)]
struct Open {
    /// What opaque data means.
    form: OpaqueForm,
    /// The page whose namespace is the default one; nothing when that is not known.
    page: Option<u8>,
}

/// The pages of tags in use: documents go to and fro between two.
struct Pages<'d> {
    language: Option<&'d Language>,
    kept: [Page<'d>; 2],
    /// Which of the two was asked for last.
    last: usize,
}

/// A page of tags.
struct Page<'d> {
    number: u8,
    rows: &'d [Row],
    namespace: Option<&'d str>,
    /// The names of its tags that were written before, by token.
    names: [Option<QualifiedName<'d>>; 64],
}

impl<'d> Page<'d> {
    fn of(language: Option<&'d Language>, number: u8) -> Self {
        Self {
            number,
            rows: language.map_or(&[], |language| language.tags_of(number)),
            namespace: language.and_then(|language| language.namespace(number)),
            names: [None; 64],
        }
    }

    /// The name of a tag that the language has, when it is one in XML.
    #[inline]
    fn name(&mut self, token: u8, name: &'d str) -> Option<QualifiedName<'d>> {
        let kept = self.names.get_mut(usize::from(token))?;
        if kept.is_none() {
            *kept = QualifiedName::new(name);
        }
        *kept
    }
}

impl<'d> Pages<'d> {
    fn new(language: Option<&'d Language>) -> Self {
        Self { language, kept: [0; 2].map(|page| Page::of(language, page)), last: 0 }
    }

    #[inline]
    fn get(&mut self, number: u8) -> &mut Page<'d> {
        let [first, second] = &self.kept;
        if [first, second].get(self.last).is_none_or(|page| page.number != number) {
            self.last ^= 1;
        }
        let [first, second] = &mut self.kept;
        let page = if self.last == 0 { first } else { second };
        if page.number != number {
            *page = Page::of(self.language, number);
        }
        page
    }
}

/// An attribute whose value is not yet complete.
struct Attribute<'d> {
    name: Name<'d>,
    form: OpaqueForm,
    value: Cow<'d, str>,
}

impl<'x, 'w, 'd> Body<'x, 'w, 'd> {
    fn new(
        writer: &'x mut XmlWriter<'w>,
        reader: Reader<'d>,
        options: &'x Options<'d>,
        nested: bool,
    ) -> Self {
        let language = reader.language();
        let variables = language.is_some_and(variable::has_variables);
        let (pages, open) = (Pages::new(language), Vec::new());
        Self { writer, reader, options, language, variables, pages, open, nested, begun: false }
    }

    fn run(&mut self) -> Result<(), ConvertError> {
        while let Some(event) = self.reader.next() {
            match event? {
                Event::StartElement(start) => self.start(&start)?,
                Event::EndElement(_) => {
                    self.open.pop();
                    self.writer.end();
                }
                Event::Text(text) => {
                    self.writer.text(&text.value);
                }
                Event::Opaque(bytes) => self.opaque(bytes)?,
                Event::Entity(c) => {
                    self.writer.text(c.encode_utf8(&mut [0; 4]));
                }
                Event::Extension(extension) => {
                    let text = self.extension(&extension)?;
                    self.writer.text(&text);
                }
                Event::Instruction(start) => self.instruction(start)?,
                // What reads a start or an instruction has read these.
                Event::Attribute(_)
                | Event::AttributeValue(_)
                | Event::EndAttributes
                | Event::EndInstruction => {}
            }
            self.check()?;
        }
        Ok(())
    }

    /// Stops at the first event that XML cannot carry.
    fn check(&self) -> Result<(), ConvertError> {
        match self.writer.error() {
            None => Ok(()),
            Some(error) => {
                Err(ConvertError::ToXml { offset: self.reader.offset(), error: error.clone() })
            }
        }
    }

    fn start(&mut self, start: &StartElement<'d>) -> Result<(), ConvertError> {
        if !std::mem::replace(&mut self.begun, true) && !self.nested {
            self.doctype(&name_of(&start.name));
        }
        let around = self.open.last().and_then(|open| open.page);
        let Name::Token { page, token, name } = start.name else {
            self.writer.start(&name_of(&start.name));
            self.open.push(Open { form: OpaqueForm::Text, page: around });
            return if start.attributes { self.attributes(false) } else { Ok(()) };
        };
        let kept = self.pages.get(page);
        match name.and_then(|name| kept.name(token, name)) {
            Some(name) => self.writer.start_named(name),
            None => self.writer.start(&name_of(&start.name)),
        };
        let form = in_page(kept.rows, token).map_or(OpaqueForm::Text, Row::form);
        let mut open = Open { form, page: around };
        let mut declared = false;
        if around != Some(page)
            && let Some(namespace) = kept.namespace
        {
            declared = self.writer.resolve("") != Some(namespace);
            if declared {
                self.writer.namespace("", namespace);
            }
            open.page = Some(page);
        }
        if start.attributes {
            // They may declare another default namespace.
            open.page = open.page.filter(|_| declared);
        }
        self.open.push(open);
        if start.attributes { self.attributes(declared) } else { Ok(()) }
    }

    fn doctype(&mut self, root: &str) {
        let fpi = self.language.and_then(Language::fpi);
        if let Some(system_id) = self.language.and_then(Language::system_id) {
            self.writer.doctype(root, fpi, Some(system_id));
        }
    }

    /// The attributes up to their end. A default namespace that the page has declared is not declared again.
    fn attributes(&mut self, declared: bool) -> Result<(), ConvertError> {
        let mut open: Option<Attribute<'d>> = None;
        while let Some(event) = self.reader.next() {
            match event? {
                Event::Attribute(start) => {
                    let next = self.begin(start);
                    if let Some(done) = open.replace(next) {
                        self.attribute(&done, declared);
                    }
                }
                Event::EndAttributes => break,
                piece => {
                    if let Some(open) = &mut open {
                        let text = self.piece(piece, open.form)?;
                        append(&mut open.value, text);
                    }
                }
            }
        }
        if let Some(done) = open {
            self.attribute(&done, declared);
        }
        Ok(())
    }

    fn begin(&self, start: AttributeStart<'d>) -> Attribute<'d> {
        let place = start.name.token();
        let row = place.and_then(|(page, token)| self.language?.attribute(page, token));
        let form = row.map_or(OpaqueForm::Text, Row::form);
        Attribute { name: start.name, form, value: Cow::Borrowed(start.prefix) }
    }

    fn attribute(&mut self, attribute: &Attribute<'_>, declared: bool) {
        let name = name_of(&attribute.name);
        if let Some(prefix) = name.strip_prefix("xmlns:") {
            self.writer.namespace(prefix, &attribute.value);
        } else if name != "xmlns" {
            self.writer.attribute(&name, &attribute.value);
        } else if !declared {
            self.writer.namespace("", &attribute.value);
        }
    }

    /// The text of a piece of an attribute's or instruction's value.
    fn piece(&mut self, piece: Event<'d>, form: OpaqueForm) -> Result<Cow<'d, str>, ConvertError> {
        let offset = self.reader.offset();
        match piece {
            Event::Text(text) => Ok(text.value),
            Event::Entity(c) => Ok(Cow::Owned(c.to_string())),
            Event::AttributeValue(value) => {
                let text = value.text.map(Cow::Borrowed);
                text.ok_or(ConvertError::Value { offset, what: "a token" })
            }
            Event::Opaque(bytes) => {
                form.to_text(bytes).ok_or(ConvertError::Value { offset, what: "opaque data" })
            }
            Event::Extension(extension) => self.extension(&extension).map(Cow::Owned),
            _ => Ok(Cow::Borrowed("")),
        }
    }

    fn extension(&mut self, extension: &Extension<'_>) -> Result<String, ConvertError> {
        let number = extension.number;
        let text = match &extension.value {
            ExtensionValue::Text(name) if self.variables => variable::to_text(number, name),
            ExtensionValue::Number(index) if self.variables => {
                let name = self.reader.string(*index)?;
                variable::to_text(number, &name)
            }
            ExtensionValue::Number(value) if number == 0 => {
                let row = self.language.and_then(|language| language.extension(*value));
                row.map(|row| row.name().to_owned())
            }
            _ => None,
        };
        let offset = self.reader.offset();
        text.ok_or(ConvertError::Extension { offset, number })
    }

    fn opaque(&mut self, bytes: &'d [u8]) -> Result<(), ConvertError> {
        match self.open.last().map_or(OpaqueForm::Text, |open| open.form) {
            OpaqueForm::Text => {}
            OpaqueForm::ByType => {
                if !self.nested && self.document(bytes)? {
                    return Ok(());
                }
            }
            form => {
                if let Some(text) = form.to_text(bytes).filter(|text| !text.is_empty()) {
                    self.writer.text(&text);
                    return Ok(());
                }
            }
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if text.chars().all(is_allowed) => self.cdata(text),
            _ => {
                self.writer.processing_instruction(OPAQUE_TARGET, &STANDARD.encode(bytes));
            }
        }
        Ok(())
    }

    /// A carriage return in a section would be read as a line feed: it stands between two as a reference.
    fn cdata(&mut self, text: &str) {
        for (at, line) in text.split('\r').enumerate() {
            if at > 0 {
                self.writer.text("\r");
            }
            self.writer.cdata(line);
        }
    }

    /// Writes the elements of a whole WBXML document of a registered language; false when the bytes are none. One
    /// inside such a document again stays opaque: nothing registered has that, and so nothing recurses on input.
    fn document(&mut self, bytes: &'d [u8]) -> Result<bool, ConvertError> {
        let options = Options { language: None, ..*self.options };
        let Ok(mut probe) = Reader::with_options(bytes, &options) else { return Ok(false) };
        let known = probe.language().is_some_and(|language| language.namespace(0).is_some());
        if !known || !probe.all(|event| event.is_ok()) {
            return Ok(false);
        }
        let reader = Reader::with_options(bytes, &options)?;
        Body::new(self.writer, reader, &options, true).run()?;
        Ok(true)
    }

    fn instruction(&mut self, start: AttributeStart<'d>) -> Result<(), ConvertError> {
        let mut open = self.begin(start);
        while let Some(event) = self.reader.next() {
            match event? {
                Event::EndInstruction => break,
                piece => append(&mut open.value, self.piece(piece, open.form)?),
            }
        }
        self.writer.processing_instruction(&name_of(&open.name), &open.value);
        Ok(())
    }
}

/// Without a copy while there is one piece.
fn append<'d>(value: &mut Cow<'d, str>, piece: Cow<'d, str>) {
    if value.is_empty() {
        *value = piece;
    } else {
        value.to_mut().push_str(&piece);
    }
}

/// The name in XML.
fn name_of<'n>(name: &'n Name<'_>) -> Cow<'n, str> {
    match (name.as_str(), name.token()) {
        (Some(name), _) => Cow::Borrowed(name),
        (None, Some((page, token))) => Cow::Owned(token_name(page, token)),
        (None, None) => Cow::Borrowed(""),
    }
}

/// Whether a character may stand in XML (XML 1.0, section 2.2).
const fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}
