//! Parameters inside header values: `name=value` and `name="quoted value"`, in lists that `;` or `,` separates.

use std::borrow::Cow;

use super::HeaderValue;
use super::reply_head::is_token;

/// What a parameter was set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterValue<'v> {
    /// Bare.
    Token(&'v [u8]),
    /// What stood between quotes, escapes still in it.
    Quoted(&'v [u8]),
}

impl<'v> ParameterValue<'v> {
    /// The value itself. In quotes a backslash makes the byte behind it literal (RFC 9110 section 5.6.4).
    pub(super) fn unquote(self) -> Cow<'v, [u8]> {
        match self {
            Self::Token(token) => Cow::Borrowed(token),
            Self::Quoted(quoted) if !quoted.contains(&b'\\') => Cow::Borrowed(quoted),
            Self::Quoted(quoted) => {
                let mut unescaped = Vec::with_capacity(quoted.len());
                let mut bytes = quoted.iter();
                while let Some(&byte) = bytes.next() {
                    // The parser saw to it that an escape is never the last byte.
                    unescaped.push(if byte == b'\\' { bytes.next().copied().unwrap_or(byte) } else { byte });
                }
                Cow::Owned(unescaped)
            }
        }
    }
}

/// Reads parameters one by one, and says where a list is none: after an error there is nothing more.
///
/// Names are whole: what merely ends or begins like one, and what stands in quotes, is never taken for it (hazards 39
/// and 40).
#[derive(Clone, Debug)]
pub(super) struct Parameters<'v> {
    rest: &'v [u8],
    separator: u8,
}

impl<'v> Parameters<'v> {
    /// Of `first; name=value; ...`, as in `Content-Type`: also gives what stands before the first `;`.
    pub(super) fn behind_first(value: &'v [u8]) -> (&'v [u8], Self) {
        let end = value.iter().position(|&byte| byte == b';').unwrap_or(value.len());
        let (first, rest) = value.split_at(end);
        (first.trim_ascii(), Self { rest, separator: b';' })
    }

    /// Of `Scheme name=value, ...`, as in `Authorization: Digest`: also gives the scheme.
    pub(super) fn behind_scheme(value: &'v [u8]) -> (&'v [u8], Self) {
        let end = value.iter().position(|&byte| byte == b' ').unwrap_or(value.len());
        let (scheme, rest) = value.split_at(end);
        (scheme, Self { rest, separator: b',' })
    }

    fn parse(&mut self) -> Result<Option<(&'v str, ParameterValue<'v>)>, &'static str> {
        // Lists may have empty elements (RFC 9110 sections 5.6.1.2 and 5.6.6).
        let skipped = |byte: &u8| is_white(*byte) || *byte == self.separator;
        let start = self.rest.iter().position(|byte| !skipped(byte)).unwrap_or(self.rest.len());
        let rest = &self.rest[start..];
        if rest.is_empty() {
            return Ok(None);
        }
        let end = rest.iter().position(|&byte| !is_token(byte)).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let Some(rest) = skip_white(rest).strip_prefix(b"=") else { return Err("a parameter without =") };
        let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty());
        let name = name.ok_or("a parameter without a name")?;
        let (value, rest) = match skip_white(rest).strip_prefix(b"\"") {
            Some(quoted) => take_quoted(quoted)?,
            None => take_token(skip_white(rest), self.separator)?,
        };
        self.rest = skip_white(rest);
        if self.rest.first().is_some_and(|&byte| byte != self.separator) {
            return Err("a parameter that goes on behind its value");
        }
        Ok(Some((name, value)))
    }
}

impl<'v> Iterator for Parameters<'v> {
    type Item = Result<(&'v str, ParameterValue<'v>), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        let parsed = self.parse();
        if parsed.is_err() {
            self.rest = &[];
        }
        parsed.transpose()
    }
}

/// Takes up to the closing quote.
fn take_quoted(bytes: &[u8]) -> Result<(ParameterValue<'_>, &[u8]), &'static str> {
    let mut escaped = false;
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Ok((ParameterValue::Quoted(&bytes[..index]), &bytes[index + 1..])),
            _ => {}
        }
    }
    Err("a quoted string without an end")
}

/// Takes up to the separator or white space. More characters are taken than a token may have, `/` and `=` among them,
/// because programs send boundaries with them bare; none of them could be taken for structure.
fn take_token(bytes: &[u8], separator: u8) -> Result<(ParameterValue<'_>, &[u8]), &'static str> {
    let end = bytes.iter().position(|&byte| byte == separator || is_white(byte)).unwrap_or(bytes.len());
    let (token, rest) = bytes.split_at(end);
    if token.is_empty() || token.iter().any(|&byte| byte <= b' ' || matches!(byte, b'"' | b';' | 0x7f)) {
        return Err("a parameter without a value that can be read");
    }
    Ok((ParameterValue::Token(token), rest))
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn skip_white(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|&byte| !is_white(byte)).unwrap_or(bytes.len());
    &bytes[start..]
}

impl<'r> HeaderValue<'r> {
    /// A parameter behind a scheme, such as `realm` of `Digest username="Mufasa", realm="x"`: those of `Authorization`,
    /// `WWW-Authenticate` and their likes, which commas separate. Its name is compared whole and without regard to case;
    /// quotes are taken off. `None` too where the list is malformed before it.
    ///
    /// For lists that semicolons separate see [`parameter`](Self::parameter). C's
    /// [`mg_http_get_header_var`](mongoose_sys::mg_http_get_header_var) takes `cnonce` for `nonce`, and finds both in
    /// quoted text (hazard 39).
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::http::{Reply, Request};
    ///
    /// manager.http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| {
    ///     let authorization = request.header("Authorization");
    ///     match authorization.and_then(|value| value.auth_parameter("nonce")) {
    ///         Some(nonce) => reply.body(nonce),
    ///         None => reply.status(400).empty(),
    ///     }
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    #[doc(alias = "mg_http_get_header_var")]
    pub fn auth_parameter(&self, name: &str) -> Option<Cow<'r, [u8]>> {
        let (_, parameters) = Parameters::behind_scheme(self.as_bytes());
        let mut found =
            parameters.map_while(Result::ok).filter(|(found, _)| found.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.unquote())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(value: &str) -> Result<Vec<(&str, String)>, &'static str> {
        let (_, parameters) = Parameters::behind_first(value.as_bytes());
        let text = |value: ParameterValue<'_>| String::from_utf8_lossy(&value.unquote()).into_owned();
        parameters.map(|parameter| parameter.map(|(name, value)| (name, text(value)))).collect()
    }

    #[test]
    fn reads_tokens_and_quoted_strings() {
        let value = r#"form-data;name=a ; Filename = "b;name=\"x\"; c=\\" ;; empty="";"#;
        let expected = [("name", "a"), ("Filename", r#"b;name="x"; c=\"#), ("empty", "")];
        assert_eq!(list(value), Ok(expected.map(|(name, value)| (name, value.to_owned())).to_vec()));
        assert_eq!(list("form-data"), Ok(vec![]));
        assert_eq!(list("form-data ; "), Ok(vec![]));
        assert_eq!(list("multipart/x; boundary=a/b:c=d'?"), Ok(vec![("boundary", "a/b:c=d'?".to_owned())]));
    }

    #[test]
    fn says_where_a_list_is_malformed() {
        for value in [
            "a; b",
            "a; =c",
            "a; b=",
            "a; b= ;",
            "a; b=c d",
            "a; b=c\"d\"",
            "a; b=\"c",
            "a; b=\"c\\\"",
            "a; b=\"c\"d",
            "a; b=\"c\" d=e",
            "a; \"b\"=c",
            "a; b c=d",
            "a; ü=1",
            "a; b=\u{1}",
        ] {
            assert!(list(value).is_err(), "{value}");
        }
        let (_, mut parameters) = Parameters::behind_first(b"a; b=c; d; e=f");
        assert!(parameters.next().is_some_and(|first| first.is_ok()));
        assert!(parameters.next().is_some_and(|second| second.is_err()));
        assert!(parameters.next().is_none(), "an error is the last");
    }

    #[test]
    fn hazard_39_parameters_behind_a_scheme_are_found_by_their_whole_name() {
        let value = HeaderValue {
            bytes: br#"Digest username="nonce=1, nonce=2", cnonce="3" , qop=auth,nonce="a\"b", uri="/a,b""#,
        };
        let find =
            |name| value.auth_parameter(name).map(|found| String::from_utf8_lossy(&found).into_owned());
        assert_eq!(find("NONCE").as_deref(), Some("a\"b"));
        assert_eq!(find("cnonce").as_deref(), Some("3"));
        assert_eq!(find("qop").as_deref(), Some("auth"));
        assert_eq!(find("uri").as_deref(), Some("/a,b"));
        assert_eq!(find("once"), None);
        assert_eq!(find("Digest"), None);
        assert_eq!(HeaderValue { bytes: b"Basic YTpi=" }.auth_parameter("a"), None);
        assert_eq!(HeaderValue { bytes: b"" }.auth_parameter("a"), None);
    }
}
