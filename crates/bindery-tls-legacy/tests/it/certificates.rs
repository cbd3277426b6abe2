//! What is asked of the other side's certificate.

use std::pin::Pin;

use bindery_core::{Timestamp, TlsVersion};
use bindery_tls::{
    Backend as _, ClientAuth, ClientConfig, ClientRules, Crls, Policy, Proof, Roots, ServerConfig,
    TlsError, TlsErrorKind as Kind, Usage,
    pki::{Authority, Issued, Leaf, Validity},
};
use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    hash::MessageDigest,
    pkey::{PKey, Private},
    rsa::Rsa,
    ssl::{Ssl, SslContext, SslMethod, SslVersion},
    x509::{X509, X509Name, extension::BasicConstraints},
};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_openssl::SslStream;

use crate::support::{World, backend, meet, pipe, policy, within};

fn old() -> Policy {
    policy(&[TlsVersion::TLS_1_1], &["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"])
}

fn mutual() -> Policy {
    old().with_client_auth(ClientAuth::Required)
}

/// What the server says of a client that shows this certificate. The client is bare OpenSSL: ours
/// would not show some of them.
async fn shown(client: &Issued, server: ServerConfig) -> Result<(), Kind> {
    let certificate = X509::from_pem(client.certificate_pem().as_bytes()).unwrap();
    let key = PKey::private_key_from_pem(client.key_pem().as_bytes()).unwrap();
    outcome(&certificate, &key, server).await.map_err(|error| error.kind())
}

async fn outcome(
    certificate: &X509,
    key: &PKey<Private>,
    server: ServerConfig,
) -> Result<(), TlsError> {
    let acceptor = backend().acceptor(&mutual(), server).unwrap();
    let mut context = SslContext::builder(SslMethod::tls()).unwrap();
    context.set_max_proto_version(Some(SslVersion::TLS1_1)).unwrap();
    context.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    context.set_certificate(certificate).unwrap();
    context.set_private_key(key).unwrap();
    let (near, far) = pipe();
    let mut stream = SslStream::new(Ssl::new(&context.build()).unwrap(), far).unwrap();
    let connect = Pin::new(&mut stream).connect();
    let ends = within(async { tokio::join!(acceptor.accept(Box::new(near)), connect) }).await;
    ends.0.map(|_| ())
}

/// A certificate for a key, signed by another with this hash; the authority's own is signed by itself.
fn signed(
    (name, key): (&str, &PKey<Private>),
    (issuer, by): (&str, &PKey<Private>),
    hash: MessageDigest,
) -> X509 {
    let named = |name: &str| {
        let mut builder = X509Name::builder().unwrap();
        builder.append_entry_by_text("CN", name).unwrap();
        builder.build()
    };
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&named(name)).unwrap();
    builder.set_issuer_name(&named(issuer)).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(9).unwrap()).unwrap();
    builder.set_pubkey(key).unwrap();
    let mut constraints = BasicConstraints::new();
    if name == issuer {
        constraints.ca();
    }
    builder.append_extension(constraints.critical().build().unwrap()).unwrap();
    builder.sign(by, hash).unwrap();
    builder.build()
}

/// Old versions need OpenSSL's security level 0, which takes any certificate: what can be forged or broken is refused all
/// the same, on both ways to a chain. The authority's own signature proves nothing, and may be what it was.
#[tokio::test]
async fn a_certificate_that_can_be_forged_or_broken_is_refused() {
    let rsa = |bits| PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap();
    let authority = rsa(2048);
    let (md5, sha1) = (MessageDigest::md5(), MessageDigest::sha1());
    let root = signed(("old", &authority), ("old", &authority), md5);
    let roots = Roots::from_pem(&root.to_pem().unwrap()).unwrap();
    let server = || {
        ServerConfig::new(World::shared().server.identity().unwrap())
            .with_client_roots(roots.clone())
    };
    for (bits, hash, fault) in [
        (1024, sha1, None),
        (1024, md5, Some("can be forged")),
        (512, sha1, Some("RSA key of 512 bits")),
    ] {
        let key = rsa(bits);
        let leaf = signed(("alice", &key), ("old", &authority), hash);
        let now = outcome(&leaf, &key, server()).await;
        let later = backend().acceptor(&mutual(), server()).unwrap();
        let mut proof = Proof::default();
        proof.certificates = vec![CertificateDer::from(leaf.to_der().unwrap())].into();
        let later = later.recheck(&proof);
        for said in [now, later] {
            match fault {
                None => said.unwrap(),
                Some(fault) => {
                    let error = said.unwrap_err();
                    assert_eq!(error.kind(), Kind::BadCertificate, "{error}");
                    let said = error.to_string();
                    assert!(said.contains(fault) && said.contains("alice"), "{said}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_client_of_another_authority_is_refused() {
    let (world, other) = (World::shared(), World::new());
    assert_eq!(shown(&world.client, world.server_config()).await, Ok(()));
    let outcome = shown(&other.client, world.server_config()).await;
    // The name of the authority is the same and its key is not.
    assert!(matches!(outcome, Err(Kind::BadCertificate | Kind::UnknownAuthority)), "{outcome:?}");
    let stranger = Authority::new("Another Authority", Validity::default()).unwrap();
    let stranger = stranger.issue(&Leaf::client("mallory")).unwrap();
    let outcome = shown(&stranger, world.server_config()).await;
    assert_eq!(outcome, Err(Kind::UnknownAuthority));
}

#[tokio::test]
async fn dates_and_usage_count() {
    let world = World::shared();
    let (old, recent) = (Timestamp::from_unix_seconds(1), Timestamp::from_unix_seconds(2));
    let expired = Validity { not_before: old, not_after: recent };
    let far = Timestamp::from_unix_seconds(2_524_607_998);
    let early = Validity { not_before: far, not_after: Validity::default().not_after };
    let issue = |leaf: Leaf| world.authority.issue(&leaf).unwrap();
    for (leaf, expected) in [
        (Leaf::client("alice").with_validity(expired), Kind::CertificateExpired),
        (Leaf::client("alice").with_validity(early), Kind::CertificateNotYetValid),
        (Leaf::server("localhost"), Kind::BadCertificate),
    ] {
        let outcome = shown(&issue(leaf), world.server_config()).await;
        assert_eq!(outcome, Err(expected));
    }
}

#[tokio::test]
async fn the_rules_of_the_server_are_kept() {
    let world = World::shared();
    let server = |rules| world.server_config().with_client_rules(rules);
    let mut names = ClientRules::default();
    names.names_required = true;
    let outcome = shown(&world.client, server(names)).await;
    assert_eq!(outcome, Err(Kind::BadCertificate), "it has no subjectAltName");
    let mut servers = ClientRules::default();
    servers.usage = Usage::DangerousServersToo;
    assert_eq!(shown(&world.server, server(servers)).await, Ok(()));
    assert_eq!(shown(&world.client, server(servers)).await, Ok(()));
}

#[tokio::test]
async fn revocation_lists_are_looked_up() {
    let world = World::shared();
    let server = |revoked: &[&Issued]| {
        let list = world.authority.revocation_list(revoked, Validity::default()).unwrap();
        world.server_config().with_crls(Crls::from_octets(list.as_bytes()).unwrap())
    };
    assert_eq!(shown(&world.client, server(&[])).await, Ok(()));
    let outcome = shown(&world.client, server(&[&world.client])).await;
    assert_eq!(outcome, Err(Kind::CertificateRevoked));
    let other = Authority::new("Another Authority", Validity::default()).unwrap();
    let list = other.revocation_list(&[], Validity::default()).unwrap();
    let mut crls = Crls::from_octets(list.as_bytes()).unwrap();
    // Both authorities are trusted, and one has a list.
    let two = format!("{}{}", world.authority.certificate_pem(), other.certificate_pem());
    let two = Roots::from_pem(two.as_bytes()).unwrap();
    let silent = world.server_config().with_client_roots(two.clone()).with_crls(crls.clone());
    let outcome = shown(&world.client, silent).await;
    assert_eq!(outcome, Err(Kind::RevocationUnknown), "no list speaks of it");
    crls.unknown_taken = true;
    let lax = world.server_config().with_crls(crls);
    assert_eq!(shown(&world.client, lax).await, Ok(()));
    let past = Validity {
        not_before: Timestamp::from_unix_seconds(1),
        not_after: Timestamp::from_unix_seconds(2),
    };
    let list = world.authority.revocation_list(&[], past).unwrap();
    let mut crls = Crls::from_octets(list.as_bytes()).unwrap();
    let strict = world.server_config().with_crls(crls.clone());
    let error = backend().acceptor(&mutual(), strict).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.to_string().contains("1970-01-01T00:00:02Z (Next Update)"), "{error}");
    // Beside a list of another authority in date, it is told of, and refused when somebody comes.
    let both = format!("{list}{}", other.revocation_list(&[], Validity::default()).unwrap());
    let both = Crls::from_octets(both.as_bytes()).unwrap();
    let partly = world.server_config().with_client_roots(two.clone()).with_crls(both);
    assert_eq!(shown(&world.client, partly).await, Err(Kind::RevocationUnknown));
    crls.expired_taken = true;
    let lax = world.server_config().with_crls(crls);
    assert_eq!(shown(&world.client, lax).await, Ok(()));
}

/// As in the other backend: a damaged list is named before anybody comes, and one of a former key does
/// no harm beside one of the present key.
#[tokio::test]
async fn lists_by_the_wrong_key_are_told_apart() {
    let (world, former) = (World::shared(), World::new());
    let list = |authority: &Authority, revoked: &[&Issued]| {
        authority.revocation_list(revoked, Validity::default()).unwrap()
    };
    let mut damaged = Crls::from_octets(list(&world.authority, &[]).as_bytes()).unwrap();
    let mut der = damaged.lists().next().unwrap().der.to_vec();
    let date = der.windows(6).position(|octets| octets == *b"491231").unwrap();
    der[date + 1] = b'8';
    damaged = Crls::from_octets(&der).unwrap();
    let error =
        backend().acceptor(&mutual(), world.server_config().with_crls(damaged)).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.to_string().contains("signatureValue"), "{error}");
    let two = [list(&former.authority, &[]), list(&world.authority, &[&world.client])];
    for lists in [two.concat(), [two[1].as_str(), &two[0]].concat()] {
        let crls = Crls::from_octets(lists.as_bytes()).unwrap();
        let server = || world.server_config().with_crls(crls.clone());
        assert_eq!(shown(&world.client, server()).await, Err(Kind::CertificateRevoked));
        let other = world.authority.issue(&Leaf::client("bob")).unwrap();
        assert_eq!(shown(&other, server()).await, Ok(()));
    }
}

/// RFC 2818, section 3.1, as in the other backend.
#[tokio::test]
async fn the_server_must_have_the_name_that_was_asked_for() {
    let world = World::shared();
    let acceptor = backend().acceptor(&old(), world.server_config()).unwrap();
    let connector = backend().connector(&old(), world.client_config()).unwrap();
    for name in ["elsewhere.example", "127.0.0.1"] {
        let (near, far) = pipe();
        let name = ServerName::try_from(name).unwrap();
        let (_, client) = within(async {
            tokio::join!(acceptor.accept(Box::new(near)), connector.connect(name, Box::new(far)))
        })
        .await;
        assert_eq!(client.unwrap_err().kind(), Kind::NameMismatch);
    }
}

/// Our reading of WAP-219-TLS, 6.3 and 6.4, which is not at hand: X.509v3 with RSA keys, a chain to
/// an authority that is trusted, and the name that was asked for.
///
/// proves: DM-TLS-9, DM-TLS-9C
#[tokio::test]
async fn in_tls_1_0_rsa_certificates_chains_and_names_count() {
    let world = World::shared();
    let policy = policy(&[TlsVersion::TLS_1_0], &["TLS_RSA_WITH_AES_128_CBC_SHA"]);
    let acceptor = backend().acceptor(&policy, world.server_config()).unwrap();
    let stranger = Authority::new("Another Authority", Validity::default()).unwrap();
    for (roots, name, expected) in [
        (world.authority.roots().unwrap(), "localhost", None),
        (world.authority.roots().unwrap(), "elsewhere.example", Some(Kind::NameMismatch)),
        (stranger.roots().unwrap(), "localhost", Some(Kind::UnknownAuthority)),
    ] {
        let connector = backend().connector(&policy, ClientConfig::new(roots)).unwrap();
        let (near, far) = pipe();
        let name = ServerName::try_from(name).unwrap();
        let (server, client) = within(async {
            tokio::join!(acceptor.accept(Box::new(near)), connector.connect(name, Box::new(far)))
        })
        .await;
        assert_eq!(client.as_ref().err().map(|error| error.kind()), expected);
        // The client's alert reaches the server.
        assert_eq!(server.is_ok(), expected.is_none());
        if let Ok(client) = client {
            let chain = world.server.identity().unwrap();
            assert_eq!(client.peer_certificates.first(), chain.chain().first());
        }
    }
}

#[tokio::test]
async fn a_key_of_another_certificate_is_named() {
    let world = World::shared();
    let identity = bindery_tls::Identity::from_pem(
        world.server.certificate_pem().as_bytes(),
        world.client.key_pem().as_bytes(),
    )
    .unwrap();
    let error = backend().acceptor(&old(), ServerConfig::new(identity)).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.to_string().contains("does not belong to"), "{error}");
}

/// A certificate that signed itself and has no Basic Constraints vouches for itself alone, though its Key Usage says that
/// it signs others, which OpenSSL would take.
#[tokio::test]
async fn a_certificate_that_is_no_authority_vouches_for_nobody_else() {
    use rcgen::{
        CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose,
    };

    let world = World::shared();
    let mut params = CertificateParams::new(vec!["device.example".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "device");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    let device = params.self_signed(&key).unwrap();
    let mut below = CertificateParams::new(vec!["other.example".to_owned()]).unwrap();
    below.distinguished_name.push(DnType::CommonName, "other");
    below.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let other_key = KeyPair::generate().unwrap();
    let issuer = Issuer::from_params(&params, &key);
    let other = below.signed_by(&other_key, &issuer).unwrap();
    let roots = Roots::from_pem(device.pem().as_bytes()).unwrap();
    let suites = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"];
    let policy = policy(&[TlsVersion::TLS_1_2], &suites).with_client_auth(ClientAuth::Required);
    for (certificate, key, taken) in [(&device, &key, true), (&other, &other_key, false)] {
        let identity = bindery_tls::Identity::from_pem(
            certificate.pem().as_bytes(),
            key.serialize_pem().as_bytes(),
        )
        .unwrap();
        let server = world.server_config().with_client_roots(roots.clone());
        let client = world.client_config().with_identity(identity);
        let (server, _) = meet((&policy, server), (&policy, client)).await;
        assert_eq!(server.is_ok(), taken, "{server:?}");
        if let Err(error) = server {
            assert!(error.to_string().contains("no authority"), "{error}");
        }
    }
}

/// As in the other backend: a certificate that an authority issued and that is none itself vouches for
/// nobody, also not for itself, and that is told before anybody comes.
#[test]
fn a_certificate_that_another_signed_is_no_authority() {
    let world = World::shared();
    let leaf = || Roots::from_pem(world.client.certificate_pem().as_bytes()).unwrap();
    let server = world.server_config().with_client_roots(leaf());
    for error in [
        backend().acceptor(&mutual(), server).unwrap_err(),
        backend().connector(&old(), ClientConfig::new(leaf())).unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Configuration);
        assert!(error.to_string().contains("CN=alice is no authority"), "{error}");
        assert!(error.hint().contains("name the certificate of CN=Test Authority"), "{error}");
    }
}
