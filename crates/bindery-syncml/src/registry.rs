//! The generated tables.

pub(crate) mod alert;
pub(crate) mod status;
pub(crate) mod tags;
