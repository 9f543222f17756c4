//! The bindings against what a C compiler makes of the real header with the real settings, on this target:
//! size of every struct, offset and size of every field, value of every constant, place of every bit-field,
//! and a symbol for every function. The names come from the bindings; see `generator/`.

use std::ffi::{CStr, c_char, c_longlong, c_void};
use std::slice;

#[allow(
    missing_docs,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    reason = "generated, one access a block"
)]
mod generated {
    use super::{BitField, size_behind};

    include!(concat!(env!("OUT_DIR"), "/abi.rs"));
}

/// A bit-field with the accessors of the bindings and of C.
struct BitField {
    name: &'static str,
    size: usize,
    get: fn(*mut c_void) -> u32,
    set: fn(*mut c_void, u32),
    c_get: fn(*mut c_void) -> u32,
    c_set: fn(*mut c_void, u32),
}

#[repr(C)]
struct Number {
    name: *const c_char,
    value: c_longlong,
}

#[repr(C)]
struct Text {
    name: *const c_char,
    value: *const c_char,
}

#[link(name = "abi", kind = "static")]
unsafe extern "C" {
    static abi_numbers: [Number; 0];
    static abi_number_count: usize;
    static abi_strings: [Text; 0];
    static abi_string_count: usize;
}

/// The size of the type that a projection points to. It is never called.
const fn size_behind<T, F>(_projection: fn(*const T) -> *const F) -> usize {
    size_of::<F>()
}

fn text(pointer: *const c_char) -> &'static str {
    // SAFETY: only called with string literals of the generated C file.
    unsafe { CStr::from_ptr(pointer) }.to_str().expect("the header is ASCII")
}

#[test]
fn sizes_offsets_and_constants_agree() {
    // SAFETY: the C file defines the table and says how many rows it has.
    let rows = unsafe { slice::from_raw_parts((&raw const abi_numbers).cast::<Number>(), abi_number_count) };
    assert_eq!(rows.len(), generated::NUMBERS.len());
    assert!(rows.len() > 700, "only {} rows: the generator lost most of the bindings", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .zip(generated::NUMBERS)
        .inspect(|(c, (name, _))| assert_eq!(text(c.name), *name))
        .filter(|(c, (_, value))| c.value != *value)
        .map(|(c, (name, value))| format!("{name}: {} in C, {value} in the bindings", c.value))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn strings_agree() {
    // SAFETY: the C file defines the table and says how many rows it has.
    let rows = unsafe { slice::from_raw_parts((&raw const abi_strings).cast::<Text>(), abi_string_count) };
    assert_eq!(rows.len(), generated::STRINGS.len());
    for (c, (name, value)) in rows.iter().zip(generated::STRINGS) {
        assert_eq!(text(c.name), *name);
        assert_eq!([text(c.value).as_bytes(), b"\0"].concat(), *value, "{name}");
    }
}

#[test]
fn bit_fields_lie_where_c_has_them() {
    let fields = generated::bit_fields();
    assert!(fields.iter().any(|field| field.name == "mg_connection.is_closing"));
    for BitField { name, size, get, set, c_get, c_set } in fields {
        // One bit after the other, so that a width or a shift that differs shows.
        for bit in 0..32 {
            let mut by_rust = vec![0u64; size.div_ceil(8)];
            let mut by_c = by_rust.clone();
            let (rust_ptr, c_ptr) = (by_rust.as_mut_ptr().cast(), by_c.as_mut_ptr().cast());
            set(rust_ptr, 1 << bit);
            c_set(c_ptr, 1 << bit);
            assert_eq!(c_get(rust_ptr), get(c_ptr), "{name}, bit {bit}");
            assert_eq!(by_rust, by_c, "{name}, bit {bit}");
        }
    }
}

#[test]
fn every_function_and_variable_has_a_symbol() {
    let symbols = generated::symbols();
    assert!(symbols.len() > 200, "only {} symbols: the generator lost most of the bindings", symbols.len());
    assert!(symbols.iter().all(|symbol| !symbol.is_null()));
}

#[test]
fn the_build_exports_the_version_of_the_header() {
    assert_eq!(env!("MONGOOSE_VERSION").as_bytes(), &mongoose_sys::MG_VERSION[..4]);
}
