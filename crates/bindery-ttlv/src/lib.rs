//! bindery-ttlv
