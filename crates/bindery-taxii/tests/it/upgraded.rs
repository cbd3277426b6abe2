//! Servers that are reached by an upgrade to TLS (RFC 2817).

use std::{net::SocketAddr, sync::Arc};

use bindery_taxii::{Client, Ids, PollOptions, Service};
use bindery_tls::{
    Backend as _, ClientAuth, ClientConfig, Policy, Provider, Restriction, RustlsBackend,
    ServerConfig,
    pki::{Authority, Leaf, Validity},
};
use bindery_transport::{Listener, Router, Server, Upgrade, UpgradeMode};

use crate::support::{Told, mounted};

/// A server names its services as it sees them, by https; what is behind its port is an upgrade all the same. The library
/// asks them over the connection that led to it.
#[tokio::test]
async fn services_named_by_https_are_asked_over_the_upgraded_connection() {
    let authority = Authority::new("test authority", Validity::default()).unwrap();
    let leaf = authority.issue(&Leaf::server("127.0.0.1")).unwrap();
    let nobody = Restriction::new().with_client_auth(ClientAuth::None);
    let policy = Policy::named("taxii").unwrap().restricted(nobody);
    let config = ServerConfig::new(leaf.identity().unwrap());
    let acceptor = RustlsBackend::new(Provider::aws_lc_rs()).acceptor(&policy, config).unwrap();
    let told = Arc::new(Told::default());
    let listener = Listener::clear(SocketAddr::from(([127, 0, 0, 1], 0)));
    let server = Server::builder()
        .listen(listener.upgrade(Upgrade::new(acceptor).required()))
        .router(mounted(Router::new(), Service::CollectionManagement, "/taxii", Arc::clone(&told)))
        .bind()
        .await
        .unwrap();
    let address = server.local_addrs()[0];
    let counters = server.counters();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(server.serve(async { drop(stopped.await) }));

    let config = ClientConfig::new(authority.roots().unwrap());
    let policy = Policy::named("modern").unwrap();
    let connector = RustlsBackend::new(Provider::aws_lc_rs()).connector(&policy, config).unwrap();
    let transport = bindery_transport::Client::builder().connector(connector);
    let transport = transport.upgrade(UpgradeMode::Required).build();
    let mut client = Client::builder(Arc::new(Ids::new(3))).allow_clear().build(transport);

    let url = format!("http://{address}/taxii").parse().unwrap();
    client.discovery(&url).await.unwrap();
    // As it names itself by what it sees.
    let https = format!("https://{address}/taxii").parse().unwrap();
    client.discovery(&https).await.unwrap();
    // A poll, which the service answers with a status of its own.
    let error = client.poll(&https, "c", &PollOptions::default()).await.unwrap_err();
    assert!(error.status_type().is_some(), "{error}");
    let counted = counters.snapshot();
    assert_eq!((counted.connections, counted.upgrades), (1, 1), "one way for all");
    // Another port is another server.
    let other = format!("https://127.0.0.1:{}/taxii", address.port() ^ 1).parse().unwrap();
    client.discovery(&other).await.unwrap_err();
    assert_eq!(counters.snapshot().connections, 1);
    drop(stop);
}
