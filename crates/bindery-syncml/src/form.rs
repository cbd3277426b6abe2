//! The two encodings and the three versions.

use std::fmt;

use bindery_wbxml::{Language, languages};

/// How a message is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Form {
    /// XML 1.0.
    #[default]
    Xml,
    /// WBXML 1.0 to 1.3.
    Wbxml,
}

impl Form {
    /// The form of a message by its first byte: WBXML begins with its version, 00 to 03, which no XML document does.
    pub fn detect(message: &[u8]) -> Self {
        match message {
            // UTF-16 without a byte order mark begins with a zero byte and `<`.
            [0, b'<', ..] => Self::Xml,
            [0..=3, ..] => Self::Wbxml,
            _ => Self::Xml,
        }
    }

    /// The ending of media types: `xml` in `application/vnd.syncml.dm+xml`.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Wbxml => "wbxml",
        }
    }
}

/// A version of the SyncML representation protocol, as VerDTD says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// 1.0 (2000).
    V1_0,
    /// 1.1 (2002).
    V1_1,
    /// 1.2 (OMA, 2005): OMA DM 1.2 uses it.
    #[default]
    V1_2,
}

impl Version {
    /// The version that VerDTD names.
    pub fn from_dtd(text: &str) -> Option<Self> {
        Some(match text.trim_matches(crate::pieces::SPACE) {
            "1.0" | "1.0.1" => Self::V1_0,
            "1.1" | "1.1.1" | "1.1.2" => Self::V1_1,
            "1.2" | "1.2.1" | "1.2.2" => Self::V1_2,
            _ => return None,
        })
    }

    /// What VerDTD says: `1.2`.
    pub const fn dtd(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        }
    }

    /// The language of SyncML messages in the registry of WBXML.
    pub const fn language(self) -> &'static Language {
        match self {
            Self::V1_0 => &languages::SYNCML10,
            Self::V1_1 => &languages::SYNCML11,
            Self::V1_2 => &languages::SYNCML12,
        }
    }

    /// The language of DevInf documents in the registry of WBXML.
    pub const fn devinf_language(self) -> &'static Language {
        match self {
            Self::V1_0 => &languages::DEVINF10,
            Self::V1_1 => &languages::DEVINF11,
            Self::V1_2 => &languages::DEVINF12,
        }
    }

    /// The version of a language for SyncML or DevInf.
    pub(crate) fn of_language(language: &Language) -> Self {
        match language.id() {
            "syncml10" | "devinf10" => Self::V1_0,
            "syncml11" | "devinf11" | "metinf11" => Self::V1_1,
            _ => Self::V1_2,
        }
    }
}

/// `1.2`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.dtd())
    }
}
