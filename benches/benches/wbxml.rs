//! The WBXML codec on messages of 1 KB, 20 KB, 1 MB and 10,000 items, with a string table and without.
//!
//! Ids are `GROUP/DOCUMENT/IMPLEMENTATION`; the README says what each of them means. libwbxml stands beside them in
//! `libwbxml/`; here the peers are those that need nothing installed: a copy, and quick-xml's bare event loop over the
//! same XML.

use std::hint::black_box;
use std::time::Duration;

use bindery_benches::wbxml::{self, Pair};
use bindery_benches::xml;
use bindery_wbxml::{FromXml, Strings, from_xml};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    let pairs = wbxml::pairs();
    for (name, measure) in [
        ("wbxml-read", reading as fn(&mut Group<'_>, &Pair)),
        ("wbxml-to-xml", decoding),
        ("wbxml-from-xml", encoding),
    ] {
        let mut group = criterion.benchmark_group(name);
        for pair in &pairs {
            measure(&mut group, pair);
        }
        group.finish();
    }
    criterion.final_summary();
}

/// The pull reader; the octets are those of the WBXML.
fn reading(group: &mut Group<'_>, pair: &Pair) {
    let options = wbxml::options();
    for (name, document) in [("bindery", &pair.wbxml), ("bindery-shared", &pair.shared)] {
        group.throughput(Throughput::Bytes(document.len() as u64));
        assert!(wbxml::pull(document, &options).is_some(), "{} is not read", pair.name);
        group.bench_function(BenchmarkId::new(pair.name, name), |bencher| {
            bencher.iter(|| wbxml::pull(black_box(document), &options));
        });
    }
    copying(group, pair, &pair.wbxml);
}

/// WBXML to XML; the octets are those of the WBXML.
fn decoding(group: &mut Group<'_>, pair: &Pair) {
    let options = wbxml::options();
    let mut out = Vec::new();
    for (name, document) in [("bindery", &pair.wbxml), ("bindery-shared", &pair.shared)] {
        group.throughput(Throughput::Bytes(document.len() as u64));
        group.bench_function(BenchmarkId::new(pair.name, name), |bencher| {
            bencher.iter(|| wbxml::decoded(black_box(document), &options, &mut out));
        });
    }
    copying(group, pair, pair.xml.as_bytes());
}

/// XML to WBXML; the octets are those of the XML.
fn encoding(group: &mut Group<'_>, pair: &Pair) {
    let octets = pair.xml.as_bytes();
    group.throughput(Throughput::Bytes(octets.len() as u64));
    let mut out = Vec::new();
    for (name, strings) in [("bindery", Strings::Inline), ("bindery-shared", Strings::Shared)] {
        let options = FromXml::default().with_strings(strings);
        group.bench_function(BenchmarkId::new(pair.name, name), |bencher| {
            bencher.iter(|| {
                out.clear();
                from_xml(black_box(octets), &options, &mut out)
            });
        });
    }
    group.bench_function(BenchmarkId::new(pair.name, "quick-xml"), |bencher| {
        bencher.iter(|| xml::quick_xml(black_box(octets)));
    });
}

fn copying(group: &mut Group<'_>, pair: &Pair, octets: &[u8]) {
    let mut out = Vec::new();
    group.bench_function(BenchmarkId::new(pair.name, "memcpy"), |bencher| {
        bencher.iter(|| {
            out.clear();
            out.extend_from_slice(black_box(octets));
        });
    });
}
