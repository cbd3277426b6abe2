use bindery_ttlv::Ttlv;

#[derive(Ttlv)]
struct Message {
    #[ttlv(tag = BATCH_COUNT)]
    first: i32,
    #[ttlv(tag = BATCH_COUNT)]
    second: i32,
}

fn main() {}
