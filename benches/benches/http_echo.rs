//! Requests over a kept connection in memory: a bound echo beside hyper with its timer set.
//!
//! Ids are `GROUP/MESSAGE/IMPLEMENTATION`; the README says what each of them means.

use std::time::Duration;

use bindery_benches::http::{Kept, Who};
use bindery_benches::tls::Failed;
use criterion::{BenchmarkId, Criterion, Throughput};

fn main() -> Result<(), Failed> {
    let mut criterion = Criterion::default()
        .sample_size(60)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for (tls, channel) in [(false, "clear"), (true, "tls13")] {
        for octets in [200_usize, 4096] {
            let mut group = criterion.benchmark_group(format!("http-{channel}"));
            group.throughput(Throughput::Elements(1));
            for (who, name) in
                [(Who::Bindery, "bindery"), (Who::Hyper, "hyper"), (Who::Canned, "canned")]
            {
                let mut kept = Kept::open(who, tls, octets)?;
                group.bench_function(BenchmarkId::new(octets.to_string(), name), |b| {
                    b.iter(|| assert!(kept.exchange().is_ok()));
                });
            }
            group.finish();
        }
    }
    criterion.final_summary();
    Ok(())
}
