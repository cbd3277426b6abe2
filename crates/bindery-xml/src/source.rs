//! A whole document in memory, as characters.

use std::borrow::Cow;

use crate::encoding::{Decoder, Encoding, detect};
use crate::error::{EncodingFault, ErrorKind, Limit};
use crate::options::Options;
use crate::reader::Reader;

/// A document's bytes, decoded: borrowed where they are UTF-8 or US-ASCII, copied where they are not.
///
/// A fault of the bytes is reported by the [`Reader`] at its place, behind the events before it, exactly as the
/// [`PushReader`](crate::PushReader) does.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    text: Cow<'a, str>,
    encoding: Encoding,
    mark: usize,
    fault: Option<ErrorKind>,
    options: Options,
}

impl<'a> Source<'a> {
    /// Decodes a document with [`Options::STRICT`].
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::with_options(bytes, &Options::STRICT)
    }

    /// Decodes a document. At most [`Limits::document_length`](crate::Limits) bytes of it are looked at.
    pub fn with_options(bytes: &'a [u8], options: &Options) -> Self {
        let maximum = options.limits.document_length;
        let length = usize::try_from(maximum).unwrap_or(usize::MAX);
        let allowed = bytes.get(..length).unwrap_or(bytes);
        let cut = allowed.len() < bytes.len();
        if let Ok(Some((encoding, mark))) = detect(allowed, true, options)
            && let Some((text, wrong)) = encoding.borrowed(allowed.get(mark..).unwrap_or_default())
        {
            let whole = mark + text.len() == allowed.len();
            let fault = if wrong || !(whole || cut) {
                Some(EncodingFault::Invalid { encoding }.into())
            } else if cut {
                Some(ErrorKind::Limit { limit: Limit::DocumentLength, maximum })
            } else {
                None
            };
            return Self { text: Cow::Borrowed(text), encoding, mark, fault, options: *options };
        }
        let mut decoder = Decoder::new();
        let mut text = String::new();
        decoder.feed(bytes, options, &mut text);
        decoder.finish(options, &mut text);
        let (encoding, mark) = decoder.detected().unwrap_or((Encoding::Utf8, 0));
        let fault = decoder.fault().cloned();
        Self { text: Cow::Owned(text), encoding, mark, fault, options: *options }
    }

    /// The encoding of the bytes.
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Whether the characters are the bytes themselves.
    pub const fn is_borrowed(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }

    /// A reader of the document from its start.
    pub fn reader(&self) -> Reader<'_> {
        Reader::of(&self.text, self.encoding, self.mark, self.fault.clone(), &self.options)
    }
}
