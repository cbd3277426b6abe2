//! A server that gives back what it gets, under cards of the test's choice.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bindery_core::{
    Body, Bound, CertificateRule, Context, Decoded, Handler, Profile, Scheme, ServerBinding,
};
use bindery_tests::raw::{Answer, Post, Raw};
use bindery_transport::{Listener, Router, Server};
use bytes::Bytes;
use http::{Request, Response, header};
use tokio::task::JoinHandle;

/// The binding: its message is the body.
#[derive(Debug)]
struct Echo(Profile);

impl ServerBinding for Echo {
    type Request = Bytes;
    type Response = Bytes;
    type Reply = ();

    fn profile(&self) -> &Profile {
        &self.0
    }

    fn decode_request(&self, _: &Context, request: Request<Body>) -> Decoded<Bytes, ()> {
        Ok((request.into_body().into_bytes().unwrap(), ()))
    }

    fn encode_response(&self, _: &Context, (): (), message: Bytes) -> Response<Body> {
        let mut response = Response::new(Body::from(message));
        if let Some(of_type) = self.0.response_media_types.first() {
            let value = of_type.to_string().parse().unwrap();
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        response
    }
}

/// Keeps what came, and gives it back.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Vec<Bytes>>);

impl Handler<Bytes> for Heard {
    type Response = Bytes;

    async fn handle(&self, _: &Context, message: Bytes) -> Bytes {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
        message
    }
}

/// A server in clear.
pub(super) struct Echoes {
    pub(super) address: SocketAddr,
    heard: Vec<Arc<Heard>>,
    task: JoinHandle<()>,
}

impl Drop for Echoes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The card as it is but for the channel: in clear, and without a certificate.
pub(super) fn in_clear(card: &Profile) -> Profile {
    let mut card = card.clone();
    card.schemes = vec![Scheme::Http, Scheme::Https];
    card.certificate = CertificateRule::None;
    card
}

impl Echoes {
    /// Serves each card at its default path, all on one port.
    pub(super) async fn start(cards: &[Profile]) -> Self {
        let mut router = Router::new();
        let mut heard = Vec::new();
        for card in cards {
            let service = Arc::new(Heard::default());
            let endpoint = Bound::new(Echo(card.clone()), Arc::clone(&service));
            router = router.mount(&*card.default_path, Arc::new(endpoint)).unwrap();
            heard.push(service);
        }
        let listener = Listener::clear("127.0.0.1:0".parse().unwrap());
        let server = Server::builder().listen(listener).router(router).bind().await.unwrap();
        let address = server.local_addrs()[0];
        let task = tokio::spawn(async {
            server.serve(std::future::pending()).await;
        });
        Self { address, heard, task }
    }

    pub(super) async fn ask(&self, request: Post) -> Answer {
        self.ask_octets(&request.octets()).await
    }

    pub(super) async fn ask_octets(&self, octets: &[u8]) -> Answer {
        let mut raw = Raw::clear(self.address).await;
        // A server may answer before it has read all.
        raw.try_send(octets).await;
        raw.answer().await
    }

    /// The messages that came under each card.
    pub(super) fn heard(&self) -> Vec<Vec<Bytes>> {
        let messages =
            |one: &Arc<Heard>| one.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.heard.iter().map(messages).collect()
    }
}

/// A request that a card takes: its first method with content, path, type and required fields.
pub(super) fn good(card: &Profile, body: &str) -> Post {
    let method = if card.methods.contains(&http::Method::POST) { "POST" } else { "GET" };
    let mut post = Post::new(body).line(&format!("{method} {} HTTP/1.1", card.default_path));
    post = post.set("Content-Type", &card.request_media_types[0].to_string());
    for rule in &card.request_header_rules {
        if rule.presence == bindery_core::HeaderPresence::Required {
            post = post.set(rule.name.as_str(), "*/*");
        }
    }
    post
}
