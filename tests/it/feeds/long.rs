//! Messages that are longer than anybody would hold in memory, and peers that stop reading.
#![cfg(target_os = "linux")]

use std::{process::Command, time::Duration};

use bindery_taxii::{PollOptions, Service, service::PageLimits};
use bindery_taxii_xml::Dialect;
use bindery_tests::feeds::{FeedSetup, FeedSite, path};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{block, fill, read};

/// How many MiB the child's message has.
const MIB: &str = "BINDERY_TEST_LONG_MESSAGE";

/// The octets of a block's content.
const BLOCK: usize = 64 << 10;

/// What the process may grow by, in MiB, however long the message is: caches of the store, buffers, pages of both sides.
const ROOM: u64 = 40;

fn setup() -> FeedSetup {
    let mut setup = FeedSetup { request_limit: 2 << 30, slow: true, ..FeedSetup::default() };
    // One part, however long.
    setup.config.part = PageLimits::new(usize::MAX, usize::MAX);
    setup
}

const HEAD: &str = "<t:Inbox_Message xmlns:t='http://taxii.mitre.org/messages/taxii_xml_binding-1.1' message_id='1'>\
     <t:Destination_Collection_Name>open</t:Destination_Collection_Name>";
const END: &str = "</t:Inbox_Message>";

fn written(number: usize, content: &str) -> String {
    format!(
        "<t:Content_Block><t:Content_Binding binding_id='urn:b'/><t:Content>{number} {content}</t:Content></t:Content_Block>"
    )
}

/// A POST to the inbox, its length not said.
async fn begin_post(site: &FeedSite) -> TcpStream {
    let mut stream = TcpStream::connect(site.clear).await.unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/xml\r\nAccept: application/xml\r\n\
         X-TAXII-Protocol: urn:taxii.mitre.org:protocol:http:1.0\r\n\
         X-TAXII-Services: urn:taxii.mitre.org:services:1.1\r\n\
         X-TAXII-Content-Type: urn:taxii.mitre.org:message:xml:1.1\r\n\
         X-TAXII-Accept: urn:taxii.mitre.org:message:xml:1.1\r\n\r\n",
        path(Service::Inbox),
        site.clear
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn piece(stream: &mut TcpStream, text: &str) {
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    stream.write_all(chunk.as_bytes()).await.unwrap();
}

async fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A message of so many blocks, sent as it is made.
async fn send_long(site: &FeedSite, blocks: usize) -> String {
    let content = "x".repeat(BLOCK);
    let mut stream = begin_post(site).await;
    piece(&mut stream, HEAD).await;
    for number in 0..blocks {
        piece(&mut stream, &written(number, &content)).await;
    }
    piece(&mut stream, END).await;
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    answer(stream).await
}

/// The most memory that this process had, in KiB, since `reset`.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// Begins to look for the most anew; where that is not allowed, the growth is told too large and never too small.
fn reset() -> u64 {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    peak()
}

/// The process that is watched: it sends, keeps and polls a message of so many MiB, and tells by how much it grew.
#[test]
#[ignore = "run by a_long_message_goes_through_with_little_memory"]
fn send_poll_and_tell() {
    let Ok(mib) = std::env::var(MIB) else { return };
    let blocks = mib.parse::<usize>().unwrap() * ((1 << 20) / BLOCK);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let site = FeedSite::with(setup()).await;
        // Whatever is made once is made before.
        assert!(send_long(&site, 40).await.contains("SUCCESS"));
        let url = site.url(Service::Poll);
        let mut client = site.client(Dialect::V1_1, None);
        read(&mut client, &url, "open", &PollOptions::default()).await;
        let before = reset();
        assert!(send_long(&site, blocks).await.contains("SUCCESS"));
        println!("in {} KiB", peak() - before);
        for dialect in [Dialect::V1_1, Dialect::V1_0] {
            let before = reset();
            let mut client = site.client(dialect, None);
            let mut polling = client.poll(&url, "open", &PollOptions::default()).await.unwrap();
            let (mut found, mut octets) = (0, 0);
            while let Some(block) = polling.next_block().await.unwrap() {
                found += 1;
                octets += block.content.raw().len();
            }
            assert_eq!((found, polling.place().0), (blocks + 40, 1), "in one part");
            assert!(octets > blocks * BLOCK);
            println!("out {} KiB", peak() - before);
        }
    });
}

/// What the child tells of a message of so many MiB.
fn growth(mib: u64) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "feeds::long::send_poll_and_tell"])
        .env(MIB, mib.to_string())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = told
        .lines()
        .filter(|line| {
            line.starts_with("in ") || line.starts_with("out ") || line.contains(" ... in ")
        })
        .collect();
    assert_eq!(lines.len(), 3, "{told} {}", String::from_utf8_lossy(&output.stderr));
    for line in &lines {
        let number = line.rsplit_once(" KiB").unwrap().0.rsplit_once(' ').unwrap().1;
        let grown: u64 = number.parse().unwrap();
        assert!(grown < ROOM << 10, "{mib} MiB: {line}");
    }
    format!("{mib} MiB: {}", lines.join(", "))
}

#[test]
fn a_long_message_goes_through_with_little_memory() {
    println!("{}", growth(96));
}

#[test]
#[ignore = "takes minutes and 3 GB of disk: run it by name, with --ignored --nocapture"]
fn a_gigabyte_goes_through_with_little_memory() {
    println!("{}", growth(1024));
}

/// Nothing is kept of a long message that breaks off, is no TAXII, or brings what is not taken.
#[tokio::test]
async fn of_a_long_message_that_fails_nothing_is_kept() {
    let site = FeedSite::with(setup()).await;
    let content = "x".repeat(BLOCK);
    let long = async |last: &str| {
        let mut stream = begin_post(&site).await;
        piece(&mut stream, HEAD).await;
        for number in 0..40 {
            piece(&mut stream, &written(number, &content)).await;
        }
        if !last.is_empty() {
            piece(&mut stream, last).await;
            stream.write_all(b"0\r\n\r\n").await.unwrap();
            return answer(stream).await;
        }
        drop(stream);
        String::new()
    };
    let told = long("<t:Wrong/></t:Inbox_Message>").await;
    assert!(told.contains("BAD_MESSAGE") && told.contains("in_response_to=\"1\""), "{told}");
    let told = long("</t:Poll_Request>").await;
    assert!(told.contains("BAD_MESSAGE"), "{told}");
    let mut binding = written(1, "x").replace("urn:b", &"u".repeat(5_000));
    binding.push_str(END);
    let told = long(&binding).await;
    assert!(told.contains("BAD_MESSAGE") && told.contains("nothing was kept"), "{told}");
    long("").await;
    // To a collection that is none: the whole message is read, and answered.
    let head = HEAD.replace(">open<", ">none<");
    let mut stream = begin_post(&site).await;
    piece(&mut stream, &head).await;
    for number in 0..40 {
        piece(&mut stream, &written(number, &content)).await;
    }
    piece(&mut stream, END).await;
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    assert!(answer(stream).await.contains("DESTINATION_COLLECTION_ERROR"));
    // Before the first block there is not more than is at hand at once.
    let head = HEAD.replace("><t:Dest", &format!("><t:Extended_Headers><t:Extended_Header name='a'>{}</t:Extended_Header></t:Extended_Headers><t:Dest", "x".repeat(300 << 10)));
    let mut stream = begin_post(&site).await;
    piece(&mut stream, &head).await;
    piece(&mut stream, &written(1, &content)).await;
    piece(&mut stream, END).await;
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let told = answer(stream).await;
    assert!(told.contains("before its first block"), "{told}");
    let mut client = site.client(Dialect::V1_1, None);
    let (found, _) =
        read(&mut client, &site.url(Service::Poll), "open", &PollOptions::default()).await;
    assert_eq!(found.len(), 0);
}

/// A long request that is no Inbox Message is no request.
#[tokio::test]
async fn only_an_inbox_message_is_long() {
    let site = FeedSite::with(setup()).await;
    let mut client = site.client(Dialect::V1_1, None);
    let block = block(&"x".repeat(1 << 20));
    let to = vec!["open".to_owned()];
    client.push(&site.url(Service::Inbox), to, vec![block.clone(), block]).await.unwrap();
    let mut stream = begin_post(&site).await;
    let poll = "<t:Poll_Request xmlns:t='http://taxii.mitre.org/messages/taxii_xml_binding-1.1' message_id='1' collection_name='c'>";
    piece(
        &mut stream,
        &format!("{poll}{}<t:Poll_Parameters/></t:Poll_Request>", " ".repeat(1 << 20)),
    )
    .await;
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let told = answer(stream).await;
    assert!(told.contains(&format!("{:?}", "BAD_MESSAGE")), "{told}");
}

/// Who stops reading keeps nobody waiting: with one connection to the file for reading, others poll and push.
#[tokio::test]
async fn a_client_that_stops_reading_holds_nothing() {
    let mut setup = setup();
    setup.readers = Some(1);
    let site = FeedSite::with(setup).await;
    assert!(send_long(&site, 512).await.contains("SUCCESS"));
    let mut stalled = Vec::new();
    for _ in 0..4 {
        let body = "<t:Poll_Request xmlns:t='http://taxii.mitre.org/messages/taxii_xml_binding-1.1' message_id='1' \
                    collection_name='open'><t:Poll_Parameters/></t:Poll_Request>";
        let mut stream = TcpStream::connect(site.clear).await.unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\nContent-Type: application/xml\r\n\
             Accept: application/xml\r\nX-TAXII-Protocol: urn:taxii.mitre.org:protocol:http:1.0\r\n\
             X-TAXII-Services: urn:taxii.mitre.org:services:1.1\r\n\
             X-TAXII-Content-Type: urn:taxii.mitre.org:message:xml:1.1\r\n\r\n{body}",
            path(Service::Poll),
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut begun = [0; 4096];
        stream.read_exact(&mut begun).await.unwrap();
        assert!(String::from_utf8_lossy(&begun).contains("Poll_Response"));
        stalled.push(stream);
    }
    // The server has written as much as the sockets take.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let others = async {
        let mut client = site.client(Dialect::V1_1, None);
        fill(&site, &mut client, 20).await;
        let url = site.url(Service::Poll);
        let (count, _) = client.count(&url, "open", &PollOptions::default()).await.unwrap();
        assert_eq!(count.unwrap().count, 532);
        let mut options = PollOptions::default();
        options.content_bindings = vec![bindery_taxii_xml::ContentBinding::new("urn:example:text")];
        assert_eq!(read(&mut client, &url, "open", &options).await.0.len(), 20);
    };
    tokio::time::timeout(Duration::from_secs(30), others)
        .await
        .expect("nobody waits for those who do not read");
    // They can go on where they are.
    let mut rest = vec![0; 1 << 20];
    stalled[0].read_exact(&mut rest).await.unwrap();
}
