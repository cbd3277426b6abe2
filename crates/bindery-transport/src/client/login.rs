//! Challenges, answered: a request that is refused with 401 is sent once more with proof.

use bindery_auth::{Asking, AuthError, Login, Session};
use bindery_core::Body;
use http::{Response, StatusCode, header};

use super::{Connection, request::Prepared};
use crate::{ErrorKind, Layer, TransportError};

/// How often one request is sent: as it is, with proof, and with a nonce that counts.
const TRIES: usize = 3;

impl Connection {
    /// Answers the server's challenges with this user and password from now on.
    ///
    /// A request that was refused with 401 has not been acted on, so it is sent again with proof,
    /// whatever its method, if its body is whole; further requests carry proof at once. A request
    /// with an `Authorization` of its own is left alone. Where the server goes on refusing, its 401
    /// is the answer.
    ///
    /// Basic goes over TLS only, unless the login allows more.
    pub fn set_login(&mut self, login: Login) {
        self.session = Some(Session::new(login));
    }

    /// Sends a request with what the server asked for, within the time of the whole exchange.
    pub(super) async fn send_with_proof(
        &mut self,
        prepared: &mut Prepared,
    ) -> Result<Response<Body>, TransportError> {
        let own = prepared.headers().contains_key(header::AUTHORIZATION);
        let Some(mut session) = self.session.take().filter(|_| !own) else {
            return self.send_prepared(prepared).await;
        };
        let outcome = self.prove(&mut session, prepared).await;
        self.session = Some(session);
        outcome
    }

    async fn prove(
        &mut self,
        session: &mut Session,
        prepared: &mut Prepared,
    ) -> Result<Response<Body>, TransportError> {
        let tls = self.is_secured();
        for _ in 1..TRIES {
            let proof = {
                let uri = prepared.uri().to_string();
                let body = prepared.whole();
                let asking = Asking::new(prepared.method.as_str(), &uri, body, tls, random()?);
                session.authorize(&asking).map_err(|error| refused(error, true))?
            };
            let tried = proof.is_some();
            prepared.authorize(proof);
            let response = self.send_prepared(prepared).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return confirmed(session, response);
            }
            match session.challenged(response.headers(), tried) {
                Ok(()) if prepared.is_whole() => {}
                Ok(()) => return Ok(response),
                Err(error @ (AuthError::Refused { .. } | AuthError::NoScheme { .. })) => {
                    tracing::info!(%error, "not authenticated");
                    return Ok(response);
                }
                Err(error) => return Err(refused(error, false)),
            }
        }
        let uri = prepared.uri().to_string();
        let asking = Asking::new(prepared.method.as_str(), &uri, prepared.whole(), tls, random()?);
        let proof = session.authorize(&asking).map_err(|error| refused(error, true))?;
        prepared.authorize(proof);
        let response = self.send_prepared(prepared).await?;
        confirmed(session, response)
    }
}

/// The answer, if the server's own proof is right or there is none.
fn confirmed(
    session: &mut Session,
    response: Response<Body>,
) -> Result<Response<Body>, TransportError> {
    let (parts, body) = response.into_parts();
    // A stream's proof cannot be checked before it is read.
    let (whole, body) = match body.into_bytes() {
        Ok(bytes) => (Some(bytes.clone()), Body::from(bytes)),
        Err(stream) => (None, stream),
    };
    session.answered(&parts.headers, whole.as_deref()).map_err(|error| refused(error, false))?;
    Ok(Response::from_parts(parts, body))
}

fn refused(error: AuthError, unsent: bool) -> TransportError {
    let kind = match error {
        AuthError::Malformed { .. } | AuthError::Impostor => ErrorKind::Protocol,
        _ => ErrorKind::Request,
    };
    let made = TransportError::new(kind, Layer::Http, format!("HTTP authentication: {error}"))
        .with_source(error);
    if unsent { made.unsent() } else { made }
}

pub(super) fn random() -> Result<[u8; 16], TransportError> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).map_err(|error| {
        TransportError::request(format!("this machine gives no random numbers: {error}"))
    })?;
    Ok(octets)
}
