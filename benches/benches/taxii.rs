//! TAXII messages parsed and written, beside quick-xml's bare event loops.
//!
//! Ids are `taxii-parse/MESSAGE/IMPLEMENTATION` and `taxii-write/..`; the README says what each of them means.

use std::hint::black_box;
use std::time::Duration;

use bindery_benches::{
    taxii::{self, Shape},
    xml,
};
use criterion::{BenchmarkId, Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .configure_from_args();
    parsing(&mut criterion);
    writing(&mut criterion);
    criterion.final_summary();
}

fn parsing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("taxii-parse");
    for shape in Shape::ALL {
        let text = shape.message();
        let octets = text.as_bytes();
        assert!(taxii::parse(octets).is_some(), "{} is not read", shape.name());
        group.throughput(Throughput::Bytes(octets.len() as u64));
        group.bench_function(BenchmarkId::new(shape.name(), "bindery"), |bencher| {
            bencher.iter(|| taxii::parse(black_box(octets)));
        });
        group.bench_function(BenchmarkId::new(shape.name(), "bindery-push"), |bencher| {
            bencher.iter(|| taxii::push(black_box(octets)));
        });
        group.bench_function(BenchmarkId::new(shape.name(), "quick-xml"), |bencher| {
            bencher.iter(|| xml::quick_xml(black_box(octets)));
        });
    }
    group.finish();
}

fn writing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("taxii-write");
    for shape in Shape::ALL {
        let text = shape.message();
        let (octets, mut out) = (text.as_bytes(), Vec::new());
        let Some(message) = taxii::owned(octets) else { continue };
        assert!(taxii::serialize(&message, &mut out).is_some(), "{} is not written", shape.name());
        group.throughput(Throughput::Bytes(octets.len() as u64));
        group.bench_function(BenchmarkId::new(shape.name(), "bindery"), |bencher| {
            bencher.iter(|| taxii::serialize(black_box(&message), &mut out));
        });
        group.bench_function(BenchmarkId::new(shape.name(), "quick-xml"), |bencher| {
            bencher.iter(|| taxii::quick_xml_write(black_box(octets), &mut out));
        });
    }
    group.finish();
}
