//! Where a piece of a document ends: the one place that looks for it, for whole documents and for streams.
//!
//! quick-xml's incremental parsers find the end of tags and processing instructions and keep their state between two
//! looks, so that every byte is looked at once, however small the pieces are in which it arrives.

use quick_xml::parser::{ElementParser, Parser as _, PiParser};

use crate::error::{Construct, ErrorKind, Limit, StructureFault, SyntaxFault, limit};
use crate::options::Options;

const COMMENT: &[u8] = b"<!--";
const CDATA: &[u8] = b"<![CDATA[";
const DOCTYPE: &[u8] = b"<!DOCTYPE";

/// Looks for the end of one piece.
#[derive(Clone, Debug)]
pub(crate) struct Scanner {
    kind: Option<Construct>,
    /// How many bytes need no second look.
    seen: usize,
    tag: ElementParser,
    instruction: PiParser,
    /// The quote that is open in a DOCTYPE, or zero.
    quote: u8,
}

impl Scanner {
    pub(crate) const NEW: Self = Self {
        kind: None,
        seen: 0,
        tag: ElementParser::Outside,
        instruction: PiParser(false),
        quote: 0,
    };

    /// Whether no byte of the piece was looked at.
    #[inline]
    pub(crate) const fn is_new(&self) -> bool {
        self.kind.is_none() && self.seen == 0
    }

    /// What the piece is, as far as it can be told.
    pub(crate) fn kind(&self) -> Construct {
        self.kind.unwrap_or(Construct::Markup)
    }

    /// The length of the piece that begins with `bytes`, which continue those of the call before; nothing when more
    /// bytes are needed. Text ends where markup begins; that the document ends it is for the caller to know.
    pub(crate) fn scan(
        &mut self,
        bytes: &[u8],
        options: &Options,
    ) -> Result<Option<usize>, (ErrorKind, usize)> {
        let kind = match self.kind {
            Some(kind) => kind,
            None => match begin(bytes).map_err(|kind| (kind, 0))? {
                Some((kind, seen)) => {
                    self.kind = Some(kind);
                    self.seen = seen;
                    kind
                }
                None => return Ok(None),
            },
        };
        if kind == Construct::Doctype && !options.tolerance.doctype {
            return Err((StructureFault::Doctype.into(), 0));
        }
        let (name, maximum) = match kind {
            Construct::StartTag | Construct::EndTag | Construct::Doctype => {
                (Limit::TagLength, options.limits.tag_length)
            }
            _ => (Limit::TextLength, options.limits.text_length),
        };
        // A text that is just short enough ends at the byte behind it.
        let reach = maximum.saturating_add(usize::from(kind == Construct::Text));
        let window = bytes.get(..reach).unwrap_or(bytes);
        let found = self.find(kind, window)?;
        if found.is_none() && bytes.len() > maximum {
            return Err((limit(name, maximum), 0));
        }
        Ok(found)
    }

    fn find(
        &mut self,
        kind: Construct,
        window: &[u8],
    ) -> Result<Option<usize>, (ErrorKind, usize)> {
        let rest = window.get(self.seen..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let base = self.seen;
        let end = match kind {
            Construct::Text => memchr::memchr(b'<', rest),
            Construct::StartTag => self.tag.feed(rest).map(|at| at + 1),
            Construct::EndTag => memchr::memchr(b'>', rest).map(|at| at + 1),
            Construct::ProcessingInstruction => self.instruction.feed(rest).map(|at| at + 1),
            Construct::Comment => delimited(window, base, COMMENT.len(), b"--"),
            Construct::Cdata => delimited(window, base, CDATA.len(), b"]]"),
            _ => self.doctype(rest)?.map(|at| at + 1),
        };
        self.seen = window.len();
        Ok(end.map(|end| base + end))
    }

    /// The `>` of a DOCTYPE outside its quotes.
    fn doctype(&mut self, rest: &[u8]) -> Result<Option<usize>, (ErrorKind, usize)> {
        for (at, &byte) in rest.iter().enumerate() {
            match (self.quote, byte) {
                (0, b'>') => return Ok(Some(at)),
                (0, b'[') => return Err((StructureFault::InternalSubset.into(), self.seen + at)),
                (0, b'\'' | b'"') => self.quote = byte,
                (quote, _) if quote == byte => self.quote = 0,
                _ => {}
            }
        }
        Ok(None)
    }
}

/// The end, counted from `base`, of a piece that ends with two given bytes and `>`, none of them in its first bytes.
fn delimited(window: &[u8], base: usize, opening: usize, closing: &[u8]) -> Option<usize> {
    let rest = window.get(base..)?;
    memchr::memchr_iter(b'>', rest)
        .find(|at| window.get(opening..base + at).is_some_and(|before| before.ends_with(closing)))
        .map(|at| at + 1)
}

/// What begins with these bytes, and how many of them belong to its opening.
fn begin(bytes: &[u8]) -> Result<Option<(Construct, usize)>, ErrorKind> {
    Ok(match bytes {
        [] | [b'<'] => None,
        [b'<', b'/', ..] => Some((Construct::EndTag, 2)),
        [b'<', b'?', ..] => Some((Construct::ProcessingInstruction, 2)),
        [b'<', b'!', ..] => {
            let openings = [
                (COMMENT, Construct::Comment),
                (CDATA, Construct::Cdata),
                (DOCTYPE, Construct::Doctype),
            ];
            let found = openings.iter().find(|(opening, _)| bytes.starts_with(opening));
            match found {
                Some((opening, kind)) => Some((*kind, opening.len())),
                None if openings.iter().any(|(opening, _)| opening.starts_with(bytes)) => None,
                None => return Err(SyntaxFault::Markup.into()),
            }
        }
        [b'<', ..] => Some((Construct::StartTag, 1)),
        _ => Some((Construct::Text, 0)),
    })
}

#[cfg(test)]
mod tests {
    use super::Scanner;
    use crate::options::{Limits, Options};

    /// How many bytes are looked at in a document that arrives in pieces of 16 bytes.
    fn looked_at(document: &[u8], options: &Options) -> usize {
        let (mut start, mut end, mut looked) = (0, 0, 0);
        let mut scanner = Scanner::NEW;
        while end < document.len() {
            end = document.len().min(end + 16);
            loop {
                let piece = &document[start..end];
                let seen = scanner.seen;
                let found = scanner.scan(piece, options).unwrap();
                looked += found.unwrap_or(piece.len()) - seen;
                let Some(length) = found else { break };
                start += length;
                scanner = Scanner::NEW;
            }
        }
        looked
    }

    /// A piece whose end is far away is not looked through again for each few bytes that arrive.
    #[test]
    fn every_byte_is_looked_at_once() {
        let options = Options::STRICT.with_limits(Limits::DEFAULT.with_tag_length(64 << 20));
        let pieces = [
            "<b/>",
            "&amp;",
            "]]",
            "x",
            "<!---->",
            "<![CDATA[]]>",
            "<!-- > - > --",
            "<![CDATA[>]>",
            "<b c='",
            "<b ' \" ",
            "\r\n",
            "<?p >",
            "</b ",
            "<b xmlns:p='n' p:c='' d=''></b>",
        ];
        for piece in pieces {
            let document = format!("<a>{}", piece.repeat(40_000 / piece.len())).into_bytes();
            // An opening of up to nine bytes may be looked at twice, where it arrives in two halves.
            let openings = document.iter().filter(|b| **b == b'<').count() * 9;
            let most = document.len() + openings;
            let looked = looked_at(&document, &options);
            assert!(looked <= most, "{piece:?}: {looked} of {} bytes", document.len());
        }
    }
}
