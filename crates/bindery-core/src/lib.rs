#![doc = include_str!("../README.md")]

mod account;
mod binding;
mod body;
mod context;
mod endpoint;
mod exchange;
mod handler;
mod media;
mod peer;
mod profile;
mod refusal;
mod stream;
mod time;
mod unexpected;

pub use account::{
    Account, AccountError, AccountFuture, CredentialStore, DigestAlgorithm, DigestSecret,
    RateLimit, ReplayGuard,
};
pub use binding::{ClientBinding, Decoded, EncodeError, Rejected, ServerBinding};
pub use body::{Body, BodyError};
pub use context::{Channel, Context};
pub use endpoint::{Bound, Endpoint, EndpointFuture, Notes, Refused};
pub use exchange::{Call, Delivery, Exchange};
pub use handler::Handler;
pub use media::{MediaType, ParseMediaTypeError};
pub use peer::{
    CipherSuite, IdentityError, IdentityMap, Peer, Principal, TlsInfo, TlsVersion, neighbourhood,
};
pub use profile::{
    AuthScheme, BodyMode, CertificateRule, ContentCoding, HeaderPresence, HeaderRule, Note, Port,
    Profile, RefusalForm, Scheme, SecurityNeeds, Severity,
};
pub use refusal::{Fault, Place, Refusal};
pub use stream::{StreamEndpoint, StreamFuture};
pub use time::Timestamp;
pub use unexpected::Unexpected;
