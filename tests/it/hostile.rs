//! Bad input at each layer: it gets the right clear error, the server goes on, and nothing stored is lost.

mod http;
mod slow;
mod tls;
mod ttlv;

use bindery_tests::{
    raw::{Answer, Raw},
    site::{Setup, Site},
    wire::{self, text},
};

/// A site with a key that must outlive whatever happens.
struct Fort {
    site: Site,
    /// The key's Unique Identifier.
    uid: String,
    /// The octets of the Get response's object.
    object: Vec<u8>,
}

impl Fort {
    async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    async fn with(setup: Setup) -> Self {
        let site = Site::with(setup).await;
        let mut raw = site.raw("alice").await;
        let created = raw.post(wire::create("the one")).await;
        assert_eq!(created.result(), (0, None));
        let uid = created.kmip().at(&[0x0f, 0x7c, 0x94]).text().to_owned();
        let object = key(&raw.post(get(&uid)).await);
        assert_eq!(object.len(), 32);
        Self { site, uid, object }
    }

    async fn raw(&self) -> Raw {
        self.site.raw("alice").await
    }

    /// Asserts over a new connection that the server answers, that the key is what it was, and that there is no
    /// other object.
    async fn holds(&self) {
        self.holds_over(&mut self.raw().await).await;
    }

    /// The same over a connection that is still open.
    async fn holds_over(&self, raw: &mut Raw) {
        let got = raw.post(get(&self.uid)).await;
        assert_eq!((got.result(), key(&got)), ((0, None), self.object.clone()));
        let located = raw.post(wire::request(0x08, &[])).await.kmip();
        let uids: Vec<_> = located.at(&[0x0f, 0x7c]).all(0x94).map(|uid| uid.text()).collect();
        assert_eq!(uids, [self.uid.as_str()]);
    }
}

fn get(uid: &str) -> Vec<u8> {
    wire::request(0x0a, &[text(0x94, uid)])
}

/// The key material of a Get response.
fn key(answer: &Answer) -> Vec<u8> {
    answer.kmip().at(&[0x0f, 0x7c, 0x8f, 0x40, 0x45, 0x43]).value.clone()
}

/// What the server says is wrong; where it says that in KMIP, the Result Message.
fn explanation(answer: &Answer) -> String {
    match answer.status {
        200 => answer.kmip().at(&[0x0f, 0x7d]).text().to_owned(),
        _ => answer.field("bindery-refusal").unwrap_or_default().to_owned(),
    }
}
