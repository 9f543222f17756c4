//! Where C is right, C and we are of one mind.

use std::mem;

use mongoose::sys;
use mongoose_tests::{Random, scaled};

use crate::form_server::{Field, parse, write};

fn bytes(string: sys::mg_str) -> Vec<u8> {
    if string.buf.is_null() {
        return Vec::new();
    }
    // SAFETY: C's strings are views of what it was given, which is alive.
    unsafe { std::slice::from_raw_parts(string.buf.cast::<u8>(), string.len) }.to_vec()
}

/// What `mg_http_next_multipart` finds: name, file name, content.
fn c_multipart(form: &[u8]) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let body = sys::mg_str { buf: form.as_ptr().cast_mut().cast(), len: form.len() };
    let (mut parts, mut offset) = (Vec::new(), 0);
    loop {
        // SAFETY: a plain C struct for which zeroes are valid; C reads `form` alone.
        let (part, next) = unsafe {
            let mut part: sys::mg_http_part = mem::zeroed();
            let next = sys::mg_http_next_multipart(body, offset, &raw mut part);
            (part, next)
        };
        if next == 0 {
            return parts;
        }
        parts.push((bytes(part.name), bytes(part.filename), bytes(part.body)));
        offset = next;
    }
}

/// What `mg_url_decode` makes of a text; `None` where it refuses.
fn c_url_decode(text: &str, form: bool) -> Option<Vec<u8>> {
    let mut decoded = vec![0u8; text.len() + 1];
    // SAFETY: C reads the text and writes at most the size it is told.
    let len = unsafe {
        let to = decoded.as_mut_ptr().cast();
        sys::mg_url_decode(text.as_ptr().cast(), text.len(), to, decoded.len(), i32::from(form))
    };
    decoded.truncate(usize::try_from(len).ok()?);
    Some(decoded)
}

fn c_base64_decode(text: &str) -> Vec<u8> {
    let mut decoded = vec![0u8; text.len() + 1];
    // SAFETY: as above.
    let len = unsafe {
        sys::mg_base64_decode(text.as_ptr().cast(), text.len(), decoded.as_mut_ptr().cast(), decoded.len())
    };
    decoded.truncate(len);
    decoded
}

fn c_header_parameter(value: &str, name: &str) -> Vec<u8> {
    let string = |text: &str| sys::mg_str { buf: text.as_ptr().cast_mut().cast(), len: text.len() };
    // SAFETY: C reads both texts and answers a view of the first.
    bytes(unsafe { sys::mg_http_get_header_var(string(value), string(name)) })
}

fn text(random: &mut Random, from: &[u8], most: usize) -> String {
    (0..random.below(most + 1)).map(|_| char::from(from[random.below(from.len())])).collect()
}

#[test]
fn of_1_000_well_formed_forms_c_finds_the_same_parts() {
    let mut random = Random::new(0x663);
    for _ in 0..scaled(1000) {
        let fields: Vec<_> = (0..1 + random.below(5))
            .map(|number| {
                let name = format!("n{number}{}", text(&mut random, b"abc -.", 10).trim());
                let size = random.below(3000);
                let content = random.bytes(size);
                if random.below(2) == 0 {
                    return Field::text(&name, content);
                }
                Field::file(&name, &format!("f{}", text(&mut random, b"abc.-_", 10)), "text/plain", content)
            })
            .collect();
        let form = write("abcXYZ", &fields);
        assert_eq!(parse("abcXYZ", random.split(&form, 500)).as_ref(), Ok(&fields));
        let ours: Vec<_> = fields
            .into_iter()
            .map(|field| {
                (field.name.into_bytes(), field.filename.unwrap_or_default().into_bytes(), field.body)
            })
            .collect();
        assert!(c_multipart(&form) == ours, "C finds other parts in {}", form.escape_ascii());
    }
}

#[test]
fn hazard_40_where_the_file_name_comes_first_c_takes_it_for_the_name() {
    let form = "--x\r\nContent-Disposition: form-data; filename=\"f\"; name=\"n\"\r\n\r\n1\r\n--x--\r\n";
    let expected = Field { filename: Some("f".to_owned()), ..Field::text("n", "1") };
    assert_eq!(parse("x", [form.as_bytes()]), Ok(vec![expected]));
    assert_eq!(c_multipart(form.as_bytes())[0].0, b"f");
}

#[test]
fn r14_where_a_form_is_cut_off_c_gives_a_part_without_its_content_and_no_error() {
    let form = "--x\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n12345";
    assert_eq!(
        parse("x", [form.as_bytes()]),
        Err("not a multipart form: it ends before its last delimiter".into())
    );
    assert_eq!(c_multipart(form.as_bytes()), [(b"n".to_vec(), vec![], vec![])]);
}

#[test]
fn hazard_39_where_a_name_ends_like_another_c_takes_it_for_that() {
    assert_eq!(c_header_parameter("a; xsession=1; session=2", "session"), b"1");
    assert_eq!(c_header_parameter("Digest cnonce=\"1\", nonce=\"2\"", "nonce"), b"1");
}

#[test]
fn of_20_000_texts_c_decodes_the_same_or_refuses_the_same() {
    let mut random = Random::new(0x25);
    for _ in 0..scaled(20_000) {
        let text = text(&mut random, b"%%%%0123456789abcdefABCDEFgG+-&=", 12);
        let ours = mongoose::url::decode(&text).ok().map(|decoded| decoded.into_owned());
        assert_eq!(ours, c_url_decode(&text, false), "{text}");
        let ours = mongoose::url::decode_form(&text).ok().map(|decoded| decoded.into_owned());
        assert_eq!(ours, c_url_decode(&text, true), "{text}");
    }
}

#[test]
fn credentials_decode_to_what_c_decodes() {
    let mut random = Random::new(0x64);
    for size in 0..200 {
        let password = text(&mut random, b"abcXYZ019 !~:\xfe\xff", size);
        let value = mongoose::http::basic_authorization("user", &password).expect("valid");
        let encoded = value.strip_prefix("Basic ").expect("its scheme");
        assert_eq!(c_base64_decode(encoded), format!("user:{password}").into_bytes());
    }
    assert_eq!(c_base64_decode("YTpi=Z=="), b"", "where it refuses, C answers nothing");
}
