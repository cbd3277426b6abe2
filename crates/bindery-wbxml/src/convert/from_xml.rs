//! XML to WBXML.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bindery_xml::{
    Event as XmlEvent, Fragment, Name as XmlName, Reader as XmlReader, Source, Start,
};

use super::{ConvertError, OPAQUE_TARGET, embedded, named_token, variable};
use crate::{
    Charset, Extension, ExtensionValue, Identifier, Language, OpaqueForm, Row, Strings, Version,
    WriteOptions, Writer,
};

/// How to turn XML into WBXML.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FromXml<'a> {
    /// The language. `None`: what the document says, by the public identifier of its DOCTYPE, the namespace of its
    /// document element, or that element's name where one language only has it.
    pub language: Option<&'a Language>,
    /// The version to write: 1.3 by default.
    pub version: Version,
    /// The public identifier to write; `None`: the language's number, otherwise its formal identifier. ActiveSync
    /// wants the number 1.
    pub public_id: Option<Identifier<'a>>,
    /// The character set to write: UTF-8 by default.
    pub charset: Charset,
    /// Where text goes: in place by default.
    pub strings: Strings,
    /// Whether text of white space only is left out, as between the elements of an indented document. Off by default.
    pub skip_blank: bool,
    /// Limits of the XML reader. By default a DOCTYPE is read and nothing that it names.
    pub xml: bindery_xml::Options,
}

impl Default for FromXml<'_> {
    fn default() -> Self {
        let tolerance = bindery_xml::Tolerance::STRICT.with_doctype(true);
        Self {
            language: None,
            version: Version::V1_3,
            public_id: None,
            charset: Charset::Utf8,
            strings: Strings::Inline,
            skip_blank: false,
            xml: bindery_xml::Options::STRICT.with_tolerance(tolerance),
        }
    }
}

impl<'a> FromXml<'a> {
    /// The same for a language.
    #[must_use]
    pub const fn with_language(mut self, language: &'a Language) -> Self {
        self.language = Some(language);
        self
    }

    /// The same in another version.
    #[must_use]
    pub const fn with_version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// The same with another public identifier.
    #[must_use]
    pub fn with_public_id(mut self, public_id: Identifier<'a>) -> Self {
        self.public_id = Some(public_id);
        self
    }

    /// The same in another character set.
    #[must_use]
    pub const fn with_charset(mut self, charset: Charset) -> Self {
        self.charset = charset;
        self
    }

    /// The same with text elsewhere.
    #[must_use]
    pub const fn with_strings(mut self, strings: Strings) -> Self {
        self.strings = strings;
        self
    }

    /// The same with or without text of white space only.
    #[must_use]
    pub const fn with_skip_blank(mut self, skip_blank: bool) -> Self {
        self.skip_blank = skip_blank;
        self
    }

    /// The same with other options for the XML reader. Processing instructions are read in any case.
    #[must_use]
    pub const fn with_xml(mut self, xml: bindery_xml::Options) -> Self {
        self.xml = xml;
        self
    }

    fn write_options(&self, language: Option<&'a Language>) -> WriteOptions<'a> {
        let options = language.map_or(WriteOptions::raw(), WriteOptions::new);
        let options = options
            .with_version(self.version)
            .with_charset(self.charset)
            .with_strings(self.strings);
        match &self.public_id {
            Some(id) => options.with_public_id(id.clone()),
            None => options,
        }
    }
}

/// Appends an XML document to `out` as WBXML in the canonical form of [`Writer`].
///
/// Text becomes strings in place, except where its element or attribute has opaque data of a form
/// ([`OpaqueForm`]) that the text fits; a CDATA section becomes opaque data; an element of another language inside an
/// element that decides by type (DevInf in SyncML's Data) becomes a WBXML document inside opaque data. Comments and
/// where references stood are not kept. Names that the language does not have become literals.
///
/// ```
/// use bindery_wbxml::{FromXml, from_xml};
///
/// let xml = b"<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD></SyncHdr></SyncML>";
/// let mut wbxml = Vec::new();
/// from_xml(xml, &FromXml::default(), &mut wbxml)?;
/// assert_eq!(wbxml, b"\x03\xa4\x01\x6a\x00\x6d\x6c\x71\x031.2\x00\x01\x01\x01");
/// # Ok::<(), bindery_wbxml::ConvertError>(())
/// ```
///
/// # Errors
/// The document is no XML, no language is known, or WBXML cannot carry it. `out` then ends where it began.
pub fn from_xml(
    document: &[u8],
    options: &FromXml<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ConvertError> {
    let xml = options.xml.with_processing_instructions(true);
    let source = Source::with_options(document, &xml);
    let language = match options.language {
        Some(language) => Some(language),
        None => find(source.reader())?,
    };
    convert(source.reader(), options, language, true, out)
}

/// The language that the document says; `None` for one of raw tokens.
fn find(mut reader: XmlReader<'_>) -> Result<Option<&'static Language>, ConvertError> {
    while let Some(event) = reader.next_event()? {
        match event {
            XmlEvent::Doctype(doctype) => {
                if let Some(language) = doctype.public_id.and_then(Language::by_fpi) {
                    return Ok(Some(language));
                }
            }
            XmlEvent::Start(start) => {
                let name = start.name();
                let of_namespace = |l: &&Language| l.namespace(0) == Some(name.namespace());
                let mut roots = Language::by_root(name.qualified());
                let only = roots.next().filter(|_| roots.next().is_none());
                let found = Language::by_root(name.local()).find(of_namespace).or(only);
                if found.is_none() && named_token(name.local()).is_none() {
                    return Err(ConvertError::Language { root: name.qualified().to_owned() });
                }
                return Ok(found);
            }
            _ => {}
        }
    }
    Ok(None)
}

fn convert<'a>(
    mut reader: XmlReader<'_>,
    options: &FromXml<'a>,
    language: Option<&'a Language>,
    outermost: bool,
    out: &mut Vec<u8>,
) -> Result<(), ConvertError> {
    let begin = out.len();
    let mut body = Body {
        writer: Writer::new(out, &options.write_options(language)),
        language,
        variables: language.is_some_and(variable::has_variables),
        outermost,
        skip_blank: options.skip_blank,
        open: Vec::new(),
        run: String::new(),
        section: false,
        recent: [None; RECENT],
    };
    let result = read(&mut reader, &mut body, options);
    let position = reader.position();
    let finished = body.writer.finish();
    let finished = finished.map_err(|error| ConvertError::FromXml { position, error });
    let result = result.and_then(|()| finished.map(|_| ()));
    if result.is_err() {
        out.truncate(begin);
    }
    result
}

fn read(
    reader: &mut XmlReader<'_>,
    body: &mut Body<'_>,
    options: &FromXml<'_>,
) -> Result<(), ConvertError> {
    while let Some(event) = reader.next_event()? {
        match body.event(event) {
            Next::Event => {}
            Next::Embedded(language) => body.embed(&reader.subtree()?, options, language)?,
            Next::NoBase64 => return Err(ConvertError::Opaque { position: reader.position() }),
        }
        if let Some(error) = body.writer.error() {
            let error = *error;
            return Err(ConvertError::FromXml { position: reader.position(), error });
        }
    }
    Ok(())
}

/// What comes behind an event.
enum Next {
    Event,
    /// The element is a document of another language.
    Embedded(&'static Language),
    /// The instruction for opaque data holds none.
    NoBase64,
}

/// The body of one document, as it is written.
struct Body<'w> {
    writer: Writer<'w>,
    language: Option<&'w Language>,
    variables: bool,
    outermost: bool,
    skip_blank: bool,
    /// Of the open elements: what opaque data in them means, and their code page.
    open: Vec<(OpaqueForm, u8)>,
    /// Characters that are not yet written.
    run: String,
    /// Whether they are a CDATA section's.
    section: bool,
    /// Elements that were looked up before, by a hash of their names.
    recent: [Option<Recent<'w>>; RECENT],
}

/// How many elements are remembered.
const RECENT: usize = 32;

/// An element whose namespace is a page's, and its row.
#[derive(Clone, Copy)]
struct Recent<'w> {
    namespace: &'w str,
    row: &'w Row,
}

impl<'w> Body<'w> {
    fn event(&mut self, event: XmlEvent<'_>) -> Next {
        match event {
            XmlEvent::Start(start) => {
                self.flush();
                if let Some(language) = self.embedded(&start.name()) {
                    return Next::Embedded(language);
                }
                self.start(&start);
            }
            XmlEvent::End(_) => {
                self.flush();
                self.open.pop();
                self.writer.end_element();
            }
            XmlEvent::Text(text) => {
                // Between sections a carriage return is part of them: no section can hold one.
                if self.section && text.bytes().any(|byte| byte != b'\r') {
                    self.flush();
                }
                self.run.push_str(text);
            }
            XmlEvent::Cdata(text) => {
                if !self.section {
                    self.flush();
                    self.section = true;
                }
                self.run.push_str(text);
            }
            XmlEvent::ProcessingInstruction(instruction) => {
                self.flush();
                return self.instruction(instruction.target, instruction.data);
            }
            _ => {}
        }
        Next::Event
    }

    fn form(&self) -> OpaqueForm {
        self.open.last().map_or(OpaqueForm::Text, |open| open.0)
    }

    /// Writes the characters that were collected.
    fn flush(&mut self) {
        let run = std::mem::take(&mut self.run);
        if std::mem::take(&mut self.section) {
            match opaque(self.form(), &run) {
                Some(bytes) => self.writer.opaque(&bytes),
                None => self.writer.opaque(run.as_bytes()),
            }
        } else if !(run.is_empty() || self.skip_blank && is_blank(&run)) {
            self.text(&run);
        }
        // The next ones go into the same memory.
        self.run = run;
        self.run.clear();
    }

    fn text(&mut self, text: &str) {
        if let Some(bytes) = opaque(self.form(), text) {
            return self.writer.opaque(&bytes);
        }
        let language = self.language.filter(|language| !language.extensions().is_empty());
        if let Some(row) = language.and_then(|language| language.extension_for(text)) {
            let value = ExtensionValue::Number(u32::from(row.token()));
            return self.writer.extension(&Extension::new(0, value));
        }
        let mut rest = text;
        while self.variables
            && let Some((before, number, name, behind)) = variable::split(rest)
        {
            self.writer.text(before);
            self.writer.extension(&Extension::new(number, ExtensionValue::Text(name.into())));
            rest = behind;
        }
        self.writer.text(rest);
    }

    /// The other language of an element inside one that decides by type.
    fn embedded(&self, name: &XmlName<'_>) -> Option<&'static Language> {
        let language = self.language.filter(|_| self.outermost)?;
        let own = language.page_of(name.namespace()).is_some();
        (self.form() == OpaqueForm::ByType && !own)
            .then(|| embedded(language, name.namespace(), name.local()))?
    }

    fn embed(
        &mut self,
        fragment: &Fragment<'_>,
        options: &FromXml<'_>,
        language: &'static Language,
    ) -> Result<(), ConvertError> {
        let options = FromXml { public_id: None, ..options.clone() };
        let xml = options.xml.with_processing_instructions(true);
        let mut document = Vec::new();
        convert(fragment.reader(&xml), &options, Some(language), false, &mut document)?;
        self.writer.opaque(&document);
        Ok(())
    }

    fn start(&mut self, start: &Start<'_>) {
        let name = start.name();
        let parent = self.open.last().map_or(0, |open| open.1);
        let row = self.row(&name, parent);
        let place = row.map(|row| (row.page(), row.token())).or_else(|| named_token(name.local()));
        match place {
            Some((page, token)) => self.writer.start_tag(page, token),
            None => {
                let own = self.is_own(name.namespace());
                self.writer.start_literal(if own { name.local() } else { name.qualified() });
            }
        }
        let page = place.map_or(parent, |place| place.0);
        self.open.push((row.map_or(OpaqueForm::Text, Row::form), page));
        for (prefix, namespace) in start.declarations() {
            // The code page says it.
            if self.is_own(namespace) {
                continue;
            }
            match prefix {
                "" => self.attribute("xmlns", namespace),
                prefix => self.attribute(&format!("xmlns:{prefix}"), namespace),
            }
        }
        for attribute in start.attributes() {
            self.attribute(attribute.name.qualified(), attribute.value);
        }
    }

    /// The row of an element.
    fn row(&mut self, name: &XmlName<'_>, parent: u8) -> Option<&'w Row> {
        let language = self.language?;
        let local = name.local();
        let bytes = local.as_bytes();
        let ends = (bytes.first().copied(), bytes.last().copied());
        let hash = usize::from(ends.0.unwrap_or(0)) * 7 + usize::from(ends.1.unwrap_or(0));
        let place = (hash + bytes.len()) % RECENT;
        if let Some(Some(recent)) = self.recent.get(place)
            && recent.row.name() == local
            && recent.namespace == name.namespace()
        {
            return Some(recent.row);
        }
        let row = tag(language, name, parent)?;
        if let Some(namespace) = language.namespace(row.page())
            && namespace == name.namespace()
            && row.name() == local
            && let Some(place) = self.recent.get_mut(place)
        {
            *place = Some(Recent { namespace, row });
        }
        Some(row)
    }

    /// Whether a code page stands for a namespace.
    fn is_own(&self, namespace: &str) -> bool {
        self.language.is_some_and(|language| language.page_of(namespace).is_some())
    }

    fn attribute(&mut self, name: &str, value: &str) {
        let row = self.language.and_then(|language| language.attribute_for(name, value, 0));
        let date = row.filter(|row| row.form() == OpaqueForm::DateTime && row.value().is_empty());
        if let Some((row, bytes)) = date.zip(OpaqueForm::DateTime.to_opaque(value)) {
            self.writer.attribute_start(row.page(), row.token());
            self.writer.opaque(&bytes);
            return self.writer.end_value();
        }
        match named_token(name).filter(|_| row.is_none()) {
            Some((page, token)) => {
                self.writer.attribute_start(page, token);
                self.writer.value(value);
                self.writer.end_value();
            }
            None => self.writer.attribute(name, value),
        }
    }

    fn instruction(&mut self, target: &str, data: &str) -> Next {
        if target == OPAQUE_TARGET {
            return match STANDARD.decode(data) {
                Ok(bytes) => {
                    self.writer.opaque(&bytes);
                    Next::Event
                }
                Err(_) => Next::NoBase64,
            };
        }
        self.writer.start_instruction(target);
        self.writer.value(data);
        self.writer.end_instruction();
        Next::Event
    }
}

/// The tag of an element: of the page of its namespace; without one, or in a language without namespaces, by its name
/// as it is written, on its parent's page first.
fn tag<'l>(language: &'l Language, name: &XmlName<'_>, parent: u8) -> Option<&'l Row> {
    if let Some(page) = language.page_of(name.namespace()) {
        return language.tag_by_name(name.local(), page).filter(|row| row.page() == page);
    }
    let plain = name.namespace().is_empty() || language.namespaces().is_empty();
    plain.then(|| language.tag_by_name(name.qualified(), parent))?
}

/// The opaque data of a text whose element has a form for it.
fn opaque(form: OpaqueForm, text: &str) -> Option<Vec<u8>> {
    let own = !matches!(form, OpaqueForm::Text | OpaqueForm::ByType) && !text.is_empty();
    own.then(|| form.to_opaque(text))?
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}
