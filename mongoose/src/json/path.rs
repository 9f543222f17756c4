//! Paths into a value: `$.devices[2].name`.

use crate::Error;

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'p> {
    Member(&'p str),
    Element(usize),
}

/// The steps of a path, one by one.
pub(super) fn steps(path: &str) -> Result<impl Iterator<Item = Result<Step<'_>, Error>>, Error> {
    let bad = |reason| Error::JsonPath { path: path.to_owned(), reason };
    let mut rest = path.strip_prefix('$').ok_or_else(|| bad("it does not begin with $"))?;
    Ok(std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let step = next(&mut rest).map_err(bad);
        if step.is_err() {
            rest = "";
        }
        Some(step)
    }))
}

fn next<'p>(rest: &mut &'p str) -> Result<Step<'p>, &'static str> {
    if let Some(behind) = rest.strip_prefix('.') {
        let (name, behind) = behind.split_at(behind.find(['.', '[']).unwrap_or(behind.len()));
        *rest = behind;
        return Ok(Step::Member(name));
    }
    let behind = rest.strip_prefix('[').ok_or("only . or [ may follow here")?;
    let (index, behind) = behind.split_once(']').ok_or("a [ without ]")?;
    if index.is_empty() || !index.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("an index that is no number");
    }
    *rest = behind;
    // No array has more elements than that.
    Ok(Step::Element(index.parse().unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(path: &str) -> Result<Vec<Step<'_>>, Error> {
        steps(path)?.collect()
    }

    #[test]
    fn takes_names_and_indices() {
        use Step::{Element, Member};
        for (path, expected) in [
            ("$", vec![]),
            ("$.a", vec![Member("a")]),
            ("$.a.b c", vec![Member("a"), Member("b c")]),
            ("$[0]", vec![Element(0)]),
            ("$.a[007][1].\u{e9}", vec![Member("a"), Element(7), Element(1), Member("\u{e9}")]),
            ("$.", vec![Member("")]),
            ("$..a", vec![Member(""), Member("a")]),
            ("$[99999999999999999999999]", vec![Element(usize::MAX)]),
        ] {
            assert_eq!(all(path).expect(path), expected, "{path}");
        }
    }

    #[test]
    fn refuses_what_is_no_path() {
        for path in
            ["", "a", ".a", "$a", "$[", "$[]", "$[0", "$[-1]", "$[a]", "$[0]a", "$[ 0]", "$[0", "$.a[+1]"]
        {
            let error = all(path).expect_err(path);
            assert!(matches!(&error, Error::JsonPath { path: named, .. } if named == path), "{error}");
        }
    }
}
