//! The server's half of the HTTPS binding, without a socket.

use bindery_core::{
    Body, Bound, Channel, Context, Endpoint, Fault, Note, Notes, Peer, Refusal, Refused,
};
use bindery_kmip::{
    HttpsProfile, KmipHttps,
    message::{Failure, ResponseBatchItem, ResponseMessage},
};
use bindery_ttlv::{
    Options, ProtocolVersion,
    registry::{Operation, ResultReason, ResultStatus},
};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Version, header};

use crate::{
    support::{Answers, body, context, endpoint, endpoint_with, message, post, send, wait},
    wire::{
        create, enumeration, get_response, integer, octets, profile_answer, profile_query,
        profile_too_large, request, request_in, structure, text, version,
    },
};

/// A response that carries no KMIP: no body and no media type.
#[track_caller]
fn assert_refused(response: &Response<Body>, status: StatusCode) {
    assert_eq!(response.status(), status);
    assert!(body(response).is_empty(), "a refusal has no content");
    assert!(!response.headers().contains_key(header::CONTENT_TYPE));
    assert!(response.headers().contains_key("bindery-refusal"));
}

#[track_caller]
fn explanation(response: &Response<Body>) -> &str {
    response.headers()["bindery-refusal"].to_str().unwrap()
}

/// The failure of a response's only item, which has no Operation: the message as a whole.
#[track_caller]
fn whole_failure(response: &Response<Body>) -> Failure {
    assert_eq!(response.status(), StatusCode::OK);
    let message = message(response);
    assert_eq!(message.header.batch_count, 1);
    let [item] = <[ResponseBatchItem; 1]>::try_from(message.batch_items).unwrap();
    assert_eq!(item.operation, None);
    item.failure().unwrap()
}

/// The twelve messages of MSGENC-HTTPS-M-1-10, -11 and -12 (KMIP Additional Message Encodings 1.0,
/// section 3), octet by octet.
///
/// proves: KMIP-S-1, KMIP-S-2, KMIP-S-3
#[test]
fn the_profiles_test_case() {
    for minor in 0..3 {
        let response = send(profile_query(minor, 256));
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/octet-stream");
        assert_eq!(body(&response), profile_too_large(minor, 1_700_000_000));

        let response = send(profile_query(minor, 2048));
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/octet-stream");
        assert_eq!(body(&response), profile_answer(minor, 1_700_000_000));
    }
}

/// proves: KMIP-S-1, KMIP-S-2, KMIP-S-3
#[test]
fn a_kmip_failure_has_status_200() {
    let response = send(create());
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/octet-stream");
    let failure = message(&response).batch_items[0].failure().unwrap();
    assert_eq!(failure.reason, ResultReason::ITEM_NOT_FOUND);
}

/// proves: KMIP-S-5, SUB-CACHE-1
#[test]
fn every_answer_forbids_caching() {
    let cached = |response: Response<Body>| {
        let value = response.headers()[header::CACHE_CONTROL].to_str().unwrap().to_owned();
        let directives: Vec<&str> = value.split(',').map(str::trim).collect();
        assert!(directives.contains(&"no-cache") && directives.contains(&"no-store"), "{value}");
    };
    cached(send(profile_query(0, 2048)));
    cached(send(profile_query(0, 1)));
    cached(send(create()));
    cached(send("no TTLV"));
    cached(send(Vec::new()));
    let mut old = post(profile_query(0, 2048));
    *old.version_mut() = Version::HTTP_10;
    cached(wait(endpoint().respond(&context(), old)));

    let refused = |endpoint: Bound<KmipHttps, Answers>, change: fn(&mut Request<Body>), status| {
        let mut request = post(profile_query(0, 2048));
        change(&mut request);
        let response = wait(endpoint.respond(&context(), request));
        assert_refused(&response, status);
        cached(response);
    };
    let get = |request: &mut Request<Body>| *request.method_mut() = Method::GET;
    refused(endpoint(), get, StatusCode::METHOD_NOT_ALLOWED);
    let xml = |request: &mut Request<Body>| {
        request.headers_mut().insert(header::CONTENT_TYPE, "text/xml".parse().unwrap());
    };
    refused(endpoint(), xml, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let mut small = HttpsProfile::default();
    small.request_body_limit = 128;
    refused(endpoint_with(small), |_| (), StatusCode::PAYLOAD_TOO_LARGE);
}

/// proves: KMIP-TLS-1
#[test]
fn a_peer_without_a_certificate_gets_no_service() {
    let mut cx = context();
    cx.peer = Peer::default();
    let endpoint = endpoint();
    let response = wait(endpoint.respond(&cx, post(profile_query(0, 2048))));
    assert_refused(&response, StatusCode::FORBIDDEN);
}

/// proves: KMIP-TLS-2
#[test]
fn a_request_in_clear_gets_no_kmip_message() {
    let cx = context();
    let clear = Context::new(Channel::Clear, cx.peer, cx.now);
    let response = wait(endpoint().respond(&clear, post(profile_query(0, 2048))));
    assert_refused(&response, StatusCode::FORBIDDEN);
}

/// proves: KMIP-C-5S
#[test]
fn authorization_changes_nothing_and_is_reported() {
    let mut request = post(profile_query(0, 2048));
    request.headers_mut().insert(header::AUTHORIZATION, "Basic QTpC".parse().unwrap());
    let response = wait(endpoint().respond(&context(), request));
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(body(&response), body(&send(profile_query(0, 2048))));
    let Notes(notes) = response.extensions().get::<Notes>().unwrap();
    assert_eq!(notes.as_slice(), [Note::ForbiddenHeader(header::AUTHORIZATION)]);
}

/// proves: KMIP-OPT-3
#[test]
fn a_length_is_needed_in_http_1_0_only() {
    let mut chunked = post(profile_query(0, 2048));
    chunked.headers_mut().remove(header::CONTENT_LENGTH);
    let response = wait(endpoint().respond(&context(), chunked));
    assert_eq!(response.status(), StatusCode::OK);

    let mut old = post(profile_query(0, 2048));
    *old.version_mut() = Version::HTTP_10;
    old.headers_mut().remove(header::CONTENT_LENGTH);
    let response = wait(endpoint().respond(&context(), old));
    assert_refused(&response, StatusCode::BAD_REQUEST);
}

/// The sample request of the profile's test case: HTTP/1.0, Pragma, spaces behind Content-Length.
#[test]
fn the_sample_request_of_the_profile_is_taken() {
    let mut request = post(profile_query(0, 2048));
    *request.version_mut() = Version::HTTP_10;
    let headers = request.headers_mut();
    headers.insert(header::PRAGMA, "no-cache".parse().unwrap());
    headers.insert(header::CACHE_CONTROL, "no-cache".parse().unwrap());
    headers.insert(header::CONNECTION, "keep-alive".parse().unwrap());
    headers.insert(header::CONTENT_LENGTH, "152       ".parse().unwrap());
    let response = wait(endpoint().respond(&context(), request));
    assert_eq!(response.status(), StatusCode::OK);
}

/// proves: KMIP-S-1, KMIP-S-2
#[test]
fn what_is_not_the_profiles_is_refused_without_content() {
    let refused = |change: fn(&mut Request<Body>), status| {
        let mut request = post(profile_query(0, 2048));
        change(&mut request);
        let response = wait(endpoint().respond(&context(), request));
        assert_refused(&response, status);
        response
    };
    let response = refused(|r| *r.method_mut() = Method::GET, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[header::ALLOW], "POST");
    let wrong = |r: &mut Request<Body>| {
        r.headers_mut().insert(header::CONTENT_TYPE, "text/xml".parse().unwrap());
    };
    refused(wrong, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let missing = |r: &mut Request<Body>| {
        r.headers_mut().remove(header::CONTENT_TYPE);
    };
    refused(missing, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let coded = |r: &mut Request<Body>| {
        r.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
    };
    refused(coded, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let endpoint = endpoint();
    assert_refused(
        &endpoint.refuse(&context(), None, &Refusal::Internal),
        StatusCode::INTERNAL_SERVER_ERROR,
    );
}

/// proves: KMIP-S-1, KMIP-S-2
#[test]
fn a_body_that_frames_no_request_is_refused_with_the_place() {
    let two = [profile_query(0, 2048), profile_query(0, 2048)].concat();
    let trailing = [profile_query(0, 2048), vec![0; 8]].concat();
    let mut short = profile_query(0, 2048);
    short.truncate(100);
    let mut huge = profile_query(0, 2048);
    huge[4..8].copy_from_slice(&0xffff_fff8_u32.to_be_bytes());
    let bodies = [
        (Vec::new(), "empty"),
        (b"GET / HTTP/1.1\r\n".to_vec(), "tag"),
        (get_response(&[1; 32]), "RequestMessage"),
        (short, "ends after 100"),
        (two, "152 bytes follow"),
        (trailing, "8 bytes follow"),
        (huge, "needs 4294967296 bytes"),
        (integer(0x78, 1), "Structure"),
        (structure(0x78, []), "RequestHeader"),
        (structure(0x78, [structure(0x77, [])]), "ProtocolVersion"),
    ];
    for (octets, said) in bodies {
        let response = send(octets);
        assert_refused(&response, StatusCode::BAD_REQUEST);
        assert!(explanation(&response).contains("offset"), "{}", explanation(&response));
        assert!(explanation(&response).contains(said), "{said}: {}", explanation(&response));
        let Refused(refusal) = response.extensions().get::<Refused>().unwrap();
        assert_eq!(refusal.fault(), Fault::MalformedBody);
    }
}

/// proves: KMIP-S-1
#[test]
fn a_message_that_is_faulty_behind_its_header_is_answered_in_kmip() {
    let header = || structure(0x77, [version(2), integer(0x0d, 1)]);
    // An item without an operation, an item that is a number, a text with a wrong length inside.
    let lacking = structure(0x78, [header(), structure(0x0f, [structure(0x79, [])])]);
    let number = structure(0x78, [header(), integer(0x0f, 1)]);
    let mut broken = request_in(version(2), 0x14, &[text(0x94, "12345678")]);
    let at = broken.len() - 12;
    broken[at..at + 4].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
    for octets in [lacking, number, broken] {
        let response = send(octets);
        let failure = whole_failure(&response);
        assert_eq!(failure.reason, ResultReason::INVALID_MESSAGE);
        assert!(failure.message.unwrap().contains("offset"));
        let header = message(&response).header;
        assert_eq!(header.protocol_version, ProtocolVersion::V1_2);
        assert_eq!(header.time_stamp.0, 1_700_000_000);
        assert!(response.extensions().get::<Refused>().is_some(), "the log is told");
    }
}

#[test]
fn a_message_whose_header_cannot_be_read_is_told_which_versions_are_spoken() {
    // A header of KMIP 3.0 whose Batch Count is of another type.
    let three = structure(0x69, [integer(0x6a, 3), integer(0x6b, 0)]);
    let header = structure(0x77, [three, enumeration(0x0d, 1)]);
    let item = [enumeration(0x5c, 0x18), structure(0x79, [enumeration(0x74, 1)])];
    let response = send(structure(0x78, [header, structure(0x0f, item)]));
    let failure = whole_failure(&response);
    assert_eq!(failure.reason, ResultReason::INVALID_MESSAGE);
    let said = failure.message.unwrap();
    assert!(said.contains("3.0 is not spoken here; use 1.0 to 1.4, 2.0 or 2.1"), "{said}");
    assert_eq!(message(&response).header.protocol_version, ProtocolVersion::V1_4);
}

#[test]
fn the_correlation_value_of_a_faulty_message_is_repeated() {
    let header = structure(0x77, [version(4), text(0x105, "call 7"), integer(0x0d, 1)]);
    let octets = structure(0x78, [header, structure(0x0f, [structure(0x79, [])])]);
    let Some(value) = message(&send(octets)).header.client_correlation_value else { panic!() };
    assert_eq!(value, "call 7");
}

/// Every cut of a request: refused, and never a KMIP message that says success.
#[test]
fn every_truncation_is_answered() {
    for whole in [create(), profile_query(1, 2048)] {
        for end in 0..whole.len() {
            let response = send(&whole[..end]);
            assert_refused(&response, StatusCode::BAD_REQUEST);
        }
        // The same with an outer length that fits what is left: the header decides.
        for end in (8..whole.len()).step_by(8) {
            let mut cut = whole[..end].to_vec();
            let length = u32::try_from(end - 8).unwrap();
            cut[4..8].copy_from_slice(&length.to_be_bytes());
            let response = send(cut);
            match response.status() {
                StatusCode::OK => {
                    let items = message(&response).batch_items;
                    let done =
                        |item: &ResponseBatchItem| item.result_status == ResultStatus::SUCCESS;
                    assert!(!items.iter().any(done), "{end}");
                }
                _ => assert_refused(&response, StatusCode::BAD_REQUEST),
            }
        }
    }
}

#[test]
fn deep_and_many_items_are_bounded() {
    let mut deep = Vec::new();
    for left in (0..100_000_u32).rev() {
        deep.extend([0x42, 0x00, 0x79, 0x01]);
        deep.extend((left * 8).to_be_bytes());
    }
    let header = structure(0x77, [version(4), integer(0x0d, 1)]);
    let item = structure(0x0f, [enumeration(0x5c, 0x0a), deep]);
    let response = send(structure(0x78, [header, item]));
    let failure = whole_failure(&response);
    assert!(failure.message.unwrap().contains("limit depth"));
}

/// A batch whose answer does not fit: the longest item makes room, the others are told.
#[test]
fn a_long_answer_makes_room_for_the_short_ones() {
    let item = |id: &[u8], operation, payload: Vec<u8>| {
        structure(
            0x0f,
            [enumeration(0x5c, operation), octets(0x93, id), structure(0x79, [payload])],
        )
    };
    let batch = |maximum| {
        let header = [version(4), integer(0x50, maximum), integer(0x0d, 3)];
        structure(
            0x78,
            [
                structure(0x77, header),
                item(b"a", 0x0c, text(0x94, "1")),
                item(b"b", 0x18, enumeration(0x74, 1)),
                item(b"c", 0x0c, text(0x94, "2")),
            ],
        )
    };
    let statuses = |response: &ResponseMessage| {
        response.batch_items.iter().map(|item| item.result_status).collect::<Vec<_>>()
    };
    let (ok, failed) = (ResultStatus::SUCCESS, ResultStatus::OPERATION_FAILED);
    let whole = message(&send(batch(4096)));
    assert_eq!(statuses(&whole), [ok, ok, ok]);
    let length = i32::try_from(whole.encode().unwrap().len()).unwrap();
    assert_eq!(statuses(&message(&send(batch(length)))), [ok, ok, ok]);

    let response = send(batch(length - 1));
    let told = message(&response);
    assert_eq!(statuses(&told), [ok, failed, ok]);
    assert_eq!(told.batch_items[1].operation, Some(Operation::QUERY));
    assert_eq!(told.batch_items[1].unique_batch_item_id.as_deref(), Some(&b"b"[..]));
    assert_eq!(told.batch_items[1].failure().unwrap(), Failure::response_too_large());
    assert!(body(&response).len() < usize::try_from(length).unwrap());

    for nothing in [0, 8, -1, i32::MIN] {
        assert_eq!(statuses(&message(&send(batch(nothing)))), [failed, failed, failed]);
    }
}

#[test]
fn the_path_is_kmip_unless_configured() {
    assert_eq!(endpoint().profile().default_path, "/kmip");
    let mut profile = HttpsProfile::default();
    profile.path = "/keys/kmip".into();
    assert_eq!(endpoint_with(profile).profile().default_path, "/keys/kmip");
}

#[test]
fn the_port_for_requests_is_documented() {
    let profile = bindery_kmip::profile();
    let port = profile.ports.iter().find(|port| port.purpose == "requests").unwrap();
    assert_eq!(port.number, 5696);
}

#[test]
fn the_body_limit_is_the_deployments() {
    let mut profile = HttpsProfile::default();
    profile.request_body_limit = 128;
    let response = wait(endpoint_with(profile).respond(&context(), post(profile_query(0, 2048))));
    assert_refused(&response, StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn an_unknown_operation_is_answered_in_its_own_item() {
    let response = send(request(0x7f, &[text(0x94, "1")]));
    assert_eq!(response.status(), StatusCode::OK);
    let item = &message(&response).batch_items[0];
    assert_eq!(item.operation, Some(Operation(0x7f)));
    assert_eq!(item.result_reason, Some(ResultReason::OPERATION_NOT_SUPPORTED));
}

#[test]
fn compression_is_off_unless_chosen() {
    assert!(bindery_kmip::profile().response_codings.is_empty());
    let mut profile = HttpsProfile::default();
    profile.compress_responses = true;
    assert_eq!(profile.card().response_codings.len(), 2);
}

#[test]
fn large_bodies_are_not_copied_on_their_way_in() {
    let opaque = structure(0x5b, [enumeration(0x59, 0x8000_0001), octets(0x5a, &[7; 100_000])]);
    let octets = Bytes::from(request(3, &[enumeration(0x57, 8), structure(0x91, []), opaque]));
    let endpoint = endpoint();
    let mut request = post(Vec::new());
    request.headers_mut().remove(header::CONTENT_LENGTH);
    *request.body_mut() = Body::from(octets.clone());
    let response = wait(endpoint.respond(&context(), request));
    assert_eq!(response.status(), StatusCode::OK);
}

fn in_text() -> Bound<KmipHttps, Answers> {
    let mut profile = HttpsProfile::default();
    profile.text_encodings = true;
    endpoint_with(profile)
}

fn post_as(media_type: &str, body: impl Into<Vec<u8>>) -> Request<Body> {
    let mut request = post(body);
    request.headers_mut().insert(header::CONTENT_TYPE, media_type.parse().unwrap());
    request
}

/// A message in the encoding of a media type.
fn text_of(media_type: &str, message: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let written = match media_type {
        "text/xml" => bindery_ttlv::to_xml(message, &Options::STRICT, &mut text),
        _ => bindery_ttlv::to_json(message, &Options::STRICT, &mut text),
    };
    written.unwrap();
    text
}

fn binary_of(media_type: &str, text: &[u8]) -> Bytes {
    let mut message = Vec::new();
    let read = match media_type {
        "text/xml" => bindery_ttlv::from_xml(text, &Options::STRICT, &mut message),
        _ => bindery_ttlv::from_json(text, &Options::STRICT, &mut message),
    };
    read.unwrap();
    message.into()
}

#[test]
fn requests_in_text_are_answered_in_the_same_encoding_with_the_same_message() {
    for media_type in ["text/xml", "application/json"] {
        for message in [profile_query(1, 2048), create(), request(0x7f, &[text(0x94, "1")])] {
            let asked =
                post_as(&format!("{media_type}; charset=utf-8"), text_of(media_type, &message));
            let answer = wait(in_text().respond(&context(), asked));
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.headers()[header::CONTENT_TYPE], media_type);
            assert_eq!(binary_of(media_type, &body(&answer)), body(&send(message)));
        }
    }
    // Binary stays what it was.
    let answer = wait(in_text().respond(&context(), post(profile_query(1, 2048))));
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/octet-stream");
    assert_eq!(body(&answer), body(&send(profile_query(1, 2048))));
}

#[test]
fn text_is_refused_unless_it_is_allowed() {
    for media_type in ["text/xml", "application/json"] {
        let asked = post_as(media_type, text_of(media_type, &profile_query(1, 2048)));
        let refused = wait(endpoint().respond(&context(), asked));
        assert_refused(&refused, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}

#[test]
fn sizes_are_those_of_binary_ttlv_in_every_encoding() {
    for media_type in ["text/xml", "application/json"] {
        // The answer has 200 octets or so in binary, and far more in text.
        let asked = post_as(media_type, text_of(media_type, &profile_query(1, 256)));
        let answer = wait(in_text().respond(&context(), asked));
        assert_eq!(binary_of(media_type, &body(&answer)), profile_too_large(1, 1_700_000_000));
        let whole = body(&send(profile_query(1, 2048))).len();
        let maximum = i32::try_from(whole).unwrap();
        let asked = post_as(media_type, text_of(media_type, &profile_query(1, maximum)));
        let answer = wait(in_text().respond(&context(), asked));
        assert!(body(&answer).len() > whole, "the text is longer than the maximum");
        assert_eq!(binary_of(media_type, &body(&answer)).len(), whole);
    }
}

#[test]
fn text_that_is_no_message_is_refused_with_its_place() {
    for (media_type, text, place) in [
        ("text/xml", "<RequestMessage>\n<Nonsense/></RequestMessage>", "line 2, column 1"),
        ("text/xml", "no XML", "XML"),
        ("application/json", "{\"tag\":\n\"Nonsense\"}", "line 2, column 1"),
        ("application/json", "", "JSON"),
    ] {
        let refused = wait(in_text().respond(&context(), post_as(media_type, text)));
        assert_refused(&refused, StatusCode::BAD_REQUEST);
        assert!(explanation(&refused).contains(place), "{}", explanation(&refused));
    }
    // What is TTLV and no request of KMIP is answered as in binary.
    let missing = "<RequestMessage><RequestHeader><ProtocolVersion><ProtocolVersionMajor type='Integer' value='1'/>\
        <ProtocolVersionMinor type='Integer' value='2'/></ProtocolVersion></RequestHeader></RequestMessage>";
    let answer = wait(in_text().respond(&context(), post_as("text/xml", missing)));
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/xml");
    let message = ResponseMessage::decode(&binary_of("text/xml", &body(&answer)), &Options::STRICT);
    let message = message.unwrap();
    assert_eq!(message.header.protocol_version, ProtocolVersion::V1_2);
    assert_eq!(message.batch_items[0].result_reason, Some(ResultReason::INVALID_MESSAGE));
}
