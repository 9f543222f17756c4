//! Is this JSON? RFC 8259, to the letter.

use crate::Error;

/// How deep values may be in each other.
const DEPTH: usize = 128;

/// Checks a whole text, and answers the value without the white space around it.
pub(super) fn document(json: &[u8]) -> Result<&str, Error> {
    let text = std::str::from_utf8(json)
        .map_err(|error| Error::JsonText { at: error.valid_up_to(), reason: "not UTF-8" })?;
    let mut scan = Scan { text: json, at: 0 };
    scan.white_space();
    let start = scan.at;
    let checked = scan.value(DEPTH).and_then(|()| {
        let end = scan.at;
        scan.white_space();
        if scan.at == json.len() { Ok(end) } else { Err("something behind the value") }
    });
    let end = checked.map_err(|reason| Error::JsonText { at: scan.at, reason })?;
    Ok(&text[start..end])
}

struct Scan<'j> {
    text: &'j [u8],
    at: usize,
}

/// What is wrong where the scan stands.
type Checked = Result<(), &'static str>;

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Goes on if this is next.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn white_space(&mut self) {
        while self.peek().is_some_and(is_white_space) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Checked {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(b'{' | b'[') if depth == 0 => Err("values are more than 128 levels deep"),
            Some(b'{') => self.list(b'}', |scan| {
                scan.string()?;
                scan.white_space();
                if !scan.take(b':') {
                    return Err("no : behind a name");
                }
                scan.white_space();
                scan.value(depth - 1)
            }),
            Some(b'[') => self.list(b']', |scan| scan.value(depth - 1)),
            Some(_) => Err("no value"),
            None => Err("the text ends too early"),
        }
    }

    /// What is between brackets, with commas between its items.
    fn list(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Checked) -> Checked {
        self.at += 1;
        self.white_space();
        if self.take(end) {
            return Ok(());
        }
        loop {
            item(self)?;
            self.white_space();
            if self.take(end) {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(if self.peek().is_none() {
                    "the text ends too early"
                } else {
                    "no comma, and no end"
                });
            }
            self.white_space();
        }
    }

    fn literal(&mut self, name: &[u8]) -> Checked {
        if !self.text[self.at..].starts_with(name) {
            return Err("no value");
        }
        self.at += name.len();
        Ok(())
    }

    fn number(&mut self) -> Checked {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    /// At least one.
    fn digits(&mut self) -> Checked {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err("no digit where a number needs one") } else { Ok(()) }
    }

    fn string(&mut self) -> Checked {
        if !self.take(b'"') {
            return Err("no name in quotation marks");
        }
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0..0x20) => return Err("a control character in a string"),
                Some(_) => self.at += 1,
                None => return Err("a string without end"),
            }
        }
    }

    fn escape(&mut self) -> Checked {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => match self.code_unit(self.at) {
                Some(0xd800..0xdc00) => match self.code_unit(self.at + 6) {
                    Some(0xdc00..0xe000) => self.at += 12,
                    _ => return Err("an escape that is half a character"),
                },
                Some(0xdc00..0xe000) => return Err("an escape that is half a character"),
                Some(_) => self.at += 6,
                None => return Err("a \\u without four hexadecimal digits"),
            },
            _ => return Err("an escape that does not exist"),
        }
        Ok(())
    }

    fn code_unit(&self, at: usize) -> Option<u16> {
        code_unit(self.text.get(at..at + 6)?)
    }
}

/// Of `\u20ac`: its number.
pub(super) fn code_unit(escape: &[u8]) -> Option<u16> {
    let digits = escape.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)? as u16))
}

pub(super) fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Of a text that was checked: where the value ends that begins here.
pub(super) fn end_of_value(text: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0usize);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => at = end_of_string(text, at),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' | b',' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                at += 1;
            }
            byte if depth == 0 && is_white_space(byte) => return at,
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

/// Of a text that was checked: where the string ends that begins here.
pub(super) fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_json() {
        for json in [
            "null",
            " true\n",
            "\t\r\n[ ]",
            "{}",
            r#"{ "a" : [ 1 , 2 ] , "" : { } }"#,
            "0",
            "-0",
            "-0.0e-0",
            "10.25E+7",
            r#""\"\\\/\b\f\n\r\t\u0000\uD83D\ude00""#,
            "\"\u{7f}\u{20ac}\"",
            "[1,2,[3,[]],{\"a\":{\"a\":[null]}}]",
        ] {
            assert_eq!(document(json.as_bytes()).expect(json), json.trim(), "{json}");
        }
    }

    #[test]
    fn refuses_what_is_no_json() {
        for json in [
            "",
            " ",
            "nul",
            "nulL",
            "True",
            "nullx",
            "null null",
            "+1",
            "01",
            "-",
            "-a",
            "1.",
            ".5",
            "1.e1",
            "1e",
            "1e+",
            "0x1",
            "1 2",
            "[",
            "]",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1}",
            "{",
            "}",
            "{1:2}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1 \"b\":2}",
            "{,}",
            "{\"a\":1]",
            "{a:1}",
            "'a'",
            "\"",
            "\"a",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u123g\"",
            "\"\\ud83d\"",
            "\"\\ud83dx\"",
            "\"\\ud83d\\n\"",
            "\"\\ud83d\\ud83d\"",
            "\"\\ude00\"",
            "\"a\nb\"",
            "\"a\0b\"",
            "NaN",
            "Infinity",
            "// c\n1",
            "1//",
            "\u{feff}1",
            "{\"a\":1}x",
            "[]]",
            "\"\\u+123\"",
            "\x0b1",
            "\u{a0}1",
        ] {
            assert!(matches!(document(json.as_bytes()), Err(Error::JsonText { .. })), "{json:?}");
        }
        assert!(matches!(document(b"\"\xff\""), Err(Error::JsonText { at: 1, reason: "not UTF-8" })));
        assert!(matches!(document(b"[1, 2 3]"), Err(Error::JsonText { at: 6, .. })));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(document(nested(128).as_bytes()).is_ok());
        assert!(document(nested(129).as_bytes()).is_err());
        assert!(document("[{\"a\":".repeat(1_000_000).as_bytes()).is_err());
    }
}
