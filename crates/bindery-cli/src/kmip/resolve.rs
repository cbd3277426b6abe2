//! The object that people name: by Unique Identifier or, if none has that, by its name.

use bindery_kmip::message::{RequestPayload, ResponsePayload};
use bytes::Bytes;

use super::{Payload, request, session::Session};
use crate::{
    args::kmip::{By, ObjectArgs},
    error::{Exit, Failure, Layer, Result},
    output,
};

/// Calls with the text as a Unique Identifier; where no object has that, with the identifier of
/// the one object that has it as its name.
///
/// # Errors
/// As [`Session::call`]; or no object, or more than one, has the name.
pub(crate) async fn call(
    session: &mut Session,
    object: &ObjectArgs,
    payload: &Payload<'_>,
) -> Result<(ResponsePayload, Bytes)> {
    let text = object.object.as_str();
    let unknown = match object.by {
        Some(By::Name) => None,
        Some(By::Id) => return session.call(payload(text)?).await,
        None => match session.call(payload(text)?).await {
            Err(failure) if failure.is_reason("ItemNotFound") => Some(failure),
            other => return other,
        },
    };
    let uid = by_name(session, text, unknown).await?;
    session.call(payload(&uid)?).await
}

async fn by_name(session: &mut Session, name: &str, unknown: Option<Failure>) -> Result<String> {
    let locate: RequestPayload = request::locate_by_name(name).into();
    let (answer, _) = session.call(locate).await?;
    let ResponsePayload::Locate(found) = answer else {
        return Err(super::failure::mismatch("the answer to Locate is another operation's"));
    };
    match found.unique_identifiers.as_slice() {
        [one] => Ok(one.to_string()),
        [] => match unknown {
            // What the server said of the identifier says more.
            Some(failure) => Err(failure),
            None => {
                let message = format!("no object of yours has the name \"{name}\"");
                Err(Failure::new(Exit::Protocol, Layer::Profile, message)
                    .hint("bindery kmip locate lists the objects that are yours")
                    .detail("result_reason", "ItemNotFound"))
            }
        },
        several => {
            let list: Vec<String> =
                several.iter().map(|uid| output::clean(&uid.to_string())).collect();
            let message = format!("{} objects have the name \"{name}\"", list.len());
            Err(Failure::new(Exit::Usage, Layer::Profile, message)
                .hint(format!("name one by its Unique Identifier: {}", list.join(", ")))
                .detail("unique_identifiers", list))
        }
    }
}
