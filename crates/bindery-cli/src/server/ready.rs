//! How scripts learn that the server is up: a line on standard output, and a file.

use std::{fs, net::SocketAddr, path::Path};

use serde_json::{Value, json};

use super::{Listening, Started};
use crate::{
    config::Protocol,
    error::{Exit, Failure, Layer, Result},
    output::{Format, write_stdout},
};

/// Where the services of a server are, for scripts.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    places: Vec<Place>,
    admin: Option<SocketAddr>,
}

/// Where the KMIP service is on one listener.
#[derive(Clone, Debug)]
struct Place {
    name: String,
    /// Over HTTPS: the URL.
    url: Option<String>,
    /// Without HTTP: the address.
    tls: Option<SocketAddr>,
}

impl Ready {
    /// The places of a server's KMIP service, one a listener.
    pub(crate) fn of(started: &Started, path: &str) -> Self {
        let place = |listening: &Listening| {
            let Listening { name, address, protocol } = listening;
            let url = format!("https://{address}{path}");
            Place {
                name: name.clone(),
                url: (*protocol != Protocol::KmipTls).then_some(url),
                tls: (*protocol != Protocol::Https).then_some(*address),
            }
        };
        Self { places: started.listeners.iter().map(place).collect(), admin: started.admin }
    }

    /// The first URL.
    pub(crate) fn url(&self) -> &str {
        self.places.iter().find_map(|place| place.url.as_deref()).unwrap_or_default()
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
            let url = place.url.as_ref().map(|url| format!(" kmip={url}"));
            url.into_iter().chain(place.tls.map(|address| format!(" kmip-tls={address}")))
        });
        let admin = self.admin.map(|address| format!(" admin=http://{address}"));
        let words: String = places.chain(admin).collect();
        format!("ready{words} pid={}", std::process::id())
    }

    fn to_json(&self) -> Value {
        let listeners = self
            .places
            .iter()
            .map(|place| json!({ "name": place.name, "kmip": place.url, "kmip_tls": place.tls }));
        json!({
            "ready": true,
            "pid": std::process::id(),
            "listeners": listeners.collect::<Vec<_>>(),
            "admin": self.admin.map(|address| format!("http://{address}")),
        })
    }
}

/// Who waits for the file sees it whole or not at all.
fn write_whole(file: &Path, octets: &[u8]) -> Result<()> {
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
