//! Reading Rust sources as tokens: which tests a target has, by module path, and which rows they say they prove.
//!
//! Tokens and no syntax tree, because tests also stand inside macros (`proptest! { .. }`), and a token stream shows
//! those as well. Doc comments are attributes there, so `/// proves: A, B` is found where it stands.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

/// What stands before the ids in the doc comment of a test.
pub(crate) const PROVES: &str = "proves:";

/// A test function, as `cargo test` would name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    /// `module::path::name` in its test binary.
    pub(crate) path: String,
    pub(crate) file: PathBuf,
    /// The line of the function's name, from 1.
    pub(crate) line: usize,
    /// The ids of the rows it names, in the order written; empty when it names none.
    pub(crate) proves: Vec<String>,
}

/// The tests of one target, and the files that its modules are in.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) tests: Vec<Test>,
    pub(crate) files: Vec<PathBuf>,
    /// `proves:` lines that stand above something else than a test: file and line.
    pub(crate) astray: Vec<(PathBuf, usize)>,
}

/// Follows the modules of a target from its root file.
///
/// A `mod` whose file does not exist is passed over: the compiler speaks of it.
///
/// # Errors
/// A file cannot be read, or is no Rust.
pub(crate) fn target(root_file: &Path) -> Result<Tree, String> {
    let mut tree = Tree::default();
    let folder = root_file.parent().unwrap_or_else(|| Path::new("")).to_owned();
    tree.file(root_file, &Module { path: Vec::new(), folder })?;
    Ok(tree)
}

/// The tokens of a file.
///
/// # Errors
/// The file cannot be read, or is no Rust.
pub(crate) fn tokens(file: &Path) -> Result<TokenStream, String> {
    let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    text.parse().map_err(|e| format!("{}: {e}", file.display()))
}

/// Where the walk stands: the module path, and the folder in which its child modules' files are.
#[derive(Clone)]
struct Module {
    path: Vec<String>,
    folder: PathBuf,
}

impl Module {
    fn child(&self, name: &str) -> Self {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        Self { path, folder: self.folder.join(name) }
    }
}

/// The attributes that wait for their item.
#[derive(Default)]
struct Pending(Vec<Group>);

impl Pending {
    /// `#[test]`, `#[tokio::test(..)]`: the last name of the attribute's path is `test`.
    fn is_test(&self) -> bool {
        self.0.iter().any(|attribute| {
            let mut last = None;
            for token in attribute.stream() {
                match token {
                    TokenTree::Ident(name) => last = Some(name),
                    TokenTree::Punct(p) if p.as_char() == ':' => {}
                    _ => break,
                }
            }
            last.is_some_and(|name| name == "test")
        })
    }

    /// The value of `#[name = "value"]`, for every attribute of that name, with its line.
    fn values(&self, name: &str) -> Vec<(String, usize)> {
        let value = |attribute: &Group| {
            let mut tokens = attribute.stream().into_iter();
            let (key, equals, value) = (tokens.next()?, tokens.next()?, tokens.next()?);
            let found = matches!(&key, TokenTree::Ident(i) if i == name)
                && matches!(&equals, TokenTree::Punct(p) if p.as_char() == '=');
            found.then(|| Some((literal(&value)?, attribute.span().start().line)))?
        };
        self.0.iter().filter_map(value).collect()
    }

    /// The ids of every `proves:` line, with the line.
    fn proves(&self) -> Vec<(String, usize)> {
        let ids = |(text, line): (String, usize)| {
            let list = text.trim().strip_prefix(PROVES).map(str::to_owned).unwrap_or_default();
            let ids = list.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
            ids.map(move |id| (id, line)).collect::<Vec<_>>()
        };
        self.values("doc").into_iter().flat_map(ids).collect()
    }
}

/// The text of a string literal, plain or raw, without resolving escapes (none occurs in paths and ids).
fn literal(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else { return None };
    let text = literal.to_string();
    let text = text.trim_start_matches('r').trim_matches('#');
    Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

impl Tree {
    fn file(&mut self, file: &Path, module: &Module) -> Result<(), String> {
        self.files.push(file.to_owned());
        let tokens = tokens(file)?;
        self.walk(tokens, file, module)
    }

    fn walk(&mut self, tokens: TokenStream, file: &Path, module: &Module) -> Result<(), String> {
        let mut tokens = tokens.into_iter().peekable();
        let mut pending = Pending::default();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(p) if p.as_char() == '#' => {
                    if let Some(TokenTree::Group(group)) = tokens.peek()
                        && group.delimiter() == Delimiter::Bracket
                    {
                        pending.0.push(group.clone());
                    }
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let Some(TokenTree::Ident(name)) = tokens.next() {
                        let body = match tokens.next() {
                            Some(TokenTree::Group(body)) => Some(body),
                            _ => None,
                        };
                        self.module(&name, body, &pending, file, module)?;
                    }
                    self.end(&mut pending, file);
                }
                TokenTree::Ident(word) if word == "fn" => {
                    if let Some(TokenTree::Ident(name)) = tokens.peek() {
                        self.function(name, &mut pending, file, module);
                    }
                }
                TokenTree::Ident(word) if word == "macro_rules" => {
                    // Its body is a pattern, whatever it makes.
                    while tokens.next().is_some_and(|token| !matches!(token, TokenTree::Group(_))) {
                    }
                    self.end(&mut pending, file);
                }
                TokenTree::Punct(p) if p.as_char() == '!' && p.spacing() == Spacing::Alone => {
                    if let Some(TokenTree::Group(body)) = tokens.peek()
                        && body.delimiter() != Delimiter::Bracket
                    {
                        self.walk(body.stream(), file, module)?;
                    }
                }
                TokenTree::Punct(p) if p.as_char() == ';' => self.end(&mut pending, file),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    self.end(&mut pending, file);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn module(
        &mut self,
        name: &Ident,
        body: Option<Group>,
        pending: &Pending,
        file: &Path,
        module: &Module,
    ) -> Result<(), String> {
        let name = name.to_string();
        let mut child = module.child(name.trim_start_matches("r#"));
        if let Some(body) = body {
            return self.walk(body.stream(), file, &child);
        }
        let own = pending.values("path").into_iter().next().map(|(path, _)| path);
        let candidates = match own {
            Some(path) => vec![file.parent().unwrap_or_else(|| Path::new("")).join(path)],
            None => vec![child.folder.with_extension("rs"), child.folder.join("mod.rs")],
        };
        match candidates.into_iter().find(|candidate| candidate.is_file()) {
            Some(found) => {
                // The children of a file given by `#[path]` are looked for beside it, as of a root.
                if let (false, Some(parent)) = (pending.values("path").is_empty(), found.parent()) {
                    child.folder = parent.to_owned();
                }
                self.file(&found, &child)
            }
            None => Ok(()),
        }
    }

    fn function(&mut self, name: &Ident, pending: &mut Pending, file: &Path, module: &Module) {
        if !pending.is_test() {
            return self.end(pending, file);
        }
        let path =
            module.path.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>().join("::");
        let proves = pending.proves().into_iter().map(|(id, _)| id).collect();
        self.tests.push(Test {
            path,
            file: file.to_owned(),
            line: name.span().start().line,
            proves,
        });
        pending.0.clear();
    }

    /// An item ends here: `proves:` lines that no test took are astray.
    fn end(&mut self, pending: &mut Pending, file: &Path) {
        let lines = pending.proves().into_iter().map(|(_, line)| (file.to_owned(), line));
        self.astray.extend(lines);
        pending.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Tree, target};
    use std::fs;

    fn check(files: &[(&str, &str)]) -> Tree {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        target(&folder.path().join(files[0].0)).unwrap()
    }

    fn names(tree: &Tree) -> Vec<String> {
        tree.tests.iter().map(|test| format!("{} {}", test.path, test.proves.join("+"))).collect()
    }

    #[test]
    fn modules_in_files_and_in_line() {
        let tree = check(&[
            (
                "it/main.rs",
                "//! Docs.\nmod a;\nmod c { /// proves: X-1\n#[test] fn inline() {} mod d; }\nmod absent;",
            ),
            (
                "it/a.rs",
                "mod b;\n/// What.\n///\n/// proves: X-1, X-2\n#[test]\nfn t() { assert!(true); }",
            ),
            (
                "it/a/b.rs",
                "/// proves: X-3\n#[tokio::test(flavor = \"current_thread\")]\nasync fn u() {}",
            ),
            ("it/c/d.rs", "#[test] fn v() {}"),
        ]);
        assert_eq!(names(&tree), ["a::b::u X-3", "a::t X-1+X-2", "c::inline X-1", "c::d::v "]);
        assert_eq!(tree.files.len(), 4);
        assert_eq!(tree.tests[1].line, 6);
    }

    #[test]
    fn modules_by_path_and_by_mod_rs() {
        let tree = check(&[
            ("lib.rs", "#[cfg(test)]\n#[path = \"other/name.rs\"]\nmod x;\nmod y;"),
            ("other/name.rs", "#[test] fn a() {} mod z;"),
            ("other/z.rs", "#[test] fn c() {}"),
            ("y/mod.rs", "mod k;"),
            ("y/k.rs", "#[test] fn b() {}"),
        ]);
        assert_eq!(names(&tree), ["x::a ", "x::z::c ", "y::k::b "]);
    }

    #[test]
    fn tests_inside_macros() {
        let text = "proptest! {\n #![cases(3)]\n /// proves: P-1\n #[test]\n fn p(x in 0..9_i32) { check(x) }\n}\n\
                    macro_rules! m { ($n:ident) => { #[test] fn $n() {} } }\n m!(name);\n #[test] fn last() {}";
        assert_eq!(names(&check(&[("lib.rs", text)])), ["p P-1", "last "]);
    }

    #[test]
    fn rows_named_above_something_else_are_astray() {
        let text = "/// proves: A-1\nfn helper() {}\n/// proves: A-2\nstruct S;\n/// proves: A-3\nmod m {}\n\
                    #[test]\nfn t() {}";
        let tree = check(&[("lib.rs", text)]);
        assert_eq!(tree.astray.iter().map(|(_, line)| *line).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!(names(&tree), ["t "]);
    }

    #[test]
    fn an_ordinary_doc_comment_that_speaks_of_proof_names_nothing() {
        let tree = check(&[("lib.rs", "/// This proves: nothing.\n#[test] fn t() {}")]);
        assert_eq!(names(&tree), ["t "]);
    }
}
