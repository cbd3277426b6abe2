//! Messages that several tests use.

/// Query (Operations), KMIP 1.4, written by hand.
pub(crate) const QUERY: &str = "\
420078 01 00000070
  420077 01 00000038
    420069 01 00000020
      42006a 02 00000004 0000000100000000
      42006b 02 00000004 0000000400000000
    42000d 02 00000004 0000000100000000
  42000f 01 00000028
    42005c 05 00000004 0000001800000000
    420079 01 00000010
      420074 05 00000004 0000000100000000
";

/// A Key Block with a key that must not be seen.
pub(crate) const KEY_BLOCK: &str = "\
420040 01 00000028
  420042 05 00000004 0000000100000000
  420045 01 00000010
    420043 08 00000008 0badc0de0badc0de
";

/// The key in [`KEY_BLOCK`].
pub(crate) const KEY: &str = "0badc0de0badc0de";

/// Octets of hexadecimal digits.
pub(crate) fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}
