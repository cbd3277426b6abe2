use bindery_ttlv::Ttlv;

#[derive(Ttlv)]
struct Message<T> {
    #[ttlv(tag = COMMENT)]
    text: T,
}

fn main() {}
