//! What the demonstration does with the device management service.

use std::path::Path;

use bindery_omadm::{
    client::{Client as Device, NodePath},
    service::{Ask, Change, CommandFilter, CommandState, DeviceStore, Order, ResultFilter, Value},
};
use bindery_store::SqliteStore;
use bindery_syncml::Form;

use super::{Client, report::Report};
use crate::{
    args::db::PlaceArgs,
    db,
    error::Result,
    omadm::{Simulated, Watch},
    serve::now,
};

/// The demonstration's device.
const DEVICE: &str = "urn:bindery:demo:device";
/// A node that the server makes there.
const NODE: &str = "./Demo";

/// What a step came to: what is shown of it.
type Outcome = Result<String, String>;

/// Runs all steps, each whatever came of the others.
///
/// # Errors
/// The client cannot even be made.
pub(super) async fn run(client: &Client, database: &Path, report: &mut Report) -> Result<()> {
    let simulated = Simulated::new(client.devices.clone(), Form::Wbxml)?;
    let simulated = simulated.watched(Watch::new(client.output, client.teller()));
    let mut device = simulated.device(DEVICE, None)?;
    report.step("OMA DM: a device's first session", first(&simulated, &mut device).await);
    let place = PlaceArgs {
        config: "bindery.toml".into(),
        data: Some(database.parent().unwrap_or(database).to_owned()),
    };
    let store = match SqliteStore::open(db::options(&place)?).await {
        Ok(store) => store,
        Err(error) => {
            report.step("queue commands for it", Err(error.to_string()));
            return Ok(());
        }
    };
    report.step("queue commands for it", queue(&store).await);
    report.step("its second session", second(&simulated, &mut device).await);
    report.step("what came back", results(&store).await);
    // The server's own handle goes on.
    let _ = store.close().await;
    Ok(())
}

fn check(right: bool, wrong: impl Into<String>) -> Result<(), String> {
    if right { Ok(()) } else { Err(wrong.into()) }
}

async fn first(simulated: &Simulated, device: &mut Device) -> Outcome {
    let summary = simulated.session(device).await.map_err(|failure| failure.to_string())?;
    check(summary.done == 0, format!("{} commands were done", summary.done))?;
    Ok(format!("registered, {} messages in WBXML", summary.messages))
}

async fn queue(store: &SqliteStore) -> Outcome {
    let ask = Ask::new(DEVICE, None::<String>, 0);
    let loaded = store.load(&ask).await.map_err(|error| error.to_string())?;
    let device = loaded.device.ok_or("the device is not registered")?.entry;
    let maker = device.dev_info.get("Man").cloned().unwrap_or_default();
    check(maker == "bindery", format!("its maker is {maker:?}"))?;
    let orders = [
        Order::get(["./DevDetail/SwV"]),
        Order::add(Value::new(NODE, "node", String::new())),
        Order::add(Value::new(format!("{NODE}/Text"), "chr", "hello".to_owned())),
    ];
    for (number, order) in orders.into_iter().enumerate() {
        let order = order.map_err(|error| error.to_string())?;
        let id = format!("demo-{number}");
        let command = order.for_device(id, DEVICE, now()).map_err(|error| error.to_string())?;
        let change = Change::Enqueue { command, at_most: 10 };
        store.commit(vec![change]).await.map_err(|error| error.to_string())?;
    }
    Ok("a Get and two Adds; its DevInfo is known".to_owned())
}

async fn second(simulated: &Simulated, device: &mut Device) -> Outcome {
    let summary = simulated.session(device).await.map_err(|failure| failure.to_string())?;
    check(summary.done == 3, format!("{} done, {} not", summary.done, summary.failed))?;
    let path = NodePath::parse(&format!("{NODE}/Text")).map_err(|status| status.to_string())?;
    let text = device.tree.text(&path);
    check(text == Some("hello"), format!("the node holds {text:?}"))?;
    Ok(format!("3 commands done in {} messages", summary.messages))
}

async fn results(store: &SqliteStore) -> Outcome {
    let found = store.results(&ResultFilter::of(DEVICE, 100)).await;
    let found = found.map_err(|error| error.to_string())?;
    let version = found.iter().find(|one| one.uri == "./DevDetail/SwV" && !one.data.is_empty());
    let version = version.ok_or("there is no result of the Get")?;
    let version = String::from_utf8_lossy(&version.data).into_owned();
    check(version == env!("CARGO_PKG_VERSION"), format!("SwV is {version:?}"))?;
    let commands = store.commands(&CommandFilter::of(DEVICE, 100)).await;
    let commands = commands.map_err(|error| error.to_string())?;
    let done = commands.iter().filter(|one| one.entry.progress.state == CommandState::Acknowledged);
    check(done.count() == 3, "not all commands are acknowledged")?;
    Ok(format!("SwV {version}, 3 commands acknowledged"))
}
