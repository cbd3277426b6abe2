//! The check of the server's name (RFC 2818, section 3.1, as RFC 9110 has it).

use bindery_tls::{Policy, TlsErrorKind as Kind, pki::Leaf};
use rustls_pki_types::ServerName;

use crate::support::{World, both};

async fn is_taken(world: &World, asked: &'static str) -> bool {
    let name = ServerName::try_from(asked).unwrap();
    let policy = Policy::kmip();
    let (server, client) = both(&world.acceptor(&policy), &world.connector(&policy), name).await;
    match client {
        Ok(_) => {
            server.unwrap();
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), Kind::NameMismatch, "{error}");
            assert!(error.is_peer_fault());
            assert!(error.to_string().contains(asked), "{error}");
            // The alert came before any octet of the application.
            assert_eq!(server.unwrap_err().kind(), Kind::BadCertificate);
            false
        }
    }
}

/// proves: HTTPS-5
#[tokio::test]
async fn names_are_checked_as_rfc_9110_says() {
    let mut world = World::new();
    for (leaf, asked, taken) in [
        (Leaf::server("kms.example"), "kms.example", true),
        (Leaf::server("kms.example"), "KMS.Example", true),
        (Leaf::server("kms.example"), "other.example", false),
        (Leaf::server("kms.example"), "a.kms.example", false),
        (Leaf::server("kms.example").with_name("b.example"), "b.example", true),
        (Leaf::server("*.example.org"), "kms.example.org", true),
        (Leaf::server("*.example.org"), "a.b.example.org", false),
        (Leaf::server("*.example.org"), "example.org", false),
        (Leaf::server("k*.example.org"), "kms.example.org", false),
        (Leaf::server("kms.example").without_names(), "kms.example", false),
        (Leaf::server("192.0.2.1"), "192.0.2.1", true),
        (Leaf::server("192.0.2.1"), "192.0.2.2", false),
        (Leaf::server("2001:db8::1"), "2001:db8::1", true),
        (Leaf::server("kms.example"), "192.0.2.1", false),
        // An address in the Common Name does not count either.
        (Leaf::server("192.0.2.1").without_names().with_name("x.example"), "192.0.2.1", false),
    ] {
        world.server = world.authority.issue(&leaf).unwrap();
        assert_eq!(is_taken(&world, asked).await, taken, "{leaf:?} for {asked}");
    }
}

#[tokio::test]
async fn a_mismatch_names_what_was_asked_and_what_the_certificate_offers() {
    let mut world = World::new();
    let leaf = Leaf::server("one.example").with_name("two.example").with_name("192.0.2.1");
    world.server = world.authority.issue(&leaf).unwrap();
    let policy = Policy::kmip();
    let name = ServerName::try_from("three.example").unwrap();
    let (_, client) = both(&world.acceptor(&policy), &world.connector(&policy), name).await;
    let text = client.unwrap_err().to_string();
    for part in ["not for three.example", "for one.example, two.example"] {
        assert!(text.contains(part), "{text}");
    }
}
