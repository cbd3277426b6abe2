//! The fuzz targets as plain functions: each takes any octets and panics only when an invariant is broken.
//!
//! `cargo xtask fuzz TARGET --seconds N` runs one under libFuzzer, from `corpus/TARGET`, and writes
//! `records/TARGET.json`. The member `tests` replays every corpus through [`TARGETS`] as an ordinary test, so that what
//! was found once stays found without nightly.
//!
//! To add a target: a function in a module here, a row in [`TARGETS`], a program in `bin/` with its `[[bin]]` in
//! `Cargo.toml`, and at least one seed in `corpus/TARGET`.
#![forbid(unsafe_code)]

mod attempts;
pub mod convert;
pub mod fields;
pub mod kmip;
pub mod omadm;
mod peers;
pub mod request;
mod site;
pub mod syncml;
pub mod taxii;
pub mod taxii_service;
pub mod ttlv;
pub mod ttlv_forms;
pub mod tunnel;
pub mod upgrade;
pub mod wbxml;
mod wire;
pub mod xml;

/// A target: the name of its program and corpus, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 26] = [
    ("http_grammar", fields::grammar),
    ("http_login", fields::login),
    ("http_request", request::fields),
    ("http_upgrade", upgrade::upgrade),
    ("http_tunnel", tunnel::tunnel),
    ("omadm_session", omadm::session),
    ("omadm_client", omadm::client),
    ("taxii_read", taxii::read),
    ("taxii_read_write_read", taxii::read_write_read),
    ("taxii_head", taxii_service::head),
    ("taxii_query", taxii_service::query),
    ("kmip_typed", kmip::typed),
    ("ttlv_strict", ttlv::strict),
    ("ttlv_lenient", ttlv::lenient),
    ("ttlv_decode_encode_decode", ttlv::decode_encode_decode),
    ("ttlv_xml", ttlv_forms::xml),
    ("ttlv_json", ttlv_forms::json),
    ("syncml_decode", syncml::decode),
    ("syncml_decode_encode_decode", syncml::decode_encode_decode),
    ("syncml_across", syncml::across),
    ("wbxml_read", wbxml::read),
    ("wbxml_read_write_read", wbxml::read_write_read),
    ("wbxml_write_read", wbxml::write_read),
    ("xml_read", xml::read),
    ("xml_wbxml_xml", convert::xml_wbxml_xml),
    ("xml_read_write_read", xml::read_write_read),
];
