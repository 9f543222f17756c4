//! A URL, taken apart.

use std::borrow::Cow;

use super::percent::{decode, into_text};
use crate::Error;
use crate::net::Endpoint;

/// A URL with a host, checked as a whole and viewed in its parts.
///
/// Not its business: references relative to another, internationalised names and the rules of browsers. For those there is
/// the crate [url](https://docs.rs/url).
///
/// ```
/// use mongoose::url::Url;
///
/// let url = Url::parse("mqtts://ada:p%40ss@[2001:db8::1]/a/b?c=d")?;
/// assert_eq!((url.scheme(), url.host(), url.port()), ("mqtts", "2001:db8::1", Some(8883)));
/// assert_eq!((url.user().as_deref(), url.password().as_deref()), (Some("ada"), Some("p@ss")));
/// assert_eq!((url.path(), url.query()), ("/a/b", Some("c=d")));
/// assert!(url.is_tls());
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// C takes the port 99999 for 34463 and `http://h?x=1` for the host `h?x=1` (hazard 42), and whatever is between colons for
/// a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url<'u> {
    text: &'u str,
    scheme: &'u str,
    user: Option<Cow<'u, str>>,
    password: Option<Cow<'u, str>>,
    host: &'u str,
    port: Option<u16>,
    /// Path, query and fragment.
    target: &'u str,
}

impl<'u> Url<'u> {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`Error::Url`]: no scheme, no host, a port that is none, a character that has to be percent-encoded, or credentials
    /// that are no text.
    pub fn parse(text: &'u str) -> Result<Self, Error> {
        Self::check(text).map_err(|reason| Error::Url { url: text.to_owned(), reason })
    }

    fn check(text: &'u str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("no scheme, such as http://")?;
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) || !scheme.bytes().all(is_part) {
            return Err("the scheme has a character that no scheme has");
        }
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        if !text.bytes().all(is_allowed) {
            return Err("a character that has to be percent-encoded");
        }
        let (credentials, authority) = match authority.rsplit_once('@') {
            Some((credentials, authority)) => (Some(credentials), authority),
            None => (None, authority),
        };
        // Checks host and port; where none is said, one that is not looked at.
        let endpoint = Endpoint::from_authority(authority, Some(0))?;
        let (host, behind) = match authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']').unwrap_or((bracketed, "")),
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = if behind.is_empty() { default_port(scheme) } else { Some(endpoint.port()) };
        let malformed = |_| "malformed credentials";
        let text_of = |part: &'u str| decode(part).and_then(into_text).map_err(malformed);
        let (user, password) = match credentials.map(|both| both.split_once(':').ok_or(both)) {
            None => (None, None),
            Some(Err(user)) => (Some(text_of(user)?), None),
            Some(Ok((user, password))) => (Some(text_of(user)?), Some(text_of(password)?)),
        };
        Ok(Self { text, scheme, user, password, host, port, target })
    }

    /// The whole.
    pub fn as_str(&self) -> &'u str {
        self.text
    }

    /// What is in front of `://`, as it is written.
    pub fn scheme(&self) -> &'u str {
        self.scheme
    }

    /// The user in front of the host, decoded.
    #[doc(alias = "mg_url_user")]
    pub fn user(&self) -> Option<Cow<'u, str>> {
        self.user.clone()
    }

    /// The password behind the user, decoded.
    #[doc(alias = "mg_url_pass")]
    pub fn password(&self) -> Option<Cow<'u, str>> {
        self.password.clone()
    }

    /// The host: a name, or an address without brackets.
    #[doc(alias = "mg_url_host")]
    pub fn host(&self) -> &'u str {
        self.host
    }

    /// The port that it says, or the scheme's own: 80 for `http` and `ws`, 443 for `https` and `wss`, 1883 for `mqtt`, 8883
    /// for `mqtts`.
    #[doc(alias = "mg_url_port")]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The path, `/` where it says none.
    #[doc(alias = "mg_url_uri")]
    pub fn path(&self) -> &'u str {
        let path = self.target.split(['?', '#']).next().unwrap_or_default();
        if path.is_empty() { "/" } else { path }
    }

    /// What is behind the `?`.
    #[doc(alias = "mg_url_uri")]
    pub fn query(&self) -> Option<&'u str> {
        let (target, _) = self.target.split_once('#').unwrap_or((self.target, ""));
        target.split_once('?').map(|(_, query)| query)
    }

    /// What is behind the `#`.
    pub fn fragment(&self) -> Option<&'u str> {
        self.target.split_once('#').map(|(_, fragment)| fragment)
    }

    /// Whether the scheme is one of TLS: `https`, `wss`, `mqtts`, `tls`, and C's `ssl` and `tcps`.
    #[doc(alias = "mg_url_is_ssl")]
    pub fn is_tls(&self) -> bool {
        ["https", "wss", "mqtts", "tls", "ssl", "tcps"]
            .iter()
            .any(|tls| self.scheme.eq_ignore_ascii_case(tls))
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    let ports = [("http", 80), ("ws", 80), ("https", 443), ("wss", 443), ("mqtt", 1883), ("mqtts", 8883)];
    ports.iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name)).map(|&(_, port)| port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_taken_apart() {
        for (text, host, port, path, query, fragment) in [
            ("http://h", "h", Some(80), "/", None, None),
            ("http://h/", "h", Some(80), "/", None, None),
            ("http://h?x=1", "h", Some(80), "/", Some("x=1"), None),
            ("http://h#x?y", "h", Some(80), "/", None, Some("x?y")),
            ("WSS://h:1/a/b?c?d#e#f", "h", Some(1), "/a/b", Some("c?d"), Some("e#f")),
            ("tcp://127.0.0.1:0", "127.0.0.1", Some(0), "/", None, None),
            ("udp://h", "h", None, "/", None, None),
            ("x-y+z.1://h", "h", None, "/", None, None),
            ("https://[::1]", "::1", Some(443), "/", None, None),
            ("https://[fe80::1%25]:9/", "fe80::1%25", Some(9), "/", None, None),
            ("mqtt://h/@:x", "h", Some(1883), "/@:x", None, None),
        ] {
            let url = Url::parse(text).expect(text);
            let parts = (url.host(), url.port(), url.path(), url.query(), url.fragment());
            assert_eq!(parts, (host, port, path, query, fragment), "{text}");
            assert_eq!((url.user(), url.password()), (None, None), "{text}");
        }
    }

    #[test]
    fn credentials_are_decoded() {
        for (text, user, password) in [
            ("http://u@h", Some("u"), None),
            ("http://u:p@h:1", Some("u"), Some("p")),
            ("http://u:@h", Some("u"), Some("")),
            ("http://:p@h", Some(""), Some("p")),
            ("http://@h", Some(""), None),
            ("http://a%3Ab:c:d%40@h", Some("a:b"), Some("c:d@")),
            ("http://u@x@h", Some("u@x"), None),
        ] {
            let url = Url::parse(text).expect(text);
            assert_eq!((url.user().as_deref(), url.password().as_deref()), (user, password), "{text}");
            assert_eq!(url.host(), "h", "{text}");
        }
    }

    #[test]
    fn hazard_42_what_is_wrong_is_an_error() {
        for text in [
            "",
            "h",
            "http:",
            "http:/h",
            "http://",
            "://h",
            "1http://h",
            "ht tp://h",
            "http://:80",
            "http://h:99999",
            "http://h:65536",
            "http://h:",
            "http://h:-1",
            "http://h:+1",
            "http://h:0x50",
            "http://h:1:2",
            "http://::1",
            "http://[::1",
            "http://[x]",
            "http://[::1]x",
            "http://h h",
            "http://h/ ",
            "http://h/\n",
            "http://h\0",
            "http://h/\u{e9}",
            "http://h/\"",
            "http://h\\a",
            "http://u%@h",
            "http://u:%ff@h",
            "http://u%4@h",
        ] {
            assert!(matches!(Url::parse(text), Err(Error::Url { .. })), "{text:?}");
        }
    }

    #[test]
    fn tls_is_known_by_the_scheme() {
        for text in ["https://h", "WSS://h", "mqtts://h", "tls://h:1", "ssl://h", "tcps://h"] {
            assert!(Url::parse(text).expect(text).is_tls(), "{text}");
        }
        for text in ["http://h", "ws://h", "mqtt://h", "tcp://h:1", "httpss://h"] {
            assert!(!Url::parse(text).expect(text).is_tls(), "{text}");
        }
    }
}
