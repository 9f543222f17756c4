//! What is in a folder, as a page.

use std::fmt::Write;

use crate::http::date;

/// How many entries a page has at most: more are left out, and the page says so.
pub(super) const ENTRIES_MAX: usize = 5_000;

/// One file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) folder: bool,
    pub(super) length: u64,
    /// Seconds since 1970.
    pub(super) modified: Option<u64>,
}

/// All that are in a folder, in no order.
#[derive(Clone, Debug, Default)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    /// There are more.
    pub(super) more: bool,
}

impl Listing {
    /// The page: folders first, by name. `title` is a path as people read it, `root` says that nothing is above.
    pub(super) fn into_html(mut self, title: &str, root: bool) -> String {
        self.entries.sort_unstable_by(|a, b| b.folder.cmp(&a.folder).then_with(|| a.name.cmp(&b.name)));
        let mut page = String::with_capacity(512 + 160 * self.entries.len());
        page.push_str("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Index of ");
        push_text(&mut page, title);
        page.push_str(
            "</title><style>body{font-family:monospace}td,th{padding-right:2em;text-align:left}\
             td+td{text-align:right}</style></head>\n<body><h1>Index of ",
        );
        push_text(&mut page, title);
        page.push_str("</h1>\n<table><tr><th>Name</th><th>Size</th><th>Modified</th></tr>\n");
        if !root {
            page.push_str("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
        }
        for entry in &self.entries {
            push_row(&mut page, entry);
        }
        page.push_str("</table>\n");
        if self.more {
            // Writing to a String does not fail.
            let _ = writeln!(page, "<p>There are more than these {ENTRIES_MAX}.</p>");
        }
        page.push_str("</body></html>\n");
        page
    }
}

fn push_row(page: &mut String, entry: &Entry) {
    let slash = if entry.folder { "/" } else { "" };
    // Begins with a dot, so that no name is taken for a scheme or a host.
    page.push_str("<tr><td><a href=\"./");
    push_encoded(page, &entry.name);
    page.push_str(slash);
    page.push_str("\">");
    push_text(page, &String::from_utf8_lossy(&entry.name));
    page.push_str(slash);
    page.push_str("</a></td><td>");
    if !entry.folder {
        let _ = write!(page, "{}", entry.length);
    }
    page.push_str("</td><td>");
    if let Some(modified) = entry.modified {
        page.push_str(&String::from_utf8_lossy(&date::format(modified)[6..35]));
    }
    page.push_str("</td></tr>\n");
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn push_encoded(page: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            page.push(char::from(byte));
        } else {
            let _ = write!(page, "%{byte:02X}");
        }
    }
}

/// Text that can be read, whatever is in it.
fn push_text(page: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            _ => page.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_encoded_and_sorted() {
        let entry = |name: &[u8], folder| Entry { name: name.to_vec(), folder, length: 5, modified: Some(0) };
        let entries = vec![
            entry(b"b.txt", false),
            entry(b"<script>\"'&", false),
            entry(b"javascript:x", false),
            entry(b"z", true),
            entry(b"\xff%", false),
        ];
        let page = Listing { entries, more: true }.into_html("/a<b>/", false);
        assert!(page.contains("<title>Index of /a&lt;b&gt;/</title>") && !page.contains("<b>"), "{page}");
        let links: Vec<_> = page
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split_once('"'))
            .map(|(link, _)| link)
            .collect();
        let expected = ["../", "./z/", "./%3Cscript%3E%22%27%26", "./b.txt", "./javascript%3Ax", "./%FF%25"];
        assert_eq!(links, expected);
        assert!(page.contains(">&lt;script&gt;&quot;&#39;&amp;</a></td><td>5</td>"), "{page}");
        assert!(page.contains("Thu, 01 Jan 1970 00:00:00 GMT") && page.contains("more than these 5000"));
        assert!(!Listing::default().into_html("/", true).contains("../"));
    }
}
