//! `#[derive(Ttlv)]` on a struct.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DataStruct, DeriveInput, Error, Field, Fields, Ident, Result, Type};

use crate::attributes::{Attributes, Count, count, tag_path};

/// A field of the struct that is one or more items.
struct Known {
    name: Ident,
    /// The type without `Option` and `Vec`.
    item: Type,
    count: Count,
    kind: Kind,
    /// Its place among the fields, from 1.
    number: u16,
}

enum Kind {
    /// One tag.
    Plain { tag: TokenStream },
    /// One tag, and the field that selects the form.
    Select { tag: TokenStream, key: Ident },
    /// The tags of the type.
    Choice,
}

pub(crate) fn expand(input: &DeriveInput, data: &DataStruct) -> Result<TokenStream> {
    let attributes = Attributes::read(&input.attrs, &["tag", "crate"], "a struct")?;
    let Fields::Named(named) = &data.fields else {
        return Err(Error::new_spanned(&input.ident, "a TTLV structure has named fields"));
    };
    let mut fields = Vec::new();
    let mut unknown = None;
    for field in &named.named {
        read(field, &mut fields, &mut unknown)?;
    }
    check_tags(&fields)?;
    check_select(&fields)?;
    let name = &input.ident;
    let decode = decode(&fields, unknown.as_ref());
    let encode = encode(&fields, unknown.as_ref());
    let tagged = attributes.tag.as_ref().map(|path| {
        let tag = tag_path(path);
        quote! {
            impl ::bindery_ttlv::Tagged for #name {
                const TAG: ::bindery_ttlv::Tag = #tag;
            }
        }
    });
    let code = quote! {
        #tagged

        impl ::bindery_ttlv::Structure for #name {
            fn decode_fields(
                fields: &mut ::bindery_ttlv::Decoder<'_>,
            ) -> ::core::result::Result<Self, ::bindery_ttlv::Error> {
                #decode
            }

            fn encode_fields(&self, writer: &mut ::bindery_ttlv::Writer<'_>) {
                #encode
            }
        }
    };
    Ok(attributes.place(code))
}

/// Puts one field of the struct where it belongs.
fn read(field: &Field, fields: &mut Vec<Known>, unknown: &mut Option<Ident>) -> Result<()> {
    let attributes =
        Attributes::read(&field.attrs, &["tag", "choice", "select", "unknown"], "a field")?;
    let Some(name) = field.ident.clone() else { return Ok(()) };
    if attributes.unknown {
        if attributes.tag.is_some() || attributes.choice || attributes.select.is_some() {
            return Err(Error::new_spanned(field, "unknown stands alone"));
        }
        if count(&field.ty)?.0 != Count::Repeated {
            return Err(Error::new_spanned(
                &field.ty,
                "the unknown fields are kept in a Vec<RawItem>",
            ));
        }
        if unknown.replace(name).is_some() {
            return Err(Error::new_spanned(field, "a struct has one unknown field"));
        }
        return Ok(());
    }
    let (count, item) = count(&field.ty)?;
    let kind = match (attributes.choice, &attributes.select) {
        (true, Some(_)) => {
            return Err(Error::new_spanned(field, "choice and select exclude each other"));
        }
        (true, None) if attributes.tag.is_some() => {
            return Err(Error::new_spanned(field, "the tags of a choice are those of its type"));
        }
        (true, None) => Kind::Choice,
        (false, Some(_)) if count == Count::Repeated => {
            return Err(Error::new_spanned(field, "a selected field does not repeat"));
        }
        (false, Some(key)) => Kind::Select { tag: attributes.tag_of(&item), key: key.clone() },
        (false, None) => Kind::Plain { tag: attributes.tag_of(&item) },
    };
    let number = u16::try_from(fields.len() + 1)
        .map_err(|_| Error::new_spanned(field, "too many fields"))?;
    fields.push(Known { name, item, count, kind, number });
    Ok(())
}

/// Two fields with the same tag, as far as it is spelled the same; the rest is a constant assertion.
fn check_tags(fields: &[Known]) -> Result<()> {
    let mut seen = Vec::new();
    for field in fields {
        let (Kind::Plain { tag } | Kind::Select { tag, .. }) = &field.kind else { continue };
        let tag = tag.to_string();
        if seen.contains(&tag) {
            return Err(Error::new(
                field.name.span(),
                "another field of this structure has the same tag",
            ));
        }
        seen.push(tag);
    }
    Ok(())
}

/// A selecting field must exist, and be decoded as it is declared.
fn check_select(fields: &[Known]) -> Result<()> {
    for field in fields {
        let Kind::Select { key, .. } = &field.kind else { continue };
        match fields.iter().find(|other| other.name == *key) {
            None => return Err(Error::new(key.span(), "the struct has no such field")),
            Some(other) if matches!(other.kind, Kind::Select { .. }) => {
                return Err(Error::new(key.span(), "a selected field cannot select another"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The local variable of a field, so that no field name can clash with the code around it.
fn local(field: &Known) -> Ident {
    format_ident!("field_{}", field.number)
}

fn constant(field: &Known) -> Ident {
    format_ident!("TAG_{}", field.number)
}

fn decode(fields: &[Known], unknown: Option<&Ident>) -> TokenStream {
    let tags = fields.iter().filter_map(|field| match &field.kind {
        Kind::Plain { tag } | Kind::Select { tag, .. } => {
            let constant = constant(field);
            Some(quote!(const #constant: ::bindery_ttlv::Tag = #tag;))
        }
        Kind::Choice => None,
    });
    let groups = fields.iter().map(|field| match &field.kind {
        Kind::Plain { tag } | Kind::Select { tag, .. } => quote!(&[#tag]),
        Kind::Choice => {
            let item = &field.item;
            quote!(<#item as ::bindery_ttlv::Choice>::TAGS)
        }
    });
    let slots = fields.iter().map(slot);
    let arms = fields.iter().map(arm);
    let other = match unknown {
        Some(_) => quote!(::bindery_ttlv::derived::keep(element, &order, &mut unknown)?),
        None => quote!(::bindery_ttlv::derived::refuse(element)?),
    };
    let kept = unknown.map(|_| quote!(let mut unknown = ::std::vec::Vec::new();));
    // Keys first: a selected field may be declared before its key.
    let (selected, plain): (Vec<_>, Vec<_>) =
        fields.iter().partition(|field| matches!(field.kind, Kind::Select { .. }));
    let takes = plain.into_iter().chain(selected).map(|field| take(field, fields));
    let names = fields.iter().map(|field| {
        let (name, local) = (&field.name, local(field));
        quote!(#name: #local)
    });
    let unknown = unknown.map(|name| quote!(#name: unknown,));
    quote! {
        const _: () = ::core::assert!(
            ::bindery_ttlv::derived::distinct(&[#(#groups),*]),
            "two fields of this structure have the same tag",
        );
        #(#tags)*
        #(#slots)*
        #kept
        let mut order = ::bindery_ttlv::derived::Order::new();
        while let ::core::option::Option::Some(element) = fields.next()? {
            match element.tag() {
                #(#arms)*
                _ => #other,
            }
        }
        let _ = order;
        #(#takes)*
        ::core::result::Result::Ok(Self { #(#names,)* #unknown })
    }
}

/// The variable that collects a field.
fn slot(field: &Known) -> TokenStream {
    let (local, item) = (local(field), &field.item);
    match (&field.kind, field.count) {
        (_, Count::Repeated) => {
            quote!(let mut #local: ::std::vec::Vec<#item> = ::std::vec::Vec::new();)
        }
        (Kind::Select { .. }, _) => {
            quote!(let mut #local: ::core::option::Option<::bindery_ttlv::Element<'_>> = ::core::option::Option::None;)
        }
        _ => quote!(let mut #local: ::core::option::Option<#item> = ::core::option::Option::None;),
    }
}

/// The match arm that decodes a field.
fn arm(field: &Known) -> TokenStream {
    let (local, item, number, constant) =
        (local(field), &field.item, field.number, constant(field));
    match (&field.kind, field.count) {
        (Kind::Plain { .. }, Count::Repeated) => {
            quote!(#constant => ::bindery_ttlv::derived::push(element, &mut order, #number, &mut #local)?,)
        }
        (Kind::Plain { .. }, _) => {
            quote!(#constant => ::bindery_ttlv::derived::fill(element, &mut order, #number, &mut #local)?,)
        }
        (Kind::Select { .. }, _) => quote! {
            #constant => {
                ::bindery_ttlv::derived::single(&element, &mut order, #number, #local.is_some())?;
                #local = ::core::option::Option::Some(element);
            }
        },
        (Kind::Choice, Count::Repeated) => quote! {
            tag if ::bindery_ttlv::derived::chooses::<#item>(tag) => {
                ::bindery_ttlv::derived::push_choice(element, &mut order, #number, &mut #local)?
            }
        },
        (Kind::Choice, _) => quote! {
            tag if ::bindery_ttlv::derived::chooses::<#item>(tag) => {
                ::bindery_ttlv::derived::fill_choice(element, &mut order, #number, &mut #local)?
            }
        },
    }
}

/// After the loop: what was collected becomes the field.
fn take(field: &Known, fields: &[Known]) -> TokenStream {
    let (local, item, constant) = (local(field), &field.item, constant(field));
    let selected = match &field.kind {
        Kind::Select { key, .. } => fields.iter().find(|other| other.name == *key).map(|other| {
            let key = self::local(other);
            quote! {
                let #local = match #local {
                    ::core::option::Option::Some(element) => ::core::option::Option::Some(
                        <#item as ::bindery_ttlv::Select<_>>::decode_selected(&#key, element)?,
                    ),
                    ::core::option::Option::None => ::core::option::Option::None,
                };
            }
        }),
        _ => None,
    };
    let required = (field.count == Count::One).then(|| {
        let missing = match &field.kind {
            Kind::Choice => quote!(fields.missing_choice(<#item as ::bindery_ttlv::Choice>::TAGS)),
            _ => quote!(fields.missing(#constant)),
        };
        quote! {
            let ::core::option::Option::Some(#local) = #local else {
                return ::core::result::Result::Err(#missing);
            };
        }
    });
    quote!(#selected #required)
}

fn encode(fields: &[Known], unknown: Option<&Ident>) -> TokenStream {
    let writes = fields.iter().map(|field| write(field, unknown.is_some()));
    match unknown {
        Some(name) => quote! {
            let mut unknown = ::bindery_ttlv::derived::Unknown::new(&self.#name);
            unknown.upto(writer, 0, 0);
            #(#writes)*
            unknown.rest(writer);
        },
        None => quote!(#(#writes)* let _ = writer;),
    }
}

fn write(field: &Known, unknown: bool) -> TokenStream {
    let (name, number) = (&field.name, field.number);
    let item = match &field.kind {
        Kind::Plain { tag } | Kind::Select { tag, .. } => quote! {
            ::bindery_ttlv::Encode::encode(value, #tag, writer);
        },
        Kind::Choice => quote!(::bindery_ttlv::Choice::encode_choice(value, writer);),
    };
    let behind = unknown.then(|| quote!(unknown.upto(writer, #number, nth + 1);));
    match field.count {
        Count::Repeated => {
            let rest = unknown.then(|| quote!(unknown.upto(writer, #number, usize::MAX);));
            quote! {
                for (nth, value) in self.#name.iter().enumerate() {
                    #item
                    let _ = nth;
                    #behind
                }
                #rest
            }
        }
        Count::One => {
            let rest = unknown.then(|| quote!(unknown.upto(writer, #number, usize::MAX);));
            quote!({ let value = &self.#name; #item } #rest)
        }
        Count::Optional => {
            let rest = unknown.then(|| quote!(unknown.upto(writer, #number, usize::MAX);));
            quote!(if let ::core::option::Option::Some(value) = &self.#name { #item } #rest)
        }
    }
}
