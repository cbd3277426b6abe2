//! Tests that belong to no crate alone: end to end over real sockets, and the replay of the fuzz corpora.

mod corpus;
