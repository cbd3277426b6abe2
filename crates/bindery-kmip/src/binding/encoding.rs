//! The encodings that a body may have (KMIP Profiles 2.1, section 5.3.1; Additional Message Encodings 1.0).

use bindery_core::{MediaType, Place};
use bindery_ttlv::{FormError, FormErrorKind, Options, from_json, from_xml, to_json, to_xml};
use bytes::Bytes;
use http::HeaderMap;

/// The encoding of a message, by its media type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Binary TTLV: `application/octet-stream`.
    #[default]
    Ttlv,
    /// XML: `text/xml`.
    Xml,
    /// JSON: `application/json`.
    Json,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 3] = [Self::Ttlv, Self::Xml, Self::Json];

    /// The media type, type and subtype.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ttlv => "application/octet-stream",
            Self::Xml => "text/xml",
            Self::Json => "application/json",
        }
    }

    /// The encoding that a header section declares; binary TTLV where it declares none of these.
    /// Which are allowed is for the card to say.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let declared =
            headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let declared = declared.and_then(|text| text.parse::<MediaType>().ok());
        let named = |encoding: &Self| {
            let own = MediaType::from_static(encoding.media_type());
            declared.as_ref().is_some_and(|declared| own.same_essence(declared))
        };
        Self::ALL.into_iter().find(named).unwrap_or_default()
    }

    /// A body as binary TTLV.
    pub(super) fn read(self, body: Bytes, options: &Options) -> Result<Bytes, Place> {
        let mut octets = Vec::new();
        match self {
            Self::Ttlv => return Ok(body),
            Self::Xml => from_xml(&body, options, &mut octets),
            Self::Json => from_json(&body, options, &mut octets),
        }
        .map_err(|error| self.place(&error))?;
        Ok(octets.into())
    }

    /// Binary TTLV as a body. What the encoding cannot carry (XML has no control characters) becomes
    /// binary TTLV: the media type beside it says so.
    pub(super) fn write(self, octets: Bytes, options: &Options) -> (Self, Bytes) {
        let mut text = Vec::new();
        let written = match self {
            Self::Ttlv => return (self, octets),
            Self::Xml => to_xml(&octets, options, &mut text),
            Self::Json => to_json(&octets, options, &mut text),
        };
        match written {
            Ok(()) => (self, text.into()),
            Err(_) => (Self::Ttlv, octets),
        }
    }

    fn place(self, error: &FormError) -> Place {
        let format = match self {
            Self::Ttlv => "TTLV",
            Self::Xml => "XML",
            Self::Json => "JSON",
        };
        let what = match error.kind() {
            FormErrorKind::Syntax(what) | FormErrorKind::Content(what) => what.clone(),
            _ => error.to_string(),
        };
        let lines = error
            .line_and_column()
            .map_or_else(String::new, |(line, column)| format!("line {line}, column {column}: "));
        Place::new(format, error.offset(), format!("{lines}{what}; {}", error.remedy()))
    }
}
