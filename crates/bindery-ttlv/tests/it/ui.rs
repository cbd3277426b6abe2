//! What the derive refuses, with its words. `TRYBUILD=overwrite cargo test -p bindery-ttlv` writes the expected texts.

#[test]
fn misuse_of_the_derive() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
