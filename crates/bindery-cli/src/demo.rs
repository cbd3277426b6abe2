//! `bindery demo`: a server and a client over real mutual TLS, step by step.

mod devices;
mod feeds;
mod report;
mod steps;

use std::{net::Ipv4Addr, path::PathBuf};

use bindery_ttlv::ProtocolVersion;
use tokio::sync::oneshot;

use crate::{
    args::{DemoArgs, DevArgs, ReadyArgs},
    config::{ClientSettings, Loaded, ServiceName},
    dev,
    error::{Exit, Failure, Layer, Result},
    kmip::session::Session,
    log,
    output::{self, Format, Output},
    serve::now,
    server::{ready::Ready, secure::HangUp, signals},
    settings::{Settings, absolute},
};
use report::Report;

/// Runs the demonstration. It leaves nothing behind, also when it is told to stop.
///
/// # Errors
/// The server could not start, a step gave a wrong answer, or it was told to stop.
pub(crate) async fn run(args: &DemoArgs, output: Output) -> Result<()> {
    log::start(log::level(output.verbose), crate::config::LogFormat::Text)?;
    // Before there is anything to leave behind.
    let interrupted = signals::stop(HangUp::Nothing)?;
    let folder = tempfile::TempDir::with_prefix("bindery-demo-").map_err(|error| {
        Failure::new(Exit::Start, Layer::Usage, format!("no temporary directory: {error}"))
            .hint("set TMPDIR to a directory that can be written")
    })?;
    let data = folder.path().join("data");
    let any_port = (Ipv4Addr::LOCALHOST, 0).into();
    let server = DevArgs {
        data: data.clone(),
        listen: any_port,
        admin: Some(any_port),
        tls_policy: args.tls_policy.clone(),
        ready: ReadyArgs::default(),
    };
    let made = dev::prepare(&server.data, server.listen.ip(), now())?;
    let started = dev::start(&server).await?;
    let ready = Ready::of(&started);
    let admin = started.admin;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(started.serve(async {
        // Stopped by the message, or by its sender's end.
        let _ = stopped.await;
    }));
    let mut report = Report::new(output);
    report.title(&format!(
        "bindery {}: a KMIP server at {} and a client over mutual TLS, account {}",
        env!("CARGO_PKG_VERSION"),
        ready.url(ServiceName::Kmip),
        made.account,
    ));
    let urls = ready.urls();
    let client = Client {
        settings: settings(&data, urls, &args.tls_policy, ServiceName::Kmip)?,
        devices: settings(&data, urls, &args.tls_policy, ServiceName::Omadm)?,
        feeds: settings(&data, urls, &args.tls_policy, ServiceName::Taxii)?,
        output,
    };
    let database = data.join(dev::DATABASE);
    let done = tokio::select! {
        done = steps::run(&client, &database, admin, &mut report) => done,
        () = interrupted => Err(Failure::new(Exit::Protocol, Layer::Usage, "told to stop")
            .hint("nothing is left behind; run it again to see all of it")),
    };
    // The directory goes when nothing writes into it any more.
    drop(stop);
    let stopped = server.await;
    done?;
    report.step("stop", stopped_in_order(stopped));
    report.finish()
}

fn stopped_in_order(
    ended: Result<Result<bindery_transport::Stopped>, tokio::task::JoinError>,
) -> Result<String, String> {
    match ended {
        Ok(Ok(stopped)) if stopped.aborted == 0 => {
            Ok("connections drained, store closed".to_owned())
        }
        Ok(Ok(stopped)) => Err(format!("{} connections were cut off", stopped.aborted)),
        Ok(Err(failure)) => Err(failure.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// What sessions with the server are made from.
#[derive(Debug)]
struct Client {
    settings: Settings,
    /// The same for the device management service.
    devices: Settings,
    /// The same for the feed services.
    feeds: Settings,
    output: Output,
}

impl Client {
    fn session(&self) -> Result<Session> {
        self.session_with(&self.settings)
    }

    /// A session that shows no certificate.
    fn session_without_certificate(&self) -> Result<Session> {
        let settings = Settings { cert: None, key: None, ..self.settings.clone() };
        self.session_with(&settings)
    }

    fn session_with(&self, settings: &Settings) -> Result<Session> {
        let session = Session::new(settings, ProtocolVersion::V1_4, self.output)?;
        Ok(session.telling(self.teller()))
    }

    /// The exchanges belong to what the demonstration shows, unless that is for a program.
    fn teller(&self) -> fn(&str) {
        if self.output.format == Format::Table { output::say } else { output::note }
    }
}

fn settings(
    data: &std::path::Path,
    urls: [&str; 3],
    policy: &str,
    service: ServiceName,
) -> Result<Settings> {
    let own = dev::client_settings(urls);
    let loaded: Loaded<ClientSettings> =
        Loaded::made(PathBuf::from(data).join("contexts.toml"), own);
    let mut own = absolute(&loaded, &loaded.value);
    own.tls_policy = Some(policy.to_owned());
    Settings::of(own, service)
}
