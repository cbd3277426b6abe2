#![doc = include_str!("../README.md")]

mod attributes;
mod choice;
mod structure;

use proc_macro::TokenStream;
use syn::{Data, DeriveInput, Error, parse_macro_input};

/// Makes a struct a TTLV structure, or an enum a choice between items.
///
/// On a struct with named fields it implements `Structure` (so `Decode` and `Encode`), and `Tagged` if the struct has
/// a tag. On an enum whose variants hold one value each it implements `Choice`.
///
/// | attribute | on | meaning |
/// | --- | --- | --- |
/// | `#[ttlv(tag = NAME)]` | struct | the structure's tag wherever it stands |
/// | `#[ttlv(tag = NAME)]` | field, variant | the item's tag; without it, the type's own (`Tagged`) |
/// | `#[ttlv(choice)]` | field | the item is one of several: the type is a `Choice` |
/// | `#[ttlv(select = field)]` | field | the form of the value depends on another field: the type is a `Select` |
/// | `#[ttlv(unknown)]` | field `Vec<RawItem>` | keeps every field not named, in its place |
/// | `#[ttlv(crate = path)]` | struct, enum | where the codec stands, if not at `::bindery_ttlv`: `bindery::ttlv` |
///
/// `NAME` is a constant of `Tag`, or a path to a constant of type `Tag`. `Option<T>` may be absent, `Vec<T>` repeats
/// (also not at all), anything else is required. Fields are declared in the specification's order: they are written
/// in it, and a strict reader insists on it. A struct without an `unknown` field refuses fields that it does not know
/// (with the tolerance `extra_fields` it checks and drops them).
#[proc_macro_derive(Ttlv, attributes(ttlv))]
pub fn ttlv(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let expanded = if let Some(parameter) = input.generics.params.first() {
        Err(Error::new_spanned(parameter, "a TTLV message has no generic parameters"))
    } else {
        match &input.data {
            Data::Struct(data) => structure::expand(&input, data),
            Data::Enum(data) => choice::expand(&input, data),
            Data::Union(_) => {
                Err(Error::new_spanned(&input.ident, "Ttlv is for structs and enums"))
            }
        }
    };
    expanded.unwrap_or_else(Error::into_compile_error).into()
}
