//! Bodies that are no message, or none that can be read.

use bindery_tests::{
    raw::{Answer, Post, Raw},
    wire::{self, enumeration, integer, structure, text, version},
};

use super::{Fort, explanation};

/// Asserts that an answer says no: 400 without a body, or a KMIP failure.
fn is_no(answer: &Answer, what: &str) {
    match answer.status {
        400 => assert_eq!(answer.body.len(), 0, "{what}"),
        200 => assert_eq!(answer.result().0, 1, "{what}: {answer:?}"),
        other => panic!("{what}: {other}: {answer:?}"),
    }
    assert!(!explanation(answer).is_empty(), "{what}: it says why: {answer:?}");
}

/// Posts over a kept connection.
async fn ask(raw: &mut Raw, body: &[u8]) -> Answer {
    let answer = raw.post(body).await;
    assert_eq!(answer.field("connection"), None, "a whole body costs nobody the connection");
    answer
}

#[tokio::test]
async fn a_message_truncated_at_every_octet() {
    let fort = Fort::new().await;
    let whole = wire::create("never there");
    let mut raw = fort.raw().await;
    for end in 0..whole.len() {
        let answer = ask(&mut raw, &whole[..end]).await;
        assert_eq!((answer.status, answer.body.len()), (400, 0), "cut at {end}");
        assert!(explanation(&answer).contains("offset"), "cut at {end}: {answer:?}");
        assert_eq!(raw.post(wire::query()).await.result(), (0, None), "after the cut at {end}");
    }
    fort.holds_over(&mut raw).await;
}

#[tokio::test]
async fn a_message_truncated_at_every_item_with_a_length_that_fits() {
    let fort = Fort::new().await;
    let whole = wire::create("never there");
    let mut raw = fort.raw().await;
    for end in (8..whole.len()).step_by(8) {
        let mut cut = whole[..end].to_vec();
        cut[4..8].copy_from_slice(&u32::try_from(end - 8).unwrap().to_be_bytes());
        is_no(&ask(&mut raw, &cut).await, &format!("cut at {end}"));
    }
    fort.holds_over(&mut raw).await;
}

#[tokio::test]
async fn a_connection_that_ends_inside_a_message() {
    let fort = Fort::new().await;
    let post = Post::new(wire::create("never there"));
    let (head, whole) = (post.head().len(), post.octets());
    for end in (head..whole.len()).step_by(37) {
        let mut raw = fort.raw().await;
        raw.send(&whole[..end]).await;
        raw.finish().await;
        // Nobody is left to be told, but a refusal does no harm.
        if let Some(answer) = raw.maybe_answer().await {
            assert_ne!(answer.status, 200, "cut at {end}");
        }
    }
    fort.holds().await;
}

#[tokio::test]
async fn every_length_field_is_wrong_in_every_way() {
    let fort = Fort::new().await;
    let whole = wire::create("never there");
    let message = wire::message(&whole, wire::REQUEST_MESSAGE).unwrap();
    let mut raw = fort.raw().await;
    for item in message.walk() {
        let at = item.offset + 4;
        let length = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap());
        let wrong = [
            0,
            1,
            length.wrapping_sub(1),
            length.wrapping_sub(8),
            length + 1,
            length + 8,
            0x7fff_ffff,
            u32::MAX,
        ];
        for wrong in wrong.into_iter().filter(|wrong| *wrong != length) {
            // A text may end with an octet that happens to be what padding is.
            let padding = wrong > length && wrong <= length.next_multiple_of(8);
            if item.kind == 0x07 && padding {
                continue;
            }
            let mut bent = whole.clone();
            bent[at..at + 4].copy_from_slice(&wrong.to_be_bytes());
            let what = format!("tag {:x} at {}: {length} is {wrong}", item.tag, item.offset);
            let answer = ask(&mut raw, &bent).await;
            assert!(answer.status == 400 || answer.result().0 == 1, "{what}: {answer:?}");
        }
    }
    fort.holds_over(&mut raw).await;
}

#[tokio::test]
async fn every_octet_is_turned_over() {
    let fort = Fort::new().await;
    // A request that changes nothing, whatever it turns into.
    let whole = super::get(&fort.uid);
    let mut raw = fort.raw().await;
    for at in 0..whole.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut bent = whole.clone();
            bent[at] ^= mask;
            let answer = ask(&mut raw, &bent).await;
            match answer.status {
                200 => drop(answer.kmip()),
                400 => assert_eq!(answer.body.len(), 0),
                other => panic!("octet {at} ^ {mask:#x}: {other}"),
            }
        }
    }
    fort.holds_over(&mut raw).await;
}

/// So many structures, one in the other, each with a length that is right.
fn nested(depth: u32, tag: u16) -> Vec<u8> {
    let mut octets = Vec::new();
    for below in (0..depth).rev() {
        octets.push(0x42);
        octets.extend(tag.to_be_bytes());
        octets.push(0x01);
        octets.extend((below * 8).to_be_bytes());
    }
    octets
}

#[tokio::test]
async fn a_depth_bomb() {
    let fort = Fort::new().await;
    let mut raw = fort.raw().await;
    // Nearly a MiB of nothing but structures: as the whole message, as a payload, as a field that nobody knows.
    let deep = nested(130_000, 0x79);
    let bombs = [
        ("a message", nested(131_000, 0x78)),
        ("a payload", wire::request(0x0a, std::slice::from_ref(&deep))),
        ("a payload of an unknown operation", wire::request(0x7777, std::slice::from_ref(&deep))),
        ("a header field", wire::request_in(version(1, 4), &[nested(130_000, 0x7777)], 0x18, &[])),
    ];
    for (what, bomb) in bombs {
        let answer = ask(&mut raw, &bomb).await;
        is_no(&answer, what);
        let said = explanation(&answer);
        assert!(what == "a message" || said.contains("depth"), "{what}: {said:?}");
    }
    fort.holds_over(&mut raw).await;
}

#[tokio::test]
async fn a_bomb_of_many_items() {
    let fort = Fort::new().await;
    let mut raw = fort.raw().await;
    // As many as fit: empty structures, items of a batch, attributes, and what no table has.
    let empty = structure(0x7777, &[]).repeat(130_000);
    let answer = ask(&mut raw, &wire::request(0x0a, &[empty])).await;
    assert_eq!(answer.result().0, 1, "{}", explanation(&answer));
    let attribute = structure(0x08, &[text(0x0a, "x-a"), text(0x0b, "1")]);
    let template = structure(0x91, &[attribute.repeat(20_000)]);
    let answer = ask(&mut raw, &wire::request(0x01, &[enumeration(0x57, 2), template])).await;
    assert_eq!(answer.result().0, 1, "{}", explanation(&answer));
    let item = structure(0x0f, &[enumeration(0x5c, 0x18), structure(0x79, &[])]);
    let header = structure(0x77, &[version(1, 4), integer(0x0d, 25_000)]);
    let batch = structure(0x78, &[header, item.repeat(25_000)]);
    let answer = ask(&mut raw, &batch).await;
    assert_eq!(answer.result().0, 1, "{}", explanation(&answer));
    fort.holds_over(&mut raw).await;
}

/// The most memory that this process ever had, in KiB.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmPeak:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(not(target_os = "linux"))]
const fn peak() -> u64 {
    0
}

#[tokio::test]
async fn a_length_of_4_gib_takes_no_memory() {
    let fort = Fort::new().await;
    let mut raw = fort.raw().await;
    let before = peak();
    let huge = |mut octets: Vec<u8>, at: usize| {
        octets[at + 4..at + 8].copy_from_slice(&0xffff_fff8_u32.to_be_bytes());
        octets
    };
    let whole = wire::create("never there");
    let message = wire::message(&whole, wire::REQUEST_MESSAGE).unwrap();
    for item in message.walk() {
        is_no(&ask(&mut raw, &huge(whole.clone(), item.offset)).await, &format!("{:x}", item.tag));
    }
    // The same in HTTP: nothing is set aside for a body that is only announced.
    let mut announcing = fort.raw().await;
    announcing.send(Post::new("").set("Content-Length", "4294967296").octets()).await;
    assert_eq!(announcing.answer().await.status, 413);
    let mut announcing = fort.raw().await;
    let chunk = Post::new("").chunked(1).body(b"FFFFFFF8\r\nabc".to_vec());
    announcing.send(chunk.octets()).await;
    announcing.finish().await;
    assert_ne!(announcing.maybe_answer().await.map(|answer| answer.status), Some(200));
    // Other tests run beside this one, but none of them takes GiB.
    let grown = peak() - before;
    assert!(grown < 4 << 20, "{grown} KiB");
    fort.holds_over(&mut raw).await;
}

#[tokio::test]
async fn versions_that_are_not_spoken() {
    let fort = Fort::new().await;
    let mut raw = fort.raw().await;
    for (major, minor) in [(0, 9), (1, 5), (2, 2), (3, 0), (-1, -1), (i32::MAX, i32::MIN)] {
        let query = [enumeration(0x74, 1)];
        let answer =
            ask(&mut raw, &wire::request_in(version(major, minor), &[], 0x18, &query)).await;
        assert_eq!(answer.result(), (1, Some(4)), "{major}.{minor}");
        let said = explanation(&answer);
        assert!(said.contains("1.0 to 1.4"), "{major}.{minor}: {said}");
        let message = answer.kmip();
        let told = message.at(&[0x7a, 0x69]);
        // The newest of the same major version, which such a peer can read around unknown fields.
        let newest = if major == 2 { (2, 1) } else { (1, 4) };
        assert_eq!((told.at(&[0x6a]).number(), told.at(&[0x6b]).number()), newest);
    }
    fort.holds_over(&mut raw).await;
}

#[tokio::test]
async fn texts_and_identifiers_of_every_kind() {
    let fort = Fort::new().await;
    let mut raw = fort.raw().await;
    let long = "x".repeat(900_000);
    let injected = format!("' OR uid = '{}", fort.uid);
    for uid in
        ["", "\0", "..", "%", "*", "' OR '1'='1", &injected, "\u{202e}\r\nSet-Cookie: a=b", &long]
    {
        let answer = ask(&mut raw, &super::get(uid)).await;
        assert_eq!(answer.result(), (1, Some(1)), "{uid:.40?}");
        assert!(answer.body.len() < 1000, "the answer does not grow with the question");
    }
    // No UTF-8.
    let bad = wire::request(0x0a, &[wire::item(0x94, 0x07, b"\xff\xfe")]);
    is_no(&ask(&mut raw, &bad).await, "octets that are no text");
    fort.holds_over(&mut raw).await;
}
