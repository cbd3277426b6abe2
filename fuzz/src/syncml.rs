//! Targets of bindery-syncml.

use bindery_syncml::{Document, Options, SyncMl, WriteOptions};
use bytes::Bytes;

fn write(document: &Document, options: &WriteOptions) -> Option<Bytes> {
    let mut buffer = Vec::new();
    document.encode(&mut buffer, options).ok().map(|()| buffer.into())
}

/// Any octets, strictly and leniently: no panic; what is strictly a message is the same one leniently.
pub fn decode(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let strict = Document::decode(&bytes, &Options::STRICT);
    let lenient = Document::decode(&bytes, &Options::LENIENT);
    if let Ok(strict) = strict {
        assert_eq!(lenient.as_ref(), Ok(&strict), "lenient reading differs");
    }
    if let Err(error) = &lenient {
        assert!(!error.to_string().is_empty());
    }
    if let Ok(Document::SyncMl(message)) = &lenient {
        assert_eq!(SyncMl::decode(&bytes, &Options::LENIENT).as_ref(), Ok(&**message));
    }
}

/// What was read and written in its own encoding is read again as the same, and its size is known beforehand.
pub fn decode_encode_decode(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let Ok(document) = Document::decode(&bytes, &Options::LENIENT) else { return };
    for options in [WriteOptions::WBXML, WriteOptions::XML] {
        let Some(written) = write(&document, &options) else { continue };
        let again = Document::decode(&written, &Options::LENIENT);
        assert_eq!(again.as_ref(), Ok(&document), "{options:?} {written:?}");
        assert_eq!(write(&document, &options).as_ref(), Some(&written));
        if let Document::SyncMl(message) = &document {
            assert!(message.encoded_len(&options) >= written.len(), "{options:?} {written:?}");
        }
    }
}

/// XML, typed, WBXML, typed: the same, unless WBXML cannot carry it.
pub fn across(data: &[u8]) {
    let xml = Bytes::copy_from_slice(data);
    let Ok(document) = Document::decode(&xml, &Options::LENIENT) else { return };
    let Some(wbxml) = write(&document, &WriteOptions::WBXML) else { return };
    let again = Document::decode(&wbxml, &Options::LENIENT);
    assert_eq!(again.as_ref(), Ok(&document), "{wbxml:?}");
    let Some(xml) = write(&document, &WriteOptions::XML) else { return };
    assert_eq!(Document::decode(&xml, &Options::LENIENT).as_ref(), Ok(&document), "{xml:?}");
}
