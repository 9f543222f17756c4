//! Absolute `http` and `https` URLs, and references relative to them (RFC 3986).

use std::borrow::Cow;
use std::fmt::Write;

use crate::http::basic_authorization;
use crate::net::{Endpoint, Scheme};
use crate::{Error, url};

/// An absolute `http` or `https` URL, checked when it is made (hazard 42). Its credentials are kept apart, its fragment is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// `http://host:port/path?query`, without a port that is the default.
    text: String,
    scheme: Scheme,
    /// Where the path begins in it.
    path: usize,
    endpoint: Endpoint,
    /// The `Authorization` that its credentials make.
    authorization: Option<String>,
}

impl Url {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        Self::check(text).map_err(|reason| Error::Url { url: text.to_owned(), reason })
    }

    fn check(text: &str) -> Result<Self, &'static str> {
        let (name, rest) = text.split_once("://").ok_or("no scheme, such as http://")?;
        let scheme = parse_scheme(name)?;
        let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if let Some(byte) = target.bytes().find(|&byte| !is_target(byte)) {
            return Err(if byte.is_ascii_graphic() || byte == b' ' || !byte.is_ascii() {
                "a character that has to be percent-encoded"
            } else {
                "a control character"
            });
        }
        let (authorization, authority) = match authority.rsplit_once('@') {
            Some((credentials, host)) => (authorization(credentials)?, host),
            None => (None, authority),
        };
        let endpoint = Endpoint::from_authority(authority, scheme.default_port())?;
        if endpoint.port() == 0 {
            return Err("nothing can be reached at port 0");
        }
        let mut text = String::with_capacity(name.len() + "://".len() + authority.len() + target.len() + 1);
        text.push_str(scheme.name());
        text.push_str("://");
        // A zone means something on this machine alone.
        let host = endpoint.host().split('%').next().unwrap_or_default();
        if host.contains(':') {
            text.push('[');
            text.push_str(host);
            text.push(']');
        } else {
            text.push_str(host);
        }
        if Some(endpoint.port()) != scheme.default_port() {
            // Writing to a string cannot fail.
            let _ = write!(text, ":{}", endpoint.port());
        }
        text.make_ascii_lowercase();
        let path = text.len();
        if !target.starts_with('/') {
            text.push('/');
        }
        text.push_str(target);
        Ok(Self { text, scheme, path, endpoint, authorization })
    }

    /// Resolves a reference, as a `Location` has it (RFC 3986 section 5.2.2): what has to be percent-encoded and is not,
    /// becomes so. An error is what is wrong with it.
    pub(crate) fn join(&self, reference: &[u8]) -> Result<Self, &'static str> {
        let reference = encode(reference);
        let (reference, _fragment) = reference.split_once('#').unwrap_or((&reference, ""));
        let (scheme, with_authority) = match scheme_of(reference) {
            Some((name, rest)) => (parse_scheme(name)?, Some(rest.strip_prefix("//").ok_or("no host")?)),
            None => (self.scheme, reference.strip_prefix("//")),
        };
        let (authority, path, query) = match with_authority {
            Some(rest) => {
                let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                if authority.contains('@') {
                    return Err("a redirect has no credentials to give");
                }
                let (path, query) = split_query(target);
                (authority, Cow::Borrowed(path), query)
            }
            None => {
                let (path, query) = split_query(reference);
                let (own_path, own_query) = split_query(self.target());
                let (path, query) = match path {
                    "" => (Cow::Borrowed(own_path), query.or(own_query)),
                    _ if path.starts_with('/') => (Cow::Borrowed(path), query),
                    _ => {
                        let folder = &own_path[..=own_path.rfind('/').unwrap_or(0)];
                        (Cow::Owned(format!("{folder}{path}")), query)
                    }
                };
                (self.authority(), path, query)
            }
        };
        let mut text = format!("{}://{authority}", scheme.name());
        remove_dot_segments(&path, &mut text);
        if let Some(query) = query {
            text.push('?');
            text.push_str(query);
        }
        let mut resolved = Self::check(&text)?;
        if with_authority.is_none() {
            // The zone of an address is not in the text.
            resolved.endpoint = self.endpoint.clone();
        }
        if resolved.is_same_origin(self) {
            resolved.authorization = self.authorization.clone();
        }
        Ok(resolved)
    }

    /// The whole, without credentials and fragment.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What goes into the Host header: host, and the port unless it is the default.
    pub(crate) fn authority(&self) -> &str {
        &self.text[self.scheme.name().len() + "://".len()..self.path]
    }

    /// What is asked for: path and query.
    pub(crate) fn target(&self) -> &str {
        &self.text[self.path..]
    }

    /// Whether TLS is spoken there.
    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Where to connect.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The value of `Authorization`, where the URL has credentials.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// Whether what is meant for one may be told to the other.
    pub(crate) fn is_same_origin(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.authority() == other.authority()
    }
}

fn parse_scheme(name: &str) -> Result<Scheme, &'static str> {
    let known =
        [Scheme::Http, Scheme::Https].into_iter().find(|scheme| name.eq_ignore_ascii_case(scheme.name()));
    known.ok_or("another scheme is needed here")
}

/// A scheme and what is behind its colon (RFC 3986 section 3.1).
fn scheme_of(reference: &str) -> Option<(&str, &str)> {
    let (name, rest) = reference.split_once(':')?;
    let valid = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    valid.then_some((name, rest))
}

fn split_query(target: &str) -> (&str, Option<&str>) {
    match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    }
}

/// What may be sent as a target: visible ASCII but for what RFC 3986 never allows and no server takes.
fn is_target(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'<' | b'>')
}

/// What `user:password` or `user` make of `Authorization`.
fn authorization(credentials: &str) -> Result<Option<String>, &'static str> {
    if credentials.is_empty() {
        return Ok(None);
    }
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let malformed = |_| "malformed credentials";
    let (user, password) = (url::decode(user).map_err(malformed)?, url::decode(password).map_err(malformed)?);
    basic_authorization(user, password)
        .map(Some)
        .map_err(|_| "a colon in the user, or a control character in the credentials")
}

/// Percent-encodes what no URL has, control characters but tab excepted: those make it malformed.
fn encode(reference: &[u8]) -> String {
    let mut encoded = String::with_capacity(reference.len());
    for &byte in reference {
        if matches!(
            byte,
            b' ' | b'\t' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80..
        ) {
            let _ = write!(encoded, "%{byte:02X}");
        } else {
            encoded.push(byte as char);
        }
    }
    encoded
}

/// Appends a path to `text` without its `.` and `..` (RFC 3986 section 5.2.4).
fn remove_dot_segments(path: &str, text: &mut String) {
    let start = text.len();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        if matches!(segment, "." | "..") {
            if segment == ".." {
                text.truncate(start + text[start..].rfind('/').unwrap_or(0));
            }
            if segments.peek().is_none() {
                text.push('/');
            }
        } else {
            text.push('/');
            text.push_str(segment);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_url_apart() {
        for (text, authority, host, port, target) in [
            ("http://h", "h", "h", 80, "/"),
            ("HTTP://Example.COM:80/A?b#c", "example.com", "Example.COM", 80, "/A?b"),
            ("http://h:8080/a%20b|{}/../c?d?e=/f", "h:8080", "h", 8080, "/a%20b|{}/../c?d?e=/f"),
            ("http://h?x=1", "h", "h", 80, "/?x=1"),
            ("http://h#x/y?z", "h", "h", 80, "/"),
            ("http://[::1]:8080?q", "[::1]:8080", "::1", 8080, "/?q"),
            ("http://[fe80::1%eth0]/", "[fe80::1]", "fe80::1%eth0", 80, "/"),
            ("http://127.0.0.1:65535/x", "127.0.0.1:65535", "127.0.0.1", 65535, "/x"),
            ("https://h/x", "h", "h", 443, "/x"),
            ("HTTPS://h:443/x", "h", "h", 443, "/x"),
            ("https://h:80/x", "h:80", "h", 80, "/x"),
            ("http://h:443/x", "h:443", "h", 443, "/x"),
        ] {
            let url = Url::parse(text).expect(text);
            assert_eq!(url.is_secure(), text.to_lowercase().starts_with("https"), "{text}");
            assert_eq!((url.authority(), url.target()), (authority, target), "{text}");
            assert_eq!((url.endpoint().host(), url.endpoint().port()), (host, port), "{text}");
            let scheme = if url.is_secure() { "https" } else { "http" };
            assert_eq!(url.as_str(), format!("{scheme}://{authority}{target}"));
        }
    }

    #[test]
    fn credentials_are_taken_out_and_decoded() {
        for (text, credentials) in [
            ("http://u:p@h/", Some(("u", "p"))),
            ("http://u@h/", Some(("u", ""))),
            ("http://u%40x:p%3A:@h/", Some(("u@x", "p::"))),
            ("http://a@b@h/", Some(("a@b", ""))),
            ("http://@h/", None),
            ("http://h/@", None),
        ] {
            let url = Url::parse(text).expect(text);
            let expected =
                credentials.map(|(user, password)| basic_authorization(user, password).expect("valid"));
            assert_eq!(url.authorization(), expected.as_deref(), "{text}");
            assert_eq!(url.authority(), "h");
        }
    }

    #[test]
    fn hazard_42_bad_urls_are_errors() {
        for text in [
            "",
            "h",
            "/path",
            "http:",
            "http:h",
            "http:/h",
            "http://",
            "http:///path",
            "http://:80/",
            "http://h:/",
            "http://h:0/",
            "http://h:99999/",
            "http://h:-1/",
            "http://h:8a/",
            "http://::1/",
            "http://[::1/",
            "http://[h]/",
            "http://a b/",
            "http://a\\b/",
            "http://a[b/",
            "http://a%b/",
            "http://a.test%.evil.test/",
            "http://\u{e9}/",
            "http://h/a b",
            "http://h/\u{e9}",
            "http://h/<a>",
            "http://h/\r\nX: y",
            "http://h/\0",
            "http://h\r\n/",
            "http://u%zz@h/",
            "http://u%3A:p@h/",
            "http://u%0A:p@h/",
            "https://",
            "httpss://h/",
            "ftp://h/",
            "file:///etc/passwd",
        ] {
            let error = Url::parse(text).expect_err(text);
            assert!(matches!(&error, Error::Url { url, .. } if url == text), "{error}");
        }
    }

    /// RFC 3986 section 5.4, but for the references with other schemes.
    #[test]
    fn resolves_references() {
        let base = Url::parse("http://a/b/c/d;p?q").expect("valid");
        for (reference, resolved) in [
            ("http:g", None),
            ("g:h", None),
            ("https://a/", Some("https://a/")),
            ("https://a:443/x", Some("https://a/x")),
            ("https:g", None),
            ("g", Some("http://a/b/c/g")),
            ("./g", Some("http://a/b/c/g")),
            ("g/", Some("http://a/b/c/g/")),
            ("/g", Some("http://a/g")),
            ("//g", Some("http://g/")),
            ("?y", Some("http://a/b/c/d;p?y")),
            ("g?y", Some("http://a/b/c/g?y")),
            ("#s", Some("http://a/b/c/d;p?q")),
            ("g#s", Some("http://a/b/c/g")),
            ("g?y#s", Some("http://a/b/c/g?y")),
            (";x", Some("http://a/b/c/;x")),
            ("g;x", Some("http://a/b/c/g;x")),
            ("", Some("http://a/b/c/d;p?q")),
            (".", Some("http://a/b/c/")),
            ("./", Some("http://a/b/c/")),
            ("..", Some("http://a/b/")),
            ("../", Some("http://a/b/")),
            ("../g", Some("http://a/b/g")),
            ("../..", Some("http://a/")),
            ("../../", Some("http://a/")),
            ("../../g", Some("http://a/g")),
            ("../../../g", Some("http://a/g")),
            ("../../../../g", Some("http://a/g")),
            ("/./g", Some("http://a/g")),
            ("/../g", Some("http://a/g")),
            ("g.", Some("http://a/b/c/g.")),
            (".g", Some("http://a/b/c/.g")),
            ("g..", Some("http://a/b/c/g..")),
            ("..g", Some("http://a/b/c/..g")),
            ("./../g", Some("http://a/b/g")),
            ("./g/.", Some("http://a/b/c/g/")),
            ("g/./h", Some("http://a/b/c/g/h")),
            ("g/../h", Some("http://a/b/c/h")),
            ("g;x=1/./y", Some("http://a/b/c/g;x=1/y")),
            ("g;x=1/../y", Some("http://a/b/c/y")),
            ("g?y/./x", Some("http://a/b/c/g?y/./x")),
            ("g?y/../x", Some("http://a/b/c/g?y/../x")),
            ("g#s/../x", Some("http://a/b/c/g")),
            ("http://g:80/../x/./y", Some("http://g/x/y")),
            ("HTTP://G?y", Some("http://g/?y")),
            ("//u:p@g/", None),
            ("//g:99999/", None),
            ("/a//b//../c", Some("http://a/a//b/c")),
            ("/caf\u{e9} {1}", Some("http://a/caf%C3%A9%20%7B1%7D")),
            ("\\\\evil/", Some("http://a/b/c/%5C%5Cevil/")),
            ("//evil\\@a/", None),
            ("a:b", None),
            ("./a:b", Some("http://a/b/c/a:b")),
            ("/x\r\nY: z", None),
        ] {
            let joined = base.join(reference.as_bytes());
            assert_eq!(joined.as_ref().ok().map(Url::as_str), resolved, "{reference:?}: {joined:?}");
        }
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let base = Url::parse("http://u:p@h:8080/a").expect("valid");
        for (reference, kept) in [
            ("/b", true),
            ("http://H:8080/b", true),
            ("//h:8080/b", true),
            ("http://h/b", false),
            ("http://h:8081/b", false),
            ("https://h:8080/b", false),
            ("http://other:8080/b", false),
        ] {
            let joined = base.join(reference.as_bytes()).expect(reference);
            assert_eq!(joined.authorization().is_some(), kept, "{reference}");
        }
        // Not the same origin, whatever is in front of the `%`.
        assert_eq!(base.join(b"//h%.evil.test:8080/b"), Err("the host has a character that no host has"));
    }

    #[test]
    fn references_stay_with_their_scheme() {
        let base = Url::parse("https://h/a").expect("valid");
        for (reference, resolved) in [
            ("/b", "https://h/b"),
            ("//g/b", "https://g/b"),
            ("https://g/b", "https://g/b"),
            ("http://h/b", "http://h/b"),
        ] {
            assert_eq!(base.join(reference.as_bytes()).expect(reference).as_str(), resolved);
        }
    }

    #[test]
    fn the_zone_of_an_address_stays_with_it() {
        let base = Url::parse("http://[fe80::1%eth0]:81/a").expect("valid");
        assert_eq!(base.join(b"b").expect("valid").endpoint().host(), "fe80::1%eth0");
        assert_eq!(base.authority(), "[fe80::1]:81");
    }
}
