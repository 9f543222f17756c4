//! Replies that come later; requests behind them on the same connection wait.

use std::time::Duration;

use mongoose::Error;
use mongoose::http::{Reply, Request};

use crate::routes::number;

/// From another thread, after a little work there.
pub fn defer(reply: Reply<'_>) -> Result<(), Error> {
    let deferred = reply.defer();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        // The server may have ended meanwhile: then nobody waits.
        let _ = deferred.reply().text("deferred\n");
    });
    Ok(())
}

/// After `?seconds=`, by a timer: no thread waits for it. Past a minute, the engine has answered 504.
pub fn slow(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    let seconds = number(&request, "seconds", 1.0)?;
    let Some(delay) = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) else {
        return reply.status(400).text("\"seconds\" is not a number of seconds\n");
    };
    let deferred = reply.defer();
    let answer = move |_: &mongoose::Registry| {
        let _ = deferred.reply().text(format!("after {} seconds\n", delay.as_secs_f64()));
    };
    request.connection().registry().once(delay, answer)?.detach();
    Ok(())
}
