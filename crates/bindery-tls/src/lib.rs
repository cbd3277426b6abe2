//! bindery-tls
