//! A request that has what its version does not: which items are at fault.

use bindery_ttlv::{
    Encode as _, Error, ErrorKind, Misfits, Options, ProtocolVersion, RawValue, Reader, Tag, Value,
    Writer, decode_with, registry::CredentialType,
};
use bytes::Bytes;

use super::{FaultyPayload, RequestBatchItem, RequestMessage, RequestPayload};

/// What a version does not have of a message.
///
/// The draft of the HTTPS profile (0.98, section 3.2) lets a client send a Credential of type
/// certificate in any version; the number is that of 3.0, the first whose tables have the type.
fn misfits<'a>(
    octets: &'a [u8],
    version: ProtocolVersion,
    options: &'a Options,
) -> impl Iterator<Item = Error> {
    let draft = ErrorKind::Version {
        tag: Tag::CREDENTIAL_TYPE,
        value: Some(CredentialType::CERTIFICATE.0),
        within: None,
        since: ProtocolVersion::new(3, 0),
        until: ProtocolVersion::new(3, 0),
        version,
    };
    Misfits::new(octets, version, options).filter(move |error| *error.kind() != draft)
}

/// How many structures a batch item's own fields are inside of.
const OF_AN_ITEM: u16 = 2;

/// How many faults of a message get their path: each is one more way through the message.
pub(super) const LOCATED: usize = 16;

/// Refuses a request that has what its version does not.
///
/// # Errors
/// The first item at fault.
pub(crate) fn check(
    octets: &[u8],
    version: ProtocolVersion,
    options: &Options,
) -> Result<(), Error> {
    let first = misfits(octets, version, options).next();
    first.map_or(Ok(()), |error| Err(error.locate(octets)))
}

/// Refuses a response that has what its version does not. An operation that the version does not
/// have is the request's own, which a server repeats when it refuses it; a Result Reason of a later
/// version still says that it does, as that of a server which speaks none that old.
///
/// # Errors
/// The first item at fault.
pub(super) fn check_response(
    octets: &[u8],
    version: ProtocolVersion,
    options: &Options,
) -> Result<(), Error> {
    let mut misfits = Misfits::new(octets, version, options);
    while let Some(error) = misfits.next() {
        let refusal = matches!(
            error.kind(),
            ErrorKind::Version { tag: Tag::OPERATION | Tag::RESULT_REASON, .. }
        );
        if !(refusal && misfits.depth() == OF_AN_ITEM) {
            return Err(error.locate(octets));
        }
    }
    Ok(())
}

/// Makes the payload of each item faulty that has what the message's version does not.
///
/// # Errors
/// Something outside of the items is at fault.
pub(super) fn mark(
    message: &mut RequestMessage,
    octets: &Bytes,
    options: &Options,
) -> Result<(), Error> {
    let mut misfits = misfits(octets, message.header.protocol_version, options).peekable();
    if misfits.peek().is_none() {
        return Ok(());
    }
    let places = places(octets);
    for error in misfits {
        let item = places.partition_point(|place| *place <= error.offset()).checked_sub(1);
        let item = item.and_then(|place| message.batch_items.get_mut(place));
        let (Some(item), ErrorKind::Version { .. }) = (item, error.kind()) else {
            return Err(error.locate(octets));
        };
        // The first fault is the one that is told; the caller locates it.
        if !matches!(item.payload, RequestPayload::Faulty(_)) {
            item.payload = faulty(item, error, options)?;
        }
    }
    Ok(())
}

/// Where each batch item begins.
fn places(octets: &[u8]) -> Vec<usize> {
    let Some(Ok(message)) = Reader::new(octets).next() else { return Vec::new() };
    let Value::Structure(fields) = message.value else { return Vec::new() };
    let items = fields.flatten().filter(|field| field.tag == Tag::BATCH_ITEM);
    items.map(|item| item.offset).collect()
}

/// The payload as it stood, with what is wrong with its item.
fn faulty(
    item: &RequestBatchItem,
    error: Error,
    options: &Options,
) -> Result<RequestPayload, Error> {
    let mut buffer = Vec::new();
    item.payload.encode(Tag::REQUEST_PAYLOAD, &mut Writer::new(&mut buffer));
    let raw: RawValue = decode_with(&buffer.into(), options, |element| element.raw())?;
    Ok(RequestPayload::Faulty(FaultyPayload { operation: item.operation, raw, error }))
}
