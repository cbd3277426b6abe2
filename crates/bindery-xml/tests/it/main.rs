//! Tests of bindery-xml through its public API.
