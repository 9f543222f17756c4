//! A small HTTP server that shows what the crate does: `cargo run --release --example http_server`.

mod options;
mod routes;

use std::process::ExitCode;

use mongoose::{Connection, Error, Event, Manager, http};
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
    let mut manager = Manager::new()?;
    let counters = routes::Counters::new();
    let site = || Site { counters: counters.clone() };
    let listeners =
        options.listen.iter().map(|url| manager.http(url, site())).collect::<Result<Vec<_>, Error>>()?;
    // Not before all of them do: what fails is one line alone.
    for listener in &listeners {
        eprintln!("listening on http://{}", listener.local_addr());
    }
    manager.run_until_signal()
}

/// All routes, and a line for each request.
struct Site {
    counters: routes::Counters,
}

impl http::Handler for Site {
    fn request(&mut self, request: http::Request<'_>, reply: http::Reply<'_>) -> Result<(), Error> {
        self.counters.count();
        let peer = request.connection().remote_addr().map(|peer| peer.to_string()).unwrap_or_default();
        eprintln!("{peer} {} {}", request.method(), request.target());
        routes::answer(request, reply, &self.counters)
    }

    fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) {
        if let Event::Error(error) = event {
            let peer = connection.remote_addr().map(|peer| peer.to_string()).unwrap_or_default();
            eprintln!("{peer} {error}");
        }
    }
}
