//! Who may do what. A broker of your own has its hook here.

use std::fs;

use mongoose::mqtt::{self, Connect, Reason};

/// What a client wants to do with a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Publish,
    Subscribe,
}

pub trait Access {
    /// Whether a client is let in.
    fn connect(&self, connect: &Connect<'_>) -> Reason;

    /// Whether a user may publish to a topic, or subscribe to a filter.
    fn may(&self, user: &str, action: Action, topic: &str) -> bool;
}

/// Anybody may do anything.
pub struct Everybody;

impl Access for Everybody {
    fn connect(&self, _: &Connect<'_>) -> Reason {
        Reason::SUCCESS
    }

    fn may(&self, _: &str, _: Action, _: &str) -> bool {
        true
    }
}

/// Rules in a file, a line each: `user NAME PASSWORD`, `publish NAME FILTER`, `subscribe NAME FILTER`. The name `*` stands
/// for every user.
pub struct Rules {
    users: Vec<(String, String)>,
    grants: Vec<(String, Action, String)>,
}

impl Rules {
    pub fn read(path: &str) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        let mut rules = Self { users: Vec::new(), grants: Vec::new() };
        for (number, line) in text.lines().enumerate() {
            let words: Vec<_> = line.splitn(3, ' ').collect();
            match words[..] {
                [""] => {}
                ["user", name, password] => rules.users.push((name.to_owned(), password.to_owned())),
                ["publish", name, filter] if mqtt::is_filter(filter) => {
                    rules.grants.push((name.to_owned(), Action::Publish, filter.to_owned()));
                }
                ["subscribe", name, filter] if mqtt::is_filter(filter) => {
                    rules.grants.push((name.to_owned(), Action::Subscribe, filter.to_owned()));
                }
                _ => return Err(format!("{path}:{}: not a rule", number + 1)),
            }
        }
        Ok(rules)
    }
}

impl Access for Rules {
    fn connect(&self, connect: &Connect<'_>) -> Reason {
        let (Some(name), Some(password)) = (connect.user_name, connect.password) else {
            return Reason::NOT_AUTHORIZED;
        };
        let mut known = self.users.iter().filter(|(user, _)| user == name);
        if known.any(|(_, secret)| mongoose::http::constant_time_eq(secret.as_bytes(), password)) {
            Reason::SUCCESS
        } else {
            Reason::BAD_USER_NAME_OR_PASSWORD
        }
    }

    fn may(&self, user: &str, action: Action, topic: &str) -> bool {
        let topic = mqtt::shared(topic).map_or(topic, |(_, filter)| filter);
        self.grants.iter().any(|(name, granted, filter)| {
            // A filter is within another when that takes it as if it were a topic: `+` and `#` are names to it then.
            // `a/+` does not take `a/#`, which reaches further down.
            let within = mqtt::matches(filter, topic) && (!topic.ends_with('#') || filter.ends_with('#'));
            (name == "*" || name == user) && *granted == action && within
        })
    }
}
