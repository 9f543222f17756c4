//! The C side: tables of what the compiler makes of the header, and accessors for bit-fields.

use std::fmt::Write;

use crate::bindings::{Names, Record};

/// The text of the C file.
pub fn file(names: &Names, header: &str) -> String {
    let mut text = String::from(
        "#include \"mongoose.h\"\n\
         struct abi_number { const char *name; long long value; };\n\
         struct abi_string { const char *name; const char *value; };\n",
    );
    write_numbers(&mut text, names, header).expect("writing to a String cannot fail");
    write_strings(&mut text, names).expect("writing to a String cannot fail");
    for record in &names.records {
        write_bit_fields(&mut text, record, header).expect("writing to a String cannot fail");
    }
    text
}

fn write_numbers(text: &mut String, names: &Names, header: &str) -> std::fmt::Result {
    writeln!(text, "const struct abi_number abi_numbers[] = {{")?;
    for record in names.records.iter().filter(|record| !record.nameless) {
        let (name, ty) = (&record.name, c_type(&record.name, header));
        writeln!(text, "  {{\"sizeof {name}\", sizeof({ty})}},")?;
        for field in &record.fields {
            let field = c_field(field);
            writeln!(text, "  {{\"offsetof {name}.{field}\", offsetof({ty}, {field})}},")?;
            writeln!(text, "  {{\"sizeof {name}.{field}\", sizeof((({ty} *) 0)->{field})}},")?;
        }
    }
    for name in &names.aliases {
        writeln!(text, "  {{\"sizeof {name}\", sizeof({})}},", c_type(name, header))?;
    }
    for name in &names.integers {
        writeln!(text, "  {{\"{name}\", (long long) ({name})}},")?;
    }
    writeln!(text, "}};\nconst size_t abi_number_count = sizeof(abi_numbers) / sizeof(abi_numbers[0]);")
}

fn write_strings(text: &mut String, names: &Names) -> std::fmt::Result {
    writeln!(text, "const struct abi_string abi_strings[] = {{")?;
    for name in &names.strings {
        writeln!(text, "  {{\"{name}\", {name}}},")?;
    }
    writeln!(text, "}};\nconst size_t abi_string_count = sizeof(abi_strings) / sizeof(abi_strings[0]);")
}

fn write_bit_fields(text: &mut String, record: &Record, header: &str) -> std::fmt::Result {
    let (name, ty) = (&record.name, c_type(&record.name, header));
    for field in &record.bit_fields {
        let c_field = c_field(field);
        writeln!(text, "unsigned abi_get_{name}_{field}(const {ty} *p) {{ return p->{c_field}; }}")?;
        writeln!(text, "void abi_set_{name}_{field}({ty} *p, unsigned v) {{ p->{c_field} = v; }}")?;
    }
    Ok(())
}

/// How C spells a type: with its tag if the header defines one of that name, else as a `typedef`.
fn c_type(name: &str, header: &str) -> String {
    let tag =
        ["struct", "union", "enum"].into_iter().find(|tag| header.contains(&format!("{tag} {name} {{")));
    tag.map_or_else(|| name.to_owned(), |tag| format!("{tag} {name}"))
}

/// bindgen puts an underscore behind names that are keywords in Rust.
pub fn c_field(name: &str) -> &str {
    match name.strip_suffix('_') {
        Some(keyword) if syn::parse_str::<syn::Ident>(keyword).is_err() => keyword,
        _ => name,
    }
}
