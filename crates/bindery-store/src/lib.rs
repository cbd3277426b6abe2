//! bindery-store
