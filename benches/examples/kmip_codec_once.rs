//! Does one thing to one message a given number of times, for a profiler or an instruction counter: the README shows how.
//!
//! `kmip_codec_once TASK MESSAGE COUNT`, where TASK is decode, encode, fresh, walk, check, to-xml, from-xml, to-json, from-json,
//! peer-decode, peer-encode (kmip-protocol's) or none, which only prepares, so that its count can be subtracted.

use std::hint::black_box;
use std::process::ExitCode;

use bindery_benches::kmip::{self, peer};
use bindery_ttlv::{
    Decode, EncodeError, Error, FormError, Options, ProtocolVersion, Structure, Tagged, Walk,
    check_version, decode, encode, from_json, from_xml, to_bytes, to_json, to_xml,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, message, count] = arguments.as_slice() else { return usage() };
    let Ok(count) = count.parse() else { return usage() };
    if task == "peer-encode" {
        return if peer_encodes(message, count) == Some(true) {
            ExitCode::SUCCESS
        } else {
            usage()
        };
    }
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
    eprintln!(
        "usage: kmip_codec_once decode|encode|fresh|walk|check|to-xml|from-xml|to-json|from-json|peer-decode|peer-encode|none \
         MESSAGE COUNT"
    );
    ExitCode::FAILURE
}

/// The peer's encoder, of the requests that it has; it prepares and does nothing else where COUNT is 0.
fn peer_encodes(message: &str, count: u32) -> Option<bool> {
    let message = match message {
        "query_req" => peer::query_request(),
        "create_req" => peer::create_request(),
        "register_key_req" => peer::register_key_request(),
        _ => return None,
    };
    Some((0..count).all(|_| peer::encode(black_box(&message)).is_ok()))
}

/// Whether every repetition went well; nothing for an unknown task.
fn run<T>(task: &str, message: &T, count: u32) -> Option<bool>
where
    T: Structure + Tagged + Decode,
{
    let octets = to_bytes(message).ok()?;
    let mut buffer = Vec::with_capacity(octets.len());
    let (mut xml, mut json) = (Vec::new(), Vec::new());
    to_xml(&octets, &Options::STRICT, &mut xml).ok()?;
    to_json(&octets, &Options::STRICT, &mut json).ok()?;
    let mut once = || -> Option<bool> {
        Some(match task {
            "decode" => decode::<T>(black_box(&octets), &Options::STRICT).map(drop).is_ok(),
            "encode" => {
                buffer.clear();
                let written: Result<usize, EncodeError> = encode(black_box(message), &mut buffer);
                written.is_ok()
            }
            "peer-decode" => peer::decode(black_box(&octets)).is_ok(),
            "fresh" => encode(black_box(message), black_box(&mut Vec::new())).is_ok(),
            "walk" => {
                let items: Result<usize, Error> = Walk::new(black_box(&octets), &Options::STRICT)
                    .try_fold(0, |items, visit| visit.map(|_| items + 1));
                items.is_ok()
            }
            "check" => {
                let version = ProtocolVersion::V1_0;
                check_version(black_box(&octets), version, &Options::STRICT).is_ok()
            }
            "to-xml" => form(to_xml, black_box(&octets), &mut buffer),
            "to-json" => form(to_json, black_box(&octets), &mut buffer),
            "from-xml" => form(|a, b, c| from_xml(a, b, c).map(drop), black_box(&xml), &mut buffer),
            "from-json" => {
                form(|a, b, c| from_json(a, b, c).map(drop), black_box(&json), &mut buffer)
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

/// From one form of a message into another.
type Convert = fn(&[u8], &Options, &mut Vec<u8>) -> Result<(), FormError>;

/// One conversion into a buffer that is used again.
fn form(convert: Convert, from: &[u8], to: &mut Vec<u8>) -> bool {
    to.clear();
    convert(from, &Options::STRICT, to).is_ok()
}
