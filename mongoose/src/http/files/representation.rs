//! A file on its way out.

use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

use super::preconditions::{Validators, Verdict};
use super::range::{self, Part};
use crate::Error;
use crate::http::{BodySource, Piece, Reply, Request, date};

/// Files up to this size are read at once and sent with their head; of larger ones no more is held than is on its way.
const WHOLE: u64 = 64 << 10;

/// How old a file has to be for the time of its last change to say which version it is, in seconds: it may be changed
/// once more within what the file system's clock takes for the same moment, and coarse ones count in steps of two.
const SETTLED: i64 = 3;

/// What there is of a file, and what tells its versions apart.
#[derive(Debug)]
pub(super) struct Representation {
    content: Content,
    length: u64,
    pub(super) validators: Validators,
}

#[derive(Debug)]
enum Content {
    Disk(File),
    #[cfg(feature = "include_dir")]
    Embedded(&'static [u8]),
}

/// What names lead to.
#[derive(Debug)]
pub(super) enum Node {
    File(Representation),
    Folder,
}

impl Node {
    /// What was opened. Devices are not there, nor FIFOs, for which nobody is to wait. `now` is in seconds since 1970.
    pub(super) fn of_file(file: File, now: u64) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            Ok(Self::Folder)
        } else if metadata.is_file() {
            Ok(Self::File(Representation::of_file(file, &metadata, now)))
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

/// What a reply says of a file besides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Description<'d> {
    pub(super) content_type: &'d str,
    /// It is the compressed twin.
    pub(super) gzip: bool,
    /// There may be one.
    pub(super) negotiated: bool,
}

impl Representation {
    fn of_file(file: File, metadata: &Metadata, now: u64) -> Self {
        let (seconds, length) = (metadata.mtime(), metadata.len());
        let validators = Validators {
            tag: format!("\"{seconds:x}.{:x}-{length:x}\"", metadata.mtime_nsec()),
            strong: seconds <= i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(SETTLED),
            // Never later than the reply (RFC 9110 section 8.8.2.1).
            modified: u64::try_from(seconds).ok().map(|seconds| seconds.min(now)),
        };
        Self { content: Content::Disk(file), length, validators }
    }

    /// Bytes of the program itself, with a tag that follows from them.
    #[cfg(feature = "include_dir")]
    pub(super) fn of_bytes(bytes: &'static [u8], validators: Validators) -> Self {
        Self { content: Content::Embedded(bytes), length: bytes.len() as u64, validators }
    }

    /// Answers a request: the whole, a part, or what its conditions lead to. A reply whose status was set to another
    /// than 200 gets the whole, and so does a request that is neither GET nor HEAD.
    pub(super) fn answer(
        self,
        request: &Request<'_>,
        mut reply: Reply<'_>,
        about: Description<'_>,
    ) -> Result<(), Error> {
        let (headers, now) = (request.headers(), request.connection().clock().unix_seconds());
        let get = request.method() == "GET";
        let conditional = (get || request.method() == "HEAD") && reply.status_code() == 200;
        if about.negotiated {
            reply = reply.header("Vary", "Accept-Encoding");
        }
        let mut part = Part::Whole;
        if conditional {
            match self.validators.judge(headers, now) {
                Verdict::Failed => return reply.status(412).text("the file is not as the request has it\n"),
                Verdict::NotModified => {
                    return reply.status(304).header("ETag", self.validators.entity_tag()).empty();
                }
                Verdict::Proceed => {}
            }
            let mut ranges = headers.get_all("Range");
            // GET alone has ranges (section 14.2), and a second line is none of the grammar's.
            if let (true, Some(range), None) = (get, ranges.next(), ranges.next())
                && self.validators.allow_range(headers, now)
            {
                part = range::parse(range.as_bytes(), self.length);
            }
            reply = reply.header("ETag", self.validators.entity_tag()).header("Accept-Ranges", "bytes");
            if let Some(modified) = self.validators.modified {
                reply = reply.header("Last-Modified", &date::format(modified)[6..35]);
            }
        }
        let bytes = match part {
            Part::Unsatisfiable => {
                let range = format!("bytes */{}", self.length);
                return reply.status(416).header("Content-Range", range).text("no such part of the file\n");
            }
            Part::Whole => 0..self.length,
            Part::Bytes { start, end } => {
                let range = format!("bytes {start}-{}/{}", end - 1, self.length);
                reply = reply.status(206).header("Content-Range", range);
                start..end
            }
        };
        if about.gzip {
            reply = reply.header("Content-Encoding", "gzip");
        }
        if !reply.has_content_type() {
            reply = reply.header("Content-Type", about.content_type);
        }
        self.send(request, reply, bytes)
    }

    fn send(self, request: &Request<'_>, reply: Reply<'_>, bytes: Range<u64>) -> Result<(), Error> {
        let length = bytes.end - bytes.start;
        match self.content {
            #[cfg(feature = "include_dir")]
            Content::Embedded(all) => {
                reply.body(crate::Payload::from_static(&all[bytes.start as usize..bytes.end as usize]))
            }
            Content::Disk(_) if request.method() == "HEAD" => reply.length(length).empty(),
            Content::Disk(file) if length <= WHOLE => {
                let mut whole = vec![0; length as usize];
                // What has shrunk meanwhile is being written. Nothing of it has been sent yet: the peer gets 500.
                file.read_exact_at(&mut whole, bytes.start)
                    .map_err(|source| Error::File { path: request.path().into(), source })?;
                reply.body(whole)
            }
            Content::Disk(file) => reply.length(length).stream(file_body(file, bytes)),
        }
    }
}

/// A large file, sent from where it lies.
fn file_body(file: File, bytes: Range<u64>) -> impl BodySource {
    let mut piece =
        Some(Piece::File { file: Arc::new(file), offset: bytes.start, len: bytes.end - bytes.start });
    move || Ok(piece.take().unwrap_or(Piece::End))
}
