//! Large objects from the server, in pieces.

use bindery_syncml::{Command, Data, Item, Meta, StatusCode, Tag};
use bytes::{Bytes, BytesMut};

/// An object of which pieces have come.
pub(super) struct Object {
    tag: Option<Tag>,
    uri: String,
    /// Its length as the first piece said it, in octets as they come.
    size: u64,
    octets: BytesMut,
    text: bool,
    /// Meta of the first piece.
    meta: Option<Box<Meta>>,
}

/// What a piece led to.
pub(super) enum Piece {
    /// The command stands by itself.
    Whole,
    /// More has to come.
    More,
    /// The object is complete: the last item of the command, with all of its data.
    Complete(Box<Item>),
    /// It cannot be: its status, and whether an object was lost by it.
    Bad(StatusCode, bool),
}

/// Takes the last item of a command, if it is a piece of a large object.
pub(super) fn piece(
    object: &mut Option<Object>,
    command: &Command,
    items: &[Item],
    outer: Option<&Meta>,
    limit: u64,
) -> Piece {
    let Some(item) = items.last() else { return Piece::Whole };
    let uri = item.uri().unwrap_or_default();
    let Some(mut open) = object.take() else {
        if !item.more_data {
            return Piece::Whole;
        }
        return first(object, command, item, outer, limit);
    };
    if open.tag != command.tag() || open.uri != uri {
        // Something else came between its pieces: it is lost.
        return Piece::Bad(StatusCode::OK, true);
    }
    if !open.push(item) {
        return Piece::Bad(StatusCode::UNSUPPORTED_MEDIA_TYPE_OR_FORMAT, false);
    }
    let length = open.octets.len() as u64;
    if length > open.size || (!item.more_data && length != open.size) {
        return Piece::Bad(StatusCode::SIZE_MISMATCH, false);
    }
    if item.more_data {
        *object = Some(open);
        return Piece::More;
    }
    match open.finish(item) {
        Some(item) => Piece::Complete(Box::new(item)),
        None => Piece::Bad(StatusCode::UNSUPPORTED_MEDIA_TYPE_OR_FORMAT, false),
    }
}

fn first(
    object: &mut Option<Object>,
    command: &Command,
    item: &Item,
    outer: Option<&Meta>,
    limit: u64,
) -> Piece {
    let meta = item.meta.as_deref().or(outer);
    let size = item.meta.as_ref().and_then(|meta| meta.size).or_else(|| outer?.size);
    let Some(size) = size else { return Piece::Bad(StatusCode::SIZE_REQUIRED, false) };
    if size > limit {
        return Piece::Bad(StatusCode::REQUEST_ENTITY_TOO_LARGE, false);
    }
    let mut open = Object {
        tag: command.tag(),
        uri: item.uri().unwrap_or_default().to_owned(),
        size,
        octets: BytesMut::new(),
        text: true,
        meta: meta.cloned().map(Box::new),
    };
    if !open.push(item) || open.octets.len() as u64 > size {
        return Piece::Bad(StatusCode::SIZE_MISMATCH, false);
    }
    *object = Some(open);
    Piece::More
}

impl Object {
    fn push(&mut self, item: &Item) -> bool {
        use bindery_syncml::Content;
        match item.data.as_ref().map(|data| &data.content) {
            None => true,
            Some(Content::Text(text)) => {
                self.octets.extend_from_slice(text.as_bytes());
                true
            }
            Some(Content::Opaque(octets)) => {
                self.text = false;
                self.octets.extend_from_slice(octets);
                true
            }
            Some(_) => false,
        }
    }

    /// The item as if it had come whole.
    fn finish(self, last: &Item) -> Option<Item> {
        let octets: Bytes = self.octets.freeze();
        let data: Data = match self.text {
            true => bindery_syncml::Text::from_utf8(octets)?.into(),
            false => octets.into(),
        };
        let mut item = last.clone();
        (item.meta, item.data, item.more_data) = (self.meta, Some(data), false);
        Some(item)
    }
}

impl From<Object> for String {
    fn from(object: Object) -> Self {
        object.uri
    }
}
