//! Cookies, by the `cookie` crate (feature `cookies`).

use cookie::Cookie;

use super::reply_head::is_token;
use super::{Reply, Request};
use crate::Error;

impl<'r> Request<'r> {
    /// The cookies, in the order they came: of several of a name, the first is for the longest path (RFC 6265 section
    /// 5.4). Values are as sent: neither percent-decoded nor without quotes. What has no name or no `=`, or is not UTF-8,
    /// is left out: it may be another site's of the same domain, so it is no reason to refuse the request.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::http::{Reply, Request};
    ///
    /// manager.http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| match request.cookie("session") {
    ///     Some(session) => reply.text(format!("session {}", session.value())),
    ///     None => reply.cookie(&("session", "1234").into()).text("a new one"),
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    pub fn cookies(&self) -> impl Iterator<Item = Cookie<'r>> + use<'r> {
        let headers = self.headers();
        let of_name = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        of_name.flat_map(|(_, value)| split(value.as_bytes()))
    }

    /// The first cookie of a name. Unlike C's [`mg_http_get_header_var`](mongoose_sys::mg_http_get_header_var), which
    /// finds `session` in `xsession=1` (hazard 39), names are whole; they are compared with regard to case.
    #[doc(alias = "mg_http_get_header_var")]
    pub fn cookie(&self, name: &str) -> Option<Cookie<'r>> {
        self.cookies().find(|cookie| cookie.name() == name)
    }
}

/// The cookies of one header.
pub(crate) fn split(value: &[u8]) -> impl Iterator<Item = Cookie<'_>> {
    let pairs = value.split(|&byte| byte == b';').filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs.filter_map(|pair| Cookie::parse(pair).ok())
}

impl Reply<'_> {
    /// Sets a cookie at the peer: adds a `Set-Cookie`. One that would not come back as it is, or would set more than it
    /// says (a name that is no token, a value with blanks, quotes, commas, semicolons or backslashes, an attribute with
    /// semicolons, RFC 6265 section 4.1.1) is an error at the end; nothing is sent then, and the peer gets 500.
    pub fn cookie(mut self, cookie: &Cookie<'_>) -> Self {
        match check(cookie) {
            Ok(()) => self.header("Set-Cookie", cookie.to_string()),
            Err(reason) => {
                let error = || Box::new(Error::Header { name: "Set-Cookie".to_owned(), reason });
                self.error.get_or_insert_with(error);
                self
            }
        }
    }
}

pub(crate) fn check(cookie: &Cookie<'_>) -> Result<(), &'static str> {
    if cookie.name().is_empty() || !cookie.name().bytes().all(is_token) {
        return Err("the cookie's name is not a token");
    }
    let value = cookie.value();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    if !value.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)) {
        return Err("the cookie's value has characters that must not be in one");
    }
    let attributes = [cookie.path(), cookie.domain()];
    if attributes.iter().flatten().any(|value| value.contains(|c: char| c == ';' || c.is_control())) {
        return Err("an attribute of the cookie has characters that must not be in one");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_and_values(header: &str) -> Vec<(String, String)> {
        split(header.as_bytes()).map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned())).collect()
    }

    #[test]
    fn hazard_39_splits_a_header_into_whole_names() {
        let expected = [("xsession", "1"), ("session", "a=b"), ("q", "\"c d\""), ("e", ""), ("session", "2")];
        let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(names_and_values("xsession=1; session=a=b;q=\"c d\" ; e= ;session=2"), expected);
        assert_eq!(names_and_values("; a ;=b; ;; Path"), []);
        assert_eq!(split(b"a=\xff; b=1").count(), 1);
    }

    #[test]
    fn cookies_that_would_set_more_than_they_say_are_refused() {
        let good = ["", "abc", "a=b", "\"quoted\"", "!#$%&'()*+-./:<=>?@[]^_`{|}~"];
        assert!(good.iter().all(|value| check(&Cookie::new("a", *value)).is_ok()));
        for value in ["a;b", "a; Domain=x", "a b", "a,b", "a\"b", "\"a", "a\\b", "a\r\nb", "ü", "a\0"] {
            assert!(check(&Cookie::new("a", value)).is_err(), "{value:?}");
        }
        for name in ["", "a b", "a=b", "a;b", "ü", "a\r\n"] {
            assert!(check(&Cookie::new(name, "v")).is_err(), "{name:?}");
        }
        let attribute = |text: &'static str| check(&Cookie::build(("a", "b")).path(text).build());
        assert!(attribute("/a b").is_ok() && attribute("/;Secure").is_err() && attribute("/\n").is_err());
        assert!(check(&Cookie::build(("a", "b")).domain("a;b").build()).is_err());
    }
}
