//! How to read: limits and tolerances, as plain values.

/// How a message is read. The default is [`Options::LENIENT`]: no real client seen keeps to every rule, and nothing
/// that is tolerated is ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// What a message may cost.
    pub limits: Limits,
    /// Which deviations of real peers are accepted.
    pub tolerance: Tolerance,
    /// The character encoding of XML that the transport names (the `charset` of a media type).
    pub encoding: Option<bindery_xml::Encoding>,
}

impl Options {
    /// Default limits, no tolerance.
    pub const STRICT: Self =
        Self { limits: Limits::DEFAULT, tolerance: Tolerance::STRICT, encoding: None };

    /// Default limits, every tolerance.
    pub const LENIENT: Self =
        Self { limits: Limits::DEFAULT, tolerance: Tolerance::LENIENT, encoding: None };

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

    /// The same with a character encoding of XML.
    #[must_use]
    pub const fn with_encoding(mut self, encoding: Option<bindery_xml::Encoding>) -> Self {
        self.encoding = encoding;
        self
    }

    pub(crate) fn xml(&self) -> bindery_xml::Options {
        let limits = bindery_xml::Limits::DEFAULT
            .with_document_length(u64::from(self.limits.message_length))
            .with_depth(usize::from(self.limits.depth));
        let tolerance = bindery_xml::Tolerance::STRICT
            .with_doctype(true)
            .with_subset(true)
            .with_utf16_label(self.tolerance.encoding_label);
        bindery_xml::Options::STRICT
            .with_limits(limits)
            .with_tolerance(tolerance)
            .with_encoding(self.encoding)
    }

    pub(crate) fn wbxml(&self) -> bindery_wbxml::Options<'static> {
        let length = self.limits.message_length;
        let limits = bindery_wbxml::Limits::DEFAULT
            .with_depth(self.limits.depth)
            .with_text_length(length)
            .with_opaque_length(length);
        let mut tolerance = bindery_wbxml::Tolerance::STRICT;
        tolerance.version_rules = self.tolerance.wbxml_rules;
        tolerance.empty_attributes = self.tolerance.wbxml_rules;
        tolerance.trailing_data = self.tolerance.trailing_data;
        tolerance.literal_xmlns = self.tolerance.wbxml_rules;
        bindery_wbxml::Options::STRICT.with_limits(limits).with_tolerance(tolerance)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::LENIENT
    }
}

/// What a message may cost. Every field is a maximum that is itself allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the message as it arrives. Default 16 MiB; MaxMsgSize is mostly below 1 MiB.
    pub message_length: u32,
    /// Elements inside each other. Default 64: a DevInf document in a command inside Atomic needs about 15, the deepest
    /// management trees about 30.
    pub depth: u16,
    /// Elements of the message, with those of embedded documents. Default 131,072. A typed element takes up to 0.7 KB
    /// of memory and as little as one byte of WBXML, so that this bounds what a message costs.
    pub elements: u32,
    /// Atomic, Sequence and Sync inside each other. Default 8.
    pub nesting: u16,
}

impl Limits {
    /// The defaults that each field's documentation gives.
    pub const DEFAULT: Self =
        Self { message_length: 16 << 20, depth: 64, elements: 1 << 17, nesting: 8 };

    /// The same with another [`message_length`](Self::message_length).
    #[must_use]
    pub const fn with_message_length(mut self, bytes: u32) -> Self {
        self.message_length = bytes;
        self
    }

    /// The same with another [`depth`](Self::depth).
    #[must_use]
    pub const fn with_depth(mut self, depth: u16) -> Self {
        self.depth = depth;
        self
    }

    /// The same with another number of [`elements`](Self::elements).
    #[must_use]
    pub const fn with_elements(mut self, elements: u32) -> Self {
        self.elements = elements;
        self
    }

    /// The same with another [`nesting`](Self::nesting).
    #[must_use]
    pub const fn with_nesting(mut self, nesting: u16) -> Self {
        self.nesting = nesting;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Deviations that are accepted. What is written is always in order and complete as far as the value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each tolerance is one independent switch")]
pub struct Tolerance {
    /// Elements in another order than the DTD's. For SyncEvolution, which sends SupportNumberOfChanges before
    /// SupportLargeObjs, and for hand-made messages.
    pub order: bool,
    /// A required element is missing: the field has its default, which for text is the empty one. For phones that leave
    /// out CmdRef of Results, and for hand-made messages.
    pub missing: bool,
    /// An element that may stand once stands there again: the second one is kept among the unknown ones.
    pub repeated: bool,
    /// A known element where it has no place, or a number that is none: kept among the unknown ones.
    pub misplaced: bool,
    /// SyncML without an XML namespace, with another one of its own vocabularies, or with one in other capitals
    /// (`syncml:SYNCML1.1`): the name decides. For Funambol's and Nokia's XML clients.
    pub namespaces: bool,
    /// Attributes on SyncML's elements: kept on structures and on Data, left out on other elements with text. For
    /// Windows, which says `msft:originalerror` of failed commands.
    pub attributes: bool,
    /// A WBXML document of no known type is read as the one whose formal identifier differs by capitals only, otherwise
    /// as SyncML 1.2. For Ericsson's clients (`-//SyncML//DTD DevInf 1.0//EN`), and for the public identifier 1.
    pub public_id: bool,
    /// WBXML that uses what its own version does not have, or an empty attribute list. For Nokia's clients.
    pub wbxml_rules: bool,
    /// Another version in VerDTD than the document type or namespace says: VerDTD counts.
    pub version: bool,
    /// A DevInf document inside a message that cannot be read stays opaque.
    pub embedded: bool,
    /// Bytes behind a WBXML document, which are not looked at. For buffers with a tail, as of captures.
    pub trailing_data: bool,
    /// XML that names UTF-16 and plainly is UTF-8. For .NET programs that serialise into a string first.
    pub encoding_label: bool,
}

impl Tolerance {
    /// Nothing.
    pub const STRICT: Self = Self::all(false);

    /// Everything that has a name here. The default.
    pub const LENIENT: Self = Self::all(true);

    const fn all(value: bool) -> Self {
        Self {
            order: value,
            missing: value,
            repeated: value,
            misplaced: value,
            namespaces: value,
            attributes: value,
            public_id: value,
            wbxml_rules: value,
            version: value,
            embedded: value,
            trailing_data: value,
            encoding_label: value,
        }
    }
}

impl Default for Tolerance {
    fn default() -> Self {
        Self::LENIENT
    }
}
