//! Runs of text and opaque data, joined.

use bytes::Bytes;

use crate::Text;

/// White space of XML.
pub(crate) const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// A piece of content that is no element.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Text(Text),
    Opaque(Bytes),
}

impl Piece {
    /// Whether it is text of white space only.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim_matches(SPACE).is_empty())
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Opaque(bytes) => bytes,
        }
    }
}

/// Pieces in a row. Nearly always there is one.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    first: Option<Piece>,
    rest: Vec<Piece>,
}

impl Pieces {
    pub(crate) fn push(&mut self, piece: Piece) {
        if self.first.is_none() {
            self.first = Some(piece);
        } else {
            self.rest.push(piece);
        }
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.first.iter().chain(&self.rest).all(Piece::is_blank)
    }

    /// All as one: text if all are text; opaque if all are opaque, or else only carriage returns, which no CDATA section
    /// can hold; otherwise text if it is UTF-8. Empty text is nothing.
    pub(crate) fn join(self) -> Option<Piece> {
        let first = self.first?;
        if self.rest.is_empty() {
            return match first {
                Piece::Text(text) if text.is_empty() => None,
                piece => Some(piece),
            };
        }
        let all = || std::iter::once(&first).chain(&self.rest);
        let opaque = all().any(|piece| matches!(piece, Piece::Opaque(_)));
        let split = all().all(|piece| match piece {
            Piece::Text(text) => text.bytes().all(|b| b == b'\r'),
            Piece::Opaque(_) => true,
        });
        let mut joined = Vec::with_capacity(all().map(|piece| piece.bytes().len()).sum());
        all().for_each(|piece| joined.extend_from_slice(piece.bytes()));
        if opaque && split {
            return Some(Piece::Opaque(Bytes::from(joined)));
        }
        match String::from_utf8(joined) {
            Ok(text) if text.is_empty() && !opaque => None,
            Ok(text) => Some(Piece::Text(Text::from(text))),
            Err(error) => Some(Piece::Opaque(Bytes::from(error.into_bytes()))),
        }
    }
}
