//! Key material is seen by the client that owns it and by nobody else: not in a log at any level, not in a file.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bindery_kmip::message::{Credential, KeyBlock, ManagedObject, Name, SecretData, SymmetricKey};
use bindery_tests::{logs, raw::Post, site::Site, wire};
use bindery_ttlv::registry::{
    CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, SecretDataType,
};

/// How octets could be written: as they are, in hexadecimal of both cases, in base64, as a list of numbers.
fn written(octets: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let list = format!("{octets:?}");
    // Base64 of the middle, which does not depend on what stands around it but for its place.
    let base64 = (0..3).map(|skip| {
        let coded = STANDARD.encode(&octets[skip..]);
        coded.as_bytes()[..12].to_vec()
    });
    let mut forms = vec![
        octets[..12].to_vec(),
        hex.as_bytes()[..24].to_vec(),
        hex.to_uppercase().as_bytes()[..24].to_vec(),
        list.trim_matches(['[', ']']).as_bytes()[..24].to_vec(),
    ];
    forms.extend(base64);
    forms
}

/// The first needle that the haystack holds. One pass: what is searched are MiB.
fn found<'a>(haystack: &[u8], needles: &'a [Vec<u8>]) -> Option<&'a [u8]> {
    let mut starts = [const { Vec::new() }; 256];
    for needle in needles {
        starts[usize::from(needle[0])].push(needle.as_slice());
    }
    haystack.iter().enumerate().find_map(|(at, octet)| {
        let mut here = starts[usize::from(*octet)].iter();
        here.find(|needle| haystack[at..].starts_with(needle)).copied()
    })
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    found(haystack, &[needle.as_bytes().to_vec()]).is_some()
}

/// That the search finds what is there, in each form.
#[test]
fn the_search_finds() {
    let secret: Vec<u8> = (0xa0..0xc0).collect();
    let forms = [
        secret.clone(),
        secret.iter().flat_map(|octet| format!("{octet:02x}").into_bytes()).collect(),
        format!("{secret:?}").into_bytes(),
        STANDARD.encode([&[1][..], &secret].concat()).into_bytes(),
    ];
    for form in forms {
        assert!(found(&form, &written(&secret)).is_some(), "{form:?}");
    }
    assert_eq!(found(&secret[..11], &written(&secret)), None);
}

#[tokio::test]
async fn key_material_is_in_no_log_and_in_no_file() {
    logs::record();
    let site = Site::start().await;
    let mut client = site.client("alice");
    let usage = CryptographicUsageMask::ENCRYPT;
    let aes = CryptographicAlgorithm::AES;
    let marker = "a-name-that-may-be-seen";
    let created = client.create(aes, 256, usage, [Name::text(marker).into()]).await.unwrap();
    let registered: Vec<u8> = (0..32).map(|n: u8| n.wrapping_mul(77) ^ 0xa5).collect();
    let block = |octets: &[u8]| KeyBlock::new(KeyFormatType::RAW, octets.into());
    let key = SymmetricKey::new(block(&registered).with_algorithm(aes, 256));
    let register = client.register(ManagedObject::SymmetricKey(key), [usage.into()]).await;
    let password = b"Tr0ub4dor&3-and-a-horse-battery!".to_vec();
    let secret = SecretData::new(SecretDataType::PASSWORD, block(&password));
    client.register(ManagedObject::SecretData(secret), [usage.into()]).await.unwrap();
    let got = client.get(created).await.unwrap();
    let generated = got.key_block().unwrap().octets().unwrap().expose().to_vec();
    // Everything that is shown of it by way of trouble.
    let shown = format!("{got:?} {got:#?} {client:?} {site:?}").into_bytes();

    // The same key, where it does not belong: messages that are refused, and explained.
    let mut raw = site.raw("alice").await;
    let mut broken = wire::request(0x03, &[wire::octets(0x43, &registered)]);
    assert_eq!(raw.post(&broken).await.result().0, 1);
    broken.extend(&registered);
    assert_eq!(raw.post(&broken).await.status, 400);
    let head = Post::new(&registered).set("Content-Type", "text/plain");
    raw.send(head.octets()).await;
    assert_eq!(raw.answer().await.status, 415);
    let credential = "correct-horse-battery-staple-9c1f";
    let credential_sent = Credential::username_and_password("alice", Some(credential.into()));
    let builder = bindery_kmip::Client::builder(site.url().parse().unwrap());
    let mut client = builder.credential(credential_sent).build(&site.transport("alice"));
    assert!(client.locate([]).await.is_err(), "such credentials are not known");

    // In the files while the server runs, log and all, and after it was stopped.
    let read = |site: &Site| -> Vec<u8> {
        site.store_files().iter().flat_map(|file| std::fs::read(file).unwrap()).collect()
    };
    let mut files = read(&site);
    assert!(holds(&files, marker), "the search sees what is stored");
    let (site, _) = site.restart().await;
    files.extend(read(&site));
    site.client("alice").get(register.unwrap()).await.unwrap();
    let logs = logs::recorded();
    assert!(holds(&logs, "answered"), "the recording works");
    let secrets = [generated, registered, password, credential.as_bytes().to_vec()];
    let needles = secrets.map(|secret| written(&secret)).concat();
    for (place, octets) in [("a log", logs), ("a file", files), ("Debug", shown)] {
        let found = found(&octets, &needles).map(|needle| needle.escape_ascii().to_string());
        assert_eq!(found, None, "in {place}");
    }
}
