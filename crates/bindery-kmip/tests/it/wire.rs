//! Messages written by hand: an encoder of a few lines, apart from the crate's own, so that a fault
//! in that one shows.

/// An item of a tag (without its 42), a type, a length and a value that is padded.
fn item(tag: u16, kind: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![0x42];
    out.extend(tag.to_be_bytes());
    out.push(kind);
    out.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

pub(crate) fn structure<const N: usize>(tag: u16, items: [Vec<u8>; N]) -> Vec<u8> {
    item(tag, 0x01, &items.concat())
}

pub(crate) fn integer(tag: u16, value: i32) -> Vec<u8> {
    item(tag, 0x02, &value.to_be_bytes())
}

pub(crate) fn big_integer(tag: u16, value: &[u8]) -> Vec<u8> {
    item(tag, 0x04, value)
}

pub(crate) fn enumeration(tag: u16, value: u32) -> Vec<u8> {
    item(tag, 0x05, &value.to_be_bytes())
}

pub(crate) fn boolean(tag: u16, value: bool) -> Vec<u8> {
    item(tag, 0x06, &u64::from(value).to_be_bytes())
}

pub(crate) fn text(tag: u16, value: &str) -> Vec<u8> {
    item(tag, 0x07, value.as_bytes())
}

pub(crate) fn octets(tag: u16, value: &[u8]) -> Vec<u8> {
    item(tag, 0x08, value)
}

pub(crate) fn date(tag: u16, seconds: i64) -> Vec<u8> {
    item(tag, 0x09, &seconds.to_be_bytes())
}

/// Protocol Version 1.`minor`.
pub(crate) fn version(minor: i32) -> Vec<u8> {
    structure(0x69, [integer(0x6a, 1), integer(0x6b, minor)])
}

/// A request message of one item: Operation, further fields in between, Request Payload.
pub(crate) fn request(operation: u32, payload: &[Vec<u8>]) -> Vec<u8> {
    request_in(version(4), operation, payload)
}

pub(crate) fn request_in(version: Vec<u8>, operation: u32, payload: &[Vec<u8>]) -> Vec<u8> {
    let header = structure(0x77, [version, integer(0x0d, 1)]);
    let payload = structure(0x79, [payload.concat()]);
    structure(0x78, [header, structure(0x0f, [enumeration(0x5c, operation), payload])])
}

/// A response message of one item that succeeded.
pub(crate) fn response(operation: u32, payload: &[Vec<u8>]) -> Vec<u8> {
    let header = structure(0x7a, [version(4), date(0x92, 1_700_000_000), integer(0x0d, 1)]);
    let payload = structure(0x7c, [payload.concat()]);
    let item = [enumeration(0x5c, operation), enumeration(0x7f, 0), payload];
    structure(0x7b, [header, structure(0x0f, item)])
}

/// The Query of the HTTPS profile's test case MSGENC-HTTPS-M-1: operations and objects, with a
/// Maximum Response Size, in version 1.`minor`.
pub(crate) fn profile_query(minor: i32, maximum: i32) -> Vec<u8> {
    let header = structure(0x77, [version(minor), integer(0x50, maximum), integer(0x0d, 1)]);
    let payload = structure(0x79, [enumeration(0x74, 1), enumeration(0x74, 2)]);
    structure(0x78, [header, structure(0x0f, [enumeration(0x5c, 0x18), payload])])
}

/// The answer of that test case to the Query that allows 256 octets.
pub(crate) fn profile_too_large(minor: i32, time: i64) -> Vec<u8> {
    let header = structure(0x7a, [version(minor), date(0x92, time), integer(0x0d, 1)]);
    let item = [
        enumeration(0x5c, 0x18),
        enumeration(0x7f, 1),
        enumeration(0x7e, 2),
        text(0x7d, "TOO_LARGE"),
    ];
    structure(0x7b, [header, structure(0x0f, item)])
}

/// The operations and object types that the server of that test case has.
pub(crate) const OPERATIONS: [u32; 26] = [
    0x18, 0x08, 0x14, 0x0a, 0x01, 0x03, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x12, 0x13, 0x1a, 0x19, 0x09,
    0x11, 0x02, 0x04, 0x15, 0x16, 0x10, 0x06, 0x07, 0x1b, 0x1c,
];
pub(crate) const OBJECT_TYPES: [u32; 8] = [1, 2, 7, 3, 4, 6, 8, 5];

/// The answer of that test case to the Query that allows 2048 octets.
pub(crate) fn profile_answer(minor: i32, time: i64) -> Vec<u8> {
    let header = structure(0x7a, [version(minor), date(0x92, time), integer(0x0d, 1)]);
    let operations = OPERATIONS.map(|operation| enumeration(0x5c, operation)).concat();
    let objects = OBJECT_TYPES.map(|object| enumeration(0x57, object)).concat();
    let payload = structure(0x7c, [operations, objects]);
    let item = [enumeration(0x5c, 0x18), enumeration(0x7f, 0), payload];
    structure(0x7b, [header, structure(0x0f, item)])
}

/// A Create of an AES key in a template with one attribute of each kind.
pub(crate) fn create() -> Vec<u8> {
    let attribute = |name: &str, value: Vec<u8>| structure(0x08, [text(0x0a, name), value]);
    let attributes = [
        attribute("Cryptographic Algorithm", enumeration(0x0b, 3)),
        attribute("Cryptographic Length", integer(0x0b, 256)),
        attribute("Cryptographic Usage Mask", integer(0x0b, 0x0c)),
        attribute("Name", structure(0x0b, [text(0x55, "disk-1"), enumeration(0x54, 1)])),
        attribute("Activation Date", date(0x0b, 1_700_000_000)),
        attribute("x-floor", text(0x0b, "seven")),
    ];
    let template = structure(0x91, [attributes.concat()]);
    request(0x01, &[enumeration(0x57, 2), template])
}

/// A Get response with a 256-bit key.
pub(crate) fn get_response(key: &[u8; 32]) -> Vec<u8> {
    let value = structure(0x45, [octets(0x43, key)]);
    let block = [enumeration(0x42, 1), value, enumeration(0x28, 3), integer(0x2a, 256)];
    let object = structure(0x8f, [structure(0x40, block)]);
    response(0x0a, &[enumeration(0x57, 2), text(0x94, "49a1ca88"), object])
}
