//! `bindery health`: is a server ready?

use std::{net::SocketAddr, time::Duration};

use bindery_core::Body;
use bindery_transport::{Client, ClientLimits, Target};
use http::{Request, StatusCode};
use serde_json::json;

use crate::{
    args::HealthArgs,
    error::{Exit, Failure, Layer, Result},
    kmip::failure,
    output::{Document, Output, clean},
};

/// Asks the admin listener; succeeds if the server is ready.
///
/// # Errors
/// There is no answer, or it says that the server is not ready.
pub(crate) async fn run(args: &HealthArgs, output: &Output) -> Result<()> {
    let (status, said) = ask(args.admin, args.timeout.duration()).await?;
    let json =
        json!({ "ready": status == StatusCode::OK, "status": status.as_u16(), "said": said });
    if status == StatusCode::OK {
        return Document::new(json, said).print(output);
    }
    Err(Failure::new(Exit::Protocol, Layer::Http, format!("{}: {said}", args.admin))
        .hint("the server's log says why")
        .detail("status", status.as_u16()))
}

/// Asks an admin listener whether the server is ready: the status, and what it says.
///
/// # Errors
/// There is no answer in time.
pub(crate) async fn ask(admin: SocketAddr, patience: Duration) -> Result<(StatusCode, String)> {
    let url: http::Uri = format!("http://{admin}/readyz")
        .parse()
        .map_err(|_| Failure::usage(format!("{admin} cannot be asked")))?;
    let target = Target::new(url.clone()).map_err(|error| failure::transport(&error))?;
    let mut limits = ClientLimits::default();
    limits.total = patience;
    limits.response_body = 4096;
    let mut connection = Client::builder().limits(limits).build().connection(target);
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = url;
    let response = connection.send(request).await.map_err(|error| failure::transport(&error))?;
    let (parts, body) = response.into_parts();
    let octets = body.collect(4096).await.map_err(|error| failure::body(&error))?;
    Ok((parts.status, clean(String::from_utf8_lossy(&octets).trim())))
}
