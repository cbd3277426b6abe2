use super::*;

fn schemes(text: &str) -> Vec<String> {
    challenges(text).unwrap().into_iter().map(|one| one.scheme).collect()
}

/// RFC 9110, section 11.6.1.
#[test]
fn several_challenges_in_one_field() {
    let text = r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#;
    let found = challenges(text).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].parameters.get("realm"), Some("simple"));
    assert_eq!(found[1].parameters.get("title"), Some("Login to \"apps\""));
    assert_eq!(found[1].parameters.get("type"), Some("1"));
    assert_eq!(schemes("Negotiate, Basic realm=x"), ["negotiate", "basic"]);
    assert_eq!(schemes("NTLM TlRMTVNTUAACAAAA==, Basic realm=x"), ["basic"]);
    assert_eq!(schemes(" , Basic realm = \"a, b\" ,, Digest realm=c , "), ["basic", "digest"]);
    assert!(schemes("").is_empty());
}

#[test]
fn what_is_no_challenge() {
    let many = "a=1,".repeat(40);
    let endless = "Basic, ".repeat(100);
    let long = format!("Basic realm=\"{}\"", "x".repeat(9000));
    for text in [
        "=",
        "Basic realm=\"a",
        "Basic realm=a realm=b",
        "Basic realm=a, realm=b",
        "Basic realm=\"a\u{7F}\"",
        "Basic \"a\"",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([format!("X {many}"), endless, long])
    {
        assert!(challenges(&text).is_err(), "{text:.60}");
    }
}

#[test]
fn credentials_are_a_token_or_parameters() {
    let Credentials::Token { scheme, token } = credentials("Basic  QWxhZGRpbjpvcGVu==").unwrap()
    else {
        panic!("no token")
    };
    assert_eq!((scheme.as_str(), token.as_str()), ("basic", "QWxhZGRpbjpvcGVu=="));
    let read = credentials("DIGEST Username=\"a\\\\b\",qop=auth, nc=00000001,").unwrap();
    let Credentials::Parameters { scheme, parameters } = read else { panic!("no parameters") };
    assert_eq!(scheme, "digest");
    assert_eq!(parameters.get("username"), Some("a\\b"));
    assert_eq!(parameters.get("nc"), Some("00000001"));
    for text in ["", "Basic", "Basic a b", "Digest a=1, a=2", "Digest a=1 b=2", "Basic ä"] {
        assert!(credentials(text).is_err(), "{text}");
    }
}

/// What is shown of credentials in a log is the scheme and the parameters' names.
#[test]
fn nothing_secret_is_shown() {
    let read = credentials("Digest username=\"alice\", response=\"0123\"").unwrap();
    let shown = format!("{read:?}");
    assert!(!shown.contains("alice") && !shown.contains("0123"), "{shown}");
    let Credentials::Parameters { parameters, .. } = read else { panic!("no parameters") };
    assert_eq!(format!("{parameters:?}"), r#"["username", "response"]"#);
}

#[test]
fn quoting_both_ways() {
    let text = "a \"b\\ ä";
    let parameter = format!("x={}", quoted(text).unwrap());
    assert_eq!(parameters(&parameter).unwrap().get("x"), Some(text));
    assert_eq!(quoted("a\nb"), None);
}
