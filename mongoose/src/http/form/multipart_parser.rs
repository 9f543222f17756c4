//! Multipart forms piece by piece (RFC 7578, RFC 2046).

use std::io::BufRead;

use super::boundary::{Delimiter, Found, Search};
use super::part_head::PartHead;
use crate::Error;

/// Reads a multipart form from pieces that are split anywhere, as they come in, and keeps none of the content.
///
/// [`Request::multipart_parser`](crate::http::Request::multipart_parser) makes one for a request's body. What it holds is
/// one part's head, so memory is bounded by [`max_head`](Self::max_head); each byte is looked at twice at most. Count
/// what the parts weigh yourself, where that matters: a body's whole size is bounded by [`Limits`](crate::Limits).
///
/// After an error, a form is of no further use, and every call is one.
///
/// ```
/// use mongoose::http::{MultipartEvent, MultipartParser};
///
/// let pieces = ["--X\r\nContent-Disposition: form-", "data; name=\"a\"\r\n\r\nsome ", "text\r\n--X--\r\n"];
/// let mut parser = MultipartParser::new(b"X")?;
/// let mut text = Vec::new();
/// for piece in pieces {
///     let mut input = piece.as_bytes();
///     while let Some(event) = parser.next(&mut input)? {
///         match event {
///             MultipartEvent::Part(head) => assert_eq!(head.name(), "a"),
///             MultipartEvent::Data(bytes) => text.extend_from_slice(bytes),
///             MultipartEvent::End => assert_eq!(text, b"some text"),
///         }
///     }
/// }
/// parser.finish()?;
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "mg_http_next_multipart")]
pub struct MultipartParser {
    delimiter: Delimiter,
    state: State,
    /// The part's head, as far as it is there.
    head: Vec<u8>,
    parts: usize,
    max_parts: usize,
    max_head: usize,
}

/// What a [`MultipartParser`] has found.
#[derive(Clone, Debug)]
pub enum MultipartEvent<'e> {
    /// A part begins.
    Part(PartHead<'e>),
    /// The next bytes of the part's content; never none. How a content is cut into these follows from how the input is.
    Data(&'e [u8]),
    /// The part is complete.
    End,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Before the first delimiter: what is there means nothing.
    Preamble(Search),
    Line(Line),
    Head,
    Body(Search),
    Epilogue,
    Failed,
}

/// What has come of a delimiter's line, behind the delimiter.
#[derive(Clone, Copy, Debug)]
enum Line {
    Start,
    Padding,
    Cr,
    Dash,
    /// Both dashes: it is the last delimiter.
    Last,
    LastCr,
}

/// An event without its bytes.
#[derive(Debug)]
pub(super) enum Step<'i> {
    /// The head is in `head`.
    Head,
    Data(&'i [u8]),
    /// Bytes of the delimiter that turned out to be content.
    Held {
        from: usize,
        to: usize,
    },
    End,
}

impl MultipartParser {
    /// Reads forms of a boundary, given as it is in `Content-Type`: without dashes.
    ///
    /// # Errors
    /// [`Error::Multipart`] unless it is 1 to 70 of the characters that RFC 2046 allows, the last of them no blank.
    pub fn new(boundary: &[u8]) -> Result<Self, Error> {
        Ok(Self {
            delimiter: Delimiter::new(boundary)?,
            state: State::Preamble(Search::at_line_start()),
            head: Vec::new(),
            parts: 0,
            max_parts: 10_000,
            max_head: 8192,
        })
    }

    /// How many parts a form may have. Default: 10,000.
    pub fn max_parts(mut self, parts: usize) -> Self {
        self.max_parts = parts;
        self
    }

    /// How many bytes a part's headers may have, line ends included. Default: 8,192.
    pub fn max_head(mut self, bytes: usize) -> Self {
        self.max_head = bytes;
        self
    }

    /// Takes bytes off the front of `input` until something is found. `None`: all of it is taken, and more has to come,
    /// or the form is complete: see [`finish`](Self::finish).
    ///
    /// # Errors
    /// [`Error::Multipart`] where the form is malformed; [`Error::FormLimit`] for more or longer parts' heads than
    /// allowed.
    pub fn next<'e, 'i: 'e>(&'e mut self, input: &mut &'i [u8]) -> Result<Option<MultipartEvent<'e>>, Error> {
        Ok(match self.step(input)? {
            None => None,
            Some(Step::Data(bytes)) => Some(MultipartEvent::Data(bytes)),
            Some(Step::Held { from, to }) => Some(MultipartEvent::Data(&self.delimiter.as_bytes()[from..to])),
            Some(Step::End) => Some(MultipartEvent::End),
            Some(Step::Head) => {
                let head = PartHead::parse(&self.head);
                if head.is_err() {
                    self.state = State::Failed;
                }
                Some(MultipartEvent::Part(head?))
            }
        })
    }

    /// Tells that no more comes.
    ///
    /// # Errors
    /// [`Error::Multipart`] where the last delimiter is missing: the form is cut off.
    pub fn finish(&self) -> Result<(), Error> {
        match self.state {
            State::Epilogue | State::Line(Line::Last) => Ok(()),
            State::Failed => Err(FAILED),
            _ => Err(Error::Multipart("it ends before its last delimiter")),
        }
    }

    pub(super) fn step<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Step<'i>>, Error> {
        let stepped = self.try_step(input);
        if stepped.is_err() {
            self.state = State::Failed;
        }
        stepped
    }

    /// How many bytes the part's head has, which ends where the input now begins.
    pub(super) fn head_len(&self) -> usize {
        self.head.len()
    }

    fn try_step<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Step<'i>>, Error> {
        loop {
            match &mut self.state {
                State::Preamble(search) => match search.next(&self.delimiter, input) {
                    Found::Held { .. } => {}
                    Found::Content(count) => advance(input, count),
                    Found::Delimiter(count) => {
                        advance(input, count);
                        self.state = State::Line(Line::Start);
                    }
                    Found::More => {
                        *input = &[];
                        return Ok(None);
                    }
                },
                State::Line(line) => {
                    let Some((&byte, rest)) = input.split_first() else { return Ok(None) };
                    *input = rest;
                    self.state = line.next(byte)?;
                    if let State::Head = self.state {
                        self.begin_part()?;
                    }
                }
                State::Head => {
                    if !self.take_head(input)? {
                        return Ok(None);
                    }
                    self.state = State::Body(Search::at_line_start());
                    return Ok(Some(Step::Head));
                }
                State::Body(search) => {
                    return Ok(match search.next(&self.delimiter, input) {
                        Found::Held { from, to } => Some(Step::Held { from, to }),
                        Found::Content(count) => {
                            let (content, rest) = input.split_at(count);
                            *input = rest;
                            Some(Step::Data(content))
                        }
                        Found::Delimiter(count) => {
                            advance(input, count);
                            self.state = State::Line(Line::Start);
                            Some(Step::End)
                        }
                        Found::More => {
                            *input = &[];
                            None
                        }
                    });
                }
                State::Epilogue => {
                    *input = &[];
                    return Ok(None);
                }
                State::Failed => return Err(FAILED),
            }
        }
    }

    fn begin_part(&mut self) -> Result<(), Error> {
        self.head.clear();
        self.parts += 1;
        if self.parts > self.max_parts {
            return Err(Error::FormLimit { what: "parts", limit: self.max_parts });
        }
        Ok(())
    }

    /// Takes lines up to the empty one. Whether that was there.
    fn take_head(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        while !input.is_empty() {
            let mut rest = *input;
            let taken = rest.skip_until(b'\n').expect("reading memory does not fail");
            if self.head.len() + taken > self.max_head {
                return Err(Error::FormLimit { what: "bytes in a part's headers", limit: self.max_head });
            }
            self.head.extend_from_slice(&input[..taken]);
            *input = rest;
            if self.head == b"\r\n" || self.head.ends_with(b"\r\n\r\n") {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

const FAILED: Error = Error::Multipart("it failed before");

impl Line {
    /// Delimiter, white space that means nothing, CRLF; or delimiter, two dashes, and the same.
    fn next(self, byte: u8) -> Result<State, Error> {
        Ok(State::Line(match (self, byte) {
            (Self::Start | Self::Padding, b' ' | b'\t') => Self::Padding,
            (Self::Start | Self::Padding, b'\r') => Self::Cr,
            (Self::Cr, b'\n') => return Ok(State::Head),
            (Self::Start, b'-') => Self::Dash,
            (Self::Dash, b'-') | (Self::Last, b' ' | b'\t') => Self::Last,
            (Self::Last, b'\r') => Self::LastCr,
            (Self::LastCr, b'\n') => return Ok(State::Epilogue),
            // RFC 2046: a line that begins with the boundary is a delimiter, so it can be no content either.
            _ => return Err(Error::Multipart("a delimiter's line that goes on behind the boundary")),
        }))
    }
}

fn advance(input: &mut &[u8], count: usize) {
    *input = &input[count..];
}
