//! Basic (RFC 7617).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{AuthError, GrammarError};

/// User and password of a token, in UTF-8, which the challenge asks for; what is no UTF-8 is taken
/// for ISO 8859-1, which older clients send (RFC 7617, section 2.1).
pub(crate) fn decode(token: &str) -> Result<(String, Zeroizing<String>), GrammarError> {
    let wrong = GrammarError("not Base64 of user:password");
    let octets = Zeroizing::new(STANDARD.decode(token).map_err(|_| wrong.clone())?);
    let text = Zeroizing::new(match std::str::from_utf8(&octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().copied().map(char::from).collect(),
    });
    let (user, password) = text.split_once(':').ok_or(wrong)?;
    if text.chars().any(char::is_control) {
        return Err(GrammarError("a control character stands in user or password"));
    }
    Ok((user.to_owned(), Zeroizing::new(password.to_owned())))
}

/// The token of a user and a password.
pub(crate) fn encode(user: &str, password: &str) -> Result<Zeroizing<String>, AuthError> {
    if user.contains(|c: char| c == ':' || c.is_control()) || password.contains(char::is_control) {
        return Err(AuthError::UserName);
    }
    let both = Zeroizing::new(format!("{user}:{password}"));
    Ok(Zeroizing::new(STANDARD.encode(both.as_bytes())))
}
