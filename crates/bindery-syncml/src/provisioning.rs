//! Provisioning documents (OMA Client Provisioning 1.1; WAP-183): how a device gets its first settings.

use bytes::Bytes;

use crate::decode::{self, Decoder};
use crate::sink::{self, Sink};
use crate::{
    Attribute, EncodeError, Error, ErrorKind, Input, Name, Options, Start, Tag, Text, WriteOptions,
};

/// `wap-provisioningdoc`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProvisioningDoc {
    /// The version, mostly `1.1`.
    pub version: Option<Text>,
    /// The characteristics at the top.
    pub characteristics: Vec<Characteristic>,
    /// Attributes that are not named above.
    pub attributes: Vec<Attribute>,
}

/// `characteristic`: settings of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Characteristic {
    /// Its kind: `BOOTSTRAP`, `APPLICATION`, `APPAUTH`, `NAPDEF`.
    pub kind: Text,
    /// What it holds, in order.
    pub parameters: Vec<Parameter>,
    /// Attributes that are not named above.
    pub attributes: Vec<Attribute>,
}

/// What a [`Characteristic`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parameter {
    /// A setting.
    Parm(Parm),
    /// Settings inside.
    Characteristic(Characteristic),
}

/// `parm`: a setting.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parm {
    /// Its name.
    pub name: Text,
    /// Its value, if it has one.
    pub value: Option<Text>,
    /// Attributes that are not named above, such as Windows' `datatype`.
    pub attributes: Vec<Attribute>,
}

/// Of the value the length only: it may be secret.
impl std::fmt::Debug for Parm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let length = self.value.as_ref().map(|value| value.len());
        write!(f, "Parm({}, {length:?} bytes)", self.name)
    }
}

impl Characteristic {
    /// The value of the first setting with this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find_map(|parameter| match parameter {
            Parameter::Parm(parm) if &*parm.name == name => parm.value.as_deref(),
            Parameter::Parm(_) | Parameter::Characteristic(_) => None,
        })
    }
}

/// Takes the attribute with this name out of the list.
fn take(attributes: &mut Vec<Attribute>, name: &str) -> Option<Text> {
    let named = |a: &Attribute| a.namespace.is_empty() && &*a.local == name;
    let at = attributes.iter().position(named)?;
    Some(attributes.remove(at).value)
}

/// The named attributes first, then the others.
fn all(named: &[(&str, Option<&Text>)], others: &[Attribute]) -> Vec<Attribute> {
    let named = named.iter().filter_map(|(name, value)| {
        let value = (*value)?.clone();
        Some(Attribute { namespace: Text::default(), local: Text::from(*name), value })
    });
    named.chain(others.iter().cloned()).collect()
}

impl ProvisioningDoc {
    /// Reads a document, XML or WBXML by its first byte.
    ///
    /// # Errors
    /// The first fault, by [`ErrorKind`], with its place. An unknown element is one.
    pub fn decode(document: &Bytes, options: &Options) -> Result<Self, Error> {
        let input = Input::new(document, options);
        let decoder = &mut Decoder { events: &mut input.events()? };
        let attributes = decode::expect(decoder, Tag::PROV_WAP_PROVISIONINGDOC)?;
        let doc = Self::read(attributes, decoder)?;
        decode::end(decoder)?;
        Ok(doc)
    }

    pub(crate) fn read(
        mut attributes: Vec<Attribute>,
        decoder: &mut Decoder<'_, '_>,
    ) -> Result<Self, Error> {
        let version = take(&mut attributes, "version");
        let mut doc = Self { version, characteristics: Vec::new(), attributes };
        let mut stack: Vec<Characteristic> = Vec::new();
        loop {
            let Some(start) = decoder.child()? else {
                let Some(done) = stack.pop() else { return Ok(doc) };
                match stack.last_mut() {
                    Some(parent) => parent.parameters.push(Parameter::Characteristic(done)),
                    None => doc.characteristics.push(done),
                }
                continue;
            };
            match (&start.name, stack.last_mut()) {
                (Name::Tag(Tag::PROV_CHARACTERISTIC), _) => {
                    stack.push(characteristic(start, decoder)?);
                }
                (Name::Tag(Tag::PROV_PARM), Some(parent)) => {
                    let parm = parm(start, decoder)?;
                    parent.parameters.push(Parameter::Parm(parm));
                }
                (name, _) => {
                    let found = name.to_string();
                    return Err(decoder.error(ErrorKind::Misplaced { found }));
                }
            }
        }
    }

    /// Appends the document to the buffer; on an error the buffer is as before.
    ///
    /// # Errors
    /// If the encoding cannot carry what is in it.
    pub fn encode(&self, buffer: &mut Vec<u8>, options: &WriteOptions) -> Result<(), EncodeError> {
        sink::encode(self, buffer, options)
    }

    pub(crate) fn write<S: Sink>(&self, sink: &mut S) {
        let attributes = all(&[("version", self.version.as_ref())], &self.attributes);
        sink.start(Tag::PROV_WAP_PROVISIONINGDOC, &attributes);
        for top in &self.characteristics {
            top.start(sink);
            let mut stack = vec![top.parameters.iter()];
            while let Some(parameters) = stack.last_mut() {
                match parameters.next() {
                    Some(Parameter::Parm(parm)) => parm.write(sink),
                    Some(Parameter::Characteristic(inner)) => {
                        inner.start(sink);
                        stack.push(inner.parameters.iter());
                    }
                    None => {
                        stack.pop();
                        sink.end();
                    }
                }
            }
        }
        sink.end();
    }
}

impl Characteristic {
    fn start<S: Sink>(&self, sink: &mut S) {
        let attributes = all(&[("type", Some(&self.kind))], &self.attributes);
        sink.start(Tag::PROV_CHARACTERISTIC, &attributes);
    }
}

impl Parm {
    fn write<S: Sink>(&self, sink: &mut S) {
        let named = [("name", Some(&self.name)), ("value", self.value.as_ref())];
        sink.start(Tag::PROV_PARM, &all(&named, &self.attributes));
        sink.end();
    }
}

fn characteristic(start: Start, decoder: &Decoder<'_, '_>) -> Result<Characteristic, Error> {
    let mut attributes = start.attributes;
    let kind = required(take(&mut attributes, "type"), "type", decoder)?;
    Ok(Characteristic { kind, parameters: Vec::new(), attributes })
}

fn parm(start: Start, decoder: &mut Decoder<'_, '_>) -> Result<Parm, Error> {
    let mut attributes = start.attributes;
    let name = required(take(&mut attributes, "name"), "name", decoder)?;
    let value = take(&mut attributes, "value");
    decoder.empty(&[])?;
    Ok(Parm { name, value, attributes })
}

fn required(
    value: Option<Text>,
    expected: &'static str,
    decoder: &Decoder<'_, '_>,
) -> Result<Text, Error> {
    match value {
        Some(value) => Ok(value),
        None if decoder.tolerance().missing => Ok(Text::default()),
        None => Err(decoder.error(ErrorKind::Missing { expected })),
    }
}
