use bindery_ttlv::{RawItem, Ttlv};

#[derive(Ttlv)]
struct Unknown {
    #[ttlv(unknown)]
    unknown: Option<RawItem>,
}

#[derive(Ttlv)]
struct Select {
    #[ttlv(tag = REQUEST_PAYLOAD, select = operation)]
    payload: i32,
}

#[derive(Ttlv)]
struct Word {
    #[ttlv(tags = COMMENT)]
    text: i32,
}

#[derive(Ttlv)]
struct Nested {
    #[ttlv(tag = COMMENT)]
    texts: Option<Vec<i32>>,
}

#[derive(Ttlv)]
struct Untagged {
    #[ttlv(choice, tag = COMMENT)]
    object: i32,
}

fn main() {}
