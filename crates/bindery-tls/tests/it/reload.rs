//! Changing certificates, authorities and lists while connections go on.

use std::sync::Arc;

use bindery_core::{CipherSuite, Timestamp};
use bindery_tls::{
    Acceptor, Backend as _, Identity, Policy, Reloadable, Restriction, Roots, ServerConfig,
    TlsError, TlsErrorKind as Kind,
    pki::{Leaf, Validity},
    registry::suites,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{World, backend, both, localhost, secured};

struct Files(TempDir);

impl Files {
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn write_all(&self, world: &World) {
        self.write("server.pem", world.server.certificate_pem());
        self.write("server.key", world.server.key_pem());
        self.write("ca.pem", world.authority.certificate_pem());
    }

    fn acceptor(&self, policy: &Policy) -> Result<Arc<dyn Acceptor>, TlsError> {
        let path = |name| self.0.path().join(name);
        let identity = Identity::from_pem_files(path("server.pem"), path("server.key"))?;
        let roots = Roots::from_pem_file(path("ca.pem"))?;
        backend().acceptor(policy, ServerConfig::new(identity).with_client_roots(roots))
    }
}

fn start(world: &World) -> (Files, Arc<Reloadable>) {
    let files = Files(tempfile::tempdir().unwrap());
    files.write_all(world);
    let first = files.acceptor(&Policy::kmip()).unwrap();
    (files, Arc::new(Reloadable::new(first)))
}

#[tokio::test]
async fn a_reload_changes_everything_and_drops_no_connection() {
    let (old, new) = (World::new(), World::of("New Authority"));
    let (files, reloadable) = start(&old);
    let acceptor: Arc<dyn Acceptor> = reloadable.clone();
    let connector = old.connector(&Policy::kmip());
    let (mut server, mut client) = secured(&acceptor, &connector).await;

    files.write_all(&new);
    let one: &[CipherSuite] = &[suites::TLS_CHACHA20_POLY1305_SHA256];
    let narrow = Policy::kmip().restricted(Restriction::new().with_suites(one));
    reloadable.reload(|| files.acceptor(&narrow)).unwrap();

    // The connection of before goes on.
    client.io.write_all(b"ping").await.unwrap();
    client.io.flush().await.unwrap();
    let mut read = [0; 4];
    server.io.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"ping");
    // Those of before are not trusted any more, on either side; nor is their session resumed.
    let (server, _) = both(&acceptor, &connector, localhost()).await;
    assert_eq!(server.unwrap_err().kind(), Kind::UnknownAuthority);
    let (server, _) = secured(&acceptor, &new.connector(&Policy::kmip())).await;
    assert_eq!(server.info.suite, suites::TLS_CHACHA20_POLY1305_SHA256);
    assert!(!server.info.resumed);
    assert_eq!((reloadable.reloads().good, reloadable.reloads().bad), (1, 0));
}

#[tokio::test]
async fn what_is_broken_or_half_written_changes_nothing() {
    let world = World::new();
    let (files, reloadable) = start(&world);
    let acceptor: Arc<dyn Acceptor> = reloadable.clone();
    let renewed = world.authority.issue(&Leaf::server("localhost")).unwrap();
    let whole = renewed.certificate_pem();
    let mut failures = 0;
    // Every length at which a write may have stopped: the old key does not fit what is new, and
    // what is cut is no certificate.
    for cut in (0..whole.len()).step_by(7) {
        files.write("server.pem", &whole[..cut]);
        reloadable.reload(|| files.acceptor(&Policy::kmip())).unwrap_err();
        failures += 1;
    }
    files.write("server.pem", whole);
    let error = reloadable.reload(|| files.acceptor(&Policy::kmip())).unwrap_err();
    assert!(error.to_string().contains("does not belong to"), "{error}");
    let key = renewed.key_pem();
    files.write("server.key", &key[..key.len() - 30]);
    let error = reloadable.reload(|| files.acceptor(&Policy::kmip())).unwrap_err();
    assert!(error.to_string().contains("server.key"), "{error}");
    let authority = world.authority.certificate_pem();
    files.write("server.key", key);
    files.write("ca.pem", &authority[..authority.len() / 2]);
    let error = reloadable.reload(|| files.acceptor(&Policy::kmip())).unwrap_err();
    assert!(error.to_string().contains("ca.pem"), "{error}");
    let error = reloadable.reload(|| files.acceptor(&Policy::kmip_1_4())).unwrap_err();
    assert!(error.to_string().contains("ca.pem"), "{error}");
    assert_eq!(reloadable.reloads().bad, failures + 4);
    assert_eq!(reloadable.reloads().good, 0);
    let (_, client) = secured(&acceptor, &world.connector(&Policy::kmip())).await;
    let old = world.server.identity().unwrap();
    assert_eq!(&client.peer_certificates, old.chain());

    files.write("ca.pem", authority);
    reloadable.reload(|| files.acceptor(&Policy::kmip())).unwrap();
    let (_, client) = secured(&acceptor, &world.connector(&Policy::kmip())).await;
    assert_eq!(&client.peer_certificates, renewed.identity().unwrap().chain());
}

#[test]
fn what_runs_out_is_told_before_it_does() {
    let now = 1_700_000_000;
    let day = 86_400;
    let mut world = World::new();
    let validity = Validity {
        not_before: Timestamp::from_unix_seconds(now - day),
        not_after: Timestamp::from_unix_seconds(now + 10 * day),
    };
    world.server = world.authority.issue(&Leaf::server("s").with_validity(validity)).unwrap();
    let list = world.authority.revocation_list(&[], validity).unwrap();
    let crls = bindery_tls::Crls::from_octets(list.as_bytes()).unwrap();
    let config = world.server_config().with_crls(crls);
    let expiries = config.expiries();
    assert_eq!(expiries.len(), 3);
    let warned = |now, days: u64| -> Vec<String> {
        let now = Timestamp::from_unix_seconds(now);
        expiries.iter().filter_map(|one| one.warning(now, days * 86_400)).collect()
    };
    assert_eq!(warned(now, 9), [] as [String; 0]);
    let soon = warned(now, 30);
    assert_eq!(soon.len(), 2);
    assert!(soon[0].contains("CN=s runs out at 2023-11-24T22:13:20Z, in 10 days"), "{soon:?}");
    assert!(soon[1].contains("the revocation list of CN=Test Authority"), "{soon:?}");
    let late = warned(now + 11 * day, 30);
    assert!(late[0].contains("ran out at 2023-11-24T22:13:20Z"), "{late:?}");
    assert_eq!(world.client_config().expiries().len(), 2);
}
