//! Media types as HTTP carries them (RFC 9110, section 8.3.1).

use std::{borrow::Cow, fmt, str::FromStr};

use nom::{
    AsChar, IResult, Parser,
    branch::alt,
    bytes::complete::{tag, take_while_m_n, take_while1},
    character::complete::char,
    combinator::{all_consuming, map, opt, recognize},
    multi::{fold_many0, many0_count},
    sequence::{delimited, preceded, separated_pair},
};
use thiserror::Error;

/// A media type: type and subtype in lower case, and its parameters.
///
/// Two media types are equal when types, subtypes and parameters are; use
/// [`MediaType::same_essence`] to compare without parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    essence: Cow<'static, str>,
    parameters: Vec<(String, String)>,
}

/// The longest media type that is read, in octets: longer ones are refused before parsing.
const MAX_LENGTH: usize = 1024;
/// More parameters than any registered type has.
const MAX_PARAMETERS: usize = 16;

/// A field value that is no media type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a media type of the form type/subtype;name=value (RFC 9110, section 8.3.1)")]
#[non_exhaustive]
pub struct ParseMediaTypeError;

impl MediaType {
    /// A media type without parameters, from its lower-case `type/subtype`.
    ///
    /// Meant for the constants of a profile's card; text from a peer goes through
    /// [`str::parse`].
    pub const fn from_static(essence: &'static str) -> Self {
        Self { essence: Cow::Borrowed(essence), parameters: Vec::new() }
    }

    /// `type/subtype` in lower case.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The value of a parameter; `name` in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether both name the same type and subtype, whatever their parameters.
    pub fn same_essence(&self, other: &Self) -> bool {
        self.essence == other.essence
    }
}

impl FromStr for MediaType {
    type Err = ParseMediaTypeError;

    fn from_str(text: &str) -> Result<Self, ParseMediaTypeError> {
        if text.len() > MAX_LENGTH {
            return Err(ParseMediaTypeError);
        }
        let text = text.trim_matches([' ', '\t']);
        let (_, media_type) =
            all_consuming(media_type).parse(text).map_err(|_| ParseMediaTypeError)?;
        if media_type.parameters.len() > MAX_PARAMETERS || repeats(&media_type.parameters) {
            return Err(ParseMediaTypeError);
        }
        Ok(media_type)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.essence)?;
        for (name, value) in &self.parameters {
            if !value.is_empty() && value.bytes().all(is_token_octet) {
                write!(f, ";{name}={value}")?;
            } else {
                write!(f, ";{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))?;
            }
        }
        Ok(())
    }
}

/// Whether a parameter stands there twice: an error (RFC 6838, section 4.3), and a way to let two
/// readers see two character sets.
fn repeats(parameters: &[(String, String)]) -> bool {
    let mut rest = parameters;
    while let Some(((name, _), others)) = rest.split_first() {
        if others.iter().any(|(other, _)| other == name) {
            return true;
        }
        rest = others;
    }
    false
}

fn media_type(input: &str) -> IResult<&str, MediaType> {
    let (input, essence) = recognize(separated_pair(token, char('/'), token)).parse(input)?;
    let (input, parameters) = fold_many0(
        preceded((ows, char(';'), ows), opt(parameter)),
        Vec::new,
        |mut all: Vec<_>, one| {
            all.extend(one);
            all
        },
    )
    .parse(input)?;
    Ok((input, MediaType { essence: Cow::Owned(essence.to_ascii_lowercase()), parameters }))
}

fn parameter(input: &str) -> IResult<&str, (String, String)> {
    let (input, (name, value)) =
        separated_pair(token, char('='), alt((quoted_string, map(token, str::to_owned))))
            .parse(input)?;
    Ok((input, (name.to_ascii_lowercase(), value)))
}

fn quoted_string(input: &str) -> IResult<&str, String> {
    // ASCII only: other octets are obsolete (RFC 9110, section 5.6.4), and what is read must be fit to be sent again.
    let shown = |c: char| c == '\t' || (c.is_ascii() && !c.is_ascii_control());
    let text = take_while1(move |c: char| c != '"' && c != '\\' && shown(c));
    let pair = preceded(tag("\\"), take_while_m_n(1, 1, shown));
    delimited(
        char('"'),
        fold_many0(alt((text, pair)), String::new, |mut all, piece: &str| {
            all.push_str(piece);
            all
        }),
        char('"'),
    )
    .parse(input)
}

fn token(input: &str) -> IResult<&str, &str> {
    take_while1(|c: char| c.is_ascii() && is_token_octet(c as u8)).parse(input)
}

fn ows(input: &str) -> IResult<&str, &str> {
    recognize(many0_count(take_while_m_n(1, 64, |c: char| c == ' ' || c == '\t'))).parse(input)
}

/// `tchar` of RFC 9110, section 5.6.2.
fn is_token_octet(octet: u8) -> bool {
    octet.is_alphanum() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::{btree_map, vec},
        prelude::*,
    };

    use super::*;

    fn check(text: &str, expected: Option<(&str, &[(&str, &str)])>) {
        let read: Result<MediaType, _> = text.parse();
        match (read, expected) {
            (Ok(read), Some((essence, parameters))) => {
                assert_eq!(read.essence(), essence, "{text}");
                assert_eq!(read.parameters.len(), parameters.len(), "{text}");
                for (name, value) in parameters {
                    assert_eq!(read.parameter(name), Some(*value), "{text}");
                }
                assert_eq!(read.to_string().parse::<MediaType>().unwrap(), read, "{text}");
            }
            (Err(_), None) => {}
            (read, expected) => panic!("{text}: {read:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn grammar() {
        check("application/octet-stream", Some(("application/octet-stream", &[])));
        check("Application/Octet-Stream", Some(("application/octet-stream", &[])));
        check("text/xml; charset=UTF-8", Some(("text/xml", &[("charset", "UTF-8")])));
        check("text/xml ;CHARSET=\"a\\\"b\"", Some(("text/xml", &[("charset", "a\"b")])));
        check("a/b;;c=d;", Some(("a/b", &[("c", "d")])));
        check(" a/b\t", Some(("a/b", &[])));
        check("a/b;c=\"\"", Some(("a/b", &[("c", "")])));
        check("a/b;c=\"\\\\\"", Some(("a/b", &[("c", "\\")])));
        check("a/b;c=1;C=2", None);
        for bad in [
            "",
            "a",
            "a/",
            "/b",
            "a/b/c",
            "a b/c",
            "a/b;c",
            "a/b;c=",
            "a/b;c=\"d",
            "ä/b",
            "a/b;c=\"ä\"",
            "a/b;c=\"\\ä\"",
            "a/b;c=\"\x7f\"",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn limits() {
        let many: String = (0..17).map(|n| format!(";p{n}=v")).collect();
        check(&format!("a/b{many}"), None);
        check(&format!("a/b;c={}", "d".repeat(MAX_LENGTH)), None);
        check(&format!("a/b{}", " ".repeat(900)), Some(("a/b", &[])));
    }

    /// Text in which the grammar's own characters are frequent.
    fn grammar_like() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("a/b".to_owned()),
            "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,4}",
            "[;=/\"\\\\ \t,]",
            "\"([^\"\\\\]|\\\\.){0,4}\"",
            any::<char>().prop_map(String::from),
        ];
        vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    /// Any media type that can be written: quoted values hold all of ASCII but control characters.
    fn written() -> impl Strategy<Value = MediaType> {
        let token = "[a-z0-9!#$%&'*+.^_`|~-]{1,8}";
        let value = prop_oneof![token, "([ -~]|\t){0,12}"];
        (token, token, btree_map(token, value, 0..=MAX_PARAMETERS)).prop_map(
            |(kind, subtype, parameters)| MediaType {
                essence: Cow::Owned(format!("{kind}/{subtype}")),
                parameters: parameters.into_iter().collect(),
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_back(media_type in written()) {
            let text = media_type.to_string();
            prop_assume!(text.len() <= MAX_LENGTH);
            prop_assert_eq!(text.parse(), Ok(media_type), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), grammar_like()]) {
            if let Ok(read) = text.parse::<MediaType>() {
                let written = read.to_string();
                prop_assert!(written.len() <= text.len(), "{} grew to {}", text, written);
                prop_assert_eq!(written.parse(), Ok(read), "{}", written);
            }
        }
    }
}
