//! A target of bindery-transport: the head of a request, against a server that is mounted in another stack.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use bindery_core::{
    Body, Bound, ContentCoding, Context, Decoded, Handler, MediaType, Peer, Profile, Scheme,
    ServerBinding,
};
use bindery_transport::{Mounted, Router, Server};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Version, header};
use http_body::Body as _;
use tower_service::Service as _;

#[derive(Debug)]
struct Echo(Profile);

impl ServerBinding for Echo {
    type Request = Bytes;
    type Response = Bytes;
    type Reply = ();

    fn profile(&self) -> &Profile {
        &self.0
    }

    fn decode_request(&self, _: &Context, request: Request<Body>) -> Decoded<Bytes, ()> {
        Ok((request.into_body().into_bytes().unwrap_or_default(), ()))
    }

    fn encode_response(&self, _: &Context, (): (), message: Bytes) -> Response<Body> {
        let mut response = Response::new(Body::from(message));
        let octets = HeaderValue::from_static("application/octet-stream");
        response.headers_mut().insert(header::CONTENT_TYPE, octets);
        response
    }
}

#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl Handler<Bytes> for Counting {
    type Response = Bytes;

    async fn handle(&self, _: &Context, message: Bytes) -> Bytes {
        self.0.fetch_add(1, SeqCst);
        message
    }
}

struct Site {
    runtime: tokio::runtime::Runtime,
    mounted: Mounted,
    handled: Arc<Counting>,
}

impl Site {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let mut profile = Profile::new("echo");
        profile.schemes = vec![Scheme::Http, Scheme::Https];
        profile.request_media_types = vec![MediaType::from_static("application/octet-stream")];
        profile.response_codings = vec![ContentCoding::Gzip, ContentCoding::Deflate];
        profile.request_codings = profile.response_codings.clone();
        let handled = Arc::new(Counting::default());
        let endpoint = Bound::new(Echo(profile), Arc::clone(&handled));
        let router = Router::new().mount("/echo", Arc::new(endpoint)).expect("a path");
        let mounted = Server::builder().router(router).mounted();
        Self { runtime: runtime.expect("a runtime"), mounted, handled }
    }
}

thread_local! {
    static SITE: RefCell<Site> = RefCell::new(Site::new());
}

/// Lines of a head, `name: value`, beside a request that is good without them: `Host`, `Expect`, `Accept-Encoding` with q,
/// `Content-Length`, `Content-Encoding`, whatever. The first line is the target.
///
/// Whatever stands there, the answer is the message under 200, in a coding that the fields accept, or a refusal of the
/// peer's fault; it is handled once in the first case, and not at all in the other.
pub fn fields(data: &[u8]) {
    let Some(request) = request(data) else { return };
    let accepted = accepts(request.headers());
    SITE.with_borrow_mut(|site| {
        let before = site.handled.0.load(SeqCst);
        let Site { runtime, mounted, .. } = site;
        let answer = runtime.block_on(async {
            let Ok(response) = mounted.call(request).await;
            let (parts, mut body) = response.into_parts();
            let mut octets = 0_usize;
            while let Some(frame) =
                std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await
            {
                octets += frame.expect("whole").data_ref().map_or(0, Bytes::len);
            }
            (parts, octets)
        });
        let (parts, _) = answer;
        let handled = site.handled.0.load(SeqCst) - before;
        let status = parts.status.as_u16();
        assert_eq!(handled, usize::from(status == 200), "{status}");
        assert!(status == 200 || (400..500).contains(&status) || status == 501, "{status}");
        assert_eq!(parts.headers["cache-control"], "no-store");
        if let Some(coding) = parts.headers.get(header::CONTENT_ENCODING) {
            assert!(accepted, "{coding:?} was not asked for");
        }
    });
}

/// Whether there is a field that could accept a coding at all.
fn accepts(headers: &http::HeaderMap) -> bool {
    headers.contains_key(header::ACCEPT_ENCODING)
}

fn request(data: &[u8]) -> Option<Request<Body>> {
    let mut lines = data.split(|octet| *octet == b'\n');
    let target = std::str::from_utf8(lines.next()?).ok()?;
    let target = if target.is_empty() { "/echo" } else { target };
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(target)
        .version(Version::HTTP_11)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .extension(Peer::from_address("192.0.2.1:1".parse().ok()?));
    let mut host = false;
    for line in lines.take(90) {
        let colon = line.iter().position(|octet| *octet == b':')?;
        let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?);
        let name = HeaderName::from_bytes(name).ok()?;
        host |= name == header::HOST;
        let value = HeaderValue::from_bytes(value.trim_ascii()).ok()?;
        request = request.header(name, value);
    }
    if !host {
        request = request.header(header::HOST, "localhost");
    }
    request
        .body(Body::from(Bytes::from_static(
            b"a message, which is compressed where it is long enough",
        )))
        .ok()
}
