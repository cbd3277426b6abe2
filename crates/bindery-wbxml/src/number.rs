//! `mb_u_int32`: seven bits a byte, the most significant first, the high bit says that more follow (WBXML 1.3, 5.1).

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bytes end before it does.
    Truncated,
    /// More than five bytes, or beyond 2^32 - 1.
    TooLarge,
}

/// The number at the start of `data`, and how many bytes it takes.
#[inline]
pub(crate) fn read(data: &[u8]) -> Result<(u32, usize), Fault> {
    let mut value = 0_u32;
    for (length, byte) in (1..=5).zip(data) {
        if value > u32::MAX >> 7 {
            return Err(Fault::TooLarge);
        }
        value = value << 7 | u32::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Ok((value, length));
        }
    }
    Err(if data.len() < 5 { Fault::Truncated } else { Fault::TooLarge })
}

/// Appends a number in as few bytes as it takes.
#[inline]
pub(crate) fn write(value: u32, out: &mut Vec<u8>) {
    let [_, .., last] = value.to_be_bytes();
    for group in (1..length(value)).rev() {
        let [.., bits] = (value >> (7 * group)).to_be_bytes();
        out.push(bits | 0x80);
    }
    out.push(last & 0x7F);
}

/// How many bytes a number takes.
pub(crate) const fn length(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        0x20_0000..=0xFFF_FFFF => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, length, read, write};

    #[test]
    fn numbers_of_the_specification() {
        // WBXML 1.3, section 5.1: A0 is 81 20, 60 is 60.
        for (value, bytes) in [
            (0xA0_u32, &[0x81, 0x20][..]),
            (0x60, &[0x60]),
            (0, &[0]),
            (0x1201, &[0xA4, 0x01]),
            (0x0FD3, &[0x9F, 0x53]),
            (u32::MAX, &[0x8F, 0xFF, 0xFF, 0xFF, 0x7F]),
        ] {
            let mut out = Vec::new();
            write(value, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(length(value), bytes.len());
            assert_eq!(read(bytes), Ok((value, bytes.len())));
            for cut in 0..bytes.len() {
                assert_eq!(read(&bytes[..cut]), Err(Fault::Truncated));
            }
        }
    }

    #[test]
    fn more_than_32_bits_and_endless_numbers_are_refused() {
        assert_eq!(read(&[0x90, 0x80, 0x80, 0x80, 0x00]), Err(Fault::TooLarge));
        assert_eq!(read(&[0xFF; 1 << 20]), Err(Fault::TooLarge));
        assert_eq!(read(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), Err(Fault::TooLarge));
        // Zeros in front are a waste, not a fault, up to five bytes.
        assert_eq!(read(&[0x80, 0x80, 0x80, 0x80, 0x05]), Ok((5, 5)));
    }
}
