//! What the values of SyncML's elements mean.

use bindery_syncml::{AlertCode, StatusCode};

/// What the text of the innermost open element means; `open` holds the names from the document element on.
pub(super) fn meaning(open: &[impl AsRef<str>], text: &str) -> Option<String> {
    let [root, .., parent, element] = open else { return None };
    if root.as_ref() != "SyncML" || element.as_ref() != "Data" {
        return None;
    }
    match parent.as_ref() {
        "Status" => {
            let row = StatusCode::from_text(text)?.row()?;
            Some(sentences(row.name(), &[row.meaning(), row.remedy()]))
        }
        "Alert" => {
            let row = AlertCode::from_text(text)?.row()?;
            Some(sentences(row.name(), &[row.meaning()]))
        }
        _ => None,
    }
}

/// Whether the innermost open element holds a credential, or what the next one is made with.
pub(super) fn is_secret(open: &[impl AsRef<str>]) -> bool {
    let [root, .., parent, element] = open else { return false };
    let (parent, element) = (parent.as_ref(), element.as_ref());
    root.as_ref() == "SyncML" && (element == "NextNonce" || parent == "Cred" && element == "Data")
}

/// Whether the innermost open element's text is an address that proves whose session it is, by
/// what stands in its query.
pub(super) fn is_token(open: &[impl AsRef<str>], text: &str) -> bool {
    let [root, .., element] = open else { return false };
    // Where it came from, where the next message goes, and where statuses say of it.
    let is_address = matches!(element.as_ref(), "RespURI" | "LocURI" | "TargetRef" | "SourceRef");
    root.as_ref() == "SyncML" && is_address && text.contains("://") && text.contains('?')
}

fn sentences(name: &str, more: &[&str]) -> String {
    let more: Vec<&str> = more.iter().copied().filter(|text| !text.is_empty()).collect();
    if more.is_empty() { name.to_owned() } else { format!("{name}: {}", more.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_meanings_where_they_are_codes() {
        let status = ["SyncML", "SyncBody", "Status", "Data"];
        assert!(meaning(&status, "404").unwrap().starts_with("Not found"));
        assert!(meaning(&["SyncML", "SyncBody", "Alert", "Data"], "1201").is_some());
        assert_eq!(meaning(&["SyncML", "SyncBody", "Status", "Item", "Data"], "404"), None);
        assert_eq!(meaning(&["other", "Status", "Data"], "404"), None);
        assert_eq!(meaning(&status, "no number"), None);
        assert!(is_secret(&["SyncML", "SyncHdr", "Cred", "Data"]));
        assert!(is_secret(&["SyncML", "SyncBody", "Status", "Chal", "Meta", "NextNonce"]));
        assert!(!is_secret(&status));
        let uri = ["SyncML", "SyncHdr", "RespURI"];
        assert!(is_token(&uri, "http://a/dm?s=1") && !is_token(&uri, "http://a/dm"));
        let target = ["SyncML", "SyncHdr", "Target", "LocURI"];
        assert!(is_token(&target, "http://a/dm?s=1") && !is_token(&target, "./A?list=Struct"));
    }
}
