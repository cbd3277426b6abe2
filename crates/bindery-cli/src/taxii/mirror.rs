//! `bindery taxii mirror`: from one server to another.
//!
//! A message that may have arrived, because its answer did not, is sent again as it was: with the same blocks, though more
//! have come meanwhile, and under the same id, which follows from them. So a server that knows messages again, as ours
//! does, keeps no block twice.

mod sending;

use self::sending::Sending;
use bindery_taxii::{Client, PollOptions};
use bindery_taxii_xml::{ContentBinding, ContentBlock, Dialect, Inbox, ServiceType, Timestamp};
use http::Uri;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Session, failure, read_cursors};
use crate::{
    args::taxii::MirrorArgs,
    error::{Failure, Result},
    files,
    output::{Document, Output},
    settings::{Settings, parse_url},
};

/// The most blocks of one message, and its most octets where it has more than one.
const BATCH: (usize, usize) = (100, 4 << 20);

/// Copies what is new. How far it came is noted after each message, so that a run that ends early loses nothing and
/// the next one goes on behind it.
///
/// # Errors
/// One of the servers does not answer, or says no; the cursor file cannot be read or written.
pub(super) async fn run(
    session: &mut Session,
    settings: &Settings,
    args: &MirrorArgs,
    output: &Output,
) -> Result<()> {
    let mut target = other_side(session.dialect, settings, args)?;
    let inbox = target.service(ServiceType::Inbox).await?;
    let mut cursors = read_cursors(&args.cursor_file)?;
    let poll = session.service(ServiceType::Poll).await?;
    let address = poll.to_string();
    let mut options = PollOptions::default();
    options.begin = cursors.get(&address, &args.collection).cloned();
    options.content_bindings = args.bindings.iter().map(ContentBinding::new).collect();
    let polled = session.client.poll(&poll, &args.collection, &options).await;
    let mut polling = polled.map_err(|error| failure(&error))?;
    let bar = bar(polling.response().record_count.as_ref().map(|count| count.count));
    let mut copy = Copy::new(&address, args)?;
    let mut note = |label: Timestamp| {
        cursors.advance(&address, &args.collection, label);
        files::replace(&args.cursor_file, cursors.to_string().as_bytes()).map_err(|error| {
            Failure::usage(format!("the cursor file {}: {error}", args.cursor_file.display()))
                .hint("what was copied is copied again by the next run, and known again there")
        })
    };
    while let Some(block) = polling.next_block().await.map_err(|error| failure(&error))? {
        if copy.is_full_before(&block) {
            copy.send(&mut target.client, &inbox, args).await?;
            bar.set_position(copy.blocks);
            // Blocks that came together may have one label: only behind the last of them it is passed.
            let label = copy.last.take().filter(|last| block.timestamp_label.as_ref() > Some(last));
            if let Some(label) = label {
                note(label)?;
                copy.noted()?;
            }
        }
        copy.take(block);
    }
    copy.send(&mut target.client, &inbox, args).await?;
    bar.finish_and_clear();
    let end = polling.end().cloned();
    end.clone().map(&mut note).transpose()?;
    copy.sending.is_over()?;
    let end = end.as_ref().map(Timestamp::as_str);
    let upto = end.map(|end| format!(", up to {end}")).unwrap_or_default();
    let json = json!({ "blocks": copy.blocks, "end": end });
    Document::new(json, format!("{} blocks were copied{upto}", copy.blocks)).print(output)
}

/// The session with the server that is copied to.
fn other_side(dialect: Dialect, settings: &Settings, args: &MirrorArgs) -> Result<Session> {
    let service = args.to_inbox.as_deref().map(parse_url).transpose()?;
    let url = match (&args.to, &service) {
        (Some(url), _) => parse_url(url)?,
        (None, Some(service)) => service.clone(),
        (None, None) => return Err(Failure::usage("nothing says where to").hint("give --to")),
    };
    // A password is for the server that it was given for.
    let login = args.to_user.clone().zip(args.to_password_file.clone());
    let settings = Settings { url, login, ..settings.clone() };
    Session::new(&settings, dialect, service)
}

/// What is on its way.
struct Copy {
    batch: Vec<ContentBlock<'static>>,
    octets: usize,
    blocks: u64,
    /// The blocks that were sent since the cursor file says how far it came.
    unnoted: u64,
    /// The label of the last block of the batch.
    last: Option<Timestamp>,
    /// What the message's id follows from.
    identity: Sha256,
    source: Sha256,
    sending: Sending,
}

impl Copy {
    fn new(address: &str, args: &MirrorArgs) -> Result<Self> {
        let mut source = Sha256::new();
        let to = args.to_collection.as_ref().unwrap_or(&args.collection);
        for part in [address, &args.collection, to] {
            update(&mut source, part);
        }
        Ok(Self {
            batch: Vec::new(),
            octets: 0,
            blocks: 0,
            unnoted: 0,
            last: None,
            identity: source.clone(),
            source,
            sending: Sending::of(&args.cursor_file, address, &args.collection)?,
        })
    }

    /// Whether what there is goes before another block: it would be too much with it, or went so before.
    fn is_full_before(&self, next: &ContentBlock<'static>) -> bool {
        let octets = self.octets.saturating_add(next.content.raw().len());
        let so_far = self.unnoted.saturating_add(self.batch.len() as u64);
        !self.batch.is_empty()
            && (self.batch.len() >= BATCH.0
                || octets > BATCH.1
                || self.sending.before() == Some(so_far))
    }

    fn take(&mut self, mut block: ContentBlock<'static>) {
        self.octets = self.octets.saturating_add(block.content.raw().len());
        // Its label is the other server's matter.
        self.last = block.timestamp_label.take();
        update(&mut self.identity, self.last.as_ref().map_or("", Timestamp::as_str));
        update(&mut self.identity, &block.binding.id);
        for subtype in &block.binding.subtypes {
            update(&mut self.identity, subtype);
        }
        update(&mut self.identity, block.content.raw());
        self.batch.push(block);
    }

    /// The cursor file says how far it came.
    fn noted(&mut self) -> Result<()> {
        self.sending.noted(std::mem::take(&mut self.unnoted))
    }

    /// An id that follows from the batch: in digits, as 1.0 has them, and a GUID in form, as the draft has them.
    fn id(&mut self) -> String {
        const DIGITS: u128 = 10_u128.pow(31);
        let hash = std::mem::replace(&mut self.identity, self.source.clone()).finalize();
        let number = hash.iter().take(16).fold(0_u128, |all, one| (all << 8) | u128::from(*one));
        format!("1{:031}", number % DIGITS)
    }

    async fn send(&mut self, client: &mut Client, inbox: &Uri, args: &MirrorArgs) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let to = match client.dialect() {
            Dialect::V1_1 => vec![args.to_collection.as_ref().unwrap_or(&args.collection).clone()],
            _ => Vec::new(),
        };
        let blocks = std::mem::take(&mut self.batch);
        self.octets = 0;
        let count = blocks.len() as u64;
        self.unnoted += count;
        self.sending.begin(self.unnoted)?;
        let binding = blocks.first().filter(|_| client.dialect() == Dialect::Draft);
        let message = Inbox {
            result_id: None,
            destination_collections: to,
            message: None,
            source_subscription: None,
            subscription_id: None,
            record_count: None,
            content_binding: binding.map(|first| first.binding.id.clone()),
        };
        let pushed = client.push_message_as(inbox, self.id(), message, blocks).await;
        pushed.map_err(|error| failure(&error))?;
        self.blocks += count;
        Ok(())
    }
}

/// A text and its length, so that no two lists of texts come to the same.
fn update(hash: &mut Sha256, text: &str) {
    hash.update(text.len().to_be_bytes());
    hash.update(text);
}

/// Progress for people at a terminal.
fn bar(total: Option<u64>) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    match ProgressStyle::with_template("{bar:40} {pos}/{len} blocks {per_sec} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
