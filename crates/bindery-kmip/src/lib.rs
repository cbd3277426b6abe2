//! bindery-kmip
