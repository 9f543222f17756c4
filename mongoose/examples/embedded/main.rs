//! A site in one binary: `cargo run --release --example embedded --features include_dir`.
//!
//! The files of `site/` are part of the program, so that it needs nothing beside itself.

use std::process::ExitCode;

use include_dir::{Dir, include_dir};
use mongoose::http::{Files, Reply, Request};
use mongoose::{Error, Manager};

static SITE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/examples/embedded/site");

const USAGE: &str = "\
Serves the site that is embedded in it.

Usage: embedded [URL]

URL is where to listen, by default http://127.0.0.1:8000. Ctrl-C ends it.
";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).map(|one| one.into_string()).collect();
    let outcome = match &arguments[..] {
        [] => serve("http://127.0.0.1:8000"),
        [Ok(flag)] if flag == "--help" || flag == "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [Ok(url)] => serve(url),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("embedded: {error}");
            ExitCode::from(2)
        }
    }
}

fn serve(url: &str) -> Result<(), Error> {
    let site = Files::embedded(&SITE).not_found_page("404.html").header("Cache-Control", "no-cache")?;
    let mut manager = Manager::new()?;
    let listener = manager.http(url, move |request: Request<'_>, reply: Reply<'_>| match request.path() {
        // What a program knows and a file does not.
        "/version" => reply.json_text(format!("{{\"mongoose\":\"{}\"}}\n", mongoose::MONGOOSE_VERSION)),
        _ => site.serve(&request, reply),
    })?;
    eprintln!("listening on http://{}", listener.local_addr());
    manager.run_until_signal()
}
