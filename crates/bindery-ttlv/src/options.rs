//! How to read: limits and tolerances, as plain values.

/// Limits and tolerances of one decoding. The default is [`Limits::DEFAULT`] and strict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// What a message may cost.
    pub limits: Limits,
    /// Which deviations of real peers are accepted.
    pub tolerance: Tolerance,
}

impl Options {
    /// Default limits, no tolerance.
    pub const STRICT: Self = Self { limits: Limits::DEFAULT, tolerance: Tolerance::STRICT };

    /// Default limits, every tolerance.
    pub const LENIENT: Self = Self { limits: Limits::DEFAULT, tolerance: Tolerance::LENIENT };

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
}

/// What a message may cost. Every field is a maximum that is itself allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one message, header included. Default 16 MiB: sixteen times what PyKMIP and ovh/kmip-go accept, so
    /// that large certificates and opaque objects pass, and a quarter of Cosmian's 64 MiB, so that a few hundred
    /// connections fit a server's memory.
    pub message_length: u32,
    /// Structures inside each other, the message itself being the first. Default 64, as Cosmian's; a KMIP 2.1 message
    /// needs about 12.
    pub depth: u16,
    /// Items of one typed message or printed tree, structures included. Default 262,144 (2^18): the answer to Locate
    /// may carry 250,000 identifiers, while what is built stays within some tens of megabytes.
    pub items: u32,
    /// Bytes of one Text String. Default 1 MiB.
    pub text_length: u32,
    /// Bytes of one Byte String or Big Integer. Default 16 MiB, so that the message's length decides.
    pub bytes_length: u32,
}

impl Limits {
    /// The defaults that each field's documentation gives.
    pub const DEFAULT: Self = Self {
        message_length: 16 << 20,
        depth: 64,
        items: 1 << 18,
        text_length: 1 << 20,
        bytes_length: 16 << 20,
    };

    /// The same with another [`message_length`](Self::message_length).
    #[must_use]
    pub const fn with_message_length(mut self, bytes: u32) -> Self {
        self.message_length = bytes;
        self
    }

    /// The same with another [`depth`](Self::depth).
    #[must_use]
    pub const fn with_depth(mut self, structures: u16) -> Self {
        self.depth = structures;
        self
    }

    /// The same with another [`items`](Self::items).
    #[must_use]
    pub const fn with_items(mut self, items: u32) -> Self {
        self.items = items;
        self
    }

    /// The same with another [`text_length`](Self::text_length).
    #[must_use]
    pub const fn with_text_length(mut self, bytes: u32) -> Self {
        self.text_length = bytes;
        self
    }

    /// The same with another [`bytes_length`](Self::bytes_length).
    #[must_use]
    pub const fn with_bytes_length(mut self, bytes: u32) -> Self {
        self.bytes_length = bytes;
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
    /// Padding bytes that are not zero. For encoders that pad from a buffer they have not cleared; the Go
    /// implementations (gemalto and Thales kmip-go) do not look at padding either.
    pub dirty_padding: bool,
    /// Fields of a typed structure in another order than the specification's. For HashiCorp Vault, whose response
    /// header is out of order (hashicorp/vault 24309).
    pub field_order: bool,
    /// Fields that a typed structure does not know and has no place to keep: they are checked and dropped. For
    /// HashiCorp Vault, whose Register response carries an Object Type (hashicorp/vault 9147).
    pub extra_fields: bool,
    /// A Boolean other than 0 and 1: it is true. For encoders in C that write any nonzero value.
    pub boolean_values: bool,
    /// Tags outside 42xxxx and 54xxxx. For private extensions made before the range 54xxxx was set aside.
    pub tag_ranges: bool,
    /// Attributes that stand in a Key Value on their own, under the tags of 2.x and without the structure around them
    /// (a Link, a State beside the Key Material): they are its attributes. For Cosmian KMS (Cosmian/kms 899, which
    /// Veeam stumbles over).
    pub key_value_attributes: bool,
    /// What the message's version does not have: 2.x forms in a message of 1.x and the reverse, and whatever else
    /// [`check_version`](crate::check_version) finds. For PyKMIP, which sends attributes in the form of 2.0 after it
    /// has settled on 1.x (Cosmian/kms 438).
    pub other_versions: bool,
}

impl Tolerance {
    /// Nothing is tolerated; the default.
    pub const STRICT: Self = Self {
        dirty_padding: false,
        field_order: false,
        extra_fields: false,
        boolean_values: false,
        tag_ranges: false,
        key_value_attributes: false,
        other_versions: false,
    };

    /// Everything that has a name here is tolerated.
    pub const LENIENT: Self = Self {
        dirty_padding: true,
        field_order: true,
        extra_fields: true,
        boolean_values: true,
        tag_ranges: true,
        key_value_attributes: true,
        other_versions: true,
    };

    /// Everything that has a name here is tolerated.
    pub const fn lenient() -> Self {
        Self::LENIENT
    }

    /// The tolerances' names, as the fields are called.
    pub const NAMES: [&'static str; 7] = [
        "dirty_padding",
        "field_order",
        "extra_fields",
        "boolean_values",
        "tag_ranges",
        "key_value_attributes",
        "other_versions",
    ];

    /// The same with the tolerance of this name on; `None` if there is none of the name.
    #[must_use]
    pub fn with_named(mut self, name: &str) -> Option<Self> {
        *match name {
            "dirty_padding" => &mut self.dirty_padding,
            "field_order" => &mut self.field_order,
            "extra_fields" => &mut self.extra_fields,
            "boolean_values" => &mut self.boolean_values,
            "tag_ranges" => &mut self.tag_ranges,
            "key_value_attributes" => &mut self.key_value_attributes,
            "other_versions" => &mut self.other_versions,
            _ => return None,
        } = true;
        Some(self)
    }

    /// The same with another [`key_value_attributes`](Self::key_value_attributes).
    #[must_use]
    pub const fn with_key_value_attributes(mut self, tolerated: bool) -> Self {
        self.key_value_attributes = tolerated;
        self
    }

    /// The same with another [`other_versions`](Self::other_versions).
    #[must_use]
    pub const fn with_other_versions(mut self, tolerated: bool) -> Self {
        self.other_versions = tolerated;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Tolerance;

    #[test]
    fn all_that_have_a_name_are_all() {
        let named = |tolerance: Tolerance, name: &&str| {
            let wider = tolerance.with_named(name).unwrap();
            assert_ne!(wider, tolerance, "{name}");
            wider
        };
        let all = Tolerance::NAMES.iter().fold(Tolerance::STRICT, named);
        assert_eq!(all, Tolerance::LENIENT);
        assert_eq!(Tolerance::STRICT.with_named("anything"), None);
    }
}
