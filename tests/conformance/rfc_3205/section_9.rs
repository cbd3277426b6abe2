//! Section 9: security.

use bindery_core::{AuthScheme, Body, CertificateRule, Refusal, Scheme};

use super::{
    cards,
    echo::{Echoes, good},
    row,
};

/// proves: SUB-SEC-1, SUB-SEC-4
#[tokio::test]
async fn every_card_says_who_has_to_be_known_what_has_to_be_private_and_why_its_means_serve() {
    for card in cards() {
        let name = &card.name;
        let (who, what) = (row(&card, "authentication need"), row(&card, "privacy need"));
        assert!(who.len() > 40 && what.len() > 40, "{name}: {who}; {what}");
        // Each means that the card names is one that its needs explain, and the other way round.
        let lower = who.to_lowercase();
        let certificates = card.certificate != CertificateRule::None;
        assert_eq!(lower.contains("certificate") || lower.contains("tls"), certificates, "{name}");
        for (scheme, text) in [(AuthScheme::Basic, "basic"), (AuthScheme::Digest, "digest")] {
            assert_eq!(lower.contains(text), card.auth_schemes.contains(&scheme), "{name}: {text}");
        }
        assert!(card.tls_policy.is_some() && what.contains("TLS"), "{name}");
        // In clear nothing is served unless the deployment says so, and no credentials are looked at.
        assert!(!card.schemes.contains(&Scheme::Http), "{name}");
        let echoes = Echoes::start(std::slice::from_ref(&card)).await;
        let proof = good(&card, "abc").with("Authorization", "Basic YWxpY2U6c2VjcmV0");
        let answer = echoes.ask(proof).await;
        assert_eq!(answer.status, card.status(&Refusal::ClearChannel).as_u16(), "{name}");
        assert_eq!(answer.field("www-authenticate"), None, "nobody is asked for a password here");
        assert_eq!(echoes.heard(), [Vec::<bytes::Bytes>::new()]);
        // A client does not send it.
        let target = format!("http://localhost{}", card.default_path).parse().unwrap();
        let error = card.prepare_request(&target, Body::empty()).unwrap_err().to_string();
        assert!(error.contains("use an https URL"), "{error}");
    }
}
