//! The head of a part: its headers, and what they say.

use std::borrow::Cow;
use std::fmt;

use super::disposition::Disposition;
use crate::Error;
use crate::http::HeaderValue;
use crate::http::reply_head::is_token;

/// What stands before a part's content: its name, a file's name and kind, and all its headers.
///
/// [`MultipartEvent::Part`](super::MultipartEvent::Part) and [`Part::head`](super::Part::head) give one.
#[derive(Clone)]
#[doc(alias = "mg_http_part")]
pub struct PartHead<'p> {
    /// Lines that were checked.
    block: &'p [u8],
    disposition: Disposition<'p>,
}

impl<'p> PartHead<'p> {
    /// Reads header lines, each with its CRLF, and the empty line behind them.
    pub(super) fn parse(block: &'p [u8]) -> Result<Self, Error> {
        let mut disposition = None;
        for line in lines(block) {
            let (name, value) = split_line(line)?;
            if name.eq_ignore_ascii_case("content-disposition") && disposition.replace(value).is_some() {
                return Err(Error::Multipart("a part with two Content-Dispositions"));
            }
        }
        let disposition = disposition.ok_or(Error::Multipart("a part without Content-Disposition"))?;
        Ok(Self { block, disposition: Disposition::parse(disposition)? })
    }

    /// The name of the form's field. Several parts may have the same.
    pub fn name(&self) -> &str {
        &self.disposition.name
    }

    /// The name that the sender gives a file; `None` for what is no file. Browsers send an empty one where no file was
    /// chosen. `filename*` goes before `filename`.
    ///
    /// It is the peer's word: never a path to write to. It may be `../../etc/passwd`, or have line ends in it.
    pub fn filename(&self) -> Option<&str> {
        self.disposition.filename.as_deref()
    }

    /// What the content is, by the sender's word; text if it says nothing.
    pub fn content_type(&self) -> Option<HeaderValue<'p>> {
        self.header("Content-Type")
    }

    /// The first header of a name, in whatever case.
    pub fn header(&self, name: &str) -> Option<HeaderValue<'p>> {
        self.headers().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All headers: name and value.
    pub fn headers(&self) -> impl Iterator<Item = (&'p str, HeaderValue<'p>)> + use<'p> {
        // They were checked, so none is left out.
        let checked = lines(self.block).filter_map(|line| split_line(line).ok());
        checked.map(|(name, bytes)| (name, HeaderValue { bytes }))
    }
}

impl fmt::Debug for PartHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name: &Cow<'_, str> = &self.disposition.name;
        f.debug_struct("PartHead")
            .field("name", name)
            .field("filename", &self.filename())
            .field("content_type", &self.content_type())
            .finish_non_exhaustive()
    }
}

/// The lines of a block up to its empty one, without their LF.
fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block.split(|&byte| byte == b'\n').take_while(|line| !matches!(*line, b"" | b"\r"))
}

/// Takes `Name: value CR` apart. Lines that go on on the next one are not taken: no program sends such forms, and HTTP
/// has given them up.
fn split_line(line: &[u8]) -> Result<(&str, &[u8]), Error> {
    const MALFORMED: Error = Error::Multipart("a part with a malformed header");
    let line = line.strip_suffix(b"\r").ok_or(MALFORMED)?;
    let colon = line.iter().position(|&byte| byte == b':').ok_or(MALFORMED)?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) {
        return Err(MALFORMED);
    }
    if value.iter().any(|&byte| (byte < b' ' && byte != b'\t') || byte == 0x7f) {
        return Err(MALFORMED);
    }
    let name = std::str::from_utf8(name).map_err(|_| MALFORMED)?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_name_file_and_all_headers() {
        let block = b"X-A: 1\r\ncontent-disposition:form-data; name=a; filename=b\r\n\
                      Content-Type:  text/plain; charset=\"x\" \r\nx-a:\xff\r\n\r\n";
        let head = PartHead::parse(block).expect("valid");
        assert_eq!((head.name(), head.filename()), ("a", Some("b")));
        let kind = head.content_type().expect("there is one");
        assert_eq!(kind, "text/plain; charset=\"x\"");
        assert_eq!(kind.parameter("charset").as_deref(), Some(&b"x"[..]));
        assert_eq!(head.header("X-a").expect("there is one"), "1");
        assert_eq!(head.headers().count(), 4);
        assert_eq!(
            head.headers().last().map(|(name, value)| (name, value.as_bytes())),
            Some(("x-a", &b"\xff"[..]))
        );
    }

    #[test]
    fn malformed_headers_are_errors() {
        const GOOD: &str = "Content-Disposition: form-data; name=a\r\n";
        assert!(PartHead::parse(format!("{GOOD}\r\n").as_bytes()).is_ok());
        for bad in [
            "\r\n".to_owned(),
            "X: y\r\n\r\n".to_owned(),
            format!("{GOOD}{GOOD}\r\n"),
            format!("{GOOD}X\r\n\r\n"),
            format!("{GOOD}: y\r\n\r\n"),
            format!("{GOOD}X : y\r\n\r\n"),
            format!("{GOOD}X@: y\r\n\r\n"),
            format!("{GOOD} folded\r\n\r\n"),
            format!("{GOOD}X: y\n\r\n"),
            format!("{GOOD}X: y\rz\r\n\r\n"),
            format!("{GOOD}X: y\0\r\n\r\n"),
            "Content-Disposition: form-data;\r\n name=a\r\n\r\n".to_owned(),
        ] {
            assert!(matches!(PartHead::parse(bad.as_bytes()), Err(Error::Multipart(_))), "{bad:?}");
        }
    }
}
