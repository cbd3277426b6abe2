//! JSON values written as YAML 1.2, block style.

use serde_json::Value;

/// A document from a value, with a newline at its end.
pub(crate) fn to_string(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Array(items) if !items.is_empty() => sequence(&mut text, items, 0),
        Value::Object(members) if !members.is_empty() => mapping(&mut text, members, 0),
        scalar => {
            write_scalar(&mut text, scalar);
            text.push('\n');
        }
    }
    text
}

// The depth is that of our own output, which the commands' limits bound.
fn node(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            sequence(text, items, indent);
        }
        Value::Object(members) if !members.is_empty() => {
            text.push('\n');
            mapping(text, members, indent);
        }
        scalar => {
            text.push(' ');
            write_scalar(text, scalar);
            text.push('\n');
        }
    }
}

fn sequence(text: &mut String, items: &[Value], indent: usize) {
    for item in items {
        text.push_str(&" ".repeat(indent));
        text.push('-');
        match item {
            Value::Object(members) if !members.is_empty() => {
                // The first member stands beside the dash.
                let mut inner = String::new();
                mapping(&mut inner, members, indent + 2);
                text.push(' ');
                text.push_str(inner.trim_start_matches(' '));
            }
            other => node(text, other, indent + 2),
        }
    }
}

fn mapping(text: &mut String, members: &serde_json::Map<String, Value>, indent: usize) {
    for (name, value) in members {
        text.push_str(&" ".repeat(indent));
        write_string(text, name);
        text.push(':');
        node(text, value, indent + 2);
    }
}

fn write_scalar(text: &mut String, value: &Value) {
    match value {
        Value::String(string) => write_string(text, string),
        // Numbers, booleans, null and empty collections are written as in JSON.
        other => text.push_str(&other.to_string()),
    }
}

/// A string as a plain scalar where no reader can take it for anything else, quoted as in JSON
/// (which YAML's double-quoted scalars contain) where one could.
fn write_string(text: &mut String, string: &str) {
    let plain = string.starts_with(|c: char| c.is_ascii_alphabetic())
        && string.chars().all(|c| c.is_ascii_alphanumeric() || "_-./ ()".contains(c))
        && !string.ends_with(' ')
        && !RESERVED.iter().any(|word| string.eq_ignore_ascii_case(word));
    if plain {
        text.push_str(string);
    } else {
        text.push_str(&Value::from(string).to_string());
    }
}

/// Words that some version of YAML reads as something other than text.
const RESERVED: &[&str] =
    &["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks() {
        let value = json!({
            "uid": "0198-a", "n": 3, "none": null, "empty": [], "yes": "no",
            "list": ["a", {"b": 1, "c": {"d": "x: y"}}, ["e"]],
        });
        assert_eq!(
            to_string(&value),
            "uid: \"0198-a\"\n\"n\": 3\nnone: null\nempty: []\n\"yes\": \"no\"\nlist:\n  - a\n  \
             - b: 1\n    c:\n      d: \"x: y\"\n  -\n    - e\n",
        );
    }

    #[test]
    fn scalars() {
        assert_eq!(to_string(&json!("a\nb")), "\"a\\nb\"\n");
        assert_eq!(to_string(&json!(true)), "true\n");
    }
}
