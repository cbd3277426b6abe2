#![doc = include_str!("../README.md")]

mod answer;
mod arriving;
mod binding;
#[cfg(feature = "client")]
mod client;
mod ids;
mod names;
mod profile;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "service")]
pub mod service;

pub use answer::{Blocks, BlocksFailed, NextBlocks, Streamed, TaxiiRequest, TaxiiResponse};
pub use arriving::ArrivingBlocks;
pub use binding::{Answer, Call, Expect, Origin, Reply, TaxiiHttp, of_alert, of_status};
#[cfg(all(feature = "client", feature = "service"))]
pub use client::PushSender;
#[cfg(feature = "client")]
pub use client::{
    Client, ClientBuilder, ClientError, Cursors, ParseCursorsError, PollOptions, Polling,
    PushReceiver, ReceivePush, Received, Receiving, WatchCalls, choose,
};
pub use ids::Ids;
pub use names::{
    Carrier, Names, Service, X_TAXII_ACCEPT, X_TAXII_CONTENT_TYPE, X_TAXII_PROTOCOL,
    X_TAXII_SERVICES,
};
pub use profile::{Dialects, HttpProfile, XML, profile};
#[cfg(feature = "server")]
pub use server::mount;
