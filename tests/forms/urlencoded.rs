//! `application/x-www-form-urlencoded` bodies.

use mongoose::Limits;
use mongoose::http::{Reply, Request};
use mongoose_tests::{Client, Response, Server, scaled};

use crate::form_server::post;

const TYPE: &str = "application/x-www-form-urlencoded";

/// Answers all fields, or the one that `?name=` asks for, or what is wrong.
fn answer(request: Request<'_>, reply: Reply<'_>) -> Result<(), mongoose::Error> {
    let form = match request.form() {
        Ok(form) => form,
        Err(error) => return reply.status(400).text(error.to_string()),
    };
    if let Some(name) = request.query_value("name")? {
        return match form.value(&name) {
            Ok(value) => reply.text(format!("{value:?}")),
            Err(error) => reply.status(400).text(error.to_string()),
        };
    }
    match form.fields().collect::<Result<Vec<_>, _>>() {
        Ok(fields) => reply.text(format!("{fields:?}")),
        Err(error) => reply.status(400).text(error.to_string()),
    }
}

fn server() -> (Server, Client) {
    let mut limits = Limits::default();
    limits.body = 16 << 20;
    let server = Server::http_within(limits, || answer);
    let client = Client::connect(server.address);
    (server, client)
}

fn ask(client: &mut Client, path: &str, content_type: &str, body: &str) -> Response {
    client.send(post(path, content_type, body.as_bytes())).response()
}

#[test]
fn fields_come_decoded_and_in_order() {
    let (_server, mut client) = server();
    for content_type in [TYPE, "Application/X-WWW-Form-URLencoded ; charset=UTF-8"] {
        let response = ask(&mut client, "/", content_type, "a=1&b+c=%C3%BC%26+%2B&a=&d&&=e&f=g=h");
        let expected = [("a", "1"), ("b c", "\u{fc}& +"), ("a", ""), ("d", ""), ("", "e"), ("f", "g=h")];
        assert_eq!(response.text(), format!("{expected:?}"));
    }
    assert_eq!(ask(&mut client, "/", TYPE, "").text(), "[]");
}

#[test]
fn fields_are_found_by_their_whole_decoded_name() {
    let (_server, mut client) = server();
    let body = "xname=0&nam%65=1&name=2&Name=3&%zz=4&bad=%zz&latin=%FC&empty=";
    for (name, expected) in [
        ("name", r#"Some("1")"#),
        ("Name", r#"Some("3")"#),
        ("empty", r#"Some("")"#),
        ("ame", "None"),
        ("bad", "not a percent-encoded text: a % without two hexadecimal digits"),
        ("latin", "not a percent-encoded text: not UTF-8"),
    ] {
        assert_eq!(ask(&mut client, &format!("/?name={name}"), TYPE, body).text(), expected);
    }
}

#[test]
fn malformed_encodings_and_other_types_are_errors() {
    let (_server, mut client) = server();
    for body in ["a=%", "a=%4", "a=%4g", "a=%%41", "%=a", "a=b&c=%FF", "a=%C3"] {
        assert_eq!(ask(&mut client, "/", TYPE, body).status, 400, "{body}");
    }
    let raw = post("/", TYPE, b"a=\xff");
    assert_eq!(client.send(raw).response().text(), "not a percent-encoded text: not UTF-8");
    for content_type in ["", "text/plain", "application/x-www-form-urlencodedx", "application/json"] {
        let response = ask(&mut client, "/", content_type, "a=1");
        assert_eq!(response.text(), format!("the body is not {TYPE}"), "{content_type}");
    }
    let without = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na=1";
    assert_eq!(client.send(without).response().text(), format!("the body is not {TYPE}"));
}

#[test]
fn r3_values_of_a_million_bytes_come_back_whole() {
    let (_server, mut client) = server();
    for size in [255, 256, 257, 4096, scaled(1_000_000)] {
        let value: String = "ab".chars().cycle().take(size).collect();
        let body = format!("before=1&v={value}&after=2");
        assert!(ask(&mut client, "/?name=v", TYPE, &body).text() == format!("Some({value:?})"), "{size}");
        let body = format!("before=1&v={}&after=2", value.replace('a', "%61"));
        assert!(ask(&mut client, "/?name=v", TYPE, &body).text() == format!("Some({value:?})"), "{size}");
    }
}

#[test]
fn ten_thousand_fields_come_in_order() {
    let (_server, mut client) = server();
    let fields: Vec<_> = (0..10_000).map(|number| (format!("f{number}"), number.to_string())).collect();
    let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert!(
        ask(&mut client, "/", TYPE, &body.join("&")).text() == format!("{fields:?}"),
        "not what was sent"
    );
    assert_eq!(ask(&mut client, "/?name=f9999", TYPE, &body.join("&")).text(), r#"Some("9999")"#);
}
