//! HTTP authentication for `cargo xtask interop http`: a server that echoes behind each scheme, and a client.
//!
//! `http_auth serve` listens on a free loopback port, prints its address, and ends with its standard input. The paths
//! are `/open`, `/basic`, `/md5`, `/sha256` and `/int`; user `alice`, password in `HTTP_AUTH_PASSWORD`.
//! `http_auth get|post URL USER [BODY]` sends two requests over one connection and prints a line for each: status,
//! octets of the answer, and how often the connection was opened.

#![expect(clippy::print_stdout, reason = "a tool prints")]

use std::error::Error;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use bindery_auth::{Accounts, Algorithm, Authenticator, Guarded, Login, Qop, hash, secret};
use bindery_core::{
    Account, AuthScheme, Body, Bound, ContentCoding, Context, Decoded, DigestAlgorithm, Handler,
    MediaType, Principal, Profile, Scheme, ServerBinding,
};
use bindery_transport::{Client, ClientLimits, Listener, OnRuntime, Router, Server, Target};
use bytes::Bytes;
use http::{Method, Request, Response, header};

type Failed = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let password = std::env::var("HTTP_AUTH_PASSWORD")?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve"] => serve(&password).await,
        [method @ ("get" | "post"), url, user, rest @ ..] => {
            ask(method, url, user, &password, rest.first().copied().unwrap_or_default()).await
        }
        _ => Err("http_auth serve | http_auth get|post URL USER [BODY]".into()),
    }
}

/// A message is the body, and the answer says who sent it.
#[derive(Debug)]
struct Echo(Profile);

impl Echo {
    fn new() -> Self {
        let mut profile = Profile::new("echo");
        profile.schemes = vec![Scheme::Http, Scheme::Https];
        profile.methods = vec![Method::POST, Method::GET];
        profile.request_media_types = vec![MediaType::from_static("text/plain")];
        profile.response_media_types = vec![MediaType::from_static("text/plain")];
        profile.request_codings = vec![ContentCoding::Gzip, ContentCoding::Deflate];
        profile.response_codings = vec![ContentCoding::Gzip, ContentCoding::Deflate];
        Self(profile)
    }
}

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

    fn encode_response(&self, cx: &Context, (): (), message: Bytes) -> Response<Body> {
        let who = cx.principal.as_ref().map_or("nobody", Principal::as_str);
        let text = format!("{who}:{}", String::from_utf8_lossy(&message));
        let mut response = Response::new(Body::from(text));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
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

async fn serve(password: &str) -> Result<(), Failed> {
    let realm = "bindery";
    let mut alice = Account::new(Principal::new("alice"));
    alice.password = Some(hash(password, b"sixteen octets..")?);
    for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
        alice.digests.push(secret(algorithm, "alice", realm, password));
    }
    let accounts = Arc::new(Accounts::new().with("alice", alice));
    let authenticator = || {
        let made = Authenticator::new(realm, Arc::clone(&accounts) as Arc<_>, [7; 32]);
        made.map(|one| {
            one.with_blocking(Arc::new(OnRuntime::new())).with_schemes([AuthScheme::Digest])
        })
    };
    let echo = || Bound::new(Echo::new(), Same);
    let behind = |one: Authenticator| Arc::new(Guarded::new(echo(), Arc::new(one)));
    let basic = authenticator()?.with_schemes([AuthScheme::Basic]).dangerous_basic_in_clear();
    let router = Router::new()
        .mount("/open", Arc::new(echo()))?
        .mount("/basic", behind(basic))?
        .mount("/md5", behind(authenticator()?.with_algorithms([Algorithm::MD5])))?
        .mount("/sha256", behind(authenticator()?.with_algorithms([Algorithm::SHA_256])))?
        .mount(
            "/int",
            behind(
                authenticator()?.with_algorithms([Algorithm::SHA_256]).with_qops([Qop::AuthInt]),
            ),
        )?;
    let listener = Listener::clear("127.0.0.1:0".parse()?);
    let server = Server::builder().listen(listener).router(router).bind().await?;
    for address in server.local_addrs() {
        println!("http://{address}");
    }
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    server
        .serve(async {
            // Whatever ended it.
            let _ = ended.await;
        })
        .await;
    Ok(())
}

async fn ask(
    method: &str,
    url: &str,
    user: &str,
    password: &str,
    body: &str,
) -> Result<(), Failed> {
    let target: Target = url.parse()?;
    let path = target.uri().clone();
    let mut limits = ClientLimits::default();
    limits.total = Duration::from_secs(20);
    let mut connection = Client::builder().limits(limits).build().connection(target);
    connection.set_login(Login::new(user, password).dangerous_basic_in_clear());
    for _ in 0..2 {
        let request =
            Request::builder().method(if method == "get" { Method::GET } else { Method::POST });
        let request = request.uri(path.clone()).header(header::CONTENT_TYPE, "text/plain");
        let response = connection.send(request.body(Body::from(body.to_owned()))?).await?;
        let status = response.status().as_u16();
        let proved = response.headers().contains_key("authentication-info");
        let answer = response.into_body().collect(1 << 20).await?;
        println!(
            "{status} {} {proved} {}",
            connection.is_open(),
            String::from_utf8_lossy(&answer).trim().escape_default()
        );
    }
    Ok(())
}
