//! Names with values as they stand in a row: version 1, then for each pair its name and its value,
//! each as length (4 octets, big-endian) and octets.

use bytes::{Buf, Bytes};

const FORMAT: u8 = 1;

/// Writes pairs in their order; `None` if a name or value has 4 GiB or more.
pub(super) fn encode<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
) -> Option<Vec<u8>> {
    let room = pairs.clone().map(|(name, value)| 8 + name.len() + value.len());
    let mut output = Vec::with_capacity(1 + room.sum::<usize>());
    output.push(FORMAT);
    for (name, value) in pairs {
        for part in [name.as_bytes(), value] {
            output.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
            output.extend_from_slice(part);
        }
    }
    Some(output)
}

/// Reads what [`encode`] wrote; `None` if it is something else.
pub(super) fn decode(mut input: Bytes) -> Option<Vec<(String, Bytes)>> {
    if input.try_get_u8().ok()? != FORMAT {
        return None;
    }
    let mut pairs = Vec::new();
    while !input.is_empty() {
        let name = String::from_utf8(part(&mut input)?.to_vec()).ok()?;
        pairs.push((name, part(&mut input)?));
    }
    Some(pairs)
}

fn part(input: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(input.try_get_u32().ok()?).ok()?;
    (length <= input.len()).then(|| input.split_to(length))
}
