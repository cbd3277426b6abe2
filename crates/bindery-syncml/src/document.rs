//! Any of the documents.

use bytes::Bytes;

use crate::decode::{self, Decoder};
use crate::{
    DevInf, EncodeError, Error, ErrorKind, Event, Input, MgmtTree, Name, Options, ProvisioningDoc,
    SyncMl, Tag, WriteOptions,
};

/// A document of one of the types that this crate reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Document {
    /// A message.
    SyncMl(Box<SyncMl>),
    /// Device information.
    DevInf(Box<DevInf>),
    /// A management tree of the device description framework.
    MgmtTree(Box<MgmtTree>),
    /// A provisioning document.
    Provisioning(Box<ProvisioningDoc>),
}

impl Document {
    /// Reads a document of whatever type it is, XML or WBXML by its first byte.
    ///
    /// # Errors
    /// The first fault, by [`ErrorKind`], with its place.
    pub fn decode(document: &Bytes, options: &Options) -> Result<Self, Error> {
        let input = Input::new(document, options);
        let decoder = &mut Decoder { events: &mut input.events()? };
        let Some(Event::Start(start)) = decoder.events.next_event()? else {
            return Err(unknown(decoder, "nothing".to_owned()));
        };
        let attributes = start.attributes;
        let document = match start.name {
            Name::Tag(Tag::SYNC_ML) => Self::SyncMl(Box::new(SyncMl::read(attributes, decoder)?)),
            Name::Tag(Tag::DEVINF_DEV_INF) => {
                Self::DevInf(Box::new(decoder.structure(attributes)?))
            }
            Name::Tag(Tag::DDF_MGMT_TREE) => {
                Self::MgmtTree(Box::new(MgmtTree::read(attributes, decoder)?))
            }
            Name::Tag(Tag::PROV_WAP_PROVISIONINGDOC) => {
                Self::Provisioning(Box::new(ProvisioningDoc::read(attributes, decoder)?))
            }
            name => return Err(unknown(decoder, name.to_string())),
        };
        decode::end(decoder)?;
        Ok(document)
    }

    /// Appends the document to the buffer; on an error the buffer is as before.
    ///
    /// # Errors
    /// If the encoding cannot carry what is in it.
    pub fn encode(&self, buffer: &mut Vec<u8>, options: &WriteOptions) -> Result<(), EncodeError> {
        self.write(buffer, options)
    }
}

fn unknown(decoder: &Decoder<'_, '_>, found: String) -> Error {
    let expected = "SyncML, DevInf, MgmtTree or wap-provisioningdoc";
    decoder.error(ErrorKind::Root { expected, found })
}
