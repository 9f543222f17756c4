//! What the bindings declare, by name.

use syn::{File, ForeignItem, ImplItem, Item, Type};

/// A struct or union of the bindings.
pub struct Record {
    pub name: String,
    /// The fields that have an address, by their names in Rust.
    pub fields: Vec<String>,
    /// The fields that are bits of an integer.
    pub bit_fields: Vec<String>,
    /// Whether C gives it no name of its own, so that only its outer type can be asked about it.
    pub nameless: bool,
}

/// Everything that the test asks about.
#[derive(Default)]
pub struct Names {
    pub records: Vec<Record>,
    /// Integer constants: macros, enumerators and settings.
    pub integers: Vec<String>,
    /// String constants.
    pub strings: Vec<String>,
    /// Names of types that are not records: enums and function pointers.
    pub aliases: Vec<String>,
    /// Functions and variables, with their attributes.
    pub symbols: Vec<Symbol>,
}

/// Something that the linker must find.
pub struct Symbol {
    pub name: syn::Ident,
    pub attributes: Vec<syn::Attribute>,
    pub is_function: bool,
}

impl Names {
    /// Adds what a source file declares.
    pub fn add(&mut self, file: &File) {
        for item in &file.items {
            match item {
                Item::Struct(item) => self.add_record(item.ident.to_string(), &item.fields, &item.generics),
                Item::Union(item) => {
                    self.add_record(
                        item.ident.to_string(),
                        &syn::Fields::Named(item.fields.clone()),
                        &item.generics,
                    );
                }
                Item::Const(item) => match &*item.ty {
                    Type::Reference(_) => self.strings.push(item.ident.to_string()),
                    _ => self.integers.push(item.ident.to_string()),
                },
                Item::Type(item) => self.aliases.push(item.ident.to_string()),
                Item::ForeignMod(item) => self.symbols.extend(item.items.iter().filter_map(symbol)),
                Item::Impl(item) if item.trait_.is_none() => self.add_bit_fields(item),
                _ => {}
            }
        }
    }

    fn add_record(&mut self, name: String, fields: &syn::Fields, generics: &syn::Generics) {
        let names: Vec<String> =
            fields.iter().filter_map(|field| field.ident.as_ref()).map(ToString::to_string).collect();
        // Generic: bindgen's own helper. `_unused` or `_address` alone: declared in C, never defined.
        if !generics.params.is_empty() || names == ["_unused"] || names == ["_address"] {
            return;
        }
        let nameless = name.contains("__bindgen_ty_");
        // With a leading underscore: padding, and the storage of bit-fields.
        let fields = names.into_iter().filter(|name| !name.starts_with('_')).collect();
        self.records.push(Record { name, fields, bit_fields: Vec::new(), nameless });
    }

    /// bindgen makes a `set_NAME_raw` for each bit-field, in an `impl` after its struct.
    fn add_bit_fields(&mut self, item: &syn::ItemImpl) {
        let Type::Path(path) = &*item.self_ty else { return };
        let Some(record) = self.records.iter_mut().find(|record| path.path.is_ident(&record.name)) else {
            return;
        };
        let functions = item.items.iter().filter_map(|item| match item {
            ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
            _ => None,
        });
        let fields =
            functions.filter_map(|name| Some(name.strip_prefix("set_")?.strip_suffix("_raw")?.to_owned()));
        record.bit_fields.extend(fields);
    }
}

fn symbol(item: &ForeignItem) -> Option<Symbol> {
    match item {
        ForeignItem::Fn(item) => {
            Some(Symbol { name: item.sig.ident.clone(), attributes: item.attrs.clone(), is_function: true })
        }
        ForeignItem::Static(item) => {
            Some(Symbol { name: item.ident.clone(), attributes: item.attrs.clone(), is_function: false })
        }
        _ => None,
    }
}
