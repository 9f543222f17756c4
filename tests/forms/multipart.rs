//! Multipart forms that are there as a whole: sizes and limits.

use mongoose::http::{Reply, Request};
use mongoose::{Error, Limits};
use mongoose_tests::{Client, Random, Server, scaled};

use crate::form_server::{Field, FormServer, parse, post, write};

const TYPE: &str = "multipart/form-data; boundary=abcXYZ";

#[test]
fn contents_of_any_size_come_back_whole() {
    let server = FormServer::start();
    let mut random = Random::new(7);
    let fields: Vec<_> = [0, 1, 255, 256, 257, 4096, 65_536, scaled(1_000_000), scaled(10_000_000)]
        .map(|size| Field::file("file", &format!("{size}"), "application/octet-stream", random.bytes(size)))
        .to_vec();
    let body = write("abcXYZ", &fields);
    assert!(server.whole(TYPE, &body).as_ref() == Ok(&fields), "not what was sent");
    assert!(server.streamed(TYPE, &body).as_ref() == Ok(&fields), "not what was sent");
}

#[test]
fn names_and_file_names_of_any_size_come_back_whole() {
    let server = FormServer::start();
    let long = "n\u{e4}me ".repeat(500);
    let fields = [Field::file(&long, &long, "text/plain", "x"), Field::text("", "")];
    assert_eq!(server.whole(TYPE, &write("abcXYZ", &fields)).as_deref(), Ok(&fields[..]));
}

#[test]
fn ten_thousand_parts_come_in_order_and_one_more_is_refused() {
    let server = FormServer::start();
    let fields: Vec<_> =
        (0..10_000).map(|number| Field::text(&format!("f{}", number % 7), number.to_string())).collect();
    let body = write("abcXYZ", &fields);
    assert!(server.whole(TYPE, &body).as_ref() == Ok(&fields), "not what was sent");
    let more = write("abcXYZ", &[&fields[..], &fields[..1]].concat());
    let refused = Err("a form has more than 10000 parts".to_owned());
    assert_eq!(server.whole(TYPE, &more), refused);
    assert_eq!(parse("abcXYZ", more.chunks(1000)), refused);
}

#[test]
fn the_limits_of_parts_and_of_their_heads_are_exact() {
    let mut limits = Limits::default();
    limits.body = 1 << 20;
    let server = Server::http_within(limits, || {
        |request: Request<'_>, reply: Reply<'_>| {
            let counted: Result<Vec<_>, Error> = request.multipart()?.max_parts(3).max_head(100).collect();
            match counted {
                Ok(parts) => reply.text(parts.len().to_string()),
                Err(error) => reply.status(413).text(error.to_string()),
            }
        }
    });
    let mut client = Client::connect(server.address);
    let mut answer = |fields: &[Field]| {
        let response = client.send(post("/", TYPE, &write("abcXYZ", fields))).response();
        response.text().to_owned()
    };
    let frame = "Content-Disposition: form-data; name=\"\"\r\n\r\n".len();
    let sized = |size: usize| Field::text(&"n".repeat(size - frame), "");
    assert_eq!(answer(&[sized(100), sized(100), sized(100)]), "3");
    assert_eq!(answer(&[sized(100), sized(101)]), "a form has more than 100 bytes in a part's headers");
    assert_eq!(answer(&[sized(50), sized(50), sized(50), sized(50)]), "a form has more than 3 parts");
    // Headers that never end are refused as soon as they are too long, however they come.
    let endless = format!("--abcXYZ\r\n{}", "X: y\r\n".repeat(10_000));
    let refused = Err("a form has more than 8192 bytes in a part's headers".to_owned());
    assert_eq!(parse("abcXYZ", [endless.as_bytes()]), refused);
    assert_eq!(parse("abcXYZ", endless.as_bytes().chunks(1)), refused);
    let one_line = format!("--abcXYZ\r\nX: {}", "y".repeat(10_000));
    assert_eq!(parse("abcXYZ", one_line.as_bytes().chunks(1)), refused);
}

#[test]
fn parts_are_views_of_the_body() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            let body = request.body().as_ptr_range();
            let mut inside = 0;
            for part in request.multipart()? {
                let part = part?;
                inside += usize::from(body.contains(&part.body().as_ptr()));
                let kind = part.content_type().expect("a type");
                inside += usize::from(body.contains(&kind.as_bytes().as_ptr()));
            }
            reply.text(inside.to_string())
        }
    });
    let fields = [Field::file("a", "b", "c/d", "content"), Field::file("a", "b", "c/d", "\r\n--abcXY")];
    let request = post("/", TYPE, &write("abcXYZ", &fields));
    assert_eq!(Client::connect(server.address).send(request).response().text(), "4");
}
