//! XML event readers beside quick-xml's, on ordinary and on hostile documents of 20 KB and 1 MB.
//!
//! Ids are `xml-SIZE/SHAPE/IMPLEMENTATION`; the README says what each of them means.

use std::hint::black_box;
use std::time::Duration;

use bindery_benches::xml::{self, Shape};
use criterion::{BenchmarkId, Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .configure_from_args();
    for (name, size) in [("xml-20kb", 20_000), ("xml-1mb", 1 << 20)] {
        reading(&mut criterion, name, size);
    }
    criterion.final_summary();
}

fn reading(criterion: &mut Criterion, name: &str, size: usize) {
    let mut group = criterion.benchmark_group(name);
    for shape in Shape::ALL {
        let document = shape.document(size);
        let (octets, options) = (document.as_bytes(), xml::options());
        assert!(xml::pull(octets, &options).is_some(), "{} is not read", shape.name());
        group.throughput(Throughput::Bytes(octets.len() as u64));
        group.bench_function(BenchmarkId::new(shape.name(), "bindery"), |bencher| {
            bencher.iter(|| xml::pull(black_box(octets), &options));
        });
        group.bench_function(BenchmarkId::new(shape.name(), "bindery-push"), |bencher| {
            bencher.iter(|| xml::push(black_box(octets), &options));
        });
        group.bench_function(BenchmarkId::new(shape.name(), "quick-xml"), |bencher| {
            bencher.iter(|| xml::quick_xml(black_box(octets)));
        });
        group.bench_function(BenchmarkId::new(shape.name(), "quick-xml-checked"), |bencher| {
            bencher.iter(|| xml::quick_xml_checked(black_box(octets)));
        });
    }
    group.finish();
}
