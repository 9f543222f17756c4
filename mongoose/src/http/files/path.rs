//! From a URL's path to the names of files: what could lead out of a folder never gets past here (hazard 38).

use crate::url;

/// Where a URL leads below a root: names of files, joined by `/`. None is empty, `.` or `..`, and none has a `/`, a
/// backslash or a NUL in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RelativePath {
    pub(crate) names: Vec<u8>,
    /// It ends with a slash: only a folder is meant.
    pub(crate) folder: bool,
}

/// Why a URL's path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// 400: its percent-encoding is malformed, or hides a NUL, which would end the name for the system.
    Malformed,
    /// 404: no file that is served has such a name.
    Missing,
}

impl RelativePath {
    /// Takes a percent-encoded path. Slashes that follow each other count as one, as they do for the system. A name that
    /// begins with a dot is missing unless `dotfiles`; `.` and `..` always are, however they are encoded: clients take
    /// them out before they send, so that what still has them means harm.
    pub(crate) fn parse(path: &str, dotfiles: bool) -> Result<Self, Refused> {
        let mut names = Vec::with_capacity(path.len());
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let name = url::decode(segment).map_err(|_| Refused::Malformed)?;
            if name.contains(&0) {
                return Err(Refused::Malformed);
            }
            // An encoded slash is one in a name. A backslash is a separator elsewhere, and to some browsers.
            let unusable =
                matches!(&*name, b"." | b"..") || name.iter().any(|byte| matches!(byte, b'/' | b'\\'));
            if unusable || (name[0] == b'.' && !dotfiles) {
                return Err(Refused::Missing);
            }
            if !names.is_empty() {
                names.push(b'/');
            }
            names.extend_from_slice(&name);
        }
        Ok(Self { names, folder: path.is_empty() || path.ends_with('/') })
    }
}

/// The names that lead to a file in a folder.
pub(super) fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str) -> Result<String, Refused> {
        RelativePath::parse(path, false).map(|path| String::from_utf8_lossy(&path.names).into_owned())
    }

    #[test]
    fn decodes_names_and_merges_slashes() {
        for (path, expected, folder) in [
            ("", "", true),
            ("/", "", true),
            ("//", "", true),
            ("/a", "a", false),
            ("a/b.txt", "a/b.txt", false),
            ("//a///b//", "a/b", true),
            ("/a%20b/%C3%A9", "a b/\u{e9}", false),
            ("/a..b/c.", "a..b/c.", false),
            ("/%2525", "%25", false),
            ("/a:b/*", "a:b/*", false),
        ] {
            let path = RelativePath::parse(path, false).expect("valid");
            assert_eq!((String::from_utf8_lossy(&path.names).as_ref(), path.folder), (expected, folder));
        }
    }

    #[test]
    fn hazard_38_what_leads_elsewhere_is_refused() {
        for path in [
            "/..",
            "/.",
            "/a/../b",
            "/a/..",
            "/%2e%2e/a",
            "/.%2e",
            "/%2E",
            "/a%2fb",
            "/a%2F..%2f..%2fetc",
            "/..%2fa",
            "/a\\b",
            "/a%5cb",
            "/..\\a",
            "/%5c..%5c",
            "/.hidden",
            "/%2ehidden",
            "/a/.git/config",
            "/...",
            "/%2f",
        ] {
            assert_eq!(names(path), Err(Refused::Missing), "{path}");
        }
        for path in ["/%00", "/a%00.txt", "/%", "/a%2", "/%zz", "/a%g0", "/%u002e"] {
            assert_eq!(names(path), Err(Refused::Malformed), "{path}");
        }
    }

    #[test]
    fn hazard_38_dotfiles_are_served_by_choice_alone_and_never_dots() {
        for path in ["/.hidden", "/...", "/a/.git/config"] {
            assert!(RelativePath::parse(path, true).is_ok(), "{path}");
        }
        for path in ["/.", "/..", "/a/../b", "/%2e%2E"] {
            assert_eq!(RelativePath::parse(path, true), Err(Refused::Missing), "{path}");
        }
    }
}
