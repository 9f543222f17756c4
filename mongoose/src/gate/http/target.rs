//! The request target: origin, absolute, asterisk form (RFC 9112 section 3.2).

use super::host::is_authority;
use super::{Refusal, bad_request};

/// A request target taken apart. All of it is visible ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'b> {
    /// Begins with `/`, but for `OPTIONS *`.
    pub(crate) path: &'b str,
    /// Without the `?`; empty when there is none.
    pub(crate) query: &'b str,
}

/// Visible ASCII but for what RFC 3986 never allows and no browser sends. It sends `|`, `^`, `{` and the like, though.
const VALID: [bool; 256] = {
    let mut valid = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        valid[byte as usize] = byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'<' | b'>');
        byte += 1;
    }
    valid
};

impl<'b> Target<'b> {
    pub(super) fn parse(method: &str, target: &'b str) -> Result<Self, Refusal> {
        if !target.bytes().fold(true, |valid, byte| valid & VALID[usize::from(byte)]) {
            return Err(bad_request("a character in the target that no target has"));
        }
        if method == "CONNECT" {
            return Err(Refusal::new(501, "CONNECT is not implemented"));
        }
        if target.starts_with('/') {
            return Ok(Self::split(target));
        }
        if target == "*" {
            return match method {
                "OPTIONS" => Ok(Self { path: target, query: "" }),
                _ => Err(bad_request("the target * without OPTIONS")),
            };
        }
        let (scheme, rest) =
            target.split_once("://").ok_or_else(|| bad_request("a target of no known form"))?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(bad_request("a target with another scheme"));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.is_empty() || !is_authority(authority.as_bytes()) {
            return Err(bad_request("a target without a host"));
        }
        if path.starts_with('/') {
            return Ok(Self::split(path));
        }
        Ok(Self { path: "/", query: path.strip_prefix('?').unwrap_or_default() })
    }

    fn split(target: &'b str) -> Self {
        // Targets are short: a plain loop is over before a vectorised search has begun.
        match target.bytes().position(|byte| byte == b'?') {
            Some(mark) => Self { path: &target[..mark], query: &target[mark + 1..] },
            None => Self { path: target, query: "" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_every_form_apart() {
        for (method, target, path, query) in [
            ("GET", "/", "/", ""),
            ("GET", "/a/b?c=d?e", "/a/b", "c=d?e"),
            ("GET", "/?", "/", ""),
            ("GET", "http://h", "/", ""),
            ("GET", "HTTP://h:80/x?y", "/x", "y"),
            ("GET", "https://[::1]?q", "/", "q"),
            ("OPTIONS", "*", "*", ""),
            ("GET", "/a|b?{x}", "/a|b", "{x}"),
        ] {
            assert_eq!(Target::parse(method, target), Ok(Target { path, query }), "{method} {target}");
        }
    }

    #[test]
    fn refuses_what_has_no_form() {
        for (method, target, status) in [
            ("GET", "*", 400),
            ("GET", "a", 400),
            ("GET", "http://", 400),
            ("GET", "http:///x", 400),
            ("GET", "http://a@b/", 400),
            ("GET", "ftp://h/", 400),
            ("GET", "/a#b", 400),
            ("GET", "/\u{e9}", 400),
            ("GET", "/\0", 400),
            ("CONNECT", "h:443", 501),
        ] {
            assert_eq!(
                Target::parse(method, target).map_err(|refusal| refusal.status),
                Err(status),
                "{method} {target}"
            );
        }
    }
}
