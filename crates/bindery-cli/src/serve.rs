//! `bindery serve`, and what the configuration's commands share with it.

use std::path::Path;

use bindery_core::Timestamp;
use bindery_transport::{Clock, SystemClock};
use serde_json::json;

use crate::{
    args::ServeArgs,
    config::{Config, Loaded, Problems},
    error::{Exit, Result},
    log,
    output::{self, Document, Output},
    server::{self, plan::Plan, ready::Ready, secure::HangUp, signals, supervisor::Inherited},
};

/// Runs the server until it is told to stop.
///
/// # Errors
/// It could not start.
pub(crate) async fn run(args: &ServeArgs, output: Output) -> Result<()> {
    let loaded = load(&args.config).map_err(|problems| problems.into_failure(Exit::Start))?;
    let level = match output.verbose {
        0 => loaded.value.log.level.as_str(),
        1 => "debug",
        _ => "trace",
    };
    log::start(level, loaded.value.log.format)?;
    let plan = Plan::new(&loaded, now());
    let plan = plan.map_err(|problems| problems.into_failure(Exit::Start))?;
    for warning in &plan.warnings {
        tracing::warn!("{warning}");
    }
    let started = server::start(plan, Inherited::take()?).await?;
    let secure = started.secure.clone();
    let stop = signals::stop(HangUp::Reload(secure.clone(), loaded.file.clone()))?;
    // It ends with the runtime.
    drop(tokio::spawn(secure.watch(loaded.value.tls.expiry_warning_days, now)));
    Ready::of(&started).tell(output.format, args.ready.ready_file.as_deref())?;
    started.serve(stop).await?;
    Ok(())
}

/// Checks a configuration and everything that it names.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(file: &Path, output: &Output) -> Result<()> {
    let plan = load(file).and_then(|loaded| Plan::new(&loaded, now()));
    let plan = plan.map_err(|problems| problems.into_failure(Exit::Usage))?;
    for warning in &plan.warnings {
        output::warn(warning);
    }
    let listeners: Vec<&str> =
        plan.serving.listeners.iter().map(|listener| listener.name.as_str()).collect();
    let text = format!("{}: good; listeners: {}", file.display(), listeners.join(", "));
    let json = json!({ "file": file, "listeners": listeners, "warnings": plan.warnings });
    Document::new(json, text).print(output)
}

fn load(file: &Path) -> Result<Loaded<Config>, Problems> {
    Loaded::from_file(file)
}

/// The wall clock, which only the program and the transport read.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}
