//! Who is logged in.

use std::fs::File;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use mongoose::http::{Request, constant_time_eq};

/// How long a login lasts.
pub const LASTS: Duration = Duration::from_secs(12 * 60 * 60);

/// How many there may be; the oldest goes first.
const MOST: usize = 64;

/// The sessions, oldest first.
#[derive(Default)]
pub struct Sessions {
    tokens: Vec<(String, Instant)>,
}

impl Sessions {
    /// Begins a session, and answers its token, which nobody can guess.
    pub fn begin(&mut self) -> io::Result<String> {
        let mut bytes = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if self.tokens.len() == MOST {
            self.tokens.remove(0);
        }
        self.tokens.push((token.clone(), Instant::now() + LASTS));
        Ok(token)
    }

    /// The token of a request, when it is one of ours.
    pub fn of(&mut self, request: &Request<'_>) -> Option<String> {
        tokens(request).find(|token| self.has(token)).map(str::to_owned)
    }

    /// Whether there is such a session. How long that takes does not tell how much of a token is right.
    pub fn has(&mut self, token: &str) -> bool {
        let now = Instant::now();
        self.tokens.retain(|(_, end)| now < *end);
        self.tokens.iter().fold(false, |found, (ours, _)| found | constant_time_eq(ours, token))
    }

    /// Ends one.
    pub fn end(&mut self, token: &str) {
        self.tokens.retain(|(ours, _)| ours != token);
    }
}

/// What a `Set-Cookie` says; without a token, that there is none any more.
pub fn cookie(token: Option<&str>) -> String {
    let age = token.map_or(0, |_| LASTS.as_secs());
    let token = token.unwrap_or_default();
    format!("session={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}")
}

/// All that a request says are sessions: another program at this host may have set one, too.
fn tokens<'r>(request: &Request<'r>) -> impl Iterator<Item = &'r str> {
    let headers = request.headers().iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
    let text = headers.filter_map(|(_, value)| value.to_str().ok());
    text.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().strip_prefix("session="))
}
