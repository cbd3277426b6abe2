//! The transport over real sockets on loopback.

mod client;
mod coding;
mod framing;
mod limits;
mod stop;
mod support;
mod vectors;
