//! bindery-core
