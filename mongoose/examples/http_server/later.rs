//! Replies that come later; requests behind them on the same connection wait.

use std::thread;
use std::time::Duration;

use mongoose::Error;
use mongoose::http::{Reply, Request};

use crate::routes::number;

const LONGEST: Duration = Duration::from_secs(60);

/// From another thread, after a little work there.
pub fn defer(reply: Reply<'_>) -> Result<(), Error> {
    let deferred = reply.defer();
    let work = move || {
        thread::sleep(Duration::from_millis(100));
        // The server may have ended meanwhile: then nobody waits.
        let _ = deferred.reply().text("deferred\n");
    };
    // Where the system has no more threads, the reply is dropped, which answers 500.
    thread::Builder::new().spawn(work).map(drop).map_err(Error::handler)
}

/// After `?seconds=`, by a timer: no thread waits for it.
pub fn slow(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    let seconds = number(&request, "seconds", 1.0)?;
    let delay = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    // Later, the engine would have answered 504, and the timer would wait for nobody.
    let Some(delay) = delay.filter(|&delay| delay <= LONGEST) else {
        return reply.status(400).text("\"seconds\" is not a number up to 60\n");
    };
    let deferred = reply.defer();
    let answer = move |_: &mongoose::Registry| {
        let _ = deferred.reply().text(format!("after {} seconds\n", delay.as_secs_f64()));
    };
    request.connection().registry().once(delay, answer)?.detach();
    Ok(())
}
