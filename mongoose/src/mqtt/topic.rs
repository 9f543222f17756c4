//! Topic names and topic filters (MQTT section 4.7).

/// Whether a text can be a topic name: 1 to 65,535 bytes, no wildcard, no NUL.
pub fn is_topic(text: &str) -> bool {
    !text.is_empty() && text.len() <= usize::from(u16::MAX) && !text.contains(['+', '#', '\0'])
}

/// Whether a text can be a topic filter: wildcards fill whole levels, `#` the last one alone. A shared one,
/// `$share/NAME/FILTER`, has a name without wildcards and a filter.
///
/// ```
/// use mongoose::mqtt;
///
/// assert!(mqtt::is_filter("sport/+/score/#"));
/// assert!(mqtt::is_filter("$share/workers/jobs/+"));
/// assert!(!mqtt::is_filter("sport#") && !mqtt::is_filter("a/#/b"));
/// ```
pub fn is_filter(text: &str) -> bool {
    if text.is_empty() || text.len() > usize::from(u16::MAX) || text.contains('\0') {
        return false;
    }
    let filter = match text.strip_prefix("$share/") {
        None => text,
        Some(shared) => match shared.split_once('/') {
            Some((name, filter)) if is_topic(name) && !filter.is_empty() => filter,
            _ => return false,
        },
    };
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        match level {
            "+" => {}
            "#" => return levels.peek().is_none(),
            _ if level.contains(['+', '#']) => return false,
            _ => {}
        }
    }
    true
}

/// The name and the filter of a shared subscription, `$share/NAME/FILTER`. `None` for any other filter.
///
/// ```
/// assert_eq!(mongoose::mqtt::shared("$share/workers/jobs/+"), Some(("workers", "jobs/+")));
/// ```
pub fn shared(filter: &str) -> Option<(&str, &str)> {
    filter.strip_prefix("$share/")?.split_once('/')
}

/// Whether a filter takes a topic. A wildcard at its start takes no topic that begins with `$`. The filter of a shared
/// subscription is what [`shared`] answers.
///
/// ```
/// use mongoose::mqtt::matches;
///
/// assert!(matches("sport/+", "sport/tennis") && matches("sport/#", "sport"));
/// assert!(!matches("#", "$SYS/uptime") && matches("$SYS/#", "$SYS/uptime"));
/// ```
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut topic = topic.split('/');
    for level in filter.split('/') {
        if level == "#" {
            return true;
        }
        match topic.next() {
            Some(name) if level == "+" || level == name => {}
            _ => return false,
        }
    }
    topic.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_have_wildcards_in_whole_levels() {
        for good in
            ["a", "/", "+", "#", "+/+", "/+", "a/+/b", "a/#", "$SYS/#", "$share/g/#", "a//b", " ", "$share"]
        {
            assert!(is_filter(good), "{good}");
        }
        for bad in
            ["", "a#", "#/a", "a+", "+a/b", "a/#/b", "\0", "$share/g", "$share//a", "$share/+/a", "$share/g/"]
        {
            assert!(!is_filter(bad), "{bad:?}");
        }
        assert!(is_filter(&"a".repeat(65535)) && !is_filter(&"a".repeat(65536)));
    }

    #[test]
    fn topics_have_no_wildcards() {
        assert!(is_topic("a/b") && is_topic("/") && is_topic("$SYS"));
        assert!(!is_topic("") && !is_topic("a/+") && !is_topic("#") && !is_topic("a\0"));
        assert!(is_topic(&"a".repeat(65535)) && !is_topic(&"a".repeat(65536)));
    }

    #[test]
    fn matching_follows_the_specification() {
        for (filter, topic) in [
            ("sport/tennis/player1/#", "sport/tennis/player1"),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"),
            ("sport/#", "sport"),
            ("#", "a/b"),
            ("sport/+", "sport/"),
            ("+/+", "/finance"),
            ("/+", "/finance"),
            ("$SYS/monitor/+", "$SYS/monitor/clients"),
            ("a//b", "a//b"),
        ] {
            assert!(matches(filter, topic), "{filter} {topic}");
        }
        for (filter, topic) in [
            ("sport/tennis/+", "sport/tennis/player1/ranking"),
            ("sport/+", "sport"),
            ("+", "/finance"),
            ("#", "$SYS"),
            ("+/monitor", "$SYS/monitor"),
            ("a", "A"),
            ("a/b", "a"),
            ("a", "a/"),
        ] {
            assert!(!matches(filter, topic), "{filter} {topic}");
        }
    }
}
