//! Challenges, credentials and their parameters (RFC 9110, section 11).

use std::fmt;

use nom::{
    AsChar as _, IResult, Parser as _,
    branch::alt,
    bytes::complete::{tag, take_while, take_while_m_n, take_while1},
    character::complete::char,
    combinator::{map, recognize, verify},
    multi::fold_many0,
    sequence::{delimited, pair, preceded, separated_pair},
};
use zeroize::Zeroizing;

use crate::GrammarError;

/// The longest field value that is read, in octets: a Digest of SHA-256 with a long URI needs less
/// than a tenth of it.
const MAX_LENGTH: usize = 8192;
/// More parameters than any scheme has.
const MAX_PARAMETERS: usize = 32;
/// More challenges than any server gives.
const MAX_CHALLENGES: usize = 16;

/// Parameters of a scheme: names in lower case, each once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The value of a parameter; `name` in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push(&mut self, (name, value): (String, String)) -> bool {
        let fits = self.0.len() < MAX_PARAMETERS && self.get(&name).is_none();
        if fits {
            self.0.push((name, value));
        }
        fits
    }
}

impl fmt::Debug for Parameters {
    /// Names only: a value may be what proves somebody's identity.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// One challenge: what a server asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// The scheme, in lower case.
    pub scheme: String,
    /// Its parameters.
    pub parameters: Parameters,
}

/// What a client proves itself with.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// A scheme and one token, such as Basic's.
    Token {
        /// The scheme, in lower case.
        scheme: String,
        /// The token, `token68` of RFC 9110.
        token: Zeroizing<String>,
    },
    /// A scheme and parameters, such as Digest's.
    Parameters {
        /// The scheme, in lower case.
        scheme: String,
        /// The parameters.
        parameters: Parameters,
    },
}

impl Credentials {
    /// The scheme, in lower case.
    pub fn scheme(&self) -> &str {
        match self {
            Self::Token { scheme, .. } | Self::Parameters { scheme, .. } => scheme,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.scheme())
    }
}

/// Reads the value of an `Authorization` field.
///
/// # Errors
/// What of the grammar it breaks.
pub fn credentials(text: &str) -> Result<Credentials, GrammarError> {
    let text = bounded(text)?;
    let (rest, scheme) = token(text).map_err(|_| GrammarError("no scheme stands first"))?;
    let scheme = scheme.to_ascii_lowercase();
    let rest = rest.trim_start_matches([' ', '\t']);
    // A parameter is tried first: `a=` could be either, and no token68 in use has a name.
    if let Ok(("", parameters)) = list(rest)
        && !rest.is_empty()
    {
        return Ok(Credentials::Parameters { scheme, parameters: parameters.checked()? });
    }
    match token68(rest) {
        Ok(("", token)) => {
            Ok(Credentials::Token { scheme, token: Zeroizing::new(token.to_owned()) })
        }
        _ => Err(GrammarError("neither parameters nor one token stand behind the scheme")),
    }
}

/// Reads a value of `Authentication-Info`, or the parameters of any scheme.
///
/// # Errors
/// What of the grammar it breaks.
pub fn parameters(text: &str) -> Result<Parameters, GrammarError> {
    match list(bounded(text)?) {
        Ok(("", parameters)) => parameters.checked(),
        _ => Err(GrammarError("not a list of name=value")),
    }
}

/// Reads one value of `WWW-Authenticate`, in which several challenges may stand (RFC 9110, section
/// 11.6.1). Challenges that are one token are skipped: no scheme that is spoken here has them.
///
/// # Errors
/// What of the grammar it breaks.
pub fn challenges(text: &str) -> Result<Vec<Challenge>, GrammarError> {
    let mut rest = bounded(text)?.trim_start_matches([' ', '\t', ',']);
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (after, scheme) = token(rest).map_err(|_| GrammarError("no scheme stands first"))?;
        let scheme = scheme.to_ascii_lowercase();
        let after = after.trim_start_matches([' ', '\t']);
        let (behind, parameters) =
            list(after).map_err(|_| GrammarError("a parameter cannot be read"))?;
        let parameters = parameters.checked()?;
        // No parameter: nothing, or one token up to the comma.
        let behind = match token68(behind) {
            Ok((behind, _)) if parameters.is_empty() && ends_challenge(behind) => behind,
            _ => {
                found.push(Challenge { scheme, parameters });
                behind
            }
        };
        if !ends_challenge(behind) {
            return Err(GrammarError("something stands behind a challenge"));
        }
        rest = behind.trim_start_matches([' ', '\t', ',']);
        if found.len() > MAX_CHALLENGES {
            return Err(GrammarError("too many challenges"));
        }
    }
    Ok(found)
}

/// Whether a challenge may end here: at the end, or at a comma. A scheme's name that follows the
/// comma without a value of its own is the next challenge.
fn ends_challenge(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '\t']);
    text.is_empty() || text.starts_with(',')
}

fn bounded(text: &str) -> Result<&str, GrammarError> {
    if text.len() > MAX_LENGTH {
        return Err(GrammarError("it is too long"));
    }
    Ok(text.trim_matches([' ', '\t']))
}

/// Parameters as they were read; some may stand there twice.
struct Found {
    parameters: Parameters,
    doubled: bool,
}

impl Found {
    fn checked(self) -> Result<Parameters, GrammarError> {
        if self.doubled {
            return Err(GrammarError("a parameter stands there twice, or there are too many"));
        }
        Ok(self.parameters)
    }
}

/// Parameters with commas between them, empty elements allowed (RFC 9110, section 5.6.1.2). It
/// stops in front of what is no parameter, the comma before it not taken.
fn list(input: &str) -> IResult<&str, Found> {
    let none = || Found { parameters: Parameters::default(), doubled: false };
    let first = match parameter(input) {
        Ok((rest, one)) => (rest, Some(one)),
        Err(_) => (input, None),
    };
    let (mut rest, Some(one)) = first else { return Ok((input, none())) };
    let mut found = none();
    found.doubled |= !found.parameters.push(one);
    loop {
        let next = preceded(commas, parameter).parse(rest);
        let Ok((after, one)) = next else { break };
        found.doubled |= !found.parameters.push(one);
        rest = after;
    }
    // A trailing comma belongs to the list only where nothing else follows it.
    let end = rest.trim_start_matches([' ', '\t', ',']);
    Ok((if end.is_empty() { end } else { rest }, found))
}

fn commas(input: &str) -> IResult<&str, &str> {
    verify(take_while1(|c| matches!(c, ' ' | '\t' | ',')), |text: &str| text.contains(','))
        .parse(input)
}

fn parameter(input: &str) -> IResult<&str, (String, String)> {
    let value = alt((quoted_string, map(token, str::to_owned)));
    let equals = delimited(blanks, char('='), blanks);
    let (rest, (name, value)) = separated_pair(token, equals, value).parse(input)?;
    Ok((rest, (name.to_ascii_lowercase(), value)))
}

fn quoted_string(input: &str) -> IResult<&str, String> {
    let text = take_while1(|c: char| c != '"' && c != '\\' && (c == '\t' || !c.is_control()));
    let escaped = preceded(tag("\\"), take_while_m_n(1, 1, |c: char| c == '\t' || !c.is_control()));
    delimited(
        char('"'),
        fold_many0(alt((text, escaped)), String::new, |mut all, piece: &str| {
            all.push_str(piece);
            all
        }),
        char('"'),
    )
    .parse(input)
}

fn blanks(input: &str) -> IResult<&str, &str> {
    take_while(|c| matches!(c, ' ' | '\t')).parse(input)
}

fn token(input: &str) -> IResult<&str, &str> {
    take_while1(|c: char| c.is_alphanum() && c.is_ascii() || "!#$%&'*+-.^_`|~".contains(c))
        .parse(input)
}

fn token68(input: &str) -> IResult<&str, &str> {
    let body = take_while1(|c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
    recognize(pair(body, take_while(|c| c == '='))).parse(input)
}

/// A value between quotes, as it goes out; `None` for one that cannot stand there.
pub(crate) fn quoted(value: &str) -> Option<String> {
    if value.chars().any(char::is_control) {
        return None;
    }
    Some(format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests;
