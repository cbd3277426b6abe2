//! Messages that are read as they come.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use bindery_core::{Body, BodyError, Place, Refusal};
use bindery_taxii_xml::{ContentBlock, Options, Progress, PushReader, Read};
use bytes::Bytes;
use http_body::Body as _;

/// A message of which the pieces are read as they come.
#[derive(Debug)]
pub(crate) struct Arriving {
    reader: PushReader,
    body: Body,
    ended: bool,
    /// Octets since the last piece.
    since: u64,
    limit: u64,
}

/// Why a message cannot be read further.
#[derive(Debug)]
pub(crate) enum Broken {
    /// It is no TAXII message.
    Malformed(Place),
    /// It did not come.
    Body(BodyError),
    /// A block of it is longer than so many octets.
    Long(u64),
}

impl Arriving {
    /// A message in a body; at most so many octets are read for one piece.
    pub(crate) fn new(body: Body, options: &Options, limit: u64) -> Self {
        let mut options: Options = *options;
        // It is read as it comes: what is held at a time is limited here.
        options.xml.limits.document_length = u64::MAX;
        options.xml.limits.text_length = usize::try_from(limit).unwrap_or(usize::MAX);
        options.blocks = u64::MAX;
        Self { reader: PushReader::new(&options), body, ended: false, since: 0, limit }
    }

    /// The next piece; nothing behind the end.
    pub(crate) async fn piece(&mut self) -> Result<Option<Read<'static>>, Broken> {
        loop {
            match self.progress()? {
                Progress::Piece(piece) => {
                    self.since = 0;
                    return Ok(Some(piece));
                }
                Progress::NeedInput if !self.ended => self.feed().await?,
                _ => return Ok(None),
            }
        }
    }

    fn progress(&mut self) -> Result<Progress, Broken> {
        self.reader.next_piece().map_err(|error| Broken::Malformed(crate::binding::place(&error)))
    }

    async fn feed(&mut self) -> Result<(), Broken> {
        let Some(octets) = next_frame(&mut self.body).await.map_err(Broken::Body)? else {
            self.ended = true;
            self.reader.finish();
            return Ok(());
        };
        self.since = self.since.saturating_add(octets.len() as u64);
        // The piece that completes a block may hold the beginning of the next one.
        if self.since > self.limit.saturating_add(octets.len() as u64) {
            return Err(Broken::Long(self.limit));
        }
        self.reader.feed(&octets);
        Ok(())
    }

    /// What is at hand: nothing where not even the head is.
    fn begin(&mut self) -> Result<Option<Read<'static>>, Broken> {
        let octets = self.body.take_begun();
        self.reader.feed(&octets);
        match self.progress()? {
            Progress::Piece(piece) => Ok(Some(piece)),
            _ => Ok(None),
        }
    }
}

async fn next_frame(body: &mut Body) -> Result<Option<Bytes>, BodyError> {
    loop {
        let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
        let Some(frame) = frame else { return Ok(None) };
        if let Ok(octets) = frame?.into_data() {
            return Ok(Some(octets));
        }
    }
}

/// The blocks of a long message, which are read as they come.
#[derive(Debug)]
pub struct ArrivingBlocks {
    /// Never locked: a request may be looked at from several threads, and this cannot.
    arriving: Mutex<Arriving>,
    over: bool,
}

impl ArrivingBlocks {
    /// A message of which the beginning is at hand: its head, and its blocks to come.
    ///
    /// # Errors
    /// It is faulty, or its head is longer than what is at hand.
    pub(crate) fn begin(
        body: Body,
        options: &Options,
        limit: u64,
    ) -> Result<(bindery_taxii_xml::Head, Self), Refusal> {
        let at_hand = body.begun().len();
        let mut arriving = Arriving::new(body, options, limit);
        match arriving.begin().map_err(Broken::into_refusal)? {
            Some(Read::Head(head)) => {
                Ok((*head, Self { arriving: Mutex::new(arriving), over: false }))
            }
            _ => {
                let reason = format!(
                    "the first {at_hand} octets of a long message have to hold all before its first block; send less there"
                );
                Err(Refusal::MalformedBody { place: Place::new("TAXII XML", None, reason) })
            }
        }
    }

    /// The next block; nothing once the message has ended as it should.
    ///
    /// # Errors
    /// The message is faulty or broke off, or a block is too long: nothing of it counts.
    pub async fn next_block(&mut self) -> Result<Option<ContentBlock<'static>>, Refusal> {
        while !self.over {
            match self.arriving().piece().await.map_err(Broken::into_refusal)? {
                Some(Read::Block(block)) => return Ok(Some(*block)),
                Some(_) => {}
                None => self.over = true,
            }
        }
        Ok(None)
    }

    /// Takes what is still to come and drops it: a peer who writes does not read an answer before.
    #[cfg(feature = "service")]
    pub(crate) async fn discard(&mut self) {
        let over = self.over;
        let body = &mut self.arriving().body;
        while !over && matches!(next_frame(body).await, Ok(Some(_))) {}
        self.over = true;
    }

    fn arriving(&mut self) -> &mut Arriving {
        self.arriving.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Broken {
    fn into_refusal(self) -> Refusal {
        match self {
            Self::Malformed(place) => Refusal::MalformedBody { place },
            Self::Body(error) => Refusal::from(&error),
            Self::Long(limit) => {
                let reason = format!("a block is longer than {limit} octets");
                Refusal::MalformedBody { place: Place::new("TAXII XML", None, reason) }
            }
        }
    }
}
