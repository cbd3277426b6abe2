//! RFC 3205, On the use of HTTP as a substrate, as RFC 9205 has it today: what the cards of the three protocols say, and
//! that the server keeps to it.

mod echo;
mod section_3;
mod section_4;
mod section_5;
mod section_7;
mod section_8;
mod section_9;

use bindery_core::Profile;
use bindery_kmip::HttpsProfile;
use bindery_omadm::DmProfile;
use bindery_taxii::{HttpProfile, Service};

/// The cards of everything that the program serves, as they are without any choice.
fn cards() -> Vec<Profile> {
    let mut cards = vec![HttpsProfile::default().card(), DmProfile::default().card()];
    cards.extend(Service::ALL.map(|service| HttpProfile::new(service).card()));
    cards
}

/// What a card prints beside a name.
fn row(card: &Profile, name: &str) -> String {
    let row = card.rows().into_iter().find(|row| row.0 == name);
    row.unwrap_or_else(|| panic!("{}: {name}", card.name)).1
}
