//! Inbox Message; in the draft, STIX Message.

use bindery_core::Context;
use bindery_taxii_xml::{Body, ContentBlock, Inbox, StatusType};

use super::{
    Block, Collection, ContentFilter, Inbox as Arriving, RepeatKey,
    engine::{Answering, Done, FeedServer, Wants, seen},
    fault::{Fault, success},
    poll::supported,
};
use crate::{ArrivingBlocks, TaxiiRequest, TaxiiResponse};

/// How many collections are offered as destinations.
const OFFERED: usize = 100;

/// The most octets of a content binding's id or of its subtype's.
const BINDING_OCTETS: usize = 4096;

impl FeedServer {
    /// Keeps all that a message brings, or nothing of it. A long one goes into the store as it comes.
    pub(super) async fn inbox(&self, cx: &Context, mut request: TaxiiRequest) -> Done<Answering> {
        let mut rest = request.rest.take();
        let answer = self.take(cx, &request, rest.as_mut()).await;
        if let (Err(_), Some(rest)) = (&answer, &mut rest) {
            rest.discard().await;
        }
        answer
    }

    async fn take(
        &self,
        cx: &Context,
        request: &TaxiiRequest,
        mut rest: Option<&mut ArrivingBlocks>,
    ) -> Done<Answering> {
        let Body::Inbox(inbox) = &request.message.body else {
            return Err(Fault::new(StatusType::BadMessage, "this is no inbox message"));
        };
        let destinations = self.destinations(cx, request, inbox).await?;
        let filters: Vec<(&Collection, ContentFilter)> = destinations
            .iter()
            .map(|one| (one, ContentFilter::of(&one.content_bindings)))
            .collect();
        let blocks = &request.message.blocks;
        for one in blocks {
            self.check_content(&filters, one)?;
        }
        let names: Vec<String> = destinations.iter().map(|one| one.name.clone()).collect();
        let mut arriving = Arriving::new(names.clone(), cx.now);
        let until = cx.now.saturating_add(self.config.repeats);
        arriving.repeat =
            Some(RepeatKey::new(cx.principal.clone(), request.message.id.clone(), until));
        let everywhere: Vec<usize> = (0..names.len()).collect();
        let mut insertion = self.committed(self.store.insert(arriving).await)?;
        for one in blocks {
            self.committed(insertion.add(Block::of(one), &everywhere).await)?;
        }
        while let Some(rest) = &mut rest {
            match rest.next_block().await {
                Ok(Some(one)) => {
                    self.check_content(&filters, &one)?;
                    self.committed(insertion.add(Block::of(&one), &everywhere).await)?;
                }
                Ok(None) => break,
                // What came so far goes with the insertion.
                Err(refusal) => return Ok(Answering::Response(TaxiiResponse::Refused(refusal))),
            }
        }
        let receipt = self.committed(insertion.commit(cx.now).await)?;
        for (name, received) in names.iter().zip(&receipt.collections) {
            self.config.observer.received(name, received.blocks, receipt.repeated);
        }
        Ok(Answering::of(success(None)))
    }

    /// Where the content goes: all of the destinations, or none.
    async fn destinations(
        &self,
        cx: &Context,
        request: &TaxiiRequest,
        inbox: &Inbox,
    ) -> Done<Vec<Collection>> {
        let named = match inbox.destination_collections.as_slice() {
            [] => &self.config.default_destinations,
            _ => &inbox.destination_collections,
        };
        if named.is_empty() {
            let reason = "name the collections that the content is for";
            return Err(self.no_destination(cx, request, reason).await);
        }
        let mut found: Vec<Collection> = Vec::with_capacity(named.len());
        for name in named {
            // Naming one twice is no reason to keep everything twice.
            if found.iter().any(|other| other.name == *name) {
                continue;
            }
            match self.collection(cx, request.dialect, name, Wants::Send).await {
                Ok(one) => found.push(one.collection),
                Err(fault) if fault.is_not_found() => {
                    let reason = format!("no content is taken for {name:?}");
                    return Err(self.no_destination(cx, request, &reason).await);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }

    /// The failure that names collections which the sender may send to.
    async fn no_destination(&self, cx: &Context, request: &TaxiiRequest, reason: &str) -> Fault {
        let fault = Fault::new(StatusType::DestinationCollectionError, reason);
        // Without the list it is as true.
        let Ok(page) = self.store.list_collections(None, OFFERED).await else { return fault };
        let mine = page.iter().map(|one| &one.collection).filter(|one| {
            let rights = one.rights(cx.principal.as_ref());
            one.enabled
                && one.offers.inbox
                && rights.inbox
                && rights.list
                && seen(one, request.dialect)
        });
        mine.fold(fault, |fault, one| fault.with("ACCEPTABLE_DESTINATION", &*one.name))
    }

    fn check_content(
        &self,
        destinations: &[(&Collection, ContentFilter)],
        one: &ContentBlock<'_>,
    ) -> Done<()> {
        let subtype = one.binding.subtypes.first().map(String::as_str);
        let longest = subtype.map_or(0, str::len).max(one.binding.id.len());
        if longest > BINDING_OCTETS {
            let reason = format!("a content binding of {longest} octets; nothing was kept");
            return Err(Fault::new(StatusType::BadMessage, reason));
        }
        let refuses =
            destinations.iter().find(|(_, takes)| !takes.matches(&one.binding.id, subtype));
        if let Some((collection, _)) = refuses {
            let reason = format!(
                "the collection {:?} takes no content of the binding {:?}; nothing was kept",
                collection.name, one.binding.id
            );
            let fault = Fault::new(StatusType::UnsupportedContent, reason);
            return Err(supported(fault, collection));
        }
        let octets = one.content.raw().len();
        if octets > self.config.block_octets {
            let most = self.config.block_octets;
            let reason = format!("a block has {octets} octets, more than {most}; nothing was kept");
            return Err(Fault::new(StatusType::Failure, reason));
        }
        Ok(())
    }
}
