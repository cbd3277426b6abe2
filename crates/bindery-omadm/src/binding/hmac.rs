//! The field `x-syncml-hmac` (OMA DM 1.2 Security, section 5.3).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue};
use thiserror::Error;

use crate::CredentialDigest;

/// The field's name.
pub(crate) const FIELD: HeaderName = HeaderName::from_static("x-syncml-hmac");

/// The longest value that is read, in octets.
const LONGEST: usize = 1024;

/// What `x-syncml-hmac` says: who sends the message, and the MAC over its octets.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hmac {
    /// The algorithm; `MD5` where the field names none.
    pub algorithm: String,
    /// The sender's name: `LocName` of Source.
    pub username: String,
    /// The MAC, in Base64.
    pub mac: String,
}

/// A value of the field that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it is not of the form algorithm=MD5, username=\"NAME\", mac=BASE64")]
#[non_exhaustive]
pub struct ParseHmacError;

impl Hmac {
    /// The MAC of a message's octets by somebody's digest and the nonce that was asked for.
    pub fn sign(username: &str, digest: &CredentialDigest, nonce: &[u8], octets: &[u8]) -> Self {
        Self {
            algorithm: "MD5".to_owned(),
            username: username.to_owned(),
            mac: digest.mac(nonce, octets),
        }
    }

    /// Whether it is the MAC of these octets by this digest and nonce.
    pub fn verify(&self, digest: &CredentialDigest, nonce: &[u8], octets: &[u8]) -> bool {
        self.algorithm.eq_ignore_ascii_case("MD5") && digest.verify_mac(nonce, octets, &self.mac)
    }

    /// The field's value; `None` for a name that fits no field.
    pub fn value(&self) -> Option<HeaderValue> {
        let name = self.username.replace('\\', "\\\\").replace('"', "\\\"");
        let text = format!("algorithm={}, username=\"{name}\", mac={}", self.algorithm, self.mac);
        HeaderValue::from_bytes(text.as_bytes()).ok()
    }

    /// Reads a value of the field.
    ///
    /// # Errors
    /// It is not of the field's form, or longer than 1 KiB.
    pub fn parse(value: &HeaderValue) -> Result<Self, ParseHmacError> {
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| ParseHmacError)?;
        if text.len() > LONGEST {
            return Err(ParseHmacError);
        }
        let mut found: [Option<String>; 3] = [None, None, None];
        let mut rest = text;
        while !rest.trim().is_empty() {
            let (name, value, after) = parameter(rest).ok_or(ParseHmacError)?;
            let names = ["algorithm", "username", "mac"];
            let at = names.iter().position(|known| name.eq_ignore_ascii_case(known));
            if let Some(slot) = at.and_then(|at| found.get_mut(at))
                && slot.replace(value).is_some()
            {
                return Err(ParseHmacError);
            }
            rest = after;
        }
        let [algorithm, username, mac] = found;
        let mac = mac.filter(|mac| STANDARD.decode(mac).is_ok_and(|octets| octets.len() == 16));
        Ok(Self {
            algorithm: algorithm.unwrap_or_else(|| "MD5".to_owned()),
            username: username.ok_or(ParseHmacError)?,
            mac: mac.ok_or(ParseHmacError)?,
        })
    }
}

/// The name and the value of the first parameter, and what stands behind its comma.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let rest = rest.trim_start();
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => {
            let end = rest.find(',').unwrap_or(rest.len());
            let (value, rest) = rest.split_at_checked(end)?;
            (value.trim().to_owned(), rest)
        }
    };
    let rest = rest.trim_start();
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(',')? };
    Some((name.trim(), value, rest))
}

/// A quoted string behind its first quote, and what stands behind its last one.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

impl fmt::Debug for Hmac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hmac({} of {:?})", self.algorithm, self.username)
    }
}
