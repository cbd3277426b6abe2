use super::*;
#[test]
fn vectors() {
    let mut n = 0;
    for f in ["https_profile_messages.tsv", "pykmip_unit_messages.tsv", "bench_messages.tsv"] {
        let text = std::fs::read_to_string(format!("/work/shared/vectors/kmip/ttlv/{f}")).unwrap();
        for l in text.lines().filter(|l| !l.starts_with('#')) {
            let hex = l.rsplit('\t').next().unwrap();
            if !(hex.starts_with("420078") || hex.starts_with("42007b")) {
                continue;
            }
            let b: Vec<u8> = (0..hex.len() / 2)
                .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
                .collect();
            let b = Bytes::from(b);
            let o = if hex.starts_with("420078") {
                RequestMessage::decode(&b, &Options::STRICT).map(|m| {
                    println!("{m:?}");
                    m.encode().unwrap()
                })
            } else {
                ResponseMessage::decode(&b, &Options::STRICT).map(|m| {
                    println!("{m:?}");
                    m.encode().unwrap()
                })
            };
            match o {
                Ok(o) => {
                    assert_eq!(o, b);
                    n += 1;
                }
                Err(e) => println!("FAIL {f} {e}"),
            }
        }
    }
    println!("{n} ok");
}
