//! The blocks of a window, read page by page as the peer takes them.

use std::{pin::Pin, sync::Arc};

use bindery_core::Timestamp as Instant;
use bindery_taxii_xml::{Content, ContentBinding, ContentBlock, Dialect};

use crate::{
    Blocks, BlocksFailed, NextBlocks,
    service::{
        FeedStore, Observer, PageLimits, StoredBlock, Threads, Window, engine::FeedServer,
        query::Compiled,
    },
};

/// A block in a dialect's form; nothing where the dialect cannot carry it: the draft's content is one element `STIX`.
pub(in crate::service) fn written(
    stored: StoredBlock,
    dialect: Dialect,
) -> Result<Option<ContentBlock<'static>>, BlocksFailed> {
    if dialect == Dialect::Draft {
        let Ok(element) = stored.block.content.into_element() else { return Ok(None) };
        let content = Content::Element(element);
        let binding = ContentBinding::new(stored.block.binding);
        return Ok(content.is_draft_stix().then(|| ContentBlock::new(binding, content)));
    }
    let label = stored.label.unix_micros();
    let mut block = stored
        .into_content_block()
        .map_err(|error| BlocksFailed(format!("the block {label} is damaged: {error}")))?;
    if dialect == Dialect::V1_0 {
        // It has subtypes nowhere, and no message in a block.
        block.binding.subtypes.clear();
        block.message = None;
    }
    Ok(Some(block))
}

/// Those of some blocks that meet a query, and the work of looking at all of them.
pub(in crate::service) async fn meeting(
    query: &Arc<Compiled>,
    blocks: Vec<StoredBlock>,
    threads: &dyn Threads,
) -> Result<(Vec<StoredBlock>, u64), BlocksFailed> {
    let looked = query.look_at(blocks, threads).await;
    let looked = looked.ok_or_else(|| BlocksFailed("the server is ending".to_owned()))?;
    let work = looked.iter().fold(0_u64, |sum, (_, one)| sum.saturating_add(one.work));
    let met = looked.into_iter().filter(|(_, one)| one.met).map(|(stored, _)| stored);
    Ok((met.collect(), work))
}

/// Reads a window page by page as the peer takes it.
pub(super) struct Pages {
    store: Arc<dyn FeedStore>,
    observer: Arc<dyn Observer>,
    threads: Arc<dyn Threads>,
    window: Window,
    after: Option<Instant>,
    limits: PageLimits,
    dialect: Dialect,
    query: Option<Arc<Compiled>>,
    over: bool,
}

/// What [`Pages::next`] gives: a page's blocks, and the rest.
type Next = Pin<Box<dyn Future<Output = Result<Option<Paged>, BlocksFailed>> + Send>>;
type Paged = (Vec<ContentBlock<'static>>, Box<Pages>);

impl Pages {
    pub(super) fn new(
        server: &FeedServer,
        dialect: Dialect,
        window: Window,
        query: Option<Arc<Compiled>>,
    ) -> Self {
        Self {
            store: Arc::clone(&server.store),
            observer: Arc::clone(&server.config.observer),
            threads: Arc::clone(&server.config.threads),
            window,
            after: None,
            limits: server.config.page,
            dialect,
            query,
            over: false,
        }
    }

    /// Whether all was read.
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// The next page.
    pub(super) fn next(mut self: Box<Self>) -> Next {
        Box::pin(async move {
            if self.over {
                return Ok(None);
            }
            let page = self.store.page(&self.window, self.after, self.limits).await;
            let page = page.map_err(|error| {
                self.observer.store_failed(&error);
                BlocksFailed(error.to_string())
            })?;
            self.over = page.next.is_none();
            self.after = page.next;
            let met = match &self.query {
                None => page.blocks,
                Some(query) => meeting(query, page.blocks, &*self.threads).await?.0,
            };
            let mut blocks = Vec::with_capacity(met.len());
            for stored in met {
                blocks.extend(written(stored, self.dialect)?);
            }
            Ok(Some((blocks, self)))
        })
    }
}

impl Blocks for Pages {
    fn next(self: Box<Self>) -> NextBlocks {
        Box::pin(async move {
            let next = self.next().await?;
            Ok(next.map(|(blocks, rest)| (blocks, rest as Box<dyn Blocks>)))
        })
    }
}

/// A page that was read, and those behind it.
pub(super) struct Begun {
    pub(super) blocks: Vec<ContentBlock<'static>>,
    pub(super) rest: Box<Pages>,
}

impl Blocks for Begun {
    fn next(self: Box<Self>) -> NextBlocks {
        let Self { blocks, rest } = *self;
        Box::pin(std::future::ready(Ok(Some((blocks, rest as Box<dyn Blocks>)))))
    }
}
