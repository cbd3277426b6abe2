//! Global tokens: the same in both code spaces and on every page (WBXML 1.3, section 7.1).

/// Changes the code page of the space that it stands in.
pub(crate) const SWITCH_PAGE: u8 = 0x00;
/// Ends an attribute list, an element's content, an instruction.
pub(crate) const END: u8 = 0x01;
/// A character as a number.
pub(crate) const ENTITY: u8 = 0x02;
/// A string in place.
pub(crate) const STR_I: u8 = 0x03;
/// A name in the string table.
pub(crate) const LITERAL: u8 = 0x04;
/// The first of three extensions with a string.
pub(crate) const EXT_I_0: u8 = 0x40;
/// A processing instruction.
pub(crate) const PI: u8 = 0x43;
/// The first of three extensions with a number.
pub(crate) const EXT_T_0: u8 = 0x80;
/// A string in the string table.
pub(crate) const STR_T: u8 = 0x83;
/// The first of three extensions of one byte.
pub(crate) const EXT_0: u8 = 0xC0;
/// Opaque data.
pub(crate) const OPAQUE: u8 = 0xC3;

/// A tag's bit that says that attributes follow.
pub(crate) const ATTRIBUTES: u8 = 0x80;
/// A tag's bit that says that content follows.
pub(crate) const CONTENT: u8 = 0x40;
/// A tag's own bits.
pub(crate) const IDENTITY: u8 = 0x3F;
/// The least value of these bits that is no global token's.
pub(crate) const FIRST: u8 = 0x05;

/// What a global token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    SwitchPage,
    End,
    Entity,
    String,
    Literal { attributes: bool, content: bool },
    ExtensionText(u8),
    Instruction,
    ExtensionNumber(u8),
    TableString,
    Extension(u8),
    Opaque,
}

impl Global {
    /// The global token of a byte; `None` for the tokens of the code pages.
    #[inline]
    pub(crate) const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            SWITCH_PAGE => Self::SwitchPage,
            END => Self::End,
            ENTITY => Self::Entity,
            STR_I => Self::String,
            0x04 | 0x44 | 0x84 | 0xC4 => {
                Self::Literal { attributes: byte & ATTRIBUTES != 0, content: byte & CONTENT != 0 }
            }
            0x40..=0x42 => Self::ExtensionText(byte - EXT_I_0),
            PI => Self::Instruction,
            0x80..=0x82 => Self::ExtensionNumber(byte - EXT_T_0),
            STR_T => Self::TableString,
            0xC0..=0xC2 => Self::Extension(byte - EXT_0),
            OPAQUE => Self::Opaque,
            _ => return None,
        })
    }
}
