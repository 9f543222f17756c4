//! Pure functions of the library against known answers, through the raw bindings.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use mongoose_sys::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(data: &[u8]) -> String {
    let mut digest = [0; 32];
    let mut context = mg_sha256_ctx::default();
    // SAFETY: the context and the digest are ours, the data is as long as it says.
    unsafe {
        mg_sha256_init(&mut context);
        mg_sha256_update(&mut context, data.as_ptr(), data.len());
        mg_sha256_final(digest.as_mut_ptr(), &mut context);
    }
    hex(&digest)
}

/// FIPS 180-2, appendix B.
#[test]
fn sha256_of_the_standard_vectors() {
    assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(
        sha256(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    );
    let million = vec![b'a'; 1_000_000];
    assert_eq!(sha256(&million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/// RFC 4231, test case 2.
#[test]
fn hmac_sha256_of_the_standard_vector() {
    let (mut key, mut data) = (*b"Jefe", *b"what do ya want for nothing?");
    let mut digest = [0; 32];
    // SAFETY: each pointer comes with its length.
    unsafe {
        mg_hmac_sha256(digest.as_mut_ptr(), key.as_mut_ptr(), key.len(), data.as_mut_ptr(), data.len());
    }
    assert_eq!(hex(&digest), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/// RFC 3174 and RFC 1321.
#[test]
fn sha1_and_md5_of_abc() {
    let (mut sha1, mut md5) = ([0; 20], [0; 16]);
    let (mut sha1_context, mut md5_context) = (mg_sha1_ctx::default(), mg_md5_ctx::default());
    // SAFETY: the contexts and digests are ours, the data is 3 bytes long.
    unsafe {
        mg_sha1_init(&mut sha1_context);
        mg_sha1_update(&mut sha1_context, b"abc".as_ptr(), 3);
        mg_sha1_final(sha1.as_mut_ptr(), &mut sha1_context);
        mg_md5_init(&mut md5_context);
        mg_md5_update(&mut md5_context, b"abc".as_ptr(), 3);
        mg_md5_final(&mut md5_context, md5.as_mut_ptr());
    }
    assert_eq!(hex(&sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(hex(&md5), "900150983cd24fb0d6963f7d28e17f72");
}

/// The check values of the usual "123456789".
#[test]
fn crc32_of_the_check_string() {
    // SAFETY: 9 readable bytes.
    assert_eq!(unsafe { mg_crc32(0, c"123456789".as_ptr(), 9) }, 0xcbf4_3926);
}

/// RFC 4648, section 10.
#[test]
fn base64_of_the_standard_vectors() {
    for (plain, encoded) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ] {
        let (mut text, mut back) = ([0u8; 32], [0u8; 32]);
        // SAFETY: each pointer comes with the length of what it points to.
        let (text_len, back_len) = unsafe {
            let text_len =
                mg_base64_encode(plain.as_ptr(), plain.len(), text.as_mut_ptr().cast(), text.len());
            let back_len =
                mg_base64_decode(text.as_ptr().cast(), text_len, back.as_mut_ptr().cast(), back.len());
            (text_len, back_len)
        };
        assert_eq!(&text[..text_len], encoded.as_bytes());
        assert_eq!(&back[..back_len], plain.as_bytes());
    }
}

#[test]
fn json_values_are_found_by_path() {
    let json = mg_str::from_bytes(br#"{"a": [1, 2.5, {"b": true}], "s": "x\ty", "n": null}"#);
    let mut number = 0.0;
    let mut truth = false;
    let mut length: c_int = 0;
    // SAFETY: the JSON text and the paths are static, the results are ours; the string is freed once.
    unsafe {
        assert!(mg_json_get_num(json, c"$.a[1]".as_ptr(), &mut number));
        assert_eq!(number, 2.5);
        assert!(mg_json_get_bool(json, c"$.a[2].b".as_ptr(), &mut truth));
        assert!(truth);
        assert_eq!(mg_json_get_long(json, c"$.a[0]".as_ptr(), -1), 1);
        assert_eq!(mg_json_get_long(json, c"$.missing".as_ptr(), -1), -1);

        let text = mg_json_get_str(json, c"$.s".as_ptr());
        assert_eq!(CStr::from_ptr(text), c"x\ty");
        mg_free(text.cast());

        assert_eq!(mg_json_get(json, c"$.none".as_ptr(), &mut length), MG_JSON_NOT_FOUND);
        let broken = mg_str::from_bytes(b"{\"a\": ");
        assert!(mg_json_get(broken, c"$.a".as_ptr(), &mut length) < 0);
    }
}

#[test]
fn urls_are_taken_apart() {
    let url = c"https://user:secret@example.org:8443/path?q=1".as_ptr();
    // SAFETY: the URLs are static C strings, and the views point into them.
    unsafe {
        assert_eq!(mg_url_host(url).as_bytes(), b"example.org");
        assert_eq!(mg_url_user(url).as_bytes(), b"user");
        assert_eq!(mg_url_pass(url).as_bytes(), b"secret");
        assert_eq!(CStr::from_ptr(mg_url_uri(url)), c"/path?q=1");
        assert_eq!(mg_url_port(url), 8443);
        assert!(mg_url_is_ssl(url));
        assert_eq!(mg_url_port(c"http://example.org".as_ptr()), 80);
        assert!(!mg_url_is_ssl(c"ws://example.org".as_ptr()));
    }
}

#[test]
fn urls_are_encoded_and_decoded() {
    let (mut encoded, mut decoded) = ([0u8; 64], [0u8; 64]);
    // SAFETY: each pointer comes with the length of what it points to.
    let (encoded_len, decoded_len) = unsafe {
        let encoded_len =
            mg_url_encode(c"a b/\xc3\xa9%".as_ptr(), 7, encoded.as_mut_ptr().cast(), encoded.len());
        let source: *const c_char = encoded.as_ptr().cast();
        let decoded_len = mg_url_decode(source, encoded_len, decoded.as_mut_ptr().cast(), decoded.len(), 0);
        (encoded_len, decoded_len)
    };
    assert_eq!(&encoded[..encoded_len], b"a%20b%2f%c3%a9%25");
    assert_eq!(&decoded[..usize::try_from(decoded_len).unwrap()], "a b/é%".as_bytes());
}

#[test]
fn reason_phrases_come_from_the_static_table() {
    // SAFETY: any status code is allowed; the result is a static C string.
    unsafe {
        assert_eq!(CStr::from_ptr(mg_sys_http_status_code_str(404)), c"Not Found");
        assert_eq!(CStr::from_ptr(mg_sys_http_status_code_str(200)), c"OK");
        assert_eq!(CStr::from_ptr(mg_sys_http_status_code_str(799)), c"");
    }
}

#[test]
fn random_bytes_differ_and_fill_any_length() {
    // More than getrandom() gives in one uninterrupted call (256 bytes), and an odd number.
    let (mut one, mut other) = (vec![0u8; 100_003], vec![0u8; 100_003]);
    // SAFETY: each buffer is as long as it says; no byte is written for a length of 0.
    unsafe {
        assert!(mg_random(one.as_mut_ptr().cast(), one.len()));
        assert!(mg_random(other.as_mut_ptr().cast(), other.len()));
        assert!(mg_random(ptr::null_mut(), 0));
    }
    assert_ne!(one, other);
    // 64 zeros in a row at the end would be a part that was never filled.
    assert!(one[one.len() - 64..].iter().any(|byte| *byte != 0));
    let mut seen = [false; 256];
    one.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    assert!(seen.iter().all(|seen| *seen), "some byte value never came in 100,003 bytes");
}
