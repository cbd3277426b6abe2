#![doc = include_str!("../README.md")]

mod arrival;
mod client;
mod clock;
mod coding;
mod content_digest;
mod counters;
mod cut;
mod dialer;
mod error;
mod hashing;
mod host;
mod limits;
mod rewound;
mod server;
mod stream;
mod upgrade_field;

pub use client::{
    Client, ClientBuilder, Connection, NoProxy, Proxies, Proxy, Repeatable, Target, UpgradeMode,
};
pub use clock::{Clock, SystemClock};
pub use counters::{Counters, Snapshot};
pub use cut::Cut;
pub use dialer::{DialFuture, Dialer, Reach, SystemDialer};
pub use error::{ErrorKind, Layer, TransportError};
pub use hashing::OnRuntime;
pub use limits::{ClientLimits, Limits};
pub use server::{
    Listener, MountError, Mounted, MountedBody, Network, ParseNetworkError, Router, Server,
    ServerBuilder, Stopped, Streams, TunnelLimits, Tunnels, Upgrade,
};
