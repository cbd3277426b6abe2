use bindery_kmip::message::{RequestMessage, ResponseMessage};
use bindery_ttlv::Options;

use super::*;

#[test]
fn requests_have_the_sizes_of_the_baseline_and_decode_to_themselves() {
    for (message, size) in [
        (query_request(), 136),
        (create_request(), 368),
        (register_opaque_request(), LARGE + 232),
        (register_key_request(), LARGE + 280),
    ] {
        let octets = message.encode().unwrap();
        assert_eq!(octets.len(), size);
        let decoded = RequestMessage::decode(&octets, &Options::STRICT).unwrap();
        assert!(decoded == message, "the request of {size} octets decodes to something else");
    }
}

#[test]
fn responses_have_the_sizes_of_the_baseline_and_decode_to_themselves() {
    for (message, size) in [
        (create_response(), 200),
        (get_response(), 312),
        (locate_response(), 48_136),
        (get_large_response(), LARGE + 280),
    ] {
        let octets = message.encode().unwrap();
        assert_eq!(octets.len(), size);
        let decoded = ResponseMessage::decode(&octets, &Options::STRICT).unwrap();
        assert!(decoded == message, "the response of {size} octets decodes to something else");
    }
}

#[test]
fn the_peer_encodes_the_same_octets() {
    for (ours, peers) in [
        (query_request(), peer::query_request()),
        (create_request(), peer::create_request()),
        (register_key_request(), peer::register_key_request()),
    ] {
        let (ours, peers) = (ours.encode().unwrap(), peer::encode(&peers).unwrap());
        assert!(ours == peers, "the requests of {} and {} octets differ", ours.len(), peers.len());
    }
}

#[test]
fn the_peer_decodes_the_same_values() {
    for (ours, peers) in [
        (create_response(), peer::create_response()),
        (get_response(), peer::get_response()),
        (locate_response(), peer::locate_response()),
        (get_large_response(), peer::get_large_response()),
    ] {
        let octets = ours.encode().unwrap();
        assert!(peer::decode(&octets).unwrap() == peers, "of {} octets", octets.len());
    }
}
