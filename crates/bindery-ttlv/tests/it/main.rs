//! Tests of bindery-ttlv through its public API.

mod derive;
mod messages;
