//! The fuzz corpora, replayed: every seed and every past finding goes through its target's function.

use std::collections::BTreeSet;
use std::fs;

use bindery_fuzz::{TARGETS, Target};
use bindery_tests::paths::{corpus, files, root};

/// Calls the target; a panic fails the test with the input's name, which the panic itself does not know.
fn call(target: &str, function: fn(&[u8]), data: &[u8], input: &str) {
    let result = std::panic::catch_unwind(|| function(data));
    assert!(result.is_ok(), "{target} fails on {input}");
}

/// Every seed and every past finding.
fn replay((target, function): Target) {
    let inputs = files(&corpus(target)).unwrap();
    assert!(!inputs.is_empty(), "{target}: no seeds in fuzz/corpus/{target}");
    for input in inputs {
        call(target, function, &fs::read(&input).unwrap(), &input.display().to_string());
    }
}

/// How many octets are read for each seed's neighbours: their number goes with its length, and so does what each costs.
const READ: usize = 1 << 17;

/// Each seed cut, and with an octet turned over, at every octet, or at as many as [`READ`] allows: cheap neighbours that
/// a bare replay misses.
fn neighbours((target, function): Target) {
    for input in files(&corpus(target)).unwrap() {
        let data = fs::read(&input).unwrap();
        let positions = (READ / data.len().max(1)).clamp(1, 1_024);
        for at in (0..data.len()).step_by(data.len().div_ceil(positions).max(1)) {
            let mut turned = data.clone();
            turned[at] ^= 0xFF;
            for neighbour in [&data[..at], &turned] {
                call(
                    target,
                    function,
                    neighbour,
                    &format!("a neighbour of {} at {at}", input.display()),
                );
            }
        }
    }
}

/// A test for each target, so that they run side by side.
macro_rules! targets {
    ($($target:ident)*) => {
        const TESTED: &[&str] = &[$(stringify!($target)),*];

        $(
            #[test]
            fn $target() {
                let target = TARGETS.into_iter().find(|(name, _)| *name == stringify!($target));
                let target = target.expect("it is among the targets");
                replay(target);
                neighbours(target);
            }
        )*
    };
}

targets! {
    http_grammar http_login http_request http_tunnel http_upgrade
    kmip_typed
    omadm_client omadm_session
    syncml_across syncml_decode syncml_decode_encode_decode
    taxii_head taxii_query taxii_read taxii_read_write_read
    ttlv_decode_encode_decode ttlv_json ttlv_lenient ttlv_strict ttlv_xml
    wbxml_read wbxml_read_write_read wbxml_write_read
    xml_read xml_read_write_read xml_wbxml_xml
}

#[test]
fn targets_programs_and_corpora_are_the_same() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let programs = manifest["bin"].as_array().unwrap();
    let programs: BTreeSet<String> =
        programs.iter().map(|bin| bin["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(targets, programs, "TARGETS in fuzz/src/lib.rs and [[bin]] in fuzz/Cargo.toml");
    let folders = fs::read_dir(root().join("fuzz/corpus")).unwrap();
    let folders: BTreeSet<String> =
        folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(targets, folders, "TARGETS in fuzz/src/lib.rs and the folders of fuzz/corpus");
    let tested: BTreeSet<String> = TESTED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(targets, tested, "TARGETS in fuzz/src/lib.rs and the tests here");
}
