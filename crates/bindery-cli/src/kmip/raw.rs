//! `bindery kmip raw`: a message as it is, and whatever comes back.

use std::path::Path;

use bindery_core::{Body, ClientBinding};
use bindery_kmip::KmipHttps;
use bindery_ttlv::Options;
use http::Request;
use serde_json::json;

use super::{request, session::Session};
use crate::{
    args::kmip::KmipArgs,
    decode,
    error::{Exit, Failure, Layer, Result},
    output::{Document, Output},
    preview,
    settings::Settings,
};

/// Sends the file's message.
///
/// # Errors
/// The file cannot be read or is no message, there is no answer, or it is no message of KMIP.
pub(crate) async fn run(
    file: &Path,
    unchecked: bool,
    settings: &Settings,
    args: &KmipArgs,
    output: Output,
) -> Result<()> {
    let octets = if unchecked {
        decode::read_file(file)?
    } else {
        let octets = decode::read_message(file, &Options::LENIENT)?;
        decode::check(&octets, &Options::LENIENT)?;
        octets
    };
    let binding = KmipHttps::default();
    let prepared = binding.profile().prepare_request(&settings.secured_url(), octets.into());
    let request = prepared.map_err(|error| super::failure::encode(&error))?;
    if args.client.dry_run || args.client.curl {
        let (parts, body) = request.into_parts();
        let octets = super::session::whole(body)?;
        let shown = decode::shown_ttlv(&octets, output.show_secrets);
        return preview::print(&parts, &octets, &shown, settings, args.client.curl, output);
    }
    let mut session = Session::new(settings, request::protocol(args.kmip_version), output)?;
    show(&mut session, request, &binding, &output).await
}

async fn show(
    session: &mut Session,
    request: Request<Body>,
    binding: &KmipHttps,
    output: &Output,
) -> Result<()> {
    let answer = session.send(request).await?;
    let octets = answer.octets;
    let checked = binding.profile().check_response(&answer.parts, &octets);
    checked.map_err(|unexpected| super::failure::unexpected(&unexpected))?;
    let secrets = output.show_secrets;
    let tree = decode::json_tree(&octets, &Options::LENIENT, secrets)
        .map_err(|error| decode::undecodable(&error))?;
    let status = answer.parts.status.as_u16();
    let json = json!({ "status": status, "message": tree });
    let secret = decode::holds_secrets(&octets, &Options::LENIENT);
    let text = decode::tree(&octets, secrets);
    Document::new(json, text).with_octets(octets.to_vec(), secret).print(output)?;
    failed(&octets)
}

/// The exit code says whether the message that came back tells of a failure.
fn failed(octets: &bytes::Bytes) -> Result<()> {
    let response = bindery_kmip::message::ResponseMessage::decode(octets, &Options::LENIENT);
    let response = response.map_err(|error| {
        let failure = decode::undecodable(&error);
        Failure::new(Exit::Undecodable, Layer::Codec, failure.message)
            .hint("the answer is TTLV, and no KMIP response message")
    })?;
    response.batch_items.iter().find_map(super::failure::of_item).map_or(Ok(()), Err)
}
