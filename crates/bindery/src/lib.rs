#![doc = include_str!("../README.md")]

#[cfg(feature = "auth")]
#[doc(inline)]
pub use bindery_auth as auth;
#[cfg(feature = "core")]
#[doc(inline)]
pub use bindery_core as core;
#[cfg(feature = "kmip")]
#[doc(inline)]
pub use bindery_kmip as kmip;
#[cfg(feature = "omadm")]
#[doc(inline)]
pub use bindery_omadm as omadm;
#[cfg(feature = "syncml")]
#[doc(inline)]
pub use bindery_syncml as syncml;
#[cfg(feature = "taxii")]
#[doc(inline)]
pub use bindery_taxii as taxii;
#[cfg(feature = "taxii-xml")]
#[doc(inline)]
pub use bindery_taxii_xml as taxii_xml;
#[cfg(feature = "tls")]
#[doc(inline)]
pub use bindery_tls as tls;
#[cfg(feature = "transport")]
#[doc(inline)]
pub use bindery_transport as transport;
#[cfg(feature = "ttlv")]
#[doc(inline)]
pub use bindery_ttlv as ttlv;
#[cfg(feature = "wbxml")]
#[doc(inline)]
pub use bindery_wbxml as wbxml;
#[cfg(feature = "xml")]
#[doc(inline)]
pub use bindery_xml as xml;
