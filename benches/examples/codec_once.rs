//! Does one thing to one document a given number of times, for a profiler or an instruction counter: the README shows
//! how.
//!
//! `codec_once xml:IMPLEMENTATION SHAPE OCTETS COUNT` with `bindery`, `push`, `quick-xml`, `quick-xml-checked`;
//! `codec_once wbxml:TASK DOCUMENT - COUNT` with `read`, `to-xml`, `from-xml`, `from-xml-shared`, `read-shared`.
//! `codec_once omadm:TASK MESSAGE FORM COUNT` with `engine` and `codec`, FORM being `wbxml` or `xml`.
//! The task `none` only prepares, so that its count can be subtracted.

use std::hint::black_box;
use std::process::ExitCode;

use bindery_benches::xml::{self, Shape};
use bindery_benches::{omadm, wbxml};
use bindery_syncml::Form;
use bindery_wbxml::{FromXml, Strings, from_xml};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, what, size, count] = arguments.as_slice() else { return usage() };
    let Ok(count) = count.parse() else { return usage() };
    let done = match task.split_once(':') {
        Some(("xml", task)) => run_xml(task, what, size, count),
        Some(("wbxml", task)) => run_wbxml(task, what, count),
        Some(("omadm", task)) => run_omadm(task, what, size, count),
        _ => None,
    };
    match done {
        Some(octets) => {
            report(octets);
            ExitCode::SUCCESS
        }
        None => usage(),
    }
}

#[expect(clippy::print_stderr, reason = "this is a program")]
fn usage() -> ExitCode {
    eprintln!(
        "usage: codec_once xml:IMPLEMENTATION SHAPE OCTETS COUNT | wbxml:TASK DOCUMENT - COUNT | \
         omadm:TASK MESSAGE FORM COUNT"
    );
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "this is a program")]
fn report(octets: usize) {
    println!("{octets} octets");
}

/// The length of the document; nothing for an unknown task or a document that is refused.
fn run_xml(task: &str, shape: &str, size: &str, count: u32) -> Option<usize> {
    let shape = Shape::ALL.into_iter().find(|known| known.name() == shape)?;
    let document = shape.document(size.parse().ok()?);
    let (octets, options) = (document.as_bytes(), xml::options());
    for _ in 0..count {
        match task {
            "bindery" => _ = black_box(xml::pull(black_box(octets), &options)?),
            "push" => _ = black_box(xml::push(black_box(octets), &options)?),
            "quick-xml" => _ = black_box(xml::quick_xml(black_box(octets))?),
            "quick-xml-checked" => _ = black_box(xml::quick_xml_checked(black_box(octets))?),
            "none" => {}
            _ => return None,
        }
    }
    Some(octets.len())
}

fn run_wbxml(task: &str, name: &str, count: u32) -> Option<usize> {
    let pair = wbxml::pair(name)?;
    let (mut out, options) = (Vec::new(), wbxml::options());
    let inline = FromXml::default();
    let shared = FromXml::default().with_strings(Strings::Shared);
    for _ in 0..count {
        match task {
            "read" => _ = black_box(wbxml::pull(black_box(&pair.wbxml), &options)?),
            "read-shared" => _ = black_box(wbxml::pull(black_box(&pair.shared), &options)?),
            "to-xml" => wbxml::decoded(black_box(&pair.wbxml), &options, &mut out)?,
            "from-xml" | "from-xml-shared" => {
                out.clear();
                let options = if task == "from-xml" { &inline } else { &shared };
                from_xml(black_box(pair.xml.as_bytes()), options, &mut out).ok()?;
            }
            "none" => {}
            _ => return None,
        }
    }
    Some(if task.starts_with("from-xml") { pair.xml.len() } else { pair.wbxml.len() })
}

fn run_omadm(task: &str, name: &str, form: &str, count: u32) -> Option<usize> {
    let form = if form == "wbxml" { Form::Wbxml } else { Form::Xml };
    let (step, mut out) = (omadm::step(name, form)?, Vec::new());
    for _ in 0..count {
        match task {
            "engine" => _ = black_box(black_box(&step).whole()?),
            "codec" => _ = black_box(black_box(&step).codec(&mut out)?),
            "none" => {}
            _ => return None,
        }
    }
    Some(step.octets())
}
