//! The server's half of the TLS binding, without a socket.

use bindery_core::{Channel, Context, Fault, Peer, Refusal, StreamEndpoint};
use bindery_kmip::{HttpsProfile, KmipHttps, KmipTls, message::ResponseMessage};
use bindery_ttlv::{
    HEADER_LENGTH, Options, ProtocolVersion,
    registry::{ResultReason, ResultStatus},
};
use bytes::Bytes;

use crate::{
    support::{Answers, body, context, send, wait},
    wire::{create, integer, profile_query, request, request_in, structure, text},
};

fn binding() -> KmipTls<Answers> {
    KmipTls::new(&KmipHttps::default(), Answers::default())
}

fn ask(cx: &Context, octets: impl Into<Bytes>) -> ResponseMessage {
    let answer = wait(binding().respond(cx, &octets.into()));
    ResponseMessage::decode(&answer, &Options::STRICT).unwrap()
}

/// The failure of the message as a whole, and the version that it is told in.
#[track_caller]
fn whole_failure(message: &ResponseMessage) -> (ResultReason, ProtocolVersion) {
    let [item] = message.batch_items.as_slice() else { panic!("{message:?}") };
    assert_eq!((item.operation, item.result_status), (None, ResultStatus::OPERATION_FAILED));
    (item.result_reason.unwrap(), message.header.protocol_version)
}

#[test]
fn the_answers_are_those_of_https() {
    for octets in [
        profile_query(0, 2048),
        profile_query(2, 256),
        create(),
        request(0x1f, &[text(0x94, "1")]),
        request_in(structure(0x69, [integer(0x6a, 2), integer(0x6b, 0)]), 0x18, &[]),
    ] {
        let answer = wait(binding().respond(&context(), &Bytes::from(octets.clone())));
        assert_eq!(answer, body(&send(octets)));
    }
}

#[test]
fn who_has_no_certificate_or_no_account_is_told_so_in_kmip() {
    let (query, good) = (profile_query(1, 2048), context());
    let mut nobody = good.clone();
    nobody.principal = None;
    let mut bare = good.clone();
    bare.peer = Peer::default();
    let clear = Context::new(Channel::Clear, good.peer, good.now);
    for cx in [nobody, bare, clear] {
        let told = whole_failure(&ask(&cx, query.clone()));
        assert_eq!(told, (ResultReason::AUTHENTICATION_NOT_SUCCESSFUL, ProtocolVersion::V1_1));
    }
}

#[test]
fn what_cannot_be_read_is_answered_as_far_as_its_header_tells() {
    let mut truncated = profile_query(2, 2048);
    let length = truncated.len();
    // The last item's length says more than there is.
    truncated[length - 9] = 0xff;
    let told = whole_failure(&ask(&context(), truncated));
    assert_eq!(told, (ResultReason::INVALID_MESSAGE, ProtocolVersion::V1_2));
    let empty = &[0x42, 0, 0x78, 1, 0, 0, 0, 0][..];
    let told = whole_failure(&ask(&context(), empty));
    assert_eq!(told, (ResultReason::INVALID_MESSAGE, ProtocolVersion::V1_0));
}

#[test]
fn the_head_tells_the_length_within_the_limit_of_requests() {
    let mut profile = HttpsProfile::default();
    profile.request_body_limit = 128;
    let binding = KmipTls::new(&KmipHttps::new(profile), Answers::default());
    let head = |length: u32| {
        let mut head = vec![0x42, 0, 0x78, 1];
        head.extend(length.to_be_bytes());
        head
    };
    assert_eq!(binding.head_length(), HEADER_LENGTH);
    assert_eq!(binding.message_length(&head(120)), Ok(128));
    assert_eq!(binding.message_length(&head(128)), Err(Refusal::BodyTooLarge { limit: 128 }));
    let other = binding.message_length(b"POST /km").unwrap_err();
    assert_eq!(other.fault(), Fault::MalformedBody);
    assert!(head(0).starts_with(binding.opening()));
}

#[test]
fn refusals_from_outside_have_kmips_words() {
    let refused = |octets: &[u8], refusal: Refusal| {
        let octets = Bytes::copy_from_slice(octets);
        binding().refuse(&context(), &octets, &refusal)
    };
    let told = |octets: &[u8], refusal| {
        let answer = refused(octets, refusal).unwrap();
        whole_failure(&ResponseMessage::decode(&answer, &Options::STRICT).unwrap())
    };
    let query = profile_query(2, 2048);
    let (v1_2, v1_0) = (ProtocolVersion::V1_2, ProtocolVersion::V1_0);
    assert_eq!(told(&query, Refusal::Overloaded), (ResultReason::GENERAL_FAILURE, v1_2));
    assert_eq!(told(&query, Refusal::Forbidden), (ResultReason::PERMISSION_DENIED, v1_2));
    let unidentified = Refusal::Unidentified { reason: "no account".to_owned() };
    assert_eq!(
        told(&query, unidentified.clone()),
        (ResultReason::AUTHENTICATION_NOT_SUCCESSFUL, v1_2)
    );
    // Only its beginning has come.
    let large = Refusal::BodyTooLarge { limit: 128 };
    assert_eq!(told(&query[..8], large.clone()), (ResultReason::INVALID_MESSAGE, v1_0));
    // Something else gets no KMIP.
    assert_eq!(refused(b"GET / HTTP/1.1", large), None);
    assert_eq!(refused(b"", unidentified), None);
}
