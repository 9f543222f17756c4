//! Strings: with escapes and without.

use std::borrow::Cow;
use std::fmt::Write;

use super::scan::code_unit;

/// What is between the quotation marks of a string that was checked, without escapes.
pub(super) fn unescape(escaped: &str) -> Cow<'_, str> {
    let Some(first) = escaped.find('\\') else { return Cow::Borrowed(escaped) };
    let mut text = String::with_capacity(escaped.len());
    let (plain, mut rest) = escaped.split_at(first);
    text.push_str(plain);
    while let Some(sign) = rest.as_bytes().get(1) {
        let mut length = 2;
        text.push(match sign {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let units = [0, 6].into_iter().map_while(|at| rest.as_bytes().get(at..).and_then(code_unit));
                let character = char::decode_utf16(units).next().and_then(Result::ok).unwrap_or_default();
                length = 6 * character.len_utf16();
                character
            }
            &itself => char::from(itself),
        });
        rest = &rest[length..];
        let (plain, behind) = rest.split_at(rest.find('\\').unwrap_or(rest.len()));
        text.push_str(plain);
        rest = behind;
    }
    Cow::Owned(text)
}

/// Makes a string of a text: in quotation marks, with escapes where JSON needs them.
///
/// ```
/// assert_eq!(mongoose::json::quote("a \"b\"\n"), r#""a \"b\"\n""#);
/// ```
#[doc(alias = "mg_print_esc")]
#[doc(alias = "MG_ESC")]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0'..' ' => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        for (escaped, text) in [
            ("", ""),
            ("plain \u{20ac}", "plain \u{20ac}"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\u20ac", "\u{20ac}"),
            (r"a\u0041b", "aAb"),
            (r"\uD83D\uDE00x", "\u{1f600}x"),
            (r"\ud83d\ude00\u0041", "\u{1f600}A"),
            (r"\u0041\u0042", "AB"),
            (r"\u0000", "\0"),
        ] {
            assert_eq!(unescape(escaped), text, "{escaped}");
        }
        assert!(matches!(unescape("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn what_is_quoted_is_read_as_it_was() {
        let text: String = (0..0x800).filter_map(char::from_u32).chain(['\u{20ac}', '\u{1f600}']).collect();
        assert_eq!(crate::json::get_str(&quote(&text), "$").expect("valid"), Some(text.into()));
    }
}
