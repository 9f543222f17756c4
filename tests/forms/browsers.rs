//! Forms byte by byte as Chromium, Firefox and others write them.

use crate::form_server::{Field, FormServer};

fn assert_understood(server: &FormServer, content_type: &str, body: &[u8], expected: &[Field]) {
    assert_eq!(server.whole(content_type, body).as_deref(), Ok(expected));
    assert_eq!(server.pieces(content_type, body.chunks(body.len().div_ceil(7))).as_deref(), Ok(expected));
}

#[test]
fn chromium() {
    let body = "------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n\
        Content-Disposition: form-data; name=\"text\"\r\n\r\n\
        line 1\r\nline 2 \u{1f98a}\r\n\
        ------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n\
        Content-Disposition: form-data; name=\"na%22me%0D%0A; x=%\"\r\n\r\n\r\n\
        ------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n\
        Content-Disposition: form-data; name=\"files[]\"; filename=\"na\u{ef}ve \u{2603} %22q%22; name=x.txt\"\r\n\
        Content-Type: text/plain\r\n\r\n\
        content\n\r\n\
        ------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n\
        Content-Disposition: form-data; name=\"files[]\"; filename=\"\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n\r\n\
        ------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n";
    let expected = [
        Field::text("text", "line 1\r\nline 2 \u{1f98a}"),
        Field::text("na\"me\r\n; x=%", ""),
        Field::file("files[]", "na\u{ef}ve \u{2603} \"q\"; name=x.txt", "text/plain", "content\n"),
        Field::file("files[]", "", "application/octet-stream", ""),
    ];
    let content_type = "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW";
    assert_understood(&FormServer::start(), content_type, body.as_bytes(), &expected);
}

#[test]
fn chromium_and_firefox_without_a_field() {
    let server = FormServer::start();
    for boundary in ["----WebKitFormBoundaryABCDEFGHIJKLMNOP", "----geckoformboundary1a2b3c"] {
        let body = format!("--{boundary}--\r\n");
        assert_understood(
            &server,
            &format!("multipart/form-data; boundary={boundary}"),
            body.as_bytes(),
            &[],
        );
    }
}

#[test]
fn firefox() {
    let body = b"-----------------------------9051914041544843365972754266\r\n\
        Content-Disposition: form-data; name=\"text\"\r\n\r\n\
        text default\r\n\
        -----------------------------9051914041544843365972754266\r\n\
        Content-Disposition: form-data; name=\"file1\"; filename=\"back\\slash %22.png\"\r\n\
        Content-Type: image/png\r\n\r\n\
        \x89PNG\r\n\x1a\n\0\0--\r\n--\r\n---------------------------90519140\r\n\
        -----------------------------9051914041544843365972754266--\r\n";
    let png = b"\x89PNG\r\n\x1a\n\0\0--\r\n--\r\n---------------------------90519140";
    let expected =
        [Field::text("text", "text default"), Field::file("file1", "back\\slash \".png", "image/png", png)];
    let content_type =
        "multipart/form-data; boundary=---------------------------9051914041544843365972754266";
    assert_understood(&FormServer::start(), content_type, body, &expected);
}

#[test]
fn others_by_the_rules_of_rfc_2046_and_7578() {
    let server = FormServer::start();
    let expected = [Field::file("a", "x \"y\" \\z", "text/plain; charset=utf-8", "1"), Field::text("b", "2")];
    // Escapes by backslash, preamble, white space behind the delimiters, headers of any case, epilogue.
    let body = "This is a form.\r\n--not the bound\r\n--A B 'c'=\t \r\n\
        content-type:text/plain; charset=utf-8\r\n\
        CONTENT-DISPOSITION: Form-Data ; Filename=\"x \\\"y\\\" \\\\z\" ;NAME=a;\r\n\
        Content-Transfer-Encoding: binary\r\n\r\n1\r\n\
        --A B 'c'=\r\ncontent-disposition:form-data;name=b\r\n\r\n2\r\n\
        --A B 'c'=--  \r\nBehind it\r\n--A B 'c'=\r\nnothing counts";
    let content_type = "Multipart/Form-Data; charset=UTF-8; Boundary=\"A B 'c'=\"";
    assert_understood(&server, content_type, body.as_bytes(), &expected);

    // Python's requests, and whoever else sends `filename*`; a form that ends with its last dash.
    let body = b"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"na?ve\"; filename*=utf-8''na%C3%AFve\r\n\
        Content-Type: a/b\r\n\r\n\r\n--x--";
    assert_understood(
        &server,
        "multipart/form-data; boundary=x",
        body,
        &[Field::file("f", "na\u{ef}ve", "a/b", "")],
    );

    // The last line of the headers may be all that is before the delimiter: then the part is empty.
    let body = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n--x\r\n\
        Content-Disposition: form-data; name=b\r\n\r\n--x--\r\n";
    let expected = [Field::text("a", ""), Field::text("b", "")];
    assert_understood(&server, "multipart/form-data; boundary=x", body, &expected);
}
