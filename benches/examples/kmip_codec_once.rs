//! Does one thing to one message a given number of times, for a profiler or an instruction counter: the README shows how.
//!
//! `kmip_codec_once decode|encode|fresh|walk|none MESSAGE COUNT`; `none` only prepares, so that its count can be
//! subtracted.

use std::hint::black_box;
use std::process::ExitCode;

use bindery_benches::kmip;
use bindery_ttlv::{
    Decode, EncodeError, Error, Options, Structure, Tagged, Walk, decode, encode, to_bytes,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, message, count] = arguments.as_slice() else { return usage() };
    let Ok(count) = count.parse() else { return usage() };
    let done = match message.as_str() {
        "query_req" => run(task, &kmip::query_request(), count),
        "create_req" => run(task, &kmip::create_request(), count),
        "create_rsp" => run(task, &kmip::create_response(), count),
        "get_rsp" => run(task, &kmip::get_response(), count),
        "locate_rsp" => run(task, &kmip::locate_response(), count),
        "register_opaque_req" => run(task, &kmip::register_opaque_request(), count),
        "register_key_req" => run(task, &kmip::register_key_request(), count),
        "get_large_rsp" => run(task, &kmip::get_large_response(), count),
        _ => None,
    };
    if done == Some(true) { ExitCode::SUCCESS } else { usage() }
}

#[expect(clippy::print_stderr, reason = "this is a program")]
fn usage() -> ExitCode {
    eprintln!("usage: kmip_codec_once decode|encode|fresh|walk|none MESSAGE COUNT");
    ExitCode::FAILURE
}

/// Whether every repetition went well; nothing for an unknown task.
fn run<T>(task: &str, message: &T, count: u32) -> Option<bool>
where
    T: Structure + Tagged + Decode,
{
    let octets = to_bytes(message).ok()?;
    let mut buffer = Vec::with_capacity(octets.len());
    let mut once = || -> Option<bool> {
        Some(match task {
            "decode" => decode::<T>(black_box(&octets), &Options::STRICT).map(drop).is_ok(),
            "encode" => {
                buffer.clear();
                let written: Result<usize, EncodeError> = encode(black_box(message), &mut buffer);
                written.is_ok()
            }
            "fresh" => encode(black_box(message), black_box(&mut Vec::new())).is_ok(),
            "walk" => {
                let items: Result<usize, Error> = Walk::new(black_box(&octets), &Options::STRICT)
                    .try_fold(0, |items, visit| visit.map(|_| items + 1));
                items.is_ok()
            }
            "none" => true,
            _ => return None,
        })
    };
    let mut well = true;
    for _ in 0..count {
        well &= once()?;
    }
    Some(well)
}
