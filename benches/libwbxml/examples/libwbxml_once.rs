//! Does one thing to one document a given number of times, by libwbxml or by ours, for an instruction counter.
//!
//! `libwbxml_once read|to-xml|from-xml|from-xml-shared|none bindery|libwbxml DOCUMENT COUNT`

use std::hint::black_box;
use std::process::ExitCode;

use bindery_benches_libwbxml::documents;
use bindery_benches_libwbxml::peer::{self, Converter};
use bindery_wbxml::{FromXml, Strings, from_xml};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, who, name, count] = arguments.as_slice() else { return usage() };
    let done = count.parse().ok().and_then(|count| run(task, who == "libwbxml", name, count));
    if done.is_some() { ExitCode::SUCCESS } else { usage() }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: libwbxml_once read|to-xml|from-xml|from-xml-shared|none bindery|libwbxml DOCUMENT COUNT"
    );
    ExitCode::FAILURE
}

fn run(task: &str, theirs: bool, name: &str, count: u32) -> Option<()> {
    let pair = documents::pair(name)?;
    let (xml, wbxml) = (pair.xml.as_bytes(), pair.wbxml.as_slice());
    let (mut out, options) = (Vec::new(), documents::options());
    let strings = if task == "from-xml-shared" { Strings::Shared } else { Strings::Inline };
    let write = FromXml::default().with_strings(strings);
    let mut decoder = Converter::to_xml()?;
    let mut encoder = Converter::from_xml(strings == Strings::Shared)?;
    for _ in 0..count {
        match (task, theirs) {
            ("read", false) => _ = black_box(documents::pull(black_box(wbxml), &options)?),
            ("read", true) => _ = black_box(peer::parse(black_box(wbxml))?),
            ("to-xml", false) => documents::decoded(black_box(wbxml), &options, &mut out)?,
            ("to-xml", true) => _ = black_box(decoder.run(black_box(wbxml), <[u8]>::len)?),
            ("from-xml" | "from-xml-shared", false) => {
                out.clear();
                from_xml(black_box(xml), &write, &mut out).ok()?;
            }
            ("from-xml" | "from-xml-shared", true) => {
                _ = black_box(encoder.run(black_box(xml), <[u8]>::len)?);
            }
            ("none", _) => {}
            _ => return None,
        }
    }
    Some(())
}
