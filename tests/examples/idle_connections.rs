//! What a connection that does nothing costs the server, in clear and over mutual TLS.
//!
//! `idle_connections [COUNT]` (10,000) starts a server in a process of its own for each of the two channels, opens so many
//! connections to it from this process, asks one request on each, and prints what the server's resident memory has grown by,
//! per connection, and that one more is still answered. Each side needs COUNT descriptors (`ulimit -n`); Linux only.

#![expect(clippy::print_stdout, reason = "a tool prints")]

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bindery_core::{
    Body, Bound, Context, Decoded, Handler, MediaType, Profile, Scheme, ServerBinding,
};
use bindery_tls::pki::{Authority, Leaf, Validity};
use bindery_tls::{
    Backend as _, BoxIo, ClientConfig, Connector, Identity, Policy, Provider, Roots, RustlsBackend,
    ServerConfig,
};
use bindery_transport::{Limits, Listener, Router, Server};
use bytes::Bytes;
use http::{Request, Response, header};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

type Failed = Box<dyn Error + Send + Sync>;

const OCTETS: &str = "application/octet-stream";

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", channel, count, folder] => {
            serve(*channel == "tls", count.parse()?, Path::new(folder)).await
        }
        [] => measure(10_000).await,
        [count] => measure(count.parse()?).await,
        _ => Err("idle_connections [COUNT]".into()),
    }
}

/// A message is the body, and the answer is the same.
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
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(OCTETS));
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

fn backend() -> RustlsBackend {
    RustlsBackend::new(Provider::aws_lc_rs())
}

/// The server; certificates for the other process go to the folder.
async fn serve(tls: bool, count: usize, folder: &Path) -> Result<(), Failed> {
    let any = "127.0.0.1:0".parse()?;
    let listener = if tls {
        let authority = Authority::new("Idle", Validity::default())?;
        let server = authority.issue(&Leaf::server("localhost"))?.identity()?;
        let client = authority.issue(&Leaf::client("idle"))?;
        std::fs::write(folder.join("ca.pem"), authority.certificate_pem())?;
        std::fs::write(folder.join("client.pem"), client.certificate_pem())?;
        std::fs::write(folder.join("client.key"), client.key_pem())?;
        let config = ServerConfig::new(server).with_client_roots(authority.roots()?);
        Listener::tls(any, backend().acceptor(&Policy::kmip(), config)?)
    } else {
        Listener::clear(any)
    };
    let mut profile = Profile::new("echo");
    profile.schemes = vec![Scheme::Http, Scheme::Https];
    profile.request_media_types = vec![MediaType::from_static(OCTETS)];
    let router = Router::new().mount("/echo", Arc::new(Bound::new(Echo(profile), Same)))?;
    let mut limits = Limits::default();
    limits.connections = NonZeroUsize::new(count + 100).ok_or("no connections")?;
    limits.connections_per_address = None;
    limits.idle = Duration::from_secs(600);
    let server = Server::builder().listen(listener).router(router).limits(limits).bind().await?;
    for address in server.local_addrs() {
        println!("{address}");
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

async fn measure(count: usize) -> Result<(), Failed> {
    for channel in ["clear", "tls"] {
        let folder = tempfile::tempdir()?;
        let (mut child, address) = start(channel, count, folder.path())?;
        let connector = match channel {
            "tls" => Some(connector(folder.path())?),
            _ => None,
        };
        // The first ones pay for what a process allocates once.
        let mut held = Vec::with_capacity(count);
        for _ in 0..100 {
            held.push(open(&address, connector.as_ref()).await?);
        }
        let before = resident(&child)?;
        for _ in 100..count {
            held.push(open(&address, connector.as_ref()).await?);
        }
        let after = resident(&child)?;
        drop(open(&address, connector.as_ref()).await?);
        let each = after.saturating_sub(before) / u64::try_from(count - 100)?.max(1);
        println!(
            "{channel}: {count} connections, {each} octets each; the server has {after} octets"
        );
        // Its standard input ends with the handle.
        drop(child.stdin.take());
        drop(held);
        child.wait()?;
    }
    Ok(())
}

fn start(channel: &str, count: usize, folder: &Path) -> Result<(Child, String), Failed> {
    let program: PathBuf = std::env::current_exe()?;
    let mut child = Command::new(program)
        .args(["serve", channel, &count.to_string()])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    Ok((child, line.trim().to_owned()))
}

fn connector(folder: &Path) -> Result<Arc<dyn Connector>, Failed> {
    let roots = Roots::from_pem_file(folder.join("ca.pem"))?;
    let identity = Identity::from_pem_files(folder.join("client.pem"), folder.join("client.key"))?;
    Ok(backend().connector(&Policy::kmip(), ClientConfig::new(roots).with_identity(identity))?)
}

/// A connection on which one request was answered.
async fn open(address: &str, connector: Option<&Arc<dyn Connector>>) -> Result<BoxIo, Failed> {
    let stream = TcpStream::connect(address).await?;
    let mut io: BoxIo = match connector {
        None => Box::new(stream),
        Some(connector) => {
            let name = ServerName::try_from("localhost")?;
            connector.connect(name, Box::new(stream)).await?.io
        }
    };
    let request = format!(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: {OCTETS}\r\nContent-Length: 3\r\n\r\nabc"
    );
    io.write_all(request.as_bytes()).await?;
    io.flush().await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nabc") {
        if io.read_buf(&mut answer).await? == 0 {
            return Err(format!("no answer but {}", answer.escape_ascii()).into());
        }
    }
    Ok(io)
}

/// The resident memory of a process, in octets.
fn resident(child: &Child) -> Result<u64, Failed> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no VmRSS")?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}
