//! How scripts learn that the server is up: a line on standard output, and a file.

use std::{fs, net::SocketAddr, path::Path};

use serde_json::{Value, json};

use super::{Listening, Started};
use crate::{
    config::{Protocol, ServiceName},
    error::{Exit, Failure, Layer, Result},
    output::{Format, write_stdout},
};

/// Where the services of a server are, for scripts.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    places: Vec<Place>,
    admin: Option<SocketAddr>,
}

/// Where the services are on one listener.
#[derive(Clone, Debug)]
struct Place {
    name: String,
    /// Over HTTP: each service's URL.
    urls: Vec<(ServiceName, String)>,
    /// KMIP without HTTP: the address.
    kmip_tls: Option<SocketAddr>,
}

impl Ready {
    /// The places of a server's services, a listener each.
    pub(crate) fn of(started: &Started) -> Self {
        let place = |listening: &Listening| {
            let Listening { name, address, protocol, services } = listening;
            let begins_clear =
                matches!(protocol, Protocol::DangerousClearHttp | Protocol::HttpUpgrade);
            let scheme = if begins_clear { "http" } else { "https" };
            let urls = services
                .iter()
                .filter(|_| *protocol != Protocol::KmipTls)
                .map(|(service, path)| (*service, format!("{scheme}://{address}{path}")));
            Place {
                name: name.clone(),
                urls: urls.collect(),
                kmip_tls: matches!(protocol, Protocol::KmipTls | Protocol::Both)
                    .then_some(*address),
            }
        };
        Self { places: started.listeners.iter().map(place).collect(), admin: started.admin }
    }

    /// The first URL of a service.
    pub(crate) fn url(&self, service: ServiceName) -> &str {
        let all = self.places.iter().flat_map(|place| &place.urls);
        let mut of = all.filter(|(name, _)| *name == service).map(|(_, url)| url.as_str());
        of.next().unwrap_or_default()
    }

    /// The first URL of each service: KMIP, OMA DM, TAXII.
    pub(crate) fn urls(&self) -> [&str; 3] {
        [ServiceName::Kmip, ServiceName::Omadm, ServiceName::Taxii].map(|name| self.url(name))
    }

    /// Tells it: `ready kmip=https://127.0.0.1:8443/kmip admin=http://127.0.0.1:8444 pid=1`, or
    /// the same as one JSON object; and in the file, if there is one.
    ///
    /// # Errors
    /// The file cannot be written, or standard output.
    pub(crate) fn tell(&self, format: Format, file: Option<&Path>) -> Result<()> {
        let json = self.to_json();
        if let Some(file) = file {
            write_whole(file, format!("{json}\n").as_bytes())?;
        }
        let line = if format == Format::Json { json.to_string() } else { self.line() };
        write_stdout(format!("{line}\n").as_bytes())
    }

    fn line(&self) -> String {
        let places = self.places.iter().flat_map(|place| {
            let urls = place.urls.iter().map(|(service, url)| format!(" {}={url}", service.name()));
            urls.chain(place.kmip_tls.map(|address| format!(" kmip-tls={address}")))
        });
        let admin = self.admin.map(|address| format!(" admin=http://{address}"));
        let words: String = places.chain(admin).collect();
        format!("ready{words} pid={}", std::process::id())
    }

    fn to_json(&self) -> Value {
        let listeners = self.places.iter().map(|place| {
            let url = |service| {
                place.urls.iter().find(|(name, _)| *name == service).map(|(_, url)| url.as_str())
            };
            json!({
                "name": place.name,
                "kmip": url(ServiceName::Kmip),
                "kmip_tls": place.kmip_tls,
                "omadm": url(ServiceName::Omadm),
                "taxii": url(ServiceName::Taxii),
            })
        });
        json!({
            "ready": true,
            "pid": std::process::id(),
            "listeners": listeners.collect::<Vec<_>>(),
            "admin": self.admin.map(|address| format!("http://{address}")),
        })
    }
}

/// Who waits for the file sees it whole or not at all.
pub(crate) fn write_whole(file: &Path, octets: &[u8]) -> Result<()> {
    let failed = |error: std::io::Error| {
        let message = format!("the ready file {}: {error}", file.display());
        Failure::new(Exit::Start, Layer::Usage, message)
            .hint("name a file in a directory that exists and can be written")
    };
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    fs::write(&name, octets).map_err(failed)?;
    fs::rename(&name, file).map_err(failed)
}
