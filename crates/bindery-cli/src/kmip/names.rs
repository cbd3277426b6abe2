//! Names of the specification's tables as people write them.

use bindery_ttlv::{ProtocolVersion, registry::Enumeration};

use crate::error::{Failure, Result};

/// The value of a name in a table; case, spaces, `-` and `_` do not count.
///
/// # Errors
/// The table has no such name in KMIP 1.x; the failure names those that it has.
pub(crate) fn value(table: &Enumeration, text: &str) -> Result<u32> {
    let wanted = plain(text);
    let rows = || table.rows().iter().filter(|row| row.since() <= ProtocolVersion::V1_4);
    let found = rows().find(|row| plain(row.name()) == wanted || plain(row.title()) == wanted);
    found.map(bindery_ttlv::registry::Row::value).ok_or_else(|| {
        let known: Vec<String> = rows().map(|row| written(row.title())).collect();
        Failure::usage(format!("\"{text}\" is no {}", table.name()))
            .hint(format!("one of: {}", known.join(", ")))
    })
}

/// A mask of the bits that a list of names stands for.
///
/// # Errors
/// A name is not in the table.
pub(crate) fn mask(table: &Enumeration, texts: &[String]) -> Result<i32> {
    let bits = texts.iter().map(|text| value(table, text)).collect::<Result<Vec<u32>>>()?;
    Ok(bits.into_iter().fold(0, |mask, bit| mask | bit).cast_signed())
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// A title as one writes it on a command line: `cessation-of-operation`.
fn written(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use bindery_ttlv::registry::{
        CryptographicAlgorithm, CryptographicUsageMask, RevocationReasonCode, State,
    };

    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        let algorithm = |text| value(CryptographicAlgorithm::REGISTRY, text).ok();
        assert_eq!(algorithm("aes"), Some(CryptographicAlgorithm::AES.0));
        assert_eq!(algorithm("3des"), Some(CryptographicAlgorithm::DES3.0));
        assert_eq!(algorithm("HMAC-SHA256"), Some(CryptographicAlgorithm::HMAC_SHA256.0));
        assert_eq!(algorithm("hmac_sha256"), Some(CryptographicAlgorithm::HMAC_SHA256.0));
        assert_eq!(value(State::REGISTRY, "pre-active").ok(), Some(State::PRE_ACTIVE.0));
        let reason = value(RevocationReasonCode::REGISTRY, "cessation-of-operation").ok();
        assert_eq!(reason, Some(RevocationReasonCode::CESSATION_OF_OPERATION.0));
    }

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        let failure = value(State::REGISTRY, "asleep").unwrap_err();
        assert!(failure.message.contains("\"asleep\" is no State"));
        assert!(failure.hint.unwrap().contains("pre-active, active"));
    }

    #[test]
    fn masks() {
        let both = ["encrypt".to_owned(), "Decrypt".to_owned()];
        assert_eq!(mask(CryptographicUsageMask::REGISTRY, &both).ok(), Some(12));
        assert!(mask(CryptographicUsageMask::REGISTRY, &["fly".to_owned()]).is_err());
    }
}
