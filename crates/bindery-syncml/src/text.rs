//! Text of a message.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use arrayvec::ArrayString;
use bytes::Bytes;
use bytestring::ByteString;

/// UTF-8 text, checked once.
///
/// A short one (up to 32 bytes: identifiers, formats, most addresses) is held in place; a longer one is a slice of the
/// message it came from, and keeps the whole message's bytes alive: use [`Text::detached`] before keeping it for long.
#[derive(Clone)]
pub struct Text(Form);

const SHORT: usize = 32;

#[derive(Clone)]
enum Form {
    Short(ArrayString<SHORT>),
    Long(ByteString),
}

impl Text {
    /// A text that is part of the program.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Form::Long(ByteString::from_static(text)))
    }

    /// The text of UTF-8 bytes, which are not copied unless they are few; `None` if they are not UTF-8.
    pub fn from_utf8(bytes: Bytes) -> Option<Self> {
        if bytes.len() <= SHORT {
            return std::str::from_utf8(&bytes).ok().map(Self::from);
        }
        ByteString::try_from(bytes).ok().map(|text| Self(Form::Long(text)))
    }

    /// The text of a part of a document, which is not copied if it is long and stands there.
    #[inline]
    pub(crate) fn within(document: &Bytes, text: &str) -> Self {
        if text.len() > SHORT
            && let Some(slice) = slice(document, text.as_bytes())
            && let Ok(text) = ByteString::try_from(slice)
        {
            return Self(Form::Long(text));
        }
        Self::from(text)
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Short(text) => text,
            Form::Long(text) => text,
        }
    }

    /// The decimal number that the text is, white space around it not counted: MsgID and CmdID of OMA DM.
    pub fn number(&self) -> Option<u64> {
        let digits = self.trim_matches(crate::pieces::SPACE);
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    }

    /// The bytes, not copied if the text is long.
    pub fn to_bytes(&self) -> Bytes {
        match &self.0 {
            Form::Short(text) => Bytes::copy_from_slice(text.as_bytes()),
            Form::Long(text) => text.as_bytes().clone(),
        }
    }

    /// A copy that shares nothing.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self::from(self.as_str())
    }
}

/// The part of a document that `part` is; `None` if it stands elsewhere.
pub(crate) fn slice(document: &Bytes, part: &[u8]) -> Option<Bytes> {
    let start = part.as_ptr().addr().checked_sub(document.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= document.len()).then(|| document.slice(start..end))
}

impl Default for Text {
    fn default() -> Self {
        Self(Form::Short(ArrayString::new_const()))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Deref for Text {
    type Target = str;
    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::borrow::Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl From<&str> for Text {
    #[inline]
    fn from(text: &str) -> Self {
        match ArrayString::from(text) {
            Ok(short) => Self(Form::Short(short)),
            Err(_) => Self(Form::Long(ByteString::from(text))),
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        match ArrayString::from(&text) {
            Ok(short) => Self(Form::Short(short)),
            Err(_) => Self(Form::Long(ByteString::from(text))),
        }
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        /// The number in decimal.
        impl From<$number> for Text {
            fn from(number: $number) -> Self {
                Self::from(number.to_string())
            }
        }
    )*};
}

numbers!(u16, u32, u64);

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().to_owned()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
