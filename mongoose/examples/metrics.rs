//! A server that is watched: `cargo run --release --features metrics --example metrics`, then
//! `curl http://127.0.0.1:8000/metrics` for what Prometheus would see.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit, counter};
use mongoose::metrics::Metrics;
use mongoose::{Error, Manager, http};

const HELP: &str = "\
A server that is watched: what it counts is at /metrics, in the text form of Prometheus.

Usage: metrics [URL]     where to listen (default http://127.0.0.1:8000)
";

/// Keeps what is recorded. A program with more to say takes an exporter from the registry.
#[derive(Clone, Default)]
struct Board(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    about: BTreeMap<String, (&'static str, SharedString)>,
    values: BTreeMap<(String, String), (&'static str, Arc<AtomicU64>)>,
}

impl Board {
    fn with<T>(&self, call: impl FnOnce(&mut Kept) -> T) -> T {
        call(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn value(&self, kind: &'static str, key: &Key) -> Arc<AtomicU64> {
        let quote = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let labels = key.labels().map(|label| format!("{}=\"{}\"", label.key(), quote(label.value())));
        let labels = labels.collect::<Vec<_>>().join(",");
        self.with(|kept| {
            let place = kept.values.entry((key.name().to_owned(), labels));
            Arc::clone(&place.or_insert_with(|| (kind, Arc::default())).1)
        })
    }

    /// All of it, in Prometheus's text form.
    fn text(&self) -> String {
        self.with(|kept| {
            let (mut text, mut last) = (String::new(), "");
            for ((name, labels), (kind, value)) in &kept.values {
                if name != last {
                    if let Some((_, about)) = kept.about.get(name) {
                        let _ = writeln!(text, "# HELP {name} {about}");
                    }
                    let _ = writeln!(text, "# TYPE {name} {kind}");
                    last = name;
                }
                let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
                let bits = value.load(Ordering::Relaxed);
                let _ = match *kind {
                    "gauge" => writeln!(text, "{name}{labels} {}", f64::from_bits(bits)),
                    _ => writeln!(text, "{name}{labels} {bits}"),
                };
            }
            text
        })
    }
}

impl Recorder for Board {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, about: SharedString) {
        self.with(|kept| kept.about.insert(name.as_str().to_owned(), ("counter", about)));
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, about: SharedString) {
        self.with(|kept| kept.about.insert(name.as_str().to_owned(), ("gauge", about)));
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.value("counter", key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.value("gauge", key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn run(url: &str) -> Result<(), Error> {
    let board = Board::default();
    metrics::set_global_recorder(board.clone()).map_err(|error| Error::handler(error.to_string()))?;
    let mut manager = Manager::new()?;
    let metrics = Metrics::new(&[("manager", "main")]);
    let greetings = counter!("greetings_total");
    let listener = manager.http(url, move |request: http::Request<'_>, reply: http::Reply<'_>| {
        match request.path() {
            "/metrics" => {
                // Now: what is read is never old.
                metrics.update(request.connection().registry());
                reply.header("Content-Type", "text/plain; version=0.0.4").body(board.text())
            }
            "/hello" => {
                greetings.increment(1);
                reply.text("hello\n")
            }
            _ => reply.status(404).text("/hello, /metrics\n"),
        }
    })?;
    eprintln!("listening on http://{}", listener.local_addr());
    manager.run_until_signal()
}

fn main() -> ExitCode {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8000".to_owned());
    if url == "--help" {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&url) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("metrics: {error}");
            ExitCode::FAILURE
        }
    }
}
