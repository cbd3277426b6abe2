//! Upgrade to TLS and proxies for `cargo xtask interop upgrade` and `interop tunnel`: a server that others upgrade, and a
//! client that upgrades others.
//!
//! `upgrade serve FOLDER` writes `ca.pem` there, listens on free loopback ports, prints a line for each (`optional`,
//! `required`, `https`, and its address), and ends with its standard input. `/echo` echoes text, `/ipp` answers IPP.
//! `upgrade issue FOLDER NAME [NAME..]` writes `NAME.crt` and `NAME.key` there, for all of the names, and the authority's `ca.pem`.
//! `upgrade ask MODE URL CA FILE TYPE` posts the file twice over one connection and prints a line for each answer: status,
//! version of TLS or `clear`, octets in hexadecimal digits. MODE is `never`, `optional` or `required`; proxies stand in
//! `ASK_PROXIES` with commas between, user and password for them in `ASK_PROXY_USER` and `ASK_PROXY_PASSWORD`.

#![expect(clippy::print_stdout, reason = "a tool prints")]

use std::error::Error;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bindery_auth::Login;
use bindery_core::{
    Body, Bound, Context, Decoded, Handler, MediaType, Profile, Scheme, ServerBinding,
};
use bindery_tls::{
    Acceptor, Backend as _, ClientConfig, Policy, Provider, Roots, RustlsBackend, ServerConfig,
    pki::{Authority, Leaf, Validity},
};
use bindery_transport::{
    Client, ClientLimits, Listener, Proxies, Proxy, Router, Server, Target, Upgrade, UpgradeMode,
};
use bytes::Bytes;
use http::{Method, Request, Response, header};

type Failed = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", folder] => serve(Path::new(folder)).await,
        ["issue", folder, name, others @ ..] => issue(Path::new(folder), name, others),
        ["ask", mode, url, ca, file, kind] => ask(mode, url, ca, file, kind).await,
        _ => Err("upgrade serve|issue|ask ..".into()),
    }
}

fn backend() -> RustlsBackend {
    RustlsBackend::new(Provider::aws_lc_rs())
}

/// A protocol whose message is the body, of one type.
#[derive(Debug)]
struct Whole(Profile);

impl Whole {
    fn new(kind: &'static str) -> Self {
        let mut profile = Profile::new("whole");
        profile.schemes = vec![Scheme::Http, Scheme::Https];
        profile.methods = vec![Method::POST];
        profile.request_media_types = vec![MediaType::from_static(kind)];
        profile.response_media_types = vec![MediaType::from_static(kind)];
        Self(profile)
    }
}

impl ServerBinding for Whole {
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
        let tls =
            cx.channel.tls().map_or_else(|| "clear".to_owned(), |tls| tls.version.to_string());
        println!("served over {tls}: {} octets", message.len());
        let mut response = Response::new(Body::from(message));
        let kind = self.0.response_media_types.first().map(ToString::to_string);
        let kind = kind.and_then(|kind| kind.parse().ok());
        response.headers_mut().extend(kind.map(|kind| (header::CONTENT_TYPE, kind)));
        response
    }
}

#[derive(Debug)]
struct Echo;

impl Handler<Bytes> for Echo {
    type Response = Bytes;

    async fn handle(&self, _: &Context, message: Bytes) -> Bytes {
        message
    }
}

/// Takes every IPP request for done (RFC 8010): version, successful-ok, the request's number, charset and language.
#[derive(Debug)]
struct Ipp;

impl Handler<Bytes> for Ipp {
    type Response = Bytes;

    async fn handle(&self, _: &Context, message: Bytes) -> Bytes {
        let mut answer = vec![2, 0, 0, 0];
        answer.extend(message.get(4..8).unwrap_or(&[0; 4]));
        answer.push(0x01);
        for (tag, name, value) in
            [(0x47, "attributes-charset", "utf-8"), (0x48, "attributes-natural-language", "en")]
        {
            answer.push(tag);
            for text in [name, value] {
                answer.extend(u16::try_from(text.len()).unwrap_or(0).to_be_bytes());
                answer.extend(text.as_bytes());
            }
        }
        answer.push(0x03);
        answer.into()
    }
}

fn acceptor(authority: &Authority, name: &str) -> Result<Arc<dyn Acceptor>, Failed> {
    let config = ServerConfig::new(authority.issue(&Leaf::server(name))?.identity()?);
    Ok(backend().acceptor(&Policy::modern(), config)?)
}

async fn serve(folder: &Path) -> Result<(), Failed> {
    let authority = Authority::new("bindery interop", Validity::default())?;
    std::fs::write(folder.join("ca.pem"), authority.certificate_pem())?;
    let router = Router::new()
        .mount("/echo", Arc::new(Bound::new(Whole::new("text/plain"), Echo)))?
        .mount("/ipp", Arc::new(Bound::new(Whole::new("application/ipp"), Ipp)))?;
    let any = "127.0.0.1:0".parse()?;
    // Another name than the one of implicit TLS.
    let upgrade = || Ok::<_, Failed>(Upgrade::new(acceptor(&authority, "localhost")?));
    let server = Server::builder()
        .listen(Listener::clear(any).upgrade(upgrade()?))
        .listen(Listener::clear(any).upgrade(upgrade()?.required().options_only()))
        .listen(Listener::tls(any, acceptor(&authority, "127.0.0.1")?))
        .router(router)
        .bind()
        .await?;
    for (name, address) in ["optional", "required", "https"].iter().zip(server.local_addrs()) {
        println!("{name} {address}");
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

fn issue(folder: &Path, name: &str, others: &[&str]) -> Result<(), Failed> {
    let authority = Authority::new("bindery interop", Validity::default())?;
    let leaf = others.iter().fold(Leaf::server(name), |leaf, other| leaf.with_name(other));
    let issued = authority.issue(&leaf)?;
    std::fs::write(folder.join("ca.pem"), authority.certificate_pem())?;
    std::fs::write(folder.join(format!("{name}.crt")), issued.certificate_pem())?;
    std::fs::write(folder.join(format!("{name}.key")), issued.key_pem())?;
    Ok(())
}

/// The proxies that the environment names.
fn proxies() -> Result<Proxies, Failed> {
    let get = |name| std::env::var(name).unwrap_or_default();
    let (user, password) = (get("ASK_PROXY_USER"), get("ASK_PROXY_PASSWORD"));
    let mut chain = Vec::new();
    for url in get("ASK_PROXIES").split(',').filter(|url| !url.is_empty()) {
        let proxy = Proxy::new(url)?;
        let login = Login::new(&user, &password).dangerous_basic_in_clear();
        chain.push(if user.is_empty() { proxy } else { proxy.with_login(login) });
    }
    Ok(Proxies::chain(chain))
}

async fn ask(mode: &str, url: &str, ca: &str, file: &str, kind: &str) -> Result<(), Failed> {
    let mode = match mode {
        "optional" => UpgradeMode::Optional,
        "required" => UpgradeMode::Required,
        _ => UpgradeMode::Never,
    };
    let target: Target = url.parse()?;
    let path = target.uri().clone();
    let body = Bytes::from(std::fs::read(file)?);
    let config = ClientConfig::new(Roots::from_pem_file(Path::new(ca))?);
    let mut limits = ClientLimits::default();
    limits.total = Duration::from_secs(20);
    let client = Client::builder()
        .connector(backend().connector(&Policy::modern(), config)?)
        .limits(limits)
        .upgrade(mode)
        .proxies(proxies()?)
        .build();
    let mut connection = client.connection(target);
    for _ in 0..2 {
        let request = Request::post(path.clone()).header(header::CONTENT_TYPE, kind);
        let response = connection.send(request.body(Body::from(body.clone()))?).await;
        let response = response.map_err(|error| format!("{error}; {}", error.hint()))?;
        let status = response.status().as_u16();
        let answer = response.into_body().collect(1 << 20).await?;
        let channel = connection.channel().and_then(|channel| channel.tls());
        let channel = channel.map_or_else(|| "clear".to_owned(), |tls| tls.version.to_string());
        let digits: String = answer.iter().map(|octet| format!("{octet:02x}")).collect();
        println!("{status} {} {digits}", channel.replace(' ', ""));
    }
    Ok(())
}
