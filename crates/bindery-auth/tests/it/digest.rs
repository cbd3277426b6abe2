//! Digest, both sides.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bindery_auth::{Algorithm, AuthError, Qop, SeenNonces};
use bindery_core::{AuthScheme, Refusal};
use http::{HeaderMap, HeaderValue};

use crate::support::{
    KEY, ask, asking, at, authenticator, challenged, challenges, head, in_clear, session,
};

#[tokio::test]
async fn every_algorithm_and_protection() {
    for algorithm in Algorithm::ALL {
        for qop in [Qop::Auth, Qop::AuthInt] {
            let server = authenticator().with_algorithms([algorithm]).with_qops([qop]);
            let mut client = session("device", "correct horse");
            challenged(&server, &mut client, &at(1)).await;
            for round in 0..3 {
                let proof = ask(&server, &mut client, &at(2 + round), b"<SyncML/>").await.unwrap();
                assert_eq!(proof.principal.as_str(), "device-17", "{algorithm:?} {qop:?}");
            }
            let mut other = session("device", "wrong horse");
            challenged(&server, &mut other, &at(9)).await;
            let refusal = ask(&server, &mut other, &at(9), b"").await.unwrap_err();
            let error = other.challenged(&challenges(&refusal), true).unwrap_err();
            assert!(matches!(error, AuthError::Refused { .. }), "{error}");
        }
    }
}

/// proves: DM-AUTH-6
#[tokio::test]
async fn a_nonce_is_base64() {
    let refusal = authenticator().authenticate(&at(1), &head(None), b"").await.unwrap_err();
    let offered = challenges(&refusal);
    let texts = offered.values().map(|value| value.to_str().unwrap());
    let nonces: Vec<_> = texts.filter_map(|text| text.split("nonce=\"").nth(1)).collect();
    assert_eq!(nonces.len(), Algorithm::ALL.len());
    for nonce in nonces {
        let nonce = nonce.split('"').next().unwrap();
        assert!(nonce.len() <= 64 && STANDARD.decode(nonce).is_ok(), "{nonce}");
    }
}

/// proves: DM-AUTH-5
#[tokio::test]
async fn challenges_name_realm_domain_nonce_stale_and_algorithm() {
    let server =
        authenticator().with_domain("/dm https://dm.example/").with_algorithms([Algorithm::MD5]);
    let server = server.with_nonce_life(Duration::from_secs(60), KEY);
    let mut client = session("device", "correct horse");
    challenged(&server, &mut client, &at(1)).await;
    let refusal = ask(&server, &mut client, &at(100), b"").await.unwrap_err();
    let text = challenges(&refusal).values().next().unwrap().to_str().unwrap().to_owned();
    for part in [
        "Digest realm=\"devices\"",
        "domain=\"/dm https://dm.example/\"",
        "nonce=\"",
        "stale=true",
        "algorithm=MD5",
        "qop=\"auth\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The client reads them all and goes on.
    client.challenged(&challenges(&refusal), true).unwrap();
    ask(&server, &mut client, &at(101), b"").await.unwrap();
}

/// The strongest that both have is used, whatever stands first.
#[tokio::test]
async fn the_strongest_is_chosen() {
    let server = authenticator().with_algorithms([Algorithm::MD5, Algorithm::SHA_256]);
    let mut client = session("device", "correct horse");
    challenged(&server, &mut client, &at(1)).await;
    let value = client.authorize(&asking(b"")).unwrap().unwrap();
    assert!(value.to_str().unwrap().contains("algorithm=SHA-256"), "{value:?}");
    assert!(value.is_sensitive());
}

#[tokio::test]
async fn a_body_that_was_changed_is_noticed_with_auth_int() {
    let server = authenticator().with_qops([Qop::AuthInt]);
    let mut client = session("device", "correct horse");
    challenged(&server, &mut client, &at(1)).await;
    let value = client.authorize(&asking(b"one")).unwrap();
    let head = head(value.as_ref());
    assert!(server.needs_body(&head));
    server.authenticate(&at(2), &head, b"two").await.unwrap_err();
    server.authenticate(&at(2), &head, b"one").await.unwrap();
}

#[tokio::test]
async fn a_recorded_request_is_not_taken_twice() {
    let server = authenticator();
    let mut client = session("device", "correct horse");
    challenged(&server, &mut client, &at(1)).await;
    let value = client.authorize(&asking(b"")).unwrap();
    server.authenticate(&at(2), &head(value.as_ref()), b"").await.unwrap();
    let refusal = server.authenticate(&at(3), &head(value.as_ref()), b"").await.unwrap_err();
    let again = challenges(&refusal);
    let texts: Vec<_> = again.values().map(|value| value.to_str().unwrap()).collect();
    assert!(texts.iter().filter(|t| t.starts_with("Digest")).all(|t| t.contains("stale=true")));
    // The rightful client goes on with the new nonce.
    client.challenged(&again, true).unwrap();
    ask(&server, &mut client, &at(4), b"").await.unwrap();
}

#[tokio::test]
async fn counts_may_come_in_any_order_and_each_once() {
    let server = authenticator();
    let mut client = session("device", "correct horse");
    challenged(&server, &mut client, &at(1)).await;
    let values: Vec<_> = (0..5).map(|_| client.authorize(&asking(b"")).unwrap()).collect();
    for index in [3, 0, 4, 1, 2] {
        let head = head(values[index].as_ref());
        server.authenticate(&at(2), &head, b"").await.unwrap();
        server.authenticate(&at(2), &head, b"").await.unwrap_err();
    }
}

/// When the guard has to forget, nothing that it may have forgotten is taken.
#[tokio::test]
async fn a_full_guard_takes_nothing_twice() {
    let server = authenticator().with_replay_guard(Arc::new(SeenNonces::new(2)));
    let mut client = session("device", "correct horse");
    challenged(&server, &mut client, &at(1)).await;
    let mut taken = Vec::new();
    for _ in 0..6 {
        let value = client.authorize(&asking(b"")).unwrap();
        if server.authenticate(&at(2), &head(value.as_ref()), b"").await.is_ok() {
            taken.push(value);
        }
    }
    assert!(taken.len() >= 2);
    for value in taken {
        server.authenticate(&at(2), &head(value.as_ref()), b"").await.unwrap_err();
    }
}

#[tokio::test]
async fn a_nonce_counts_for_its_time_only() {
    let server = authenticator().with_nonce_life(Duration::from_secs(60), KEY);
    let mut client = session("device", "correct horse");
    challenged(&server, &mut client, &at(100)).await;
    ask(&server, &mut client, &at(160), b"").await.unwrap();
    let refusal = ask(&server, &mut client, &at(161), b"").await.unwrap_err();
    client.challenged(&challenges(&refusal), true).unwrap();
    ask(&server, &mut client, &at(162), b"").await.unwrap();
}

/// Another process with the same key takes the nonce, one with another key does not.
#[tokio::test]
async fn servers_that_share_a_key_take_each_others_nonces() {
    let (one, two) = (authenticator(), authenticator());
    let mut client = session("device", "correct horse");
    challenged(&one, &mut client, &at(1)).await;
    ask(&two, &mut client, &at(2), b"").await.unwrap();
    let stranger = authenticator().with_nonce_life(Duration::from_secs(60), [8; 32]);
    let refusal = ask(&stranger, &mut client, &at(3), b"").await.unwrap_err();
    // It knows the password, so only the nonce is told to be wrong.
    client.challenged(&challenges(&refusal), true).unwrap();
}

/// RFC 2069's form only where it is allowed.
#[tokio::test]
async fn without_qop_only_by_name() {
    let without = |nonce: &str| {
        // MD5("device:devices:correct horse") and so on, by the client's own code.
        let mut headers = HeaderMap::new();
        let text = format!("Digest realm=\"devices\", nonce=\"{nonce}\"");
        headers.insert("www-authenticate", HeaderValue::try_from(text).unwrap());
        let mut client = session("device", "correct horse");
        client.challenged(&headers, false).unwrap();
        client.authorize(&asking(b"")).unwrap()
    };
    let strict = authenticator();
    let refusal = strict.authenticate(&at(1), &head(None), b"").await.unwrap_err();
    let offered = challenges(&refusal);
    let texts = offered.values().map(|value| value.to_str().unwrap());
    let text = texts.filter(|text| text.contains("nonce=")).last().unwrap();
    let nonce = text.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let value = without(&nonce);
    strict.authenticate(&at(2), &head(value.as_ref()), b"").await.unwrap_err();
    let lax = authenticator().legacy_digest_without_qop();
    lax.authenticate(&at(2), &head(value.as_ref()), b"").await.unwrap();
}

/// Digest may go in clear, Basic is not even offered there.
#[tokio::test]
async fn in_clear_only_digest_is_offered() {
    let server = authenticator();
    let refusal = server.authenticate(&in_clear(1), &head(None), b"").await.unwrap_err();
    let offered = challenges(&refusal);
    assert!(offered.values().all(|value| value.to_str().unwrap().starts_with("Digest")));
    let server = authenticator().dangerous_basic_in_clear().with_schemes([AuthScheme::Basic]);
    let refusal = server.authenticate(&in_clear(1), &head(None), b"").await.unwrap_err();
    assert_eq!(challenges(&refusal).len(), 1);
}

#[tokio::test]
async fn an_account_with_a_password_only_cannot_use_digest() {
    let server = authenticator();
    let mut client = session("alice", "correct horse");
    challenged(&server, &mut client, &at(1)).await;
    ask(&server, &mut client, &at(2), b"").await.unwrap_err();
}

#[tokio::test]
async fn what_is_malformed_is_no_failure_of_a_password() {
    let server = authenticator();
    for text in [
        "Digest",
        "Digest username=\"device\"",
        "Digest username=\"device\", realm=\"devices\", nonce=\"x\", uri=\"/other\", \
         response=\"0\", qop=auth, nc=00000001, cnonce=\"c\"",
        "Digest username=\"device\", realm=\"devices\", nonce=\"x\", uri=\"/dm?a=1\", \
         response=\"0\", qop=auth, nc=1, cnonce=\"c\"",
        "Basic %%%",
    ] {
        let value = HeaderValue::from_static(text);
        let refusal = server.authenticate(&at(1), &head(Some(&value)), b"").await.unwrap_err();
        assert!(matches!(refusal, Refusal::MalformedHeader { .. }), "{text}: {refusal:?}");
    }
}
