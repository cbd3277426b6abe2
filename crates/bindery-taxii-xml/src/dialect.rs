//! The dialects.

use crate::registry::{DRAFT_ROOTS, Root, V1_0_ROOTS, V1_1_ROOTS};

/// The namespace of Default Query 1.0.
pub const DEFAULT_QUERY_NAMESPACE: &str = "http://taxii.mitre.org/query/taxii_default_query-1";

/// A version of the messages: what its elements are called and consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// The draft of 1.0 of November 2012.
    Draft,
    /// TAXII 1.0 of April 2013.
    V1_0,
    /// TAXII 1.1 of January 2014.
    V1_1,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 3] = [Self::Draft, Self::V1_0, Self::V1_1];

    /// The namespace of its messages.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Draft => "http://taxii.mitre.org/messages/xml/1",
            Self::V1_0 => "http://taxii.mitre.org/messages/taxii_xml_binding-1",
            Self::V1_1 => "http://taxii.mitre.org/messages/taxii_xml_binding-1.1",
        }
    }

    /// The dialect of a namespace.
    pub fn of_namespace(namespace: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.namespace() == namespace)
    }

    /// Its name: `draft`, `1.0`, `1.1`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
        }
    }

    /// The prefix that the writer uses, as the common libraries do.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Draft | Self::V1_0 => "taxii",
            Self::V1_1 => "taxii_11",
        }
    }

    pub(crate) const fn roots(self) -> &'static [Root] {
        match self {
            Self::Draft => DRAFT_ROOTS,
            Self::V1_0 => V1_0_ROOTS,
            Self::V1_1 => V1_1_ROOTS,
        }
    }
}

/// `1.1`
impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
