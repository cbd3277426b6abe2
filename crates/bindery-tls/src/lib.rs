#![doc = include_str!("../README.md")]

mod account;
mod backend;
mod certificate;
mod check;
mod client_rules;
mod error;
mod expiry;
mod identity;
mod pem;
#[cfg(feature = "pki")]
pub mod pki;
mod policy;
mod proof;
mod provider;
mod psk;
pub mod registry;
mod reload;
mod revocation;
mod roots;
mod rustls_backend;

pub use account::{CertificateIdentity, Naming};
pub use backend::{
    Acceptor, Backend, BoxIo, Capabilities, ClientConfig, Connector, Io, Secured, ServerConfig,
    Shown, TlsFuture, Unchecked,
};
pub use certificate::{Certificate, KeyKind, Role};
pub use client_rules::{ClientRules, Usage};
pub use error::{Setting, ShownCertificate, TlsError, TlsErrorKind};
pub use expiry::Expiry;
pub use identity::Identity;
pub use policy::{
    Characteristics, ClientAuth, Demand, Dropped, Explanation, Group, Lack, Need, Plan, PlanItem,
    Policy, Restriction, Resumption, Row, SignatureScheme, Trust, WhyDropped,
};
pub use proof::Proof;
pub use provider::Provider;
pub use psk::{Psk, PskIdentities};
pub use reload::{Reloadable, Reloads};
pub use revocation::{Crl, Crls, Found};
pub use roots::Roots;
pub use rustls_backend::RustlsBackend;
