//! What needs no server: decode, convert, profile, tls, usage, completions, manual.

use std::fs;

use crate::{
    messages::{KEY, KEY_BLOCK, QUERY, octets},
    support::{file, folder, run, run_with_input},
};

#[test]
fn decode_prints_a_tree_with_offsets_of_octets_and_of_digits() {
    let folder = folder();
    let path = folder.path();
    let from_digits = run_with_input(path, "decode", QUERY.as_bytes()).exits(0);
    for line in [
        "     0  RequestMessage (Structure)",
        "    96      RequestPayload (Structure)",
        "Operation (Enumeration): Query (0x00000018)",
        "QueryFunction (Enumeration): QueryOperations (0x00000001)",
    ] {
        assert!(from_digits.text().contains(line), "{line}\n{}", from_digits.text());
    }
    file(path, "query.bin", octets(QUERY));
    let from_file = run(path, "decode query.bin").exits(0);
    assert_eq!(from_file.text(), from_digits.text());
    let lenient = run(path, "decode --lenient --from ttlv query.bin").exits(0);
    assert_eq!(lenient.text(), from_digits.text());
}

#[test]
fn decode_has_forms_for_tools() {
    let folder = folder();
    let json = run_with_input(folder.path(), "decode -o json", QUERY.as_bytes()).exits(0).json();
    assert_eq!(json[0]["name"], "RequestMessage");
    let operation = &json[0]["items"][1]["items"][0];
    assert_eq!(operation["offset"], 80);
    assert_eq!(operation["tag"], "0x42005c");
    assert_eq!(operation["type"], "Enumeration");
    assert_eq!(operation["value"], 24);
    assert_eq!(operation["meaning"], "Query");
    let yaml = run_with_input(folder.path(), "decode -o yaml", QUERY.as_bytes()).exits(0);
    assert!(yaml.text().starts_with("- offset: 0\n  tag: \"0x420078\"\n"), "{}", yaml.text());
    let raw = run_with_input(folder.path(), "decode -o raw", QUERY.as_bytes()).exits(0);
    assert_eq!(raw.stdout, octets(QUERY));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = folder();
    let path = file(folder.path(), "many.hex", QUERY.repeat(2000));
    let line = "\"$0\" decode \"$1\" | head -n 1 >/dev/null; exit \"${PIPESTATUS[0]}\"";
    let program = env!("CARGO_BIN_EXE_bindery");
    let run = std::process::Command::new("bash").args(["-c", line, program]).arg(path).output();
    let output = run.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn decode_says_where_a_message_is_broken() {
    let folder = folder();
    let whole = octets(QUERY);
    for length in [1, 7, 8, 40, 63, 79, 111, whole.len() - 1] {
        let half = whole.get(..length).unwrap();
        let ran = run_with_input(folder.path(), "decode --from ttlv -o json", half).exits(5);
        let error = ran.error();
        assert_eq!(error["code"], 5);
        assert_eq!(error["layer"], "codec");
        let offset = error["offset"].as_u64().unwrap();
        assert!(error["message"].as_str().unwrap().contains(&format!("at offset {offset}")));
        assert!(!error["hint"].as_str().unwrap().is_empty());
    }
    // What stands before the fault is shown.
    let mut broken = whole.clone();
    *broken.get_mut(83).unwrap() = 0x0f;
    let ran = run_with_input(folder.path(), "decode", &broken).exits(5);
    assert!(ran.text().contains("BatchCount"), "{}", ran.text());
    assert!(ran.stderr.contains("at offset 80"), "{}", ran.stderr);
}

#[test]
fn decode_does_not_take_what_is_no_ttlv() {
    let folder = folder();
    let cases: [(&[u8], &str); 7] = [
        (b"", "empty"),
        (b"42 00 7x", "line 1, column 8"),
        (b"42 00 7", "digits"),
        (b"<html>", "line 1, column 7"),
        (b"{\"tag\": \"BatchCount\"}", "line 1, column 1"),
        (b"\x05\x01\x02\x00\x04\x05\x06\x07", "offset 0"),
        (b"\x42\x00\x78\x01\xff\xff\xff\xf8", "offset 0"),
    ];
    for (input, said) in cases {
        let ran = run_with_input(folder.path(), "decode", input).exits(5);
        assert!(ran.stderr.contains(said), "{input:?}: {}", ran.stderr);
    }
}

#[test]
fn convert_is_exact_through_every_form() {
    let folder = folder();
    let path = folder.path();
    let forms = ["ttlv", "ttlv-hex", "ttlv-xml", "ttlv-json"];
    for message in [QUERY, KEY_BLOCK] {
        for first in forms {
            let line = format!("convert --from ttlv-hex --to {first}");
            let there = run_with_input(path, &line, message.as_bytes()).exits(0).stdout;
            for second in forms {
                let line = format!("convert --from {first} --to {second}");
                let over = run_with_input(path, &line, &there).exits(0).stdout;
                let line = format!("convert --from {second} --to ttlv");
                let back = run_with_input(path, &line, &over).exits(0).stdout;
                assert_eq!(back, octets(message), "{first}, {second}");
                // Without being told, too.
                let raw = run_with_input(path, "decode -o raw --show-secrets", &over).exits(0);
                assert_eq!(raw.stdout, octets(message), "{second}");
            }
        }
    }
    let xml = run_with_input(path, "convert --from ttlv-hex --to ttlv-xml", QUERY.as_bytes());
    let line = "    <Operation type=\"Enumeration\" value=\"Query\"/>\n";
    assert!(xml.exits(0).text().contains(line));
}

#[test]
fn convert_says_where_a_text_is_wrong() {
    let folder = folder();
    let xml = "<RequestMessage>\n  <BatchCount type='Integer' value='many'/>\n</RequestMessage>";
    let json = "{\"tag\":\"RequestMessage\",\"value\":[\n{\"tag\":\"BatchCount\",\"value\":1}]}";
    for (form, text, column) in [("ttlv-xml", xml, 3), ("ttlv-json", json, 1)] {
        let line = format!("convert --from {form} --to ttlv -o json");
        let error = run_with_input(folder.path(), &line, text.as_bytes()).exits(5).error();
        assert_eq!((&error["line"], &error["column"]), (&2.into(), &column.into()), "{error}");
        assert!(error["message"].as_str().unwrap().contains("in RequestMessage"), "{error}");
    }
    let deep = "<RequestMessage>".repeat(1_000_000);
    let line = "convert --from ttlv-xml --to ttlv";
    let ran = run_with_input(folder.path(), line, deep.as_bytes()).exits(5);
    assert!(ran.stderr.contains("depth"), "{}", ran.stderr);
}

#[test]
fn decode_goes_deep_without_falling() {
    let folder = folder();
    // A hundred thousand structures, each inside the one before.
    let depth = 100_000_u32;
    let mut bomb = Vec::new();
    for level in 1..=depth {
        bomb.extend([0x42, 0x00, 0x78, 0x01]);
        bomb.extend(((depth - level) * 8).to_be_bytes());
    }
    let ran = run_with_input(folder.path(), "decode --from ttlv", &bomb).exits(5);
    assert!(ran.stderr.contains("depth"), "{}", ran.stderr);
}

#[test]
fn key_material_is_hidden_unless_asked_for() {
    let folder = folder();
    for form in ["table", "json", "yaml"] {
        let line = format!("decode -o {form}");
        let hidden = run_with_input(folder.path(), &line, KEY_BLOCK.as_bytes()).exits(0);
        assert!(!hidden.text().contains(KEY), "{}", hidden.text());
        assert!(hidden.text().contains("hidden"), "{}", hidden.text());
        let line = format!("{line} --show-secrets");
        let shown = run_with_input(folder.path(), &line, KEY_BLOCK.as_bytes()).exits(0);
        assert!(shown.text().contains(KEY), "{}", shown.text());
    }
    for form in ["raw", "hex"] {
        let line = format!("decode -o {form}");
        let refused = run_with_input(folder.path(), &line, KEY_BLOCK.as_bytes()).exits(2);
        assert!(refused.stdout.is_empty());
        assert!(refused.stderr.contains("--show-secrets"), "{}", refused.stderr);
    }
}

#[test]
fn convert_goes_both_ways_and_checks() {
    let folder = folder();
    let there = "convert --from ttlv-hex --to ttlv";
    let there = run_with_input(folder.path(), there, QUERY.as_bytes()).exits(0);
    assert_eq!(there.stdout, octets(QUERY));
    let back = "convert --from ttlv --to ttlv-hex -";
    let back = run_with_input(folder.path(), back, &there.stdout).exits(0);
    assert_eq!(octets(back.text()), octets(QUERY));
    let broken = "convert --from ttlv-hex --to ttlv";
    let broken = run_with_input(folder.path(), broken, b"4200780100000008").exits(5);
    assert!(broken.stdout.is_empty());
    assert!(broken.stderr.contains("at offset 0"), "{}", broken.stderr);
}

#[test]
fn tolerances_are_asked_for() {
    let folder = folder();
    // Padding that is not zero.
    let dirty = "42000d 02 00000004 00000001 000000ff";
    let strict = run_with_input(folder.path(), "decode", dirty.as_bytes()).exits(5);
    assert!(strict.stderr.contains("padding"), "{}", strict.stderr);
    let lenient = run_with_input(folder.path(), "decode --lenient", dirty.as_bytes()).exits(0);
    assert!(lenient.text().contains("BatchCount (Integer): 1"));
}

#[test]
fn profiles_are_listed_and_shown() {
    let folder = folder();
    let list = run(folder.path(), "profile list").exits(0);
    assert!(list.text().contains("kmip"), "{}", list.text());
    let card = run(folder.path(), "profile show kmip -o json").exits(0).json();
    assert_eq!(card["name"], "kmip");
    assert_eq!(card["methods"], "POST");
    assert_eq!(card["request_content"], "application/octet-stream");
    assert_eq!(card["default_path"], "/kmip");
    assert_eq!(card["client_certificate"], "required");
    let text = run(folder.path(), "profile show kmip").exits(0);
    assert!(text.text().contains("cache-control: no-cache, no-store"), "{}", text.text());
    let unknown = run(folder.path(), "profile show gopher -o json").exits(2).error();
    assert!(unknown["message"].as_str().unwrap().contains("known: kmip"));
}

#[test]
fn tls_policies_are_listed_and_shown() {
    let folder = folder();
    let list = run(folder.path(), "tls policy -o json").exits(0).json();
    let names: Vec<&str> =
        list.as_array().unwrap().iter().filter_map(|policy| policy["name"].as_str()).collect();
    assert!(names.contains(&"kmip") && names.contains(&"modern"), "{names:?}");
    let kmip = run(folder.path(), "tls policy kmip -o json").exits(0).json();
    assert_eq!(kmip["client_certificate"], "required");
    let suites = kmip["suites"].as_array().unwrap();
    assert!(suites.contains(&"TLS_AES_256_GCM_SHA384".into()), "{suites:?}");
    let used = |row: &serde_json::Value| {
        let listed = suites.contains(&row["name"]);
        row["what"] != "suite" || listed == row["used"].as_bool().unwrap()
    };
    assert!(kmip["rows"].as_array().unwrap().iter().all(used), "{kmip}");
    let text = run(folder.path(), "tls policy kmip").exits(0);
    assert!(text.text().contains("required"), "{}", text.text());
    run(folder.path(), "tls policy none-such").exits(2);
}

#[test]
fn usage_errors_exit_with_2_in_the_form_that_was_asked_for() {
    let folder = folder();
    for line in
        ["", "fly", "decode --nope", "convert --from wbxml --to ttlv", "kmip create --length x"]
    {
        let ran = run(folder.path(), line).exits(2);
        assert!(ran.stdout.is_empty(), "{line}");
        assert!(!ran.stderr.is_empty(), "{line}");
    }
    for line in ["decode --nope -o json", "-o json decode --nope", "--output=json fly"] {
        let error = run(folder.path(), line).exits(2).error();
        assert_eq!(error["code"], 2, "{line}");
        assert_eq!(error["layer"], "usage", "{line}");
        assert!(
            error["message"].as_str().unwrap().contains("unexpected")
                || error["message"].as_str().unwrap().contains("unrecognized"),
            "{error}"
        );
    }
    let missing = run(folder.path(), "decode no-such-file -o json").exits(2).error();
    assert!(missing["message"].as_str().unwrap().contains("no-such-file"));
}

#[test]
fn help_and_version_are_no_errors() {
    let folder = folder();
    let help = run(folder.path(), "--help").exits(0);
    for command in [
        "demo", "dev", "serve", "kmip", "omadm", "taxii", "account", "decode", "convert",
        "profile", "proxy", "health",
    ] {
        assert!(help.text().contains(command), "{command}");
    }
    let version = run(folder.path(), "--version").exits(0);
    assert_eq!(version.text().trim(), format!("bindery {}", env!("CARGO_PKG_VERSION")));
    assert!(run(folder.path(), "kmip create --help").exits(0).text().contains("BINDERY_URL"));
}

#[test]
fn completions_and_manual_pages() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(folder.path(), &format!("completions {shell}")).exits(0);
        assert!(script.text().contains("get-attribute-list"), "{shell}");
    }
    let page = run(folder.path(), "man").exits(0);
    assert!(page.text().contains(".TH bindery 1"), "{}", page.text());
    fs::create_dir(folder.path().join("man")).unwrap();
    run(folder.path(), "man --dir man").exits(0);
    assert!(folder.path().join("man/bindery-kmip-create.1").is_file());
    run(folder.path(), "man --dir no-such-directory").exits(2);
}
