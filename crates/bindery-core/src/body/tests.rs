use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::{Body, BodyError};

/// A stream of prepared frames; it is pending once before each of them, and claims the size that
/// the test gives.
struct Pieces {
    frames: VecDeque<Result<Frame<Bytes>, BodyError>>,
    hint: SizeHint,
    ready: bool,
}

impl Pieces {
    fn new<const N: usize>(frames: [Result<Frame<Bytes>, BodyError>; N]) -> Self {
        Self { frames: frames.into(), hint: SizeHint::default(), ready: false }
    }

    fn claiming(mut self, hint: SizeHint) -> Self {
        self.hint = hint;
        self
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.ready = !self.ready;
        if self.ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.frames.pop_front())
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

fn data(octets: &'static [u8]) -> Result<Frame<Bytes>, BodyError> {
    Ok(Frame::data(Bytes::from_static(octets)))
}

fn collect(body: Body, limit: u64) -> Result<Bytes, BodyError> {
    let mut future = std::pin::pin!(body.collect(limit));
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if let Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return done;
        }
    }
    panic!("the body never ended");
}

fn is_too_large(result: &Result<Bytes, BodyError>, expected: u64) -> bool {
    matches!(result, Err(BodyError::TooLarge { limit }) if *limit == expected)
}

#[test]
fn a_whole_body_is_handed_on_without_a_copy() {
    let bytes = Bytes::from(vec![7; 100]);
    let collected = collect(bytes.clone().into(), 100).unwrap();
    assert_eq!(collected.as_ptr(), bytes.as_ptr());
    assert_eq!(collected.len(), 100);
}

#[test]
fn one_piece_is_handed_on_without_a_copy() {
    let bytes = Bytes::from(vec![7; 100]);
    let empty = || data(b"");
    let pieces = Pieces::new([empty(), Ok(Frame::data(bytes.clone())), empty()]);
    let collected = collect(Body::stream(pieces), 100).unwrap();
    assert_eq!(collected.as_ptr(), bytes.as_ptr());
    assert_eq!(collected.len(), 100);
}

#[test]
fn many_pieces_are_joined_in_order() {
    let pieces = Pieces::new([data(b"ab"), data(b""), data(b"c"), data(b"def")]);
    assert_eq!(collect(Body::stream(pieces), 6).unwrap(), "abcdef");
}

#[test]
fn trailers_are_no_content() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    let pieces = Pieces::new([data(b"ab"), Ok(Frame::trailers(trailers))]);
    assert_eq!(collect(Body::stream(pieces), 2).unwrap(), "ab");
}

#[test]
fn the_limit_itself_is_allowed_and_one_octet_more_is_not() {
    let whole = || Body::from(b"abcd".to_vec());
    assert_eq!(collect(whole(), 4).unwrap(), "abcd");
    assert!(is_too_large(&collect(whole(), 3), 3));
    let stream = || Body::stream(Pieces::new([data(b"ab"), data(b"cd")]));
    assert_eq!(collect(stream(), 4).unwrap(), "abcd");
    assert!(is_too_large(&collect(stream(), 3), 3));
    assert!(is_too_large(&collect(stream(), 0), 0));
    assert_eq!(collect(Body::empty(), 0).unwrap(), "");
    assert_eq!(collect(Body::stream(Pieces::new([])), 0).unwrap(), "");
}

#[test]
fn nothing_is_read_after_the_limit_was_passed() {
    let broken = Err(BodyError::Timeout("read after the limit"));
    let stream = Body::stream(Pieces::new([data(b"ab"), data(b"cd"), broken]));
    assert!(is_too_large(&collect(stream, 3), 3));
}

#[test]
fn a_declared_length_over_the_limit_is_refused_before_anything_is_read() {
    let unread = Err(BodyError::Timeout("read although too long"));
    let stream = Pieces::new([unread]).claiming(SizeHint::with_exact(5));
    assert!(is_too_large(&collect(Body::stream(stream), 4), 4));
}

#[test]
fn a_declared_length_is_not_believed() {
    // Less than declared: whether that is a fault is for the framing below to say.
    let short = Pieces::new([data(b"ab")]).claiming(SizeHint::with_exact(4));
    assert_eq!(collect(Body::stream(short), 4).unwrap(), "ab");
    // More than declared counts in full.
    let long = Pieces::new([data(b"ab"), data(b"cd")]).claiming(SizeHint::with_exact(1));
    assert!(is_too_large(&collect(Body::stream(long), 3), 3));
    // Nothing is set aside for a length that only might come: this would be 16 EiB.
    let mut hint = SizeHint::new();
    hint.set_upper(u64::MAX);
    let open = Pieces::new([data(b"ab"), data(b"cd")]).claiming(hint);
    assert_eq!(collect(Body::stream(open), u64::MAX).unwrap(), "abcd");
    let claimed = Pieces::new([data(b"ab"), data(b"cd")]).claiming(SizeHint::with_exact(u64::MAX));
    assert_eq!(collect(Body::stream(claimed), u64::MAX).unwrap(), "abcd");
}

#[test]
fn an_error_is_passed_on_and_never_taken_for_the_end() {
    let cut = || Err(BodyError::Incomplete("connection reset".into()));
    for frames in [Pieces::new([cut()]), Pieces::new([data(b"ab"), cut(), data(b"cd")])] {
        let error = collect(Body::stream(frames), 100).unwrap_err();
        assert!(matches!(error, BodyError::Incomplete(_)), "{error:?}");
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "connection reset");
    }
    let late = Body::stream(Pieces::new([data(b"a"), Err(BodyError::Timeout("10 s"))]));
    assert!(matches!(collect(late, 100), Err(BodyError::Timeout("10 s"))));
    let coded = Body::stream(Pieces::new([Err(BodyError::Coding("bad gzip".to_owned()))]));
    assert!(matches!(collect(coded, 100), Err(BodyError::Coding(reason)) if reason == "bad gzip"));
}

#[test]
fn debug_shows_no_content() {
    let whole = format!("{:?}", Body::from("secret key".to_owned()));
    assert_eq!(whole, "Body(10 octets)");
    let stream = format!("{:?}", Body::stream(Pieces::new([data(b"secret key")])));
    assert_eq!(stream, "Body(stream)");
    let request = http::Request::new(Body::from("secret key".to_owned()));
    assert!(!format!("{request:?}").contains("secret"));
}

#[test]
fn bytes_are_at_hand_only_in_a_whole_body() {
    let mut whole = Body::from("abc".to_owned());
    assert_eq!(whole.as_bytes().unwrap(), "abc");
    assert_eq!(whole.size_hint().exact(), Some(3));
    assert!(!whole.is_end_stream());
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut whole).poll_frame(&mut cx) else {
        panic!("a whole body is ready at once")
    };
    assert_eq!(frame.into_data().unwrap(), "abc");
    assert!(matches!(Pin::new(&mut whole).poll_frame(&mut cx), Poll::Ready(None)));
    assert!(whole.is_end_stream());

    let stream = Body::stream(Pieces::new([data(b"abc")]).claiming(SizeHint::with_exact(3)));
    assert!(stream.as_bytes().is_none());
    assert_eq!(stream.size_hint().exact(), Some(3));
    let stream = stream.into_bytes().unwrap_err();
    assert_eq!(collect(stream, 3).unwrap(), "abc");
    assert_eq!(Body::from("abc".to_owned()).into_bytes().unwrap(), "abc");
}

#[test]
fn a_limited_body_ends_with_the_error_and_passes_what_fits() {
    let frames = || Pieces::new([data(b"abc"), data(b"de"), data(b"f")]);
    assert_eq!(collect(Body::stream(frames()).limited(6), 100).unwrap(), "abcdef");
    for limit in 0..6 {
        let error = collect(Body::stream(frames()).limited(limit), 100).unwrap_err();
        assert!(matches!(error, BodyError::TooLarge { limit: told } if told == limit), "{error}");
    }
    let whole = || Body::from("abcdef".to_owned());
    assert!(whole().limited(6).as_bytes().is_some(), "a whole body that fits stays whole");
    assert!(matches!(collect(whole().limited(5), 100), Err(BodyError::TooLarge { limit: 5 })));

    let mut body = std::pin::pin!(Body::stream(frames()).limited(4));
    let mut cx = Context::from_waker(Waker::noop());
    let mut told = Vec::new();
    loop {
        match body.as_mut().poll_frame(&mut cx) {
            Poll::Pending => {}
            Poll::Ready(None) => break,
            Poll::Ready(Some(frame)) => told.push(frame.is_ok()),
        }
    }
    assert_eq!(told, [true, false], "nothing follows the error");
    assert!(body.is_end_stream());
}
