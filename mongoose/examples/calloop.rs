//! A server on the loop of another crate: `cargo run --release --example calloop`.
//!
//! Any loop that waits for descriptors and for time can drive a manager: it polls, without waiting, whenever the manager's
//! descriptor is readable, and when its next deadline is due. Here calloop's timer and the server share a thread.

#[cfg(all(target_os = "linux", not(mongoose_portable)))]
mod server {
    use std::cell::Cell;
    use std::os::fd::AsFd;
    use std::rc::Rc;
    use std::time::Duration;

    use calloop::generic::Generic;
    use calloop::timer::{TimeoutAction, Timer};
    use calloop::{EventLoop, Interest, Mode, PostAction};
    use mongoose::{Error, Manager, http};

    pub fn run(url: &str) -> Result<(), Error> {
        let mut manager = Manager::new()?;
        let ticks = Rc::new(Cell::new(0_u64));
        let counted = Rc::clone(&ticks);
        let listener = manager.http(url, move |_: http::Request<'_>, reply: http::Reply<'_>| {
            reply.text(format!("{} ticks\n", counted.get()))
        })?;
        eprintln!("listening on http://{}", listener.local_addr());

        let mut event_loop = EventLoop::<()>::try_new().map_err(Error::handler)?;
        // Readable when there is something to do; what that is the manager finds by itself.
        let descriptor = manager.as_fd().try_clone_to_owned().map_err(Error::handler)?;
        let readable = Generic::new(descriptor, Interest::READ, Mode::Level);
        let timer = Timer::from_duration(Duration::from_millis(1));
        let handle = event_loop.handle();
        handle
            .insert_source(readable, |_, _, _| Ok(PostAction::Continue))
            .map_err(|error| Error::handler(error.to_string()))?;
        handle
            .insert_source(timer, move |_, _, _| {
                ticks.set(ticks.get() + 1);
                TimeoutAction::ToDuration(Duration::from_millis(1))
            })
            .map_err(|error| Error::handler(error.to_string()))?;
        loop {
            event_loop.dispatch(manager.timeout(), &mut ()).map_err(Error::handler)?;
            manager.poll(Duration::ZERO)?;
        }
    }
}

#[cfg(not(all(target_os = "linux", not(mongoose_portable))))]
mod server {
    /// Elsewhere a manager has no descriptor.
    pub fn run(_: &str) -> Result<(), mongoose::Error> {
        Err(mongoose::Error::handler("it takes epoll"))
    }
}

use std::process::ExitCode;

const HELP: &str = "\
A server on the loop of calloop, which counts milliseconds meanwhile.

Usage: calloop [URL]     where to listen (default http://127.0.0.1:8000)
";

fn main() -> ExitCode {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8000".to_owned());
    if url == "--help" {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match server::run(&url) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("calloop: {error}");
            ExitCode::FAILURE
        }
    }
}
