//! Status and alert codes, with what they mean to people.

use std::fmt;

use crate::Text;
use crate::registry::{alert, status};

macro_rules! code {
    ($(#[$meta:meta])* $code:ident, $row:ident, $table:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $code(pub u16);

        impl $code {
            /// The code that a text says in decimal.
            pub fn from_text(text: &str) -> Option<Self> {
                let digits = text.trim_matches(crate::pieces::SPACE);
                let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                plain.then(|| digits.parse().ok().map(Self)).flatten()
            }

            /// Every code of the registry.
            pub const fn rows() -> &'static [$row] {
                $table::ROWS
            }

            /// The code's row in the registry; `None` for a code that it does not have.
            pub fn row(self) -> Option<&'static $row> {
                let at = Self::rows().binary_search_by_key(&self.0, |row| row.code).ok()?;
                Self::rows().get(at)
            }

            /// The name, if the registry has one.
            pub fn name(self) -> Option<&'static str> {
                self.row().map($row::name)
            }
        }

        /// `404 (Not found)`
        impl fmt::Display for $code {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => write!(f, "{} ({name})", self.0),
                    None => write!(f, "{}", self.0),
                }
            }
        }

        impl fmt::Debug for $code {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl From<$code> for Text {
            fn from(code: $code) -> Self {
                Self::from(code.0)
            }
        }
    };
}

code! {
    /// What Data of Status says (SyncML RepPro 1.2, section 10). Any number may come.
    StatusCode, StatusRow, status
}

code! {
    /// What Data of Alert says (OMA DM Protocol 1.2; SyncML DS 1.2). Any number may come.
    AlertCode, AlertRow, alert
}

impl StatusCode {
    /// Whether the command was carried out or goes on: 100 to 299, without 215 (Not executed) and 216 (rolled back).
    pub const fn is_success(self) -> bool {
        matches!(self.0, 100..=213 | 217..=299)
    }
}

/// A status code of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRow {
    code: u16,
    name: &'static str,
    scope: &'static str,
    meaning: &'static str,
    remedy: &'static str,
}

impl StatusRow {
    pub(crate) const fn fixed(
        code: u16,
        name: &'static str,
        scope: &'static str,
        meaning: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self { code, name, scope, meaning, remedy }
    }

    /// The code.
    pub const fn code(&self) -> StatusCode {
        StatusCode(self.code)
    }

    /// The name, such as `Not found`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// `DS` for codes of data synchronization only; otherwise empty.
    pub const fn scope(&self) -> &'static str {
        self.scope
    }

    /// What it means to an operator.
    pub const fn meaning(&self) -> &'static str {
        self.meaning
    }

    /// What to do about it; empty where there is nothing to do.
    pub const fn remedy(&self) -> &'static str {
        self.remedy
    }
}

/// An alert code of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertRow {
    code: u16,
    name: &'static str,
    scope: &'static str,
    meaning: &'static str,
}

impl AlertRow {
    pub(crate) const fn fixed(
        code: u16,
        name: &'static str,
        scope: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { code, name, scope, meaning }
    }

    /// The code.
    pub const fn code(&self) -> AlertCode {
        AlertCode(self.code)
    }

    /// The name, such as `Client-initiated management`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Where it is used: `DS`, `DM`, `DM session` and so on.
    pub const fn scope(&self) -> &'static str {
        self.scope
    }

    /// What it means to an operator.
    pub const fn meaning(&self) -> &'static str {
        self.meaning
    }
}
