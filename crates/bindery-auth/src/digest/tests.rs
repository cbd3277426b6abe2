use super::*;

/// RFC 7616, section 3.9.1.
#[test]
fn the_examples_of_rfc_7616() {
    let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    for (algorithm, expected) in [
        (Algorithm::MD5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::SHA_256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let known = secret(algorithm.digest, "Mufasa", "http-auth@example.org", "Circle of Life");
        let session = Some(("00000001", cnonce, Qop::Auth));
        let exchange = Exchange { algorithm, nonce, session, uri: "/dir/index.html" };
        assert_eq!(*exchange.proof(&known.secret, "GET", b""), expected);
    }
}

/// RFC 2617, section 3.5.
#[test]
fn the_example_of_rfc_2617() {
    let known = secret(DigestAlgorithm::Md5, "Mufasa", "testrealm@host.com", "Circle Of Life");
    assert_eq!(known.secret, "939e7578ed9e3c518a452acee763bce9");
    let exchange = Exchange {
        algorithm: Algorithm::MD5,
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        session: Some(("00000001", "0a4f113b", Qop::Auth)),
        uri: "/dir/index.html",
    };
    assert_eq!(*exchange.proof(&known.secret, "GET", b""), "6629fae49393a05397450978507c4ef1");
}

/// RFC 2069's form; the response is the one of its errata.
#[test]
fn the_form_without_qop() {
    let known = secret(DigestAlgorithm::Md5, "Mufasa", "testrealm@host.com", "CircleOfLife");
    let exchange = Exchange {
        algorithm: Algorithm::MD5,
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        session: None,
        uri: "/dir/index.html",
    };
    assert_eq!(*exchange.proof(&known.secret, "GET", b""), "1949323746fe6a43ef61f9606e7febea");
}

#[test]
fn names_both_ways() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::from_name(&algorithm.name().to_lowercase()), Some(algorithm));
    }
    assert_eq!(Algorithm::from_name("SHA-512-256"), None);
    assert_eq!(Qop::from_name("AUTH-INT"), Some(Qop::AuthInt));
    assert_eq!(Qop::from_name("auth-conf"), None);
}
