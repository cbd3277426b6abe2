//! bindery-wbxml beside libwbxml's C API: the parser alone, WBXML to XML, XML to WBXML without and with a string table.
//!
//! Ids are `GROUP/DOCUMENT/IMPLEMENTATION`, as in `benches/wbxml.rs`. Every conversion is checked before it is timed.

use std::hint::black_box;
use std::time::Duration;

use bindery_benches_libwbxml::documents::{self, Pair};
use bindery_benches_libwbxml::peer::{self, Converter};
use bindery_wbxml::{FromXml, Strings, from_xml};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};

type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// Its builder of the string table takes time with the cube of the document: from here on it is left out.
const TABLE_LIMIT: usize = 100_000;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .configure_from_args();
    let pairs = documents::pairs();
    for (name, measure) in [
        ("libwbxml-read", reading as fn(&mut Group<'_>, &Pair)),
        ("libwbxml-to-xml", decoding),
        ("libwbxml-from-xml", encoding),
        ("libwbxml-from-xml-shared", encoding_shared),
    ] {
        let mut group = criterion.benchmark_group(name);
        for pair in &pairs {
            measure(&mut group, pair);
        }
        group.finish();
    }
    criterion.final_summary();
}

fn reading(group: &mut Group<'_>, pair: &Pair) {
    let options = documents::options();
    group.throughput(Throughput::Bytes(pair.wbxml.len() as u64));
    assert_eq!(
        peer::parse(&pair.wbxml),
        documents::pull(&pair.wbxml, &options),
        "both see the same events"
    );
    group.bench_function(BenchmarkId::new(pair.name, "bindery"), |bencher| {
        bencher.iter(|| documents::pull(black_box(&pair.wbxml), &options));
    });
    group.bench_function(BenchmarkId::new(pair.name, "libwbxml"), |bencher| {
        bencher.iter(|| peer::parse(black_box(&pair.wbxml)));
    });
}

fn decoding(group: &mut Group<'_>, pair: &Pair) {
    let (mut out, options) = (Vec::new(), documents::options());
    group.throughput(Throughput::Bytes(pair.wbxml.len() as u64));
    group.bench_function(BenchmarkId::new(pair.name, "bindery"), |bencher| {
        bencher.iter(|| documents::decoded(black_box(&pair.wbxml), &options, &mut out));
    });
    let mut peer = Converter::to_xml().expect("libwbxml makes a converter");
    assert!(peer.run(&pair.wbxml, <[u8]>::len).is_some_and(|length| length > pair.wbxml.len()));
    group.bench_function(BenchmarkId::new(pair.name, "libwbxml"), |bencher| {
        bencher.iter(|| peer.run(black_box(&pair.wbxml), <[u8]>::len));
    });
}

fn encoding(group: &mut Group<'_>, pair: &Pair) {
    ours(group, pair, Strings::Inline);
    let mut peer = Converter::from_xml(false).expect("libwbxml makes a converter");
    let same = peer.run(pair.xml.as_bytes(), |document| document == pair.wbxml);
    assert_eq!(same, Some(true), "both write the same octets");
    theirs(group, pair, &mut peer);
}

fn encoding_shared(group: &mut Group<'_>, pair: &Pair) {
    ours(group, pair, Strings::Shared);
    if pair.xml.len() < TABLE_LIMIT {
        let mut peer = Converter::from_xml(true).expect("libwbxml makes a converter");
        theirs(group, pair, &mut peer);
    }
}

fn ours(group: &mut Group<'_>, pair: &Pair, strings: Strings) {
    group.throughput(Throughput::Bytes(pair.xml.len() as u64));
    let options = FromXml::default().with_strings(strings);
    let mut out = Vec::new();
    group.bench_function(BenchmarkId::new(pair.name, "bindery"), |bencher| {
        bencher.iter(|| {
            out.clear();
            from_xml(black_box(pair.xml.as_bytes()), &options, &mut out)
        });
    });
}

fn theirs(group: &mut Group<'_>, pair: &Pair, peer: &mut Converter) {
    group.bench_function(BenchmarkId::new(pair.name, "libwbxml"), |bencher| {
        bencher.iter(|| peer.run(black_box(pair.xml.as_bytes()), <[u8]>::len));
    });
}
