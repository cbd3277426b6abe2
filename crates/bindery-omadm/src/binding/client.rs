//! The client's half.

use bindery_core::{Body, ClientBinding, EncodeError, Profile, Refusal, Unexpected};
use bindery_syncml::Form;
use http::{HeaderValue, Request, Response, Uri, header};

use super::{DmHttp, Incoming, Outgoing, fields, media_type, read};
use crate::profile::Family;

/// What a request fixes for reading its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expect {
    /// The forms that `Accept` named.
    pub forms: Vec<Form>,
}

impl ClientBinding for DmHttp {
    type Request = Outgoing;
    type Response = Incoming;
    type Expect = Expect;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    /// A request for `target` with a message. Fields of the caller's take the place of the card's:
    /// another `User-Agent` for instance, but not an empty one, which section 5.3.3 rules out.
    fn encode_request(
        &self,
        target: &Uri,
        message: Outgoing,
    ) -> Result<(Request<Body>, Expect), EncodeError> {
        let fits_no_field = |name| EncodeError::new(format!("the field {name} cannot be written"));
        if message.octets.is_empty() {
            return Err(EncodeError::new("there is no message; every request carries one"));
        }
        if Form::detect(&message.octets) != message.form {
            return Err(EncodeError::new("the message is in another form than it is said to be"));
        }
        self.profile.check_own_headers(&message.headers)?;
        let own = fields(&message, Family::Dm, self.content_md5).map_err(fits_no_field)?;
        let mut request = self.profile.prepare_request(target, self.body(message.octets))?;
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, self.accept_field()?);
        for name in own.keys() {
            headers.remove(name);
        }
        headers.extend(own);
        let agent = headers.get(header::USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
        if agent.trim_ascii().is_empty() {
            return Err(EncodeError::new("User-Agent is empty; name the client's software"));
        }
        Ok((request, Expect { forms: self.accept.clone() }))
    }

    fn decode_response(
        &self,
        expect: Expect,
        response: Response<Body>,
    ) -> Result<Incoming, Unexpected> {
        let (parts, body) = response.into_parts();
        let body = body
            .into_bytes()
            .map_err(|_| Unexpected::Body("it was not collected before decoding".to_owned()))?;
        self.profile.check_response(&parts, &body)?;
        let found = media_type(&parts.headers);
        if let Some((_, form)) = found.as_ref().and_then(Family::of)
            && !expect.forms.contains(&form)
        {
            return Err(Unexpected::Mismatch(format!(
                "Accept did not name {}, which the answer is of",
                found.map_or_else(String::new, |found| found.to_string())
            )));
        }
        match read(parts.headers, body, &self.responses) {
            Ok((incoming, _)) => Ok(incoming),
            Err(Refusal::MalformedBody { place }) => Err(Unexpected::Malformed(place)),
            Err(refusal) => Err(Unexpected::Mismatch(refusal.to_string())),
        }
    }
}

impl DmHttp {
    fn accept_field(&self) -> Result<HeaderValue, EncodeError> {
        let types: Vec<_> = self.accept.iter().map(|form| Family::Dm.media_type(*form)).collect();
        if types.is_empty() {
            return Err(EncodeError::new("no form of answers is taken; name XML or WBXML"));
        }
        HeaderValue::try_from(types.join(", "))
            .map_err(|_| EncodeError::new("Accept cannot be written"))
    }
}
