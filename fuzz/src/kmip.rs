//! KMIP's typed messages: what holds for any octets.

use bindery_kmip::message::{RequestMessage, ResponseMessage};
use bindery_ttlv::Options;
use bytes::Bytes;

/// A message that is read is written: strictly read as it was, leniently read in a form that stays the same.
pub fn typed(data: &[u8]) {
    let octets = Bytes::copy_from_slice(data);
    for options in [Options::STRICT, Options::LENIENT] {
        if let Ok(message) = RequestMessage::decode(&octets, &options) {
            let written = message.encode().expect("as short as before");
            if options == Options::STRICT {
                assert_eq!(written, octets, "a strict request is written as it was");
            }
            let again =
                RequestMessage::decode(&written, &options).expect("what was written is read");
            assert_eq!(again.encode().expect("as short"), written, "writing is stable");
            // Shown in logs: it must not fall over.
            assert!(!format!("{message:?}").is_empty());
        }
        if let Ok(message) = ResponseMessage::decode(&octets, &options) {
            let written = message.encode().expect("as short as before");
            if options == Options::STRICT {
                assert_eq!(written, octets, "a strict response is written as it was");
            }
            let again =
                ResponseMessage::decode(&written, &options).expect("what was written is read");
            assert_eq!(again.encode().expect("as short"), written, "writing is stable");
        }
    }
}
