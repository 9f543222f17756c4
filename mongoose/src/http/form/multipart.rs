//! Multipart forms whose body is there.

use std::str::Utf8Error;

use super::multipart_parser::{MultipartParser, Step};
use super::part_head::PartHead;
use crate::Error;
use crate::http::parameters::Parameters;
use crate::http::{HeaderValue, Request};

impl<'r> Request<'r> {
    /// The parts of a `multipart/form-data` body, one after another, as views of it.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::http::{Reply, Request};
    ///
    /// manager.http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| {
    ///     let mut files = 0;
    ///     for part in request.multipart()? {
    ///         let part = part?;
    ///         files += usize::from(part.filename().is_some() && !part.body().is_empty());
    ///     }
    ///     reply.text(format!("{files} files"))
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::MediaType`] when the body is of another type; [`Error::Multipart`] when its boundary is missing or not
    /// one.
    #[doc(alias = "mg_http_next_multipart")]
    pub fn multipart(&self) -> Result<Multipart<'r>, Error> {
        Ok(Multipart { body: self.body(), taken: 0, parser: self.multipart_parser()?, over: false })
    }

    /// A parser for a `multipart/form-data` body that comes in pieces, for an [`Upload`](crate::http::Upload) to hold.
    ///
    /// ```
    /// use mongoose::http::{self, BodyMode, MultipartEvent, MultipartParser, Reply, Request};
    /// use mongoose::{Connection, Error};
    ///
    /// struct Forms;
    ///
    /// impl http::Handler for Forms {
    ///     fn body_mode(&mut self, _: &Request<'_>) -> BodyMode {
    ///         BodyMode::Streamed
    ///     }
    ///
    ///     fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    ///         reply.receive(Sizes { parser: request.multipart_parser()?, sizes: Vec::new() })
    ///     }
    /// }
    ///
    /// /// How long each part is.
    /// struct Sizes {
    ///     parser: MultipartParser,
    ///     sizes: Vec<u64>,
    /// }
    ///
    /// impl http::Upload for Sizes {
    ///     fn data(&mut self, _: &Connection<'_>, mut piece: &[u8]) -> Result<(), Error> {
    ///         while let Some(event) = self.parser.next(&mut piece)? {
    ///             match event {
    ///                 MultipartEvent::Part(_) => self.sizes.push(0),
    ///                 MultipartEvent::Data(bytes) => *self.sizes.last_mut().unwrap() += bytes.len() as u64,
    ///                 MultipartEvent::End => {}
    ///             }
    ///         }
    ///         Ok(())
    ///     }
    ///
    ///     fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
    ///         self.parser.finish()?;
    ///         reply.text(format!("{:?}", self.sizes))
    ///     }
    /// }
    ///
    /// let manager = mongoose::Manager::new()?;
    /// manager.http("http://127.0.0.1:0", Forms)?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`multipart`](Self::multipart).
    pub fn multipart_parser(&self) -> Result<MultipartParser, Error> {
        let content_type = super::media_type(self, "multipart/form-data")?;
        MultipartParser::new(&boundary(content_type)?)
    }
}

/// The boundary that a `Content-Type` names.
fn boundary(content_type: HeaderValue<'_>) -> Result<Vec<u8>, Error> {
    let (_, parameters) = Parameters::behind_first(content_type.as_bytes());
    let mut boundary = None;
    for parameter in parameters {
        let (name, value) = parameter.map_err(Error::Multipart)?;
        if name.eq_ignore_ascii_case("boundary") && boundary.replace(value.unquote()).is_some() {
            return Err(Error::Multipart("two boundaries"));
        }
    }
    Ok(boundary.ok_or(Error::Multipart("no boundary"))?.into_owned())
}

/// The parts of a form: see [`Request::multipart`].
///
/// An error is the last that it gives. A form that lacks its last delimiter is one; the parts before that were given.
#[derive(Clone, Debug)]
#[must_use = "parts are read as they are asked for"]
pub struct Multipart<'r> {
    body: &'r [u8],
    /// How much of the body the parser has taken.
    taken: usize,
    parser: MultipartParser,
    over: bool,
}

impl<'r> Multipart<'r> {
    /// How many parts the form may have. Default: 10,000.
    pub fn max_parts(mut self, parts: usize) -> Self {
        self.parser = self.parser.max_parts(parts);
        self
    }

    /// How many bytes a part's headers may have, line ends included. Default: 8,192.
    pub fn max_head(mut self, bytes: usize) -> Self {
        self.parser = self.parser.max_head(bytes);
        self
    }

    fn step(&mut self) -> Result<Option<Step<'r>>, Error> {
        let mut input = &self.body[self.taken..];
        let step = self.parser.step(&mut input);
        self.taken = self.body.len() - input.len();
        step
    }

    fn next_part(&mut self) -> Result<Option<Part<'r>>, Error> {
        if self.step()?.is_none() {
            return self.parser.finish().map(|()| None);
        }
        // The first step of a part is its head.
        let start = self.taken;
        let head = PartHead::parse(&self.body[start - self.parser.head_len()..start])?;
        let mut len = 0;
        loop {
            match self.step()? {
                Some(Step::Data(content)) => len += content.len(),
                Some(Step::Held { from, to }) => len += to - from,
                Some(Step::Head | Step::End) => {
                    return Ok(Some(Part { head, body: &self.body[start..start + len] }));
                }
                None => return self.parser.finish().map(|()| None),
            }
        }
    }
}

impl<'r> Iterator for Multipart<'r> {
    type Item = Result<Part<'r>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let part = self.next_part();
        self.over = !matches!(part, Ok(Some(_)));
        part.transpose()
    }
}

/// One part of a form that is there: views of the request's body.
#[derive(Clone, Debug)]
#[doc(alias = "mg_http_part")]
pub struct Part<'r> {
    head: PartHead<'r>,
    body: &'r [u8],
}

impl<'r> Part<'r> {
    /// The name of the form's field. Several parts may have the same.
    pub fn name(&self) -> &str {
        self.head.name()
    }

    /// The name that the sender gives a file: see [`PartHead::filename`], which says why it is no path.
    pub fn filename(&self) -> Option<&str> {
        self.head.filename()
    }

    /// What the content is, by the sender's word; text if it says nothing.
    pub fn content_type(&self) -> Option<HeaderValue<'r>> {
        self.head.content_type()
    }

    /// Name, file name and all headers.
    pub fn head(&self) -> &PartHead<'r> {
        &self.head
    }

    /// The content.
    pub fn body(&self) -> &'r [u8] {
        self.body
    }

    /// The content as text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn text(&self) -> Result<&'r str, Utf8Error> {
        std::str::from_utf8(self.body)
    }
}
