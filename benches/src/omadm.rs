//! Messages of device management, and what a server does with them.

use std::future::{Future, ready};
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use bindery_core::{Channel, Context, Peer, Principal, Timestamp};
use bindery_omadm::service::{
    AppAuth, Ask, Change, Command as Queued, CommandFilter, CommitError, Device, DeviceFilter,
    DeviceStore, DmServer, DmServerConfig, Loaded, MemoryStore, Order, Random, RandomError,
    ResultEntry, ResultFilter, StoreError, StoreFuture, Swept, Value, Versioned,
};
use bindery_omadm::{CredentialDigest, Incoming, client};
use bindery_syncml::{Form, Options, SyncMl, WriteOptions};
use bytes::Bytes;

/// The messages: a package 1 that is answered with three commands; what comes back for them; what comes back for 64.
pub const NAMES: [&str; 3] = ["package-1", "package-3", "package-3-of-64"];

/// A message, its answer, and the server as it is before the message comes.
#[derive(Debug)]
pub struct Step {
    server: DmServer,
    cx: Context,
    request: Bytes,
    reply: SyncMl,
    url: http::Uri,
    form: Form,
}

/// A store that is always in the same state: what it is told to change, it drops.
#[derive(Debug)]
struct Still(Loaded);

impl DeviceStore for Still {
    fn load<'a>(&'a self, _: &'a Ask) -> StoreFuture<'a, Result<Loaded, StoreError>> {
        Box::pin(ready(Ok(self.0.clone())))
    }

    fn commit(&self, changes: Vec<Change>) -> StoreFuture<'_, Result<(), CommitError>> {
        drop(changes);
        Box::pin(ready(Ok(())))
    }

    fn devices<'a>(
        &'a self,
        _: &'a DeviceFilter,
    ) -> StoreFuture<'a, Result<Vec<Versioned<Device>>, StoreError>> {
        Box::pin(ready(Ok(Vec::new())))
    }

    fn command<'a>(
        &'a self,
        _: &'a str,
    ) -> StoreFuture<'a, Result<Option<Versioned<Queued>>, StoreError>> {
        Box::pin(ready(Ok(None)))
    }

    fn commands<'a>(
        &'a self,
        _: &'a CommandFilter,
    ) -> StoreFuture<'a, Result<Vec<Versioned<Queued>>, StoreError>> {
        Box::pin(ready(Ok(Vec::new())))
    }

    fn read_data<'a>(
        &'a self,
        _: &'a str,
        _: Range<u64>,
    ) -> StoreFuture<'a, Result<Bytes, StoreError>> {
        Box::pin(ready(Ok(Bytes::new())))
    }

    fn read_object<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
    ) -> StoreFuture<'a, Result<Bytes, StoreError>> {
        Box::pin(ready(Ok(Bytes::new())))
    }

    fn results<'a>(
        &'a self,
        _: &'a ResultFilter,
    ) -> StoreFuture<'a, Result<Vec<ResultEntry>, StoreError>> {
        Box::pin(ready(Ok(Vec::new())))
    }

    fn sweep(
        &self,
        _: Timestamp,
        _: Timestamp,
        _: usize,
    ) -> StoreFuture<'_, Result<Swept, CommitError>> {
        Box::pin(ready(Ok(Swept::default())))
    }
}

/// The same octets each time.
#[derive(Debug)]
struct Fixed;

impl Random for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        buffer.fill(7);
        Ok(())
    }
}

/// The output of a future that never waits.
fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn context() -> Option<Context> {
    let address = "192.0.2.1:9".parse().ok()?;
    let at = Timestamp::from_unix_seconds(1_800_000_000);
    Some(Context::new(Channel::Clear, Peer::from_address(address), at))
}

fn store(commands: usize) -> Option<Arc<MemoryStore>> {
    let store = Arc::new(MemoryStore::new());
    let mut device = Device::new("urn:x:1", Principal::new("fleet"), Timestamp::UNIX_EPOCH);
    let mut auth = AppAuth::new("eve", CredentialDigest::new("eve", "moth"));
    auth.nonce = Bytes::from_static(b"a nonce of 16 oc");
    device.client = Some(auth);
    let mut changes = vec![Change::InsertDevice(device)];
    for number in 0..commands {
        let order = match number % 3 {
            0 => Order::get(["./DevDetail/SwV"]),
            1 => Order::get(["./DevInfo"]),
            _ => Order::replace(Value::new("./Mark", "chr", "a value of some length".to_owned())),
        };
        let command = order.ok()?.for_device(number.to_string(), "urn:x:1", Timestamp::UNIX_EPOCH);
        changes.push(Change::Enqueue { command: command.ok()?, at_most: 1_000 });
    }
    now(store.commit(changes))?.ok()?;
    Some(store)
}

fn device(form: Form) -> Option<client::Client> {
    let mut account = client::Account::new("srv", "https://dm.example/omadm".parse().ok()?);
    let mut credential = client::Credential::new(client::AuthType::Digest, "eve", "moth");
    credential.nonce = Bytes::from_static(b"a nonce of 16 oc");
    account.client = Some(credential);
    let mut tree = client::Tree::new();
    client::DevInfo::new("urn:x:1", "Maker", "Thing").put(&mut tree).ok()?;
    client::DevDetail::new("thing", "1", "2", "3").put(&mut tree).ok()?;
    tree.put_text(&client::NodePath::parse("./Mark").ok()?, "before").ok()?;
    account.grant(&mut tree);
    let mut client = client::Client::new(tree, account);
    client.config.form = form;
    Some(client)
}

/// A message by its name; nothing for an unknown name.
pub fn step(name: &str, form: Form) -> Option<Step> {
    let (number, commands) = match name {
        "package-1" => (1, 3),
        "package-3" => (2, 3),
        "package-3-of-64" => (2, 64),
        _ => return None,
    };
    let (store, mut client, cx) = (store(commands)?, device(form)?, context()?);
    let shared: Arc<dyn DeviceStore> = Arc::clone(&store) as Arc<_>;
    let server = DmServer::new(shared, Arc::new(Fixed), DmServerConfig::default()).ok()?;
    let mut conversation = client.begin(client::Begin::new("1", [7; 16]));
    for at in 1..=number {
        let message = conversation.message()?;
        let url = conversation.target().clone();
        let incoming = read(&message.octets, &url)?;
        let ask = Ask::new("urn:x:1", Some("1"), 128);
        let loaded = now(store.load(&ask))?.ok()?;
        let reply = now(server.respond(&cx, &incoming))?;
        if at == number {
            let still: Arc<dyn DeviceStore> = Arc::new(Still(loaded));
            let server = DmServer::new(still, Arc::new(Fixed), DmServerConfig::default()).ok()?;
            let decoded = SyncMl::decode(&reply.octets, &Options::STRICT).ok()?;
            let step = Step { server, cx, request: message.octets, reply: decoded, url, form };
            // The same step again comes to the same.
            return (step.whole()? == reply.octets.len()).then_some(step);
        }
        conversation.receive(&read(&reply.octets, &url)?);
    }
    None
}

fn read(octets: &Bytes, url: &http::Uri) -> Option<Incoming> {
    let mut incoming = Incoming::read(octets.clone(), &Options::LENIENT).ok()?;
    incoming.url = Some(url.clone());
    Some(incoming)
}

impl Step {
    /// The octets of the message and of its answer.
    pub fn octets(&self) -> usize {
        let mut out = Vec::new();
        let written = self.reply.encode(&mut out, &WriteOptions::new(self.form));
        self.request.len() + if written.is_ok() { out.len() } else { 0 }
    }

    /// All that the server does: reads the message, decides on what the store has, writes the answer and gives the
    /// changes to the store. The length of the answer.
    pub fn whole(&self) -> Option<usize> {
        let incoming = read(&self.request, &self.url)?;
        Some(now(self.server.respond(&self.cx, &incoming))?.octets.len())
    }

    /// What the codec alone does for it: the message is read, the answer, which is there, is written into a buffer.
    pub fn codec(&self, out: &mut Vec<u8>) -> Option<usize> {
        let read = SyncMl::decode(&self.request, &Options::LENIENT).ok()?;
        out.clear();
        self.reply.encode(out, &WriteOptions::new(self.form)).ok()?;
        Some(read.body.commands.len() + out.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_what_their_names_say() {
        for form in [Form::Wbxml, Form::Xml] {
            for (name, statuses) in [("package-1", 3), ("package-3", 1), ("package-3-of-64", 1)] {
                let step = step(name, form).expect(name);
                let commands = &step.reply.body.commands;
                let status = |one: &&bindery_syncml::Command| {
                    matches!(one, bindery_syncml::Command::Status(_))
                };
                assert_eq!(commands.iter().filter(status).count(), statuses, "{name}");
                let asks = commands.len() - statuses;
                assert_eq!(asks, if name == "package-1" { 3 } else { 0 }, "{name}");
                assert!(step.codec(&mut Vec::new()).is_some() && step.whole().is_some());
            }
        }
    }
}
