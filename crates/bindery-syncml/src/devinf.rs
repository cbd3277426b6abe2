//! Device information (DevInf 1.0 to 1.2).

use bytes::Bytes;

use crate::decode::{self, Decoder};
use crate::macros::{Field, Structure, field_read, field_rule, field_type, field_write, structure};
use crate::sink::{self, Children, Sink};
use crate::{
    Attribute, Element, EncodeError, Error, Input, Options, Others, Tag, Text, Version,
    WriteOptions,
};

structure! {
    /// DevInf: what a device is and can do. A document of its own; mostly inside Data of Put or Results.
    DevInf = DEVINF_DEV_INF {
        /// The version of the document type: `1.2`. It decides how the document is written.
        one ver_dtd: text = DEVINF_VER_DTD,
        /// Manufacturer.
        opt man: text = DEVINF_MAN,
        /// Model.
        opt model: text = DEVINF_MOD,
        /// Original equipment manufacturer.
        opt oem: text = DEVINF_OEM,
        /// Firmware version.
        opt fw_v: text = DEVINF_FW_V,
        /// Software version.
        opt sw_v: text = DEVINF_SW_V,
        /// Hardware version.
        opt hw_v: text = DEVINF_HW_V,
        /// The device's identifier.
        one dev_id: text = DEVINF_DEV_ID,
        /// Its type: `phone`, `workstation`, `server`.
        one dev_typ: text = DEVINF_DEV_TYP,
        /// It uses UTC.
        opt utc: flag = DEVINF_UTC,
        /// It takes large objects.
        opt support_large_objs: flag = DEVINF_SUPPORT_LARGE_OBJS,
        /// It takes NumberOfChanges.
        opt support_number_of_changes: flag = DEVINF_SUPPORT_NUMBER_OF_CHANGES,
        /// Its data stores.
        many data_stores: [DataStore] = DEVINF_DATA_STORE,
        /// Content capabilities of the whole device (1.0, 1.1).
        many ct_caps: [CtCap] = DEVINF_CT_CAP,
        /// Extensions.
        many exts: [Ext] = DEVINF_EXT,
    }
}

structure! {
    /// DataStore.
    DataStore = DEVINF_DATA_STORE {
        /// Its address.
        one source_ref: text = DEVINF_SOURCE_REF,
        /// Its name for people.
        opt display_name: text = DEVINF_DISPLAY_NAME,
        /// Bytes of the longest identifier.
        opt max_guid_size: number = DEVINF_MAX_GUID_SIZE,
        /// What it likes best to receive.
        opt rx_pref: [RxPref] = DEVINF_RX_PREF,
        /// What else it receives.
        many rx: [Rx] = DEVINF_RX,
        /// What it likes best to send.
        opt tx_pref: [TxPref] = DEVINF_TX_PREF,
        /// What else it sends.
        many tx: [Tx] = DEVINF_TX,
        /// Content capabilities (1.2).
        many ct_caps: [CtCap] = DEVINF_CT_CAP,
        /// Its memory.
        opt ds_mem: [DsMem] = DEVINF_DS_MEM,
        /// It synchronizes hierarchies (1.2).
        opt support_hierarchical_sync: flag = DEVINF_SUPPORT_HIERARCHICAL_SYNC,
        /// Its types of synchronization.
        opt sync_cap: [SyncCap] = DEVINF_SYNC_CAP,
        /// The filters that it takes (1.2).
        many filter_rx: [FilterRx] = DEVINF_FILTER_RX,
        /// What they can do (1.2).
        many filter_caps: [FilterCap] = DEVINF_FILTER_CAP,
    }
}

macro_rules! media_types {
    ($($(#[$meta:meta])* $name:ident = $tag:ident;)*) => {$(
        structure! {
            $(#[$meta])*
            $name = $tag {
                /// The media type.
                one ct_type: text = DEVINF_CT_TYPE,
                /// Its version.
                opt ver_ct: text = DEVINF_VER_CT,
            }
        }
    )*};
}

media_types! {
    /// Rx: a media type that is received.
    Rx = DEVINF_RX;
    /// Rx-Pref: the media type that is received best.
    RxPref = DEVINF_RX_PREF;
    /// Tx: a media type that is sent.
    Tx = DEVINF_TX;
    /// Tx-Pref: the media type that is sent best.
    TxPref = DEVINF_TX_PREF;
    /// Filter-Rx: a grammar of filters that is received.
    FilterRx = DEVINF_FILTER_RX;
}

structure! {
    /// DSMem: the memory of a data store.
    DsMem = DEVINF_DS_MEM {
        /// It is shared between data stores.
        opt shared_mem: flag = DEVINF_SHARED_MEM,
        /// Bytes at most.
        opt max_mem: number = DEVINF_MAX_MEM,
        /// Items at most.
        opt max_id: number = DEVINF_MAX_ID,
    }
}

structure! {
    /// SyncCap.
    SyncCap = DEVINF_SYNC_CAP {
        /// The types, as numbers: 1 two-way, 2 slow, 3 to 6 one-way and refresh, 7 by server alert.
        many sync_types: text = DEVINF_SYNC_TYPE,
    }
}

structure! {
    /// FilterCap.
    FilterCap = DEVINF_FILTER_CAP {
        /// The grammar.
        one ct_type: text = DEVINF_CT_TYPE,
        /// Its version.
        opt ver_ct: text = DEVINF_VER_CT,
        /// Keywords that may stand in a filter.
        many filter_keywords: text = DEVINF_FILTER_KEYWORD,
        /// Properties that may stand in a filter.
        many prop_names: text = DEVINF_PROP_NAME,
    }
}

structure! {
    /// Ext: an extension.
    Ext = DEVINF_EXT {
        /// Its name.
        one x_nam: text = DEVINF_X_NAM,
        /// Its values.
        many x_vals: text = DEVINF_X_VAL,
    }
}

structure! {
    /// Property of content (1.2).
    Property = DEVINF_PROPERTY {
        /// Its name.
        one prop_name: text = DEVINF_PROP_NAME,
        /// The type of its value.
        opt data_type: text = DEVINF_DATA_TYPE,
        /// How often it may stand.
        opt max_occur: number = DEVINF_MAX_OCCUR,
        /// Bytes at most.
        opt max_size: number = DEVINF_MAX_SIZE,
        /// It is not truncated.
        opt no_truncate: flag = DEVINF_NO_TRUNCATE,
        /// Its values.
        many val_enums: text = DEVINF_VAL_ENUM,
        /// Its name for people.
        opt display_name: text = DEVINF_DISPLAY_NAME,
        /// Its parameters.
        many prop_params: [PropParam] = DEVINF_PROP_PARAM,
    }
}

structure! {
    /// PropParam: a parameter of a property (1.2).
    PropParam = DEVINF_PROP_PARAM {
        /// Its name.
        one param_name: text = DEVINF_PARAM_NAME,
        /// The type of its value.
        opt data_type: text = DEVINF_DATA_TYPE,
        /// Its values.
        many val_enums: text = DEVINF_VAL_ENUM,
        /// Its name for people.
        opt display_name: text = DEVINF_DISPLAY_NAME,
    }
}

/// CTCap: what content may have. In 1.0 and 1.1 a flat list whose order carries the meaning, in 1.2 a media type with
/// its properties; so that the order is kept as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CtCap {
    /// The entries.
    pub entries: Vec<CtCapEntry>,
    /// Elements and attributes that are not entries.
    pub others: Others,
}

/// An entry of [`CtCap`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CtCapEntry {
    /// Property (1.2).
    Property(Box<Property>),
    /// FieldLevel (1.2).
    FieldLevel,
    /// An element with text: CTType, VerCT, PropName, ValEnum, DataType, Size, DisplayName, ParamName.
    Text(Tag, Text),
}

impl Structure for CtCap {
    const TAG: Tag = Tag::DEVINF_CT_CAP;
    const FIELDS: &'static [Field] = &[
        field_rule!(many DEVINF_CT_TYPE),
        field_rule!(many DEVINF_VER_CT),
        field_rule!(many DEVINF_PROP_NAME),
        field_rule!(many DEVINF_VAL_ENUM),
        field_rule!(many DEVINF_DATA_TYPE),
        field_rule!(many DEVINF_MAX_SIZE),
        field_rule!(many DEVINF_DISPLAY_NAME),
        field_rule!(many DEVINF_PARAM_NAME),
        field_rule!(many DEVINF_FIELD_LEVEL),
        field_rule!(many DEVINF_PROPERTY),
    ];
    const ORDERED: bool = false;

    fn others(&self) -> &Others {
        &self.others
    }

    fn others_mut(&mut self) -> &mut Others {
        &mut self.others
    }

    fn read_field(
        &mut self,
        tag: Tag,
        attributes: Vec<Attribute>,
        decoder: &mut Decoder<'_, '_>,
    ) -> Result<Option<Element>, Error> {
        self.entries.push(match tag {
            Tag::DEVINF_PROPERTY => CtCapEntry::Property(Box::new(decoder.structure(attributes)?)),
            Tag::DEVINF_FIELD_LEVEL => {
                decoder.empty(&attributes)?;
                CtCapEntry::FieldLevel
            }
            tag => CtCapEntry::Text(tag, decoder.text(&attributes)?),
        });
        Ok(None)
    }

    fn write_fields<S: Sink>(&self, to: &mut Children<'_, S>) {
        for entry in &self.entries {
            match entry {
                CtCapEntry::Property(property) => to.structure(&**property),
                CtCapEntry::FieldLevel => to.text(Tag::DEVINF_FIELD_LEVEL, ""),
                CtCapEntry::Text(tag, text) => to.text(*tag, text),
            }
        }
    }
}

impl DevInf {
    /// Reads a document of its own, XML or WBXML by its first byte.
    ///
    /// # Errors
    /// The first fault, by [`ErrorKind`](crate::ErrorKind), with its place.
    pub fn decode(document: &Bytes, options: &Options) -> Result<Self, Error> {
        let input = Input::new(document, options);
        decode::root(&mut Decoder { events: &mut input.events()? })
    }

    /// Appends the document to the buffer; on an error the buffer is as before.
    ///
    /// # Errors
    /// If the encoding cannot carry what is in it.
    pub fn encode(&self, buffer: &mut Vec<u8>, options: &WriteOptions) -> Result<(), EncodeError> {
        sink::encode(self, buffer, options)
    }

    /// The version that VerDTD says; 1.2 where it says none that is known.
    pub fn version(&self) -> Version {
        Version::from_dtd(&self.ver_dtd).unwrap_or_default()
    }
}
