//! KMIP messages: typed decode, encode, the borrowed walk and the forms in XML and JSON, beside `kmip-protocol` and memcpy.
//!
//! Ids are `GROUP/MESSAGE/IMPLEMENTATION`; the README says what each of them means. Every benchmark's result is checked
//! once before it is timed.

use std::hint::black_box;
use std::time::Duration;

use bindery_benches::kmip::{self, peer};
use bindery_kmip::Secret;
use bindery_kmip::message::{RequestMessage, ResponseMessage};
use bindery_ttlv::{
    Decode, Encode, Error, FormError, Options, ProtocolVersion, Reader, Structure, Tagged, Value,
    Walk, check_version, decode, decode_slice, encode, from_json, from_xml, to_json, to_xml,
};
use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};

type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// From this length on copying is what a codec's time is made of, and is measured beside it.
const LARGE: usize = 1 << 16;

fn main() {
    settle_heap();
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(400))
        .measurement_time(Duration::from_millis(1600))
        .configure_from_args();
    decoding(&mut criterion);
    encoding(&mut criterion);
    walking(&mut criterion);
    forms(&mut criterion);
    criterion.final_summary();
}

/// Brings the heap into the state that it has in a process that has run for a while.
///
/// A fresh glibc heap hands a freed buffer of a megabyte back to the kernel, and the next one pays for its pages again:
/// kmip-protocol then encodes 1 MiB in 1.8 ms instead of 0.08 ms, and which of them is measured depends on what ran
/// before. Once a larger buffer was freed, glibc keeps such memory. On other allocators this does nothing.
fn settle_heap() {
    drop(black_box(vec![1_u8; 24 << 20]));
}

/// The requests with what the peer makes of them, if it can.
fn requests() -> [(&'static str, RequestMessage, Option<peer::RequestMessage>); 4] {
    [
        ("query_req", kmip::query_request(), Some(peer::query_request())),
        ("create_req", kmip::create_request(), Some(peer::create_request())),
        ("register_key_req", kmip::register_key_request(), Some(peer::register_key_request())),
        ("register_opaque_req", kmip::register_opaque_request(), None),
    ]
}

/// The responses with what the peer makes of them.
fn responses() -> [(&'static str, ResponseMessage, peer::ResponseMessage); 4] {
    [
        ("create_rsp", kmip::create_response(), peer::create_response()),
        ("get_rsp", kmip::get_response(), peer::get_response()),
        ("locate_rsp", kmip::locate_response(), peer::locate_response()),
        ("get_large_rsp", kmip::get_large_response(), peer::get_large_response()),
    ]
}

fn octets<T: Structure + Tagged>(message: &T) -> Bytes {
    let mut buffer = Vec::new();
    let encoded = encode(message, &mut buffer);
    assert!(encoded.is_ok(), "the message does not encode: {encoded:?}");
    Bytes::from(buffer)
}

/// Typed decoding: of our requests and responses, and of the peer's responses.
fn decoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (name, message, _) in requests() {
        decode_ours(&mut group, name, &message);
    }
    for (name, message, peers) in responses() {
        let octets = decode_ours(&mut group, name, &message);
        let decoded = peer::decode(&octets);
        assert!(decoded.is_ok_and(|decoded| decoded == peers), "{name}: the peer differs");
        group.bench_function(BenchmarkId::new(name, "kmip-protocol"), |bench| {
            bench.iter(|| peer::decode(black_box(&octets)));
        });
    }
    group.finish();
}

fn decode_ours<T>(group: &mut Group<'_>, name: &str, message: &T) -> Bytes
where
    T: Structure + Tagged + Decode + Encode + PartialEq,
{
    let octets = octets(message);
    group.throughput(Throughput::Bytes(octets.len() as u64));
    let decoded = decode::<T>(&octets, &Options::STRICT);
    assert!(decoded.is_ok_and(|decoded| decoded == *message), "{name}: decodes to another message");
    group.bench_function(BenchmarkId::new(name, "bindery"), |bench| {
        bench.iter(|| decode::<T>(black_box(&octets), &Options::STRICT));
    });
    let decoded = decode_slice::<T>(&octets, &Options::STRICT);
    assert!(decoded.is_ok_and(|decoded| decoded == *message), "{name}: decodes to another message");
    group.bench_function(BenchmarkId::new(name, "bindery-slice"), |bench| {
        bench.iter(|| decode_slice::<T>(black_box(&octets), &Options::STRICT));
    });
    if octets.len() >= LARGE {
        group.bench_function(BenchmarkId::new(name, "allocate-and-copy"), |bench| {
            bench.iter(|| black_box(&octets).to_vec());
        });
        group.bench_function(BenchmarkId::new(name, "copy-and-wipe"), |bench| {
            bench.iter(|| Secret::from(black_box(octets.as_ref())));
        });
    }
    octets
}

/// Encoding: of our requests and responses, and of the peer's requests.
fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for (name, message, peers) in requests() {
        let octets = encode_ours(&mut group, name, &message);
        let Some(peers) = peers else { continue };
        let encoded = peer::encode(&peers);
        assert!(encoded.is_ok_and(|encoded| encoded == octets), "{name}: the peer differs");
        group.bench_function(BenchmarkId::new(name, "kmip-protocol"), |bench| {
            bench.iter(|| peer::encode(black_box(&peers)));
        });
    }
    for (name, message, _) in responses() {
        encode_ours(&mut group, name, &message);
    }
    group.finish();
}

fn encode_ours<T>(group: &mut Group<'_>, name: &str, message: &T) -> Bytes
where
    T: Structure + Tagged + Decode + PartialEq,
{
    let octets = octets(message);
    let decoded = decode::<T>(&octets, &Options::STRICT);
    assert!(decoded.is_ok_and(|decoded| decoded == *message), "{name}: encodes another message");
    group.throughput(Throughput::Bytes(octets.len() as u64));
    group.bench_function(BenchmarkId::new(name, "bindery"), |bench| {
        let mut buffer = Vec::with_capacity(octets.len());
        bench.iter(|| {
            buffer.clear();
            encode(black_box(message), &mut buffer)
        });
        assert!(buffer == octets, "{name}: encodes differently into a used buffer");
    });
    group.bench_function(BenchmarkId::new(name, "bindery-fresh"), |bench| {
        bench.iter(|| {
            let mut buffer = Vec::new();
            encode(black_box(message), &mut buffer).map(|_| buffer)
        });
    });
    if octets.len() >= LARGE {
        group.bench_function(BenchmarkId::new(name, "memcpy"), |bench| {
            let mut buffer = Vec::with_capacity(octets.len());
            bench.iter(|| copy(&octets, &mut buffer));
        });
        group.bench_function(BenchmarkId::new(name, "allocate-and-copy"), |bench| {
            bench.iter(|| black_box(&octets).to_vec());
        });
    }
    octets
}

/// The borrowed walk over every item, beside a copy of the octets into a warm buffer.
fn walking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("walk");
    let requests = requests().map(|(name, message, _)| (name, octets(&message)));
    let responses = responses().map(|(name, message, _)| (name, octets(&message)));
    for (name, octets) in requests.into_iter().chain(responses) {
        group.throughput(Throughput::Bytes(octets.len() as u64));
        let items = walk(&octets).unwrap_or_default();
        assert!(items > 0, "{name}: the walk fails");
        group.bench_function(BenchmarkId::new(name, "bindery"), |bench| {
            bench.iter(|| walk(black_box(&octets)));
        });
        let version = ProtocolVersion::V1_0;
        let checked = check_version(&octets, version, &Options::STRICT);
        assert!(checked.is_ok(), "{name}: {checked:?}");
        group.bench_function(BenchmarkId::new(name, "bindery-check-version"), |bench| {
            bench.iter(|| check_version(black_box(&octets), version, &Options::STRICT));
        });
        let read = read(Reader::new(&octets)).unwrap_or_default();
        assert_eq!(read, items, "{name}: the reader sees other items than the walk");
        group.bench_function(BenchmarkId::new(name, "bindery-reader"), |bench| {
            bench.iter(|| self::read(Reader::new(black_box(&octets))));
        });
        group.bench_function(BenchmarkId::new(name, "memcpy"), |bench| {
            let mut buffer = Vec::with_capacity(octets.len());
            bench.iter(|| copy(&octets, &mut buffer));
        });
    }
    group.finish();
}

/// What [`to_xml`] and its like do.
type Convert = fn(&[u8], &Options, &mut Vec<u8>) -> Result<(), FormError>;

/// The XML and JSON forms, from and to octets, beside a copy of the octets. The peer has neither.
fn forms(criterion: &mut Criterion) {
    let ways: [(&str, Convert, Convert); 2] = [
        ("xml", to_xml, |from, options, to| from_xml(from, options, to).map(drop)),
        ("json", to_json, |from, options, to| from_json(from, options, to).map(drop)),
    ];
    let requests = requests().map(|(name, message, _)| (name, octets(&message)));
    let responses = responses().map(|(name, message, _)| (name, octets(&message)));
    let messages: Vec<_> = requests.into_iter().chain(responses).collect();
    for (form, write, read) in ways {
        let mut group = criterion.benchmark_group(form);
        for (name, octets) in &messages {
            group.throughput(Throughput::Bytes(octets.len() as u64));
            let (mut text, mut again) = (Vec::new(), Vec::new());
            let exact = write(octets, &Options::STRICT, &mut text).is_ok()
                && read(&text, &Options::STRICT, &mut again).is_ok()
                && again == *octets;
            assert!(exact, "{name}: {form} is not exact");
            group.bench_function(BenchmarkId::new(*name, "bindery-write"), |bench| {
                bench.iter(|| {
                    text.clear();
                    write(black_box(octets), &Options::STRICT, &mut text)
                });
            });
            group.bench_function(BenchmarkId::new(*name, "bindery-read"), |bench| {
                bench.iter(|| {
                    again.clear();
                    read(black_box(&text), &Options::STRICT, &mut again)
                });
            });
            group.bench_function(BenchmarkId::new(*name, "memcpy"), |bench| {
                let mut buffer = Vec::with_capacity(octets.len());
                bench.iter(|| copy(octets, &mut buffer));
            });
        }
        group.finish();
    }
}

/// How many items a message has, by the walk with all its limits.
fn walk(octets: &[u8]) -> Result<usize, Error> {
    Walk::new(octets, &Options::STRICT).try_fold(0, |items, visit| {
        visit.map(|visit| items + usize::from(black_box(visit).depth < u16::MAX))
    })
}

/// The same by the bare reader, one call per structure.
fn read(reader: Reader<'_>) -> Result<usize, Error> {
    let mut items = 0;
    for item in reader {
        items += 1;
        if let Value::Structure(inner) = black_box(item?).value {
            items += read(inner)?;
        }
    }
    Ok(items)
}

/// A copy into a buffer that is warm.
fn copy(octets: &[u8], buffer: &mut Vec<u8>) -> usize {
    buffer.clear();
    buffer.extend_from_slice(black_box(octets));
    black_box(buffer.as_slice()).len()
}
