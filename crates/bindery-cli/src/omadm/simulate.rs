//! `bindery omadm simulate`: a device, or a fleet of them.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bindery_core::ClientBinding;
use bindery_omadm::{
    DmHttp, DmProfile,
    client::{
        Account, AuthType, Begin, Client, Credential, DevDetail, DevInfo, Ended, Session, Summary,
        Tree, TreeLimits,
    },
};
use bindery_syncml::{Form, WriteOptions};
use bindery_transport::{ClientLimits, Connection, Target};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    account::password,
    args::omadm::{AuthName, SimulateArgs},
    config::ServiceName,
    decode,
    error::{Exit, Failure, Layer, Result},
    files,
    kmip::failure,
    omadm::watch::{Watch, Watched},
    output::{self, Document, Output, pairs},
    preview,
    settings::{Settings, warn_about},
};

/// What a device of a fleet is.
#[derive(Clone, Debug)]
pub(crate) struct Simulated {
    settings: Settings,
    form: Form,
    server_id: String,
    client: Option<(AuthType, Option<String>, String)>,
    server: Option<(String, String)>,
    transport: bindery_transport::Client,
    binding: Arc<DmHttp>,
    watch: Arc<Watch>,
}

impl Simulated {
    /// Devices that talk to the server which the settings name, proved by the channel.
    ///
    /// # Errors
    /// A file or the URL is not as it should be.
    pub(crate) fn new(settings: Settings, form: Form) -> Result<Self> {
        let target = Target::new(settings.url.clone())
            .map_err(|error| Failure::usage(error.to_string()).hint(error.hint()))?;
        let total = settings.timeout.duration();
        let mut limits = ClientLimits::default();
        limits.total = total;
        limits.response = total;
        limits.connect = limits.connect.min(total);
        limits.handshake = limits.handshake.min(total);
        let transport = settings.transport(limits)?;
        let mut profile = DmProfile::default();
        // What is http by its URL and TLS by an upgrade is the transport's to see to.
        profile.dangerous_clear = !target.is_tls();
        Ok(Self {
            settings,
            form,
            server_id: "bindery".to_owned(),
            client: None,
            server: None,
            transport: transport.build(),
            binding: Arc::new(DmHttp::new(&profile)),
            watch: Arc::new(Watch::new(Output::default(), output::note)),
        })
    }

    /// The same devices, whose messages somebody watches.
    #[must_use]
    pub(crate) fn watched(mut self, watch: Watch) -> Self {
        self.watch = Arc::new(watch);
        self
    }

    /// A device with a tree of its own.
    ///
    /// # Errors
    /// The tree does not take what every device has.
    pub(crate) fn device(&self, id: &str, tree: Option<Tree>) -> Result<Client> {
        let full = |status| Failure::usage(format!("the management tree refuses: {status}"));
        let mut account = Account::new(&self.server_id, self.settings.url.clone());
        if let Some((auth, name, secret)) = &self.client {
            let name = name.as_deref().unwrap_or(id);
            account.client = Some(Credential::new(*auth, name, secret));
        }
        if let Some((name, secret)) = &self.server {
            account.server = Some(Credential::new(AuthType::Digest, name, secret));
        }
        let mut tree = tree.unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION");
        DevInfo::new(id, "bindery", "simulated device").put(&mut tree).map_err(full)?;
        DevDetail::new("Simulation", version, version, "0").put(&mut tree).map_err(full)?;
        account.grant(&mut tree);
        let mut client = Client::new(tree, account);
        client.config.form = self.form;
        Ok(client)
    }

    /// Runs one session of a device.
    ///
    /// # Errors
    /// There is no way to the server, or the session came to no proper end.
    pub(crate) async fn session(&self, client: &mut Client) -> Result<Summary> {
        let begin = beginning()?;
        let target = Target::new(self.settings.url.clone())
            .map_err(|error| Failure::usage(error.to_string()).hint(error.hint()))?;
        let mut connection: Connection = self.transport.connection(target);
        connection.resets_where_it_breaks_off(ClientBinding::profile(&*self.binding).resets);
        let device = client.device_id().to_owned();
        let inner = Session::new(&self.binding, client.begin(begin));
        let watched = Watched { inner, watch: &self.watch, device: &device };
        let managed = connection.run(watched).await;
        managed.map_err(|error| failure::transport(&error))?.map_err(|error| {
            let refused = matches!(error, bindery_omadm::client::SessionError::Refused(_));
            let exit = if refused { Exit::NotAuthorised } else { Exit::Protocol };
            Failure::new(exit, Layer::Profile, error.to_string())
                .hint("bindery omadm devices lists who is registered; -v shows more")
        })
    }

    /// The first message of a device, which is not sent.
    ///
    /// # Errors
    /// It cannot be made, or not be shown.
    fn preview(&self, client: &mut Client, as_curl: bool, output: Output) -> Result<()> {
        let secret = client.account.client.is_some();
        let mut conversation = client.begin(beginning()?);
        let target = conversation.target().clone();
        let wrong = |reason: String| Failure::usage(format!("there is no message: {reason}"));
        let message = conversation.message().ok_or_else(|| wrong("nothing to say".to_owned()))?;
        let encoded = self.binding.encode_request(&target, message);
        let (request, _) = encoded.map_err(|error| wrong(error.to_string()))?;
        let (parts, body) = request.into_parts();
        let octets = body.into_bytes().map_err(|_| wrong("its body is a stream".to_owned()))?;
        let mut shown = decode::shown_markup(&octets, output.show_secrets);
        shown.secret |= secret;
        preview::print(&parts, &octets, &shown, &self.settings, as_curl, output)
    }
}

/// A session of the device's own, under a number of its choice.
fn beginning() -> Result<Begin> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::usage(format!("no random octets: {error}")))?;
    let number = random.iter().take(2).fold(0_u16, |sum, octet| sum << 8 | u16::from(*octet));
    Ok(Begin::new(number.max(1).to_string(), random))
}

/// Runs the devices.
///
/// # Errors
/// The options, or a session that came to no proper end.
pub(super) async fn run(args: &SimulateArgs, output: &Output) -> Result<()> {
    let settings = Settings::resolve(&args.client, ServiceName::Omadm)?;
    warn_about(&settings);
    let form = if args.xml { Form::Xml } else { Form::Wbxml };
    let mut simulated = Simulated::new(settings, form)?;
    simulated.server_id.clone_from(&args.server_id);
    let auth = match args.auth {
        AuthName::Basic => AuthType::Basic,
        AuthName::Md5 => AuthType::Digest,
        AuthName::Mac => AuthType::Hmac,
    };
    if let Some(file) = &args.client_password_file {
        simulated.client = Some((auth, args.client_name.clone(), password(file)?));
    }
    if let (Some(name), Some(file)) = (&args.server_name, &args.server_password_file) {
        simulated.server = Some((name.clone(), password(file)?));
    }
    let previews = args.client.dry_run || args.client.curl;
    if previews && args.devices.get() > 1 {
        return Err(Failure::usage("--dry-run and --curl show the first message of one device")
            .hint("leave --devices out"));
    }
    if previews {
        let tree = args.tree.as_deref().filter(|file| file.exists()).map(read_tree).transpose()?;
        let mut client = simulated.device(&args.device, tree)?;
        return simulated.preview(&mut client, args.client.curl, *output);
    }
    let watch = Watch::new(*output, output::note);
    let simulated = simulated.watched(match &args.capture {
        Some(file) => watch.with_capture(file)?,
        None => watch,
    });
    let watch = Arc::clone(&simulated.watch);
    let ended = match (args.devices.get(), &args.tree) {
        (1, tree) => one(&simulated, &args.device, tree.as_deref(), output).await,
        (_, Some(_)) => Err(Failure::usage("--tree is for one device")
            .hint("leave it out; each device of a fleet has a tree of its own")),
        (devices, None) => {
            fleet(Arc::new(simulated), &args.device, devices, args.parallel.get(), output).await
        }
    };
    let captured = watch.finish();
    ended.and(captured)
}

async fn one(simulated: &Simulated, id: &str, file: Option<&Path>, output: &Output) -> Result<()> {
    let tree = match file.filter(|file| file.exists()) {
        Some(file) => Some(read_tree(file)?),
        None => None,
    };
    let mut client = simulated.device(id, tree)?;
    let begin = now();
    let summary = simulated.session(&mut client).await?;
    let took = now().saturating_duration_since(begin);
    if let Some(file) = file {
        write_tree(file, &client.tree)?;
    }
    let ended = match summary.ended {
        Ended::Finished => "finished",
        _ => "aborted by the server",
    };
    let json = json!({
        "device": id,
        "ended": ended,
        "messages": summary.messages,
        "resent": summary.resent,
        "commands_done": summary.done,
        "commands_failed": summary.failed,
        "server_proved": summary.server_proved,
        "displayed": summary.displayed,
        "milliseconds": millis(took),
    });
    let text = pairs([
        ("device", id.to_owned()),
        ("session", ended.to_owned()),
        ("messages", format!("{}, {} of them again", summary.messages, summary.resent)),
        ("commands", format!("{} done, {} not", summary.done, summary.failed)),
        ("took", format!("{:.1} ms", millis(took))),
    ]);
    Document::new(json, text).print(output)
}

fn read_tree(file: &Path) -> Result<Tree> {
    let failed = |reason: String| {
        Failure::usage(format!("the tree {}: {reason}", file.display()))
            .hint("it is a document of DM DDF (MgmtTree), as simulate writes it")
    };
    let octets = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    Tree::from_document(&octets.into(), TreeLimits::default())
        .map_err(|error| failed(error.to_string()))
}

fn write_tree(file: &Path, tree: &Tree) -> Result<()> {
    let failed = |reason: String| {
        Failure::usage(format!("the tree {}: {reason}", file.display()))
            .hint("the session is over; what it changed is lost")
    };
    let document =
        tree.to_document(&WriteOptions::XML).map_err(|error| failed(error.to_string()))?;
    files::replace(file, &document).map_err(|error| failed(error.to_string()))
}

/// What came of a fleet.
#[derive(Debug, Default)]
struct Tally {
    latencies: Vec<Duration>,
    messages: u64,
    resent: u64,
    done: u64,
    failures: BTreeMap<String, u64>,
}

async fn fleet(
    simulated: Arc<Simulated>,
    prefix: &str,
    devices: u32,
    parallel: u32,
    output: &Output,
) -> Result<()> {
    let slots = Arc::new(Semaphore::new(usize::try_from(parallel).unwrap_or(1)));
    let bar = ProgressBar::new(u64::from(devices));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} sessions {per_sec} {eta}")
    {
        bar.set_style(style);
    }
    let begin = now();
    let mut running = JoinSet::new();
    let mut tally = Tally::default();
    for number in 1..=devices {
        // The semaphore is never closed.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let (simulated, id) = (Arc::clone(&simulated), format!("{prefix}:{number}"));
        running.spawn(async move {
            let begin = now();
            let summary = match simulated.device(&id, None) {
                Ok(mut client) => simulated.session(&mut client).await,
                Err(failure) => Err(failure),
            };
            drop(slot);
            (now().saturating_duration_since(begin), summary)
        });
        while let Some(ended) = running.try_join_next() {
            tally.add(ended.ok(), &bar);
        }
    }
    while let Some(ended) = running.join_next().await {
        tally.add(ended.ok(), &bar);
    }
    bar.finish_and_clear();
    tally.report(now().saturating_duration_since(begin), devices, output)
}

impl Tally {
    fn add(&mut self, ended: Option<(Duration, Result<Summary>)>, bar: &ProgressBar) {
        bar.inc(1);
        match ended {
            Some((took, Ok(summary))) => {
                self.latencies.push(took);
                self.messages += u64::from(summary.messages);
                self.resent += u64::from(summary.resent);
                self.done += u64::from(summary.done);
            }
            Some((_, Err(failure))) => {
                *self.failures.entry(failure.message).or_default() += 1;
            }
            None => *self.failures.entry("a device panicked".to_owned()).or_default() += 1,
        }
    }

    fn report(mut self, took: Duration, devices: u32, output: &Output) -> Result<()> {
        self.latencies.sort_unstable();
        let at = |part: usize| {
            let index =
                (self.latencies.len() * part / 100).min(self.latencies.len().saturating_sub(1));
            self.latencies.get(index).copied().map_or(0.0, millis)
        };
        let complete = self.latencies.len();
        let rate = f64::from(u32::try_from(complete).unwrap_or(u32::MAX))
            / took.as_secs_f64().max(f64::EPSILON);
        let failed: u64 = self.failures.values().sum();
        let json = json!({
            "devices": devices,
            "complete": complete,
            "failed": failed,
            "failures": self.failures,
            "messages": self.messages,
            "resent": self.resent,
            "commands_done": self.done,
            "seconds": took.as_secs_f64(),
            "sessions_per_second": rate,
            "latency_ms": { "p50": at(50), "p90": at(90), "p99": at(99), "max": at(100) },
        });
        let mut rows = vec![
            ("devices".to_owned(), devices.to_string()),
            ("complete".to_owned(), complete.to_string()),
            ("failed".to_owned(), failed.to_string()),
            ("messages".to_owned(), format!("{}, {} of them again", self.messages, self.resent)),
            ("commands".to_owned(), format!("{} done", self.done)),
            ("sessions a second".to_owned(), format!("{rate:.1}")),
            (
                "latency".to_owned(),
                format!("p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms", at(50), at(90), at(99)),
            ),
        ];
        for (reason, count) in self.failures.iter().take(8) {
            rows.push(("failure".to_owned(), format!("{count} times: {reason}")));
        }
        Document::new(json, pairs(rows)).print(output)?;
        if failed > 0 {
            let message = format!("{failed} of {devices} sessions came to no proper end");
            return Err(Failure::new(Exit::Protocol, Layer::Profile, message)
                .hint("the table names the reasons"));
        }
        Ok(())
    }
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

#[expect(clippy::disallowed_methods, reason = "the program measures what a server took")]
fn now() -> Instant {
    Instant::now()
}
