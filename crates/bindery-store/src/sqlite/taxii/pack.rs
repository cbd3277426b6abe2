//! Lists of texts in one column: each text with its length before it.

use bindery_core::{Principal, Timestamp};
use bindery_taxii::service::{
    Block, ContentFilter, Grant, Grantee, Part, PushTo, QueryText, Received, Rights,
};
use bindery_taxii_xml::ContentBinding;

/// What is written.
#[derive(Default)]
pub(super) struct Pack(pub(super) Vec<u8>);

impl Pack {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn length(&mut self, length: usize) {
        self.number(u64::try_from(length).unwrap_or(u64::MAX));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A text that may not be there.
    pub(super) fn maybe(&mut self, text: Option<&str>) {
        self.length(usize::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn pairs(&mut self, part: &Part) {
        self.length(part.namespaces.len());
        for (prefix, name) in &part.namespaces {
            self.text(prefix);
            self.text(name);
        }
    }

    fn part(&mut self, part: &Part) {
        self.text(&part.raw);
        self.pairs(part);
    }

    /// All of a block, for a digest.
    pub(super) fn block(&mut self, block: &Block) {
        self.text(&block.binding);
        self.maybe(block.subtype.as_deref());
        self.text(&block.content.raw);
        let rest = rest(block).unwrap_or_default();
        self.length(rest.len());
        self.0.extend(rest);
    }
}

/// What is read. `None` from any method: it is not what was written.
pub(super) struct Unpack<'a>(pub(super) &'a [u8]);

impl Unpack<'_> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    fn label(&mut self) -> Option<Timestamp> {
        self.number().map(|label| Timestamp::from_unix_micros(label.cast_signed()))
    }

    /// A length, or a number of texts: never more than there are octets.
    fn length(&mut self) -> Option<usize> {
        let length = usize::try_from(self.number()?).ok()?;
        (length <= self.0.len()).then_some(length)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.length()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn maybe(&mut self) -> Option<Option<String>> {
        match self.number()? {
            0 => Some(None),
            1 => self.text().map(Some),
            _ => None,
        }
    }

    fn pairs(&mut self) -> Option<Vec<(String, String)>> {
        let count = self.length()?;
        (0..count).map(|_| Some((self.text()?, self.text()?))).collect()
    }

    fn part(&mut self) -> Option<Part> {
        let raw = self.text()?;
        Some(Part::new(raw, self.pairs()?))
    }
}

/// Reads all of a column, or finds that it is something else.
fn whole<T>(packed: &[u8], read: impl FnOnce(&mut Unpack<'_>) -> Option<T>) -> Option<T> {
    let mut unpack = Unpack(packed);
    let value = read(&mut unpack)?;
    unpack.0.is_empty().then_some(value)
}

pub(super) fn bindings(bindings: &[ContentBinding]) -> Vec<u8> {
    let mut pack = Pack::default();
    for binding in bindings {
        pack.text(&binding.id);
        pack.length(binding.subtypes.len());
        for subtype in &binding.subtypes {
            pack.text(subtype);
        }
    }
    pack.0
}

pub(super) fn unpack_bindings(packed: &[u8]) -> Option<Vec<ContentBinding>> {
    whole(packed, |unpack| {
        let mut bindings = Vec::new();
        while !unpack.0.is_empty() {
            let mut binding = ContentBinding::new(unpack.text()?);
            for _ in 0..unpack.length()? {
                binding.subtypes.push(unpack.text()?);
            }
            bindings.push(binding);
        }
        Some(bindings)
    })
}

pub(super) fn unpack_filter(packed: &[u8]) -> Option<ContentFilter> {
    unpack_bindings(packed).map(|bindings| ContentFilter::of(&bindings))
}

pub(super) fn grants(grants: &[Grant]) -> Option<Vec<u8>> {
    let mut pack = Pack::default();
    for grant in grants {
        match &grant.to {
            Grantee::Anyone => pack.number(0),
            Grantee::Authenticated => pack.number(1),
            Grantee::Principal(name) => {
                pack.number(2);
                pack.text(name.as_str());
            }
            _ => return None,
        }
        let Rights { list, poll, subscribe, inbox, .. } = grant.rights;
        pack.number(bits(&[list, poll, subscribe, inbox]));
    }
    Some(pack.0)
}

pub(super) fn unpack_grants(packed: &[u8]) -> Option<Vec<Grant>> {
    whole(packed, |unpack| {
        let mut grants = Vec::new();
        while !unpack.0.is_empty() {
            let to = match unpack.number()? {
                0 => Grantee::Anyone,
                1 => Grantee::Authenticated,
                2 => Grantee::Principal(Principal::new(unpack.text()?)),
                _ => return None,
            };
            let bits = unpack.number()?;
            let mut rights = Rights::NONE;
            (rights.list, rights.poll) = (bit(bits, 0), bit(bits, 1));
            (rights.subscribe, rights.inbox) = (bit(bits, 2), bit(bits, 3));
            grants.push(Grant::new(to, rights));
        }
        Some(grants)
    })
}

/// Flags as a number, the first one in the lowest bit.
pub(super) fn bits(flags: &[bool]) -> u64 {
    flags.iter().rev().fold(0, |bits, flag| bits << 1 | u64::from(*flag))
}

pub(super) const fn bit(bits: u64, place: u32) -> bool {
    bits >> place & 1 == 1
}

pub(super) fn query(query: &QueryText) -> Vec<u8> {
    let mut pack = Pack::default();
    pack.text(&query.format_id);
    pack.part(&query.content);
    pack.0
}

pub(super) fn unpack_query(packed: &[u8]) -> Option<QueryText> {
    whole(packed, |unpack| Some(QueryText::new(unpack.text()?, unpack.part()?)))
}

pub(super) fn push(push: &PushTo) -> Vec<u8> {
    let mut pack = Pack::default();
    pack.text(&push.protocol_binding);
    pack.text(&push.address);
    pack.text(&push.message_binding);
    pack.0
}

pub(super) fn unpack_push(packed: &[u8]) -> Option<PushTo> {
    whole(packed, |unpack| Some(PushTo::new(unpack.text()?, unpack.text()?, unpack.text()?)))
}

/// What a block has beside binding and characters; nothing where it has nothing else, as is usual.
pub(super) fn rest(block: &Block) -> Option<Vec<u8>> {
    let bare = block.content.namespaces.is_empty()
        && block.message.is_none()
        && block.padding.is_none()
        && block.signature.is_none();
    if bare {
        return None;
    }
    let mut pack = Pack::default();
    pack.pairs(&block.content);
    pack.maybe(block.message.as_deref());
    pack.maybe(block.padding.as_deref());
    if let Some(signature) = &block.signature {
        pack.part(signature);
    }
    Some(pack.0)
}

pub(super) fn unpack_rest(packed: &[u8], block: &mut Block) -> Option<()> {
    whole(packed, |unpack| {
        block.content.namespaces = unpack.pairs()?;
        block.message = unpack.maybe()?;
        block.padding = unpack.maybe()?;
        if !unpack.0.is_empty() {
            block.signature = Some(unpack.part()?);
        }
        Some(())
    })
}

pub(super) fn receipt(collections: &[Received]) -> Vec<u8> {
    let mut pack = Pack::default();
    for one in collections {
        let (first, last) = one.labels.unwrap_or_default();
        pack.number(one.blocks);
        for label in [first, last] {
            pack.number(label.unix_micros().cast_unsigned());
        }
    }
    pack.0
}

pub(super) fn unpack_receipt(packed: &[u8]) -> Option<Vec<Received>> {
    whole(packed, |unpack| {
        let mut collections = Vec::new();
        while !unpack.0.is_empty() {
            let blocks = unpack.number()?;
            let labels = (unpack.label()?, unpack.label()?);
            collections.push(Received::new(blocks, (blocks > 0).then_some(labels)));
        }
        Some(collections)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_or_too_long_is_not_read() {
        let mut block = Block::new("urn:b", Part::new("x", vec![("p".into(), "urn:p".into())]));
        block.message = Some("m".into());
        block.signature = Some(Part::new("<s/>", vec![("".into(), "urn:s".into())]));
        let packed = rest(&block).unwrap();
        let mut read = Block::new("urn:b", Part::new("x", Vec::new()));
        assert_eq!(unpack_rest(&packed, &mut read), Some(()));
        assert_eq!(read, block);
        let without_signature = packed.len() - (8 + 4 + 8 + 8 + 8 + 5);
        for length in (0..packed.len()).filter(|length| *length != without_signature) {
            assert_eq!(unpack_rest(&packed[..length], &mut read), None, "{length}");
        }
        let longer = [&*packed, &[0]].concat();
        assert_eq!(unpack_rest(&longer, &mut read), None);
        let huge = [u64::MAX.to_be_bytes(), u64::MAX.to_be_bytes()].concat();
        assert_eq!(unpack_bindings(&huge), None);
        assert_eq!(unpack_receipt(&[1]), None);
    }

    #[test]
    fn flags_have_their_places() {
        let packed = bits(&[true, false, true, false]);
        assert_eq!(packed, 0b0101);
        assert!(bit(packed, 0) && !bit(packed, 1) && bit(packed, 2) && !bit(packed, 3));
    }
}
