//! Where one message ends on a stream without any other framing (KMIP over plain TLS).

use crate::{Error, ErrorKind, ItemType, Limit, Limits, Tag, header};

/// How many bytes of a stream [`message_length`] needs.
pub const HEADER_LENGTH: usize = 8;

/// The length in bytes, header included, of the message that begins with these eight bytes. They must be the header
/// of a Request Message or a Response Message.
///
/// # Errors
/// If they are no such header, or the message is longer than `limits.message_length`. The stream is then of no more
/// use: nothing says where the next message would begin.
pub fn message_length(head: &[u8; HEADER_LENGTH], limits: &Limits) -> Result<usize, Error> {
    let Some((tag, code, length)) = header::peek(head, 0) else {
        return Err(Error::new(ErrorKind::Truncated { needed: 8, available: 0 }, 0));
    };
    if tag != Tag::REQUEST_MESSAGE && tag != Tag::RESPONSE_MESSAGE {
        return Err(Error::new(
            ErrorKind::UnexpectedTag { expected: Tag::REQUEST_MESSAGE, found: tag },
            0,
        ));
    }
    let Some(found) = ItemType::from_code(code) else {
        return Err(Error::new(ErrorKind::TypeCode { found: code }, 0));
    };
    if found != ItemType::Structure {
        return Err(Error::new(
            ErrorKind::UnexpectedType { expected: ItemType::Structure, found },
            0,
        ));
    }
    if length % 8 != 0 {
        return Err(Error::new(
            ErrorKind::Length { item_type: ItemType::Structure, found: length },
            0,
        ));
    }
    let total = u64::from(length) + HEADER_LENGTH as u64;
    if total > u64::from(limits.message_length) {
        let maximum = u64::from(limits.message_length);
        return Err(Error::new(ErrorKind::Limit { limit: Limit::MessageLength, maximum }, 0));
    }
    Ok(header::padded(length) + HEADER_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::message_length;
    use crate::{ErrorKind, Limits};

    fn check(head: [u8; 8]) -> Result<usize, ErrorKind> {
        message_length(&head, &Limits::DEFAULT).map_err(|e| *e.kind())
    }

    #[test]
    fn lengths() {
        assert_eq!(check([0x42, 0, 0x78, 1, 0, 0, 0, 0x80]), Ok(136));
        assert_eq!(check([0x42, 0, 0x7B, 1, 0, 0, 0, 0]), Ok(8));
        assert!(matches!(
            check([0x42, 0, 0x0D, 1, 0, 0, 0, 8]),
            Err(ErrorKind::UnexpectedTag { .. })
        ));
        assert!(matches!(check(*b"POST /km"), Err(ErrorKind::UnexpectedTag { .. })));
        assert!(matches!(
            check([0x42, 0, 0x78, 2, 0, 0, 0, 4]),
            Err(ErrorKind::UnexpectedType { .. })
        ));
        assert!(matches!(
            check([0x42, 0, 0x78, 0x0C, 0, 0, 0, 8]),
            Err(ErrorKind::TypeCode { found: 12 })
        ));
        assert!(matches!(
            check([0x42, 0, 0x78, 1, 0, 0, 0, 9]),
            Err(ErrorKind::Length { found: 9, .. })
        ));
        assert!(matches!(
            check([0x42, 0, 0x78, 1, 0xFF, 0xFF, 0xFF, 0xF8]),
            Err(ErrorKind::Limit { .. })
        ));
    }

    #[test]
    fn the_limit_counts_the_header() {
        let limits = Limits::DEFAULT.with_message_length(16);
        assert_eq!(message_length(&[0x42, 0, 0x78, 1, 0, 0, 0, 8], &limits).unwrap(), 16);
        assert!(message_length(&[0x42, 0, 0x78, 1, 0, 0, 0, 16], &limits).is_err());
    }
}
