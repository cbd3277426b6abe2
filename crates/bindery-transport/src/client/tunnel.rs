//! The way through proxies (RFC 2817, section 5; RFC 9110, section 9.3.6).

use std::{future::poll_fn, net::SocketAddr};

use bindery_auth::{Asking, AuthError, Session};
use bindery_core::Body;
use bindery_tls::BoxIo;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header, uri};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::{Config, Proxy, Target, connection::Coming, login, open};
use crate::{ClientLimits, Cut, Dialer, Reach, TransportError, rewound::Rewound};

/// How often one proxy may ask who we are, on one way.
const TRIES: usize = 3;
/// The longest explanation of a proxy that is read, in octets.
const EXPLANATION: u64 = 4096;
/// How much of it is told, in characters.
const TOLD: usize = 160;

/// A proxy on the way, and what was agreed with it.
#[derive(Debug)]
pub(crate) struct Hop {
    pub(super) proxy: Proxy,
    pub(super) session: Option<Session>,
}

impl Hop {
    pub(crate) fn new(proxy: Proxy) -> Self {
        let session = proxy.login().cloned().map(Session::with_proxy);
        Self { proxy, session }
    }

    /// The value of `Proxy-Authorization`; none where the proxy has not asked.
    pub(super) fn proof(
        &mut self,
        method: &Method,
        uri: &str,
        body: Option<&[u8]>,
    ) -> Result<Option<HeaderValue>, TransportError> {
        let Some(session) = &mut self.session else { return Ok(None) };
        let asking = Asking::new(method.as_str(), uri, body, false, login::random()?);
        session.authorize(&asking).map_err(|error| self.refused(&error))
    }

    /// Takes a 407. Afterwards the request may be sent once more.
    ///
    /// # Errors
    /// There is nothing that could be answered.
    pub(super) fn challenged(
        &mut self,
        headers: &HeaderMap,
        tried: bool,
    ) -> Result<(), TransportError> {
        let challenged = match &mut self.session {
            Some(session) => session.challenged(headers, tried),
            None => {
                let message = format!("the proxy {} asks who we are", self.proxy);
                return Err(TransportError::proxy(
                    message,
                    Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED),
                )
                .with_hint("give the user and the password for the proxy"));
            }
        };
        challenged.map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &AuthError) -> TransportError {
        let said = error.to_string().replace("the server", "it");
        let message = format!("authentication at the proxy {}: {said}", self.proxy);
        TransportError::proxy(message, Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED)).with_hint(
            "check the user and the password for the proxy, and what its operator asks for",
        )
    }
}

/// How, and how far, connections are opened.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) limits: &'a ClientLimits,
    pub(crate) dialer: &'a dyn Dialer,
    /// Where goals may be; proxies on the way were chosen by us.
    pub(crate) reach: &'a Reach,
    /// What resets the connection.
    pub(crate) cut: &'a Cut,
}

impl<'a> Way<'a> {
    pub(super) fn of(config: &'a Config, cut: &'a Cut) -> Self {
        Self { limits: &config.limits, dialer: &*config.dialer, reach: &config.reach, cut }
    }
}

/// A connection to `goal`: directly, or through tunnels of proxies, the nearest first. Gives the address that was connected
/// to as well. Nothing of any request was sent when it fails.
pub(crate) async fn dial(
    way: &Way<'_>,
    hops: &mut [Hop],
    goal: &Target,
) -> Result<(BoxIo, SocketAddr), TransportError> {
    if !way.reach.leads_to_host(goal.host()) {
        return Err(open::out_of_reach(goal));
    }
    for _ in 0..=hops.len().saturating_mul(TRIES) {
        if let Some(there) = attempt(way, hops, goal).await.map_err(TransportError::unsent)? {
            return Ok(there);
        }
    }
    let message = "the proxies on the way ask again and again who we are";
    let status = Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    Err(TransportError::proxy(message.to_owned(), status).unsent())
}

/// One try; `None` after a challenge that can be answered.
async fn attempt(
    way: &Way<'_>,
    hops: &mut [Hop],
    goal: &Target,
) -> Result<Option<(BoxIo, SocketAddr)>, TransportError> {
    let goals: Vec<Target> =
        hops.iter().skip(1).map(|hop| hop.proxy.target().clone()).chain([goal.clone()]).collect();
    let limits = way.limits;
    let (mut io, address) = match hops.first() {
        None => open::connect_in_time(way, goal).await?,
        Some(hop) => {
            let way = Way { reach: &Reach::everywhere(), ..*way };
            let connected = open::connect_in_time(&way, hop.proxy.target()).await;
            connected.map_err(|error| {
                TransportError::proxy(format!("the proxy {}: {error}", hop.proxy), None)
                    .with_address(error.address())
            })?
        }
    };
    for (hop, goal) in hops.iter_mut().zip(&goals) {
        let asked = timeout(limits.connect, ask(hop, io, goal, limits)).await;
        let Ok(asked) = asked else {
            let message =
                format!("the proxy {} did not answer within {:?}", hop.proxy, limits.connect);
            return Err(TransportError::proxy(message, None).with_address(Some(address)));
        };
        match asked.map_err(|error| error.with_address(Some(address)))? {
            Some(through) => io = through,
            None => return Ok(None),
        }
    }
    Ok(Some((io, address)))
}

/// Asks a proxy for a tunnel; `None` after a challenge that can be answered. Nothing is sent into the tunnel before the
/// proxy has said that it stands.
async fn ask(
    hop: &mut Hop,
    io: BoxIo,
    goal: &Target,
    limits: &ClientLimits,
) -> Result<Option<BoxIo>, TransportError> {
    let authority = goal.authority_and_port();
    let proof = hop.proof(&Method::CONNECT, &authority, Some(b""))?;
    let tried = proof.is_some();
    let broken = |proxy: &Proxy, error: hyper::Error| {
        let message = format!("the proxy {proxy} did not answer CONNECT: {error}");
        TransportError::proxy(message, None).with_source(error)
    };
    let engine = http1::Builder::new()
        .max_headers(limits.header_count)
        .max_header_size(limits.header_octets)
        .max_buf_size(limits.header_octets.max(8192))
        .handshake::<_, Body>(TokioIo::new(io));
    let (mut sender, mut engine) = engine.await.map_err(|error| broken(&hop.proxy, error))?;
    // The stream comes back when the engine is done with it: after a 2xx to CONNECT, or without its sender.
    let driver = tokio::spawn(async move {
        let ended = poll_fn(|cx| engine.poll_without_shutdown(cx)).await;
        ended.map(|()| engine.into_parts())
    });
    let answer = sender.send_request(connect(&authority, proof)?).await;
    let answer = answer.map_err(|error| broken(&hop.proxy, error))?;
    if answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        driver.abort();
        return hop.challenged(answer.headers(), tried).map(|()| None);
    }
    if !answer.status().is_success() {
        let error = refusal(&hop.proxy, &authority, answer).await;
        driver.abort();
        return Err(error);
    }
    drop((answer, sender));
    match driver.await {
        Ok(Ok(parts)) => Ok(Some(Rewound::boxed(parts.read_buf, parts.io.into_inner()))),
        Ok(Err(error)) => Err(broken(&hop.proxy, error)),
        Err(_) => {
            Err(TransportError::proxy(format!("the proxy {}: its stream is lost", hop.proxy), None))
        }
    }
}

/// The request for a tunnel: the authority alone (RFC 9112, section 3.2.3), for the proxy alone.
fn connect(authority: &str, proof: Option<HeaderValue>) -> Result<Request<Body>, TransportError> {
    let wrong = |_| TransportError::request("the host's name fits no request for a tunnel");
    let whole: uri::Authority = authority.parse().map_err(wrong)?;
    let host = HeaderValue::from_str(authority);
    let host = host.map_err(|_| TransportError::request("the URL's host fits no header field"))?;
    let mut parts = uri::Parts::default();
    parts.authority = Some(whole);
    let uri = Uri::from_parts(parts);
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() =
        uri.map_err(|_| TransportError::request("the host's name fits no request for a tunnel"))?;
    request.headers_mut().insert(header::HOST, host);
    if let Some(proof) = proof {
        request.headers_mut().insert(header::PROXY_AUTHORIZATION, proof);
    }
    Ok(request)
}

/// A proxy's no, in its own words.
async fn refusal(proxy: &Proxy, authority: &str, answer: Response<Incoming>) -> TransportError {
    let status = answer.status();
    let said = explanation(answer.into_body()).await;
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let message = format!("the proxy {proxy} answers {status} to CONNECT {authority}{said}");
    let hint = match status.as_u16() {
        403 | 405 => "the proxy does not lead to this host or port: ask its operator",
        502..=504 => {
            "the proxy cannot reach the server: check host and port, and that the server is running"
        }
        _ => "ask the proxy's operator",
    };
    TransportError::proxy(message, Some(status)).with_hint(hint)
}

/// The first words of a body, if they are text.
async fn explanation(body: Incoming) -> String {
    let read = Body::stream(Coming(body)).collect(EXPLANATION).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&read);
    // A page is no explanation.
    if text.trim_start().starts_with('<') {
        return String::new();
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).take(TOLD).collect()
}
