//! A small HTTP server that shows what the crate does: `cargo run --release --example http_server`.

mod counters;
mod options;
mod routes;

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};

use counters::Counters;
use mongoose::{Connection, Error, Event, Manager, Registry, Workers, http};
use options::{Command, Options};

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
    let counters = Counters::new();
    let places = Arc::new(Places::new(options));
    if options.workers == 1 {
        let mut manager = Manager::new()?;
        announce(&places.listen(&manager, &counters)?);
        return manager.run_until_signal();
    }
    let (tell, told) = mpsc::channel();
    let workers = Workers::builder(options.workers).restart(true).start(move |worker, registry| {
        let addresses = places.listen(registry, &counters)?;
        if worker == 0 {
            // Nobody listens when it is started again.
            let _ = tell.send(addresses);
        }
        Ok(())
    })?;
    announce(&told.try_iter().flatten().collect::<Vec<_>>());
    workers.run_until_signal()
}

/// Where to listen, in each worker.
struct Places {
    urls: Vec<String>,
    /// Opened by whoever started the program.
    sockets: Vec<OwnedFd>,
}

impl Places {
    fn new(options: &Options) -> Self {
        let sockets = mongoose::inherited_sockets();
        let mut urls = options.listen.clone();
        if urls.is_empty() && sockets.is_empty() {
            urls.push("http://127.0.0.1:8000".to_owned());
        }
        Self { urls, sockets }
    }

    /// Listens everywhere; all have the same handler.
    fn listen(&self, registry: &Registry, counters: &Counters) -> Result<Vec<SocketAddr>, Error> {
        let site = || Site { counters: counters.clone() };
        let mut addresses = Vec::new();
        for url in &self.urls {
            addresses.push(registry.http(url, site())?.local_addr());
        }
        for socket in &self.sockets {
            let socket = socket.try_clone().map_err(Error::handler)?;
            addresses.push(registry.listener_on(socket).http(site())?.local_addr());
        }
        Ok(addresses)
    }
}

/// Not before all of them listen: what fails is one line alone.
fn announce(addresses: &[SocketAddr]) {
    for address in addresses {
        eprintln!("listening on http://{address}");
    }
}

/// All routes, and a line for each request.
struct Site {
    counters: Counters,
}

impl http::Handler for Site {
    fn request(&mut self, request: http::Request<'_>, reply: http::Reply<'_>) -> Result<(), Error> {
        self.counters.request();
        let peer = request.connection().remote_addr().map(|peer| peer.to_string()).unwrap_or_default();
        eprintln!("{peer} {} {}", request.method(), request.target());
        routes::answer(request, reply, &self.counters)
    }

    fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) {
        match event {
            Event::Accept => self.counters.opened(),
            Event::Close => self.counters.closed(),
            Event::Error(error) => {
                let peer = connection.remote_addr().map(|peer| peer.to_string()).unwrap_or_default();
                eprintln!("{peer} {error}");
            }
            _ => {}
        }
    }
}
