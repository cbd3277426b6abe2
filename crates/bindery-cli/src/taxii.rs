//! `bindery taxii`: a verb per exchange.

mod content;
mod failure;
mod inbox;
mod mirror;
mod report;

use std::{path::Path, sync::Arc, time::Duration};

use bindery_auth::Login;
use bindery_taxii::{Carrier, Client, ClientError, Cursors, Ids, PollOptions, Polling, choose};
use bindery_taxii_xml::{
    Action, ContentBinding, Dialect, PushParameters, ServiceType, StatusType,
    SubscriptionParameters, SubscriptionRequest, Terms, Timestamp, Tolerances,
};
use bindery_transport::{ClientLimits, Target, UpgradeMode};
use http::Uri;
use serde_json::json;

use crate::{
    account,
    args::taxii::{ActionName, PollArgs, PushArgs, SubscriptionArgs, TaxiiArgs, Verb},
    config::ServiceName,
    error::{Failure, Result},
    files,
    output::{self, Document, Output},
    settings::{Settings, parse_url, warn_about},
};
pub(crate) use failure::of as failure;

/// Runs a verb.
///
/// # Errors
/// The options, the connection, the answer, or a failure that the server tells of.
pub(crate) async fn run(args: &TaxiiArgs, output: Output) -> Result<()> {
    if let Verb::Inbox(inbox) = &args.verb {
        args.client.sends("TAXII")?;
        return inbox::run(inbox, &args.client, output).await;
    }
    let settings = match (&args.client.url, &args.service_url) {
        // The service itself does for discovery, if nothing else is named.
        (None, Some(url)) => {
            let mut client = args.client.clone();
            client.url = Some(url.clone());
            Settings::resolve(&client, ServiceName::Taxii)?
        }
        _ => Settings::resolve(&args.client, ServiceName::Taxii)?,
    };
    warn_about(&settings);
    args.client.sends("TAXII")?;
    let service = args.service_url.as_deref().map(parse_url).transpose()?;
    let mut session = Session::new(&settings, args.taxii_version.dialect(), service)?;
    match &args.verb {
        Verb::Discovery => {
            let services = session.discovery().await?;
            report::services(&services).print(&output)
        }
        Verb::Collections => {
            let url = session.service(ServiceType::CollectionManagement).await?;
            let found = session.client.collections(&url).await.map_err(|e| failure(&e))?;
            report::collections(&found).print(&output)
        }
        Verb::Poll(args) => session.poll(args, &output).await,
        Verb::Push(args) => session.push(args, &output).await,
        Verb::Subscription(args) => session.subscription(args, &output).await,
        Verb::Mirror(args) => mirror::run(&mut session, &settings, args, &output).await,
        // It was run above.
        Verb::Inbox(_) => Ok(()),
    }
}

/// The longest answer to a poll, in octets: 1 TiB.
const STREAMED: u64 = 1 << 40;

/// A client, and the address that it begins with.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    dialect: Dialect,
    discovery: Uri,
    service: Option<Uri>,
    clear: bool,
    /// Whatever goes to an http URL goes within TLS, or not at all.
    upgrades: bool,
}

impl Session {
    /// A session with the server that the settings name. It connects with the first request.
    ///
    /// # Errors
    /// A file or the URL is not as it should be.
    pub(crate) fn new(settings: &Settings, dialect: Dialect, service: Option<Uri>) -> Result<Self> {
        let total = settings.timeout.duration();
        let mut limits = ClientLimits::default();
        limits.total = total;
        limits.response = total;
        limits.connect = limits.connect.min(total);
        limits.handshake = limits.handshake.min(total);
        // Polls are read as they come; what is taken whole has the client's own limit.
        limits.response_body = STREAMED;
        let target = Target::new(settings.url.clone())
            .map_err(|error| Failure::usage(error.to_string()).hint(error.hint()))?;
        let clear = !target.is_tls();
        if clear && settings.upgrade == UpgradeMode::Optional {
            return Err(Failure::usage("a TAXII request names the channel that it goes over")
                .hint("--upgrade required settles it before the request is made"));
        }
        let transport = settings.transport(limits)?;
        let mut octets = [0; 16];
        getrandom::fill(&mut octets)
            .map_err(|error| Failure::usage(format!("no random octets: {error}")))?;
        let ids = Arc::new(Ids::new(u128::from_be_bytes(octets)));
        // What servers that are in use get wrong is no reason not to read them.
        let mut builder = Client::builder(ids).dialect(dialect).tolerances(Tolerances::ALL);
        if clear {
            builder = builder.allow_clear();
        }
        if let Some((user, file)) = &settings.login {
            // TAXII has Basic and nothing else (draft, section 9.1.2), and its servers answer one who says nothing
            // as nobody.
            let login = Login::new(user, account::password(file)?);
            let secured = settings.is_secured();
            let login = if secured { login.with_preemptive_basic() } else { login };
            let url = service.as_ref().unwrap_or(&settings.url);
            let with = builder.login(url, login);
            builder = with.map_err(|error| Failure::usage(error.to_string()))?;
        }
        let client = builder.build(transport.build());
        let upgrades = clear && settings.upgrade == UpgradeMode::Required;
        Ok(Self { client, dialect, discovery: settings.url.clone(), service, clear, upgrades })
    }

    async fn discovery(&mut self) -> Result<Vec<bindery_taxii_xml::ServiceInstance>> {
        let url = self.service.clone().unwrap_or_else(|| self.discovery.clone());
        self.client.discovery(&url).await.map_err(|error| failure(&error))
    }

    /// The address of a service: the one that was named, or the one that discovery names.
    ///
    /// # Errors
    /// Discovery does not answer, or names none that could be used.
    pub(crate) async fn service(&mut self, kind: ServiceType) -> Result<Uri> {
        if let Some(url) = &self.service {
            return Ok(url.clone());
        }
        let services = self.discovery().await?;
        let chosen = choose(&services, kind, self.dialect, self.clear);
        let url = parse_url(&chosen.map_err(|error| failure(&error))?.address)?;
        Ok(self.by_the_same_way(url))
    }

    /// A server within an upgraded connection names itself by https; it is reached by the way that led to it. Only where
    /// nothing goes in clear: otherwise what was to go over TLS would.
    fn by_the_same_way(&self, url: Uri) -> Uri {
        let ours = &self.discovery;
        let port = |url: &Uri| url.port_u16();
        let is_same = self.upgrades && url.host() == ours.host() && port(&url) == port(ours);
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let authority = ours.authority().map_or("", |authority| authority.as_str());
        let same = format!("http://{authority}{path}");
        if is_same { same.parse().unwrap_or(url) } else { url }
    }

    async fn poll(&mut self, args: &PollArgs, output: &Output) -> Result<()> {
        let mut options = PollOptions::default();
        options.begin = args.begin.as_deref().map(timestamp).transpose()?;
        options.end = args.end.as_deref().map(timestamp).transpose()?;
        options.content_bindings = args.bindings.iter().map(ContentBinding::new).collect();
        options.subscription_id.clone_from(&args.subscription_id);
        options.max_blocks = args.limit;
        options.query = args.query.as_deref().map(content::query).transpose()?;
        options.allow_asynch = args.later;
        let mut cursors = match &args.cursor_file {
            Some(file) => read_cursors(file)?,
            None => Cursors::new(),
        };
        let url = self.service(ServiceType::Poll).await?;
        let address = url.to_string();
        if let Some(begin) = cursors.get(&address, &args.collection) {
            options.begin = Some(begin.clone());
        }
        if args.count_only {
            let counted = self.client.count(&url, &args.collection, &options).await;
            let (count, end) = counted.map_err(|error| failure(&error))?;
            return report::count(count.as_ref(), end.as_ref()).print(output);
        }
        let mut sink = content::Sink::new(args.dest_dir.as_deref(), *output)?;
        let client = &mut self.client;
        let polled = match client.poll(&url, &args.collection, &options).await {
            Err(error) => match pending(&error) {
                Some((result, wait)) => {
                    fulfilled(client, &url, &args.collection, &result, wait).await
                }
                None => Err(error),
            },
            polled => polled,
        };
        let mut polling = polled.map_err(|error| failure(&error))?;
        while let Some(block) = polling.next_block().await.map_err(|error| failure(&error))? {
            sink.take(&block)?;
        }
        let end = polling.end().cloned();
        if let (Some(file), Some(end)) = (&args.cursor_file, &end) {
            cursors.advance(&address, &args.collection, end.clone());
            files::replace(file, cursors.to_string().as_bytes()).map_err(|error| {
                Failure::usage(format!("the cursor file {}: {error}", file.display()))
                    .hint("the content was read; the next poll reads it again")
            })?;
        }
        sink.finish(end.as_ref())
    }

    async fn push(&mut self, args: &PushArgs, output: &Output) -> Result<()> {
        let mut blocks = Vec::with_capacity(args.files.len());
        for file in &args.files {
            blocks.push(content::block(args, file, self.dialect)?);
        }
        let url = self.service(ServiceType::Inbox).await?;
        let count = blocks.len();
        let pushed = self.client.push(&url, args.destinations.clone(), blocks).await;
        let status = pushed.map_err(|error| failure(&error))?;
        let json = json!({ "status": "SUCCESS", "blocks": count, "message": status.message });
        Document::new(json, format!("SUCCESS: {count} blocks were taken")).print(output)
    }

    async fn subscription(&mut self, args: &SubscriptionArgs, output: &Output) -> Result<()> {
        let url = self.service(ServiceType::CollectionManagement).await?;
        let asked = self.client.subscription(&url, request(args, self.dialect)?).await;
        report::subscriptions(&asked.map_err(|error| failure(&error))?).print(output)
    }
}

/// The result of a poll whose answer comes later, and after how many seconds.
fn pending(error: &ClientError) -> Option<(String, u64)> {
    let ClientError::Status { status, .. } = error else { return None };
    let detail = |name: &str| {
        let found = status.details.iter().find(|one| one.name == name)?;
        found.value.as_text().map(std::borrow::Cow::into_owned)
    };
    let pending = status.status_type == StatusType::Pending;
    let wait = detail("ESTIMATED_WAIT").and_then(|text| text.parse().ok()).unwrap_or(1);
    Some((detail("RESULT_ID").filter(|_| pending)?, wait))
}

/// How often a result that comes later is asked for.
const ASKED: usize = 60;

/// The longest pause between two questions, in seconds.
const PAUSE: u64 = 30;

/// Waits for a result.
async fn fulfilled<'c>(
    client: &'c mut Client,
    url: &Uri,
    collection: &str,
    result: &str,
    mut wait: u64,
) -> std::result::Result<Polling<'c>, ClientError> {
    let options = PollOptions::default();
    for _ in 0..ASKED {
        output::note(&format!("the answer comes later: asking again in {wait} s"));
        tokio::time::sleep(Duration::from_secs(wait.min(PAUSE))).await;
        // Whether it is there is asked without holding it, and then it is asked for.
        let asked = client.fulfil(url, collection, result, 1, &options).await.map(drop);
        match asked {
            Ok(()) => break,
            Err(error) => match pending(&error) {
                Some((_, again)) => wait = again,
                None => return Err(error),
            },
        }
    }
    client.fulfil(url, collection, result, 1, &options).await
}

fn request(args: &SubscriptionArgs, dialect: Dialect) -> Result<SubscriptionRequest> {
    let action = match args.action {
        ActionName::Subscribe => Action::Subscribe,
        ActionName::Status => Action::Status,
        ActionName::Pause => Action::Pause,
        ActionName::Resume => Action::Resume,
        ActionName::Unsubscribe => Action::Unsubscribe,
    };
    let subscribes = action == Action::Subscribe;
    let bindings: Vec<ContentBinding> = args.bindings.iter().map(ContentBinding::new).collect();
    let parameters = SubscriptionParameters {
        response_type: None,
        content_bindings: bindings.clone(),
        query: args.query.as_deref().map(content::query).transpose()?,
    };
    let push = args.inbox.as_deref().filter(|_| subscribes).map(|url| inbox_at(url, dialect));
    let terms = match (dialect, bindings.as_slice()) {
        (Dialect::Draft, [one]) if subscribes => Some(Terms {
            protect: Some(false),
            delivery_method: "POLL".to_owned(),
            message_binding: bindery_taxii::Names::of(dialect).message().to_owned(),
            content_binding: one.id.clone(),
            send_to: String::new(),
        }),
        (Dialect::Draft, _) if subscribes => {
            return Err(Failure::usage("the draft subscribes to one content binding")
                .hint("give --binding once"));
        }
        _ => None,
    };
    Ok(SubscriptionRequest {
        collection: args.collection.clone(),
        action,
        subscription_id: args.subscription_id.clone(),
        parameters: (subscribes && dialect == Dialect::V1_1).then_some(parameters),
        push: push.transpose()?,
        terms,
    })
}

/// The push parameters of an inbox.
fn inbox_at(url: &str, dialect: Dialect) -> Result<PushParameters> {
    let parsed = parse_url(url)?;
    let secure = parsed.scheme_str() == Some("https");
    let carrier = if secure { Carrier::Https } else { Carrier::Http };
    let names = bindery_taxii::Names::of(dialect);
    if dialect == Dialect::Draft {
        return Err(Failure::usage("--inbox is not there for the draft").hint("use -t 1.0 or 1.1"));
    }
    Ok(PushParameters {
        protocol_binding: names.protocol(carrier).to_owned(),
        address: url.to_owned(),
        message_binding: names.message().to_owned(),
        content_bindings: Vec::new(),
    })
}

fn timestamp(text: &str) -> Result<Timestamp> {
    Timestamp::label(text).ok_or_else(|| {
        Failure::usage(format!("{text:?} is no timestamp with a zone"))
            .hint("write it like 2026-11-27T12:00:00Z or 2026-11-27T12:00:00.000001+01:00")
    })
}

fn read_cursors(file: &Path) -> Result<Cursors> {
    if !file.exists() {
        return Ok(Cursors::new());
    }
    let failed = |reason: String| {
        Failure::usage(format!("the cursor file {}: {reason}", file.display()))
            .hint("remove it to read everything again")
    };
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    text.parse().map_err(|error: bindery_taxii::ParseCursorsError| failed(error.to_string()))
}

/// What is said beside content on standard output.
pub(crate) fn beside(output: &Output, line: &str) {
    if output.format == output::Format::Table {
        output::note(line);
    }
}
