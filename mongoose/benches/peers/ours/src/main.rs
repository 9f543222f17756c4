//! The mongoose crate, as a peer of the bench: `peer-ours PORT [--workers N]`, or `peer-ours messages THREADS POSTS`.

mod messages;
mod site;

use mongoose::{Manager, Workers};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["messages", threads, posts] => Ok(messages::run(threads.parse()?, posts.parse()?)?),
        [port] => serve(port),
        [port, "--workers", number] => serve_by_workers(port, number.parse()?),
        _ => Err("usage: peer-ours PORT [--workers N] | messages THREADS POSTS".into()),
    }
}

fn serve(port: &str) -> Outcome {
    let mut manager = Manager::new()?;
    manager.http(&format!("http://127.0.0.1:{port}"), site::handler())?;
    Ok(manager.run()?)
}

fn serve_by_workers(port: &str, number: usize) -> Outcome {
    let url = format!("http://127.0.0.1:{port}");
    let workers =
        Workers::builder(number).start(move |_, registry| registry.http(&url, site::handler()).map(drop))?;
    Ok(workers.join()?)
}
