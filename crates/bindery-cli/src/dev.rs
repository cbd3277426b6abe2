//! `bindery dev`: one command from nothing to a server with mutual TLS.

mod files;

use std::{net::SocketAddr, path::Path, time::Instant};

use crate::{
    args::DevArgs,
    config::{
        self, Admin, Config, Listener, Loaded, LogFormat, Protocol, ServiceName, Store,
        omadm::OmadmService,
        taxii::{TaxiiCollection, TaxiiService},
    },
    context::DEV_DIRECTORY,
    error::{Exit, Failure, Layer, Result},
    lock::Lock,
    log,
    output::{self, Format, Output, write_stdout},
    serve::now,
    server::{
        self, Started, plan::Plan, ready::Ready, secure::HangUp, signals, supervisor::Inherited,
    },
};
pub(crate) use files::{DATABASE, Made, client_settings, prepare};

/// Runs the development server until it is told to stop.
///
/// # Errors
/// It could not start.
pub(crate) async fn run(args: &DevArgs, output: Output) -> Result<()> {
    let begin = instant();
    log::start(log::server_level(output.verbose), LogFormat::Text)?;
    files::make_folder(&args.data)?;
    // Before anything of another server in the same directory is touched.
    let lock = Lock::of_data(&args.data)?;
    let made = prepare(&args.data, args.listen.ip(), now())?;
    let started = start(args).await?;
    let stop = signals::stop(HangUp::Nothing)?;
    let ready = Ready::of(&started);
    files::write_context(&args.data, ready.urls())?;
    if output.format == Format::Table {
        let took = instant().saturating_duration_since(begin);
        write_stdout(banner(args, &made, &started, &ready).as_bytes())?;
        write_stdout(
            format!("up in {:.1} s; Ctrl-C stops, data stays\n", took.as_secs_f64()).as_bytes(),
        )?;
    }
    output::warn("this is a server for development: the CA's key lies beside the data");
    ready.tell(output.format, args.ready.ready_file.as_deref())?;
    started.serve(stop).await?;
    drop(lock);
    Ok(())
}

/// Starts a server on what [`prepare`] has made.
///
/// # Errors
/// It could not start.
pub(crate) async fn start(args: &DevArgs) -> Result<Started> {
    let loaded = Loaded::made(args.data.join("bindery.toml"), configuration(args));
    let plan = Plan::new(&loaded, now());
    let mut plan = plan.map_err(|problems| problems.into_failure(Exit::Start))?;
    if args.admin.is_none()
        && let Some(admin) = &mut plan.serving.admin
    {
        admin.any_port = true;
    }
    server::start(plan, Inherited::default()).await
}

/// The configuration that a directory of `bindery dev` stands for; its paths are relative to it.
fn configuration(args: &DevArgs) -> Config {
    let certificate = files::SERVER_CERTIFICATE.into();
    let mut listener = Listener::new(args.listen, certificate, files::SERVER_KEY.into());
    listener.client_authorities = Some(files::CA_CERTIFICATE.into());
    listener.tls_policy.clone_from(&args.tls_policy);
    listener.protocol = Protocol::Both;
    let mut config = Config::default();
    config.listener.insert("dev".to_owned(), listener);
    config.service.kmip = Some(kmip());
    // Whoever has a certificate may be a device.
    config.service.omadm = Some(OmadmService { register: true, ..OmadmService::default() });
    config.service.taxii = Some(taxii());
    config.admin = Some(Admin { address: args.admin.unwrap_or_else(|| next_port(args.listen)) });
    config.store = store();
    config
}

/// The store of a directory of `bindery dev`; its paths are relative to it.
pub(crate) fn store_configuration() -> Config {
    Config { store: store(), ..Config::default() }
}

fn store() -> Store {
    Store { file: DATABASE.into(), kek_file: Some(files::KEK.into()), ..Store::default() }
}

/// Feed services with one feed, for everybody who has an account.
fn taxii() -> TaxiiService {
    let everybody = vec!["@accounts".to_owned()];
    let feed = TaxiiCollection {
        description: "a feed to try things with".to_owned(),
        read: everybody.clone(),
        write: everybody,
        ..TaxiiCollection::default()
    };
    TaxiiService {
        collection: [(FEED.to_owned(), feed)].into(),
        default_destinations: vec![FEED.to_owned()],
        ..TaxiiService::default()
    }
}

/// The feed of a development server.
pub(crate) const FEED: &str = "default";

fn kmip() -> config::KmipService {
    config::KmipService::default()
}

/// The admin listener beside a listener: on loopback, at the next port; any for any.
fn next_port(listen: SocketAddr) -> SocketAddr {
    let port = match listen.port() {
        0 | u16::MAX => 0,
        port => port + 1,
    };
    SocketAddr::new(Admin::default().address.ip(), port)
}

fn banner(args: &DevArgs, made: &Made, started: &Started, ready: &Ready) -> String {
    let data = args.data.display();
    let mut text = format!(
        "bindery {} dev mode   data in {data} (SQLite)   DO NOT USE IN PRODUCTION\n\n",
        env!("CARGO_PKG_VERSION"),
    );
    for (what, file, fingerprint) in &made.certificates {
        let verb = if made.new { "made" } else { "kept" };
        text.push_str(&format!("  {verb}  {what:<7} {data}/{file:<11} SHA-256 {fingerprint}\n"));
    }
    text.push_str(&format!("  account      {}\n", output::clean(&made.account)));
    text.push_str(&format!("  listening    {}   (mutual TLS)\n", ready.url(ServiceName::Kmip)));
    for listening in &started.listeners {
        let address = listening.address;
        text.push_str(&format!("               {address}   (KMIP without HTTP, the same TLS)\n"));
    }
    for (service, what) in [(ServiceName::Omadm, "OMA DM"), (ServiceName::Taxii, "TAXII")] {
        text.push_str(&format!("               {}   ({what})\n", ready.url(service)));
    }
    if let Some(admin) = started.admin {
        text.push_str(&format!("  admin        http://{admin}   /livez /readyz /metrics\n"));
    }
    text.push_str("\nTry, in another terminal:\n");
    let context = context_options(&args.data);
    for line in
        ["kmip create --alg aes --length 256 --name disk-1", "kmip get disk-1", "taxii collections"]
    {
        text.push_str(&format!("  bindery {line}{context}\n"));
    }
    text.push('\n');
    text
}

/// What a command needs to find the context: nothing but its name where it is found by itself.
fn context_options(data: &Path) -> String {
    if data == Path::new(DEV_DIRECTORY) {
        return " --context dev".to_owned();
    }
    let file = data.join(crate::context::FILE_NAME);
    format!(" --context dev --context-file {}", output::shell_word(&file.to_string_lossy()))
}

/// The failure of a file that `bindery dev` needs.
fn file_failure(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Start, Layer::Config, format!("{}: {error}", file.display()))
        .hint("use another --data directory, or remove this one to begin anew")
}

#[expect(clippy::disallowed_methods, reason = "the program measures how long its start takes")]
fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admin_listener_stands_beside_the_other_on_loopback() {
        let next = |text: &str| next_port(text.parse().unwrap()).to_string();
        assert_eq!(next("127.0.0.1:8443"), "127.0.0.1:8444");
        assert_eq!(next("0.0.0.0:8443"), "127.0.0.1:8444");
        assert_eq!(next("127.0.0.1:0"), "127.0.0.1:0");
        assert_eq!(next("127.0.0.1:65535"), "127.0.0.1:0");
    }
}
