//! A service that answers as it is told, the binding around it, and requests that tests bend.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bindery_core::{
    Body, Bound, Channel, CipherSuite, Context, Handler, Peer, Principal, Timestamp, TlsInfo,
    TlsVersion,
};
use bindery_taxii::{
    Client, Dialects, HttpProfile, Ids, Service, TaxiiHttp, TaxiiRequest, TaxiiResponse, mount,
};
use bindery_taxii_xml::{
    Body as MessageBody, Collection, CollectionInformationResponse, Content, ContentBinding,
    ContentBlock, Dialect, DiscoveryResponse, Message, Options, ServiceInstance, ServiceType,
    StatusMessage, StatusType, Timestamp as XmlTimestamp, read,
};
use bindery_transport::{Listener, Router, Server};
use bindery_xml::{Inside, Source};
use http::{HeaderMap, Request, Response};

/// Answers every request with a body that a test gives, or one that fits; and keeps the requests.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) requests: Mutex<Vec<TaxiiRequest>>,
    pub(crate) answers: Mutex<Vec<TaxiiResponse>>,
}

impl Handler<TaxiiRequest> for Told {
    type Response = TaxiiResponse;

    async fn handle(&self, _: &Context, request: TaxiiRequest) -> TaxiiResponse {
        let answer = self.answers.lock().unwrap().pop();
        let answer = answer.unwrap_or_else(|| {
            let body = fitting(&request.message.body);
            let id = if request.dialect == Dialect::V1_0 { "77" } else { GUID };
            Message::new(id, Some(&request.message.id), body).into()
        });
        self.requests.lock().unwrap().push(request);
        answer
    }
}

pub(crate) const GUID: &str = "00112233445566778899aabbccddeeff";

fn fitting(asked: &MessageBody) -> MessageBody {
    match asked {
        MessageBody::DiscoveryRequest => DiscoveryResponse { services: vec![instance()] }.into(),
        MessageBody::CollectionInformationRequest => {
            CollectionInformationResponse { collections: vec![] }.into()
        }
        _ => StatusMessage::new(StatusType::NotFound).into(),
    }
}

pub(crate) fn instance() -> ServiceInstance {
    ServiceInstance {
        service_type: ServiceType::Discovery,
        available: Some(true),
        service_version: "urn:taxii.mitre.org:services:1.1".to_owned(),
        protocol_binding: "urn:taxii.mitre.org:protocol:https:1.0".to_owned(),
        address: "https://taxii.example/discovery".to_owned(),
        message_bindings: vec!["urn:taxii.mitre.org:message:xml:1.1".to_owned()],
        supported_queries: vec![],
        content_bindings: vec![],
        message: None,
    }
}

pub(crate) fn collection(name: &str) -> Collection {
    Collection {
        name: name.to_owned(),
        collection_type: None,
        available: None,
        description: "what is in it".to_owned(),
        volume: None,
        content_bindings: vec![],
        push_methods: vec![],
        polling_services: vec![],
        subscription_services: vec![],
        receiving_inbox_services: vec![],
        delivery_methods: vec![],
        message_bindings: vec![],
    }
}

/// The binding of an address in all dialects, over clear HTTP too.
pub(crate) fn binding(service: Service, dialects: Dialects) -> TaxiiHttp {
    let mut profile = HttpProfile::new(service);
    profile.dialects = dialects;
    profile.clear = true;
    TaxiiHttp::new(&profile, Arc::new(Ids::new(7)))
}

pub(crate) type Endpoint = Bound<TaxiiHttp, Arc<Told>>;

pub(crate) fn endpoint(service: Service, dialects: Dialects) -> (Endpoint, Arc<Told>) {
    let told = Arc::new(Told::default());
    (Bound::new(binding(service, dialects), Arc::clone(&told)), told)
}

pub(crate) fn clear() -> Context {
    let peer = Peer::from_address(SocketAddr::from(([127, 0, 0, 1], 50_000)));
    Context::new(Channel::Clear, peer, Timestamp::from_unix_seconds(1_700_000_000))
        .with_principal(Some(Principal::new("alice")))
}

pub(crate) fn tls() -> Context {
    let suite = CipherSuite::new(0x1302, "TLS_AES_256_GCM_SHA384");
    let info = TlsInfo::new(TlsVersion::TLS_1_3, suite);
    let mut cx = clear();
    cx.channel = Channel::Tls(Arc::new(info));
    cx
}

/// A request that a test bends.
#[derive(Clone)]
pub(crate) struct Ask {
    method: &'static str,
    target: String,
    pub(crate) fields: Vec<(&'static str, String)>,
    body: String,
}

impl Ask {
    /// A POST of the draft.
    pub(crate) fn draft(body: &str) -> Self {
        Self::fields(
            "POST",
            "/",
            &[
                ("host", "taxii.example"),
                ("content-type", "application/xml"),
                ("accept", "application/xml"),
                ("x-taxii-protocol", "TAXII_HTTP_BINDING_1.0"),
                ("x-taxii-content-type", "TAXII_1.0/TAXII_XML_1.0"),
                ("x-taxii-accept", "TAXII_1.0/TAXII_XML_1.0"),
            ],
        )
        .body(body)
    }

    /// A GET of the draft.
    pub(crate) fn url(query: &str) -> Self {
        let fields = [("host", "taxii.example"), ("x-taxii-protocol", "TAXII_HTTP_BINDING_1.0")];
        Self::fields("GET", &format!("/?{query}"), &fields)
    }

    /// A POST of 1.0 or 1.1.
    pub(crate) fn released(version: &str, body: &str) -> Self {
        let message = format!("urn:taxii.mitre.org:message:xml:{version}");
        Self::fields(
            "POST",
            "/",
            &[
                ("host", "taxii.example"),
                ("content-type", "application/xml"),
                ("accept", "application/xml"),
                ("x-taxii-protocol", "urn:taxii.mitre.org:protocol:http:1.0"),
                ("x-taxii-services", &format!("urn:taxii.mitre.org:services:{version}")),
                ("x-taxii-content-type", &message),
                ("x-taxii-accept", &message),
            ],
        )
        .body(body)
    }

    fn fields(method: &'static str, target: &str, fields: &[(&'static str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { method, target: target.to_owned(), fields, body: String::new() }
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    pub(crate) fn target(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(key, _)| *key != name);
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    pub(crate) fn set(self, name: &'static str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    pub(crate) fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.parse().unwrap();
        *request.uri_mut() = self.target.parse().unwrap();
        for (name, value) in &self.fields {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        request
    }
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Said {
    pub(crate) async fn of(endpoint: &Endpoint, cx: &Context, ask: &Ask) -> Self {
        Self::read(endpoint.respond(cx, ask.request()).await).await
    }

    pub(crate) async fn read(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect(1 << 30).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Self { status: head.status.as_u16(), headers: head.headers, text }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next().map(|value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} stands there more than once");
        first
    }

    /// The message, which has to be one by schema and rules.
    pub(crate) fn message(&self) -> (Dialect, Message<'static>) {
        let source = Source::new(self.text.as_bytes());
        let (dialect, message) = read(&source, &Options::STRICT).expect(&self.text);
        (dialect, message.into_owned())
    }

    pub(crate) fn status_message(&self) -> StatusMessage {
        match self.message().1.body {
            MessageBody::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }
}

/// A server of services in this process, on loopback in clear.
pub(crate) struct Running {
    pub(crate) told: Arc<Told>,
    address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Running {
    /// A service at `/taxii` that is told what to answer.
    pub(crate) async fn start(service: Service) -> Self {
        let told = Arc::new(Told::default());
        let handler = Arc::clone(&told);
        let router = |router| mounted(router, service, "/taxii", handler);
        Self::serve(told, router).await
    }

    /// A server with these routes.
    pub(crate) async fn serve(told: Arc<Told>, routes: impl FnOnce(Router) -> Router) -> Self {
        let server = Server::builder()
            .listen(Listener::clear(SocketAddr::from(([127, 0, 0, 1], 0))))
            .router(routes(Router::new()))
            .bind()
            .await
            .unwrap();
        let address = server.local_addrs()[0];
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        tokio::spawn(server.serve(async { drop(stopped.await) }));
        Self { told, address, stop: Some(stop) }
    }

    pub(crate) fn url(&self) -> http::Uri {
        self.at("/taxii")
    }

    pub(crate) fn at(&self, path: &str) -> http::Uri {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    /// Answers the next requests so, the first one first.
    pub(crate) fn answers(&self, mut answers: Vec<TaxiiResponse>) {
        answers.reverse();
        *self.told.answers.lock().unwrap() = answers;
    }

    pub(crate) fn asked(&self) -> Vec<TaxiiRequest> {
        std::mem::take(&mut *self.told.requests.lock().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

/// Mounts a handler, in clear.
pub(crate) fn mounted<H>(router: Router, service: Service, path: &'static str, handler: H) -> Router
where
    H: Handler<TaxiiRequest, Response = TaxiiResponse> + std::fmt::Debug + 'static,
{
    let mut profile = HttpProfile::new(service);
    profile.clear = true;
    profile.path = path.into();
    let binding = TaxiiHttp::new(&profile, Arc::new(Ids::new(9)));
    mount(router, binding, handler, |bound| Arc::new(bound)).unwrap()
}

/// A client that talks in clear.
pub(crate) fn client(dialect: Dialect) -> Client {
    let transport = bindery_transport::Client::builder().build();
    Client::builder(Arc::new(Ids::new(3))).dialect(dialect).allow_clear().build(transport)
}

/// A Status Message.
pub(crate) fn status(status_type: StatusType) -> TaxiiResponse {
    Message::new("5", Some("0"), StatusMessage::new(status_type).into()).into()
}

/// A block of a text.
pub(crate) fn block(text: &str) -> ContentBlock<'static> {
    let content = Content::Inside(Inside::text(text).unwrap());
    ContentBlock::new(ContentBinding::new("urn:example:text"), content)
}

/// A label, in seconds.
pub(crate) fn label(seconds: i64) -> XmlTimestamp {
    XmlTimestamp::from_micros(seconds * 1_000_000).unwrap()
}

/// Answers every request with one text, in the form of 1.0, in answer to whatever its message id is.
#[derive(Debug)]
pub(crate) struct Fixed {
    card: bindery_core::Profile,
    text: String,
}

impl Fixed {
    /// A text that names the message id `0` in the place of the one that it answers.
    pub(crate) fn new(text: String) -> Self {
        let mut profile = HttpProfile::new(Service::CollectionManagement);
        profile.clear = true;
        Self { card: profile.card(), text }
    }
}

impl bindery_core::Endpoint for Fixed {
    fn profile(&self) -> &bindery_core::Profile {
        &self.card
    }

    fn call<'a>(
        &'a self,
        _: &'a Context,
        request: Request<Body>,
    ) -> bindery_core::EndpointFuture<'a> {
        Box::pin(async move {
            let asked = request.into_body().collect(1 << 20).await.unwrap();
            let source = Source::new(&asked);
            let (_, asked) = read(&source, &Options::STRICT).unwrap();
            let answers = format!("in_response_to='{}'", asked.id);
            let text = self.text.replace("in_response_to='0'", &answers);
            let mut response = Response::new(Body::from(text));
            for (name, value) in [
                ("content-type", "application/xml"),
                ("x-taxii-protocol", "urn:taxii.mitre.org:protocol:http:1.0"),
                ("x-taxii-services", "urn:taxii.mitre.org:services:1.0"),
                ("x-taxii-content-type", "urn:taxii.mitre.org:message:xml:1.0"),
            ] {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        })
    }

    fn refuse(
        &self,
        _: &Context,
        _: Option<&http::request::Parts>,
        refusal: &bindery_core::Refusal,
    ) -> Response<Body> {
        self.card.refusal_response(refusal)
    }
}
