use bindery_taxii_xml::{Criterion, Parameter, StatusType, Test as Asked};

use super::*;

const STIX: &str = "urn:stix.mitre.org:xml:1.1.1";

const PACKAGE: &str = "<s:STIX_Package xmlns:s='http://stix.mitre.org/stix-1' id='example:P-1' version='1.1.1' \
    timestamp='2014-05-01T10:00:00+02:00'><s:STIX_Header><s:Title> Watchlist of Hashes </s:Title></s:STIX_Header>\
    <s:Indicators><s:Indicator id='example:I-1'><i:Title xmlns:i='urn:i'>first</i:Title><s:Count>10</s:Count></s:Indicator>\
    <s:Indicator id='example:I-2'><s:Count>9.5</s:Count><!-- no --><s:Deep><s:Deep><s:Title>a&amp;b<![CDATA[<c>]]></s:Title>\
    </s:Deep></s:Deep></s:Indicator></s:Indicators></s:STIX_Package>";

fn criterion(target: &str, module: &str, relationship: &str, values: &[(&str, &str)]) -> Criterion {
    let parameters = values
        .iter()
        .map(|(name, value)| Parameter { name: (*name).to_owned(), value: (*value).to_owned() });
    Criterion {
        negate: None,
        target: target.to_owned(),
        test: Asked {
            capability_id: module.to_owned(),
            relationship: relationship.to_owned(),
            parameters: parameters.collect(),
        },
    }
}

fn query(operator: Operator, parts: Vec<Piece>) -> QueryText {
    let query = DefaultQuery {
        targeting_expression_id: STIX.to_owned(),
        criteria: Criteria { operator, parts },
    };
    let query = query.to_query().unwrap();
    QueryText::new(query.format_id, Part::of_inside(&query.inside))
}

fn one(criterion: Criterion) -> QueryText {
    query(Operator::And, vec![Piece::Criterion(criterion)])
}

fn package() -> Block {
    Block::new(STIX, Part::new(PACKAGE, Vec::new()))
}

#[track_caller]
fn holds(criterion: Criterion) -> bool {
    Queries::stix().compile(&one(criterion)).unwrap().matches(&package())
}

fn equals(target: &str, value: &str) -> Criterion {
    let values = [("value", value), ("match_type", "case_sensitive_string")];
    criterion(target, test::CORE, "equals", &values)
}

#[test]
fn targets_find_their_nodes_and_no_others() {
    for (target, value, expected) in [
        ("STIX_Package/@version", "1.1.1", true),
        ("STIX_Package/STIX_Header/Title", "Watchlist of Hashes", true),
        ("STIX_Package/Title", "Watchlist of Hashes", false),
        ("stix_package/@version", "1.1.1", false),
        ("STIX_Package/@Version", "1.1.1", false),
        ("STIX_Package/*/Title", "Watchlist of Hashes", true),
        ("STIX_Package/*", "1.1.1", true),
        ("STIX_Package/*", "Watchlist of Hashes", false),
        ("*/STIX_Header/*", "Watchlist of Hashes", true),
        ("**", "first", true),
        ("**", "1.1.1", true),
        ("**", "no", false),
        ("**/@id", "example:P-1", true),
        ("**/@id", "example:I-2", true),
        ("**/Title", "first", true),
        ("**/Title", "a&b<c>", true),
        ("STIX_Package/**", "example:P-1", true),
        ("STIX_Package/Indicators/**", "example:I-2", true),
        ("STIX_Package/Indicators/**", "example:P-1", false),
        ("STIX_Package/**/Title", "Watchlist of Hashes", true),
        ("STIX_Package/**/Deep/Title", "a&b<c>", true),
        ("STIX_Package/**/Deep/*/Title", "a&b<c>", true),
        ("**/Deep/**", "a&b<c>", true),
        ("**/**/**/**/**/**/**", "a&b<c>", false),
        ("@id", "example:P-1", false),
    ] {
        assert_eq!(holds(equals(target, value)), expected, "{target} = {value}");
    }
}

#[test]
fn every_relationship_says_what_its_name_does() {
    let core = |relationship: &str, values: &[(&str, &str)]| {
        holds(criterion("STIX_Package/STIX_Header/Title", test::CORE, relationship, values))
    };
    let small = ("match_type", "case_insensitive_string");
    let large = ("match_type", "case_sensitive_string");
    assert!(core("equals", &[("value", "WATCHLIST of hashes"), small]));
    assert!(!core("equals", &[("value", "WATCHLIST of hashes"), large]));
    assert!(!core("not_equals", &[("value", "WATCHLIST of hashes"), small]));
    assert!(core("not_equals", &[("value", "WATCHLIST of hashes"), large]));
    let off = ("case_sensitive", "false");
    for (relationship, right, wrong) in [
        ("begins_with", "Watch", "Hashes"),
        ("ends_with", "Hashes", "Watch"),
        ("contains", "list of", "list  of"),
    ] {
        assert!(core(relationship, &[("value", right)]), "{relationship}");
        assert!(core(relationship, &[("value", right), ("case_sensitive", "true")]));
        assert!(!core(relationship, &[("value", wrong)]), "{relationship}");
        assert!(!core(relationship, &[("value", &right.to_uppercase())]), "{relationship}");
        assert!(core(relationship, &[("value", &right.to_uppercase()), off]), "{relationship}");
    }
    assert!(core("exists", &[]) && !core("does_not_exist", &[]));
    let nowhere = |relationship| holds(criterion("**/Nothing", test::CORE, relationship, &[]));
    assert!(!nowhere("exists") && nowhere("does_not_exist"));
    assert!(!holds(equals("**/Nothing", "")));
    let count = |relationship: &str, value: &str| {
        let values = [("value", value), ("match_type", "number")];
        holds(criterion("**/Count", test::CORE, relationship, &values))
    };
    // The counts are 10 and 9.5: it is enough that one is so.
    for (relationship, value, expected) in [
        ("equals", "10.0", true),
        ("equals", "9.50", true),
        ("equals", "9", false),
        ("not_equals", "10", true),
        ("greater_than", "9.9", true),
        ("greater_than", "10", false),
        ("greater_than_or_equal", "10", true),
        ("less_than", "9.5", false),
        ("less_than", "1e1", true),
        ("less_than_or_equal", "9.5", true),
    ] {
        assert_eq!(count(relationship, value), expected, "{relationship} {value}");
    }
    // A text is greater than no number.
    let title = [("value", "-1")];
    assert!(!holds(criterion("**/Title", test::CORE, "greater_than", &title)));
}

#[test]
fn timestamps_are_instants_and_expressions_are_looked_for() {
    let time = |relationship: &str, value: &str| {
        let values = [("value", value)];
        holds(criterion("STIX_Package/@timestamp", test::TIMESTAMP, relationship, &values))
    };
    assert!(time("equals", "2014-05-01T08:00:00Z"));
    assert!(time("greater_than", "2014-05-01T07:59:59.9Z"));
    assert!(!time("greater_than", "2014-05-01T08:00:00Z"));
    assert!(time("greater_than_or_equals", "2014-05-01T08:00:00Z"));
    assert!(time("less_than", "2014-05-01T09:30:00+01:00"));
    assert!(time("less_than_or_equal", "2014-05-01T08:00:00Z"));
    let values = [("value", "2000-01-01T00:00:00Z")];
    assert!(!holds(criterion("**/Title", test::TIMESTAMP, "greater_than", &values)));
    let regex = |value: &str, sensitive: &str| {
        let values = [("value", value), ("case_sensitive", sensitive)];
        holds(criterion("**/@id", test::REGEX, "matches", &values))
    };
    assert!(regex("I-[0-9]$", "true") && regex("^EXAMPLE:p-", "false"));
    assert!(!regex("^EXAMPLE:p-", "true") && !regex("I-[3-9]$", "true"));
}

#[test]
fn criteria_are_joined_and_negated() {
    let (yes, no) = (equals("**", "first"), equals("**", "none"));
    let not = |one: &Criterion| Criterion { negate: Some(true), ..one.clone() };
    let of = Piece::Criterion;
    let group = |operator, parts: Vec<Criterion>| {
        Piece::Criteria(Criteria {
            operator,
            parts: parts.into_iter().map(Piece::Criterion).collect(),
        })
    };
    use Operator::{And, Or};
    for (operator, parts, expected) in [
        (And, vec![of(yes.clone()), of(not(&no))], true),
        (And, vec![of(yes.clone()), of(no.clone())], false),
        (Or, vec![of(no.clone()), of(yes.clone())], true),
        (Or, vec![of(no.clone()), of(not(&yes))], false),
        (And, vec![group(Or, vec![no.clone(), yes.clone()]), of(yes.clone())], true),
        (And, vec![group(Or, vec![no.clone(), no.clone()]), of(yes.clone())], false),
        (Or, vec![group(And, vec![no.clone(), yes.clone()]), of(no.clone())], false),
        (Or, vec![of(no.clone()), group(And, vec![yes.clone(), yes.clone()])], true),
    ] {
        let compiled = Queries::stix().compile(&query(operator, parts.clone())).unwrap();
        assert_eq!(compiled.matches(&package()), expected, "{parts:?}");
    }
}

#[test]
fn what_is_not_stix_or_broken_meets_no_query() {
    let anything = Queries::stix()
        .compile(&one(criterion("**/Nothing", test::CORE, "does_not_exist", &[])))
        .unwrap();
    assert!(anything.matches(&package()));
    let mut other = package();
    other.binding = "urn:text".to_owned();
    assert!(!anything.matches(&other));
    let mut broken = package();
    broken.content.raw = PACKAGE.replace("</s:STIX_Package>", "");
    assert!(!anything.matches(&broken));
    broken.content.raw = "<a>".repeat(100_000);
    assert!(!anything.matches(&broken));
}

/// What a query that is not taken gets: the status and the names of its details.
fn refused(queries: &Queries, text: &QueryText) -> (StatusType, Vec<String>) {
    let status = queries.compile(text).unwrap_err().into_status(bindery_taxii_xml::Dialect::V1_1);
    let details = status.details.iter().map(|one| one.name.clone()).collect();
    (status.status_type, details)
}

#[test]
fn what_is_not_taken_is_refused_with_what_is() {
    let all = Queries::stix();
    let right = one(equals("**", "x"));
    let mut other = right.clone();
    other.format_id = "urn:x".to_owned();
    assert_eq!(
        refused(&all, &other),
        (StatusType::UnsupportedQuery, vec!["SUPPORTED_QUERY".to_owned()])
    );
    let mut few = all.clone();
    few.vocabularies = ["urn:a".to_owned()].into();
    let (status, details) = refused(&few, &right);
    assert_eq!(status, StatusType::UnsupportedTargetingExpressionId);
    assert_eq!(details, ["TARGETING_EXPRESSION_ID"]);
    let mut none = all.clone();
    none.core = false;
    let (status, details) = refused(&none, &right);
    assert_eq!(status, StatusType::UnsupportedCapabilityModule);
    assert_eq!(details, ["CAPABILITY_MODULE", "CAPABILITY_MODULE"]);
    for target in ["", "a//b", "a/", "@id/b", "a*", "***", "@", &"a/".repeat(40)] {
        let (status, details) = refused(&all, &one(equals(target, "x")));
        assert_eq!(status, StatusType::UnsupportedTargetingExpression, "{target}");
        assert_eq!(details, ["ALLOWED_SCOPE"], "{target}");
    }
    let mut wrong = right.clone();
    wrong.content.raw = "<x/>".to_owned();
    assert_eq!(refused(&all, &wrong).0, StatusType::BadMessage);
    for (module, relationship, values) in [
        (test::CORE, "equals", &[("value", "x")][..]),
        (test::CORE, "equals", &[("value", "x"), ("match_type", "number")]),
        (test::CORE, "equals", &[("value", "x"), ("match_type", "date")]),
        (test::CORE, "begins_with", &[]),
        (test::CORE, "begins_with", &[("value", "x"), ("value", "y")]),
        (test::CORE, "begins_with", &[("value", "x"), ("case_sensitive", "yes")]),
        (test::CORE, "greater_than", &[("value", "1e999")]),
        (test::CORE, "matches", &[("value", "x")]),
        (test::REGEX, "matches", &[("value", "(")]),
        (test::REGEX, "matches", &[("value", "(?=x)")]),
        (test::REGEX, "equals", &[("value", "x")]),
        (test::TIMESTAMP, "equals", &[("value", "2014-05-01T08:00:00")]),
        (test::TIMESTAMP, "equals", &[("value", "yesterday")]),
        (test::TIMESTAMP, "not_equals", &[("value", "2014-05-01T08:00:00Z")]),
    ] {
        let asked = one(criterion("**", module, relationship, values));
        assert_eq!(refused(&all, &asked).0, StatusType::BadMessage, "{relationship} {values:?}");
    }
    // An expression of any length, or one that explodes.
    for expression in ["x".repeat(1_001), "((a{100}){100}){100}".to_owned()] {
        let asked = one(criterion("**", test::REGEX, "matches", &[("value", &expression)]));
        assert_eq!(refused(&all, &asked).0, StatusType::BadMessage);
    }
}

#[test]
fn criterions_are_counted_before_they_are_compiled() {
    let all = Queries::stix();
    let many = vec![Piece::Criterion(equals("**", "x")); MOST];
    assert_eq!(refused(&all, &query(Operator::Or, many)).0, StatusType::BadMessage);
    // Any number of what takes long is counted before it is compiled.
    let one = criterion("**", test::REGEX, "matches", &[("value", "[a-m][a-z]{900}")]);
    let many = vec![Piece::Criterion(one); 100_000];
    assert_eq!(refused(&all, &query(Operator::Or, many)).0, StatusType::BadMessage);
    let fit = vec![Piece::Criterion(equals("**", "x")); MOST - 1];
    all.compile(&query(Operator::Or, fit)).unwrap();
}

/// Work is counted by the steps of targets, of which each element has at most the query's: a deep or wide document adds
/// elements and nothing more.
#[test]
fn a_hostile_document_and_query_come_to_an_end() {
    let deep = "**/**/**/**/**/**/**/**/a/**/b";
    let parts = vec![Piece::Criterion(equals(deep, "x")); MOST - 1];
    let compiled = Queries::stix().compile(&query(Operator::Or, parts)).unwrap();
    let mut block = package();
    let nested = format!("{}{}", "<a>".repeat(200), "</a>".repeat(200));
    block.content.raw = format!("<r>{}</r>", nested.repeat(20));
    assert!(!compiled.matches(&block));
    block.content.raw = format!("<r>{}<b>x</b></r>", "<a/>".repeat(20_000));
    assert!(!compiled.matches(&block));
}

fn regex(value: &str) -> Criterion {
    criterion("**", test::REGEX, "matches", &[("value", value)])
}

/// Each octet of a text may take a step in each state of an expression's program: so an expression's work goes with both.
#[test]
fn work_goes_with_the_text_and_the_expression() {
    let looked = |asked: Criterion, text: &str| {
        let mut block = package();
        block.content.raw = format!("<a>{text}</a>");
        Queries::stix().compile(&one(asked)).unwrap().look(&block)
    };
    let text = "x".repeat(1_000);
    let plain = looked(equals("**", "y"), &text).work;
    let small = looked(regex("y"), &text).work;
    let large = looked(regex("[a-m][a-y]{900}"), &text).work;
    assert!(plain < 10_000, "{plain}");
    assert!(small > 100 * 1_000 && small < 1_000_000, "{small}");
    assert!(large >= 4 * small, "{large} {small}");
    let twice = looked(regex("y"), &text.repeat(2)).work;
    assert!(twice > 2 * small - 10_000 && twice < 2 * small + 10_000, "{twice}");
    // Where a criterion is met, nothing more is tried of it.
    assert_eq!(looked(regex("x"), "x").work, looked(regex("x"), "x").work);
}

#[test]
fn a_block_that_takes_too_much_work_meets_no_query() {
    let met = |asked: Criterion, octets: usize| {
        let mut block = package();
        block.content.raw = format!("<a>{}y</a>", "x".repeat(octets));
        Queries::stix().compile(&one(asked)).unwrap().look(&block).met
    };
    // Made so that its last state is reached by the last octet only.
    assert!(met(regex("x{1000}y$"), 100_000));
    assert!(!met(regex("x{1000}y$"), 10 << 20));
    // A plain one may look at more, and what is none at everything.
    assert!(met(regex("xy$"), 10 << 20));
    assert!(!met(regex("xy$"), 20 << 20));
    let ends = criterion("**", test::CORE, "ends_with", &[("value", "xy")]);
    assert!(met(ends, 20 << 20));
}
