//! What bindgen cannot be told: passes over its output that make it independent of the system it ran on.

use std::collections::HashMap;

use syn::visit_mut::{self, VisitMut};
use syn::{File, ForeignItem, ForeignItemFn, Item, ItemForeignMod, ItemUnion, Type, parse_quote};

/// The functions that exist only with Mongoose's own TLS, by the start of their names.
const BUILTIN_TLS: &[&str] =
    &["mg_aes_gcm_", "mg_chacha20_", "mg_gcm_", "mg_rsa_", "mg_tls_x25519", "mg_uecc_"];

/// Rewrites the text of a bindings file.
pub fn normalise(bindings: &str) -> syn::Result<String> {
    let mut file = syn::parse_file(bindings)?;
    inline_anonymous_enums(&mut file);
    name_the_socket_type(&mut file);
    gate_builtin_tls(&mut file);
    Ok(prettyplease::unparse(&file))
}

/// Gives the constants of anonymous enums their integer type itself. bindgen names these enums by counting
/// all that the system's headers have, so the names differ between systems.
fn inline_anonymous_enums(file: &mut File) {
    let mut integers = HashMap::new();
    file.items.retain(|item| match item {
        Item::Type(alias) if is_anonymous(&alias.ident.to_string()) => {
            integers.insert(alias.ident.clone(), (*alias.ty).clone());
            false
        }
        _ => true,
    });
    Inline { integers }.visit_file_mut(file);
}

/// Whether bindgen made up this name for a type at the top level. (The names it makes up for nested types
/// start with that of the outer type, and are the same everywhere.)
fn is_anonymous(name: &str) -> bool {
    name.starts_with("_bindgen_ty_")
}

struct Inline {
    integers: HashMap<syn::Ident, Type>,
}

impl VisitMut for Inline {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(path) = ty
            && let Some(name) = path.path.get_ident()
            && let Some(integer) = self.integers.get(name)
        {
            *ty = integer.clone();
            return;
        }
        visit_mut::visit_type_mut(self, ty);
    }
}

/// Gives the one field that holds a socket the type that follows the platform. In C that is a macro, so
/// bindgen sees only what it stands for on the system it runs on.
fn name_the_socket_type(file: &mut File) {
    for item in &mut file.items {
        if let Item::Union(ItemUnion { ident, fields, .. }) = item
            && ident == "mg_pipe"
        {
            for field in
                fields.named.iter_mut().filter(|field| field.ident.as_ref().is_some_and(|name| name == "fd"))
            {
                field.ty = parse_quote!(MG_SOCKET_TYPE);
            }
        }
    }
}

/// Puts `#[cfg(feature = "tls-builtin")]` on what has a symbol only with that feature.
fn gate_builtin_tls(file: &mut File) {
    let functions = file.items.iter_mut().filter_map(|item| match item {
        Item::ForeignMod(ItemForeignMod { items, .. }) => Some(items),
        _ => None,
    });
    for item in functions.flatten() {
        if let ForeignItem::Fn(ForeignItemFn { attrs, sig, .. }) = item {
            let name = sig.ident.to_string();
            if BUILTIN_TLS.iter().any(|start| name.starts_with(start)) {
                attrs.push(parse_quote!(#[cfg(feature = "tls-builtin")]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn anonymous_enums_become_integers() {
        let text =
            normalise("pub const A: _bindgen_ty_7 = 1; pub type _bindgen_ty_7 = core::ffi::c_uint;").unwrap();
        assert_eq!(text, "pub const A: core::ffi::c_uint = 1;\n");
    }

    #[test]
    fn nested_anonymous_types_keep_their_names() {
        let before = "pub struct mg_addr {\n    pub addr: mg_addr__bindgen_ty_1,\n}\n";
        assert_eq!(normalise(before).unwrap(), before);
    }

    #[test]
    fn the_socket_of_a_pipe_has_the_type_of_the_platform() {
        let text = normalise("pub union mg_pipe { pub fd: core::ffi::c_int, pub q: *mut core::ffi::c_void }")
            .unwrap();
        assert!(text.contains("pub fd: MG_SOCKET_TYPE,"), "{text}");
    }

    #[test]
    fn functions_of_the_builtin_tls_are_gated() {
        let text =
            normalise("unsafe extern \"C\" { pub fn mg_rsa_verify(); pub fn mg_md5_init(); }").unwrap();
        assert!(text.contains("#[cfg(feature = \"tls-builtin\")]\n    pub fn mg_rsa_verify();"), "{text}");
        assert!(!text.contains("]\n    pub fn mg_md5_init();"), "{text}");
    }
}
