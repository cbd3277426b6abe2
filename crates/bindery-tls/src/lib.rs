#![doc = include_str!("../README.md")]

mod account;
mod backend;
mod certificate;
mod error;
mod identity;
mod pem;
#[cfg(feature = "pki")]
pub mod pki;
mod policy;
mod provider;
pub mod registry;
mod roots;
mod rustls_backend;

pub use account::CertificateIdentity;
pub use backend::{
    Acceptor, Backend, BoxIo, Capabilities, ClientConfig, Connector, Io, Secured, ServerConfig,
    TlsFuture,
};
pub use certificate::{Certificate, Role};
pub use error::{TlsError, TlsErrorKind};
pub use identity::Identity;
pub use policy::{
    ClientAuth, Dropped, Group, Need, Plan, PlanItem, Policy, Restriction, Row, WhyDropped,
};
pub use provider::Provider;
pub use roots::Roots;
pub use rustls_backend::RustlsBackend;
