//! How to read: limits, tolerances, and what the document does not say, as plain values.

use crate::{Charset, Language};

/// Limits, tolerances, and the language and character set where the caller knows better than the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options<'a> {
    /// What a document may cost.
    pub limits: Limits,
    /// Which deviations of real peers are accepted.
    pub tolerance: Tolerance,
    /// The language, whatever public identifier the document has. `None`: by the identifier; if that is of no
    /// registered language, names are `None` and tokens remain.
    pub language: Option<&'a Language>,
    /// The character set (such as of a `charset` parameter) where the document names none: in WBXML 1.0, and when its
    /// number is 0. `None`: UTF-8.
    pub charset: Option<Charset>,
}

impl<'a> Options<'a> {
    /// Default limits, no tolerance, what the document says.
    pub const STRICT: Options<'static> = Options {
        limits: Limits::DEFAULT,
        tolerance: Tolerance::STRICT,
        language: None,
        charset: None,
    };

    /// Default limits, every tolerance, what the document says.
    pub const LENIENT: Options<'static> = Options {
        limits: Limits::DEFAULT,
        tolerance: Tolerance::LENIENT,
        language: None,
        charset: None,
    };

    /// The same with other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same with another tolerance.
    #[must_use]
    pub const fn with_tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The same with this language for every document.
    #[must_use]
    pub const fn with_language(mut self, language: &'a Language) -> Self {
        self.language = Some(language);
        self
    }

    /// The same with this character set for documents that name none.
    #[must_use]
    pub const fn with_charset(mut self, charset: Charset) -> Self {
        self.charset = Some(charset);
        self
    }
}

/// What a document may cost. Every field is a maximum that is itself allowed.
///
/// The reader keeps nothing but the names of the open elements, so its memory is bounded by the depth; the other
/// limits are for those who build something from the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Elements inside each other. Default 128: SyncML and ActiveSync need about 15, WML pages about 30.
    pub depth: u16,
    /// Attributes of one element. Default 256; the longest table has 111.
    pub attributes: u16,
    /// Events of the document. Default 4,194,304 (2^22).
    pub events: u32,
    /// Bytes of one string, inline or in the string table. Default 16 MiB.
    pub text_length: u32,
    /// Bytes of one piece of opaque data. Default 16 MiB.
    pub opaque_length: u32,
    /// Bytes of the string table. Default 1 MiB.
    pub string_table: u32,
    /// Bytes that references into the string table give, all together. Default 16 MiB. A reference of two bytes may
    /// stand for a string as long as the table, so that without this limit a document of 2 MB could mean a terabyte.
    pub expansion: u32,
    /// `SWITCH_PAGE` tokens in a row with nothing between them. Default 16; the grammar knows only one.
    pub page_switches: u16,
}

impl Limits {
    /// The defaults that each field's documentation gives.
    pub const DEFAULT: Self = Self {
        depth: 128,
        attributes: 256,
        events: 1 << 22,
        text_length: 16 << 20,
        opaque_length: 16 << 20,
        string_table: 1 << 20,
        expansion: 16 << 20,
        page_switches: 16,
    };

    /// The same with another [`depth`](Self::depth).
    #[must_use]
    pub const fn with_depth(mut self, elements: u16) -> Self {
        self.depth = elements;
        self
    }

    /// The same with another [`attributes`](Self::attributes).
    #[must_use]
    pub const fn with_attributes(mut self, attributes: u16) -> Self {
        self.attributes = attributes;
        self
    }

    /// The same with another [`events`](Self::events).
    #[must_use]
    pub const fn with_events(mut self, events: u32) -> Self {
        self.events = events;
        self
    }

    /// The same with another [`text_length`](Self::text_length).
    #[must_use]
    pub const fn with_text_length(mut self, bytes: u32) -> Self {
        self.text_length = bytes;
        self
    }

    /// The same with another [`opaque_length`](Self::opaque_length).
    #[must_use]
    pub const fn with_opaque_length(mut self, bytes: u32) -> Self {
        self.opaque_length = bytes;
        self
    }

    /// The same with another [`string_table`](Self::string_table).
    #[must_use]
    pub const fn with_string_table(mut self, bytes: u32) -> Self {
        self.string_table = bytes;
        self
    }

    /// The same with another [`expansion`](Self::expansion).
    #[must_use]
    pub const fn with_expansion(mut self, bytes: u32) -> Self {
        self.expansion = bytes;
        self
    }

    /// The same with another [`page_switches`](Self::page_switches).
    #[must_use]
    pub const fn with_page_switches(mut self, switches: u16) -> Self {
        self.page_switches = switches;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Deviations from the specification that a reader accepts. All off by default; what is written is always canonical.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each tolerance is one independent switch")]
pub struct Tolerance {
    /// What the document's own version does not have yet: opaque data in 1.0, opaque data in attributes and
    /// `SWITCH_PAGE` before 1.2. For encoders that write the version they were told and the tokens they know.
    pub version_rules: bool,
    /// Bytes after the document element that are no processing instruction: they are not looked at. For buffers with
    /// a tail.
    pub trailing_data: bool,
    /// A tag that says it has attributes and has none.
    pub empty_attributes: bool,
    /// The attribute `LITERAL 0` in a document with an empty string table is `xmlns`. For Nokia's SyncML clients.
    pub literal_xmlns: bool,
}

impl Tolerance {
    /// Nothing is tolerated; the default.
    pub const STRICT: Self = Self {
        version_rules: false,
        trailing_data: false,
        empty_attributes: false,
        literal_xmlns: false,
    };

    /// Everything that has a name here is tolerated.
    pub const LENIENT: Self = Self {
        version_rules: true,
        trailing_data: true,
        empty_attributes: true,
        literal_xmlns: true,
    };
}
