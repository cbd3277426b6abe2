//! The path of the codec is the one that is given.

#[derive(bindery_ttlv::Ttlv)]
#[ttlv(tag = NAME, crate = nowhere::ttlv)]
struct Name {
    #[ttlv(tag = NAME_VALUE)]
    name_value: bindery_ttlv::Text,
}

fn main() {}
