//! A connection that carries messages one after the other, without HTTP.

use std::{io, sync::Arc};

use bindery_core::{Channel, Context, IdentityError, Peer, Principal, Refusal, StreamEndpoint};
use bindery_tls::BoxIo;
use bytes::{BufMut, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    Shared,
    connection::close,
    guard::{Guarded, guarded},
    identity,
    leave::Leave,
};
use crate::{arrival::Patience, rewound::Rewound};

/// How much room a read gets at once; memory grows with what comes, not with what is announced.
const PIECE: usize = 16 << 10;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The peer has closed it between two messages, the server stops, the peer is not taken any
    /// more, or it is too old.
    InOrder,
    /// A time limit passed.
    Limit(&'static str),
    /// It broke, or was closed inside a message.
    Broken,
    /// What came is no message, or what was answered ends the connection.
    Refused,
}

/// A connection and what all its messages share.
pub(super) struct Messages {
    io: BoxIo,
    endpoint: Arc<dyn StreamEndpoint>,
    shared: Arc<Shared>,
    channel: Channel,
    peer: Peer,
    identity: Result<Option<Principal>, IdentityError>,
    /// What has come of the next message.
    pending: BytesMut,
}

impl Messages {
    pub(super) fn new(
        io: BoxIo,
        endpoint: Arc<dyn StreamEndpoint>,
        shared: Arc<Shared>,
        channel: Channel,
        peer: Peer,
    ) -> Self {
        let identity = identity::of(&shared, &peer);
        Self { io, endpoint, shared, channel, peer, identity, pending: BytesMut::new() }
    }

    /// Serves the connection to its end.
    pub(super) async fn serve(mut self, mut leave: Leave) {
        let end = self.exchanges(&mut leave).await;
        let counters = &self.shared.counters;
        match end {
            End::Limit(limit) => {
                counters.timeout(limit);
                tracing::debug!(limit, "closed: a time limit passed");
            }
            End::Refused => {
                counters.malformed();
                tracing::debug!("closed after a refusal");
            }
            End::InOrder | End::Broken => tracing::debug!(?end, "closed"),
        }
        // Where the peer may still be sending, it would get a reset in place of our words.
        let linger = matches!(end, End::Refused | End::Limit("body"));
        close(&mut self.io, linger, &self.shared.limits).await;
    }

    /// Answers message after message.
    async fn exchanges(&mut self, leave: &mut Leave) -> End {
        let oldest = Instant::now().checked_add(self.shared.limits.age);
        let (mut patience, mut limit) = (self.shared.limits.header, "header");
        loop {
            if self.pending.is_empty() {
                let deadline = Instant::now().checked_add(patience);
                let first = tokio::select! {
                    biased;
                    _ = leave.told() => return End::InOrder,
                    () = at(oldest) => return End::InOrder,
                    first = self.read() => first,
                    () = at(deadline) => return End::Limit(limit),
                };
                match first {
                    Ok(0) => return End::InOrder,
                    Ok(_) => {}
                    Err(_) => return End::Broken,
                }
            }
            if let Err(end) = self.exchange(leave).await {
                return end;
            }
            (patience, limit) = (self.shared.limits.idle, "idle");
        }
    }

    /// One message and its answer.
    async fn exchange(&mut self, leave: &mut Leave) -> Result<(), End> {
        let started = Instant::now();
        let mut cx = Context::new(self.channel.clone(), self.peer.clone(), self.shared.clock.now());
        let message = match self.receive().await {
            Ok(message) => message,
            Err(Fault { refusal, end }) => {
                if let Some(refusal) = refusal {
                    let octets = std::mem::take(&mut self.pending).freeze();
                    self.refuse(&cx, &octets, &refusal).await?;
                }
                return Err(end);
            }
        };
        // A message that was whole only after its peer had ceased to be taken is not answered.
        if leave.is_withdrawn() {
            return Err(End::InOrder);
        }
        match &self.identity {
            Ok(principal) => cx.principal.clone_from(principal),
            Err(error) => {
                let refusal = Refusal::Unidentified { reason: error.to_string() };
                return self.refuse(&cx, &message, &refusal).await;
            }
        }
        let answer = match self.answer(&cx, message.clone()).await {
            Ok(answer) => answer,
            Err(refusal) => {
                self.refuse(&cx, &message, &refusal).await?;
                return Err(End::Refused);
            }
        };
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.shared.counters.message(micros);
        tracing::info!(
            protocol = self.endpoint.name(),
            received = message.len(),
            sent = answer.len(),
            micros,
            principal = cx.principal.as_ref().map(Principal::as_str),
            "answered"
        );
        self.write(&answer).await
    }

    /// Asks the endpoint, within the limit of a request.
    async fn answer(&mut self, cx: &Context, message: Bytes) -> Result<Bytes, Refusal> {
        let call = Guarded(Box::pin(async { self.endpoint.call(cx, message).await }));
        match timeout(self.shared.limits.request, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(panic)) => {
                self.shared.counters.panic();
                tracing::error!(panic, "the handler panicked");
                Err(Refusal::Internal)
            }
            Err(_) => {
                self.shared.counters.timeout("request");
                tracing::warn!("the handler took longer than the limit and was cancelled");
                Err(Refusal::Overloaded)
            }
        }
    }

    /// Reads what is missing of a message. What has come behind it is the next one's.
    async fn receive(&mut self) -> Result<Bytes, Fault> {
        let head = self.endpoint.head_length();
        let deadline = Instant::now().checked_add(self.shared.limits.header);
        while self.pending.len() < head {
            self.more(deadline, "header").await?;
        }
        let refused = |refusal| Fault { refusal: Some(refusal), end: End::Refused };
        let length = self
            .endpoint
            .message_length(self.pending.get(..head).unwrap_or_default())
            .map_err(refused)?
            .max(head);
        let patience = Patience::from(&self.shared.limits);
        let begin = Instant::now();
        while self.pending.len() < length {
            let (allowed, _) = patience.allows(self.pending.len() as u64);
            self.more(begin.checked_add(allowed), "body").await?;
        }
        Ok(self.pending.split_to(length).freeze())
    }

    async fn more(&mut self, deadline: Option<Instant>, limit: &'static str) -> Result<(), Fault> {
        let read = tokio::select! {
            biased;
            read = self.read() => read,
            () = at(deadline) => {
                let refusal = (limit == "body").then_some(Refusal::Timeout);
                return Err(Fault { refusal, end: End::Limit(limit) });
            }
        };
        match read {
            Ok(0) | Err(_) => Err(Fault { refusal: None, end: End::Broken }),
            Ok(_) => Ok(()),
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.pending.reserve(PIECE);
        let octets = self.io.read_buf(&mut self.pending).await?;
        self.shared.counters.read(octets);
        Ok(octets)
    }

    async fn refuse(&mut self, cx: &Context, octets: &Bytes, refusal: &Refusal) -> Result<(), End> {
        let counters = &self.shared.counters;
        counters.refusal(refusal.fault());
        let (protocol, fault) = (self.endpoint.name(), refusal.fault());
        tracing::info!(protocol, ?fault, reason = %refusal, "refused");
        let words = guarded(|| self.endpoint.refuse(cx, octets, refusal)).unwrap_or_else(|panic| {
            counters.panic();
            tracing::error!(panic, "the endpoint panicked while it refused");
            None
        });
        match words {
            Some(words) => self.write(&words).await,
            None => Err(End::Refused),
        }
    }

    /// Writes an answer, within the limits for a peer that takes it slowly.
    async fn write(&mut self, answer: &[u8]) -> Result<(), End> {
        let whole = Instant::now().checked_add(self.shared.limits.write);
        let mut rest = answer;
        while !rest.is_empty() {
            let stalled = Instant::now().checked_add(self.shared.limits.write_stall);
            let written = tokio::select! {
                biased;
                written = self.io.write(rest) => written.map_err(|_| End::Broken)?,
                () = at(stalled) => return Err(End::Limit("write-stall")),
                () = at(whole) => return Err(End::Limit("write")),
            };
            if written == 0 {
                return Err(End::Broken);
            }
            self.shared.counters.wrote(written);
            rest = rest.get(written..).unwrap_or_default();
        }
        match timeout(self.shared.limits.write_stall, self.io.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Broken),
            Err(_) => Err(End::Limit("write-stall")),
        }
    }
}

/// Why there is no message.
struct Fault {
    refusal: Option<Refusal>,
    end: End,
}

/// Waits for a moment; for ever where it is out of reach.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Whether a connection begins with these octets; what was read to know it stays there. `None`
/// where too little comes.
pub(super) async fn opens_with(
    opening: &[u8],
    mut io: BoxIo,
    shared: &Shared,
    stopping: &mut watch::Receiver<bool>,
) -> Option<(bool, BoxIo)> {
    let mut seen = BytesMut::with_capacity(opening.len());
    let deadline = Instant::now().checked_add(shared.limits.header);
    while seen.len() < opening.len() && opening.starts_with(&seen) {
        let read = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => return None,
            read = io.read_u8() => read,
            () = at(deadline) => {
                shared.counters.timeout("header");
                tracing::debug!("closed: nothing came that tells what is spoken");
                return None;
            }
        };
        seen.put_u8(read.ok()?);
    }
    let opens = opening.starts_with(&seen);
    Some((opens, Rewound::boxed(seen.freeze(), io)))
}
