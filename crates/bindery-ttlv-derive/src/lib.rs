//! bindery-ttlv-derive
