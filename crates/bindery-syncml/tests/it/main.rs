//! The public side of the codec.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests, which a failure ends"
)]

mod arbitrary;
mod codes;
mod documents;
mod hostile;
mod messages;
mod rules;
mod vectors;

use bindery_syncml::{Error, Options, SyncMl, WriteOptions};
use bytes::Bytes;

/// A message of SyncML 1.2 with this body.
fn message(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr>\
         <VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>\
         <Target><LocURI>http://dm.example/dm</LocURI></Target>\
         <Source><LocURI>IMEI:493005100592800</LocURI></Source></SyncHdr><SyncBody>{body}</SyncBody></SyncML>"
    )
}

fn strict(text: &str) -> Result<SyncMl, Error> {
    SyncMl::decode(&Bytes::copy_from_slice(text.as_bytes()), &Options::STRICT)
}

fn lenient(text: &str) -> Result<SyncMl, Error> {
    SyncMl::decode(&Bytes::copy_from_slice(text.as_bytes()), &Options::LENIENT)
}

fn encoded(message: &SyncMl, options: &WriteOptions) -> Bytes {
    let mut buffer = Vec::new();
    message.encode(&mut buffer, options).unwrap();
    buffer.into()
}

/// Reads a message, and checks that both encodings carry it and that its size is known beforehand.
fn both(text: &str) -> SyncMl {
    let message = lenient(text).unwrap();
    for options in [WriteOptions::XML, WriteOptions::WBXML] {
        let written = encoded(&message, &options);
        let again = SyncMl::decode(&written, &Options::LENIENT).unwrap();
        assert_eq!(again, message, "{}", String::from_utf8_lossy(&written));
        assert_eq!(encoded(&again, &options), written);
        assert!(message.encoded_len(&options) >= written.len());
    }
    message
}
