//! How to read: limits and tolerances, as plain values.

use crate::Encoding;

/// How a document is read. The default has [`Limits::DEFAULT`], no tolerance, and skips comments and processing
/// instructions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// What a document may cost.
    pub limits: Limits,
    /// Which deviations of real peers are accepted.
    pub tolerance: Tolerance,
    /// The encoding that the transport names (the `charset` of a media type). It goes before the document's own
    /// declaration (RFC 7303, section 3); a byte order mark of the same family is skipped.
    pub encoding: Option<Encoding>,
    /// Whether comments are events. They are checked in either case.
    pub comments: bool,
    /// Whether processing instructions are events. They are checked in either case.
    pub processing_instructions: bool,
}

impl Options {
    /// Default limits, no tolerance; comments and processing instructions are skipped.
    pub const STRICT: Self = Self {
        limits: Limits::DEFAULT,
        tolerance: Tolerance::STRICT,
        encoding: None,
        comments: false,
        processing_instructions: false,
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

    /// The same with an encoding that goes before the document's own declaration.
    #[must_use]
    pub const fn with_encoding(mut self, encoding: Option<Encoding>) -> Self {
        self.encoding = encoding;
        self
    }

    /// The same with comments as events.
    #[must_use]
    pub const fn with_comments(mut self, comments: bool) -> Self {
        self.comments = comments;
        self
    }

    /// The same with processing instructions as events.
    #[must_use]
    pub const fn with_processing_instructions(mut self, processing_instructions: bool) -> Self {
        self.processing_instructions = processing_instructions;
        self
    }
}

/// What a document may cost. Every field is a maximum that is itself allowed. Bytes are those of UTF-8 unless said
/// otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the whole document as it arrives. Default 64 MiB.
    pub document_length: u64,
    /// Elements inside each other, the root being the first. Default 256, as libxml2's: the deepest documents of these
    /// protocols (STIX inside TAXII) have about 40.
    pub depth: usize,
    /// Attributes of one element, namespace declarations included. Default 256: TAXII documents that carry STIX
    /// declare some 40 namespaces on one element.
    pub attributes: usize,
    /// Bytes of one name, with its prefix, and of one namespace name. Default 1,024.
    pub name_length: usize,
    /// Bytes of one tag or DOCTYPE from `<` to `>`. Default 1 MiB.
    pub tag_length: usize,
    /// Bytes of one text, CDATA section, comment or processing instruction, delimiters and references included.
    /// Default 64 MiB: base64 content of more than 10 MB is common, so that the document's length decides. The push
    /// form buffers one of them at a time.
    pub text_length: usize,
    /// Namespace declarations in scope at one place. Default 256.
    pub namespaces: usize,
}

impl Limits {
    /// The defaults that each field's documentation gives.
    pub const DEFAULT: Self = Self {
        document_length: 64 << 20,
        depth: 256,
        attributes: 256,
        name_length: 1024,
        tag_length: 1 << 20,
        text_length: 64 << 20,
        namespaces: 256,
    };

    /// The same with another length of the document.
    #[must_use]
    pub const fn with_document_length(mut self, bytes: u64) -> Self {
        self.document_length = bytes;
        self
    }

    /// The same with another depth.
    #[must_use]
    pub const fn with_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// The same with another number of attributes.
    #[must_use]
    pub const fn with_attributes(mut self, attributes: usize) -> Self {
        self.attributes = attributes;
        self
    }

    /// The same with another length of names.
    #[must_use]
    pub const fn with_name_length(mut self, bytes: usize) -> Self {
        self.name_length = bytes;
        self
    }

    /// The same with another length of tags.
    #[must_use]
    pub const fn with_tag_length(mut self, bytes: usize) -> Self {
        self.tag_length = bytes;
        self
    }

    /// The same with another length of texts.
    #[must_use]
    pub const fn with_text_length(mut self, bytes: usize) -> Self {
        self.text_length = bytes;
        self
    }

    /// The same with another number of namespace declarations in scope.
    #[must_use]
    pub const fn with_namespaces(mut self, namespaces: usize) -> Self {
        self.namespaces = namespaces;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Deviations that are accepted. All off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tolerance {
    /// A document type declaration without an internal subset is an event instead of a fault; nothing that it names is
    /// ever fetched. SyncML and the WAP document types begin with one.
    pub doctype: bool,
    /// With [`doctype`](Self::doctype): an internal subset that declares nothing, of white space, comments and
    /// processing instructions, is passed over. DM DDF files have one, with the version of their format in it.
    pub subset: bool,
    /// A declaration that names UTF-16 in a document whose bytes are plainly of one byte each is read as UTF-8: what
    /// .NET programs send that serialise into a string first.
    pub utf16_label: bool,
}

impl Tolerance {
    /// Nothing.
    pub const STRICT: Self = Self { doctype: false, subset: false, utf16_label: false };

    /// Everything.
    pub const LENIENT: Self = Self { doctype: true, subset: true, utf16_label: true };

    /// The same with or without the tolerance [`doctype`](Self::doctype).
    #[must_use]
    pub const fn with_doctype(mut self, doctype: bool) -> Self {
        self.doctype = doctype;
        self
    }

    /// The same with or without the tolerance [`subset`](Self::subset).
    #[must_use]
    pub const fn with_subset(mut self, subset: bool) -> Self {
        self.subset = subset;
        self
    }

    /// The same with or without the tolerance [`utf16_label`](Self::utf16_label).
    #[must_use]
    pub const fn with_utf16_label(mut self, utf16_label: bool) -> Self {
        self.utf16_label = utf16_label;
        self
    }
}
