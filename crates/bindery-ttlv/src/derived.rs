//! What code made by `#[derive(Ttlv)]` calls, and structures written by hand that keep its rules (order, no field twice,
//! unknown fields in their places). Outside these crates it is not for people: it changes with the derive.

use crate::decoder::extra;
use crate::raw::Place;
use crate::{Choice, Decode, Element, Encode, Error, ErrorKind, RawItem, Tag, Writer};

/// The place reached in a structure: fields must not go back behind it.
#[derive(Debug)]
pub struct Order(Place);

impl Order {
    /// Before the first field.
    #[inline]
    pub const fn new() -> Self {
        Self(Place::START)
    }

    #[inline]
    fn pass(&mut self, element: &Element<'_>, field: u16, nth: usize) -> Result<(), Error> {
        if field < self.0.field {
            return late(element);
        }
        let nth = u32::try_from(nth).unwrap_or(u32::MAX);
        self.0 = Place { field, nth };
        Ok(())
    }
}

#[cold]
fn late(element: &Element<'_>) -> Result<(), Error> {
    if element.options().tolerance.field_order {
        return Ok(());
    }
    Err(element.error(ErrorKind::FieldOrder { tag: element.tag() }))
}

/// Checks that a single field stands in order and once; `taken` says whether it was there before.
#[inline]
pub fn single(
    element: &Element<'_>,
    order: &mut Order,
    field: u16,
    taken: bool,
) -> Result<(), Error> {
    if taken {
        return Err(element.error(ErrorKind::DuplicateField { tag: element.tag() }));
    }
    order.pass(element, field, 1)
}

/// Decodes a single field.
#[inline]
pub fn fill<T: Decode>(
    element: Element<'_>,
    order: &mut Order,
    field: u16,
    slot: &mut Option<T>,
) -> Result<(), Error> {
    single(&element, order, field, slot.is_some())?;
    *slot = Some(T::decode(element)?);
    Ok(())
}

/// Decodes a repeated field.
#[inline]
pub fn push<T: Decode>(
    element: Element<'_>,
    order: &mut Order,
    field: u16,
    list: &mut Vec<T>,
) -> Result<(), Error> {
    order.pass(&element, field, list.len() + 1)?;
    list.push(T::decode(element)?);
    Ok(())
}

/// Decodes a single choice.
#[inline]
pub fn fill_choice<T: Choice>(
    element: Element<'_>,
    order: &mut Order,
    field: u16,
    slot: &mut Option<T>,
) -> Result<(), Error> {
    single(&element, order, field, slot.is_some())?;
    *slot = Some(T::decode_choice(element)?);
    Ok(())
}

/// Decodes a repeated choice.
#[inline]
pub fn push_choice<T: Choice>(
    element: Element<'_>,
    order: &mut Order,
    field: u16,
    list: &mut Vec<T>,
) -> Result<(), Error> {
    order.pass(&element, field, list.len() + 1)?;
    list.push(T::decode_choice(element)?);
    Ok(())
}

/// Whether a choice has this tag.
#[inline]
pub fn chooses<T: Choice>(tag: Tag) -> bool {
    T::TAGS.contains(&tag)
}

/// Keeps a field that the structure does not know, with its place.
#[cold]
pub fn keep(element: Element<'_>, order: &Order, list: &mut Vec<RawItem>) -> Result<(), Error> {
    list.push(RawItem::at(element, order.0)?);
    Ok(())
}

/// Refuses (or, by tolerance, checks and drops) a field that the structure has no place for.
#[cold]
pub fn refuse(element: Element<'_>) -> Result<(), Error> {
    extra(&element)
}

/// Writes unknown items back where they stood.
#[derive(Debug)]
pub struct Unknown<'a>(&'a [RawItem]);

impl<'a> Unknown<'a> {
    /// The items, in the order in which they stood.
    #[inline]
    pub const fn new(items: &'a [RawItem]) -> Self {
        Self(items)
    }

    /// Writes those that stood no later than behind the `nth` item of a field.
    #[inline]
    pub fn upto(&mut self, writer: &mut Writer<'_>, field: u16, nth: usize) {
        if !self.0.is_empty() {
            let nth = u32::try_from(nth).unwrap_or(u32::MAX);
            self.write(writer, Place { field, nth });
        }
    }

    /// Writes all that are left.
    #[inline]
    pub fn rest(&mut self, writer: &mut Writer<'_>) {
        if !self.0.is_empty() {
            self.write(writer, Place::END);
        }
    }

    #[cold]
    fn write(&mut self, writer: &mut Writer<'_>, upto: Place) {
        while let Some((item, rest)) = self.0.split_first()
            && item.place() <= upto
        {
            item.encode(item.tag, writer);
            self.0 = rest;
        }
    }
}

/// Whether no tag stands in two of the groups, or twice in one: a constant assertion of the derive.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where get is not")]
pub const fn distinct(groups: &[&[Tag]]) -> bool {
    // Two cursors over the flattened groups; iterators are not for constants.
    let (mut group, mut at) = (0, 0);
    while group < groups.len() {
        if at == groups[group].len() {
            (group, at) = (group + 1, 0);
            continue;
        }
        let tag = groups[group][at].value();
        let (mut other, mut next) = (group, at + 1);
        while other < groups.len() {
            if next == groups[other].len() {
                (other, next) = (other + 1, 0);
                continue;
            }
            if groups[other][next].value() == tag {
                return false;
            }
            next += 1;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::distinct;
    use crate::Tag;

    #[test]
    fn tags_that_are_distinct() {
        let (a, b, c) = (Tag::NAME, Tag::KEY, Tag::STATE);
        assert!(distinct(&[]) && distinct(&[&[], &[a], &[]]) && distinct(&[&[a, b], &[], &[c]]));
        assert!(
            !distinct(&[&[a, a]])
                && !distinct(&[&[a], &[], &[b, a]])
                && !distinct(&[&[a], &[b], &[b]])
        );
    }
}
