//! `bindery taxii mirror`: from one server to another.

use bindery_taxii::{Client, PollOptions};
use bindery_taxii_xml::{ContentBinding, ContentBlock, Dialect, ServiceType, Timestamp};
use http::Uri;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Session, failure, read_cursors};
use crate::{
    args::taxii::MirrorArgs,
    error::{Failure, Result},
    files,
    output::{Document, Output},
    settings::{Settings, parse_url},
};

/// The most blocks and octets of one message.
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
    let mut copy = Copy { batch: Vec::new(), octets: 0, blocks: 0, last: None };
    let mut note = |label: Timestamp| {
        cursors.advance(&address, &args.collection, label);
        files::replace(&args.cursor_file, cursors.to_string().as_bytes()).map_err(|error| {
            Failure::usage(format!("the cursor file {}: {error}", args.cursor_file.display()))
                .hint("what was copied is copied again by the next run, and known again there")
        })
    };
    while let Some(block) = polling.next_block().await.map_err(|error| failure(&error))? {
        if copy.is_full() {
            copy.send(&mut target.client, &inbox, args).await?;
            bar.set_position(copy.blocks);
            // Blocks that came together may have one label: only behind the last of them it is passed.
            let label = copy.last.take().filter(|last| block.timestamp_label.as_ref() > Some(last));
            label.map(&mut note).transpose()?;
        }
        copy.take(block);
    }
    copy.send(&mut target.client, &inbox, args).await?;
    bar.finish_and_clear();
    let end = polling.end().cloned();
    end.clone().map(&mut note).transpose()?;
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
    /// The label of the last block of the batch.
    last: Option<Timestamp>,
}

impl Copy {
    const fn is_full(&self) -> bool {
        self.batch.len() >= BATCH.0 || self.octets >= BATCH.1
    }

    fn take(&mut self, mut block: ContentBlock<'static>) {
        self.octets += block.content.raw().len();
        // Its label is the other server's matter.
        self.last = block.timestamp_label.take();
        self.batch.push(block);
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
        client.push(inbox, to, blocks).await.map_err(|error| failure(&error))?;
        self.blocks += count;
        Ok(())
    }
}

/// Progress for people at a terminal.
fn bar(total: Option<u64>) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    match ProgressStyle::with_template("{bar:40} {pos}/{len} blocks {per_sec} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
