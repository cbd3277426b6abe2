//! The counters in the form that Prometheus reads (OpenMetrics text).

use std::{collections::BTreeMap, fmt};

use bindery_store::Counters as StoreCounters;
use bindery_transport::Snapshot;
use http::HeaderValue;
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

use crate::server::{observer::Operations, secure::Secure};

/// The format's media type.
pub(super) const CONTENT_TYPE: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Writes all metrics. The counters are kept elsewhere: a registry is made for each question.
///
/// # Errors
/// The encoder failed, which writing to memory does not.
pub(super) fn encode_all(
    snapshot: &Snapshot,
    store: &StoreCounters,
    operations: &Operations,
    secure: &Secure,
) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("bindery");
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The program", version);
    let open = Gauge::<i64>::default();
    open.set(i64::try_from(snapshot.connections_open).unwrap_or(i64::MAX));
    registry.register("connections_open", "Connections open now, handshakes included", open);
    transport(&mut registry, snapshot);
    reasons(&mut registry, snapshot);
    tls(&mut registry, secure);
    registry.register("kmip_operations", "KMIP batch items answered", operations.clone());
    count(&mut registry, "store_transactions", "Transactions of the store", store.transactions);
    count(&mut registry, "store_commits", "Commits answered with success", store.commits);
    count(&mut registry, "store_conflicts", "Commits answered with a conflict", store.conflicts);
    count(&mut registry, "store_failures", "Commits that failed", store.failures);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// When certificates run out, and how often they were read anew.
fn tls(registry: &mut Registry, secure: &Secure) {
    let expiries = Family::<[(&'static str, String); 3], Gauge>::default();
    let reloads = Family::<[(&'static str, String); 2], Counter>::default();
    let mut soonest = BTreeMap::new();
    for listener in secure.listeners() {
        let name = || ("listener", listener.name.clone());
        for expiry in listener.expiries() {
            let labels = [name(), ("origin", expiry.origin), ("name", expiry.name)];
            // Two of one name (an authority and its successor) are one line: the one that runs out
            // first.
            let ends = expiry.not_after.unix_seconds();
            let first = soonest.entry(labels).or_insert(ends);
            *first = ends.min(*first);
        }
        let done = listener.acceptor.reloads();
        for (result, count) in [("good", done.good), ("bad", done.bad)] {
            reloads.get_or_create(&[name(), ("result", result.to_owned())]).inc_by(count);
        }
    }
    for (labels, ends) in soonest {
        expiries.get_or_create(&labels).set(ends);
    }
    let help = "Unix time at which a certificate, authority or revocation list runs out";
    registry.register("tls_not_after_seconds", help, expiries);
    registry.register("tls_reloads", "Times the TLS of a listener was read anew", reloads);
}

fn transport(registry: &mut Registry, snapshot: &Snapshot) {
    count(registry, "connections", "Connections accepted", snapshot.connections);
    count(
        registry,
        "connections_refused",
        "Connections closed because their address had too many",
        snapshot.connections_refused,
    );
    count(registry, "handshakes", "TLS handshakes that succeeded", snapshot.handshakes);
    count(
        registry,
        "upgrades",
        "Connections that went from clear to TLS (RFC 2817)",
        snapshot.upgrades,
    );
    count(registry, "tunnels", "Tunnels opened", snapshot.tunnels);
    count(registry, "tunnel_octets", "Octets that went through tunnels", snapshot.tunnel_octets);
    count(registry, "accept_errors", "Errors of accepting a connection", snapshot.accept_errors);
    count(registry, "messages", "Messages answered without HTTP", snapshot.messages);
    count(
        registry,
        "requests_cancelled",
        "Requests given up because their connection ended",
        snapshot.requests_cancelled,
    );
    let seconds = Counter::<f64, std::sync::atomic::AtomicU64>::default();
    #[expect(clippy::cast_precision_loss, reason = "seconds for a graph")]
    seconds.inc_by(snapshot.request_micros as f64 / 1e6);
    registry.register("request_seconds", "Time spent on answered requests", seconds);
    count(registry, "malformed", "Connections that ended on malformed HTTP", snapshot.malformed);
    count(registry, "panics", "Handlers that panicked", snapshot.panics);
    count(registry, "received_octets", "Octets of HTTP read", snapshot.octets_in);
    count(registry, "sent_octets", "Octets of HTTP written", snapshot.octets_out);
}

fn reasons(registry: &mut Registry, snapshot: &Snapshot) {
    let statuses = snapshot.requests.iter().map(|(status, count)| (status.to_string(), *count));
    family(registry, "requests", "Requests answered", "status", statuses);
    let refusals = snapshot.refusals.iter().map(|(fault, count)| (format!("{fault:?}"), *count));
    family(registry, "refusals", "Requests refused by the HTTP layer", "fault", refusals);
    let handshakes =
        snapshot.handshakes_failed.iter().map(|(why, count)| ((*why).to_owned(), *count));
    family(registry, "handshakes_failed", "TLS handshakes that failed", "reason", handshakes);
    let withdrawn = snapshot.withdrawn.iter().map(|(why, count)| ((*why).to_owned(), *count));
    let help = "Connections closed because a reload took their client's standing";
    family(registry, "connections_withdrawn", help, "reason", withdrawn);
    let timeouts = snapshot.timeouts.iter().map(|(limit, count)| ((*limit).to_owned(), *count));
    family(registry, "timeouts", "Connections closed by a time limit", "limit", timeouts);
}

fn count(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let counter = Counter::<u64>::default();
    counter.inc_by(value);
    registry.register(name, help, counter);
}

fn family(
    registry: &mut Registry,
    name: &str,
    help: &str,
    label: &'static str,
    values: impl Iterator<Item = (String, u64)>,
) {
    let family = Family::<[(&'static str, String); 1], Counter>::default();
    for (value, count) in values {
        family.get_or_create(&[(label, value)]).inc_by(count);
    }
    registry.register(name, help, family);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_their_names_and_values() {
        let mut snapshot = Snapshot::default();
        snapshot.connections = 7;
        snapshot.connections_open = 2;
        snapshot.requests.insert(200, 5);
        snapshot.refusals.insert(bindery_core::Fault::MediaType, 1);
        snapshot.request_micros = 1_500_000;
        let operations = Operations::default();
        let labels = [("operation", "Get"), ("result", "ItemNotFound")];
        operations.get_or_create(&labels).inc_by(3);
        let text = {
            let (store, secure) = (StoreCounters::default(), Secure::default());
            encode_all(&snapshot, &store, &operations, &secure).unwrap()
        };
        for line in [
            "bindery_connections_total 7",
            "bindery_connections_open 2",
            "bindery_requests_total{status=\"200\"} 5",
            "bindery_refusals_total{fault=\"MediaType\"} 1",
            "bindery_request_seconds_total 1.5",
            "bindery_kmip_operations_total{operation=\"Get\",result=\"ItemNotFound\"} 3",
            "bindery_store_commits_total 0",
        ] {
            assert!(text.lines().any(|have| have == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
