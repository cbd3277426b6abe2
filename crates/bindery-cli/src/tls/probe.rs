//! `bindery tls probe`: what a server negotiates, and what a policy says of it.

use std::sync::Arc;

use bindery_core::TlsInfo;
use bindery_tls::{
    Backend, Certificate, ClientConfig, Identity, Need, PlanItem, Policy, PskIdentities,
    Restriction, Row, Secured, TlsError,
};
use rustls_pki_types::ServerName;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{backend_of, failure, own_policies, policy::kind};
use crate::{
    args::{ProbeArgs, StartTls},
    error::{Exit, Failure, Layer, Result},
    output::{Document, Output, pairs, table},
    serve::now,
};

/// Connects and reports.
///
/// # Errors
/// Nobody answers, no handshake succeeds, or the policy does not permit what was negotiated.
pub(super) async fn run(args: &ProbeArgs, output: Output) -> Result<()> {
    let own = own_policies(args.config.as_deref())?;
    let policy = super::policy(&args.tls_policy, &own)?;
    let target = Target::new(args)?;
    let secured = target.handshake(&everything(&*target.backend)).await?;
    let scanned = if args.scan { Some(target.scan().await?) } else { None };
    let outside = outside(&policy, &*target.backend, &secured.info);
    let certificates = certificates(&secured, target.host());
    let mut head = vec![
        ("server", args.server.clone()),
        ("version", secured.info.version.to_string()),
        ("suite", secured.info.suite.name.to_owned()),
        ("group", secured.info.group.unwrap_or("none").to_owned()),
    ];
    head.extend(certificates.iter().map(|line| ("certificate", line.clone())));
    let verdict = match outside.as_slice() {
        [] => format!("the policy {} permits what was negotiated", policy.name),
        outside => format!("not permitted by the policy {}: {}", policy.name, outside.join("; ")),
    };
    head.push(("verdict", verdict.clone()));
    let mut text = pairs(head);
    if let Some(scanned) = &scanned {
        let told = policy.explain(&target.backend.capabilities());
        let rows = scanned.iter().map(|(what, taken)| {
            let permitted = told.iter().any(|one| one.what == *what && one.used);
            let says = |yes| if yes { "yes" } else { "no" }.to_owned();
            [kind(*what).to_owned(), what.to_string(), says(*taken), says(permitted)]
        });
        text.push('\n');
        text.push_str(&table(&["what", "name", "taken", "permitted"], rows));
    }
    let scanned = scanned.as_ref().map(|rows| {
        let row = |(what, taken): &(PlanItem, bool)| {
            json!({ "what": kind(*what), "name": what.to_string(), "taken": taken })
        };
        rows.iter().map(row).collect::<Vec<_>>()
    });
    let json = json!({
        "server": args.server,
        "version": secured.info.version.to_string(),
        "suite": secured.info.suite.name,
        "group": secured.info.group,
        "certificates": certificates,
        "policy": policy.name,
        "permitted": outside.is_empty(),
        "outside": outside,
        "client_certificate_asked": !secured.info.local_certificates.is_empty(),
        "scan": scanned,
    });
    Document::new(json, text).print(&output)?;
    if outside.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Connection, Layer::Tls, verdict)
        .hint("bindery tls policy NAME says why; --scan shows what else the server takes"))
}

/// A server to probe.
struct Target {
    host: String,
    port: u16,
    name: ServerName<'static>,
    identity: Option<Identity>,
    backend: Box<dyn Backend>,
    psk: PskIdentities,
    starttls: Option<StartTls>,
    patience: std::time::Duration,
}

impl Target {
    fn new(args: &ProbeArgs) -> Result<Self> {
        let wrong = |why: &str| {
            Failure::usage(format!("\"{}\" {why}", args.server))
                .hint("write HOST:PORT, such as kmip.example.com:5696 or [::1]:5696")
        };
        let (host, port) = args.server.rsplit_once(':').ok_or_else(|| wrong("has no port"))?;
        let port = port.parse().map_err(|_| wrong("has no port that is a number"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone()).map_err(|_| wrong("has no host"))?;
        let identity = match (&args.cert, &args.key) {
            (Some(cert), Some(key)) => {
                Some(Identity::from_pem_files(cert, key).map_err(|error| failure(&error))?)
            }
            (None, None) => None,
            _ => return Err(Failure::usage("--cert and --key belong together").hint("give both")),
        };
        let backend = backend_of(args.tls_backend).map_err(|error| failure(&error))?;
        let psk = args.psk_file.as_ref().map(PskIdentities::from_file).transpose();
        let psk = psk.map_err(|error| failure(&error))?.unwrap_or_default();
        let (starttls, patience) = (args.starttls, args.timeout.duration());
        Ok(Self { host, port, name, identity, backend, psk, starttls, patience })
    }

    fn host(&self) -> &ServerName<'static> {
        &self.name
    }

    /// One handshake with everything that a policy offers, whoever the server is.
    async fn handshake(&self, policy: &Policy) -> Result<Secured> {
        self.attempt(policy).await?.map_err(|error| failure(&error))
    }

    async fn attempt(&self, policy: &Policy) -> Result<std::result::Result<Secured, TlsError>> {
        let config = ClientConfig::dangerous_any_server().with_alpn(Vec::new());
        let mut config = config.with_psk(self.psk.clone());
        if let Some(identity) = &self.identity {
            config = config.with_identity(identity.clone());
        }
        let connector = self.backend.connector(policy, config).map_err(|error| failure(&error))?;
        let work = async {
            let mut socket = TcpStream::connect((self.host.as_str(), self.port)).await?;
            if self.starttls == Some(StartTls::Http) {
                upgrade(&mut socket, &self.host, self.port).await?;
            }
            Ok::<_, std::io::Error>(connector.connect(self.name.clone(), Box::new(socket)).await)
        };
        let unreachable = |why: String| {
            let message = format!("{}:{}: {why}", self.host, self.port);
            Failure::new(Exit::Connection, Layer::Tcp, message)
                .hint("check host, port and firewall; --timeout says how long is waited")
        };
        match tokio::time::timeout(self.patience, work).await {
            Ok(Ok(secured)) => Ok(secured),
            Ok(Err(error)) => Err(unreachable(error.to_string())),
            Err(_) => Err(unreachable("no answer in time".to_owned())),
        }
    }

    /// A handshake for each version, suite and group that this program has, offered alone.
    async fn scan(&self) -> Result<Vec<(PlanItem, bool)>> {
        let all = self.backend.capabilities();
        let everything = || everything(&*self.backend);
        let mut found = Vec::new();
        for version in all.versions {
            let one = everything().restricted(Restriction::new().with_versions([version]));
            found.push((PlanItem::Version(version), is_taken(&self.attempt(&one).await?)));
        }
        for suite in all.suites {
            let one = everything().restricted(Restriction::new().with_suites([suite]));
            found.push((PlanItem::Suite(suite), is_taken(&self.attempt(&one).await?)));
        }
        for group in all.groups {
            let one = everything().restricted(Restriction::new().with_groups([group]));
            found.push((PlanItem::Group(group), is_taken(&self.attempt(&one).await?)));
        }
        Ok(found)
    }
}

/// Whether a server takes what was offered. One that refuses our certificate, or that there is none,
/// has agreed on version, suite and group before: in TLS 1.2 that refusal ends the handshake.
fn is_taken(attempt: &std::result::Result<Secured, TlsError>) -> bool {
    attempt.as_ref().map_or_else(TlsError::is_certificate, |_| true)
}

/// The longest head of an answer to the upgrade, in octets.
const HEAD_LIMIT: usize = 16 * 1024;

/// Asks for the upgrade (RFC 2817, 3.1), and reads the answer up to its empty line: what follows is
/// TLS.
async fn upgrade(socket: &mut TcpStream, host: &str, port: u16) -> std::io::Result<()> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let request = format!(
        "OPTIONS * HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: TLS/1.3, TLS/1.2, TLS/1.0\r\n\
         Connection: Upgrade\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_LIMIT {
        head.push(socket.read_u8().await?);
    }
    let line = head.split(|octet| *octet == b'\r').next().unwrap_or_default();
    if line.starts_with(b"HTTP/1.1 101 ") {
        return Ok(());
    }
    let message = format!("it does not upgrade to TLS, but answers {}", line.escape_ascii());
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, message))
}

/// A policy that permits whatever this program's TLS library can do; what `modern` prefers comes
/// first.
fn everything(backend: &dyn Backend) -> Policy {
    let all = backend.capabilities();
    let mut policy = Policy::modern();
    policy.name = "everything".into();
    policy.title = "what the library can do, for probing".into();
    permit(&mut policy.versions, all.versions);
    permit(&mut policy.suites, all.suites);
    permit(&mut policy.groups, all.groups);
    permit(&mut policy.signatures, all.signatures);
    policy
}

fn permit<T: Copy + PartialEq>(rows: &mut Vec<Row<T>>, has: Vec<T>) {
    rows.retain(|row| row.need != Need::LeftOut);
    for what in has {
        if !rows.iter().any(|row| row.what == what) {
            rows.push(Row::permitted(what, "for probing"));
        }
    }
}

/// What of a handshake a policy does not permit.
fn outside(policy: &Policy, backend: &dyn Backend, info: &TlsInfo) -> Vec<String> {
    let capabilities = backend.capabilities();
    let told = policy.explain(&capabilities);
    let used = |what: PlanItem| told.iter().any(|one| one.what == what && one.used);
    let mut outside = Vec::new();
    if !used(PlanItem::Version(info.version)) {
        outside.push(info.version.to_string());
    }
    if !used(PlanItem::Suite(info.suite)) {
        let why = policy.explain_suite(info.suite, &capabilities).why;
        outside.push(format!("{} ({why})", info.suite.name));
    }
    let group = info.group.and_then(bindery_tls::registry::group_named);
    outside.extend(group.filter(|g| !used(PlanItem::Group(*g))).map(|g| g.name.to_owned()));
    outside
}

/// What the server showed, a line for each certificate, with what is wrong with its own.
fn certificates(secured: &Secured, name: &ServerName<'_>) -> Vec<String> {
    let chain: &Arc<[_]> = &secured.peer_certificates;
    let lines = chain.iter().enumerate().map(|(index, der)| match Certificate::from_der(der) {
        Err(error) => error.to_string(),
        Ok(one) => {
            let mut line =
                format!("{}; issuer {}; sha256 {}", one.subject, one.issuer, one.fingerprint);
            if let Err(error) = one.check_dates(now(), "it") {
                line.push_str(&format!("; {}", error.message()));
            }
            if index == 0 {
                let names = one.dns_names.iter().cloned();
                let addresses = one.ip_addresses.iter().map(ToString::to_string);
                let names: Vec<String> = names.chain(addresses).collect();
                line.push_str(&format!("; for {}", names.join(", ")));
                line.push_str(&format!("; asked for {}", name.to_str()));
            }
            line
        }
    });
    lines.collect()
}
