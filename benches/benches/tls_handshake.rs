//! TLS handshakes with client certificates, full and resumed, beside bare rustls.
//!
//! Ids are `GROUP/MESSAGE/IMPLEMENTATION`; the README says what each of them means.

use std::time::Duration;

use bindery_benches::tls::{Bare, Failed, Ours, World};
use bindery_core::TlsVersion;
use criterion::{BenchmarkId, Criterion};

fn main() -> Result<(), Failed> {
    let mut criterion = Criterion::default()
        .sample_size(60)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let world = World::new()?;
    for (version, name) in [(TlsVersion::TLS_1_2, "tls12"), (TlsVersion::TLS_1_3, "tls13")] {
        for (resumed, kind) in [(false, "full"), (true, "resumed")] {
            let ours = Ours::new(&world, version, resumed)?;
            let bare = Bare::new(&world, version, resumed)?;
            // The first connection of each gives the tickets.
            ours.connection()?;
            bare.connection()?;
            let mut group = criterion.benchmark_group(format!("handshake-{kind}"));
            group.bench_function(BenchmarkId::new(name, "bindery"), |b| {
                b.iter(|| assert_eq!(ours.connection().ok(), Some(resumed)));
            });
            group.bench_function(BenchmarkId::new(name, "rustls"), |b| {
                b.iter(|| assert_eq!(bare.connection().ok(), Some(resumed)));
            });
            group.finish();
        }
    }
    criterion.final_summary();
    Ok(())
}
