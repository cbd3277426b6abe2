use bindery_kmip::message::AttributeValue;
use bindery_ttlv::{Text, registry::ResultReason};
use clap::FromArgMatches;

use super::*;
use crate::{
    args::{self, Cli, Command},
    error::Exit,
};

/// The payload that a command line becomes.
fn payload(line: &str) -> Result<RequestPayload> {
    let command = args::environment(<Cli as clap::CommandFactory>::command());
    let matches = command.try_get_matches_from(format!("bindery kmip {line}").split(' ')).unwrap();
    let Command::Kmip(args) = Cli::from_arg_matches(&matches).unwrap().command else {
        panic!("not a kmip verb");
    };
    let task = Task::new(&args.verb)?;
    (task.payload)(task.object.map_or("", |args| &args.object))
}

fn template(line: &str, name: &str) -> Option<AttributeValue> {
    let RequestPayload::Create(create) = payload(line).unwrap() else { panic!("not Create") };
    request::attribute(create.attributes.attributes(), name).cloned()
}

#[test]
fn create_has_the_attributes_of_its_options() {
    let line = "create --alg aes --length 256 --name disk-1 --group g -a x-purpose=backup";
    let shown = |name| format!("{:?}", template(line, name).unwrap());
    assert!(shown("Cryptographic Algorithm").contains("AES"));
    assert!(shown("Cryptographic Length").contains("256"));
    assert!(shown("Cryptographic Usage Mask").contains("Encrypt|Decrypt"));
    assert!(shown("Name").contains("disk-1"));
    assert!(shown("Object Group").contains('g'));
    let Some(AttributeValue::Other(name, raw)) = template(line, "x-purpose") else {
        panic!("no custom attribute");
    };
    assert_eq!(&*name, "x-purpose");
    assert_eq!(raw.decode::<Text>(&Default::default()).unwrap().as_str(), "backup");
}

#[test]
fn an_hmac_key_is_for_macs_by_itself() {
    let mask = template("create --alg hmac-sha256", "Cryptographic Usage Mask");
    assert!(format!("{:?}", mask.unwrap()).contains("MACGenerate|MACVerify"));
}

#[test]
fn wrong_options_are_usage_errors() {
    for line in [
        "create --alg rot13",
        "create --length 0",
        "create --usage fly",
        "create -a purpose=backup",
        "create -a x-purpose",
        "create -a x-purpose=@/does/not/exist",
        "locate --state asleep",
        "revoke id --reason boredom",
        "revoke id --reason superseded --compromised-at 2026-11-01T00:00:00Z",
        "query -f everything",
        "register --type symmetric-key /does/not/exist",
    ] {
        assert_eq!(payload(line).unwrap_err().exit, Exit::Usage, "{line}");
    }
}

#[test]
fn a_compromise_has_a_date() {
    let RequestPayload::Revoke(revoke) =
        payload("revoke id --reason key-compromise --compromised-at 2026-11-01T00:00:00Z").unwrap()
    else {
        panic!("not Revoke");
    };
    assert_eq!(revoke.compromise_occurrence_date.unwrap().0, 1_793_491_200);
    let RequestPayload::Revoke(revoke) = payload("revoke id").unwrap() else {
        panic!("not Revoke");
    };
    assert_eq!(revoke.compromise_occurrence_date, None);
}

#[test]
fn query_functions_have_short_names() {
    let RequestPayload::Query(query) = payload("query -f operations -f query-profiles").unwrap()
    else {
        panic!("not Query");
    };
    assert_eq!(query.query_functions.len(), 2);
}

#[test]
fn the_server_s_reasons_have_exit_codes() {
    let item = |reason| {
        bindery_kmip::message::ResponseBatchItem::failed(
            Some(bindery_ttlv::registry::Operation::GET),
            None,
            bindery_kmip::message::Failure::new(reason, "why"),
        )
    };
    let exit = |reason| failure::of_item(&item(reason)).unwrap().exit;
    assert_eq!(exit(ResultReason::ITEM_NOT_FOUND), Exit::Protocol);
    assert_eq!(exit(ResultReason::PERMISSION_DENIED), Exit::NotAuthorised);
    let told = failure::of_item(&item(ResultReason::ITEM_NOT_FOUND)).unwrap().to_json();
    assert_eq!(told["code"], 1);
    assert_eq!(told["layer"], "profile");
    assert_eq!(told["result_reason"], "ItemNotFound");
    assert_eq!(told["message"], "Get: Item Not Found: why");
}
