//! The client's exchanges over loopback.

use bindery_taxii::{ClientError, Cursors, Origin, Service, choose};
use bindery_taxii_xml::{
    Action, Body, CollectionInformationResponse, Dialect, Message, ServiceType, StatusType,
    SubscriptionParameters, SubscriptionRequest, SubscriptionResponse, Tolerances,
};

use crate::support::{Fixed, Running, client, collection, instance, label, status};

#[tokio::test]
async fn discovery_and_collections_in_every_dialect() {
    for dialect in [Dialect::V1_0, Dialect::V1_1] {
        let server = Running::start(Service::CollectionManagement).await;
        let mut client = client(dialect);
        let found = client.discovery(&server.url()).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].address, "https://taxii.example/discovery");
        assert_eq!(client.collections(&server.url()).await.unwrap(), []);
        let asked = server.asked();
        assert_eq!((asked.len(), asked[0].dialect), (2, dialect));
    }
    // The draft's discovery and information are GETs.
    let server = Running::start(Service::CollectionManagement).await;
    let mut draft = client(Dialect::Draft);
    assert_eq!(draft.collections(&server.url()).await.unwrap(), []);
    assert!(matches!(server.asked()[0].message.body, Body::CollectionInformationRequest));
}

#[tokio::test]
async fn statuses_are_errors_that_say_who_and_what() {
    let server = Running::start(Service::CollectionManagement).await;
    server.answers(vec![status(StatusType::NotFound)]);
    let error = client(Dialect::V1_1).discovery(&server.url()).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::NotFound), "{error}");
    assert!(matches!(error, ClientError::Status { origin: Origin::Service, .. }));
    // Nothing stands there: HTTP says so.
    let error = client(Dialect::Draft).discovery(&server.at("/elsewhere")).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::Failure));
    assert!(error.to_string().contains("404"), "{error}");
    // A message that answers something else.
    let other = CollectionInformationResponse { collections: vec![collection("c")] };
    server.answers(vec![Message::new("5", Some("0"), other.into()).into()]);
    let error = client(Dialect::V1_1).discovery(&server.url()).await.unwrap_err();
    assert!(matches!(error, ClientError::Unexpected(_)), "{error}");
}

/// What OpenTAXII 0.9.3 answers about a feed that takes everything.
#[tokio::test]
async fn a_feed_that_names_no_bindings_is_read_where_that_is_tolerated() {
    use bindery_taxii::HttpProfile;
    use bindery_transport::{Listener, Router, Server};
    let inside = "<t:Feed feed_name='f' available='true'><t:Description>d</t:Description><t:Polling_Service>\
         <t:Protocol_Binding>urn:taxii.mitre.org:protocol:http:1.0</t:Protocol_Binding><t:Address>http://a/</t:Address>\
         <t:Message_Binding>urn:taxii.mitre.org:message:xml:1.0</t:Message_Binding></t:Polling_Service></t:Feed>";
    let answer = format!(
        "<t:Feed_Information_Response xmlns:t='http://taxii.mitre.org/messages/taxii_xml_binding-1' \
         message_id='5' in_response_to='0'>{inside}</t:Feed_Information_Response>"
    );
    let endpoint = std::sync::Arc::new(Fixed::new(answer));
    let path = HttpProfile::new(Service::CollectionManagement).path;
    let router = Router::new().mount(path.clone(), endpoint.clone()).unwrap();
    let listener = Listener::clear(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
    let server = Server::builder().listen(listener).router(router).bind().await.unwrap();
    let url = format!("http://{}{path}", server.local_addrs()[0]).parse().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(server.serve(async { drop(stopped.await) }));
    for (tolerances, read) in [(Tolerances::NONE, false), (Tolerances::ALL, true)] {
        let ids = std::sync::Arc::new(bindery_taxii::Ids::new(3));
        let builder = bindery_taxii::Client::builder(ids).dialect(Dialect::V1_0).allow_clear();
        let transport = bindery_transport::Client::builder().build();
        let mut client = builder.tolerances(tolerances).build(transport);
        match client.collections(&url).await {
            Ok(found) => {
                assert!(read);
                assert_eq!((found[0].name.as_str(), found[0].content_bindings.len()), ("f", 0));
            }
            Err(error) => {
                assert!(!read && error.to_string().contains("Content_Binding"), "{error}");
            }
        }
    }
    drop(stop);
}

#[tokio::test]
async fn what_is_not_sent() {
    let transport = bindery_transport::Client::builder().build();
    let ids = std::sync::Arc::new(bindery_taxii::Ids::new(1));
    let mut secure = bindery_taxii::Client::builder(ids).build(transport);
    let server = Running::start(Service::Discovery).await;
    let error = secure.discovery(&server.url()).await.unwrap_err();
    assert!(error.is_unsent(), "{error}");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn subscriptions() {
    let server = Running::start(Service::CollectionManagement).await;
    let mut client = client(Dialect::V1_1);
    let request = SubscriptionRequest {
        collection: "c".to_owned(),
        action: Action::Subscribe,
        subscription_id: None,
        parameters: Some(SubscriptionParameters {
            response_type: None,
            content_bindings: vec![],
            query: None,
        }),
        push: None,
        terms: None,
    };
    let error = client.subscription(&server.url(), request.clone()).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::NotFound));
    let id = server.asked().pop().unwrap().message.id;
    assert_eq!(id.len(), 32);
    let answer =
        SubscriptionResponse { collection: "c".to_owned(), message: None, subscriptions: vec![] };
    // Of an answer that names another request nothing is believed.
    server.answers(vec![Message::new("5", Some("0"), answer.into()).into()]);
    let error = client.subscription(&server.url(), request).await.unwrap_err();
    assert!(matches!(error, ClientError::Unexpected(_)), "{error}");
}

#[test]
fn one_of_several_services() {
    let service = |address: &str, protocol: &str, message: &str, available| {
        let mut one = instance();
        one.service_type = ServiceType::Poll;
        one.address = address.to_owned();
        one.protocol_binding = format!("urn:taxii.mitre.org:protocol:{protocol}:1.0");
        one.message_bindings = vec![format!("urn:taxii.mitre.org:message:xml:{message}")];
        one.available = available;
        one
    };
    let clear = service("http://a/", "http", "1.1", None);
    let secure = service("https://b/", "https", "1.1", Some(true));
    let second = service("https://c/", "https", "1.1", None);
    let old = service("https://d/", "https", "1.0", None);
    let lies = service("http://e/", "https", "1.1", None);
    let closed = service("https://f/", "https", "1.1", Some(false));
    let all = [instance(), lies, closed, clear.clone(), old, secure, second];
    let chosen = |dialect, allow| {
        choose(&all, ServiceType::Poll, dialect, allow).map(|one| one.address.as_str())
    };
    assert_eq!(chosen(Dialect::V1_1, true).unwrap(), "https://b/");
    assert_eq!(chosen(Dialect::V1_0, false).unwrap(), "https://d/");
    let error = chosen(Dialect::Draft, true).unwrap_err();
    assert!(error.to_string().contains("another message binding"), "{error}");
    let only = [clear];
    assert!(choose(&only, ServiceType::Poll, Dialect::V1_1, false).is_err());
    assert_eq!(choose(&only, ServiceType::Poll, Dialect::V1_1, true).unwrap().address, "http://a/");
    let error = choose(&only, ServiceType::Inbox, Dialect::V1_1, true).unwrap_err();
    assert!(error.to_string().contains("none of that kind"), "{error}");
}

#[test]
fn cursors_last_and_never_go_back() {
    let mut cursors = Cursors::new();
    cursors.advance("https://a/", "feed one", label(5));
    cursors.advance("https://a/", "feed one", label(3));
    cursors.advance("https://b/", "two", label(1));
    cursors.advance("https://b/", "broken\nname", label(1));
    assert_eq!(cursors.get("https://a/", "feed one"), Some(&label(5)));
    assert_eq!(cursors.get("https://a/", "two"), None);
    let text = cursors.to_string();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert_eq!(text.parse::<Cursors>().unwrap(), cursors);
    for wrong in ["x https://a/ f", "1970-01-01T00:00:01Z https://a/", "1970-01-01T00:00:01Z"] {
        assert!(wrong.parse::<Cursors>().is_err(), "{wrong}");
    }
    assert_eq!(format!("{text}\nx").parse::<Cursors>().unwrap_err().line, 4);
}
