//! Safe calls of libwbxml 0.11.8: its parser alone, WBXML to XML, XML to WBXML.

#![expect(unsafe_code, reason = "calls into C; each says why it is sound")]

use std::ffi::{c_int, c_uchar, c_uint, c_void};
use std::marker::PhantomData;
use std::ptr;

/// What the C side keeps; only pointers to it are held.
#[repr(C)]
struct Opaque {
    _private: [u8; 0],
    _not_shared: PhantomData<*mut u8>,
}

/// `WBXMLContentHandler` of `wbxml_handlers.h`, which Debian does not install: six functions, each of which may be
/// missing.
#[repr(C)]
struct Handler {
    start_document: Option<extern "C" fn(*mut c_void, c_int, *const c_void)>,
    end_document: Option<extern "C" fn(*mut c_void)>,
    start_element: Option<extern "C" fn(*mut c_void, *mut c_void, *mut *mut c_void, c_uchar)>,
    end_element: Option<extern "C" fn(*mut c_void, *mut c_void, c_uchar)>,
    characters: Option<extern "C" fn(*mut c_void, *mut c_uchar, c_uint, c_uint)>,
    instruction: Option<extern "C" fn(*mut c_void, *const c_uchar, *mut c_uchar)>,
}

/// No error.
const OK: c_int = 0;
/// `WBXML_GEN_XML_CANONICAL`: nothing is indented.
const CANONICAL: c_int = 2;
/// `WBXML_VERSION_13`.
const VERSION_1_3: c_int = 3;

// The declarations of wbxml_conv.h and wbxml_parser.h of libwbxml 0.11.8. `WB_ULONG` is `unsigned int` there.
#[link(name = "wbxml2")]
unsafe extern "C" {
    fn wbxml_parser_create() -> *mut Opaque;
    fn wbxml_parser_destroy(parser: *mut Opaque);
    fn wbxml_parser_set_user_data(parser: *mut Opaque, data: *mut c_void);
    fn wbxml_parser_set_content_handler(parser: *mut Opaque, handler: *mut Handler);
    fn wbxml_parser_parse(parser: *mut Opaque, wbxml: *mut c_uchar, length: c_uint) -> c_int;
    fn wbxml_conv_wbxml2xml_create(conv: *mut *mut Opaque) -> c_int;
    fn wbxml_conv_wbxml2xml_set_gen_type(conv: *mut Opaque, kind: c_int);
    fn wbxml_conv_wbxml2xml_enable_preserve_whitespaces(conv: *mut Opaque);
    fn wbxml_conv_wbxml2xml_run(
        conv: *mut Opaque,
        wbxml: *mut c_uchar,
        wbxml_length: c_uint,
        xml: *mut *mut c_uchar,
        xml_length: *mut c_uint,
    ) -> c_int;
    fn wbxml_conv_wbxml2xml_destroy(conv: *mut Opaque);
    fn wbxml_conv_xml2wbxml_create(conv: *mut *mut Opaque) -> c_int;
    fn wbxml_conv_xml2wbxml_set_version(conv: *mut Opaque, version: c_int);
    fn wbxml_conv_xml2wbxml_enable_preserve_whitespaces(conv: *mut Opaque);
    fn wbxml_conv_xml2wbxml_disable_string_table(conv: *mut Opaque);
    fn wbxml_conv_xml2wbxml_run(
        conv: *mut Opaque,
        xml: *mut c_uchar,
        xml_length: c_uint,
        wbxml: *mut *mut c_uchar,
        wbxml_length: *mut c_uint,
    ) -> c_int;
    fn wbxml_conv_xml2wbxml_destroy(conv: *mut Opaque);
    fn wbxml_free(memory: *mut c_void);
}

extern "C" fn start_element(count: *mut c_void, _: *mut c_void, _: *mut *mut c_void, _: c_uchar) {
    add_one(count);
}

extern "C" fn end_element(count: *mut c_void, _: *mut c_void, _: c_uchar) {
    add_one(count);
}

extern "C" fn characters(count: *mut c_void, _: *mut c_uchar, _: c_uint, _: c_uint) {
    add_one(count);
}

fn add_one(count: *mut c_void) {
    // SAFETY: `parse` passes a pointer to its own counter, which lives longer than the parser that calls back.
    if let Some(count) = unsafe { count.cast::<usize>().as_mut() } {
        *count += 1;
    }
}

/// Its parser with callbacks that count, without the tree that its converters build: how many events.
pub fn parse(document: &[u8]) -> Option<usize> {
    let mut count = 0_usize;
    let mut handler = Handler {
        start_document: None,
        end_document: None,
        start_element: Some(start_element),
        end_element: Some(end_element),
        characters: Some(characters),
        instruction: None,
    };
    let length = c_uint::try_from(document.len()).ok()?;
    // SAFETY: counter, handler and document live until the parser is destroyed at the end of the block; the parser
    // copies the document before it looks at it, and does not write to it.
    let status = unsafe {
        let parser = wbxml_parser_create();
        if parser.is_null() {
            return None;
        }
        wbxml_parser_set_user_data(parser, (&raw mut count).cast());
        wbxml_parser_set_content_handler(parser, &raw mut handler);
        let status = wbxml_parser_parse(parser, document.as_ptr().cast_mut(), length);
        wbxml_parser_destroy(parser);
        status
    };
    (status == OK).then_some(count)
}

/// A converter of its, which is used again for each document.
#[derive(Debug)]
pub struct Converter {
    conv: *mut Opaque,
    to_xml: bool,
}

impl Converter {
    /// WBXML to XML without indentation, white space kept.
    pub fn to_xml() -> Option<Self> {
        let mut conv = ptr::null_mut();
        // SAFETY: the function writes a pointer to a new converter, or returns an error.
        let status = unsafe { wbxml_conv_wbxml2xml_create(&raw mut conv) };
        if status != OK || conv.is_null() {
            return None;
        }
        // SAFETY: the converter was just made.
        unsafe {
            wbxml_conv_wbxml2xml_set_gen_type(conv, CANONICAL);
            wbxml_conv_wbxml2xml_enable_preserve_whitespaces(conv);
        }
        Some(Self { conv, to_xml: true })
    }

    /// XML to WBXML 1.3, white space kept, with a string table or without.
    pub fn from_xml(string_table: bool) -> Option<Self> {
        let mut conv = ptr::null_mut();
        // SAFETY: the function writes a pointer to a new converter, or returns an error.
        let status = unsafe { wbxml_conv_xml2wbxml_create(&raw mut conv) };
        if status != OK || conv.is_null() {
            return None;
        }
        // SAFETY: the converter was just made.
        unsafe {
            wbxml_conv_xml2wbxml_set_version(conv, VERSION_1_3);
            wbxml_conv_xml2wbxml_enable_preserve_whitespaces(conv);
            if !string_table {
                wbxml_conv_xml2wbxml_disable_string_table(conv);
            }
        }
        Some(Self { conv, to_xml: false })
    }

    /// Converts a document and hands the result to `look`.
    pub fn run<T>(&mut self, document: &[u8], look: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let length = c_uint::try_from(document.len()).ok()?;
        let (mut out, mut out_length) = (ptr::null_mut::<c_uchar>(), 0);
        let run = if self.to_xml { wbxml_conv_wbxml2xml_run } else { wbxml_conv_xml2wbxml_run };
        // SAFETY: the converter is alive as long as `self`; the document is only read; what comes back is memory of
        // the library's with the length that it says.
        let status = unsafe {
            run(self.conv, document.as_ptr().cast_mut(), length, &raw mut out, &raw mut out_length)
        };
        if status != OK || out.is_null() {
            return None;
        }
        // SAFETY: see above; the memory is freed once, behind its last use.
        unsafe {
            let seen = look(std::slice::from_raw_parts(out, out_length as usize));
            wbxml_free(out.cast());
            Some(seen)
        }
    }
}

impl Drop for Converter {
    fn drop(&mut self) {
        // SAFETY: the converter was made by the same direction's function and is destroyed once.
        unsafe {
            if self.to_xml {
                wbxml_conv_wbxml2xml_destroy(self.conv);
            } else {
                wbxml_conv_xml2wbxml_destroy(self.conv);
            }
        }
    }
}
