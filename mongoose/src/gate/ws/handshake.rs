//! Both sides of the opening handshake (RFC 6455 section 4), as far as headers say it.

/// Why a request is no opening handshake, and the status for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoHandshake {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
}

const fn bad(reason: &'static str) -> NoHandshake {
    NoHandshake { status: 400, reason }
}

/// What a client asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer<'h> {
    pub(crate) key: &'h str,
    /// In the order of its preference.
    pub(crate) protocols: Vec<&'h str>,
}

/// Checks a request (section 4.2.1). Host was checked before, as in any request.
pub(crate) fn check_request<'h>(
    method: &str,
    minor: u8,
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
) -> Result<Offer<'h>, NoHandshake> {
    if method != "GET" {
        return Err(NoHandshake { status: 405, reason: "a WebSocket begins with GET" });
    }
    if minor == 0 {
        return Err(bad("a WebSocket begins with HTTP/1.1"));
    }
    let mut facts = Facts::default();
    let mut protocols = Vec::new();
    for (name, value) in headers {
        facts.note(name, value);
        if name.eq_ignore_ascii_case("sec-websocket-protocol") {
            for protocol in elements(value) {
                let protocol = std::str::from_utf8(protocol).ok().filter(|protocol| is_token(protocol));
                protocols.push(protocol.ok_or(bad("a subprotocol is no token"))?);
            }
        }
    }
    if !facts.upgrade || !facts.connection {
        return Err(NoHandshake { status: 426, reason: "only a WebSocket is served here" });
    }
    // Before the key: another version may have none.
    if facts.version != Once::Is(b"13") {
        return Err(NoHandshake { status: 426, reason: "only version 13 of WebSocket is spoken here" });
    }
    let Once::Is(key) = facts.key else { return Err(bad("not one Sec-WebSocket-Key")) };
    match std::str::from_utf8(key) {
        Ok(key) if is_key(key) => Ok(Offer { key, protocols }),
        _ => Err(bad("a Sec-WebSocket-Key that is not 16 bytes in base64")),
    }
}

/// What a server agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer<'h> {
    pub(crate) protocol: Option<&'h str>,
}

/// Checks a response of status 101 (section 4.1; hazard 53). `accept` is what follows from our key.
pub(crate) fn check_answer<'h>(
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    accept: &str,
    offered: &[String],
) -> Result<Answer<'h>, &'static str> {
    let mut facts = Facts::default();
    for (name, value) in headers {
        facts.note(name, value);
    }
    if !facts.upgrade {
        return Err("its Upgrade does not say websocket");
    }
    if !facts.connection {
        return Err("its Connection does not say Upgrade");
    }
    if facts.accept != Once::Is(accept.as_bytes()) {
        return Err("its Sec-WebSocket-Accept does not follow from the key");
    }
    if facts.extensions {
        return Err("it has an extension that was not asked for");
    }
    match facts.protocol {
        Once::Never => Ok(Answer { protocol: None }),
        Once::Is(protocol) => match std::str::from_utf8(protocol) {
            Ok(protocol) if offered.iter().any(|offered| offered == protocol) => {
                Ok(Answer { protocol: Some(protocol) })
            }
            _ => Err("it chose a subprotocol that was not offered"),
        },
        Once::Often => Err("it chose more than one subprotocol"),
    }
}

/// A header that may be there once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Once<'h> {
    #[default]
    Never,
    Is(&'h [u8]),
    Often,
}

impl<'h> Once<'h> {
    fn note(&mut self, value: &'h [u8]) {
        *self = if *self == Self::Never { Self::Is(value) } else { Self::Often };
    }
}

#[derive(Debug, Default)]
struct Facts<'h> {
    upgrade: bool,
    connection: bool,
    extensions: bool,
    key: Once<'h>,
    version: Once<'h>,
    accept: Once<'h>,
    protocol: Once<'h>,
}

impl<'h> Facts<'h> {
    fn note(&mut self, name: &str, value: &'h [u8]) {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match name.len() {
            7 if is("upgrade") => self.upgrade |= has_token(value, "websocket"),
            10 if is("connection") => self.connection |= has_token(value, "upgrade"),
            17 if is("sec-websocket-key") => self.key.note(value),
            20 if is("sec-websocket-accept") => self.accept.note(value),
            21 if is("sec-websocket-version") => self.version.note(value),
            22 if is("sec-websocket-protocol") => self.protocol.note(value),
            24 if is("sec-websocket-extensions") => self.extensions |= !value.trim_ascii().is_empty(),
            _ => {}
        }
    }
}

/// The elements of a list (RFC 9110 section 5.6.1), empty ones left out.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

/// Whether a list has a token, without regard to case.
fn has_token(value: &[u8], token: &str) -> bool {
    elements(value).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
}

/// What subprotocols are made of (RFC 9110 section 5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

/// Whether it is 16 bytes in base64.
fn is_key(key: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    key.len() == 24 && key.ends_with("==") && key[..22].bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("Host", "h"),
        ("upgrade", "x/1, WebSocket"),
        ("CONNECTION", "keep-alive, Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];

    fn pairs<'h>(headers: &'h [(&'h str, &'h str)]) -> impl Iterator<Item = (&'h str, &'h [u8])> {
        headers.iter().map(|(name, value)| (*name, value.as_bytes()))
    }

    /// The good request with one header changed, or left out.
    fn changed(name: &str, value: Option<&'static str>) -> Result<(), u16> {
        let mut headers = GOOD.to_vec();
        match (value, headers.iter().position(|(found, _)| found.eq_ignore_ascii_case(name))) {
            (Some(value), Some(at)) => headers[at].1 = value,
            (None, Some(at)) => drop(headers.remove(at)),
            _ => panic!("no {name}"),
        }
        check_request("GET", 1, pairs(&headers)).map(drop).map_err(|refused| refused.status)
    }

    #[test]
    fn section_4_2_1_hazard_29_each_part_of_a_request_is_checked() {
        let offer = check_request("GET", 1, pairs(GOOD)).expect("good");
        assert_eq!(offer, Offer { key: "dGhlIHNhbXBsZSBub25jZQ==", protocols: vec![] });
        assert_eq!(check_request("POST", 1, pairs(GOOD)).expect_err("method").status, 405);
        assert_eq!(check_request("GET", 0, pairs(GOOD)).expect_err("version").status, 400);
        for (name, value, status) in [
            ("Upgrade", None, 426),
            ("Upgrade", Some("websockets"), 426),
            ("Connection", None, 426),
            ("Connection", Some("keep-alive"), 426),
            ("Sec-WebSocket-Version", None, 426),
            ("Sec-WebSocket-Version", Some("8"), 426),
            ("Sec-WebSocket-Version", Some("13, 8"), 426),
            ("Sec-WebSocket-Key", None, 400),
            ("Sec-WebSocket-Key", Some(""), 400),
            ("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25jZQ="), 400),
            ("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25jZQ=A"), 400),
            ("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25 ZQ=="), 400),
        ] {
            assert_eq!(changed(name, value), Err(status), "{name}: {value:?}");
        }
        let twice = [GOOD, &GOOD[3..4]].concat();
        assert_eq!(check_request("GET", 1, pairs(&twice)).expect_err("two keys").status, 400);
    }

    #[test]
    fn section_11_3_4_subprotocols_are_listed_in_one_header_or_several() {
        let more = [("Sec-WebSocket-Protocol", "b, a,,"), ("sec-websocket-protocol", "c")];
        let headers = [GOOD, &more].concat();
        assert_eq!(check_request("GET", 1, pairs(&headers)).expect("good").protocols, ["b", "a", "c"]);
        let headers = [GOOD, &[("Sec-WebSocket-Protocol", "a b")]].concat();
        assert_eq!(check_request("GET", 1, pairs(&headers)).expect_err("no token").status, 400);
    }

    #[test]
    fn section_4_1_hazard_53_each_part_of_a_response_is_checked() {
        const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        let good = [
            ("Upgrade", "websocket"),
            ("Connection", "upgrade"),
            ("Sec-WebSocket-Accept", ACCEPT),
            ("Sec-WebSocket-Protocol", "chat"),
        ];
        let offered = ["superchat".to_owned(), "chat".to_owned()];
        let check = |headers: &[(&str, &str)]| {
            check_answer(pairs(headers), ACCEPT, &offered).map(|answer| answer.protocol.map(str::to_owned))
        };
        assert_eq!(check(&good), Ok(Some("chat".to_owned())));
        assert_eq!(check(&good[..3]), Ok(None));
        for missing in 0..3 {
            let mut headers = good.to_vec();
            headers.remove(missing);
            assert!(check(&headers).is_err(), "{missing}");
        }
        for (more, reason) in [
            (("Sec-WebSocket-Extensions", "permessage-deflate"), "extension"),
            (("Sec-WebSocket-Protocol", "chat"), "more than one"),
            (("Sec-WebSocket-Accept", ACCEPT), "Accept"),
        ] {
            let headers = [&good[..], &[more]].concat();
            assert!(check(&headers).expect_err(reason).contains(reason));
        }
        for (at, value) in [(0, "h2c"), (1, "close"), (2, "S3pPLMBiTxaQ9kYGzzhZRbK+xOo="), (3, "Chat")] {
            let mut headers = good;
            headers[at].1 = value;
            assert!(check(&headers).is_err(), "{value}");
        }
        let unoffered = check_answer(pairs(&good), ACCEPT, &[]);
        assert!(unoffered.expect_err("none was offered").contains("subprotocol"));
    }
}
