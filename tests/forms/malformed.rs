//! R14 and hazard 40: a form that is none is a typed error, and never half a form.

use mongoose_tests::Client;

use crate::form_server::{FormServer, parse, post};

const TYPE: &str = "multipart/form-data; boundary=x";
const PART: &str = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";

/// What is wrong, and a body where it is so.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    const NO_END: &str = "it ends before its last delimiter";
    const LINE: &str = "a delimiter's line that goes on behind the boundary";
    const HEADER: &str = "a part with a malformed header";
    let part = |headers: &str| format!("--x\r\n{headers}\r\n\r\n1\r\n--x--\r\n");
    let disposition = |parameters: &str| part(&format!("Content-Disposition: form-data; {parameters}"));
    let bodies = [
        (NO_END, String::new()),
        (NO_END, "nothing of a form".to_owned()),
        (NO_END, "--y--\r\n".to_owned()),
        (NO_END, " --x--\r\n".to_owned()),
        (NO_END, "\n--x--\r\n".to_owned()),
        (NO_END, "--x".to_owned()),
        (NO_END, "--x-".to_owned()),
        (NO_END, "--x\r\n".to_owned()),
        (NO_END, "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n".to_owned()),
        (NO_END, "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n".to_owned()),
        (NO_END, PART.to_owned()),
        (NO_END, format!("{PART}--x")),
        (NO_END, format!("{PART}--x-")),
        (NO_END, format!("{PART}--x--\r")),
        (NO_END, format!("{PART}\n--x--\r\n")),
        (NO_END, format!("{PART}--X--\r\n")),
        (NO_END, format!("{}--x--\r\n", PART.replace("1\r\n", "1\n"))),
        (NO_END, format!("{}--x--\r\n", PART.replace("1\r\n", "1\r"))),
        (NO_END, format!("{}--x--\r\n", PART.replace("1\r\n", "1"))),
        (LINE, format!("{PART}--xy\r\n")),
        (LINE, format!("{PART}--x\n")),
        (LINE, format!("{PART}--x\r\r\n")),
        (LINE, format!("{PART}--x y\r\n")),
        (LINE, format!("{PART}--x-\r\n")),
        (LINE, format!("{PART}--x -- \r\n")),
        (LINE, format!("{PART}--x---\r\n")),
        (LINE, format!("{PART}--x--\n")),
        (LINE, format!("{PART}--x--y\r\n")),
        (HEADER, part("Content-Disposition form-data")),
        (HEADER, part("Content-Disposition : form-data; name=a")),
        (HEADER, part(": form-data")),
        (HEADER, part("Content-Disposition: form-data;\r\n name=a")),
        (HEADER, part("Content-Disposition: form-data; name=a\nX: y")),
        (HEADER, part("Content-Disposition: form-data; name=\"a\0\"")),
        (HEADER, part("Content-Disposition: form-data; name=\"a\rb\"")),
        (HEADER, "--x\r\n--x\r\n\r\n1\r\n--x--\r\n".to_owned()),
        ("a part without Content-Disposition", "--x\r\n\r\n1\r\n--x--\r\n".to_owned()),
        ("a part without Content-Disposition", part("Content-Type: text/plain")),
        ("a part without Content-Disposition", part("XContent-Disposition: form-data; name=a")),
        (
            "a part with two Content-Dispositions",
            part("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b"),
        ),
        ("a part that is not form-data", part("Content-Disposition: attachment; name=a")),
        ("a part that is not form-data", part("Content-Disposition: name=a")),
        ("a part without a name", part("Content-Disposition: form-data")),
        ("a part without a name", disposition("filename=\"a\"")),
        ("a part without a name", disposition("xname=\"a\"; filename=\"name=b; name=c\"")),
        ("a part without a name", disposition("name*=utf-8''a")),
        ("a part with two names, or two names of a file", disposition("name=a; NAME=b")),
        ("a part with two names, or two names of a file", disposition("name=a; filename=b; filename=c")),
        ("a parameter without =", disposition("name")),
        ("a parameter without =", disposition("name=a; \"b\"=c")),
        ("a parameter without a name", disposition("=a; name=b")),
        ("a parameter without a value that can be read", disposition("name=")),
        ("a parameter that goes on behind its value", disposition("name=a b")),
        ("a parameter that goes on behind its value", disposition("name=\"a\"b")),
        ("a parameter that goes on behind its value", disposition("filename=\"a\"b\".txt\"; name=c")),
        ("a quoted string without an end", disposition("name=\"a")),
        ("a quoted string without an end", disposition("name=\"a\\\"")),
        ("a filename* that is malformed", disposition("name=a; filename*=b")),
        ("a filename* that is malformed", disposition("name=a; filename*=utf-8''%4")),
        ("a filename* that is malformed", disposition("name=a; filename*=utf-8''%ff")),
        (
            "a filename* of a charset that is neither UTF-8 nor ISO-8859-1",
            disposition("name=a; filename*=koi8-r''%C1"),
        ),
    ];
    let latin_1 = b"--x\r\nContent-Disposition: form-data; name=\"\xfc\"\r\n\r\n1\r\n--x--\r\n".to_vec();
    let bodies = bodies.into_iter().map(|(reason, body)| (reason, body.into_bytes()));
    bodies.chain([("a part's name that is not UTF-8", latin_1)]).collect()
}

#[test]
fn r14_hazard_40_every_malformed_shape_is_an_error_that_says_what_is_wrong() {
    let server = FormServer::start();
    for (reason, body) in bodies() {
        let expected = Err(format!("not a multipart form: {reason}"));
        assert_eq!(server.whole(TYPE, &body), expected, "{}", body.escape_ascii());
    }
}

#[test]
fn r14_the_same_errors_come_from_a_body_that_is_streamed() {
    let server = FormServer::start();
    for (reason, body) in bodies() {
        let expected = Err(format!("not a multipart form: {reason}"));
        assert_eq!(server.streamed(TYPE, &body), expected, "{}", body.escape_ascii());
    }
}

#[test]
fn r14_the_same_errors_come_however_the_body_is_split() {
    for (reason, body) in bodies() {
        let expected = Err(format!("not a multipart form: {reason}"));
        assert_eq!(parse("x", body.chunks(1)), expected, "{}", body.escape_ascii());
        for at in 0..body.len() {
            let (one, other) = body.split_at(at);
            assert_eq!(parse("x", [one, other]), expected, "{} at {at}", body.escape_ascii());
        }
    }
}

#[test]
fn r14_a_good_form_beside_the_malformed_ones_is_understood() {
    let body = format!("{PART}{PART}--x--\r\n");
    let fields = FormServer::start().whole(TYPE, body.as_bytes()).expect("a form");
    assert_eq!(fields.len(), 2);
}

#[test]
fn r14_malformed_boundaries_and_other_types_are_errors() {
    let server = FormServer::start();
    let body = format!("{PART}--x--\r\n");
    for (content_type, reason) in [
        ("text/plain; boundary=x", "the body is not multipart/form-data"),
        ("multipart/mixed; boundary=x", "the body is not multipart/form-data"),
        ("multipart/form-dataset; boundary=x", "the body is not multipart/form-data"),
        ("application/x-www-form-urlencoded", "the body is not multipart/form-data"),
        ("", "the body is not multipart/form-data"),
        ("multipart/form-data", "not a multipart form: no boundary"),
        ("multipart/form-data; xboundary=x", "not a multipart form: no boundary"),
        ("multipart/form-data; a=\"; boundary=x\"", "not a multipart form: no boundary"),
        ("multipart/form-data; boundary", "not a multipart form: a parameter without ="),
        ("multipart/form-data; boundary=x; boundary=x", "not a multipart form: two boundaries"),
        (
            "multipart/form-data; boundary=\"\"",
            "not a multipart form: a boundary that is not 1 to 70 characters long",
        ),
        (
            "multipart/form-data; boundary=\"x \"",
            "not a multipart form: a boundary of characters that it must not have",
        ),
        (
            "multipart/form-data; boundary=x\\",
            "not a multipart form: a boundary of characters that it must not have",
        ),
        ("multipart/form-data; boundary=\"x", "not a multipart form: a quoted string without an end"),
    ] {
        assert_eq!(server.whole(content_type, body.as_bytes()), Err(reason.to_owned()), "{content_type}");
        assert_eq!(server.streamed(content_type, body.as_bytes()), Err(reason.to_owned()), "{content_type}");
    }
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    assert!(server.whole(&long, body.as_bytes()).is_err());
    let twice = post("/whole", &format!("{TYPE}\r\nContent-Type: {TYPE}"), body.as_bytes());
    assert_eq!(Client::connect(server.server.address).send(twice).response().status, 400);
    assert!(server.told().is_err());
}
