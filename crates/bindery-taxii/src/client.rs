//! The client: the exchanges of all dialects.

mod choose;
mod cursors;
mod error;
mod poll;
mod push;
mod receive;
#[cfg(feature = "service")]
mod sender;
mod watch;

use std::{collections::BTreeMap, sync::Arc};

use bindery_auth::Login;
use bindery_core::{ClientBinding, EncodeError, Unexpected};
use bindery_taxii_xml::{
    Body, Collection, ContentBlock, Dialect, ExtendedHeader, Message, MessageKind, ServiceInstance,
    StatusType, SubscriptionRequest, SubscriptionResponse, Tolerances,
};
use bindery_transport::{Connection, Repeatable, Target};
use http::Uri;

pub use choose::choose;
pub use cursors::{Cursors, ParseCursorsError};
pub use error::ClientError;
pub use poll::{PollOptions, Polling};
pub use receive::{PushReceiver, ReceivePush, Received, Receiving};
#[cfg(feature = "service")]
pub use sender::PushSender;
pub use watch::WatchCalls;

use crate::{Answer, Call, Dialects, HttpProfile, Ids, Origin, Service, TaxiiHttp};

/// A TAXII client.
///
/// It keeps one connection to each server that it talked to and makes one request at a time; make several clients for
/// more. A server that is reached by an upgrade to TLS (RFC 2817) may name its services by https: they are asked over the same
/// connection. Requests that only read are sent once more when a kept connection turns out to be closed; an Inbox Message and a
/// subscription never are, unless nothing of them had been sent.
///
/// Any status but SUCCESS is [`ClientError::Status`].
#[derive(Debug)]
pub struct Client {
    transport: bindery_transport::Client,
    connections: BTreeMap<String, Connection>,
    logins: BTreeMap<String, Login>,
    binding: TaxiiHttp,
    dialect: Dialect,
    ids: Arc<Ids>,
    headers: Vec<ExtendedHeader>,
    watch: Option<Arc<dyn WatchCalls>>,
}

/// The settings of a [`Client`].
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    dialect: Dialect,
    profile: HttpProfile,
    logins: BTreeMap<String, Login>,
    headers: Vec<ExtendedHeader>,
    tolerances: Tolerances,
    ids: Arc<Ids>,
    watch: Option<Arc<dyn WatchCalls>>,
}

impl ClientBuilder {
    /// Sets the dialect; 1.1 by default.
    pub const fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Talks over clear HTTP too. By default an `http` URL is refused before anything is sent (section 9).
    pub const fn allow_clear(mut self) -> Self {
        self.profile.clear = true;
        self
    }

    /// The longest answer that is taken whole, in octets; 1 GiB by default. Polls are read as they come, under the
    /// transport's own limit.
    pub const fn response_body_limit(mut self, octets: u64) -> Self {
        self.profile.response_body_limit = octets;
        self
    }

    /// Answers the challenges of one server: scheme, host and port of `url`. Other servers, also those that
    /// this one's discovery names, never see it. Basic goes over TLS only unless the login says otherwise.
    ///
    /// # Errors
    /// The URL is none.
    pub fn login(mut self, url: &Uri, login: Login) -> Result<Self, EncodeError> {
        self.logins.insert(origin(&target(url)?), login);
        Ok(self)
    }

    /// Lets faults of servers pass; by default none.
    pub const fn tolerances(mut self, tolerances: Tolerances) -> Self {
        self.tolerances = tolerances;
        self
    }

    /// Adds an extended header to every message.
    pub fn extended_header(mut self, header: ExtendedHeader) -> Self {
        self.headers.push(header);
        self
    }

    /// Has somebody told of requests and answers.
    pub fn watch(mut self, watch: Arc<dyn WatchCalls>) -> Self {
        self.watch = Some(watch);
        self
    }

    /// The client, over connections that `transport` makes. Its limit on an answer's body
    /// ([`ClientLimits::response_body`](bindery_transport::ClientLimits)) is to be as large as polls may be.
    pub fn build(self, transport: bindery_transport::Client) -> Client {
        let Self { dialect, mut profile, logins, headers, tolerances, ids, watch } = self;
        profile.dialects = Dialects::ALL;
        let binding = TaxiiHttp::new(&profile, Arc::clone(&ids)).with_tolerances(tolerances);
        let connections = BTreeMap::new();
        Client { transport, connections, logins, binding, dialect, ids, headers, watch }
    }
}

impl Client {
    /// The settings of a client. `ids` makes the ids of its messages.
    pub fn builder(ids: Arc<Ids>) -> ClientBuilder {
        ClientBuilder {
            dialect: Dialect::V1_1,
            // One that takes every message: the service plays no part on this side.
            profile: HttpProfile::new(Service::CollectionManagement),
            logins: BTreeMap::new(),
            headers: Vec::new(),
            tolerances: Tolerances::NONE,
            ids,
            watch: None,
        }
    }

    /// The dialect that requests are written in.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Sends a message as it is and gives the answer, failures included.
    ///
    /// # Errors
    /// The message cannot be sent, is not answered, or not by a TAXII message that fits it.
    pub async fn call(
        &mut self,
        url: &Uri,
        message: Message<'static>,
    ) -> Result<Answer, ClientError> {
        let reads = matches!(
            message.body.kind(),
            MessageKind::DiscoveryRequest
                | MessageKind::CollectionInformationRequest
                | MessageKind::PollRequest
                | MessageKind::PollFulfillment
        );
        let call = Call::new(self.dialect, message);
        let url = &self.way(url);
        // What is http by its URL may be https by an upgrade (RFC 2817).
        let seen = self.connection(url)?.secured(url);
        let (mut request, expect) = self.binding.encode_request(&seen, call)?;
        if reads {
            request.extensions_mut().insert(Repeatable);
        }
        let request = watch::request(self.watch.as_ref(), request)?;
        let response = self.connection(url)?.send(request).await?;
        let response = watch::answer(self.watch.as_ref(), response);
        Ok(self.binding.decode_response(expect, response)?)
    }

    /// The services that a server has.
    ///
    /// # Errors
    /// As [`call`](Self::call), and a status.
    pub async fn discovery(&mut self, url: &Uri) -> Result<Vec<ServiceInstance>, ClientError> {
        match self.ask(url, Body::DiscoveryRequest).await? {
            Body::DiscoveryResponse(found) => Ok(found.services),
            other => Err(unfit(&other, "a Discovery Response")),
        }
    }

    /// The collections (before 1.1: feeds) that a server has.
    ///
    /// # Errors
    /// As [`call`](Self::call), and a status.
    pub async fn collections(&mut self, url: &Uri) -> Result<Vec<Collection>, ClientError> {
        match self.ask(url, Body::CollectionInformationRequest).await? {
            Body::CollectionInformationResponse(found) => Ok(found.collections),
            other => Err(unfit(&other, "a Collection Information Response")),
        }
    }

    /// Makes, changes or shows subscriptions.
    ///
    /// # Errors
    /// As [`call`](Self::call), and a status.
    pub async fn subscription(
        &mut self,
        url: &Uri,
        request: SubscriptionRequest,
    ) -> Result<SubscriptionResponse, ClientError> {
        match self.ask(url, request.into()).await? {
            Body::SubscriptionResponse(found) => Ok(found),
            other => Err(unfit(&other, "a Subscription Management Response")),
        }
    }

    /// A message of the client's dialect.
    fn message(&self, body: Body, blocks: Vec<ContentBlock<'static>>) -> Message<'static> {
        let mut message = Message::new(self.ids.message(self.dialect), None, body);
        message.extended_headers.clone_from(&self.headers);
        message.blocks = blocks;
        message
    }

    /// What a service answers, unless it is a status other than success.
    async fn ask(&mut self, url: &Uri, body: Body) -> Result<Body, ClientError> {
        let message = self.message(body, Vec::new());
        let answer = self.call(url, message).await?;
        succeeded(answer.message.body, answer.origin)
    }

    /// The URL by which a URL's server is reached. One that was reached by an upgrade (RFC 2817) names its services by https,
    /// as it sees them, at the port where it is asked in clear first: the connection that led to it leads to them, as long as
    /// nothing goes out on it in clear.
    fn way(&self, url: &Uri) -> Uri {
        if url.scheme_str() != Some("https") {
            return url.clone();
        }
        let is_same = |target: &Target| {
            let host = target.uri().host().unwrap_or_default();
            url.host().is_some_and(|named| named.eq_ignore_ascii_case(host))
                && url.port_u16() == target.uri().port_u16()
        };
        let upgraded = self.connections.values().find(|connection| {
            let secured = connection.secured_uri();
            let target = connection.target();
            !target.is_tls() && secured.scheme_str() == Some("https") && is_same(target)
        });
        let Some(authority) = upgraded.and_then(|one| one.target().uri().authority()) else {
            return url.clone();
        };
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let way = Uri::builder().scheme("http").authority(authority.clone()).path_and_query(path);
        way.build().unwrap_or_else(|_| url.clone())
    }

    /// The connection to a URL's server, with the login for it.
    fn connection(&mut self, url: &Uri) -> Result<&mut Connection, ClientError> {
        let target = target(url)?;
        let origin = origin(&target);
        let login = self.logins.get(&origin).cloned();
        Ok(self.connections.entry(origin).or_insert_with(|| {
            let mut connection = self.transport.connection(target);
            if let Some(login) = login {
                connection.set_login(login);
            }
            connection
        }))
    }
}

/// A body, or the failure that it tells of.
fn succeeded(body: Body, origin: Origin) -> Result<Body, ClientError> {
    match body {
        Body::Status(status) if status.status_type != StatusType::Success => {
            Err(ClientError::status(status, origin))
        }
        other => Ok(other),
    }
}

fn unfit(found: &Body, expected: &str) -> ClientError {
    let reason = format!("it is a {:?}, expected {expected}", found.kind());
    Unexpected::Mismatch(reason).into()
}

fn target(url: &Uri) -> Result<Target, EncodeError> {
    Target::new(url.clone()).map_err(|error| EncodeError::new(format!("{error}; {}", error.hint())))
}

/// What connections and logins are kept by.
fn origin(target: &Target) -> String {
    let host = target.host().to_ascii_lowercase();
    format!("{}://{host} {}", if target.is_tls() { "https" } else { "http" }, target.port())
}
