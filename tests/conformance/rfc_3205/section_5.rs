//! Section 5: media types.

use bindery_kmip::HttpsProfile;
use bindery_tests::{raw::Post, site::Site, wire};

use super::{
    cards,
    echo::{Echoes, good, in_clear},
};

/// proves: SUB-MIME-1
#[tokio::test]
async fn one_media_type_carries_every_operation_and_its_parameters_choose_none() {
    let site = Site::start().await;
    let mut raw = site.raw("alice").await;
    let (query, create) = (0x18, 0x01);
    for parameters in ["", "; operation=Create", "; action=destroy; charset=utf-8"] {
        for (operation, body) in [(query, wire::query()), (create, wire::create("a key"))] {
            let media_type = format!("application/octet-stream{parameters}");
            raw.send(Post::new(body).set("Content-Type", &media_type).octets()).await;
            let answer = raw.answer().await;
            assert_eq!(answer.result(), (0, None), "{media_type}");
            let told = answer.kmip().at(&[0x0f, 0x5c]).number();
            assert_eq!(told, operation, "the payload alone says what to do");
        }
    }
}

/// proves: SUB-MIME-3
#[tokio::test]
async fn no_message_is_text_whose_line_ends_others_may_change() {
    for card in cards() {
        for of_type in card.request_media_types.iter().chain(&card.response_media_types) {
            assert!(!of_type.essence().starts_with("text/"), "{}: {of_type}", card.name);
        }
        // The octets are those that were sent, whatever ends their lines, both ways.
        let card = in_clear(&card);
        if !card.methods.contains(&http::Method::POST) {
            continue;
        }
        let echoes = Echoes::start(std::slice::from_ref(&card)).await;
        for body in ["a\r\nb\r\n", "a\nb\n", "a\rb\r", "\r\n\n\r", "\u{85}\u{2028}\n"] {
            let answer = echoes.ask(good(&card, body)).await;
            assert_eq!(answer.body, body.as_bytes(), "{}", card.name);
            assert_eq!(echoes.heard()[0].last().unwrap(), body.as_bytes());
        }
    }
    // KMIP's later profile has one: it is there for those who ask for it only.
    let mut profile = HttpsProfile::default();
    assert!(!profile.text_encodings);
    profile.text_encodings = true;
    let types: Vec<_> = profile.card().request_media_types;
    assert!(types.iter().any(|of_type| of_type.essence() == "text/xml"));
    assert_eq!(types[0].essence(), "application/octet-stream", "not what a client sends by itself");
}
