//! Default Query 1.0.

use bindery_taxii_xml::{Criteria, DefaultQuery, DefaultQueryInfo, ErrorKind, Operator, Part};
use bindery_xml::{Event, Reader};

use crate::samples;

#[test]
fn a_query_reads_back_equal() {
    let query = samples::query();
    let written = query.to_query().unwrap();
    assert_eq!(written.format_id, "urn:taxii.mitre.org:query:default:1.0");
    assert_eq!(DefaultQuery::read(&written.inside).unwrap(), query);
    let info = samples::query_info();
    assert_eq!(DefaultQueryInfo::read(&info.to_query().unwrap().inside).unwrap(), info);
}

fn refused(text: &str) -> String {
    let document =
        format!("<w xmlns='http://taxii.mitre.org/query/taxii_default_query-1'>{text}</w>");
    let mut reader = Reader::new(&document);
    assert!(matches!(reader.next_event().unwrap(), Some(Event::Start(_))));
    let inside = reader.subtree().unwrap().into_inside();
    match (DefaultQuery::read(&inside), DefaultQueryInfo::read(&inside)) {
        (Err(query), Err(info)) => {
            let wrong_root = info.path().is_empty();
            if wrong_root { query.to_string() } else { info.to_string() }
        }
        _ => panic!("accepted: {text}"),
    }
}

#[test]
fn what_the_schema_does_not_have_is_refused() {
    let query =
        |inner: &str| format!("<Default_Query targeting_expression_id='t'>{inner}</Default_Query>");
    for (text, reason) in [
        (String::new(), "no element"),
        ("<Default_Query/>".to_owned(), "targeting_expression_id is missing"),
        (query(""), "expected Criteria"),
        (query("<Criteria operator='XOR'/>"), "expected AND or OR"),
        (query("<Criteria operator='AND'/>"), "at least one of Criteria, Criterion"),
        (query("<Criteria operator='AND'><Criterion/></Criteria>"), "expected Target"),
        (
            query("<Criteria operator='OR'><Criterion><Test/></Criterion></Criteria>"),
            "expected Target",
        ),
        (
            query("<Criteria operator='OR'><Criterion negate='no'/></Criteria>"),
            "true, false, 1 or 0",
        ),
        (
            "<Default_Query_Info><Targeting_Expression_Info/></Default_Query_Info>".to_owned(),
            "Preferred_Scope or an Allowed_Scope",
        ),
        (format!("{}<x/>", query("<Criteria operator='AND'/>")), "at least one"),
    ] {
        let error = refused(&text);
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn depth_is_limited() {
    let deep = |depth: usize| {
        let mut criteria = samples::query().criteria;
        for _ in 1..depth {
            criteria = Criteria { operator: Operator::And, parts: vec![Part::Criteria(criteria)] };
        }
        DefaultQuery { criteria, ..samples::query() }
    };
    let fine = deep(50);
    assert_eq!(DefaultQuery::read(&fine.to_query().unwrap().inside).unwrap(), fine);
    let error = DefaultQuery::read(&deep(100).to_query().unwrap().inside).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Rule(_)), "{error}");
}

#[test]
fn criteria_without_parts_cannot_be_written() {
    let mut query = samples::query();
    query.criteria.parts.clear();
    assert!(query.to_query().unwrap_err().to_string().contains("at least one of"));
}
