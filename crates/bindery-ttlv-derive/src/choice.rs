//! `#[derive(Ttlv)]` on an enum.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataEnum, DeriveInput, Error, Fields, Ident, Result, Type, Variant};

use crate::attributes::Attributes;

struct Arm {
    name: Ident,
    value: Type,
    tag: TokenStream,
}

pub(crate) fn expand(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let attributes = Attributes::read(&input.attrs, &["crate"], "an enum")?;
    let arms = data.variants.iter().map(arm).collect::<Result<Vec<Arm>>>()?;
    if arms.is_empty() {
        return Err(Error::new_spanned(&input.ident, "a choice has at least one variant"));
    }
    let name = &input.ident;
    let tags: Vec<_> = arms.iter().map(|arm| &arm.tag).collect();
    let variants: Vec<_> = arms.iter().map(|arm| &arm.name).collect();
    let values: Vec<_> = arms.iter().map(|arm| &arm.value).collect();
    let constants: Vec<_> = (0..arms.len()).map(|i| quote::format_ident!("TAG_{i}")).collect();
    let code = quote! {
        impl ::bindery_ttlv::Choice for #name {
            const TAGS: &'static [::bindery_ttlv::Tag] = &[#(#tags),*];

            fn decode_choice(
                element: ::bindery_ttlv::Element<'_>,
            ) -> ::core::result::Result<Self, ::bindery_ttlv::Error> {
                const _: () = ::core::assert!(
                    ::bindery_ttlv::derived::distinct(&[&[#(#tags),*]]),
                    "two variants of this choice have the same tag",
                );
                #(const #constants: ::bindery_ttlv::Tag = #tags;)*
                match element.tag() {
                    #(#constants => <#values as ::bindery_ttlv::Decode>::decode(element).map(Self::#variants),)*
                    found => ::core::result::Result::Err(
                        element.error(::bindery_ttlv::ErrorKind::UnexpectedField { tag: found }),
                    ),
                }
            }

            fn encode_choice(&self, writer: &mut ::bindery_ttlv::Writer<'_>) {
                match self {
                    #(Self::#variants(value) => ::bindery_ttlv::Encode::encode(value, #tags, writer),)*
                }
            }
        }
    };
    Ok(attributes.place(code))
}

fn arm(variant: &Variant) -> Result<Arm> {
    let attributes = Attributes::read(&variant.attrs, &["tag"], "a variant")?;
    let one = match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
        _ => None,
    };
    let Some(field) = one else {
        return Err(Error::new_spanned(
            variant,
            "a variant of a choice holds one value: Variant(Type)",
        ));
    };
    let tag = attributes.tag_of(&field.ty);
    Ok(Arm { name: variant.ident.clone(), value: field.ty.clone(), tag })
}
