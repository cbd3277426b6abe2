//! The upgrade to TLS within a connection (RFC 2817), the client's side.

mod stand_in;

use std::sync::Arc;

use bindery_core::Body;
use bindery_tls::BoxIo;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::{
    Config, Target, failure,
    open::{Counted, Open, secure, speak},
};
use crate::{
    ErrorKind, Layer, TransportError,
    upgrade_field::{self, connection_lists},
};
use stand_in::StandIn;

/// Whether connections to `http` targets become TLS (RFC 2817). An `https` target has TLS from the start and none of this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpgradeMode {
    /// They do not, and nothing is offered.
    #[default]
    Never,
    /// Each request offers it, and goes out in clear all the same: only for what everybody may read and change. Where the
    /// server insists (426) the request is sent again within TLS, and once a server has said that it knows TLS, everything
    /// further goes within it or not at all. Through proxies nothing is offered before a server insists: an offer would be
    /// the proxy's.
    Optional,
    /// Before anything else an `OPTIONS *` asks for it, without a word of any request. A server that does not agree is an
    /// error, and nothing else was sent. Through proxies all of it happens inside a tunnel.
    Required,
}

/// What is offered, best first. The version that is used is the handshake's to settle.
const OFFER: HeaderValue = HeaderValue::from_static("TLS/1.3, TLS/1.2");

/// Puts the offer into a request.
pub(super) fn offer(headers: &mut HeaderMap) {
    headers.append(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, OFFER);
}

/// Whether an answer says that the server can become TLS.
pub(super) fn advertised(headers: &HeaderMap) -> bool {
    upgrade_field::tls_minors(headers).next().is_some()
}

/// The mandatory upgrade (RFC 2817, section 3.2): nothing but the question, and then TLS or nothing.
///
/// # Errors
/// The server does not agree, or no handshake follows. Nothing of any request was sent.
pub(super) async fn insist(
    config: &Config,
    target: &Target,
    open: &mut Open,
) -> Result<(), TransportError> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::OPTIONS;
    *request.uri_mut() = Uri::from_static("*");
    request.headers_mut().insert(header::HOST, target.host_field()?);
    offer(request.headers_mut());
    let sent = open.send(config, request).await.map_err(TransportError::unsent)?;
    if sent.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(declined(sent.status()).with_address(open.peer.address).unsent());
    }
    let answer = switch(config, target, open, sent, &Method::OPTIONS).await;
    let answer = answer.map_err(TransportError::unsent)?;
    if connection_lists(answer.headers(), "close") {
        let message =
            "the server becomes TLS, answers the request for that, and closes the connection";
        let error = TransportError::new(ErrorKind::Upgrade, Layer::Http, message).unsent();
        return Err(error
            .with_hint("it takes no request on an upgraded connection: use an https URL")
            .with_address(open.peer.address));
    }
    // Whatever it says of OPTIONS, it says so within TLS.
    let body = Body::stream(super::connection::Coming(answer.into_body()));
    let read = body.collect(config.limits.response_body).await;
    read.map(drop).map_err(|error| failure::body(error).unsent())
}

fn declined(status: StatusCode) -> TransportError {
    let message = format!(
        "the server does not become TLS: it answers {status} to the request for an upgrade"
    );
    TransportError::new(ErrorKind::Upgrade, Layer::Http, message)
}

/// A 426 that does not say what it wants.
pub(super) fn unsaid() -> TransportError {
    let message = "the server answers 426 (Upgrade Required) and does not say to what";
    TransportError::new(ErrorKind::Upgrade, Layer::Http, message)
        .with_hint("a proxy on the way may have taken it out: name it, or use an https URL")
}

/// Goes on within TLS after a 101, and gives the answer to the request that asked for it.
///
/// # Errors
/// No handshake: the connection ends, and nothing that comes in clear is taken for an answer.
pub(super) async fn switch(
    config: &Config,
    target: &Target,
    open: &mut Open,
    switching: Response<Incoming>,
    method: &Method,
) -> Result<Response<Incoming>, TransportError> {
    let address = open.peer.address;
    let stated = |what: &str| {
        TransportError::new(ErrorKind::Protocol, Layer::Http, what).with_address(address)
    };
    if upgrade_field::members(switching.headers(), &header::UPGRADE).all(|one| !names_tls(one)) {
        return Err(stated("the server switches (101) to something that was not offered"));
    }
    let upgraded = timeout(config.limits.handshake, hyper::upgrade::on(switching)).await;
    let upgraded = match upgraded {
        Ok(upgraded) => upgraded.map_err(failure::http)?,
        Err(_) => return Err(stated("the connection could not be taken over after 101")),
    };
    let Ok(parts) = upgraded.downcast::<TokioIo<Counted>>() else {
        return Err(stated("the connection could not be taken over after 101"));
    };
    if !parts.read_buf.is_empty() {
        return Err(stated(
            "octets came in clear behind the answer 101: somebody on the way may have put them there",
        ));
    }
    let Some(connector) = &config.connector else { return Err(no_tls()) };
    let (io, wire) = parts.io.into_inner().into_parts();
    let peer = open.peer.clone();
    let (io, channel, peer) = secure(config, &**connector, target, io, peer).await?;
    let io: BoxIo = Box::new(StandIn::new(io));
    let mut next = speak(config, Counted::new(io, Arc::clone(&wire)), wire).await?;
    (next.peer, next.channel, next.used) = (peer, channel, open.used);
    // The TCP connection is the same one: what breaks it off does so within TLS too.
    next.cut = open.cut.clone();
    *open = next;
    tracing::debug!(tls = open.channel.is_tls(), "upgraded to TLS");
    // The server answers what it has read in clear; the engine wants to have sent what is answered.
    let mut stand_in = Request::new(Body::empty());
    *stand_in.method_mut() = method.clone();
    open.send(config, stand_in).await
}

fn names_tls(member: &str) -> bool {
    member.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("TLS/"))
}

/// There is nothing that could do TLS.
pub(super) fn no_tls() -> TransportError {
    TransportError::request("an upgrade to TLS is asked for and the client has no TLS")
        .with_hint("configure TLS, or ask for no upgrade")
}
