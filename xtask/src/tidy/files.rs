//! Sources and registries: length, unfinished code, exceptions without a reason, crate roots, named sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{Findings, Workspace, is_generated};

/// Macros that mark unfinished code. Clippy's lints see only code that this build compiles; this sees every file.
const UNFINISHED: [&str; 2] = ["todo", "unimplemented"];

/// Every Rust file: its length, unfinished code, `allow` where `expect` belongs.
pub(super) fn sources(workspace: &Workspace<'_>) -> Findings {
    let mut found = Vec::new();
    for (file, text) in workspace.sources()? {
        let place = file.display();
        let (lines, limit) = (text.lines().count(), workspace.rules.lines_per_file);
        if is_generated(&text) {
            continue;
        }
        if lines > limit {
            found.push(format!("{place}: {lines} lines, at most {limit}: divide it by topic"));
        }
        // Sources that trybuild expects to fail may be no Rust at all.
        let Ok(tokens) = text.parse::<TokenStream>() else { continue };
        let mut marks = Vec::new();
        look(tokens, &mut marks);
        found.extend(marks.into_iter().map(|(line, what)| format!("{place}:{line}: {what}")));
    }
    Ok(found)
}

fn look(tokens: TokenStream, found: &mut Vec<(usize, String)>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(name) if matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '!') =>
            {
                tokens.next();
                if !matches!(tokens.peek(), Some(TokenTree::Group(_))) {
                    continue;
                }
                if UNFINISHED.iter().any(|word| name == word) {
                    found.push((
                        name.span().start().line,
                        format!("{name}!: finish it, or leave it out"),
                    ));
                }
                // What a macro makes of its tokens is not looked at: generated code may need an allow.
                tokens.next();
            }
            TokenTree::Punct(p) if p.as_char() == '#' => {
                if matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '!') {
                    tokens.next();
                }
                let Some(TokenTree::Group(group)) = tokens.peek() else { continue };
                let first = group.stream().into_iter().next();
                if matches!(first, Some(TokenTree::Ident(word)) if word == "allow") {
                    let remedy = "write #[expect(lint, reason = \"..\")], which goes away when it is no longer needed";
                    found.push((group.span().start().line, format!("allow: {remedy}")));
                }
                tokens.next();
            }
            TokenTree::Group(group) => look(group.stream(), found),
            _ => {}
        }
    }
}

/// Crate roots: documentation first; and a library's `lib.rs` holds only documentation, `mod` and `use`.
pub(super) fn roots(workspace: &Workspace<'_>) -> Findings {
    let mut found = Vec::new();
    for package in &workspace.members.packages {
        for target in
            package.targets.iter().filter(|t| !t.kind.iter().any(|kind| kind == "custom-build"))
        {
            let file = target.src_path.strip_prefix(workspace.root).unwrap_or(&target.src_path);
            let Ok(text) = workspace.read(file) else { continue };
            let documented =
                ["//!", "#![doc"].iter().any(|start| text.trim_start().starts_with(start));
            if !documented {
                found.push(format!("{}: begin with //! and what this is", file.display()));
            }
            let procedural = target.kind.iter().any(|kind| kind == "proc-macro");
            if package.is_library(workspace.root) && target.is_library() && !procedural {
                let tokens =
                    text.parse::<TokenStream>().map_err(|e| format!("{}: {e}", file.display()))?;
                found.extend(strangers(tokens).into_iter().map(|(line, word)| {
                    format!(
                        "{}:{line}: `{word}` in lib.rs: documentation, mod and use only",
                        file.display()
                    )
                }));
            }
        }
    }
    Ok(found)
}

/// Items of a `lib.rs` that are neither `mod name;` nor `use`.
fn strangers(tokens: TokenStream) -> Vec<(usize, String)> {
    let mut tokens = tokens.into_iter();
    let mut found = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "pub" => {}
            TokenTree::Ident(word) if word == "mod" || word == "use" || word == "extern" => {
                let inline = tokens
                    .by_ref()
                    .take_while(|t| !matches!(t, TokenTree::Punct(p) if p.as_char() == ';'))
                    .any(|t| word == "mod" && matches!(&t, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace));
                if inline {
                    found.push((word.span().start().line, "mod { .. }".to_owned()));
                }
            }
            TokenTree::Ident(word) => {
                found.push((word.span().start().line, word.to_string()));
                // On to the end of this item.
                let ends = |t: &TokenTree| match t {
                    TokenTree::Punct(p) => p.as_char() == ';',
                    TokenTree::Group(g) => g.delimiter() == Delimiter::Brace,
                    _ => false,
                };
                tokens.by_ref().find(ends);
            }
            _ => {}
        }
    }
    found
}

/// Every table in a `registry/` folder says where it is from: in its own first lines, or in the folder's README.md.
pub(super) fn registries(workspace: &Workspace<'_>) -> Findings {
    let tables: Vec<&PathBuf> = workspace
        .files
        .iter()
        .filter(|file| file.components().any(|part| part.as_os_str() == "registry"))
        .filter(|file| {
            file.extension()
                .is_some_and(|e| ["csv", "tsv", "toml", "txt"].iter().any(|known| e == *known))
        })
        .collect();
    let mut found = BTreeSet::new();
    for table in tables {
        let text = workspace.read(table)?;
        if text.lines().take(5).any(names_source) {
            continue;
        }
        let readme = table.with_file_name("README.md");
        let name = table.file_name().unwrap_or_default().to_string_lossy();
        let told = workspace
            .read(&readme)
            .is_ok_and(|text| text.contains(&*name) && text.lines().any(names_source));
        if !told {
            let readme: &Path = &readme;
            found.insert(format!(
                "{}: names no source: say in {} (or in its first lines) which document and section it is from",
                table.display(),
                readme.display()
            ));
        }
    }
    Ok(found.into_iter().collect())
}

fn names_source(line: &str) -> bool {
    line.to_ascii_lowercase().contains("source")
}

#[cfg(test)]
mod tests {
    use super::{look, strangers};

    fn marks(text: &str) -> Vec<usize> {
        let mut found = Vec::new();
        look(text.parse().unwrap(), &mut found);
        found.into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn unfinished_code_and_allow_are_found_where_they_stand() {
        assert_eq!(marks("fn f() {\n  todo!()\n}\n#[allow(dead_code)]\nfn g() {}"), [2, 4]);
        assert_eq!(marks("#![allow(x)]\nfn g() { if a != b { unimplemented!(\"x\") } }"), [1, 2]);
        assert_eq!(
            marks("// todo!()\nfn g() -> &'static str { \"todo!()\" }\n#[expect(x)] fn h() {}"),
            [0_usize; 0]
        );
        assert_eq!(marks("fn g() { quote! { #[allow(x)] } }"), [0_usize; 0]);
    }

    #[test]
    fn a_crate_root_holds_modules_and_uses() {
        let clean = "//! Docs.\n#![warn(x)]\nmod a;\n#[cfg(test)]\nmod tests;\npub use a::{B, C};\nextern crate alloc;";
        assert_eq!(strangers(clean.parse().unwrap()), []);
        let other = "mod a { fn x() {} }\npub fn f() -> u8 { 1 }\nstruct S;";
        let words: Vec<_> =
            strangers(other.parse().unwrap()).into_iter().map(|(_, word)| word).collect();
        assert_eq!(words, ["mod { .. }", "fn", "struct"]);
    }
}
