//! The client's half.

use bindery_core::{Body, ClientBinding, EncodeError, Profile, Unexpected};
use bindery_ttlv::{
    Limits, Options, ProtocolVersion,
    registry::{BatchErrorContinuationOption, Operation, ResultStatus},
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};

use super::{Encoding, KmipHttps, place};
use crate::message::{RequestMessage, ResponseMessage, versions};

/// What a request fixes for reading its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expect {
    /// The version that the request was written in.
    pub version: ProtocolVersion,
    /// Each item's operation and Unique Batch Item ID.
    pub items: Vec<(Operation, Option<Bytes>)>,
    /// Whether a failed item may be the last that is answered.
    pub may_stop: bool,
}

impl Expect {
    /// What a message expects.
    pub fn of(message: &RequestMessage) -> Self {
        let item = |item: &crate::message::RequestBatchItem| {
            (item.operation, item.unique_batch_item_id.clone())
        };
        Self {
            version: message.header.protocol_version,
            items: message.batch_items.iter().map(item).collect(),
            may_stop: message.header.continuation() != BatchErrorContinuationOption::CONTINUE,
        }
    }

    /// Checks that a response answers the request.
    ///
    /// # Errors
    /// What does not fit: the version, the number of items, an operation, a Unique Batch Item ID.
    pub fn check(&self, response: &ResponseMessage) -> Result<(), Unexpected> {
        let found = response.batch_items.len();
        if usize::try_from(response.header.batch_count) != Ok(found) {
            return Err(mismatch(format!(
                "the Batch Count says {} and there are {found} items",
                response.header.batch_count
            )));
        }
        if let [only] = response.batch_items.as_slice()
            && only.operation.is_none()
            && only.result_status == ResultStatus::OPERATION_FAILED
        {
            // The server could not read the request at all (KMIP 1.4, section 11.1), so it could
            // not repeat anything of it.
            return Ok(());
        }
        let version = response.header.protocol_version;
        if version != self.version {
            return Err(mismatch(format!(
                "the request was in version {} and the answer is in {version}",
                self.version
            )));
        }
        self.check_items(response)
    }

    fn check_items(&self, response: &ResponseMessage) -> Result<(), Unexpected> {
        let (asked, found) = (self.items.len(), response.batch_items.len());
        let failed = |status| status != ResultStatus::SUCCESS;
        let stopped = self.may_stop
            && found > 0
            && found < asked
            && response.batch_items.last().is_some_and(|item| failed(item.result_status));
        if found != asked && !stopped {
            return Err(mismatch(format!("{asked} items were asked for and {found} answered")));
        }
        for (place, ((operation, id), item)) in
            (1..).zip(self.items.iter().zip(&response.batch_items))
        {
            if item.operation != Some(*operation) {
                let found = item.operation.map_or_else(|| "none".to_owned(), |o| o.to_string());
                return Err(mismatch(format!(
                    "item {place}: the operation is {operation} and the answer's is {found}"
                )));
            }
            if *id != item.unique_batch_item_id {
                return Err(mismatch(format!(
                    "item {place} ({operation}): the Unique Batch Item ID is not the request's"
                )));
            }
            if let Some(payload) = &item.payload
                && payload.operation() != *operation
            {
                return Err(mismatch(format!("item {place}: the payload is not {operation}'s")));
            }
        }
        Ok(())
    }
}

fn mismatch(what: String) -> Unexpected {
    Unexpected::Mismatch(what)
}

impl ClientBinding for KmipHttps {
    type Request = RequestMessage;
    type Response = ResponseMessage;
    type Expect = Expect;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn encode_request(
        &self,
        target: &http::Uri,
        request: RequestMessage,
    ) -> Result<(Request<Body>, Expect), EncodeError> {
        check_request(&request)?;
        let expect = Expect::of(&request);
        let octets = request.encode().map_err(|error| EncodeError::new(error.to_string()))?;
        self.check_own(&octets, expect.version)?;
        let (encoding, body) = self.encoding.write(octets, &self.requests);
        let mut request = self.profile.prepare_request(target, Body::from(body))?;
        let media_type = HeaderValue::from_static(encoding.media_type());
        request.headers_mut().insert(header::CONTENT_TYPE, media_type);
        Ok((request, expect))
    }

    fn decode_response(
        &self,
        expect: Expect,
        response: Response<Body>,
    ) -> Result<ResponseMessage, Unexpected> {
        let (parts, body) = response.into_parts();
        let octets = body
            .into_bytes()
            .map_err(|_| Unexpected::Body("it was not collected before decoding".to_owned()))?;
        self.profile.check_response(&parts, &octets)?;
        let octets = Encoding::of(&parts.headers)
            .read(octets, &self.responses)
            .map_err(Unexpected::Malformed)?;
        let message = ResponseMessage::decode(&octets, &self.responses)
            .map_err(|error| Unexpected::Malformed(place(&error)))?;
        expect.check(&message)?;
        Ok(message)
    }
}

impl KmipHttps {
    /// Strict in what is sent: nothing that the version does not have. How long it is and how deep is
    /// the caller's own choice.
    fn check_own(&self, octets: &[u8], version: ProtocolVersion) -> Result<(), EncodeError> {
        if self.responses.tolerance.other_versions {
            return Ok(());
        }
        let most = u32::MAX;
        let limits = Limits::DEFAULT.with_message_length(most).with_bytes_length(most);
        let options = Options::LENIENT.with_limits(limits.with_items(most).with_text_length(most));
        versions::check(octets, version, &options)
            .map_err(|error| EncodeError::new(format!("the request: {error}")))
    }
}

/// What a request must hold to be answered at all (KMIP 1.4, sections 6.4 and 7.2).
fn check_request(request: &RequestMessage) -> Result<(), EncodeError> {
    let items = request.batch_items.len();
    if items == 0 {
        return Err(EncodeError::new("the message has no batch item; add an operation"));
    }
    if usize::try_from(request.header.batch_count) != Ok(items) {
        return Err(EncodeError::new(format!(
            "the Batch Count says {} and there are {items} items; set it to the number of items",
            request.header.batch_count
        )));
    }
    if items > 1 && request.batch_items.iter().any(|item| item.unique_batch_item_id.is_none()) {
        return Err(EncodeError::new(
            "an item of a batch has no Unique Batch Item ID; RequestMessage::new gives one",
        ));
    }
    if let Some(item) =
        request.batch_items.iter().find(|item| item.operation != item.payload.operation())
    {
        return Err(EncodeError::new(format!(
            "the operation is {} and its payload is {}'s; make the item from the payload",
            item.operation,
            item.payload.operation()
        )));
    }
    Ok(())
}
