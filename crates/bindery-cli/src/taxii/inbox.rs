//! `bindery taxii inbox`: receives what servers push.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bindery_core::Context;
use bindery_taxii::{
    HttpProfile, Ids, PushReceiver, ReceivePush, Received, Receiving, Service, TaxiiHttp, mount,
};
use bindery_taxii_xml::{StatusMessage, StatusType, Timestamp};
use bindery_tls::{ClientAuth, Identity, Policy, ServerConfig};
use bindery_transport::{Listener, Router, Server};
use serde_json::json;
use tokio::sync::Notify;

use super::content;
use crate::{
    args::{client::ClientArgs, taxii::InboxArgs},
    config::TlsBackend,
    error::{Exit, Failure, Layer, Result},
    files,
    output::{self, Format, Output, write_stdout},
    serve::now,
    server::{secure::HangUp, signals},
    tls,
};

/// Receives until it is told to stop.
///
/// # Errors
/// The options, or the address cannot be listened on.
pub(super) async fn run(args: &InboxArgs, client: &ClientArgs, output: Output) -> Result<()> {
    let cannot = |error: &dyn std::error::Error| {
        Failure::new(Exit::Start, Layer::Tcp, error.to_string()).hint("see the options of inbox")
    };
    let (listener, scheme) = match (&client.cert, &client.key) {
        (Some(cert), Some(key)) => {
            let identity = Identity::from_pem_files(cert, key);
            let identity = identity.map_err(|error| cannot(&error))?;
            let backend = tls::backend_of(TlsBackend::default()).map_err(|e| cannot(&e))?;
            let policy = Policy::taxii().with_client_auth(ClientAuth::None);
            let acceptor = backend.acceptor(&policy, ServerConfig::new(identity));
            (Listener::tls(args.listen, acceptor.map_err(|error| cannot(&error))?), "https")
        }
        _ if args.clear => (Listener::clear(args.listen), "http"),
        _ => {
            return Err(Failure::usage("an inbox needs a certificate")
                .hint("give --cert and --key, or --clear for one in clear"));
        }
    };
    if let Some(folder) = &args.dest_dir {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::usage(format!("{}: {error}", folder.display()))
                .hint("name a directory that can be written")
        })?;
    }
    let done = Arc::new(Notify::new());
    let shelf = Shelf {
        folder: args.dest_dir.clone(),
        output,
        most: args.messages,
        messages: AtomicU64::new(0),
        writing: Mutex::new(0),
        done: Arc::clone(&done),
    };
    let mut octets = [0; 16];
    getrandom::fill(&mut octets)
        .map_err(|error| Failure::usage(format!("no random octets: {error}")))?;
    let ids = Arc::new(Ids::new(u128::from_be_bytes(octets)));
    let mut profile = HttpProfile::new(Service::Inbox);
    (profile.clear, profile.path) = (args.clear, args.path.clone().into());
    let binding = TaxiiHttp::new(&profile, Arc::clone(&ids));
    let receiver = PushReceiver::new(shelf, ids);
    let router = mount(Router::new(), binding, receiver, |bound| Arc::new(bound));
    let router = router.map_err(|error| cannot(&error))?;
    let server = Server::builder().listen(listener).router(router).bind().await;
    let server = server.map_err(|error| cannot(&error))?;
    for address in server.local_addrs() {
        output::note(&format!("listening on {scheme}://{address}{}", args.path));
    }
    let stop = signals::stop(HangUp::Nothing)?;
    server
        .serve(async move {
            tokio::select! {
                () = stop => {}
                () = done.notified() => {}
            }
        })
        .await;
    Ok(())
}

/// Where content goes.
#[derive(Debug)]
struct Shelf {
    folder: Option<PathBuf>,
    output: Output,
    most: Option<u64>,
    messages: AtomicU64,
    /// One message at a time; how many blocks were written.
    writing: Mutex<u64>,
    done: Arc<Notify>,
}

impl ReceivePush for Shelf {
    fn receive<'a>(&'a self, _: &'a Context, received: Received) -> Receiving<'a> {
        let kept = self.keep(&received);
        Box::pin(std::future::ready(kept.map_err(|failure| {
            output::warn(&failure.message);
            let mut status = StatusMessage::new(StatusType::Failure);
            status.message = Some("it could not be written here".to_owned());
            status
        })))
    }
}

impl Shelf {
    fn keep(&self, received: &Received) -> Result<()> {
        let mut written = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        for block in &received.blocks {
            *written += 1;
            let text = content::standalone(block);
            let label = block.timestamp_label.as_ref().map(Timestamp::as_str);
            let mut file = None;
            if let Some(folder) = &self.folder {
                // The time tells runs apart.
                let name = format!("{}_{written:06}.xml", now().unix_micros());
                let path = folder.join(name);
                files::replace(&path, text.as_bytes()).map_err(|error| {
                    Failure::usage(format!("{}: {error}", path.display())).hint("see the disk")
                })?;
                file = Some(path);
            }
            let source = received.inbox.source_subscription.as_ref();
            let line = match self.output.format {
                Format::Table | Format::Raw if file.is_some() => continue,
                Format::Table | Format::Raw => text,
                _ => json!({
                    "collection": source.map(|source| &source.collection),
                    "subscription": source.and_then(|source| source.subscription_id.as_ref()),
                    "result": received.inbox.result_id,
                    "label": label,
                    "binding": block.binding.id,
                    "file": file,
                    "content": self.folder.is_none().then_some(text),
                })
                .to_string(),
            };
            write_stdout(format!("{line}\n").as_bytes())?;
        }
        let messages = self.messages.fetch_add(1, Relaxed) + 1;
        if self.most.is_some_and(|most| messages >= most) {
            self.done.notify_one();
        }
        Ok(())
    }
}
