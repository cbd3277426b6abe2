//! What must not work, and what must hold beside the protocol.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use bindery_core::Body;
use bindery_kmip::{
    Secret,
    message::{QueryRequest, RequestBatchItem, RequestMessage},
};
use bindery_ttlv::{ProtocolVersion, registry::QueryFunction};
use http::{HeaderValue, Request, StatusCode, header};

use super::{super::Client, Outcome, check};
use crate::{
    error::{Exit, Layer},
    health,
    kmip::session::{Answer, prepare},
};

/// A client that shows no certificate gets no answer: TLS refuses it.
pub(super) async fn no_certificate(client: &Client) -> Outcome {
    let session = client.session_without_certificate();
    let mut session = session.map_err(|failure| failure.to_string())?;
    let request = QueryRequest::new([QueryFunction::QUERY_OPERATIONS]);
    match session.call(request).await {
        Ok(_) => Err("it was answered".to_owned()),
        Err(failure) => {
            let refused = failure.exit == Exit::Connection && failure.layer == Layer::Tls;
            check(refused, format!("it failed otherwise: {failure}"))?;
            Ok(failure.message)
        }
    }
}

/// A KMIP message under another media type is refused by HTTP, without content.
pub(super) async fn content_type(client: &Client) -> Outcome {
    let answer = post(client, "application/xml", |octets| octets).await?;
    refused_with(&answer, StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

/// Half a message is refused by HTTP, and told where it ends.
pub(super) async fn truncated(client: &Client) -> Outcome {
    let answer = post(client, "application/octet-stream", |octets| {
        let half = octets.len() / 2;
        octets.slice(..half)
    })
    .await?;
    refused_with(&answer, StatusCode::BAD_REQUEST)
}

fn refused_with(answer: &Answer, expected: StatusCode) -> Outcome {
    let status = answer.parts.status;
    check(status == expected, format!("the status is {status}"))?;
    check(answer.octets.is_empty(), "the refusal has content")?;
    let said = answer.parts.headers.get("bindery-refusal").and_then(|value| value.to_str().ok());
    let said = said.ok_or("the refusal says nothing")?;
    Ok(format!("{status}: {said}"))
}

/// Posts a Query, changed, and gives the answer whatever it is.
async fn post(
    client: &Client,
    content_type: &'static str,
    change: fn(bytes::Bytes) -> bytes::Bytes,
) -> Result<Answer, String> {
    let mut session = client.session().map_err(|failure| failure.to_string())?;
    let query = QueryRequest::new([QueryFunction::QUERY_OPERATIONS]);
    let item = RequestBatchItem::new(query);
    let message = RequestMessage::new(ProtocolVersion::V1_4, vec![item]);
    let url = session.url().clone();
    let prepared = prepare(&url, message);
    let (mut parts, octets) = prepared.map_err(|failure| failure.to_string())?;
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let request = Request::from_parts(parts, Body::from(change(octets)));
    session.send(request).await.map_err(|failure| failure.to_string())
}

/// The key must not be found in the store's files.
pub(super) fn at_rest(database: &Path, key: Option<&Secret>) -> Outcome {
    let key = key.ok_or("there was no key")?;
    let folder = database.parent().ok_or("the store has no directory")?;
    let files = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut octets = 0;
    let mut stored = 0;
    for file in files {
        let file = file.map_err(|error| error.to_string())?;
        let content = fs::read(file.path()).map_err(|error| error.to_string())?;
        let name = file.file_name();
        stored += usize::from(name.to_string_lossy().starts_with("bindery.db"));
        octets += content.len();
        let found = content.windows(key.len()).any(|window| window == key.expose());
        check(!found, format!("the key stands in {}", name.display()))?;
    }
    check(stored > 0, "the store has no files")?;
    Ok(format!("none in {octets} octets"))
}

/// The admin listener says that the server is ready.
pub(super) async fn ready(admin: Option<SocketAddr>) -> Outcome {
    let admin = admin.ok_or("there is no admin listener")?;
    let asked = health::ask(admin, Duration::from_secs(10)).await;
    let (status, said) = asked.map_err(|failure| failure.to_string())?;
    check(status == StatusCode::OK, format!("{status}: {said}"))?;
    Ok(format!("http://{admin}/readyz says {said}"))
}
