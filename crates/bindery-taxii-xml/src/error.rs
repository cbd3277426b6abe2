//! What is wrong with a message, and where.

use std::fmt;

use bindery_xml::{Position, SchemaFault};

use crate::Dialect;

/// Why a message is refused: the element, the place, the fault and a remedy.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    path: String,
    xml: bindery_xml::Error,
    rule: Option<&'static str>,
}

/// What is wrong, by layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind<'e> {
    /// It is no well-formed XML, or more than a limit allows.
    Xml(&'e bindery_xml::Error),
    /// It is not what the dialect's schema says.
    Schema(&'e SchemaFault),
    /// The schema holds, and a rule of the specifications' text does not. The rule in words.
    Rule(&'e str),
}

impl Error {
    #[cold]
    pub(crate) fn new(path: String, xml: bindery_xml::Error) -> Self {
        Self(Box::new(Inner { path, xml, rule: None }))
    }

    #[cold]
    pub(crate) fn of(path: String, fault: Fault, position: Position) -> Self {
        let (fault, rule) = match fault {
            Fault::Schema(fault) => (fault, None),
            Fault::Rule(rule) => {
                let (expected, found) = (rule.to_owned(), String::new());
                (SchemaFault::Value { expected, found }, Some(rule))
            }
        };
        Self(Box::new(Inner { path, xml: bindery_xml::Error::schema(fault, position), rule }))
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind<'_> {
        match (self.0.rule, self.0.xml.kind()) {
            (Some(rule), _) => ErrorKind::Rule(rule),
            (None, bindery_xml::ErrorKind::Schema(fault)) => ErrorKind::Schema(fault),
            (None, _) => ErrorKind::Xml(&self.0.xml),
        }
    }

    /// The element, from the message's own: `Poll_Request/Poll_Parameters`. Empty before the first one.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Where: for something that is missing, the end of the element that should have it.
    pub fn position(&self) -> Position {
        self.0.xml.position()
    }

    /// What the sender can do about it.
    pub fn remedy(&self) -> &'static str {
        match self.kind() {
            ErrorKind::Rule(_) => "send what the rule says",
            ErrorKind::Xml(_) | ErrorKind::Schema(_) => self.0.xml.remedy(),
        }
    }
}

/// `TAXII: in Poll_Request at line 2, column 7 (offset 40): ...; ...`
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TAXII: ")?;
        if !self.0.path.is_empty() {
            write!(f, "in {} ", self.0.path)?;
        }
        write!(f, "at {}: ", self.position())?;
        match self.kind() {
            ErrorKind::Rule(rule) => f.write_str(rule)?,
            ErrorKind::Xml(_) | ErrorKind::Schema(_) => self.0.xml.kind().fmt(f)?,
        }
        write!(f, "; {}", self.remedy())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

/// A fault before it has a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Schema(SchemaFault),
    Rule(&'static str),
}

impl From<SchemaFault> for Fault {
    fn from(fault: SchemaFault) -> Self {
        Self::Schema(fault)
    }
}

/// Why a message cannot be written: a fault of the caller's. Nothing is written then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteError {
    pub(crate) path: String,
    pub(crate) fault: WriteFault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WriteFault {
    /// XML cannot carry it.
    Xml(bindery_xml::WriteError),
    /// The dialect has no such message.
    Message { dialect: Dialect },
    /// The dialect does not have the field.
    Field { dialect: Dialect, field: String },
    /// The dialect does not have the value.
    Value { dialect: Dialect },
    /// The schema or a rule does not hold.
    Fault(Fault),
    /// A block's content is not what the dialect's blocks hold, or its binding is not the message's.
    Block { expected: &'static str },
    /// Pieces were written out of their order.
    Order,
}

impl From<Fault> for WriteFault {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl WriteError {
    /// The element at fault, from the message's own.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// `TAXII writer: in Poll_Request: ...`
impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TAXII writer: ")?;
        if !self.path.is_empty() {
            write!(f, "in {}: ", self.path)?;
        }
        match &self.fault {
            WriteFault::Xml(error) => error.fmt(f),
            WriteFault::Message { dialect } => write!(f, "TAXII {dialect} has no such message"),
            WriteFault::Field { dialect, field } => {
                write!(f, "TAXII {dialect} has no {field} here; leave it empty for this dialect")
            }
            WriteFault::Value { dialect } => {
                write!(f, "TAXII {dialect} has no name for this value; use another one")
            }
            WriteFault::Fault(Fault::Schema(fault)) => fault.fmt(f),
            WriteFault::Fault(Fault::Rule(rule)) => f.write_str(rule),
            WriteFault::Block { expected } => write!(f, "expected {expected}"),
            WriteFault::Order => f.write_str("the message has ended, or was not begun"),
        }
    }
}

impl std::error::Error for WriteError {}
