//! bindery-transport
