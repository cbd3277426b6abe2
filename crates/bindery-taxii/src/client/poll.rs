//! Polls, read as they come.

use bindery_core::{ClientBinding, EncodeError, Unexpected};
use bindery_taxii_xml::{
    Body as MessageBody, ContentBinding, ContentBlock, Dialect, PollFulfillment, PollParameters,
    PollRequest, PollResponse, PushParameters, Query, Read, RecordCount, ResponseType, Timestamp,
};
use http::Uri;

use super::{Client, ClientError, succeeded, unfit, watch};
use crate::{
    Call, Expect, Origin,
    arriving::{Arriving, Broken},
};

/// What a poll asks for. What a dialect does not have is an error, and nothing is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollOptions {
    /// Later than this, exclusively: the end of the poll before.
    pub begin: Option<Timestamp>,
    /// Up to this, inclusively.
    pub end: Option<Timestamp>,
    /// The subscription whose terms hold; then nothing else is to be said but the range.
    pub subscription_id: Option<String>,
    /// The content bindings that are wanted; none: all. The draft asks for exactly one.
    pub content_bindings: Vec<ContentBinding>,
    /// The query that blocks must meet (1.1).
    pub query: Option<Query>,
    /// Whether the answer may come later (1.1): the service may then answer PENDING, which is a
    /// [`ClientError::Status`] with the details RESULT_ID, ESTIMATED_WAIT and WILL_PUSH.
    pub allow_asynch: bool,
    /// Where a result that comes later may be pushed to (1.1).
    pub delivery: Option<PushParameters>,
    /// The most blocks; [`ClientError::Limit`] tells where there are more.
    pub max_blocks: Option<u64>,
    /// The most parts of the result; 100,000 by default.
    pub max_parts: Option<u64>,
    /// The most octets of the answer that are read for one block; 64 MiB by default.
    pub max_block_octets: Option<u64>,
}

impl PollOptions {
    /// The request of a dialect.
    fn request(
        &self,
        dialect: Dialect,
        collection: &str,
        response_type: ResponseType,
    ) -> Result<PollRequest, EncodeError> {
        let only_1_1 = self.query.is_some()
            || self.allow_asynch
            || self.delivery.is_some()
            || response_type == ResponseType::CountOnly;
        if only_1_1 && dialect != Dialect::V1_1 {
            return Err(EncodeError::new(format!(
                "TAXII {dialect} has no queries, counts and later answers; ask in 1.1"
            )));
        }
        let subscribed = self.subscription_id.is_some();
        if subscribed && (only_1_1 || !self.content_bindings.is_empty()) {
            let reason = "a subscription's terms say what is wanted; name it or the rest";
            return Err(EncodeError::new(reason));
        }
        let released = dialect == Dialect::V1_1;
        let parameters = (released && !subscribed).then(|| PollParameters {
            allow_asynch: self.allow_asynch.then_some(true),
            response_type: Some(response_type),
            content_bindings: self.content_bindings.clone(),
            query: self.query.clone(),
            delivery: self.delivery.clone(),
        });
        Ok(PollRequest {
            collection: collection.to_owned(),
            begin: self.begin.clone(),
            end: self.end.clone(),
            subscription_id: self.subscription_id.clone(),
            parameters,
            content_bindings: if released { Vec::new() } else { self.content_bindings.clone() },
        })
    }
}

/// The default of [`PollOptions::max_parts`].
const MAX_PARTS: u64 = 100_000;
/// The default of [`PollOptions::max_block_octets`].
const MAX_BLOCK_OCTETS: u64 = 64 << 20;

impl Client {
    /// Polls a collection (before 1.1: a feed). The blocks come one by one, from all parts of the result; one of them is in
    /// memory at a time.
    ///
    /// # Errors
    /// As [`call`](Self::call), and a status.
    pub async fn poll(
        &mut self,
        url: &Uri,
        collection: &str,
        options: &PollOptions,
    ) -> Result<Polling<'_>, ClientError> {
        let request = options.request(self.dialect, collection, ResponseType::Full)?;
        Polling::begin(self, url, collection, request.into(), 1, options).await
    }

    /// Asks for a part of a result and those behind it: of one that was PENDING, or that an earlier poll left off at.
    ///
    /// # Errors
    /// As [`poll`](Self::poll).
    pub async fn fulfil(
        &mut self,
        url: &Uri,
        collection: &str,
        result_id: &str,
        part: u64,
        options: &PollOptions,
    ) -> Result<Polling<'_>, ClientError> {
        let request = fulfilment(collection, result_id, part);
        Polling::begin(self, url, collection, request, part, options).await
    }

    /// How many blocks a poll would give (1.1), where the service says so, and up to where it counted.
    ///
    /// # Errors
    /// As [`poll`](Self::poll).
    pub async fn count(
        &mut self,
        url: &Uri,
        collection: &str,
        options: &PollOptions,
    ) -> Result<(Option<RecordCount>, Option<Timestamp>), ClientError> {
        let request = options.request(self.dialect, collection, ResponseType::CountOnly)?;
        match self.ask(url, request.into()).await? {
            MessageBody::PollResponse(found) => Ok((found.record_count, found.end)),
            other => Err(unfit(&other, "a Poll Response")),
        }
    }
}

fn fulfilment(collection: &str, result_id: &str, part: u64) -> MessageBody {
    PollFulfillment {
        collection: collection.to_owned(),
        result_id: result_id.to_owned(),
        result_part_number: Some(part),
    }
    .into()
}

/// A poll's result as it comes.
#[derive(Debug)]
pub struct Polling<'c> {
    client: &'c mut Client,
    url: Uri,
    collection: String,
    part: Part,
    number: u64,
    parts: u64,
    blocks: u64,
    /// The latest end of the parts that were read to their own.
    end: Option<Timestamp>,
    done: bool,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    blocks: u64,
    parts: u64,
    block_octets: u64,
}

impl<'c> Polling<'c> {
    async fn begin(
        client: &'c mut Client,
        url: &Uri,
        collection: &str,
        request: MessageBody,
        number: u64,
        options: &PollOptions,
    ) -> Result<Self, ClientError> {
        let limits = Limits {
            blocks: options.max_blocks.unwrap_or(u64::MAX),
            parts: options.max_parts.unwrap_or(MAX_PARTS),
            block_octets: options.max_block_octets.unwrap_or(MAX_BLOCK_OCTETS),
        };
        let part = Part::ask(client, url, request, number, limits.block_octets).await?;
        let (url, collection) = (url.clone(), collection.to_owned());
        let (blocks, end, done) = (0, None, false);
        Ok(Self { client, url, collection, part, number, parts: 1, blocks, end, done, limits })
    }

    /// What the service said of the part that is being read: its range, how many records there are.
    pub const fn response(&self) -> &PollResponse {
        &self.part.head
    }

    /// The number of the part that is being read, and the result's id: where to go on with
    /// [`Client::fulfil`] after a failure.
    pub fn place(&self) -> (u64, Option<&str>) {
        (self.number, self.part.head.result_id.as_deref())
    }

    /// Up to where the collection was read, once everything was: where the next poll begins. Nothing for a set.
    pub fn end(&self) -> Option<&Timestamp> {
        self.end.as_ref().filter(|_| self.done)
    }

    /// The next block; nothing once all parts were read.
    ///
    /// # Errors
    /// The answer broke off or is faulty, a later part was refused, a limit was reached.
    pub async fn next_block(&mut self) -> Result<Option<ContentBlock<'static>>, ClientError> {
        while !self.done {
            if let Some(block) = self.part.next().await? {
                if self.blocks >= self.limits.blocks {
                    return Err(ClientError::Limit { what: "blocks", limit: self.limits.blocks });
                }
                self.blocks = self.blocks.saturating_add(1);
                return Ok(Some(block));
            }
            self.end = self.end.take().max(self.part.head.end.clone());
            if self.part.head.more != Some(true) {
                self.done = true;
                break;
            }
            self.next_part().await?;
        }
        Ok(None)
    }

    async fn next_part(&mut self) -> Result<(), ClientError> {
        if self.parts >= self.limits.parts {
            return Err(ClientError::Limit { what: "parts", limit: self.limits.parts });
        }
        let result = self.part.head.result_id.clone().unwrap_or_default();
        let number = self.number.saturating_add(1);
        let request = fulfilment(&self.collection, &result, number);
        let octets = self.limits.block_octets;
        self.part = Part::ask(self.client, &self.url, request, number, octets).await?;
        self.number = number;
        self.parts = self.parts.saturating_add(1);
        Ok(())
    }
}

/// One Poll Response as it comes.
#[derive(Debug)]
struct Part {
    head: PollResponse,
    arriving: Arriving,
}

impl Part {
    /// Asks, and reads the answer up to its first block.
    async fn ask(
        client: &mut Client,
        url: &Uri,
        request: MessageBody,
        number: u64,
        limit: u64,
    ) -> Result<Self, ClientError> {
        let message = client.message(request, Vec::new());
        let call = Call::new(client.dialect, message);
        let url = &client.way(url);
        let seen = client.connection(url)?.secured(url);
        let (mut request, expect) = client.binding.encode_request(&seen, call)?;
        request.extensions_mut().insert(bindery_transport::Repeatable);
        let request = watch::request(client.watch.as_ref(), request)?;
        let response = client.connection(url)?.send_streamed(request).await?;
        let response = watch::answer(client.watch.as_ref(), response);
        let (head, body) = response.into_parts();
        if let Some(answer) =
            client.binding.begin_answer(&expect, &head, body.as_bytes().map(|b| &**b))?
        {
            let body = succeeded(answer.message.body, answer.origin)?;
            return Err(unfit(&body, "a Poll Response"));
        }
        let mut arriving = Arriving::new(body, client.binding.options(), limit);
        let head = read_head(&mut arriving, &expect, number).await?;
        Ok(Self { head, arriving })
    }

    /// The next block. At the end the rest is read too: it has to be in order, and the connection is then free.
    async fn next(&mut self) -> Result<Option<ContentBlock<'static>>, ClientError> {
        loop {
            match self.arriving.piece().await? {
                Some(Read::Block(block)) => return Ok(Some(*block)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }
}

/// The head of the Poll Response that answers a request for a part.
async fn read_head(
    arriving: &mut Arriving,
    expect: &Expect,
    number: u64,
) -> Result<PollResponse, ClientError> {
    let Some(Read::Head(head)) = arriving.piece().await? else {
        return Err(Unexpected::Mismatch("it has no head".to_owned()).into());
    };
    expect.check(head.dialect, &head.message)?;
    let found = match succeeded(head.message.body, Origin::Service)? {
        MessageBody::PollResponse(found) => found,
        other => return Err(unfit(&other, "a Poll Response")),
    };
    match found.result_part_number.unwrap_or(1) {
        same if same == number => Ok(found),
        other => {
            let reason = format!("it is part {other} of the result, and {number} was asked");
            Err(Unexpected::Mismatch(reason).into())
        }
    }
}

impl From<Broken> for ClientError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Malformed(place) => Unexpected::Malformed(place).into(),
            Broken::Body(error) => Unexpected::Body(error.to_string()).into(),
            Broken::Long(limit) => Self::Limit { what: "octets of one block", limit },
        }
    }
}
