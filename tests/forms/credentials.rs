//! `Authorization`, and the challenge for it.

use mongoose::http::{self, Credentials, Reply, Request};
use mongoose_tests::{Client, Server, scaled};

use crate::curl;

/// Answers the credentials, or asks for some.
fn answer(request: Request<'_>, reply: Reply<'_>) -> Result<(), mongoose::Error> {
    match request.credentials() {
        Some(Credentials::Basic { user, password }) => reply.body([&user[..], b" / ", &password].concat()),
        Some(Credentials::Bearer(token)) => reply.text(format!("token {token}")),
        _ if request.path() == "/token" => reply.challenge_bearer("api"),
        _ => reply.challenge_basic(r#"the "inner" \ realm"#),
    }
}

fn ask(client: &mut Client, authorization: &str) -> (u16, String) {
    let request = format!("GET / HTTP/1.1\r\nHost: h\r\n{authorization}\r\n\r\n");
    let response = client.send(request).response();
    (response.status, String::from_utf8_lossy(&response.body).into_owned())
}

#[test]
fn users_passwords_and_tokens_of_any_length_come_back_whole() {
    let mut limits = mongoose::Limits::default();
    limits.head = 4 << 20;
    let server = Server::http_within(limits, || answer);
    let mut client = Client::connect(server.address);
    // C's mg_http_creds decodes into 256 bytes: what is longer is nobody.
    for size in [0, 1, 186, 187, 255, 256, 257, 4096, scaled(500_000)] {
        let (user, password) = ("u".repeat(size), "p:".repeat(size));
        let value = http::basic_authorization(&user, &password).expect("valid");
        let answer = ask(&mut client, &format!("Authorization: {value}"));
        assert!(answer == (200, format!("{user} / {password}")), "{size}");
        let token = "t".repeat(size.max(1));
        assert!(
            ask(&mut client, &format!("Authorization: bearer {token}")) == (200, format!("token {token}"))
        );
    }
}

#[test]
fn what_is_no_credentials_is_401_with_a_challenge() {
    let server = Server::http(|| answer);
    let mut client = Client::connect(server.address);
    for authorization in [
        "X: y",
        "Authorization:",
        "Authorization: Basic",
        "Authorization: Basic YTpi=",
        "Authorization: Basic YTp",
        "Authorization: Basic YTpi\r\nAuthorization: Basic YTpi",
        "Authorization: Basic YTpi, Basic YTpi",
        "Authorization: Basic YWI=",
        "Authorization: Digest username=\"a\"",
        "Authorization: Bearer",
        "Authorization: Bearer a b",
        "Cookie: access_token=a",
        "X-Authorization: Bearer a",
    ] {
        assert_eq!(ask(&mut client, authorization), (401, "Unauthorized\n".to_owned()), "{authorization}");
    }
    let response = client.get("/?access_token=a");
    let challenge = "Basic realm=\"the \\\"inner\\\" \\\\ realm\", charset=\"UTF-8\"";
    assert_eq!((response.status, response.header("WWW-Authenticate")), (401, Some(challenge)));
    assert_eq!(client.get("/token").header("WWW-Authenticate"), Some("Bearer realm=\"api\""));
}

#[test]
fn a_realm_that_would_break_the_reply_is_an_error() {
    let server = Server::http(|| |_: Request<'_>, reply: Reply<'_>| reply.challenge_basic("a\r\nX: y"));
    assert_eq!(Client::connect(server.address).get("/").status, 500);
}

#[test]
fn curl_logs_in() {
    if !curl::is_there("curl_logs_in") {
        return;
    }
    let server = Server::http(|| answer);
    let url = format!("http://{}/", server.address);
    let long = format!("{}:{}", "u".repeat(1000), "p".repeat(1000));
    for credentials in ["Aladdin:open sesame", "a:", ":", "\u{fc}:\u{43f}\u{430}", &long] {
        let expected = credentials.replacen(':', " / ", 1);
        assert_eq!(curl::curl(&["--user", credentials, &url]), expected);
    }
    assert_eq!(curl::curl(&["--oauth2-bearer", "abc.def", &url]), "token abc.def");
}
