//! What is refused, and what is said of it.

use bindery_taxii_xml::{
    Body, Content, ContentBinding, ContentBlock, Dialect, ErrorKind, Message, Options,
    StatusMessage, StatusType, read, write,
};
use bindery_xml::{Inside, Source};

use crate::{pushed, samples};

/// The fault of a document, the same from memory and in pieces.
fn refused(text: &str) -> bindery_taxii_xml::Error {
    let source = Source::new(text.as_bytes());
    let error = read(&source, &Options::STRICT).expect_err(text);
    for size in [1, 5, 1000] {
        assert_eq!(pushed(text.as_bytes(), size, &Options::STRICT).unwrap_err(), error, "{size}");
    }
    error
}

/// A message of 1.1 with a line break behind the start tag.
fn new(name: &str, attributes: &str, inner: &str) -> String {
    let namespace = Dialect::V1_1.namespace();
    format!("<{name} xmlns='{namespace}' message_id='1' {attributes}>\n{inner}</{name}>")
}

fn old(name: &str, attributes: &str, inner: &str) -> String {
    let namespace = Dialect::V1_0.namespace();
    format!("<{name} xmlns='{namespace}' {attributes}>\n{inner}</{name}>")
}

fn draft(name: &str, inner: &str) -> String {
    let namespace = Dialect::Draft.namespace();
    let id = "0123456789abcdef0123456789abcdef";
    format!("<{name} xmlns='{namespace}' message-id='{id}'>\n{inner}</{name}>")
}

type Case = (String, &'static str, u64, &'static str);

/// Each is refused in this element, on this line, for this reason.
fn all_refused(cases: Vec<Case>) {
    for (text, path, line, reason) in cases {
        let error = refused(&text);
        assert!(error.to_string().contains(reason), "{text}\n{error}");
        assert_eq!((error.path(), error.position().line), (path, line), "{text}\n{error}");
    }
}

#[test]
fn the_schema_is_kept_by_messages() {
    all_refused(vec![
        ("<a/>".to_owned(), "", 1, "a message in a namespace of TAXII"),
        (new("Poll_Requests", "", ""), "", 1, "a message of TAXII 1.1"),
        (old("Poll_Fulfillment", "message_id='1'", ""), "", 1, "a message of TAXII 1.0"),
        (old("Discovery_Request", "", ""), "", 1, "message_id is missing"),
        (old("Discovery_Request", "message_id='a'", ""), "", 1, "expected digits"),
        (old("Discovery_Request", "message_id=' 1'", ""), "", 1, "expected digits"),
        (new("Discovery_Request", "x='1'", ""), "", 1, "no attribute x"),
        (new("Discovery_Response", "", ""), "", 1, "in_response_to is missing"),
        (new("Discovery_Request", "", "text"), "Discovery_Request", 1, "text where only elements"),
        (
            new("Discovery_Request", "", "<Message/>"),
            "Discovery_Request",
            2,
            "expected Extended_Headers",
        ),
        (
            new("Discovery_Request", "", "<Extended_Headers/>"),
            "Discovery_Request/Extended_Headers",
            2,
            "expected Extended_Header",
        ),
    ]);
}

#[test]
fn the_schema_is_kept_by_polls() {
    let poll = |inner: &str| new("Poll_Request", "collection_name='c'", inner);
    all_refused(vec![
        (poll(""), "Poll_Request", 2, "exactly one of Subscription_ID, Poll_Parameters"),
        (
            poll("<Subscription_ID>s</Subscription_ID><Poll_Parameters/>"),
            "Poll_Request",
            2,
            "exactly one of Subscription_ID, Poll_Parameters",
        ),
        (
            poll("<Exclusive_Begin_Timestamp>2014-01-01T00:00:00</Exclusive_Begin_Timestamp>"),
            "Poll_Request/Exclusive_Begin_Timestamp",
            2,
            "a timestamp with a zone and at most six decimals",
        ),
        (
            poll("<Subscription_ID>a<b/></Subscription_ID>"),
            "Poll_Request/Subscription_ID",
            2,
            "text only in Subscription_ID",
        ),
        (poll("<Subscription_ID a='1'/>"), "Poll_Request", 2, "no attribute a"),
        (
            poll("<Poll_Parameters><Response_Type>SOME</Response_Type></Poll_Parameters>"),
            "Poll_Request/Poll_Parameters/Response_Type",
            2,
            "FULL or COUNT_ONLY",
        ),
    ]);
}

#[test]
fn the_schema_is_kept_by_records_and_blocks() {
    let block = "<Content_Block><Content_Binding binding_id='b'/><Content/></Content_Block>";
    all_refused(vec![
        (
            new("Poll_Request", "collection_name='c'", "<Poll_Parameters/><Poll_Parameters/>"),
            "Poll_Request",
            2,
            "Signature or the end of Poll_Request",
        ),
        (
            new("Inbox_Message", "", &format!("{block}<Message/>")),
            "Inbox_Message",
            2,
            "Content_Block, Signature or the end of Inbox_Message",
        ),
        (
            new("Inbox_Message", "", "<Content_Block><Content/></Content_Block>"),
            "Inbox_Message/Content_Block",
            2,
            "expected Content_Binding",
        ),
        (
            new("Inbox_Message", "", "<Content_Block xmlns='urn:other'/>"),
            "Inbox_Message",
            2,
            "of urn:other",
        ),
        (
            old(
                "Subscription_Management_Request",
                "message_id='1' feed_name='f' action='PAUSE'",
                "",
            ),
            "",
            1,
            "an action of the dialect",
        ),
        (
            old(
                "Feed_Information_Response",
                "message_id='1' in_response_to='1'",
                "<Feed feed_name='f'><Description/><Content_Binding>b</Content_Binding></Feed>",
            ),
            "Feed_Information_Response/Feed",
            2,
            "at least one of Push_Method, Polling_Service",
        ),
        (
            draft("TAXII_STIXMessage", "<content-binding>b</content-binding>"),
            "TAXII_STIXMessage",
            2,
            "expected STIX",
        ),
        (
            draft("TAXII_DiscoveryRequest", "<extended-headers>text</extended-headers>"),
            "TAXII_DiscoveryRequest/extended-headers",
            2,
            "text where only elements",
        ),
    ]);
}

#[test]
fn a_feed_without_bindings_is_let_pass_by_its_name_only() {
    let services = "<Polling_Service><Protocol_Binding>p</Protocol_Binding><Address>a</Address>\
                    <Message_Binding>m</Message_Binding></Polling_Service>";
    let feed = |inside: &str| {
        let feed = format!("<Feed feed_name='f'><Description/>{inside}</Feed>");
        old("Feed_Information_Response", "message_id='1' in_response_to='1'", &feed)
    };
    let mut options = Options::STRICT;
    let bare = feed(services);
    let error = pushed(bare.as_bytes(), 10_000, &options).unwrap_err();
    assert!(error.to_string().contains("Content_Binding"), "{error}");
    options.tolerances.feed_without_bindings = true;
    for size in [1, 10_000] {
        let (_, message) = pushed(bare.as_bytes(), size, &options).unwrap();
        let Body::CollectionInformationResponse(found) = message.body else { panic!() };
        assert_eq!(found.collections[0].content_bindings, []);
        assert_eq!(found.collections[0].polling_services.len(), 1);
    }
    // Nothing else passes with it, and nobody writes it.
    for wrong in [feed(""), feed(&format!("{services}<Content_Binding>b</Content_Binding>"))] {
        assert!(pushed(wrong.as_bytes(), 10_000, &options).is_err(), "{wrong}");
    }
    let (dialect, message) = pushed(bare.as_bytes(), 10_000, &options).unwrap();
    assert!(write(&message, dialect, &mut Vec::new()).is_err());
}

#[test]
fn the_rules_of_the_text_are_kept_unless_only_the_schema_is_asked_for() {
    let status = |ty: &str, inner: &str| {
        new("Status_Message", &format!("in_response_to='1' status_type='{ty}'"), inner)
    };
    let details = |inner: &str| format!("<Status_Detail>{inner}</Status_Detail>");
    let part = |value: &str| details(&format!("<Detail name='MAX_PART_NUMBER'>{value}</Detail>"));
    let parts = details(&"<Detail name='MAX_PART_NUMBER'>1</Detail>".repeat(2));
    let manage = |action: &str, inner: &str| {
        let attributes = format!("collection_name='c' action='{action}'");
        new("Subscription_Management_Request", &attributes, inner)
    };
    let range = "<Exclusive_Begin_Timestamp>2014-01-01T01:00:00+01:00</Exclusive_Begin_Timestamp>\
                 <Inclusive_End_Timestamp>2014-01-01T00:00:00Z</Inclusive_End_Timestamp>\
                 <Subscription_ID>s</Subscription_ID>";
    let service = "<Service_Instance service_type='POLL' service_version='v'><Protocol_Binding>p</Protocol_Binding>\
                   <Address>a</Address><Message_Binding>m</Message_Binding>\
                   <Content_Binding binding_id='b'/></Service_Instance>";
    let block = "<Content_Block><Content_Binding binding_id='b'/><Content/></Content_Block>";
    let counted = format!("<Record_Count>1</Record_Count>{block}{block}");
    for (text, reason) in [
        (status("PENDING", ""), "ESTIMATED_WAIT, RESULT_ID and WILL_PUSH"),
        (status("INVALID_RESPONSE_PART", ""), "MAX_PART_NUMBER"),
        (status("INVALID_RESPONSE_PART", &part("0")), "positive integers"),
        (status("INVALID_RESPONSE_PART", &part("x")), "positive integers"),
        (status("INVALID_RESPONSE_PART", &parts), "stands there once"),
        (manage("PAUSE", ""), "a subscription id"),
        (manage("UNSUBSCRIBE", ""), "a subscription id"),
        (manage("SUBSCRIBE", ""), "Subscription_Parameters"),
        (new("Poll_Request", "collection_name='c'", range), "later than Exclusive_Begin_Timestamp"),
        (new("Discovery_Response", "in_response_to='1'", service), "only INBOX services"),
        (
            new("Poll_Response", "in_response_to='1' collection_name='c' more='true'", ""),
            "has a result_id",
        ),
        (
            new("Poll_Response", "in_response_to='1' collection_name='c' more='1'", block),
            "has a result_id",
        ),
        (new("Inbox_Message", "", &counted), "Record_Count is at least"),
        (draft("TAXII_DiscoveryRequest", "").replace("abcdef'", "abcde'"), "32 hexadecimal digits"),
        (
            draft(
                "TAXII_SubscriptionManagementRequest",
                "<feed-name>f</feed-name><action>SUBSCRIBE</action>",
            ),
            "SUBSCRIBE and MODIFY have a subscription",
        ),
    ] {
        let error = refused(&text);
        assert!(matches!(error.kind(), ErrorKind::Rule(rule) if rule.contains(reason)), "{error}");
        let source = Source::new(text.as_bytes());
        read(&source, &Options::SCHEMA).expect("the schema allows it");
    }
}

#[test]
fn attacks_and_damage_are_refused() {
    let root = "Discovery_Request xmlns='http://taxii.mitre.org/messages/taxii_xml_binding-1.1'";
    let deep = "<a>".repeat(300);
    let flood: String = (0..300).map(|n| format!(" a{n}=''")).collect();
    let header = "<Extended_Headers><Extended_Header name='n'>";
    for (text, reason) in [
        (String::new(), "no element"),
        ("not XML".to_owned(), "text outside"),
        (format!("<!DOCTYPE a [<!ENTITY e 'x'>]><{root} message_id='&e;'/>"), "DOCTYPE"),
        (format!("<{root} message_id='&e;'/>"), "is not declared"),
        (format!("<{root} message_id='1'>{header}{deep}"), "limit depth"),
        (format!("<{root} message_id='1'{flood}/>"), "limit attributes"),
        (format!("<{root} {}='1'/>", "n".repeat(2000)), "limit name_length"),
        (format!("<{root} message_id='1'>{header}<b>"), "ends inside"),
        (format!("<{root} message_id='1'>"), "ends inside"),
        (format!("<{root} message_id='1'/><b/>"), "behind the root"),
    ] {
        let error = refused(&text);
        assert!(error.to_string().contains(reason), "{error}");
        assert!(matches!(error.kind(), ErrorKind::Xml(_)), "{error}");
    }
}

#[test]
fn every_truncation_is_refused() {
    for dialect in Dialect::ALL {
        for (name, message) in samples::all(dialect) {
            let mut out = Vec::new();
            write(&message, dialect, &mut out).unwrap();
            for end in (0..out.len()).step_by(7) {
                let source = Source::new(&out[..end]);
                assert!(read(&source, &Options::STRICT).is_err(), "{name} up to {end}");
            }
        }
    }
}

#[test]
fn the_number_of_blocks_is_limited() {
    let block = "<Content_Block><Content_Binding binding_id='b'/><Content/></Content_Block>";
    let text = new("Inbox_Message", "", &block.repeat(3));
    let options = |blocks| Options { blocks, ..Options::STRICT };
    let source = Source::new(text.as_bytes());
    assert_eq!(read(&source, &options(3)).unwrap().1.blocks.len(), 3);
    assert!(read(&source, &options(2)).unwrap_err().to_string().contains("more blocks"));
}

#[test]
fn what_a_dialect_does_not_have_cannot_be_written() {
    for from in Dialect::ALL {
        for to in Dialect::ALL {
            for (name, message) in samples::all(from) {
                let mut out = b"kept".to_vec();
                let written = write(&message, to, &mut out);
                // A message that fits another dialect by chance is valid there.
                match written {
                    Ok(()) => {
                        let source = Source::new(&out[4..]);
                        assert_eq!(read(&source, &Options::STRICT).expect(&name).0, to);
                    }
                    Err(error) => {
                        assert!(from != to && out == b"kept", "{name}: {error}");
                        assert!(!error.to_string().is_empty());
                    }
                }
            }
        }
    }
    let pending = Message::new("1", Some("1"), StatusMessage::new(StatusType::Pending).into());
    let error = write(&pending, Dialect::V1_1, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("WILL_PUSH"), "{error}");
    let error = write(&pending, Dialect::V1_0, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("no name for this value"), "{error}");
    let request = Message::new("a", None, Body::DiscoveryRequest);
    let error = write(&request, Dialect::V1_0, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("expected digits"), "{error}");
    let mut message = Message::new("1", None, Body::DiscoveryRequest);
    let content = Content::Inside(Inside::text("t").unwrap());
    message.blocks.push(ContentBlock::new(ContentBinding::new("b"), content));
    assert!(write(&message, Dialect::V1_1, &mut Vec::new()).is_err(), "no blocks there");
    assert!(Inside::text("\0").is_err());
}
