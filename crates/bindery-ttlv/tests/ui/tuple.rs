use bindery_ttlv::Ttlv;

#[derive(Ttlv)]
#[ttlv(tag = COMMENT)]
struct Message(i32);

#[derive(Ttlv)]
enum Choice {
    Nothing,
}

fn main() {}
