//! Following redirects (RFC 9110 section 15.4).

use std::borrow::Cow;

use super::outbound::{Body, Outbound, is_header};
use crate::Error;

/// What is meant for one server alone.
const SECRETS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Whether a status asks to go elsewhere. 300 leaves the choice to people, 304 is about what they have.
pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

impl Outbound {
    /// Makes it the request that a redirect asks for.
    ///
    /// # Errors
    /// [`Error::Redirect`], when it cannot be followed.
    pub(super) fn redirect(&mut self, status: u16, location: &[u8]) -> Result<(), Error> {
        let refused =
            |reason| Error::Redirect { url: String::from_utf8_lossy(location).into_owned(), reason };
        match &mut self.redirects {
            Some(0) => return Err(refused("too many redirects")),
            Some(left) => *left -= 1,
            None => {}
        }
        let url = self.url.join(location).map_err(refused)?;
        if self.url.is_secure() && !url.is_secure() {
            // What was asked over TLS is not to be asked in plaintext, whoever says so.
            return Err(refused("it leads from https to http"));
        }
        if url.is_secure() && self.trust.is_nobody() {
            return Err(refused("TLS needs a configuration"));
        }
        let becomes_get = match status {
            303 => self.method != "HEAD",
            // Not what the older standards said, but what everybody does.
            301 | 302 => self.method == "POST",
            _ => false,
        };
        if becomes_get {
            self.method = Cow::Borrowed("GET");
            self.body = Body::Empty;
            // They are about the body.
            self.keep_headers(|line| {
                !line.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-"))
            });
        } else if matches!(self.body, Body::Streamed { .. }) {
            return Err(refused("a streamed body cannot be sent twice"));
        }
        if !url.is_same_origin(&self.url) {
            self.keep_headers(|line| !SECRETS.iter().any(|name| is_header(line, name)));
            self.host = None;
            self.trust = self.trust.elsewhere();
        }
        self.url = url;
        Ok(())
    }

    fn keep_headers(&mut self, keep: impl Fn(&[u8]) -> bool) {
        let lines = self.headers.split_inclusive(|&byte| byte == b'\n');
        self.headers = lines.filter(|line| keep(line)).flatten().copied().collect();
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::destination::Trust;
    use super::super::url::Url;
    use super::*;
    use crate::Limits;

    const HEADERS: &[u8] =
        b"Accept: x\r\nauthorization: secret\r\nCOOKIE: secret\r\nProxy-Authorization: secret\r\n\
        Content-Type: y\r\nContent-Language: z\r\n";

    fn outbound(method: &str) -> Outbound {
        Outbound {
            method: method.to_owned().into(),
            url: Url::parse("http://u:p@a/b?c").expect("valid"),
            headers: HEADERS.to_vec(),
            host: Some(b"virtual".to_vec()),
            body: Body::Whole("body".into()),
            expect_continue: false,
            close: false,
            gzip: false,
            upgrade: false,
            redirects: Some(3),
            limits: Rc::new(Limits::default()),
            trust: Trust::Nobody,
        }
    }

    fn head(request: &Outbound) -> String {
        let mut head = Vec::new();
        request.write_head(&mut head);
        String::from_utf8(head).expect("text")
    }

    #[test]
    fn methods_and_bodies_follow_the_rules() {
        for (status, method, after) in [
            (301, "GET", "GET"),
            (301, "POST", "GET"),
            (302, "POST", "GET"),
            (303, "POST", "GET"),
            (303, "PUT", "GET"),
            (303, "HEAD", "HEAD"),
            (301, "PUT", "PUT"),
            (302, "DELETE", "DELETE"),
            (307, "POST", "POST"),
            (308, "POST", "POST"),
        ] {
            let mut request = outbound(method);
            request.redirect(status, b"/d").expect("to follow");
            assert_eq!(request.method, after, "{status} {method}");
            let loses_body = method != after;
            assert_eq!(matches!(request.body, Body::Empty), loses_body, "{status} {method}");
            assert_eq!(
                !head(&request).contains("Content-"),
                loses_body,
                "{status} {method}: {}",
                head(&request)
            );
        }
    }

    #[test]
    fn credentials_go_to_no_other_host() {
        for (location, kept) in [
            ("/d", true),
            ("//a/d", true),
            ("//b/d", false),
            ("http://a:81/d", false),
            ("http://A:80/d", true),
        ] {
            let mut request = outbound("GET");
            request.redirect(302, location.as_bytes()).expect("to follow");
            let head = head(&request);
            assert_eq!(head.contains("secret"), kept, "{location}: {head}");
            assert_eq!(head.contains("Host: virtual"), kept, "{location}: {head}");
            assert_eq!(request.url.authorization().is_some(), kept, "{location}");
            assert!(head.contains("Accept: x\r\n") && head.contains("Content-Type: y\r\n"), "{head}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_an_error() {
        for location in
            ["https://a/", "ftp://a/", "mailto:x", "http://", "http://h:99999/", "//x@b/", "/\r\nX: y"]
        {
            let error = outbound("GET").redirect(302, location.as_bytes()).expect_err(location);
            assert!(matches!(&error, Error::Redirect { url, .. } if url == location), "{error}");
        }
        let mut secure = outbound("GET");
        secure.url = Url::parse("https://a/b").expect("valid");
        let error = secure.redirect(302, b"http://a/c").expect_err("out of TLS");
        assert!(error.to_string().ends_with("it leads from https to http"), "{error}");
        let mut request = outbound("GET");
        (0..3).for_each(|_| request.redirect(302, b"x").expect("three are allowed"));
        assert!(matches!(request.redirect(302, b"x"), Err(Error::Redirect { .. })));
        let mut streamed = outbound("PUT");
        streamed.body = Body::Streamed { source: None, length: None };
        assert!(matches!(streamed.redirect(307, b"x"), Err(Error::Redirect { .. })));
        streamed.redirect(303, b"x").expect("the body is not sent again");
    }
}
