//! `bindery profile`: the cards.

use bindery_core::Profile;
use serde_json::{Map, Value};

use crate::{
    error::{Failure, Result},
    output::{Document, Output, pairs, table},
};

/// Every profile that the program speaks, by name.
pub(crate) fn cards() -> Vec<Profile> {
    vec![
        bindery_kmip::HttpsProfile::default().card(),
        bindery_omadm::profile(),
        bindery_taxii::profile(),
    ]
}

/// Lists the profiles.
///
/// # Errors
/// Writing failed.
pub(crate) fn list(output: &Output) -> Result<()> {
    let cards = cards();
    let rows = cards.iter().map(|card| {
        let ports = card.ports.iter().map(|port| port.number.to_string()).collect::<Vec<_>>();
        [
            card.name.to_string(),
            ports.join(", "),
            card.default_path.to_string(),
            card.title.to_string(),
        ]
    });
    let text = table(&["name", "ports", "path", "title"], rows);
    Document::new(cards.iter().map(to_json).collect(), text).print(output)
}

/// Shows one card.
///
/// # Errors
/// There is no such profile, or writing failed.
pub(crate) fn show(name: &str, output: &Output) -> Result<()> {
    let cards = cards();
    let Some(card) = cards.iter().find(|card| card.name == name) else {
        let known: Vec<&str> = cards.iter().map(|card| card.name.as_ref()).collect();
        let known = known.join(", ");
        return Err(Failure::usage(format!("there is no profile \"{name}\"; known: {known}"))
            .hint("bindery profile list"));
    };
    Document::new(to_json(card), pairs(card.rows())).print(output)
}

/// The rows of a card as members of one object.
fn to_json(card: &Profile) -> Value {
    let rows = card.rows().into_iter().map(|(name, value)| (name.replace(' ', "_"), value.into()));
    Value::Object(rows.collect::<Map<_, _>>())
}
