//! A folder, and how it is served.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::content_type;
#[cfg(feature = "include_dir")]
use super::embedded::Embedded;
use super::encoding::prefers_gzip;
use super::folder::Folder;
use super::listing::Listing;
use super::path::{Refused, RelativePath, join};
use super::representation::{Description, Node, Representation};
use crate::http::reply_head::write_header;
use crate::http::{Handler, Reply, Request};
use crate::{Error, ffi};

/// A folder of files to serve, and how. It is a handler by itself, and one that other handlers can
/// [ask](Self::serve); clones share everything and cost little, also between threads.
///
/// ```
/// use mongoose::http::{Files, Reply, Request};
///
/// let manager = mongoose::Manager::new()?;
/// // A site:
/// manager.http("http://127.0.0.1:0", Files::new("src")?.listing(true))?;
/// // Files for all paths without a route:
/// let files = Files::new("src")?.header("Cache-Control", "max-age=60")?;
/// manager.http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| match request.path() {
///     "/hello" => reply.text("Hello, World!"),
///     _ => files.serve(&request, reply),
/// })?;
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// **What is served.** Regular files below the root, and nothing else (hazard 38): `..` in any encoding, encoded slashes
/// and backslashes lead nowhere, links are followed only as long as they stay below the root, and FIFOs and devices are
/// not there. Names that begin with a dot are not there either, [unless asked for](Self::dotfiles). A folder is answered
/// by its [index](Self::index), a [listing](Self::listing) if that is on, or 403; without its slash at the end, by 301 to
/// the same with one. What is not there is 404, what may not be read 403, a malformed path 400, and another method than
/// GET and HEAD 405.
///
/// **How.** With a strong `ETag` of size and time of change (a weak one while the file is younger than three seconds),
/// `Last-Modified`, all conditions of RFC 9110 section 13, and single ranges (section 14; a request for many gets the
/// whole). A file `x.gz` is sent in the place of `x` to who asks for gzip, see [`gzip`](Self::gzip). Files up to 64 KB are
/// read at once; larger ones are sent from where they lie, a piece whenever there is room, so that they neither fill the
/// memory nor keep others waiting. A file that shrinks while it is sent ends the connection; one that grows is sent as
/// long as was announced. Files are read on the loop: it waits for a slow disk.
///
/// C's [`mg_http_serve_dir`](mongoose_sys::mg_http_serve_dir) follows links out of the root, cuts `%00`, serves dotfiles
/// and POST, and answers many ranges wrongly.
#[derive(Clone)]
#[doc(alias = "mg_http_serve_dir")]
#[doc(alias = "mg_http_serve_opts")]
pub struct Files {
    options: Arc<Options>,
}

#[derive(Clone)]
struct Options {
    root: Root,
    index: Vec<String>,
    headers: Vec<(String, Vec<u8>)>,
    content_types: Vec<(String, String)>,
    /// Names below the root.
    not_found_page: Option<Vec<u8>>,
    dotfiles: bool,
    gzip: bool,
    listing: bool,
}

#[derive(Clone)]
enum Root {
    Folder(Folder),
    #[cfg(feature = "include_dir")]
    Embedded(Arc<Embedded>),
}

/// What is to be sent for a path.
enum Found {
    File { file: Representation, names: Vec<u8>, gzip: bool },
    Folder,
}

impl Files {
    /// Serves a folder. A relative path is taken from the current folder of this moment; a root that is a link is looked
    /// up at each request.
    ///
    /// # Errors
    /// [`Error::File`] when there is no such folder.
    pub fn new(root: impl AsRef<Path>) -> Result<Self, Error> {
        let root = root.as_ref();
        let folder = Folder::new(root).map_err(|source| Error::File { path: root.to_owned(), source })?;
        Ok(Self::of(Root::Folder(folder)))
    }

    /// Serves a folder that `include_dir!` embedded in the program, in the same way: with tags that follow from the
    /// bytes, without times. Looks at all of them once, to make the tags; clone it rather than make it again.
    ///
    /// ```
    /// use mongoose::http::Files;
    ///
    /// static SITE: include_dir::Dir<'_> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/src/http/files");
    ///
    /// let manager = mongoose::Manager::new()?;
    /// manager.http("http://127.0.0.1:0", Files::embedded(&SITE))?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    #[cfg(feature = "include_dir")]
    #[doc(alias = "mg_fs_packed")]
    pub fn embedded(dir: &'static include_dir::Dir<'static>) -> Self {
        Self::of(Root::Embedded(Arc::new(Embedded::new(dir))))
    }

    fn of(root: Root) -> Self {
        Self {
            options: Arc::new(Options {
                root,
                index: vec!["index.html".to_owned()],
                headers: Vec::new(),
                content_types: Vec::new(),
                not_found_page: None,
                dotfiles: false,
                gzip: true,
                listing: false,
            }),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(Arc::make_mut(&mut self.options));
        self
    }

    /// The names of the file that answers for a folder; the first that is there does. Default: `index.html`.
    pub fn index(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.with(|options| options.index = names.into_iter().map(Into::into).collect())
    }

    /// Adds a header to every reply, errors included.
    ///
    /// # Errors
    /// [`Error::Header`] for one that would break the reply.
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, Error> {
        let value = value.as_ref();
        write_header(&mut Vec::new(), name, value)?;
        Ok(self.with(|options| options.headers.push((name.to_owned(), value.to_owned()))))
    }

    /// Says what files of an extension are, such as `glb` (any case, no dot): before what is known already. Some 90
    /// extensions are; what has none of them is `application/octet-stream`.
    ///
    /// # Errors
    /// [`Error::Header`] for a value that would break the reply.
    pub fn content_type(self, extension: &str, value: &str) -> Result<Self, Error> {
        write_header(&mut Vec::new(), "Content-Type", value.as_bytes())?;
        Ok(self.with(|options| options.content_types.insert(0, (extension.to_owned(), value.to_owned()))))
    }

    /// The file whose content is sent with 404, by its path below the root. Default: a line of text.
    pub fn not_found_page(self, path: &str) -> Self {
        let names = path.trim_matches('/').as_bytes().to_owned();
        self.with(|options| options.not_found_page = Some(names))
    }

    /// Whether names that begin with a dot are served and listed. Default: no. For `/.well-known` alone,
    /// [make](Self::new) another `Files` with that as its root, and use [`serve_as`](Self::serve_as).
    pub fn dotfiles(self, serve: bool) -> Self {
        self.with(|options| options.dotfiles = serve)
    }

    /// Whether a file `x.gz` beside `x` is sent as `x` in compressed form to whoever prefers that
    /// (`Accept-Encoding`, RFC 9110 section 12.5.3). Default: yes. Nobody compares the two: make them together. Where there
    /// is no `x` at all, others get 404.
    pub fn gzip(self, twins: bool) -> Self {
        self.with(|options| options.gzip = twins)
    }

    /// Whether a folder without an index is listed: names, sizes and times of up to 5,000 entries. Default: no.
    pub fn listing(self, list: bool) -> Self {
        self.with(|options| options.listing = list)
    }

    /// Answers a request with the file that its path names.
    ///
    /// # Errors
    /// [`Error::File`] when the system fails for another reason than that the file is not there or may not be read (the
    /// peer gets 500 then), and as [`Reply::text`].
    pub fn serve(&self, request: &Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        self.serve_as(request, reply, request.path())
    }

    /// Answers a request with the file that `path` names: for a route that has the folder under a prefix, what is behind
    /// that. It is percent-encoded as it is in [`Request::path`], with or without a slash at its beginning.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::http::{Files, Reply, Request};
    ///
    /// let files = Files::new("src")?;
    /// manager.http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| {
    ///     match request.path().strip_prefix("/static/") {
    ///         Some(path) => files.serve_as(&request, reply, path),
    ///         None => reply.status(404).text("not found"),
    ///     }
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`serve`](Self::serve).
    pub fn serve_as(&self, request: &Request<'_>, reply: Reply<'_>, path: &str) -> Result<(), Error> {
        let options = &*self.options;
        let reply = options.headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value));
        if !matches!(request.method(), "GET" | "HEAD") {
            return reply.status(405).header("Allow", "GET, HEAD").text("method not allowed\n");
        }
        let path = match RelativePath::parse(path, options.dotfiles) {
            Ok(path) => path,
            Err(Refused::Malformed) => return reply.status(400).text("a malformed path\n"),
            Err(Refused::Missing) => return options.not_found(request, reply),
        };
        match options.find(request, &path) {
            Ok(Found::File { file, names, gzip }) => {
                let about = options.describe(&names, gzip);
                file.answer(request, reply, about)
            }
            Ok(Found::Folder) if !request.path().ends_with('/') => redirect(request, reply),
            Ok(Found::Folder) if options.listing => options.list(request, reply, &path),
            Ok(Found::Folder) => reply.status(403).text("forbidden\n"),
            Err(error) if ffi::is_missing(&error) => options.not_found(request, reply),
            Err(error) if ffi::is_denied(&error) => reply.status(403).text("forbidden\n"),
            Err(source) => Err(Error::File { path: options.path(&path.names), source }),
        }
    }
}

impl Handler for Files {
    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        self.serve(&request, reply)
    }
}

/// To the same folder with a slash at the end, relative to where the peer is: whatever route or proxy is in front, and
/// never to another host, as `Location: //evil/` would.
fn redirect(request: &Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    let name = request.path().rsplit('/').next().unwrap_or_default();
    let query = match request.query() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    reply.status(301).redirect(&format!("./{name}/{query}"))
}

impl Options {
    /// What a path leads to: a file, its compressed twin, a folder's index; or a folder that has none, or whose slash at
    /// the end is missing.
    fn find(&self, request: &Request<'_>, path: &RelativePath) -> io::Result<Found> {
        let now = request.connection().clock().unix_seconds();
        let accepted = request.headers();
        let accepted = accepted.get_all("Accept-Encoding").map(|value| value.as_bytes());
        let gzip = self.gzip && prefers_gzip(accepted);
        let slash = request.path().ends_with('/');
        if !path.folder {
            let found = self.file(path.names.clone(), gzip, now)?;
            if matches!(found, Found::File { .. }) || !slash {
                return Ok(found);
            }
        }
        if slash {
            for index in &self.index {
                match self.file(join(&path.names, index.as_bytes()), gzip, now) {
                    Ok(Found::Folder) => {}
                    Err(error) if ffi::is_missing(&error) => {}
                    found => return found,
                }
            }
        }
        match self.open(&path.names, now)? {
            Node::Folder => Ok(Found::Folder),
            // A file has no slash at its end.
            Node::File(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// A file, or its twin.
    fn file(&self, names: Vec<u8>, gzip: bool, now: u64) -> io::Result<Found> {
        let plain = self.open(&names, now);
        let may_have_twin = match &plain {
            Ok(Node::File(_)) => has_twin(&names),
            Ok(Node::Folder) => false,
            Err(error) => ffi::is_missing(error) && has_twin(&names),
        };
        if gzip
            && may_have_twin
            && let Ok(Node::File(mut file)) = self.open(&[&names, &b".gz"[..]].concat(), now)
        {
            // Should both have one size and one time.
            file.validators.tag.insert_str(1, "gz-");
            return Ok(Found::File { file, names, gzip: true });
        }
        Ok(match plain? {
            Node::File(file) => Found::File { file, names, gzip: false },
            Node::Folder => Found::Folder,
        })
    }

    fn open(&self, names: &[u8], now: u64) -> io::Result<Node> {
        match &self.root {
            Root::Folder(folder) => Node::of_file(folder.open(names)?, now),
            #[cfg(feature = "include_dir")]
            Root::Embedded(embedded) => embedded.open(names).ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }

    fn describe(&self, names: &[u8], gzip: bool) -> Description<'_> {
        let extension = content_type::extension(names).unwrap_or_default();
        let own =
            self.content_types.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(extension));
        let content_type = own.map_or_else(|| content_type::of(names), |(_, value)| value);
        Description { content_type, gzip, negotiated: self.gzip && has_twin(names) }
    }

    fn list(&self, request: &Request<'_>, reply: Reply<'_>, path: &RelativePath) -> Result<(), Error> {
        let listing: io::Result<Listing> = match &self.root {
            Root::Folder(folder) => folder.list(&path.names, self.dotfiles),
            #[cfg(feature = "include_dir")]
            Root::Embedded(embedded) => {
                embedded.list(&path.names, self.dotfiles).ok_or_else(|| io::ErrorKind::NotFound.into())
            }
        };
        let listing = listing.map_err(|source| Error::File { path: self.path(&path.names), source })?;
        let title = crate::url::decode(request.path())?;
        let page = listing.into_html(&String::from_utf8_lossy(&title), path.names.is_empty());
        reply.header("Content-Type", "text/html; charset=utf-8").body(page)
    }

    fn not_found(&self, request: &Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let reply = reply.status(404);
        let now = request.connection().clock().unix_seconds();
        if let Some(names) = &self.not_found_page
            && let Ok(Node::File(file)) = self.open(names, now)
        {
            let about = Description { negotiated: false, ..self.describe(names, false) };
            return file.answer(request, reply, about);
        }
        reply.text("not found\n")
    }

    /// For errors.
    fn path(&self, names: &[u8]) -> PathBuf {
        match &self.root {
            Root::Folder(folder) => folder.path(names),
            #[cfg(feature = "include_dir")]
            Root::Embedded(_) => PathBuf::from(String::from_utf8_lossy(names).into_owned()),
        }
    }
}

/// What is compressed already has none.
fn has_twin(names: &[u8]) -> bool {
    !names.ends_with(b".gz")
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("root", &self.options.path(b"")).finish_non_exhaustive()
    }
}
