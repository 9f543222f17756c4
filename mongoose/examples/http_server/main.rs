//! A small HTTP server that shows what the crate does: `cargo run --release --example http_server`.

mod counters;
mod crc32;
mod form;
mod inspect;
mod json;
mod later;
mod live;
mod options;
mod routes;
mod secure;
mod site;
mod streams;
mod ticker;
mod upload;

use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, mpsc};

use mongoose::{Error, Limits, Manager, Registry, Workers};
use options::{Command, Options};
use secure::Certificate;
use site::{Content, Site};
use ticker::Ticker;

fn main() -> ExitCode {
    let options = match options::parse(std::env::args_os().skip(1)) {
        Ok(Command::Serve(options)) => options,
        Ok(Command::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("http_server: {problem} (--help says more)");
            return ExitCode::from(2);
        }
    };
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("http_server: {error}");
            ExitCode::from(2)
        }
    }
}

fn serve(options: &Options) -> Result<(), Error> {
    let content = Content::new(options)?;
    let places = Places::new(options)?;
    if options.workers == 1 {
        let mut manager = Manager::new()?;
        announce(&places.listen(&manager, &content)?);
        return manager.run_until_signal();
    }
    let places = Arc::new(places);
    let (tell, told) = mpsc::channel();
    let workers = Workers::builder(options.workers).restart(true).start(move |worker, registry| {
        let addresses = places.listen(registry, &content)?;
        if worker == 0 {
            // Nobody listens when it is started again.
            let _ = tell.send(addresses);
        }
        Ok(())
    })?;
    announce(&told.try_iter().flatten().collect::<Vec<_>>());
    workers.run_until_signal()
}

/// Where to listen, in each worker, and within which limits.
struct Places {
    urls: Vec<String>,
    /// Opened by whoever started the program.
    sockets: Vec<OwnedFd>,
    limits: Limits,
    certificate: Option<Certificate>,
}

impl Places {
    fn new(options: &Options) -> Result<Self, Error> {
        let sockets = mongoose::inherited_sockets();
        let mut urls = options.listen.clone();
        if urls.is_empty() && sockets.is_empty() {
            urls.push("http://127.0.0.1:8000".to_owned());
        }
        let certificate = secure::certificate(options)?;
        if certificate.is_some() {
            urls.extend(secure::beside(&urls));
        }
        let mut limits = Limits::default();
        limits.body = options.max_body.unwrap_or(limits.body);
        if let Some(time) = options.timeout {
            limits.head_time = time;
            limits.body_time = time;
            limits.idle_time = time;
            limits.write_time = time;
        }
        Ok(Self { urls, sockets, limits, certificate })
    }

    /// Listens everywhere; all serve the same.
    fn listen(&self, registry: &Registry, content: &Content) -> Result<Vec<String>, Error> {
        let ticker = Ticker::start(registry, content.counters.started())?;
        let site = || Site { content: content.clone(), ticker: Rc::clone(&ticker) };
        let mut addresses = Vec::new();
        for url in &self.urls {
            let builder = registry.listener(url).limits(self.limits.clone());
            let listener = secure::secure(builder, url, self.certificate.as_ref()).http(site())?;
            let scheme = if secure::is_secure(url) { "https" } else { "http" };
            addresses.push(format!("{scheme}://{}", listener.local_addr()));
        }
        for socket in &self.sockets {
            let socket = socket.try_clone().map_err(Error::handler)?;
            let listener = registry.listener_on(socket).limits(self.limits.clone()).http(site())?;
            addresses.push(format!("http://{}", listener.local_addr()));
        }
        Ok(addresses)
    }
}

/// Not before all of them listen: what fails is one line alone.
fn announce(addresses: &[String]) {
    for address in addresses {
        eprintln!("listening on {address}");
    }
}
