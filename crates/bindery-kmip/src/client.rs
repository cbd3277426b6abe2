//! The client: a method per operation over one connection.

mod error;
mod operations;

use bindery_core::{ClientBinding, EncodeError, Unexpected};
use bindery_transport::{Connection, Repeatable, Target};
use bindery_ttlv::{
    ProtocolVersion,
    registry::{BatchErrorContinuationOption, CredentialType, QueryFunction, ResultReason},
};
use http::{HeaderMap, HeaderName, HeaderValue};

pub use error::ClientError;

use crate::{
    binding::{Encoding, KmipHttps, SERVER_VERSIONS},
    call::{Envelope, OperationFailed, outcome, typed},
    message::{
        Authentication, Credential, DiscoverVersionsRequest, QueryRequest, Request, RequestMessage,
        RequestPayload, ResponseMessage, ResponsePayload, UniqueIdentifier,
    },
};

/// A KMIP client over HTTPS.
///
/// One connection, one request at a time; make several for more. A request that only reads is
/// sent once more when a kept connection turns out to be closed; one that changes something never
/// is, unless nothing of it had been sent ([`Connection::send`]).
///
/// Dropping the future of a call closes the connection; whether the server acted on it is then
/// not known.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    binding: KmipHttps,
    envelope: Envelope,
    headers: HeaderMap,
    show_certificate: bool,
    /// What [`negotiate`](Client::negotiate) offers, the one that is liked best first.
    versions: Vec<ProtocolVersion>,
}

impl Client {
    /// The settings of a client; `target` is the server's https URL. Without a path it gets the
    /// one of the binding's card.
    pub fn builder(target: Target) -> ClientBuilder {
        ClientBuilder {
            target,
            binding: KmipHttps::default(),
            envelope: Envelope::new(ProtocolVersion::V1_4),
            headers: HeaderMap::new(),
            show_certificate: false,
            versions: SERVER_VERSIONS.to_vec(),
        }
    }

    /// What stands in the header of every request; it may be changed between calls.
    pub const fn envelope_mut(&mut self) -> &mut Envelope {
        &mut self.envelope
    }

    /// The version that requests are written in.
    pub const fn version(&self) -> ProtocolVersion {
        self.envelope.version
    }

    /// The connection, to see the peer, to open it early, to close it.
    pub const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Sends a message as it is and gives the answer, failures included.
    ///
    /// # Errors
    /// The message cannot be sent, is not answered, or not by a KMIP message that fits it.
    pub async fn call(&mut self, message: RequestMessage) -> Result<ResponseMessage, ClientError> {
        self.check_certificates(&message).await?;
        let reads = message.batch_items.iter().all(|item| item.payload.only_reads());
        let target = self.connection.secured_uri();
        let (mut request, expect) = self.binding.encode_request(&target, message)?;
        for (name, value) in &self.headers {
            request.headers_mut().append(name, value.clone());
        }
        if reads {
            request.extensions_mut().insert(Repeatable);
        }
        let response = self.connection.send(request).await?;
        Ok(self.binding.decode_response(expect, response)?)
    }

    /// Does one operation.
    ///
    /// # Errors
    /// As [`call`](Self::call), and what the server refuses.
    pub async fn request<R: Request>(&mut self, request: R) -> Result<R::Response, ClientError> {
        let answer = self.ask(request).await?;
        Ok(answer.outcome?)
    }

    /// Does one operation, and keeps apart what the server refuses from what comes to no answer.
    async fn ask<R: Request>(&mut self, request: R) -> Result<Answer<R::Response>, ClientError> {
        let payload: RequestPayload = request.into();
        let operation = payload.operation();
        let subject = payload.unique_identifier().cloned();
        let message = self.envelope.request(payload);
        let message = self.with_certificate(message).await?;
        let mut response = self.call(message).await?;
        let version = response.header.protocol_version;
        let Some(item) = response.batch_items.pop() else {
            return Err(Unexpected::Mismatch("the answer has no batch item".to_owned()).into());
        };
        let outcome = match outcome(item, subject) {
            Ok(payload) => Ok(typed::<R>(payload).ok_or(ClientError::NoPayload(operation))?),
            Err(failed) => Err(failed),
        };
        Ok(Answer { version, outcome })
    }

    /// Does several operations in one message, in their order.
    ///
    /// Gives one outcome for each item that was answered, in the order of the requests: with
    /// `Stop` the server answers none behind the first failure.
    ///
    /// # Errors
    /// As [`call`](Self::call). A failed item is no error here, but one that stands for the whole
    /// message is.
    pub async fn batch(
        &mut self,
        payloads: impl IntoIterator<Item = RequestPayload>,
        continuation: BatchErrorContinuationOption,
    ) -> Result<Vec<BatchOutcome>, ClientError> {
        let message = self.envelope.batch(payloads, continuation);
        let message = self.with_certificate(message).await?;
        let subjects: Vec<Option<UniqueIdentifier>> = message
            .batch_items
            .iter()
            .map(|item| item.payload.unique_identifier().cloned())
            .collect();
        let response = self.call(message).await?;
        let mut outcomes = Vec::with_capacity(response.batch_items.len());
        for (item, subject) in response.batch_items.into_iter().zip(subjects) {
            if item.operation.is_none() {
                outcome(item, None)?;
                continue;
            }
            outcomes.push(outcome(item, subject));
        }
        Ok(outcomes)
    }

    /// Agrees with the server on a version by Discover Versions, and uses it from then on: the
    /// first of the server's list that this client speaks. A server that does not know the
    /// operation speaks 1.0. Of one that cannot read the request, the answer's header tells the
    /// version; where it does not, a Query in 1.0 shows whether the server speaks that.
    ///
    /// # Errors
    /// As [`request`](Self::request), or the two have no version in common. The version then stays
    /// as it was.
    pub async fn negotiate(&mut self) -> Result<ProtocolVersion, ClientError> {
        let before = std::mem::replace(&mut self.envelope.version, FIRST_WITH_DISCOVERY);
        let chosen = self.choose_version().await;
        self.envelope.version = chosen.as_ref().map_or(before, |version| *version);
        chosen
    }

    async fn choose_version(&mut self) -> Result<ProtocolVersion, ClientError> {
        let answer = self.ask(DiscoverVersionsRequest::new(self.versions.clone())).await?;
        let theirs = match answer.outcome {
            Ok(answer) => answer.protocol_versions,
            Err(failed) if is_unread(&failed) => match answer.version {
                // Only repeated: the server cannot read what is written in it.
                FIRST_WITH_DISCOVERY => self.is_oldest().await?,
                version => vec![version],
            },
            Err(failed) if failed.failure.reason == ResultReason::OPERATION_NOT_SUPPORTED => {
                vec![ProtocolVersion::V1_0]
            }
            Err(failed) => return Err(failed.into()),
        };
        match theirs.iter().find(|version| self.versions.contains(version)) {
            Some(version) => Ok(*version),
            None => Err(ClientError::NoCommonVersion { ours: self.versions.clone(), theirs }),
        }
    }

    /// 1.0, if the server can read it. Whatever else it says to a Query, it has read it.
    async fn is_oldest(&mut self) -> Result<Vec<ProtocolVersion>, ClientError> {
        self.envelope.version = ProtocolVersion::V1_0;
        let answer = self.ask(QueryRequest::new([QueryFunction::QUERY_OPERATIONS])).await?;
        let unread = answer.outcome.is_err_and(|failed| is_unread(&failed));
        Ok(if unread { Vec::new() } else { vec![ProtocolVersion::V1_0] })
    }

    /// Adds the certificate of the session to a message, where that was asked for.
    async fn with_certificate(
        &mut self,
        mut message: RequestMessage,
    ) -> Result<RequestMessage, ClientError> {
        if self.show_certificate {
            let der = self.own_certificate().await?;
            let authentication =
                message.header.authentication.get_or_insert_with(|| Authentication::new(vec![]));
            authentication.credentials.push(Credential::certificate(&der));
        }
        Ok(message)
    }

    /// The HTTPS profile allows a credential of type certificate, and only with the certificate
    /// that this side shows in the session.
    async fn check_certificates(&mut self, message: &RequestMessage) -> Result<(), ClientError> {
        let Some(authentication) = &message.header.authentication else { return Ok(()) };
        let mut shown = None;
        for credential in &authentication.credentials {
            if credential.credential_type != CredentialType::CERTIFICATE {
                continue;
            }
            if shown.is_none() {
                shown = Some(self.own_certificate().await?);
            }
            let held = credential.certificate_value();
            if held.as_deref() != shown.as_deref() {
                return Err(EncodeError::new(
                    "the credential of type certificate is not the certificate of this TLS \
                     session; use Credential::certificate with the client's own certificate",
                )
                .into());
            }
        }
        Ok(())
    }

    /// The certificate that this side shows in the session, DER.
    async fn own_certificate(&mut self) -> Result<Vec<u8>, ClientError> {
        self.connection.open().await?;
        let tls = self.connection.channel().and_then(|channel| channel.tls());
        match tls.and_then(|tls| tls.local_certificates.first()) {
            Some(certificate) => Ok(certificate.as_ref().to_vec()),
            None => Err(EncodeError::new(
                "this TLS session has no client certificate to send as a credential; give the \
                 connector an identity",
            )
            .into()),
        }
    }
}

/// What came of one item of a batch.
pub type BatchOutcome = Result<Option<ResponsePayload>, OperationFailed>;

/// What a server answered to one operation.
struct Answer<R> {
    /// The version in the answer's header.
    version: ProtocolVersion,
    outcome: Result<R, OperationFailed>,
}

/// The first version that has Discover Versions, so the one that every server which has it can
/// read.
const FIRST_WITH_DISCOVERY: ProtocolVersion = ProtocolVersion::V1_1;

/// Whether a server could not read a message, as it may be with one of another version.
fn is_unread(failed: &OperationFailed) -> bool {
    matches!(
        failed.failure.reason,
        ResultReason::INVALID_MESSAGE | ResultReason::UNSUPPORTED_PROTOCOL_VERSION
    )
}

/// The settings of a [`Client`].
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    target: Target,
    binding: KmipHttps,
    envelope: Envelope,
    headers: HeaderMap,
    show_certificate: bool,
    /// What [`negotiate`](Client::negotiate) offers, the one that is liked best first.
    versions: Vec<ProtocolVersion>,
}

impl ClientBuilder {
    /// Sets the version of KMIP; 1.4 by default. [`Client::negotiate`] asks the server.
    pub const fn version(mut self, version: ProtocolVersion) -> Self {
        self.envelope.version = version;
        self
    }

    /// Sets the versions that [`Client::negotiate`] offers, the one that is liked best first; all of
    /// [`SERVER_VERSIONS`] by default, from 2.1 down to 1.0.
    pub fn versions(mut self, versions: impl Into<Vec<ProtocolVersion>>) -> Self {
        self.versions = versions.into();
        self
    }

    /// Sets the encoding of requests: binary TTLV by default; XML and JSON are of the HTTPS
    /// profile's final form, and a server may refuse them. An answer is read in whichever it comes.
    /// It is a part of the [`binding`](Self::binding), so set that first.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.binding = self.binding.with_encoding(encoding);
        self
    }

    /// Sets the longest response that is asked for, in octets of binary TTLV.
    pub const fn maximum_response_size(mut self, octets: i32) -> Self {
        self.envelope.maximum_response_size = Some(octets);
        self
    }

    /// Adds a credential to every request.
    pub fn credential(mut self, credential: Credential) -> Self {
        let authentication =
            self.envelope.authentication.get_or_insert_with(|| Authentication::new(Vec::new()));
        authentication.credentials.push(credential);
        self
    }

    /// Sends the certificate of the TLS session as a credential with every request (the draft of
    /// the HTTPS profile, section 3.2, allows it). Off by default: KMIP 1.x gives the type no
    /// number, so most servers do not know it.
    pub const fn show_certificate(mut self, show: bool) -> Self {
        self.show_certificate = show;
        self
    }

    /// Sets the binding: limits, tolerances.
    pub fn binding(mut self, binding: KmipHttps) -> Self {
        self.binding = binding;
        self
    }

    /// Adds a field to the header of every HTTP request.
    ///
    /// # Errors
    /// The profile forbids the field: `Authorization` must not carry authentication data.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Result<Self, EncodeError> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value);
        ClientBinding::profile(&self.binding).check_own_headers(&headers)?;
        self.headers.extend(headers);
        Ok(self)
    }

    /// The client, over connections that `transport` makes: its connector holds the client's
    /// certificate, which the profile requires.
    pub fn build(self, transport: &bindery_transport::Client) -> Client {
        let Self { target, binding, envelope, headers, show_certificate, versions } = self;
        let connection = transport.connection(target);
        Client { connection, binding, envelope, headers, show_certificate, versions }
    }
}
