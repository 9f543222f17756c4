//! The Rust side: the same questions, in the same words, asked of the bindings.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::bindings::{Names, Record};
use crate::c::c_field;

/// The text of the Rust file, which the test includes.
pub fn file(names: &Names) -> String {
    let numbers = numbers(names);
    let strings = names.strings.iter().map(|name| {
        let constant = format_ident!("{name}");
        quote!((#name, mongoose_sys::#constant as &[u8]))
    });
    let symbols = names.symbols.iter().map(|symbol| {
        let (name, attributes) = (&symbol.name, &symbol.attributes);
        if symbol.is_function {
            quote!(#(#attributes)* { mongoose_sys::#name as *const () })
        } else {
            quote!(#(#attributes)* { (&raw const mongoose_sys::#name).cast() })
        }
    });
    let bit_fields = names.records.iter().flat_map(bit_fields);
    let accessors = names.records.iter().flat_map(accessors);
    let tokens = quote! {
        /// Sizes, offsets and integer constants, as the bindings have them.
        pub const NUMBERS: &[(&str, i64)] = &[#(#numbers),*];

        /// String constants, as the bindings have them, with their terminating NUL.
        pub const STRINGS: &[(&str, &[u8])] = &[#(#strings),*];

        /// The address of every function and variable: this links only if each has a symbol.
        pub fn symbols() -> Vec<*const ()> {
            vec![#(#symbols),*]
        }

        /// Every bit-field, with the accessors of either side.
        pub fn bit_fields() -> Vec<BitField> {
            vec![#(#bit_fields),*]
        }

        unsafe extern "C" {
            #(#accessors)*
        }
    };
    prettyplease::unparse(&syn::parse2(tokens).expect("what was quoted is valid Rust"))
}

fn numbers(names: &Names) -> Vec<TokenStream> {
    let mut rows = Vec::new();
    for record in names.records.iter().filter(|record| !record.nameless) {
        let (name, ty) = (&record.name, format_ident!("{}", record.name));
        let label = format!("sizeof {name}");
        rows.push(quote!((#label, size_of::<mongoose_sys::#ty>() as i64)));
        for field in &record.fields {
            let ident = format_ident!("{field}");
            let (offset, size) =
                (format!("offsetof {name}.{}", c_field(field)), format!("sizeof {name}.{}", c_field(field)));
            rows.push(quote!((#offset, core::mem::offset_of!(mongoose_sys::#ty, #ident) as i64)));
            rows.push(quote!((#size, size_behind(|p: *const mongoose_sys::#ty| unsafe { &raw const (*p).#ident }) as i64)));
        }
    }
    for name in &names.aliases {
        let (label, ty) = (format!("sizeof {name}"), format_ident!("{name}"));
        rows.push(quote!((#label, size_of::<mongoose_sys::#ty>() as i64)));
    }
    for name in &names.integers {
        let constant = format_ident!("{name}");
        rows.push(quote!((#name, mongoose_sys::#constant as i64)));
    }
    rows
}

fn bit_fields(record: &Record) -> Vec<TokenStream> {
    let ty = format_ident!("{}", record.name);
    let row = |field: &String| {
        let label = format!("{}.{}", record.name, c_field(field));
        let (get, set) = (format_ident!("{field}_raw"), format_ident!("set_{field}_raw"));
        let (c_get, c_set) = (format_ident!("abi_get_{ty}_{field}"), format_ident!("abi_set_{ty}_{field}"));
        quote!(BitField {
            name: #label,
            size: size_of::<mongoose_sys::#ty>(),
            get: |p| unsafe { mongoose_sys::#ty::#get(p.cast_const().cast()) as u32 },
            set: |p, value| unsafe { mongoose_sys::#ty::#set(p.cast(), value as _) },
            c_get: |p| unsafe { #c_get(p.cast_const().cast()) },
            c_set: |p, value| unsafe { #c_set(p.cast(), value) },
        })
    };
    record.bit_fields.iter().map(row).collect()
}

fn accessors(record: &Record) -> Vec<TokenStream> {
    let ty = format_ident!("{}", record.name);
    let declare = |field: &String| {
        let (get, set) = (format_ident!("abi_get_{ty}_{field}"), format_ident!("abi_set_{ty}_{field}"));
        quote! {
            fn #get(p: *const mongoose_sys::#ty) -> core::ffi::c_uint;
            fn #set(p: *mut mongoose_sys::#ty, value: core::ffi::c_uint);
        }
    };
    record.bit_fields.iter().map(declare).collect()
}
