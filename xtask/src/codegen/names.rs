//! Rust names for the specifications' names.

/// Words whose inner capitals are no word boundary.
const WHOLE: [&str; 3] = ["McEliece", "ChaCha20", "ChaCha20Poly1305"];

/// The name of a const: `X.509 Certificate Issuer` is `X_509_CERTIFICATE_ISSUER`, `AESKeyWrapPadding` is
/// `AES_KEY_WRAP_PADDING`, `3DES` is `DES3` (leading digits go to the end of the word, as in the specifications' own
/// normalisation of names).
pub(super) fn constant(name: &str) -> String {
    let words: Vec<String> = words(name).map(|word| humps(&word).to_ascii_uppercase()).collect();
    words.join("_")
}

/// The name of a type: `DRBG Algorithm` is `DrbgAlgorithm`, `FIPS186 Variation` is `Fips186Variation`.
pub(super) fn type_name(name: &str) -> String {
    words(name)
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
        })
        .collect()
}

fn words(name: &str) -> impl Iterator<Item = String> {
    let mut first = true;
    name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(
        move |word| {
            let digits = if std::mem::take(&mut first) {
                word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len()
            } else {
                0
            };
            let (digits, rest) = word.split_at(digits);
            format!("{rest}{digits}")
        },
    )
}

/// Sets `_` at the capital humps of one word.
fn humps(word: &str) -> String {
    if WHOLE.contains(&word) {
        return word.to_owned();
    }
    let chars: Vec<char> = word.chars().collect();
    let lower = |i: usize| chars.get(i).is_some_and(char::is_ascii_lowercase);
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let after_lower = i > 0 && lower(i - 1);
        // "AESKey": the K begins a word; "IDs": the D does not.
        let ends_acronym = i > 0 && !lower(i - 1) && lower(i + 1) && lower(i + 2);
        let after_digit = i > 0 && chars.get(i - 1).is_some_and(char::is_ascii_digit);
        if c.is_ascii_uppercase() && !after_digit && (after_lower || ends_acronym) {
            out.push('_');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{constant, type_name};

    #[test]
    fn constants() {
        for (name, expected) in [
            ("Unique Identifier", "UNIQUE_IDENTIFIER"),
            ("X.509 Certificate Issuer", "X_509_CERTIFICATE_ISSUER"),
            ("PKCS#12 Friendly Name", "PKCS_12_FRIENDLY_NAME"),
            ("AESKeyWrapPadding", "AES_KEY_WRAP_PADDING"),
            ("3DES", "DES3"),
            ("SHA-512/224", "SHA_512_224"),
            ("McEliece-6960119", "MCELIECE_6960119"),
            ("Re-key", "RE_KEY"),
            ("Content Commitment (Non Repudiation)", "CONTENT_COMMITMENT_NON_REPUDIATION"),
            ("ECPrivateKey", "EC_PRIVATE_KEY"),
        ] {
            assert_eq!(constant(name), expected);
        }
    }

    #[test]
    fn types() {
        assert_eq!(type_name("DRBG Algorithm"), "DrbgAlgorithm");
        assert_eq!(type_name("FIPS186 Variation"), "Fips186Variation");
        assert_eq!(type_name("Object Type"), "ObjectType");
    }
}
