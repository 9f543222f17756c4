//! A small curl that shows the client: `cargo run --release --example http_client -- URL`.

mod options;
mod output;
mod progress;
mod secure;

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use mongoose::http::{Client, Download, RequestBuilder, Response};
use mongoose::{Connection, Error, Manager};
use options::{Body, Command, Options};
use output::Output;
use progress::Progress;

fn main() -> ExitCode {
    let options = match options::parse(std::env::args_os().skip(1)) {
        Ok(Command::Ask(options)) => options,
        Ok(Command::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("http_client: {problem} (--help says more)");
            return ExitCode::from(2);
        }
    };
    match ask(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) if problem.contains(&options.url) => {
            eprintln!("http_client: {problem}");
            ExitCode::FAILURE
        }
        Err(problem) => {
            eprintln!("http_client: {}: {problem}", options.url);
            ExitCode::FAILURE
        }
    }
}

fn ask(options: &Options) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    let mut manager = Manager::new().map_err(text)?;
    let client = secure::secure(Client::new(&manager), options)?;
    let state = Rc::new(RefCell::new(State {
        output: Output::open(options.output.as_deref()).map_err(|error| format!("cannot write: {error}"))?,
        progress: Progress::new(options.output.is_some()),
        outcome: None,
    }));
    let printer = Printer { state: Rc::clone(&state), with_head: options.with_head };
    compose(&client, options)?.receive(printer).map_err(text)?;
    let watcher = Rc::clone(&state);
    let timer = manager.every(Duration::from_millis(200), move |_| watcher.borrow_mut().progress.show());
    let _timer = timer.map_err(text)?;
    loop {
        let outcome = state.borrow_mut().outcome.take();
        if let Some(outcome) = outcome {
            state.borrow_mut().progress.clear();
            return outcome;
        }
        manager.poll(None).map_err(text)?;
    }
}

fn compose(client: &Client, options: &Options) -> Result<RequestBuilder<Client>, String> {
    let default = if options.body.is_some() { "POST" } else { "GET" };
    let mut request = client.request(options.method.as_deref().unwrap_or(default), &options.url).close();
    for (name, value) in &options.headers {
        request = request.header(name, value);
    }
    request = match &options.body {
        None => request,
        Some(Body::Text(text)) => request.body(text.clone()),
        Some(Body::Stdin) => request.reader(io::stdin()),
        Some(Body::File(path)) => {
            let failed = |error| format!("cannot read {}: {error}", path.display());
            let mut file = File::open(path).map_err(failed)?;
            let length = file.seek(SeekFrom::End(0)).and_then(|length| file.rewind().map(|()| length));
            match length {
                Ok(length) => request.reader(file).length(length),
                // A pipe, perhaps: its end shows when it is there.
                Err(_) => request.reader(file),
            }
        }
    };
    if let Some(time) = options.max_time {
        request = request.timeout(time);
    }
    Ok(request.redirects(if options.follow { 10 } else { 0 }))
}

struct State {
    output: Output,
    progress: Progress,
    /// What it comes to, or what went wrong.
    outcome: Option<Result<(), String>>,
}

/// Prints a response as it comes.
struct Printer {
    state: Rc<RefCell<State>>,
    with_head: bool,
}

impl Download for Printer {
    fn head(&mut self, response: Response<'_>) -> Result<(), Error> {
        if !response.is_success() {
            let answer = format!("{} {}", response.status(), response.reason());
            return Err(Error::handler(format!("the answer is {}", answer.trim_end())));
        }
        let mut state = self.state.borrow_mut();
        let length = response.header("Content-Length").and_then(|length| length.to_str().ok());
        state.progress.expect(length.and_then(|length| length.parse().ok()));
        if self.with_head {
            state.output.write(response.head()).map_err(cannot_write)?;
        }
        Ok(())
    }

    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        let mut state = self.state.borrow_mut();
        state.progress.add(piece.len());
        // It may wait for whoever reads: so does the server then.
        state.output.write(piece).map_err(cannot_write)
    }

    fn end(&mut self, _: &Connection<'_>) {
        let mut state = self.state.borrow_mut();
        let outcome = state.output.finish().map_err(|error| format!("cannot write: {error}"));
        state.outcome = Some(outcome);
    }

    fn failed(&mut self, error: &Error) {
        self.state.borrow_mut().outcome = Some(Err(error.to_string()));
    }
}

fn cannot_write(error: io::Error) -> Error {
    Error::handler(format!("cannot write: {error}"))
}
