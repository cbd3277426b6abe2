use rustls_pki_types::CertificateDer;

use super::*;

#[test]
fn a_peer_without_a_certificate_is_nobody() {
    for map in kinds() {
        assert_eq!(map.principal(&Peer::default()), Ok(None));
    }
}

#[test]
fn the_subject_is_the_default() {
    assert_eq!(CertificateIdentity::default(), CertificateIdentity::subject());
}

#[test]
fn octets_that_are_no_certificate_are_an_error_and_not_nobody() {
    let chain = [CertificateDer::from(b"abc".to_vec())];
    let peer = Peer::default().with_certificates(chain);
    for map in [CertificateIdentity::subject(), CertificateIdentity::common_name()] {
        let error = map.principal(&peer).unwrap_err();
        assert!(error.to_string().contains("the client's certificate"), "{error}");
    }
}

fn kinds() -> [CertificateIdentity; 3] {
    [
        CertificateIdentity::subject(),
        CertificateIdentity::common_name(),
        CertificateIdentity::fingerprint(),
    ]
}

#[cfg(feature = "pki")]
mod issued {
    use super::*;
    use crate::pki::{Authority, Leaf, Validity};

    fn peer(leaf: &Leaf) -> Peer {
        let authority = Authority::new("CA", Validity::default()).unwrap();
        let identity = authority.issue(leaf).unwrap().identity().unwrap();
        Peer::default().with_certificates(identity.chain().clone())
    }

    #[test]
    fn each_kind_gives_its_name() {
        let peer = peer(&Leaf::client("alice").with_organization("Example"));
        let [subject, common_name, fingerprint] =
            kinds().map(|map| map.principal(&peer).unwrap().unwrap().as_str().to_owned());
        assert_eq!(subject, "CN=alice,O=Example");
        assert_eq!(common_name, "alice");
        let expected = crate::certificate::fingerprint(peer.certificate().unwrap());
        assert_eq!(fingerprint, format!("sha256:{expected}"));
    }

    #[test]
    fn an_account_needs_a_name() {
        let error =
            CertificateIdentity::common_name().principal(&peer(&Leaf::client(""))).unwrap_err();
        assert!(error.reason.contains("Common Name is empty"), "{error}");
    }
}
