//! `bindery omadm`: devices, their queues and their results, on the server's store.

mod simulate;
mod watch;

use bindery_core::{Principal, Timestamp};
use bindery_omadm::{
    CredentialDigest, Initiator, Notification, UiMode,
    service::{
        AppAuth, Ask, Change, Command, CommandFilter, CommitError, Device, DeviceFilter,
        DeviceStore, Order, ResultEntry, ResultFilter, StoreError, Value, Versioned,
    },
};
use bindery_store::SqliteStore;
use bindery_syncml::Content;
use serde_json::{Value as Json, json};

pub(crate) use simulate::Simulated;
pub(crate) use watch::Watch;

use crate::{
    account::password,
    args::omadm::{CommandName, DevicesArgs, NotifyArgs, OmadmArgs, QueueArgs, Verb},
    db,
    error::{Exit, Failure, Layer, Result},
    output::{self, Document, Output, table},
    serve::now,
};

/// The most devices or commands that are loaded at once.
const PAGE: usize = 500;
/// How many open commands a device may have.
const OPEN: u32 = 10_000;

/// Does what the verb says.
///
/// # Errors
/// The store cannot be used, or there is no such device.
pub(crate) async fn run(args: &OmadmArgs, output: &Output) -> Result<()> {
    let place = match &args.verb {
        Verb::Notify(args) => return notify(args)?.print(output),
        Verb::Simulate(args) => return simulate::run(args, output).await,
        Verb::Devices(args) => &args.place,
        Verb::Queue(args) => &args.place,
        Verb::Results { place, .. } => place,
    };
    let options = db::options(place)?;
    let verb = &args.verb;
    db::with(options, async |store| on_store(store, verb).await).await?.print(output)
}

async fn on_store(store: &SqliteStore, verb: &Verb) -> Result<Document> {
    match verb {
        Verb::Devices(args) => devices(store, args).await,
        Verb::Queue(args) => match args.command {
            Some(command) => queue(store, args, command).await,
            None => queued(store, args).await,
        },
        Verb::Results { device, command, after, limit, .. } => {
            let mut found = Vec::new();
            for device in named(store, device).await? {
                let mut filter = ResultFilter::of(&device, *limit);
                filter.command.clone_from(command);
                filter.after = *after;
                found.extend(store.results(&filter).await.map_err(|error| failed(&error))?);
            }
            Ok(results(&found))
        }
        Verb::Notify(_) | Verb::Simulate(_) => Err(Failure::usage("this verb needs no store")),
    }
}

/// A failure of the store.
fn failed(error: &StoreError) -> Failure {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    let message = format!("{error}{}", cause.unwrap_or_default());
    Failure::new(Exit::Protocol, Layer::Store, message).hint("bindery db check says more")
}

async fn commit(store: &SqliteStore, changes: Vec<Change>) -> Result<()> {
    match store.commit(changes).await {
        Ok(()) => Ok(()),
        Err(CommitError::Store(error)) => Err(failed(&error)),
        Err(error) => Err(Failure::new(Exit::Protocol, Layer::Store, error.to_string())
            .hint("somebody else changed the same just now; try again")),
    }
}

async fn find(store: &SqliteStore, device: &str) -> Result<Option<Versioned<Device>>> {
    let ask = Ask::new(device, None::<String>, 0);
    let loaded = store.load(&ask).await.map_err(|error| failed(&error))?;
    Ok(loaded.device)
}

async fn known(store: &SqliteStore, device: &str) -> Result<Versioned<Device>> {
    find(store, device).await?.ok_or_else(|| {
        Failure::new(Exit::Protocol, Layer::Store, format!("there is no device {device:?}"))
            .hint("bindery omadm devices lists them; --register makes one")
    })
}

/// The devices of a name on the command line: one, or with `*` at its end all that begin so.
async fn named(store: &SqliteStore, name: &str) -> Result<Vec<String>> {
    let Some(prefix) = name.strip_suffix('*') else {
        return Ok(vec![known(store, name).await?.entry.id]);
    };
    let all = registered(store).await?.into_iter().map(|one| one.id);
    let found: Vec<String> = all.filter(|id| id.starts_with(prefix)).collect();
    if found.is_empty() {
        let message = format!("there is no device whose identifier begins with {prefix:?}");
        return Err(Failure::new(Exit::Protocol, Layer::Store, message)
            .hint("bindery omadm devices lists them; --register makes one"));
    }
    Ok(found)
}

async fn registered(store: &SqliteStore) -> Result<Vec<Device>> {
    let (mut all, mut filter) = (Vec::new(), DeviceFilter::all(PAGE));
    loop {
        let page = store.devices(&filter).await.map_err(|error| failed(&error))?;
        let Some(last) = page.last() else { return Ok(all) };
        filter.after = Some(last.entry.id.clone());
        all.extend(page.into_iter().map(|one| one.entry));
    }
}

async fn devices(store: &SqliteStore, args: &DevicesArgs) -> Result<Document> {
    if let Some(id) = &args.register {
        return register(store, id, args).await;
    }
    if let Some(id) = &args.remove {
        let found = known(store, id).await?;
        commit(store, vec![Change::DeleteDevice { id: id.clone(), expected: found.version }])
            .await?;
        return Ok(Document::new(
            json!({ "device": id, "removed": true }),
            format!("{id}: removed"),
        ));
    }
    for (id, enabled) in [(&args.lock, false), (&args.unlock, true)] {
        let Some(id) = id else { continue };
        let found = known(store, id).await?;
        let mut device = found.entry;
        device.enabled = enabled;
        commit(store, vec![Change::ReplaceDevice { device, expected: found.version }]).await?;
        let state = if enabled { "may have sessions" } else { "may have no sessions" };
        return Ok(Document::new(
            json!({ "device": id, "enabled": enabled }),
            format!("{id}: {state}"),
        ));
    }
    Ok(listed(&registered(store).await?))
}

fn listed(all: &[Device]) -> Document {
    let json: Json = all
        .iter()
        .map(|one| {
            json!({
                "device": one.id,
                "owner": one.owner.as_str(),
                "enabled": one.enabled,
                "registered": time(one.registered),
                "last_seen": one.last_seen.map(time),
                "password": one.client.is_some(),
                "dev_info": one.dev_info,
            })
        })
        .collect();
    let rows = all.iter().map(|one| {
        let info = ["Man", "Mod"].iter().filter_map(|key| one.dev_info.get(*key));
        [
            one.id.clone(),
            one.owner.to_string(),
            if one.enabled { "yes" } else { "no" }.to_owned(),
            one.last_seen.map(time).unwrap_or_default(),
            info.map(String::as_str).collect::<Vec<_>>().join(" "),
        ]
    });
    Document::new(json, table(&["device", "owner", "enabled", "last seen", "what it is"], rows))
}

pub(crate) fn time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.unix_micros());
    at.map(|at| at.to_string()).unwrap_or_default()
}

async fn register(store: &SqliteStore, id: &str, args: &DevicesArgs) -> Result<Document> {
    let before = find(store, id).await?;
    let new = before.is_none();
    let owner = Principal::new(args.owner.as_deref().unwrap_or(id));
    let (mut device, expected) = match before {
        Some(found) => (found.entry, Some(found.version)),
        None => (Device::new(id, owner.clone(), now()), None),
    };
    if args.owner.is_some() {
        device.owner = owner;
    }
    if let Some(file) = &args.client_password_file {
        let name = args.client_name.as_deref().unwrap_or(id);
        device.client = Some(AppAuth::new(name, CredentialDigest::new(name, &password(file)?)));
    }
    if let (Some(name), Some(file)) = (&args.server_name, &args.server_password_file) {
        device.server = Some(AppAuth::new(name, CredentialDigest::new(name, &password(file)?)));
    }
    let change = match expected {
        Some(expected) => Change::ReplaceDevice { device, expected },
        None => Change::InsertDevice(device),
    };
    commit(store, vec![change]).await?;
    let verb = if new { "registered" } else { "changed" };
    Ok(Document::new(json!({ "device": id, "new": new }), format!("{id}: {verb}")))
}

async fn queue(store: &SqliteStore, args: &QueueArgs, command: CommandName) -> Result<Document> {
    let devices = named(store, &args.device).await?;
    let uri = args.uri.as_deref().ok_or_else(|| {
        Failure::usage("the command needs a node").hint("name it like ./DevDetail/SwV")
    })?;
    let value = args.value.as_deref().map(content).transpose()?;
    let needs = || Failure::usage("the command needs a value").hint("write it behind the node");
    let made = |content: Content| {
        let mut made = Value::new(uri, None, content);
        made.format.clone_from(&args.format);
        made.media_type.clone_from(&args.media_type);
        made
    };
    let order = match command {
        CommandName::Get => Order::get([uri]),
        CommandName::Delete => Order::delete(uri),
        CommandName::Exec => Order::exec(uri, value),
        CommandName::Replace => Order::replace(made(value.ok_or_else(needs)?)),
        CommandName::Add => Order::add(made(value.ok_or_else(needs)?)),
    };
    let wrong = |error: bindery_omadm::service::OrderError| Failure::usage(error.to_string());
    let order = order.map_err(wrong)?;
    let mut all = Vec::with_capacity(devices.len());
    for device in devices {
        let mut octets = [0; 16];
        getrandom::fill(&mut octets)
            .map_err(|error| Failure::usage(format!("no random octets: {error}")))?;
        let id = output::hex(&octets);
        let mut new = order.clone().for_device(id.clone(), &device, now()).map_err(wrong)?;
        new.key.clone_from(&args.dedup_key);
        all.push(Queued { device, id, change: Change::Enqueue { command: new, at_most: OPEN } });
    }
    if let ([Queued { device, id, change }], false) = (all.as_slice(), args.device.ends_with('*')) {
        commit(store, vec![change.clone()]).await?;
        let json = json!({ "device": device, "command": id });
        return Ok(Document::new(json, format!("{id}: queued for {device}")));
    }
    queue_all(store, all).await
}

/// A command on its way into a device's queue.
struct Queued {
    device: String,
    id: String,
    change: Change,
}

/// Queues a command for many devices. One that does not take it, because it has the same command
/// already or too many, keeps it from no other one.
async fn queue_all(store: &SqliteStore, all: Vec<Queued>) -> Result<Document> {
    let (mut json, mut queued, mut not) = (Vec::new(), 0_usize, Vec::new());
    for some in all.chunks(PAGE) {
        // Many at a time where all of them take it.
        let changes = some.iter().map(|one| one.change.clone()).collect();
        let together = match store.commit(changes).await {
            Ok(()) => true,
            Err(CommitError::Store(error)) => return Err(failed(&error)),
            Err(_) => false,
        };
        for Queued { device, id, change } in some {
            let done = match together {
                true => Ok(()),
                false => store.commit(vec![change.clone()]).await,
            };
            match done {
                Ok(()) => {
                    queued += 1;
                    json.push(json!({ "device": device, "command": id }));
                }
                Err(CommitError::Store(error)) => return Err(failed(&error)),
                Err(error) => {
                    json.push(json!({ "device": device, "error": error.to_string() }));
                    not.push(format!("{device}: not queued: {error}"));
                }
            }
        }
    }
    let mut text = format!("queued for {queued} devices");
    if !not.is_empty() {
        text = format!("{text}, and not for {}\n{}", not.len(), not.join("\n"));
    }
    Ok(Document::new(Json::Array(json), text))
}

/// A value of the command line.
fn content(text: &str) -> Result<Content> {
    let Some(file) = text.strip_prefix('@') else { return Ok(Content::from(text.to_owned())) };
    let octets = std::fs::read(file).map_err(|error| {
        Failure::usage(format!("{file}: {error}")).hint("name a file that can be read")
    })?;
    Ok(match String::from_utf8(octets) {
        Ok(text) => Content::from(text),
        Err(error) => Content::Opaque(error.into_bytes().into()),
    })
}

async fn queued(store: &SqliteStore, args: &QueueArgs) -> Result<Document> {
    let mut all = Vec::new();
    for device in named(store, &args.device).await? {
        let mut filter = CommandFilter::of(&device, PAGE);
        loop {
            let page = store.commands(&filter).await.map_err(|error| failed(&error))?;
            let Some(last) = page.last() else { break };
            filter.after = last.entry.position;
            let shown = page.into_iter().map(|one| one.entry);
            all.extend(shown.filter(|one| args.all || one.progress.state.is_open()));
        }
    }
    Ok(commands(&all))
}

fn commands(all: &[Command]) -> Document {
    let what = |one: &Command| match Order::read(&one.body) {
        Ok(order) => order.command().tag().map_or("?", |tag| tag.name()).to_owned(),
        Err(error) => error.to_string(),
    };
    let json: Json = all
        .iter()
        .map(|one| {
            json!({
                "device": one.device,
                "command": one.id,
                "position": one.position,
                "what": what(one),
                "state": format!("{:?}", one.progress.state).to_lowercase(),
                "queued": time(one.queued),
                "changed": time(one.progress.changed),
                "attempts": one.progress.attempts,
                "status": one.progress.status.map(|status| status.to_string()),
                "explanation": one.progress.explanation,
            })
        })
        .collect();
    let rows = all.iter().map(|one| {
        let status = one.progress.status.map(|status| status.to_string());
        [
            one.device.clone(),
            one.position.to_string(),
            one.id.clone(),
            what(one),
            format!("{:?}", one.progress.state).to_lowercase(),
            one.progress.attempts.to_string(),
            status.or_else(|| one.progress.explanation.clone()).unwrap_or_default(),
        ]
    });
    let columns = ["device", "position", "command", "what", "state", "attempts", "status"];
    Document::new(json, table(&columns, rows))
}

fn results(all: &[ResultEntry]) -> Document {
    let shown = |one: &ResultEntry| String::from_utf8_lossy(&one.data).into_owned();
    let json: Json = all
        .iter()
        .map(|one| {
            json!({
                "device": one.device,
                "position": one.position,
                "at": time(one.at),
                "session": one.session_id,
                "message": one.msg_id,
                "kind": format!("{:?}", one.kind).to_lowercase(),
                "command": one.command,
                "uri": one.uri,
                "status": one.status.map(|status| status.to_string()),
                "data": shown(one),
            })
        })
        .collect();
    let rows = all.iter().map(|one| {
        let data: String = shown(one).chars().take(60).collect();
        [
            one.device.clone(),
            one.position.to_string(),
            time(one.at),
            format!("{:?}", one.kind).to_lowercase(),
            one.command.clone().unwrap_or_default(),
            one.uri.clone(),
            one.status.map(|status| status.to_string()).unwrap_or_default(),
            data,
        ]
    });
    let columns = ["device", "position", "at", "kind", "command", "node", "status", "data"];
    Document::new(json, table(&columns, rows))
}

fn notify(args: &NotifyArgs) -> Result<Document> {
    let password = password(&args.server_password_file)?;
    let digest = CredentialDigest::new(&args.server_name, &password);
    let nonce = unhex(&args.nonce)?;
    let notification = Notification {
        version: Notification::VERSION_1_2,
        ui_mode: UiMode::Background,
        initiator: Initiator::Server,
        future: 0,
        session_id: args.session_id,
        server_id: args.server_id.clone(),
        vendor: Vec::new(),
    };
    let signed = notification.sign(&digest, &nonce);
    let octets = signed.map_err(|error| Failure::usage(error.to_string()))?;
    let hex = output::hex(&octets);
    let json = json!({ "octets": hex, "session_id": args.session_id });
    Ok(Document::new(json, hex).with_octets(octets, false))
}

fn unhex(text: &str) -> Result<Vec<u8>> {
    output::unhex(text)
        .ok_or_else(|| Failure::usage(format!("{text:?} is no row of hexadecimal digits")))
}
