//! Who is who: objects belong to the certificate that made them, also when a session is resumed.

use bindery_core::TlsVersion;
use bindery_kmip::{
    Client,
    message::{Name, UniqueIdentifier},
};
use bindery_tests::{raw::Post, site::Site, wire};
use bindery_tls::pki::Leaf;
use bindery_ttlv::registry::{
    CryptographicAlgorithm, CryptographicUsageMask, RevocationReasonCode,
};

async fn create(client: &mut Client) -> UniqueIdentifier {
    let usage = CryptographicUsageMask::ENCRYPT;
    let name = Name::text("shared name").into();
    client.create(CryptographicAlgorithm::AES, 256, usage, [name]).await.unwrap()
}

#[tokio::test]
async fn two_principals_objects_are_apart() {
    let site = Site::start().await;
    let (mut alice, mut bob) = (site.client("alice"), site.client("bob"));
    let hers = create(&mut alice).await;
    let his = create(&mut bob).await;
    for (client, own) in [(&mut alice, &hers), (&mut bob, &his)] {
        assert_eq!(client.locate([]).await.unwrap(), std::slice::from_ref(own));
        assert_eq!(
            client.locate([Name::text("shared name").into()]).await.unwrap(),
            std::slice::from_ref(own)
        );
    }
    // Somebody else's object is not told apart from none, by word or by octet.
    let reason = RevocationReasonCode::KEY_COMPROMISE;
    let hers_said = |error: bindery_kmip::ClientError| {
        assert!(error.is_not_found(), "{error}");
        error.to_string().replace(&hers.to_string(), "UID")
    };
    let none = "00000000-0000-7000-8000-000000000000";
    let none_said = |error: bindery_kmip::ClientError| error.to_string().replace(none, "UID");
    let said = hers_said(bob.get(hers.clone()).await.unwrap_err());
    assert_eq!(said, none_said(bob.get(none).await.unwrap_err()));
    hers_said(bob.get_attributes(hers.clone(), ["State"]).await.unwrap_err());
    hers_said(bob.get_attribute_list(hers.clone()).await.unwrap_err());
    hers_said(bob.activate(hers.clone()).await.unwrap_err());
    hers_said(bob.revoke(hers.clone(), reason, None).await.unwrap_err());
    hers_said(bob.destroy(hers.clone()).await.unwrap_err());
    // And nothing of that did anything.
    let before = alice.get(hers.clone()).await.unwrap();
    let (site, _) = site.restart().await;
    assert_eq!(site.client("alice").get(hers.clone()).await.unwrap(), before);
    // The account is the name, not the key: a renewed certificate is the same client.
    let renewed = site.pki.client("alice");
    let transport = bindery_transport::Client::builder();
    let transport = transport.connector(site.pki.connector(Some(&renewed))).build();
    let mut again = Client::builder(site.url().parse().unwrap()).build(&transport);
    assert_eq!(again.get(hers).await.unwrap(), before);
}

#[tokio::test]
async fn a_resumed_session_keeps_the_identity() {
    let site = Site::start().await;
    for version in [TlsVersion::TLS_1_2, TlsVersion::TLS_1_3] {
        let client = |name: &str| {
            let connector = site.pki.connector_of(version, &site.identity(name));
            let transport = bindery_transport::Client::builder().connector(connector).build();
            Client::builder(site.url().parse().unwrap()).build(&transport)
        };
        let (mut alice, mut bob) = (client("alice"), client("bob"));
        let (hers, his) = (create(&mut alice).await, create(&mut bob).await);
        for _ in 0..3 {
            for (client, own, other) in [(&mut alice, &hers, &his), (&mut bob, &his, &hers)] {
                client.connection_mut().close();
                client.get(own.clone()).await.unwrap();
                let channel = client.connection_mut().channel().unwrap();
                let tls = channel.tls().unwrap();
                assert_eq!((tls.version, tls.resumed), (version, true), "{version}");
                assert!(client.get(other.clone()).await.unwrap_err().is_not_found());
            }
        }
    }
}

/// Nobody without a name gets an account, and least of all the one of all others without a name.
#[tokio::test]
async fn a_certificate_that_names_nobody() {
    let site = Site::start().await;
    for leaf in [Leaf::client(""), Leaf::client("").with_organization("Example")] {
        let nobody = site.pki.issue(&leaf);
        let connector = site.pki.connector(Some(&nobody));
        let mut raw = bindery_tests::raw::Raw::tls(site.address, &connector).await.unwrap();
        raw.send(Post::new(wire::create("nobody's")).octets()).await;
        let answer = raw.answer().await;
        assert_eq!((answer.status, answer.body.len()), (403, 0), "{answer:?}");
        assert!(answer.field("bindery-refusal").unwrap().contains("certificate"), "{answer:?}");
    }
    site.goes_on().await;
}
