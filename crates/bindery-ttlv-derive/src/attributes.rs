//! `#[ttlv(...)]`, and what a field's type says.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;
use syn::{
    Attribute, Error, GenericArgument, Ident, Path, PathArguments, Result, Type, spanned::Spanned,
};

/// The attributes of a struct, a field or a variant.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) tag: Option<Path>,
    pub(crate) select: Option<Ident>,
    pub(crate) choice: bool,
    pub(crate) unknown: bool,
    pub(crate) krate: Option<Path>,
}

impl Attributes {
    /// Reads the attributes; `allowed` names those that have a meaning here.
    pub(crate) fn read(attributes: &[Attribute], allowed: &[&str], place: &str) -> Result<Self> {
        let mut found = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("ttlv")) {
            attribute.parse_nested_meta(|meta| {
                let Some(name) = meta.path.get_ident().map(Ident::to_string) else {
                    return Err(meta.error(format!("expected one of {}", allowed.join(", "))));
                };
                if !allowed.contains(&name.as_str()) {
                    return Err(
                        meta.error(format!("{place} takes {}, not {name}", allowed.join(", ")))
                    );
                }
                let twice = match name.as_str() {
                    "tag" => found.tag.replace(meta.value()?.parse()?).is_some(),
                    "select" => found.select.replace(meta.value()?.parse()?).is_some(),
                    "crate" => found.krate.replace(meta.value()?.parse()?).is_some(),
                    "choice" => std::mem::replace(&mut found.choice, true),
                    _ => std::mem::replace(&mut found.unknown, true),
                };
                if twice { Err(meta.error(format!("{name} stands there twice"))) } else { Ok(()) }
            })?;
        }
        Ok(found)
    }

    /// The code with the codec's path as the attribute `crate` says it.
    pub(crate) fn place(&self, code: TokenStream) -> TokenStream {
        match &self.krate {
            Some(path) => name_crate(code, path),
            None => code,
        }
    }

    /// The tag as an expression: named, or the type's own.
    pub(crate) fn tag_of(&self, item: &Type) -> TokenStream {
        match &self.tag {
            Some(path) => tag_path(path),
            None => quote!(<#item as ::bindery_ttlv::Tagged>::TAG),
        }
    }
}

/// Writes another path wherever the code says `::bindery_ttlv`: for who has the codec under another
/// name (`bindery::ttlv`).
fn name_crate(code: TokenStream, path: &Path) -> TokenStream {
    let mut renamed: Vec<TokenTree> = Vec::new();
    for token in code {
        match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), name_crate(group.stream(), path));
                inner.set_span(group.span());
                renamed.push(inner.into());
            }
            TokenTree::Ident(ident) if ident == "bindery_ttlv" && ends_in_colons(&renamed) => {
                renamed.truncate(renamed.len() - 2);
                renamed.extend(quote!(#path));
            }
            other => renamed.push(other),
        }
    }
    renamed.into_iter().collect()
}

fn ends_in_colons(tokens: &[TokenTree]) -> bool {
    let colon =
        |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ':');
    matches!(tokens, [.., first, second] if colon(first) && colon(second))
}

/// A single word is a constant of `Tag`; a longer path stands for itself.
pub(crate) fn tag_path(path: &Path) -> TokenStream {
    match path.get_ident() {
        Some(name) => quote!(::bindery_ttlv::Tag::#name),
        None => quote!(#path),
    }
}

/// How often a field may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    One,
    Optional,
    Repeated,
}

/// `Option<T>` and `Vec<T>` taken apart.
pub(crate) fn count(of: &Type) -> Result<(Count, Type)> {
    let Type::Path(path) = of else { return Ok((Count::One, of.clone())) };
    let Some(last) = path.path.segments.last() else { return Ok((Count::One, of.clone())) };
    let count = match last.ident.to_string().as_str() {
        "Option" => Count::Optional,
        "Vec" => Count::Repeated,
        _ => return Ok((Count::One, of.clone())),
    };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return Err(Error::new(last.span(), "expected one type in angle brackets"));
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => {
            let (nested, _) = self::count(inner)?;
            if nested == Count::One {
                Ok((count, inner.clone()))
            } else {
                Err(Error::new(inner.span(), "a field is Option<T> or Vec<T>, not both"))
            }
        }
        _ => Err(Error::new(arguments.span(), "expected one type in angle brackets")),
    }
}
