use bindery_core::{Principal, Timestamp};
use bindery_taxii_xml::{
    Body, CollectionType, ContentBinding, ContentBlock, Dialect, Inbox as InboxMessage, Message,
    Options, ResponseType, read, write,
};
use bindery_xml::Source;

use super::*;

fn filter(bindings: &[ContentBinding]) -> ContentFilter {
    ContentFilter::of(bindings)
}

#[test]
fn a_filter_without_bindings_wants_everything() {
    assert!(ContentFilter::ANY.matches("urn:a", None));
    assert!(ContentFilter::ANY.matches("urn:a", Some("urn:s")));
}

#[test]
fn a_binding_without_subtypes_stands_for_all_of_them() {
    let wanted = filter(&[ContentBinding::new("urn:a"), ContentBinding::new("urn:b")]);
    assert!(wanted.matches("urn:a", None));
    assert!(wanted.matches("urn:b", Some("urn:s")));
    assert!(!wanted.matches("urn:c", None));
}

#[test]
fn a_binding_with_subtypes_stands_for_these_only() {
    let wanted =
        filter(&[ContentBinding::new("urn:a").with_subtype("urn:s").with_subtype("urn:t")]);
    assert!(wanted.matches("urn:a", Some("urn:s")));
    assert!(wanted.matches("urn:a", Some("urn:t")));
    assert!(!wanted.matches("urn:a", Some("urn:u")));
    assert!(!wanted.matches("urn:a", None));
}

#[test]
fn a_nested_binding_is_not_its_outer_one() {
    assert!(!filter(&[ContentBinding::new("urn:outer")]).matches("urn:outer|urn:inner", None));
    assert!(
        filter(&[ContentBinding::new("urn:outer|urn:inner")]).matches("urn:outer|urn:inner", None)
    );
}

#[test]
fn rights_add_up_and_there_are_none_without_a_grant() {
    let (alice, bob) = (Principal::new("alice"), Principal::new("bob"));
    let mut collection = Collection::new("urn:feed", "a feed");
    assert_eq!(collection.rights(Some(&alice)), Rights::NONE);
    collection.grants = vec![
        Grant::new(Grantee::Principal(alice.clone()), Rights::WRITE),
        Grant::new(Grantee::Authenticated, Rights::READ),
    ];
    assert_eq!(collection.rights(Some(&alice)), Rights::ALL);
    assert_eq!(collection.rights(Some(&bob)), Rights::READ);
    assert_eq!(collection.rights(None), Rights::NONE);
    collection.grants.push(Grant::new(Grantee::Anyone, Rights { list: true, ..Rights::NONE }));
    assert_eq!(collection.rights(None), Rights { list: true, ..Rights::NONE });
}

#[test]
fn a_collection_takes_what_its_bindings_say() {
    let mut collection = Collection::new("urn:feed", "a feed");
    assert_eq!(collection.kind, CollectionType::DataFeed);
    assert!(collection.takes("urn:a", None));
    collection.content_bindings = vec![ContentBinding::new("urn:a")];
    assert!(collection.takes("urn:a", Some("urn:s")));
    assert!(!collection.takes("urn:b", None));
}

fn subscription() -> Subscription {
    let owner = Some(Principal::new("alice"));
    let mut subscription =
        Subscription::new("urn:s:1", "urn:feed", owner, Timestamp::from_unix_seconds(1));
    subscription.content_bindings = vec![
        ContentBinding::new("urn:a").with_subtype("urn:s").with_subtype("urn:t"),
        ContentBinding::new("urn:b"),
    ];
    subscription.push = Some(PushTo::new("urn:http", "http://inbox.example/", "urn:xml"));
    subscription.query =
        Some(QueryText::new("urn:query", Part::new("<q:x/>", vec![("q".into(), "urn:q".into())])));
    subscription
}

#[test]
fn terms_do_not_depend_on_id_owner_time_state_and_order() {
    let one = subscription();
    let mut other = subscription();
    other.id = "urn:s:2".to_owned();
    other.owner = None;
    other.created = Timestamp::from_unix_seconds(2);
    other.status = bindery_taxii_xml::SubscriptionStatus::Paused;
    other.content_bindings.reverse();
    other.content_bindings[1].subtypes.reverse();
    assert_eq!(one.terms(), other.terms());
}

#[test]
fn whatever_else_differs_makes_other_terms() {
    let changes: [fn(&mut Subscription); 9] = [
        |it| it.collection = "urn:fee".to_owned(),
        |it| it.response_type = ResponseType::CountOnly,
        |it| it.content_bindings.truncate(1),
        |it| it.content_bindings[0].subtypes.truncate(1),
        // The same texts in other places.
        |it| {
            it.content_bindings =
                ["urn:a", "urn:s", "urn:t", "urn:b"].map(ContentBinding::new).to_vec();
        },
        |it| it.push = None,
        |it| it.push = Some(PushTo::new("urn:http", "http://inbox.example/x", "urn:xml")),
        |it| it.query = None,
        |it| it.query = Some(QueryText::new("urn:query", Part::new("<q:x/>", vec![]))),
    ];
    let mut seen = vec![subscription().terms()];
    for change in changes {
        let mut changed = subscription();
        change(&mut changed);
        assert!(!seen.contains(&changed.terms()), "{changed:?}");
        seen.push(changed.terms());
    }
}

const NAMESPACE: &str = "http://taxii.mitre.org/messages/taxii_xml_binding-1.1";

/// The first block of a 1.1 Inbox Message with this inside its Content_Block, read as a client would send it.
fn block_of(inside: &str) -> (Block, ContentBlock<'static>) {
    let document = format!(
        r#"<t:Inbox_Message xmlns:t="{NAMESPACE}" xmlns:x="urn:x" xmlns:y="urn:y" xmlns="urn:default" message_id="1">
        <t:Content_Block><t:Content_Binding binding_id="urn:b"><t:Subtype subtype_id="urn:s"/></t:Content_Binding>
        {inside}</t:Content_Block></t:Inbox_Message>"#
    );
    let source = Source::new(document.as_bytes());
    let (_, message) = read(&source, &Options::STRICT).unwrap();
    let block = message.blocks.into_iter().next().unwrap().into_owned();
    (Block::of(&block), block)
}

#[test]
fn a_block_comes_back_as_it_was_with_a_label_of_its_own() {
    let inside = r#"<t:Content><x:a b="1">text &amp; <c/></x:a> tail</t:Content><t:Timestamp_Label>2001-01-01T00:00:00Z
        </t:Timestamp_Label><t:Message>hello</t:Message><t:Padding>..</t:Padding>
        <ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo x:a="1"/></ds:Signature>"#;
    let (block, original) = block_of(inside);
    assert_eq!(block.subtype.as_deref(), Some("urn:s"));
    let declared =
        |part: &Part| part.namespaces.iter().map(|(prefix, _)| prefix.clone()).collect::<Vec<_>>();
    assert_eq!(declared(&block.content), ["", "x"], "what is not mentioned is not kept");
    let label = Timestamp::from_unix_micros(1_234_567);
    let back = StoredBlock::new(label, label, block.clone()).into_content_block().unwrap();
    assert_eq!(back.timestamp_label.as_ref().unwrap().as_str(), "1970-01-01T00:00:01.234567Z");
    assert_eq!(Block::of(&back), block);
    assert_eq!(back.content.raw(), original.content.raw());
    assert_eq!(back.signature.unwrap().raw(), original.signature.unwrap().raw());
}

#[test]
fn content_written_into_another_message_means_the_same() {
    let (block, _) = block_of(r#"<t:Content><x:a q="y:name"><b/></x:a></t:Content>"#);
    let stored = StoredBlock::new(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, block.clone());
    let inbox = InboxMessage {
        result_id: None,
        destination_collections: Vec::new(),
        message: None,
        source_subscription: None,
        subscription_id: None,
        record_count: None,
        content_binding: None,
    };
    let mut message = Message::new("2", None, Body::from(inbox));
    message.blocks.push(stored.into_content_block().unwrap());
    let mut out = Vec::new();
    write(&message, Dialect::V1_1, &mut out).unwrap();
    let source = Source::new(&out);
    let (_, read) = read(&source, &Options::STRICT).unwrap();
    assert_eq!(Block::of(&read.blocks[0]), block);
}

#[test]
fn plain_text_keeps_no_namespaces() {
    let (block, _) = block_of("<t:Content>x: is not a prefix</t:Content>");
    assert_eq!(block.content, Part::new("x: is not a prefix", Vec::new()));
}

#[test]
fn only_one_element_is_an_element() {
    for not_one in ["", "text", "<a/><b/>", "<a>", "text<a/>"] {
        assert!(Part::new(not_one, Vec::new()).into_element().is_err(), "{not_one}");
    }
    let element = Part::new("<x:a/>", vec![("x".into(), "urn:x".into())]).into_element().unwrap();
    assert_eq!(element.raw(), "<x:a/>");
    assert_eq!(element.scope().get("x"), Some("urn:x"));
}

#[test]
fn octets_count_all_texts() {
    let mut block = Block::new("1234", Part::new("12345", vec![("a".into(), "b".into())]));
    assert_eq!(block.octets(), 11);
    block.subtype = Some("12".into());
    block.message = Some("123".into());
    block.padding = Some("1".into());
    block.signature = Some(Part::new("<a/>", Vec::new()));
    assert_eq!(block.octets(), 21);
}
