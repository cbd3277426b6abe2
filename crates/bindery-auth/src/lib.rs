#![doc = include_str!("../README.md")]

mod authenticator;
mod basic;
mod blocking;
mod client;
mod digest;
mod error;
mod grammar;
mod guard;
mod limits;
mod memory;
mod nonce;
mod password;

pub use authenticator::{Authenticator, Proof};
pub use blocking::{Blocking, Inline, Job};
pub use client::{Asking, Login, Session};
pub use digest::{Algorithm, Qop, secret};
pub use error::{AuthError, GrammarError};
pub use grammar::{Challenge, Credentials, Parameters, challenges, credentials, parameters};
pub use guard::Guarded;
pub use limits::Attempts;
pub use memory::{Accounts, SeenNonces};
pub use password::{PasswordError, hash, is_hash, is_hash_of};
