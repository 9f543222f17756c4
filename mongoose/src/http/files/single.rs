//! One file, named by the program.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::content_type;
use super::representation::{Description, Node};
use crate::http::{Reply, Request};
use crate::{Error, ffi};

impl Reply<'_> {
    /// Sends a file: to GET and HEAD with validators, conditions and ranges, as [`Files`](super::Files) does; to other
    /// methods, and when another status than 200 was set, the whole of it. Its name says what it is, unless a
    /// `Content-Type` was set. One that is not there, or no regular file, is 404; one that may not be read 403.
    ///
    /// The path is the program's own: it is used as it is, and links are followed. For paths that come from peers there
    /// is [`Files`](super::Files). C's [`mg_http_serve_file`](mongoose_sys::mg_http_serve_file) hangs on a folder, takes
    /// `bytes=-3` for something else, and answers 200 with its `page404`.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::http::{Reply, Request};
    ///
    /// manager.http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| match request.path() {
    ///     "/manifest" => reply.header("Content-Type", "text/plain").file(&request, "Cargo.toml"),
    ///     _ => reply.status(404).file(&request, "404.html"),
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read for another reason, and as [`text`](Self::text).
    #[doc(alias = "mg_http_serve_file")]
    pub fn file(self, request: &Request<'_>, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let now = request.connection().clock().unix_seconds();
        let found = ffi::open_trusted(path).and_then(|file| Node::of_file(file, now));
        let about = Description {
            content_type: content_type::of(path.as_os_str().as_bytes()),
            gzip: false,
            negotiated: false,
        };
        match found {
            Ok(Node::File(file)) => file.answer(request, self, about),
            Ok(Node::Folder) => self.status(404).text("not found\n"),
            Err(error) if ffi::is_missing(&error) => self.status(404).text("not found\n"),
            Err(error) if ffi::is_denied(&error) => self.status(403).text("forbidden\n"),
            Err(source) => Err(Error::File { path: path.to_owned(), source }),
        }
    }
}
