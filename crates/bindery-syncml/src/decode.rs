//! Events to structures.

use bytes::Bytes;

use crate::devinf::DevInf;
use crate::macros::{Field, Structure};
use crate::pieces::{Piece, Pieces};
use crate::{
    Attribute, Content, Data, Element, Error, ErrorKind, Event, Events, Input, MgmtTree, Name,
    Start, Tag, Text, Tolerance,
};

/// Reads structures from events.
pub(crate) struct Decoder<'e, 'a> {
    pub(crate) events: &'e mut Events<'a>,
}

/// How far a structure has been read: the last field, which fields there were, how many children.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    last: usize,
    seen: u32,
    count: usize,
}

impl Progress {
    /// Everything that follows stands behind the commands.
    pub(crate) const fn behind_all(&mut self) {
        self.last = usize::MAX;
    }
}

impl Decoder<'_, '_> {
    pub(crate) const fn tolerance(&self) -> Tolerance {
        self.events.options().tolerance
    }

    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        self.events.error(kind)
    }

    fn next(&mut self) -> Result<Event, Error> {
        // The readers end a document only when its element has ended, so that the default is never seen.
        Ok(self.events.next_event()?.unwrap_or(Event::End))
    }

    /// The next child of an element that has elements only; `None` at its end.
    #[inline]
    pub(crate) fn child(&mut self) -> Result<Option<Start>, Error> {
        loop {
            match self.next()? {
                Event::Start(start) => return Ok(Some(start)),
                Event::End => return Ok(None),
                Event::Text(text) if text.trim_matches(crate::pieces::SPACE).is_empty() => {}
                Event::Text(_) | Event::Opaque(_) => return Err(self.error(ErrorKind::Text)),
            }
        }
    }

    /// A structure whose start was read.
    pub(crate) fn structure<T: Structure>(
        &mut self,
        attributes: Vec<Attribute>,
    ) -> Result<T, Error> {
        let mut value = T::default();
        self.attributes(&attributes)?;
        value.others_mut().set_attributes(attributes);
        let mut progress = Progress::default();
        while let Some(start) = self.child()? {
            self.place(&mut value, start, &mut progress)?;
        }
        self.finish::<T>(&progress)?;
        Ok(value)
    }

    pub(crate) fn attributes(&self, attributes: &[Attribute]) -> Result<(), Error> {
        match attributes.first() {
            Some(attribute) if !self.tolerance().attributes => {
                let found = attribute.local.chars().take(64).collect();
                Err(self.error(ErrorKind::Attribute { found }))
            }
            _ => Ok(()),
        }
    }

    /// Puts a child where it belongs: into its field, or among the unknown ones.
    #[inline]
    pub(crate) fn place<T: Structure>(
        &mut self,
        value: &mut T,
        start: Start,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        let field = match start.name {
            Name::Tag(tag) => T::FIELDS.iter().enumerate().find(|(_, field)| field.tag == tag),
            Name::Other(_) | Name::Token { .. } => None,
        };
        let Some((at, field)) = field else {
            return self.keep(value, start, progress);
        };
        let bit = 1_u32 << at.min(31);
        if progress.seen & bit != 0 && !field.many {
            if !self.tolerance().repeated {
                return Err(self.error(ErrorKind::Repeated { found: field.tag.name().to_owned() }));
            }
            // At the end, so that the first one stays the first one.
            let element = self.element(start)?;
            value.others_mut().push(usize::MAX, element);
            return Ok(());
        }
        if T::ORDERED && at < progress.last && !self.tolerance().order {
            return Err(self.error(ErrorKind::Order { found: field.tag.name().to_owned() }));
        }
        progress.last = progress.last.max(at);
        progress.seen |= bit;
        progress.count += 1;
        if let Some(element) = value.read_field(field.tag, start.attributes, self)? {
            progress.seen &= !bit;
            progress.count -= 1;
            value.others_mut().push(usize::MAX, element);
        }
        Ok(())
    }

    fn keep<T: Structure>(
        &mut self,
        value: &mut T,
        start: Start,
        progress: &Progress,
    ) -> Result<(), Error> {
        if let Name::Tag(tag) = start.name
            && !self.tolerance().misplaced
        {
            return Err(self.error(ErrorKind::Misplaced { found: tag.name().to_owned() }));
        }
        let element = self.element(start)?;
        value.others_mut().push(progress.count, element);
        Ok(())
    }

    /// That nothing required is missing.
    pub(crate) fn finish<T: Structure>(&self, progress: &Progress) -> Result<(), Error> {
        if self.tolerance().missing {
            return Ok(());
        }
        let missing = |(at, field): &(usize, &Field)| {
            field.required && progress.seen & (1_u32 << (*at).min(31)) == 0
        };
        match T::FIELDS.iter().enumerate().find(missing) {
            Some((_, field)) => Err(self.error(ErrorKind::Missing { expected: field.tag.name() })),
            None => Ok(()),
        }
    }

    /// The text of an element whose start was read. Opaque data counts as text.
    #[inline]
    pub(crate) fn text(&mut self, attributes: &[Attribute]) -> Result<Text, Error> {
        self.attributes(attributes)?;
        match self.leaf()? {
            None => Ok(Text::default()),
            Some(Piece::Text(text)) => Ok(text),
            Some(Piece::Opaque(bytes)) => {
                Text::from_utf8(bytes).ok_or_else(|| self.error(ErrorKind::Octets))
            }
        }
    }

    /// The content of an element that has no elements, up to its end.
    #[inline]
    fn leaf(&mut self) -> Result<Option<Piece>, Error> {
        let mut pieces = Pieces::default();
        loop {
            match self.next()? {
                Event::Text(text) => pieces.push(Piece::Text(text)),
                Event::Opaque(bytes) => pieces.push(Piece::Opaque(bytes)),
                Event::End => return Ok(pieces.join()),
                Event::Start(start) => {
                    let found = start.name.to_string();
                    return Err(self.error(ErrorKind::Element { found }));
                }
            }
        }
    }

    /// A number. `Err` inside is the element, if it is none and that is tolerated.
    pub(crate) fn number(
        &mut self,
        tag: Tag,
        attributes: &[Attribute],
    ) -> Result<Result<u64, Element>, Error> {
        let text = self.text(attributes)?;
        match text.number() {
            Some(number) => Ok(Ok(number)),
            None if self.tolerance().misplaced => Ok(Err(Element::new(Name::Tag(tag), text))),
            None => Err(self.error(ErrorKind::Number)),
        }
    }

    /// Nothing but the end may follow.
    pub(crate) fn empty(&mut self, attributes: &[Attribute]) -> Result<(), Error> {
        self.attributes(attributes)?;
        match self.child()? {
            None => Ok(()),
            Some(start) => Err(self.error(ErrorKind::Misplaced { found: start.name.to_string() })),
        }
    }

    /// A whole element as events.
    pub(crate) fn element(&mut self, start: Start) -> Result<Element, Error> {
        let mut events = vec![Event::Start(start)];
        self.rest(&mut events)?;
        events.push(Event::End);
        Ok(Element(events))
    }

    /// What follows up to the end of the innermost element.
    fn rest(&mut self, events: &mut Vec<Event>) -> Result<(), Error> {
        let (mut depth, mut pieces) = (0_usize, Pieces::default());
        loop {
            let event = self.next()?;
            match event {
                Event::Text(text) => pieces.push(Piece::Text(text)),
                Event::Opaque(bytes) => pieces.push(Piece::Opaque(bytes)),
                Event::Start(_) | Event::End => {
                    let leaf = matches!(event, Event::End)
                        && matches!(events.last(), Some(Event::Start(_)));
                    let run = std::mem::take(&mut pieces);
                    if leaf || !run.is_blank() {
                        events.extend(run.join().map(Event::from));
                    }
                    match (&event, depth) {
                        (Event::Start(_), _) => depth += 1,
                        (_, 0) => return Ok(()),
                        _ => depth -= 1,
                    }
                    events.push(event);
                }
            }
        }
    }

    /// Data: text, octets, or elements.
    pub(crate) fn data(&mut self, attributes: Vec<Attribute>) -> Result<Data, Error> {
        self.attributes(&attributes)?;
        Ok(Data { content: self.content()?, attributes })
    }

    /// The content of an element that may have anything, up to its end.
    pub(crate) fn content(&mut self) -> Result<Content, Error> {
        let mut pieces = Pieces::default();
        loop {
            match self.next()? {
                Event::Text(text) => pieces.push(Piece::Text(text)),
                Event::Opaque(bytes) => pieces.push(Piece::Opaque(bytes)),
                Event::End => return self.plain(pieces.join()),
                Event::Start(start) => return self.elements(start, pieces),
            }
        }
    }

    fn plain(&mut self, piece: Option<Piece>) -> Result<Content, Error> {
        Ok(match piece {
            None => Content::default(),
            Some(Piece::Text(text)) => Content::Text(text),
            Some(Piece::Opaque(bytes)) => match self.document(&bytes)? {
                Some(devinf) => Content::DevInf(Box::new(devinf)),
                None => Content::Opaque(bytes),
            },
        })
    }

    /// The DevInf document in opaque data, if it is one.
    fn document(&mut self, bytes: &Bytes) -> Result<Option<DevInf>, Error> {
        if !matches!(bytes.first(), Some(1..=3)) {
            return Ok(None);
        }
        let options = *self.events.options();
        let language = bindery_wbxml::Reader::with_options(bytes, &options.wbxml())
            .ok()
            .and_then(|reader| reader.language().or_else(|| crate::events::wbxml::nearly(&reader)));
        if language.is_none_or(|language| language.root() != "DevInf") {
            return Ok(None);
        }
        let base = self.events.offset_of(bytes);
        let input = Input::new(bytes, &options);
        let elements = self.events.elements();
        let read =
            input.events().map(|events| events.embedded(base, elements)).and_then(|mut inner| {
                let devinf: DevInf = root(&mut Decoder { events: &mut inner })?;
                Ok((devinf, inner.elements()))
            });
        match read {
            Ok((devinf, elements)) => {
                self.events.count(elements);
                Ok(Some(devinf))
            }
            Err(error) if matches!(error.kind(), ErrorKind::Limit { .. }) => Err(error),
            Err(_) if options.tolerance.embedded => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn elements(&mut self, start: Start, pieces: Pieces) -> Result<Content, Error> {
        if !pieces.is_blank() {
            let mut events: Vec<Event> = pieces.join().map(Event::from).into_iter().collect();
            return self.generic(start, &mut events);
        }
        match start.name {
            Name::Tag(Tag::DEVINF_DEV_INF) => {
                let devinf = self.structure(start.attributes)?;
                self.empty(&[])?;
                Ok(Content::DevInf(Box::new(devinf)))
            }
            Name::Tag(Tag::DDF_MGMT_TREE) => {
                let tree = MgmtTree::read(start.attributes, self)?;
                self.empty(&[])?;
                Ok(Content::MgmtTree(Box::new(tree)))
            }
            Name::Tag(tag) if crate::Meta::FIELDS.iter().any(|field| field.tag == tag) => {
                let mut meta = crate::Meta::default();
                let mut progress = Progress::default();
                self.place(&mut meta, start, &mut progress)?;
                while let Some(start) = self.child()? {
                    self.place(&mut meta, start, &mut progress)?;
                }
                // The first element says what Data holds, so that unknown ones go behind the others.
                if let Some(kept) = &mut meta.others.0 {
                    kept.elements.iter_mut().for_each(|other| other.after = usize::MAX);
                }
                Ok(Content::Meta(Box::new(meta)))
            }
            _ => self.generic(start, &mut Vec::new()),
        }
    }

    fn generic(&mut self, start: Start, events: &mut Vec<Event>) -> Result<Content, Error> {
        let first = self.element(start)?;
        events.extend(first.0);
        self.rest(events)?;
        Ok(Content::Elements(std::mem::take(events)))
    }
}

/// The document element, which must be this structure, and the end of the document.
pub(crate) fn root<T: Structure>(decoder: &mut Decoder<'_, '_>) -> Result<T, Error> {
    let attributes = expect(decoder, T::TAG)?;
    let value = decoder.structure(attributes)?;
    end(decoder)?;
    Ok(value)
}

/// The start of the document element.
pub(crate) fn expect(decoder: &mut Decoder<'_, '_>, tag: Tag) -> Result<Vec<Attribute>, Error> {
    match decoder.events.next_event()? {
        Some(Event::Start(start)) if start.name == Name::Tag(tag) => Ok(start.attributes),
        Some(Event::Start(start)) => {
            let found = start.name.to_string();
            Err(decoder.error(ErrorKind::Root { expected: tag.name(), found }))
        }
        _ => Err(decoder.error(ErrorKind::Root { expected: tag.name(), found: "nothing".into() })),
    }
}

/// The end of the document: what the reader has to say of what follows.
pub(crate) fn end(decoder: &mut Decoder<'_, '_>) -> Result<(), Error> {
    while decoder.events.next_event()?.is_some() {}
    Ok(())
}
