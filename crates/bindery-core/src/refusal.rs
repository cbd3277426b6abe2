//! An HTTP-level no: the peer's message is not accepted, and why.

use std::{borrow::Cow, fmt};

use http::{HeaderName, HeaderValue, Method, Version};

use crate::{BodyError, MediaType};

/// Why a request is not accepted.
///
/// A refusal says whose fault it is and where; [`Profile::status`](crate::Profile::status) alone
/// says which status code it gets. Failures *inside* a protocol (a KMIP Result Status, a SyncML
/// Status, a TAXII Status Message) are ordinary responses and no refusals.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The method is known but not one of the profile's.
    Method {
        /// The profile's methods, for the `Allow` field.
        allowed: Vec<Method>,
    },
    /// The method is not known at all.
    UnknownMethod,
    /// Nothing stands at this target.
    Target,
    /// The version of HTTP is not one of the profile's.
    Version {
        /// The version of the request.
        found: Version,
    },
    /// The profile asks for TLS and the request came in clear.
    ClearChannel,
    /// The profile asks for an identified peer and this one is not.
    Unidentified {
        /// What is missing.
        reason: String,
    },
    /// The peer has to prove who it is by HTTP authentication, and has not.
    Unauthorized {
        /// What it can prove itself with, each a value of `WWW-Authenticate`.
        challenges: Vec<HeaderValue>,
        /// What is missing or wrong.
        reason: Cow<'static, str>,
    },
    /// The peer failed too often, and has to wait.
    TooManyRequests {
        /// How long, in seconds, for the `Retry-After` field.
        retry_after: u64,
    },
    /// The peer is known and may not do this.
    Forbidden,
    /// A header field that the profile requires is missing.
    MissingHeader {
        /// The field's name.
        name: HeaderName,
    },
    /// A header field that the profile forbids is there.
    ForbiddenHeader {
        /// The field's name.
        name: HeaderName,
    },
    /// A header field cannot be read.
    MalformedHeader {
        /// The field's name.
        name: HeaderName,
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
    /// The header section passed a limit.
    HeaderTooLarge,
    /// The request target passed a limit.
    TargetTooLong,
    /// The content is not of a type that the profile names.
    MediaType {
        /// The profile's types, for the `Accept` field.
        expected: Vec<MediaType>,
        /// The type that the request declares, if it could be read.
        found: Option<MediaType>,
    },
    /// The content has a coding that the profile does not take.
    ContentCoding {
        /// The codings that it takes, for the `Accept-Encoding` field.
        expected: Vec<&'static str>,
    },
    /// The body has a transfer coding other than chunked.
    TransferCoding,
    /// No response that the profile can give is acceptable to the client.
    NotAcceptable,
    /// The `Expect` field holds something other than `100-continue`.
    Expectation,
    /// The length of the body has to be declared and is not.
    LengthRequired,
    /// The body passed the limit.
    BodyTooLarge {
        /// The limit, in octets.
        limit: u64,
    },
    /// The body came too slowly.
    Timeout,
    /// The connection broke inside the body: there is nobody left to answer.
    BodyIncomplete,
    /// The body is not the message that it should be.
    MalformedBody {
        /// Where and why.
        place: Place,
    },
    /// The request can be answered within TLS only, and this connection can become TLS (RFC 2817,
    /// section 4.2).
    UpgradeRequired {
        /// What it can become, for the `Upgrade` field: `TLS/1.3, TLS/1.2`.
        protocols: HeaderValue,
    },
    /// A proxy asks who it is that it works for, and has not been told.
    ProxyUnauthorized {
        /// What the peer can prove itself with, each a value of `Proxy-Authenticate`.
        challenges: Vec<HeaderValue>,
        /// What is missing or wrong.
        reason: Cow<'static, str>,
    },
    /// A proxy does not lead there.
    TunnelForbidden {
        /// Why not.
        reason: Cow<'static, str>,
    },
    /// A proxy cannot reach the server that the request is for.
    Unreachable {
        /// What happened.
        reason: String,
    },
    /// A proxy did not reach the server that the request is for in time.
    UnreachableInTime,
    /// The server has too much to do; the same request may succeed later.
    ///
    /// Also told when a request took longer than the server's time limit. It does not mean "not
    /// done": a handler that was cancelled then may have acted.
    Overloaded,
    /// A fault of this side that is no fault of the peer.
    Internal,
}

/// A place in a message, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The content format, such as `TTLV`.
    pub format: &'static str,
    /// The offset in octets, where one is known.
    pub offset: Option<u64>,
    /// What was found, what was expected, and in which element.
    pub reason: String,
}

impl Place {
    /// A place from its format, offset and explanation.
    pub fn new(format: &'static str, offset: Option<u64>, reason: impl Into<String>) -> Self {
        Self { format, offset, reason: reason.into() }
    }
}

/// The kind of a [`Refusal`], without its details: the key of a profile's status overrides and of
/// counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the variant of Refusal of the same name")]
pub enum Fault {
    Method,
    UnknownMethod,
    Target,
    Version,
    ClearChannel,
    Unidentified,
    Unauthorized,
    TooManyRequests,
    Forbidden,
    MissingHeader,
    ForbiddenHeader,
    MalformedHeader,
    HeaderTooLarge,
    TargetTooLong,
    MediaType,
    ContentCoding,
    TransferCoding,
    NotAcceptable,
    Expectation,
    LengthRequired,
    BodyTooLarge,
    Timeout,
    BodyIncomplete,
    MalformedBody,
    UpgradeRequired,
    ProxyUnauthorized,
    TunnelForbidden,
    Unreachable,
    UnreachableInTime,
    Overloaded,
    Internal,
}

impl Refusal {
    /// The refusal's kind.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Method { .. } => Fault::Method,
            Self::UnknownMethod => Fault::UnknownMethod,
            Self::Target => Fault::Target,
            Self::Version { .. } => Fault::Version,
            Self::ClearChannel => Fault::ClearChannel,
            Self::Unidentified { .. } => Fault::Unidentified,
            Self::Unauthorized { .. } => Fault::Unauthorized,
            Self::TooManyRequests { .. } => Fault::TooManyRequests,
            Self::Forbidden => Fault::Forbidden,
            Self::MissingHeader { .. } => Fault::MissingHeader,
            Self::ForbiddenHeader { .. } => Fault::ForbiddenHeader,
            Self::MalformedHeader { .. } => Fault::MalformedHeader,
            Self::HeaderTooLarge => Fault::HeaderTooLarge,
            Self::TargetTooLong => Fault::TargetTooLong,
            Self::MediaType { .. } => Fault::MediaType,
            Self::ContentCoding { .. } => Fault::ContentCoding,
            Self::TransferCoding => Fault::TransferCoding,
            Self::NotAcceptable => Fault::NotAcceptable,
            Self::Expectation => Fault::Expectation,
            Self::LengthRequired => Fault::LengthRequired,
            Self::BodyTooLarge { .. } => Fault::BodyTooLarge,
            Self::Timeout => Fault::Timeout,
            Self::BodyIncomplete => Fault::BodyIncomplete,
            Self::MalformedBody { .. } => Fault::MalformedBody,
            Self::UpgradeRequired { .. } => Fault::UpgradeRequired,
            Self::ProxyUnauthorized { .. } => Fault::ProxyUnauthorized,
            Self::TunnelForbidden { .. } => Fault::TunnelForbidden,
            Self::Unreachable { .. } => Fault::Unreachable,
            Self::UnreachableInTime => Fault::UnreachableInTime,
            Self::Overloaded => Fault::Overloaded,
            Self::Internal => Fault::Internal,
        }
    }

    /// What the peer can do about it.
    pub const fn hint(&self) -> &'static str {
        match self.fault() {
            Fault::Method | Fault::UnknownMethod => "use a method that the Allow field names",
            Fault::Target => "check the path of the request against the server's configuration",
            Fault::Version => "use HTTP/1.1",
            Fault::ClearChannel => "connect with TLS (an https URL)",
            Fault::Unidentified => "show an identity that the server accepts",
            Fault::Unauthorized => "authenticate with a scheme that WWW-Authenticate names",
            Fault::TooManyRequests => "wait as long as Retry-After says",
            Fault::Forbidden => "ask the server's operator for permission",
            Fault::MissingHeader => "send the field",
            Fault::ForbiddenHeader => "leave the field out",
            Fault::MalformedHeader => "send the field as its specification writes it, once",
            Fault::HeaderTooLarge => "send fewer or shorter header fields",
            Fault::TargetTooLong => "use a shorter target",
            Fault::MediaType => "declare the content in Content-Type as a type that Accept names",
            Fault::ContentCoding => {
                "send the body with a coding that Accept-Encoding names, or none"
            }
            Fault::TransferCoding => "use chunked or Content-Length and no other transfer coding",
            Fault::NotAcceptable => "accept one of the profile's response types and codings",
            Fault::Expectation => "send no Expect field other than 100-continue",
            Fault::LengthRequired => "send Content-Length",
            Fault::BodyTooLarge => "send a smaller message",
            Fault::Timeout => "send the body faster",
            Fault::BodyIncomplete => "send the request again, whole",
            Fault::MalformedBody => "send one well-formed message of the declared type",
            Fault::UpgradeRequired => {
                "ask for the upgrade first (OPTIONS * with Connection: Upgrade and Upgrade: TLS/1.2), \
                 then send the request within TLS; or use an https URL of this service"
            }
            Fault::ProxyUnauthorized => "authenticate with a scheme that Proxy-Authenticate names",
            Fault::TunnelForbidden => "ask the proxy's operator what it leads to",
            Fault::Unreachable => "check host and port, and that the server is running",
            Fault::UnreachableInTime => "check host and port, or try again later",
            Fault::Overloaded => "try again later",
            Fault::Internal => "tell the server's operator; the log names the cause",
        }
    }
}

impl From<&BodyError> for Refusal {
    fn from(error: &BodyError) -> Self {
        match error {
            BodyError::TooLarge { limit } => Self::BodyTooLarge { limit: *limit },
            BodyError::Timeout(_) => Self::Timeout,
            BodyError::Incomplete(_) => Self::BodyIncomplete,
            BodyError::Coding(reason) => {
                Self::MalformedBody { place: Place::new("content coding", None, reason.clone()) }
            }
            BodyError::Digest(field) => Self::MalformedBody {
                place: Place::new(field, None, "the body is another one than was announced"),
            },
        }
    }
}

/// Text that may repeat what a peer sent, printed with its control characters escaped: an
/// explanation is one line in every log and every answer.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.split_inclusive(char::is_control) {
            match piece.chars().next_back() {
                Some(last) if last.is_control() => {
                    f.write_str(piece.strip_suffix(last).unwrap_or_default())?;
                    write!(f, "{}", last.escape_default())?;
                }
                _ => f.write_str(piece)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => {
                write!(f, "{} at offset {offset}: {}", self.format, OneLine(&self.reason))
            }
            None => write!(f, "{}: {}", self.format, OneLine(&self.reason)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method { allowed } => {
                f.write_str("the method is not allowed here; allowed: ")?;
                list(f, allowed)
            }
            Self::UnknownMethod => f.write_str("the method is not known"),
            Self::Target => f.write_str("nothing stands at this target"),
            Self::Version { found } => write!(f, "{found:?} is not spoken here"),
            Self::ClearChannel => f.write_str("the request came without TLS"),
            Self::Unidentified { reason } => {
                write!(f, "the peer is not identified: {}", OneLine(reason))
            }
            Self::Unauthorized { reason, .. } => {
                write!(f, "the peer is not authenticated: {}", OneLine(reason))
            }
            Self::TooManyRequests { retry_after } => {
                write!(f, "too many failures; the next try counts in {retry_after} s")
            }
            Self::Forbidden => f.write_str("the peer may not do this"),
            Self::MissingHeader { name } => write!(f, "the field {name} is missing"),
            Self::ForbiddenHeader { name } => write!(f, "the field {name} is forbidden here"),
            Self::MalformedHeader { name, reason } => {
                write!(f, "the field {name}: {}", OneLine(reason))
            }
            Self::HeaderTooLarge => f.write_str("the header section is too large"),
            Self::TargetTooLong => f.write_str("the request target is too long"),
            Self::MediaType { expected, found } => {
                match found {
                    Some(found) => write!(f, "the content is declared as {found}; expected ")?,
                    None => f.write_str("the content has no readable media type; expected ")?,
                }
                list(f, expected)
            }
            Self::ContentCoding { .. } => f.write_str("the content coding is not taken here"),
            Self::TransferCoding => f.write_str("the transfer coding is not taken here"),
            Self::NotAcceptable => f.write_str("no acceptable response can be given"),
            Self::Expectation => f.write_str("the expectation cannot be met"),
            Self::LengthRequired => f.write_str("the length of the body is not declared"),
            Self::BodyTooLarge { limit } => {
                write!(f, "the body is longer than the limit of {limit} octets")
            }
            Self::Timeout => f.write_str("the request did not arrive in time"),
            Self::BodyIncomplete => f.write_str("the body ended before its time"),
            Self::MalformedBody { place } => write!(f, "the body is not well-formed: {place}"),
            Self::UpgradeRequired { .. }
            | Self::ProxyUnauthorized { .. }
            | Self::TunnelForbidden { .. }
            | Self::Unreachable { .. }
            | Self::UnreachableInTime => self.of_the_way(f),
            Self::Overloaded => f.write_str("the server has too much to do"),
            Self::Internal => f.write_str("the server failed"),
        }
    }
}

impl Refusal {
    /// What is wrong with the way that a request takes, not with the request.
    fn of_the_way(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UpgradeRequired { protocols } => write!(
                f,
                "the request is answered within TLS only, and came in clear; this connection can be \
                 upgraded to {}",
                protocols.to_str().unwrap_or("TLS")
            ),
            Self::ProxyUnauthorized { reason, .. } => {
                write!(f, "the proxy's peer is not authenticated: {}", OneLine(reason))
            }
            Self::TunnelForbidden { reason } => {
                write!(f, "the proxy does not lead there: {}", OneLine(reason))
            }
            Self::Unreachable { reason } => {
                write!(f, "the proxy cannot reach the server: {}", OneLine(reason))
            }
            Self::UnreachableInTime => f.write_str("the proxy did not reach the server in time"),
            _ => Ok(()),
        }
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

impl std::error::Error for Refusal {}
