//! The built program, as a user or a script meets it.

mod configuration;
mod durability;
mod messages;
mod offline;
mod server;
mod settings;
mod support;
