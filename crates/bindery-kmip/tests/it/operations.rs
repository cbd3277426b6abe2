//! Every operation of KMIP 1.0 to 2.1: its payloads are typed, whole, and written as they were read.

use bindery_kmip::message::{RequestMessage, RequestPayload, ResponseMessage, ResponsePayload};
use bindery_ttlv::{Options, from_xml, registry::Operation};
use bytes::Bytes;

/// Operation, version, and the items of the payloads.
struct Row {
    operation: &'static str,
    minor: &'static str,
    major: &'static str,
    request: &'static str,
    response: &'static str,
}

fn rows() -> Vec<Row> {
    let lines = include_str!("operations.tsv").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [operation, version, request, response] = fields[..] else { panic!("{line}") };
            let (major, minor) = version.split_once('.').unwrap();
            Row { operation, major, minor, request, response }
        })
        .collect()
}

impl Row {
    fn header(&self, time: &str) -> String {
        let Self { major, minor, .. } = self;
        format!(
            "<ProtocolVersion><ProtocolVersionMajor type='Integer' value='{major}'/>\
             <ProtocolVersionMinor type='Integer' value='{minor}'/></ProtocolVersion>{time}\
             <BatchCount type='Integer' value='1'/>"
        )
    }

    fn request(&self, payload: &str) -> Bytes {
        let (header, operation) = (self.header(""), self.operation);
        binary(&format!(
            "<RequestMessage><RequestHeader>{header}</RequestHeader><BatchItem>\
             <Operation type='Enumeration' value='{operation}'/>\
             <RequestPayload>{payload}</RequestPayload></BatchItem></RequestMessage>"
        ))
    }

    fn response(&self, payload: &str) -> Bytes {
        let header = self.header("<TimeStamp type='DateTime' value='2012-04-27T08:12:21Z'/>");
        let operation = self.operation;
        binary(&format!(
            "<ResponseMessage><ResponseHeader>{header}</ResponseHeader><BatchItem>\
             <Operation type='Enumeration' value='{operation}'/>\
             <ResultStatus type='Enumeration' value='Success'/>\
             <ResponsePayload>{payload}</ResponsePayload></BatchItem></ResponseMessage>"
        ))
    }
}

fn binary(xml: &str) -> Bytes {
    let mut octets = Vec::new();
    from_xml(xml.as_bytes(), &Options::STRICT, &mut octets)
        .unwrap_or_else(|error| panic!("{error}\n{xml}"));
    octets.into()
}

/// No field of the value was kept as one that no type names.
#[track_caller]
fn assert_whole(value: &dyn std::fmt::Debug, what: &str) {
    let text = format!("{value:?}");
    assert!(!text.contains("RawItem("), "{what}: {text}");
}

#[test]
fn every_payload_is_typed_and_survives() {
    let rows = rows();
    assert!(rows.len() >= 80, "rows have gone missing");
    for row in &rows {
        let what = format!("{} {}.{}", row.operation, row.major, row.minor);
        let octets = row.request(row.request);
        let message = RequestMessage::decode(&octets, &Options::STRICT).unwrap();
        let payload = &message.batch_items[0].payload;
        assert!(
            !matches!(payload, RequestPayload::Unknown(_) | RequestPayload::Faulty(_)),
            "{what}: {payload:?}"
        );
        assert_eq!(payload.operation(), Operation::from_name(row.operation).unwrap(), "{what}");
        assert_whole(&message, &what);
        assert_eq!(message.encode().unwrap(), octets, "{what}: request");

        let octets = row.response(row.response);
        let message = ResponseMessage::decode(&octets, &Options::STRICT).unwrap();
        let payload = message.batch_items[0].payload.as_ref().unwrap();
        assert!(!matches!(payload, ResponsePayload::Unknown(_)), "{what}: {payload:?}");
        assert_whole(&message, &what);
        assert_eq!(message.encode().unwrap(), octets, "{what}: response");
    }
}

/// Without its last item, or with an item of another type in its place, a payload is told apart from a good one or is
/// still written as it was: nothing is lost, and nothing panics.
#[test]
fn a_payload_that_lacks_something_is_faulty_or_survives() {
    let mut faulty = 0;
    for row in rows() {
        let items: Vec<&str> = split(row.request);
        for left_out in 0..items.len() {
            let rest: Vec<&str> = items
                .iter()
                .enumerate()
                .filter(|(place, _)| *place != left_out)
                .map(|(_, item)| *item)
                .collect();
            let octets = row.request(&rest.concat());
            let message = RequestMessage::decode(&octets, &Options::STRICT).unwrap();
            if let RequestPayload::Faulty(fault) = &message.batch_items[0].payload {
                faulty += 1;
                assert!(fault.error.to_string().contains("RequestPayload"), "{}", fault.error);
            }
            assert_eq!(message.encode().unwrap(), octets, "{}", row.operation);
        }
    }
    assert!(faulty > 40, "required fields are not missed: {faulty}");
}

/// The items at the top of a payload.
fn split(mut xml: &str) -> Vec<&str> {
    let mut items = Vec::new();
    while !xml.is_empty() {
        let tag_end = xml.find('>').unwrap() + 1;
        let end = if xml[..tag_end].ends_with("/>") {
            tag_end
        } else {
            let name = xml[1..].split([' ', '>']).next().unwrap();
            let close = format!("</{name}>");
            xml.find(&close).unwrap() + close.len()
        };
        let (item, rest) = xml.split_at(end);
        items.push(item);
        xml = rest;
    }
    items
}

#[test]
fn every_operation_of_the_tables_has_types() {
    for row in Operation::REGISTRY.rows() {
        let code = row.value();
        // 3.0 has more.
        let since = (row.since().major, row.since().minor);
        if since > (2, 1) {
            continue;
        }
        let octets =
            Row { operation: row.name(), major: "2", minor: "1", request: "", response: "" }
                .request("");
        let message = RequestMessage::decode(&octets, &Options::STRICT).unwrap();
        let payload = &message.batch_items[0].payload;
        assert!(!matches!(payload, RequestPayload::Unknown(_)), "{code:x} {}", row.name());
    }
}
