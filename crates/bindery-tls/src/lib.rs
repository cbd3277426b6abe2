#![doc = include_str!("../README.md")]

mod backend;
mod error;
mod identity;
mod pem;
mod policy;
mod roots;

pub use backend::{
    Acceptor, Backend, BoxIo, Capabilities, ClientConfig, Connector, Io, Secured, ServerConfig,
    TlsFuture,
};
pub use error::{TlsError, TlsErrorKind};
pub use identity::Identity;
pub use policy::{ClientAuth, Group, Need, Policy, Row};
pub use roots::Roots;
