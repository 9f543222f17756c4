//! Routes by method and path, on `matchit` (feature `router`).

use std::fmt;

use super::request_span::RequestSpan;
use super::{BodyMode, Handler, Params, Reply, Request};
use crate::Error;

/// A handler made of routes.
///
/// A path is literal text, `{name}` for one segment, and `{*name}` for all that is left (at least one character); the
/// more literal route goes first. Paths are compared as sent, so `/a%62` is not `/ab`; parameters are decoded.
///
/// What no path matches is 404, or goes to the [`fallback`](Self::fallback); what no method matches is 405 with `Allow`;
/// a path that is malformed where a parameter is taken from it is 400, and a parameter of another type 404. HEAD runs the
/// route of GET, and OPTIONS is answered with `Allow`, unless they have routes of their own.
///
/// ```
/// use mongoose::http::{Params, Reply, Request, Router};
///
/// let router = Router::new()
///     .get("/", |_, _, reply| reply.text("Welcome"))?
///     .get("/users/{id}", |_, params, reply| reply.text(format!("user {}", params.parse::<u64>("id")?)))?
///     .put("/files/{*path}", |request: Request<'_>, params: &Params<'_>, reply: Reply<'_>| {
///         println!("{}: {} bytes", params.get("path").unwrap_or_default(), request.body().len());
///         reply.status(201).empty()
///     })?
///     .fallback(|request, _, reply| reply.status(404).text(format!("nothing at {}", request.path())));
/// let manager = mongoose::Manager::new()?;
/// manager.http("http://127.0.0.1:0", router)?;
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Default)]
#[doc(alias = "mg_match")]
pub struct Router {
    /// Which of `paths` it is.
    tree: matchit::Router<usize>,
    paths: Vec<Path>,
    fallback: Option<Box<Run>>,
}

/// What runs for a request.
type Run = dyn FnMut(Request<'_>, &Params<'_>, Reply<'_>) -> Result<(), Error>;

struct Path {
    path: String,
    methods: Vec<Method>,
}

struct Method {
    name: String,
    body_mode: BodyMode,
    run: Box<Run>,
}

impl Router {
    /// Begins without a route: all is 404.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route for GET, and for HEAD unless that has its own. Errors are those of [`route`](Self::route).
    pub fn get(
        self,
        path: &str,
        run: impl FnMut(Request<'_>, &Params<'_>, Reply<'_>) -> Result<(), Error> + 'static,
    ) -> Result<Self, Error> {
        self.route("GET", path, BodyMode::Buffered, run)
    }

    /// Adds a route for POST. Errors are those of [`route`](Self::route).
    pub fn post(
        self,
        path: &str,
        run: impl FnMut(Request<'_>, &Params<'_>, Reply<'_>) -> Result<(), Error> + 'static,
    ) -> Result<Self, Error> {
        self.route("POST", path, BodyMode::Buffered, run)
    }

    /// Adds a route for PUT. Errors are those of [`route`](Self::route).
    pub fn put(
        self,
        path: &str,
        run: impl FnMut(Request<'_>, &Params<'_>, Reply<'_>) -> Result<(), Error> + 'static,
    ) -> Result<Self, Error> {
        self.route("PUT", path, BodyMode::Buffered, run)
    }

    /// Adds a route for DELETE. Errors are those of [`route`](Self::route).
    pub fn delete(
        self,
        path: &str,
        run: impl FnMut(Request<'_>, &Params<'_>, Reply<'_>) -> Result<(), Error> + 'static,
    ) -> Result<Self, Error> {
        self.route("DELETE", path, BodyMode::Buffered, run)
    }

    /// Adds a route for any method, as it is sent, and says how the body gets there: [`BodyMode::Streamed`] for uploads.
    ///
    /// # Errors
    /// [`Error::Route`] when the path is malformed, or the route could be taken for another one.
    pub fn route(
        mut self,
        method: &str,
        path: &str,
        body_mode: BodyMode,
        run: impl FnMut(Request<'_>, &Params<'_>, Reply<'_>) -> Result<(), Error> + 'static,
    ) -> Result<Self, Error> {
        let bad = |reason: String| Error::Route { method: method.to_owned(), path: path.to_owned(), reason };
        if !path.starts_with('/') {
            return Err(bad("it does not begin with /".to_owned()));
        }
        let index = match self.paths.iter().position(|known| known.path == path) {
            Some(index) => index,
            None => {
                self.tree.insert(path, self.paths.len()).map_err(|error| bad(error.to_string()))?;
                self.paths.push(Path { path: path.to_owned(), methods: Vec::new() });
                self.paths.len() - 1
            }
        };
        let methods = &mut self.paths[index].methods;
        if methods.iter().any(|known| known.name == method) {
            return Err(bad("there is one already".to_owned()));
        }
        methods.push(Method { name: method.to_owned(), body_mode, run: Box::new(run) });
        Ok(self)
    }

    /// Answers what no path matches, in place of 404. A second one replaces the first.
    pub fn fallback(
        mut self,
        run: impl FnMut(Request<'_>, &Params<'_>, Reply<'_>) -> Result<(), Error> + 'static,
    ) -> Self {
        self.fallback = Some(Box::new(run));
        self
    }

    /// Every method of some paths, as `Allow` lists them.
    fn allow<'m>(methods: impl Iterator<Item = &'m Method>) -> String {
        let mut names: Vec<&str> = methods.map(|method| &*method.name).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    }
}

impl Path {
    /// The route of a method. HEAD has that of GET.
    fn method(&mut self, name: &str) -> Option<&mut Method> {
        let position = |name| self.methods.iter().position(|method| method.name == name);
        let index = position(name).or_else(|| position("GET").filter(|_| name == "HEAD"))?;
        Some(&mut self.methods[index])
    }
}

impl Handler for Router {
    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        if (request.method(), request.path()) == ("OPTIONS", "*") {
            let allow = Self::allow(self.paths.iter().flat_map(|path| &path.methods));
            return reply.status(204).header("Allow", allow).empty();
        }
        let Ok(found) = self.tree.at(request.path()) else {
            return match &mut self.fallback {
                Some(run) => run(request, &Params::default(), reply),
                None => reply.status(404).text("Not Found\n"),
            };
        };
        let path = &mut self.paths[*found.value];
        RequestSpan::route(&path.path);
        if let Some(method) = path.method(request.method()) {
            return match Params::decode(&found.params) {
                Ok(params) => (method.run)(request, &params, reply),
                Err(error) => reply.status(400).text(format!("{error}\n")),
            };
        }
        let reply = reply.header("Allow", Self::allow(path.methods.iter()));
        match request.method() {
            "OPTIONS" => reply.status(204).empty(),
            _ => reply.status(405).text("Method Not Allowed\n"),
        }
    }

    fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
        let path = self.tree.at(request.path()).ok().map(|found| *found.value);
        let method = path.and_then(|path| self.paths[path].method(request.method()));
        method.map_or_else(BodyMode::default, |method| method.body_mode)
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.paths.iter().map(|path| (&path.path, Self::allow(path.methods.iter())));
        f.debug_map().entries(routes).finish()
    }
}
