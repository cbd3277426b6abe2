//! Section 3: the test case MSGENC-HTTPS-M-1 in KMIP 1.0, 1.1 and 1.2. A Query whose answer may have 256 octets, which
//! are too few, then one whose answer may have 2048.

use bindery_tests::{
    paths,
    raw::{Answer, Post},
    site::Site,
    wire::{self, Item, date, enumeration, integer, request_in, structure, text, version},
};
use bindery_ttlv::{ProtocolVersion, registry::Operation};

/// The Query of the test case in version 1.`minor`.
fn query(minor: i32, maximum: i32) -> Vec<u8> {
    let functions = [enumeration(0x74, 1), enumeration(0x74, 2)];
    request_in(version(1, minor), &[integer(0x50, maximum)], 0x18, &functions)
}

/// The head of the test case's sample, with the seven spaces behind the length.
fn sample(body: &[u8]) -> Vec<u8> {
    let head = "POST /kmip HTTP/1.0\r\n\
                Pragma: no-cache\r\n\
                Cache-Control: no-cache\r\n\
                Connection: keep-alive\r\n\
                Content-Type: application/octet-stream\r\n";
    let length = format!("Content-Length: {}       \r\n\r\n", body.len());
    [head.as_bytes(), length.as_bytes(), body].concat()
}

/// The whole answer to the Query that allows 256 octets.
fn too_large(minor: i32, time: i64) -> Vec<u8> {
    let header = [version(1, minor), date(0x92, time), integer(0x0d, 1)];
    let item = [
        enumeration(0x5c, 0x18),
        enumeration(0x7f, 1),
        enumeration(0x7e, 2),
        text(0x7d, "TOO_LARGE"),
    ];
    structure(0x7b, &[structure(0x7a, &header), structure(0x0f, &item)])
}

fn numbers(payload: &Item, tag: u16) -> Vec<i64> {
    payload.all(tag).map(Item::number).collect()
}

/// The operations and object types that a successful answer lists.
fn listed(answer: &Answer, minor: i32) -> (Vec<i64>, Vec<i64>) {
    assert_eq!(answer.result(), (0, None));
    assert!(answer.body.len() > 256 && answer.body.len() <= 2048, "{}", answer.body.len());
    let message = answer.kmip();
    let header = message.at(&[0x7a]);
    assert_eq!(header.at(&[0x69, 0x6a]).number(), 1);
    assert_eq!(header.at(&[0x69, 0x6b]).number(), i64::from(minor));
    assert_eq!(header.at(&[0x0d]).number(), 1);
    assert_eq!(message.at(&[0x0f, 0x5c]).number(), 0x18);
    let payload = message.at(&[0x0f, 0x7c]);
    (numbers(payload, 0x5c), numbers(payload, 0x57))
}

#[tokio::test]
async fn msgenc_https_m_1() {
    let site = Site::start().await;
    for minor in 0..=2 {
        let mut raw = site.raw("alice").await;
        raw.send(sample(&query(minor, 256))).await;
        let refused = raw.answer().await;
        assert_eq!(refused.field("content-type"), Some("application/octet-stream"));
        let time = refused.kmip().at(&[0x7a, 0x92]).number();
        assert_eq!(refused.body, too_large(minor, time), "octet by octet");

        // Keep-Alive was asked for: the same connection.
        raw.send(sample(&query(minor, 2048))).await;
        let (operations, objects) = listed(&raw.answer().await, minor);
        let mut expected: Vec<i64> = wire::OPERATIONS.map(i64::from).to_vec();
        // The last of 1.0 that the server does is Query, of 1.1 Discover Versions, of 1.2 Join Split Key.
        let last = [0x18, 0x1e, 0x29][usize::try_from(minor).unwrap()];
        expected.retain(|operation| *operation <= last);
        assert_eq!(operations, expected);
        assert_eq!(objects, [1, 2, 3, 4, 5, 7, 8]);
    }
}

/// The limit is on the whole response message in octets, and one that fits to the octet fits.
#[tokio::test]
async fn the_limit_is_to_the_octet() {
    let site = Site::start().await;
    let mut raw = site.raw("alice").await;
    let length = i32::try_from(raw.post(query(2, i32::MAX)).await.body.len()).unwrap();
    assert_eq!(raw.post(query(2, length)).await.result(), (0, None));
    assert_eq!(raw.post(query(2, length - 1)).await.result(), (1, Some(2)));
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The twelve messages as the source prints them. Our answers need not be its server's: it knows more operations. What
/// must agree: version, operation, status, reason and message; and for a failure every octet but the time.
#[tokio::test]
async fn msgenc_https_m_1_with_the_messages_of_the_source() {
    let Some(vectors) = paths::vectors() else {
        println!("not run: BINDERY_VECTORS names no folder with the messages of the source");
        return;
    };
    let file = vectors.join("kmip/ttlv/https_profile_messages.tsv");
    let table = std::fs::read_to_string(&file).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(rows.len(), 12);
    let site = Site::start().await;
    for pair in rows.chunks(2) {
        let ([case, step, "request", request], [_, _, "response", expected]) =
            (pair[0].as_slice(), pair[1].as_slice())
        else {
            panic!("{pair:?}")
        };
        let expected = hex(expected);
        let theirs = wire::response_message(&expected);
        let mut raw = site.raw("alice").await;
        raw.send(sample(&hex(request))).await;
        let answer = raw.answer().await;
        let ours = answer.kmip();
        for path in [
            &[0x7a, 0x69][..],
            &[0x7a, 0x0d],
            &[0x0f, 0x5c],
            &[0x0f, 0x7f],
            &[0x0f, 0x7e],
            &[0x0f, 0x7d],
        ] {
            let value = |message: &Item| {
                message
                    .get(path)
                    .map(|item| item.walk().iter().map(|i| i.value.clone()).collect::<Vec<_>>())
            };
            assert_eq!(value(&ours), value(&theirs), "{case} step {step}: {path:x?}");
        }
        if ours.at(&[0x0f, 0x7f]).number() != 0 {
            let time = |octets: &[u8], message: &Item| {
                let at = message.at(&[0x7a, 0x92]).offset;
                [&octets[..at + 8], &octets[at + 16..]].concat()
            };
            assert_eq!(time(&answer.body, &ours), time(&expected, &theirs), "{case} step {step}");
        } else {
            // Nothing is listed that a server of that version could not have.
            let minor = i32::try_from(ours.at(&[0x7a, 0x69, 0x6b]).number()).unwrap();
            let (operations, objects) = listed(&answer, minor);
            let version = ProtocolVersion::new(1, minor);
            let types = theirs.at(&[0x0f, 0x7c]);
            assert!(objects.iter().all(|object| numbers(types, 0x57).contains(object)));
            for operation in operations {
                let operation = Operation(u32::try_from(operation).unwrap());
                assert!(operation.row().unwrap().since() <= version, "{operation} in {version}");
            }
        }
    }
}

/// What the sample sends is HTTP that servers have stumbled over; each part of it alone is taken, too.
#[tokio::test]
async fn the_parts_of_the_sample_head_are_taken_alone() {
    let site = Site::start().await;
    let good = || Post::new(wire::query());
    let length = wire::query().len();
    for post in [
        good().http_1_0(),
        good().http_1_0().with("Connection", "keep-alive"),
        good().with("Pragma", "no-cache"),
        good().with("Cache-Control", "no-cache"),
        good().set("Content-Length", &format!("{length}       ")),
        good().set("Content-Type", "APPLICATION/Octet-Stream"),
        good().set("Content-Type", "application/octet-stream; charset=binary"),
    ] {
        let mut raw = site.raw("alice").await;
        raw.send(post.octets()).await;
        assert_eq!(raw.answer().await.result(), (0, None), "{post:?}");
    }
}
