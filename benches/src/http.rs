//! Requests over a kept connection in memory: a bound echo beside hyper with its timer set.
//!
//! The client is the same for both, and writes and reads octets; with TLS it is tokio-rustls. `canned` is a server that reads
//! as many octets as come and writes an answer that it has ready: what client and pipe cost, to be subtracted.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bindery_core::{
    Body, Bound, Context, Decoded, Handler, MediaType, Peer, Profile, Scheme, ServerBinding,
    TlsVersion,
};
use bindery_transport::{Router, Server, Streams};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, duplex};
use tokio::runtime::Runtime;

use crate::tls::{Bare, Failed, Ours, World};

const OCTETS: &str = "application/octet-stream";
/// Both sides take messages up to this size.
const LIMIT: usize = 1 << 20;
const PIPE: usize = 64 * 1024;

/// Who serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a benchmark's choices")]
pub enum Who {
    /// bindery-transport with a card, a binding and a handler, all limits at their defaults.
    Bindery,
    /// hyper's `http1` with a timer and its header limit; the body collected under a limit.
    Hyper,
    /// Nobody: octets in, the right octets out.
    Canned,
}

/// The binding: its message is the body.
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
        let octets = HeaderValue::from_static(OCTETS);
        response.headers_mut().insert(header::CONTENT_TYPE, octets);
        response
    }
}

#[derive(Debug)]
struct Same;

impl Handler<Bytes> for Same {
    type Response = Bytes;

    async fn handle(&self, _: &Context, message: Bytes) -> Bytes {
        message
    }
}

fn streams(tls: Option<&Ours>) -> Result<Streams, Failed> {
    let mut profile = Profile::new("echo");
    profile.schemes = vec![Scheme::Http, Scheme::Https];
    profile.request_media_types = vec![MediaType::from_static(OCTETS)];
    let router = Router::new().mount("/echo", Arc::new(Bound::new(Echo(profile), Same)))?;
    Ok(Server::builder().router(router).streams(tls.map(Ours::acceptor)))
}

async fn hyper_echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = Limited::new(request.into_body(), LIMIT).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut response = Response::new(Full::new(body));
    let octets = HeaderValue::from_static(OCTETS);
    response.headers_mut().insert(header::CONTENT_TYPE, octets);
    // What the card says.
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

async fn serve_hyper(io: impl AsyncRead + AsyncWrite + Unpin) {
    let mut engine = http1::Builder::new();
    engine.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
    // The client leaves when it has what it wants.
    let _ = engine.serve_connection(TokioIo::new(io), service_fn(hyper_echo)).await;
}

async fn serve_canned(
    mut io: impl AsyncRead + AsyncWrite + Unpin,
    request: usize,
    answer: Vec<u8>,
) {
    let mut read = vec![0; request];
    while io.read_exact(&mut read).await.is_ok() {
        if io.write_all(&answer).await.is_err() || io.flush().await.is_err() {
            return;
        }
    }
}

/// A connection that is open, and its request.
pub struct Kept {
    runtime: Runtime,
    io: Box<dyn bindery_tls::Io>,
    request: Vec<u8>,
    /// How long every answer is.
    answer: usize,
    read: Vec<u8>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("answer", &self.answer).finish_non_exhaustive()
    }
}

impl Kept {
    /// Opens a connection to a server in the same thread, and exchanges a first message of so many octets on it.
    ///
    /// # Errors
    /// It cannot be set up, or the answer is not the message.
    pub fn open(who: Who, tls: bool, octets: usize) -> Result<Self, Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let world = if tls { Some(World::new()?) } else { None };
        let version = TlsVersion::TLS_1_3;
        let ours = world.as_ref().map(|world| Ours::new(world, version, false)).transpose()?;
        let bare = world.as_ref().map(|world| Bare::new(world, version, false)).transpose()?;
        let body = vec![b'x'; octets];
        let head = format!(
            "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: {OCTETS}\r\nContent-Length: {octets}\r\n\r\n"
        );
        let request = [head.as_bytes(), &body].concat();
        let (near, far) = duplex(PIPE);
        let length = request.len();
        let io = runtime.block_on(async {
            match who {
                Who::Bindery => {
                    let streams = streams(ours.as_ref())?;
                    tokio::spawn(
                        async move { streams.serve(Box::new(near), Peer::default()).await },
                    );
                }
                Who::Hyper | Who::Canned => {
                    let acceptor = bare.as_ref().map(Bare::acceptor);
                    let answer = canned(&body);
                    tokio::spawn(async move {
                        let canned = who == Who::Canned;
                        match acceptor {
                            None if canned => serve_canned(near, length, answer).await,
                            None => serve_hyper(near).await,
                            Some(acceptor) => {
                                let Ok(io) = acceptor.accept(near).await else { return };
                                if canned {
                                    serve_canned(io, length, answer).await;
                                } else {
                                    serve_hyper(io).await;
                                }
                            }
                        }
                    });
                }
            }
            let io: Box<dyn bindery_tls::Io> = match &bare {
                None => Box::new(far),
                Some(bare) => {
                    let name = ServerName::try_from("localhost")?;
                    Box::new(bare.connector().connect(name, far).await?)
                }
            };
            Ok::<_, Failed>(io)
        })?;
        let mut kept = Self { runtime, io, request, answer: 0, read: vec![0; PIPE] };
        kept.first(&body)?;
        Ok(kept)
    }

    fn first(&mut self, body: &[u8]) -> Result<(), Failed> {
        let Self { runtime, io, request, .. } = self;
        let mut answer = Vec::new();
        runtime.block_on(async {
            io.write_all(request).await?;
            io.flush().await?;
            while !answer.ends_with(body) || answer.len() == body.len() {
                if io.read_buf(&mut answer).await? == 0 {
                    break;
                }
            }
            Ok::<(), Failed>(())
        })?;
        if !answer.starts_with(b"HTTP/1.1 200 OK\r\n") || !answer.ends_with(body) {
            return Err(format!("another answer: {}", answer.escape_ascii()).into());
        }
        self.answer = answer.len();
        Ok(())
    }

    /// One more request and its answer; how many octets the answer has.
    ///
    /// # Errors
    /// The connection ended.
    pub fn exchange(&mut self) -> Result<usize, Failed> {
        let Self { runtime, io, request, answer, read } = self;
        runtime.block_on(async {
            io.write_all(request).await?;
            io.flush().await?;
            let read = read.get_mut(..*answer).ok_or("too long an answer")?;
            io.read_exact(read).await?;
            Ok(*answer)
        })
    }
}

/// An answer as long as the others' are.
fn canned(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {OCTETS}\r\ncache-control: no-store\r\ncontent-length: {}\r\n\
         date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_servers_give_the_same_answer() {
        for tls in [false, true] {
            for octets in [200, 4096] {
                let mut lengths = [Who::Bindery, Who::Hyper, Who::Canned].map(|who| {
                    let mut kept = Kept::open(who, tls, octets).unwrap();
                    kept.exchange().unwrap();
                    kept.exchange().unwrap()
                });
                lengths.sort_unstable();
                assert_eq!(lengths[0], lengths[2], "{tls} {octets} {lengths:?}");
            }
        }
    }
}
