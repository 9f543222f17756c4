//! Who a request says it is from: `Authorization` and the challenge for it (RFC 9110 section 11, RFC 7617, RFC 6750).

use std::fmt;
use std::hint::black_box;

use super::{Reply, Request};
use crate::{Error, base64};

/// What a request's `Authorization` holds: see [`Request::credentials`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials<'r> {
    /// User and password, as bytes: today's browsers send UTF-8. Neither has control characters; the user has no colon.
    Basic {
        /// The user.
        user: Vec<u8>,
        /// The password.
        password: Vec<u8>,
    },
    /// A token: visible ASCII characters.
    Bearer(&'r str),
}

impl<'r> Request<'r> {
    /// What `Authorization` holds, of any length. `None` where there is none, or two of them, or another scheme, or it is
    /// malformed: whoever needs credentials answers 401 to all of these.
    ///
    /// C's [`mg_http_creds`](mongoose_sys::mg_http_creds) cuts in silence, compares the scheme's case, and takes an
    /// `access_token` of a cookie or of the query too. A query ends up in logs: this does not look there.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::http::{self, Credentials, Reply, Request};
    ///
    /// manager.http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| match request.credentials() {
    ///     Some(Credentials::Basic { user, password })
    ///         if user == b"ada" && http::constant_time_eq(&password, "secret") =>
    ///     {
    ///         reply.text("Welcome")
    ///     }
    ///     _ => reply.challenge_basic("the engine"),
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    #[doc(alias = "mg_http_creds")]
    pub fn credentials(&self) -> Option<Credentials<'r>> {
        let headers = self.headers();
        let mut found = headers.get_all("Authorization");
        match (found.next(), found.next()) {
            (Some(one), None) => parse(one.as_bytes()),
            _ => None,
        }
    }
}

fn parse(value: &[u8]) -> Option<Credentials<'_>> {
    let scheme_end = value.iter().position(|&byte| byte == b' ')?;
    let (scheme, rest) = value.split_at(scheme_end);
    let rest = rest.trim_ascii_start();
    if scheme.eq_ignore_ascii_case(b"basic") {
        let decoded = base64::decode_strictly(rest)?;
        let colon = decoded.iter().position(|&byte| byte == b':')?;
        if decoded.iter().any(u8::is_ascii_control) {
            return None;
        }
        let (user, password) = (decoded[..colon].to_vec(), decoded[colon + 1..].to_vec());
        Some(Credentials::Basic { user, password })
    } else if scheme.eq_ignore_ascii_case(b"bearer") {
        let visible = !rest.is_empty() && rest.iter().all(u8::is_ascii_graphic);
        std::str::from_utf8(rest).ok().filter(|_| visible).map(Credentials::Bearer)
    } else {
        None
    }
}

/// Without passwords and tokens: logs outlive them.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { user, .. } => write!(f, "Basic {{ user: \"{}\", .. }}", user.escape_ascii()),
            Self::Bearer(_) => f.write_str("Bearer(..)"),
        }
    }
}

/// Compares secrets. How long it takes says whether their lengths differ, but not where they do.
///
/// ```
/// use mongoose::http::constant_time_eq;
///
/// assert!(constant_time_eq("secret", b"secret"));
/// assert!(!constant_time_eq("secret", "Secret") && !constant_time_eq("secret", "secre"));
/// ```
pub fn constant_time_eq(one: impl AsRef<[u8]>, other: impl AsRef<[u8]>) -> bool {
    let (one, other) = (one.as_ref(), other.as_ref());
    // The compiler must not know when it could stop.
    let difference = one.iter().zip(other).fold(0, |difference, (a, b)| black_box(difference | (a ^ b)));
    one.len() == other.len() && difference == 0
}

/// Makes a client's `Authorization` of user and password, of any length.
///
/// ```
/// let value = mongoose::http::basic_authorization("Aladdin", "open sesame")?;
/// assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// # Errors
/// [`Error::Header`] when there is a colon in the user, or a control character in either: the server would read
/// something else. C's [`mg_http_bauth`](mongoose_sys::mg_http_bauth) sends both.
#[doc(alias = "mg_http_bauth")]
pub fn basic_authorization(user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Result<String, Error> {
    let (user, password) = (user.as_ref(), password.as_ref());
    let bad = |reason| Error::Header { name: "Authorization".to_owned(), reason };
    if user.contains(&b':') {
        return Err(bad("the user has a colon"));
    }
    if user.iter().chain(password).any(u8::is_ascii_control) {
        return Err(bad("user or password has a control character"));
    }
    Ok(format!("Basic {}", base64::encode([user, b":", password].concat())))
}

impl Reply<'_> {
    /// Asks for user and password: 401. Browsers show the realm to whom they ask.
    ///
    /// # Errors
    /// As [`text`](Self::text); [`Error::Header`] when the realm has a control character.
    pub fn challenge_basic(self, realm: &str) -> Result<(), Error> {
        self.challenge(&format!("Basic realm={}, charset=\"UTF-8\"", quote(realm)))
    }

    /// Asks for a token: 401.
    ///
    /// # Errors
    /// As [`challenge_basic`](Self::challenge_basic).
    pub fn challenge_bearer(self, realm: &str) -> Result<(), Error> {
        self.challenge(&format!("Bearer realm={}", quote(realm)))
    }

    fn challenge(self, challenge: &str) -> Result<(), Error> {
        self.status(401).header("WWW-Authenticate", challenge).text("Unauthorized\n")
    }
}

/// Makes a quoted string (RFC 9110 section 5.6.4).
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(text: &[u8]) -> Option<Credentials<'static>> {
        let value = format!("Basic {}", base64::encode(text));
        match parse(value.as_bytes()) {
            Some(Credentials::Basic { user, password }) => Some(Credentials::Basic { user, password }),
            _ => None,
        }
    }

    #[test]
    fn reads_users_and_passwords_whole() {
        let long = "p:".repeat(100_000);
        for (user, password) in [("a", "b"), ("", ""), ("a", "b:c"), ("ü", "пароль"), ("long", &*long)]
        {
            let expected = Credentials::Basic { user: user.into(), password: password.into() };
            assert_eq!(basic(format!("{user}:{password}").as_bytes()), Some(expected));
            let made = basic_authorization(user, password).expect("valid");
            assert!(matches!(parse(made.as_bytes()), Some(Credentials::Basic { .. })));
        }
        assert_eq!(
            basic(b"\xfc:\xe4"),
            Some(Credentials::Basic { user: b"\xfc".to_vec(), password: b"\xe4".to_vec() })
        );
    }

    #[test]
    fn schemes_are_read_in_any_case_and_behind_any_number_of_blanks() {
        for value in ["basic YTpi", "BASIC   YTpi", "bAsIc YTpi"] {
            assert!(matches!(parse(value.as_bytes()), Some(Credentials::Basic { .. })), "{value}");
        }
        assert_eq!(parse(b"beARer  a.b-c_d~e+f/g=="), Some(Credentials::Bearer("a.b-c_d~e+f/g==")));
    }

    #[test]
    fn what_is_malformed_is_nothing() {
        for value in [
            "",
            "Basic",
            "Basic ",
            "BasicYTpi",
            "Basic\tYTpi",
            "Basic YTpi=",
            "Basic YTpi YTpi",
            "Basic YTp",
            "Basic YQ==",
            "Basic YTpiCg==",
            "Basic YToA",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer \u{fc}",
            "Digest a=b",
            "YTpi",
        ] {
            assert_eq!(parse(value.as_bytes()), None, "{value:?}");
        }
        assert!(basic_authorization("a:b", "c").is_err());
        assert!(basic_authorization("a", "b\r\n").is_err() && basic_authorization("a\0", "b").is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let basic = basic(b"us\"er:pass").expect("valid");
        assert_eq!(format!("{basic:?}"), r#"Basic { user: "us\"er", .. }"#);
        assert_eq!(format!("{:?}", Credentials::Bearer("token")), "Bearer(..)");
    }

    #[test]
    fn compares_whole_secrets() {
        assert!(constant_time_eq("", "") && constant_time_eq([7; 1000], vec![7; 1000]));
        for (one, other) in [("a", ""), ("", "a"), ("ab", "aB"), ("ab", "bb"), ("ab", "abc")] {
            assert!(!constant_time_eq(one, other));
        }
    }

    #[test]
    fn realms_are_quoted() {
        assert_eq!(quote(r#"a "b" \c"#), r#""a \"b\" \\c""#);
    }
}
