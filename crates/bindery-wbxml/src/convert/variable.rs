//! The variables of WML: `$(name:escape)` in XML is an extension token in WBXML (WML 1.3, sections 10.3 and 14.4).

use crate::Language;

/// What the extensions 0, 1 and 2 do with the value.
const CONVERSIONS: [&str; 3] = ["escape", "unesc", "noesc"];

/// Whether the language has variables.
pub(super) fn has_variables(language: &Language) -> bool {
    matches!(language.id(), "wml10" | "wml11" | "wml12" | "wml13" | "wta-wml12")
}

/// A variable as XML has it; `None` when there is no such conversion.
pub(super) fn to_text(number: u8, name: &str) -> Option<String> {
    CONVERSIONS.get(usize::from(number)).map(|conversion| format!("$({name}:{conversion})"))
}

/// The first variable with a conversion: the text before it, its number, its name, and the text behind it. A variable
/// without one stays text.
pub(super) fn split(text: &str) -> Option<(&str, u8, &str, &str)> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find("$(") {
        let (before, behind) = text.split_at_checked(from + found)?;
        let inner = behind.strip_prefix("$(")?;
        let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        if let Some((name, rest)) = end.and_then(|end| inner.split_at_checked(end))
            && !name.is_empty()
        {
            for (number, conversion) in (0_u8..).zip(CONVERSIONS) {
                let rest = rest.strip_prefix(':').and_then(|rest| rest.strip_prefix(conversion));
                if let Some(rest) = rest.and_then(|rest| rest.strip_prefix(')')) {
                    return Some((before, number, name, rest));
                }
            }
        }
        // Names have no `$`: what was looked through is not looked through again.
        from += found + 2 + end.unwrap_or_default();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_with_a_conversion_are_found() {
        assert_eq!(split("a$(b:unesc)c"), Some(("a", 1, "b", "c")));
        assert_eq!(split("$(x) $($(y:escape)"), Some(("$(x) $(", 0, "y", "")));
        assert_eq!(split("$(x) $x $$(:escape) $(x:other) $(x:escape"), None);
    }
}
