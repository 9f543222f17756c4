//! What `Content-Disposition` says of a part: its name, and its file's (RFC 7578 section 4.2).

use std::borrow::Cow;

use crate::Error;
use crate::http::parameters::{ParameterValue, Parameters};
use crate::url;

/// Name and file name of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disposition<'v> {
    pub(super) name: Cow<'v, str>,
    pub(super) filename: Option<Cow<'v, str>>,
}

impl<'v> Disposition<'v> {
    /// Reads `form-data; name="..."; filename="..."; filename*=...`, in any order.
    pub(super) fn parse(value: &'v [u8]) -> Result<Self, Error> {
        let (kind, parameters) = Parameters::behind_first(value);
        if !kind.eq_ignore_ascii_case(b"form-data") {
            return Err(Error::Multipart("a part that is not form-data"));
        }
        let (mut name, mut filename, mut extended) = (None, None, None);
        for parameter in parameters {
            let (key, value) = parameter.map_err(Error::Multipart)?;
            let slot = match key {
                _ if key.eq_ignore_ascii_case("name") => &mut name,
                _ if key.eq_ignore_ascii_case("filename") => &mut filename,
                _ if key.eq_ignore_ascii_case("filename*") => &mut extended,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(Error::Multipart("a part with two names, or two names of a file"));
            }
        }
        let filename = match (extended, filename) {
            (Some(extended), _) => Some(decode_extended(&extended.unquote())?),
            (None, Some(plain)) => Some(decode(plain)?),
            (None, None) => None,
        };
        Ok(Self { name: decode(name.ok_or(Error::Multipart("a part without a name"))?)?, filename })
    }
}

/// Takes escapes off as senders put them on. Browsers write `%22`, `%0D` and `%0A` for what would break the line, and
/// leave all else as it is; others write `\"` and `\\`. Any other backslash is one: names may be paths of Windows.
fn decode(value: ParameterValue<'_>) -> Result<Cow<'_, str>, Error> {
    let (ParameterValue::Token(raw) | ParameterValue::Quoted(raw)) = value;
    let quoted = matches!(value, ParameterValue::Quoted(_));
    let raw = std::str::from_utf8(raw).map_err(|_| Error::Multipart("a part's name that is not UTF-8"))?;
    if !quoted || !raw.contains(['\\', '%']) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut decoded = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['\\', '%']) {
        let (before, from) = rest.split_at(at);
        decoded.push_str(before);
        let (literal, len) = match from.as_bytes() {
            [b'\\', b'"', ..] | [b'%', b'2', b'2', ..] => ('"', if from.starts_with('%') { 3 } else { 2 }),
            [b'\\', b'\\', ..] => ('\\', 2),
            [b'%', b'0', b'd' | b'D', ..] => ('\r', 3),
            [b'%', b'0', b'a' | b'A', ..] => ('\n', 3),
            [other, ..] => (char::from(*other), 1),
            [] => unreachable!("found there"),
        };
        decoded.push(literal);
        rest = &from[len..];
    }
    decoded.push_str(rest);
    Ok(Cow::Owned(decoded))
}

/// Decodes `UTF-8''na%C3%AFve.txt` (RFC 8187); `ISO-8859-1` is its one other charset.
fn decode_extended<'v>(value: &[u8]) -> Result<Cow<'v, str>, Error> {
    const MALFORMED: Error = Error::Multipart("a filename* that is malformed");
    let value = std::str::from_utf8(value).map_err(|_| MALFORMED)?;
    let mut fields = value.splitn(3, '\'');
    let (Some(charset), Some(_language), Some(encoded)) = (fields.next(), fields.next(), fields.next())
    else {
        return Err(MALFORMED);
    };
    let decoded = url::decode(encoded).map_err(|_| MALFORMED)?;
    if charset.eq_ignore_ascii_case("utf-8") {
        String::from_utf8(decoded.into_owned()).map(Cow::Owned).map_err(|_| MALFORMED)
    } else if charset.eq_ignore_ascii_case("iso-8859-1") {
        Ok(decoded.iter().map(|&byte| char::from(byte)).collect())
    } else {
        Err(Error::Multipart("a filename* of a charset that is neither UTF-8 nor ISO-8859-1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Result<(String, Option<String>), Error> {
        let Disposition { name, filename } = Disposition::parse(value.as_bytes())?;
        Ok((name.into_owned(), filename.map(Cow::into_owned)))
    }

    #[test]
    fn hazard_40_the_order_of_name_and_filename_does_not_matter() {
        let expected = ("a".to_owned(), Some("b.txt".to_owned()));
        for value in [
            r#"form-data; name="a"; filename="b.txt""#,
            r#"form-data; filename="b.txt"; name="a""#,
            r#"form-data;FileName=b.txt;NAME=a"#,
            r#"Form-Data; xname="c"; x="name=d; name=e"; filename="b.txt"; name="a"; name*=utf-8''f"#,
        ] {
            assert_eq!(parse(value).expect(value), expected, "{value}");
        }
        let (name, filename) = parse(r#"form-data; filename="x; name=\"y\".txt"; name="a""#).expect("valid");
        assert_eq!((&*name, filename.as_deref()), ("a", Some(r#"x; name="y".txt"#)));
    }

    #[test]
    fn escapes_are_taken_off_as_senders_put_them_on() {
        for (sent, meant) in [
            ("plain", "plain"),
            ("", ""),
            ("naïve ☃.txt", "naïve ☃.txt"),
            ("a%22b", "a\"b"),
            ("a%0d%0Ab", "a\r\nb"),
            ("100%25 %", "100%25 %"),
            (r#"a\"b\\c"#, r#"a"b\c"#),
            (r"C:\dir\file.txt", r"C:\dir\file.txt"),
            (r#"\☃%"#, r#"\☃%"#),
            ("a;b=c", "a;b=c"),
        ] {
            let value = format!("form-data; name=x; filename=\"{sent}\"");
            assert_eq!(parse(&value).expect(sent).1.as_deref(), Some(meant));
        }
        assert!(
            matches!(parse("form-data; name=a%22").expect("valid").0.as_str(), "a%22"),
            "no quotes, no escapes"
        );
    }

    #[test]
    fn the_extended_file_name_goes_first() {
        for (sent, meant) in [
            ("UTF-8''na%C3%AFve%20%22.txt", "naïve \".txt"),
            ("utf-8'en'a'b", "a'b"),
            ("ISO-8859-1''na%EFve", "naïve"),
            ("\"utf-8''quoted\"", "quoted"),
        ] {
            for order in
                [format!("filename=fallback; filename*={sent}"), format!("filename*={sent}; filename=x")]
            {
                let value = format!("form-data; name=x; {order}");
                assert_eq!(parse(&value).expect(sent).1.as_deref(), Some(meant), "{order}");
            }
        }
        for bad in
            ["utf-8", "utf-8'", "plain.txt", "utf-8''%", "utf-8''%zz", "utf-8''%ff", "koi8-r''a", "''a"]
        {
            assert!(parse(&format!("form-data; name=x; filename*={bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_malformed_is_an_error() {
        for bad in [
            "",
            "form-data",
            "attachment; name=a",
            "form-data; filename=a",
            "form-data; name",
            "form-data; name=",
            "form-data; name=\"a",
            "form-data; name=\"a\"b",
            "form-data; name=a; name=a",
            "form-data; xname=a",
            "form-data; name=a; filename=b; filename=c",
            "form-data; name*=utf-8''a",
            "form-data name=a",
            "form-data; name=a; filename=\"a\\\"",
            "form-data; name=a b",
        ] {
            assert!(matches!(parse(bad), Err(Error::Multipart(_))), "{bad}");
        }
        assert!(Disposition::parse(b"form-data; name=\"\xff\"").is_err());
    }
}
