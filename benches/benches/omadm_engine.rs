//! The device management server on one message: all that it does without IO, beside what the codec alone does for the
//! same message and answer.
//!
//! Ids are `omadm-FORM/MESSAGE/IMPLEMENTATION`; the README says what each of them means.

use std::hint::black_box;
use std::time::Duration;

use bindery_benches::omadm;
use bindery_syncml::Form;
use criterion::{BenchmarkId, Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    for (group, form) in [("omadm-wbxml", Form::Wbxml), ("omadm-xml", Form::Xml)] {
        let mut group = criterion.benchmark_group(group);
        for name in omadm::NAMES {
            let Some(step) = omadm::step(name, form) else { continue };
            group.throughput(Throughput::Bytes(step.octets() as u64));
            group.bench_function(BenchmarkId::new(name, "bindery"), |bencher| {
                bencher.iter(|| black_box(&step).whole());
            });
            let mut out = Vec::new();
            group.bench_function(BenchmarkId::new(name, "codec"), |bencher| {
                bencher.iter(|| black_box(&step).codec(&mut out));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
