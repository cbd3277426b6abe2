//! Handshakes over in-memory streams, and everything that has to be in place before one.

mod handshake;
mod loading;
mod names;
mod refusals;
mod resumption;
mod scan;
mod support;
