//! `bindery kmip`: a verb per operation, over HTTPS.

pub(crate) mod failure;
mod names;
mod raw;
pub(crate) mod report;
pub(crate) mod request;
mod resolve;
pub(crate) mod session;
#[cfg(test)]
mod tests;

use bindery_core::Timestamp;
use bindery_kmip::message::{RequestBatchItem, RequestMessage, RequestPayload};
use bindery_transport::{Clock, SystemClock};

use crate::{
    args::kmip::{KmipArgs, ObjectArgs, Verb},
    config::ServiceName,
    decode,
    error::{Failure, Result},
    output::Output,
    preview,
    settings::{Settings, warn_about},
};
use session::Session;

/// Runs a verb.
///
/// # Errors
/// The options, the connection, the answer, or a failure that the server tells of.
pub(crate) async fn run(args: &KmipArgs, output: Output) -> Result<()> {
    let settings = Settings::resolve(&args.client, ServiceName::Kmip)?;
    if settings.login.is_some() {
        return Err(Failure::usage("KMIP over HTTPS forbids HTTP authentication")
            .hint("show a certificate: --cert and --key"));
    }
    warn_about(&settings);
    let preview = args.client.dry_run || args.client.curl;
    if let Verb::Raw { file, unchecked } = &args.verb {
        return raw::run(file, *unchecked, &settings, args, output).await;
    }
    let version = request::protocol(args.kmip_version);
    let task = Task::new(&args.verb)?;
    if preview {
        let payload = (task.payload)(task.object.as_ref().map_or("", |args| &args.object))?;
        let message = RequestMessage::new(version, vec![RequestBatchItem::new(payload)]);
        let (parts, octets) = session::prepare(&settings.secured_url(), message)?;
        let shown = decode::shown_ttlv(&octets, output.show_secrets);
        return preview::print(&parts, &octets, &shown, &settings, args.client.curl, output);
    }
    let mut session = Session::new(&settings, version, output)?;
    let (answer, octets) = match &task.object {
        Some(object) => resolve::call(&mut session, object, &task.payload).await?,
        None => session.call((task.payload)("")?).await?,
    };
    report::document(&answer, &octets, output.show_secrets).print(&output)
}

/// What a verb does: its payload, for the object that it works on, if it does on one.
struct Task<'a> {
    object: Option<&'a ObjectArgs>,
    payload: Payload<'a>,
}

/// From an object's Unique Identifier to the payload.
type Payload<'a> = Box<dyn Fn(&str) -> Result<RequestPayload> + 'a>;

impl<'a> Task<'a> {
    fn new(verb: &'a Verb) -> Result<Self> {
        let on = |object: &'a ObjectArgs, payload: fn(&str) -> RequestPayload| Self {
            object: Some(object),
            payload: Box::new(move |uid| Ok(payload(uid))),
        };
        Ok(match verb {
            Verb::Get(object) => on(object, request::get),
            Verb::GetAttributeList(object) => on(object, request::get_attribute_list),
            Verb::Activate(object) => on(object, request::activate),
            Verb::Destroy(object) => on(object, request::destroy),
            Verb::GetAttributes { object, attributes } => Self {
                object: Some(object),
                payload: Box::new(|uid| Ok(request::get_attributes(uid, attributes))),
            },
            Verb::Revoke(args) => {
                let now = now().unix_seconds();
                let payload = move |uid: &str| request::revoke(uid, args, now);
                Self { object: Some(&args.object), payload: Box::new(payload) }
            }
            Verb::Create(args) => Self::alone(request::create(args)?),
            Verb::Register(args) => Self::alone(request::register(args)?),
            Verb::Locate(args) => Self::alone(request::locate(args)?),
            Verb::Query { functions } => Self::alone(request::query(functions)?),
            Verb::DiscoverVersions { versions } => {
                Self::alone(request::discover_versions(versions))
            }
            // Sent before any payload is made.
            Verb::Raw { .. } => Self::alone(request::discover_versions(&[])),
        })
    }

    /// A payload that speaks of no object.
    fn alone(payload: RequestPayload) -> Self {
        Self { object: None, payload: Box::new(move |_| Ok(payload.clone())) }
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}
