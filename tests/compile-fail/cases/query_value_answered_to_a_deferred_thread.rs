//! Invariant 3: a variable that needed no decoding is still a view of the receive buffer.

use mongoose::http::{Reply, Request};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let serve = |request: Request<'_>, reply: Reply<'_>| {
        let name = request.query_value("name")?.unwrap_or_default();
        let deferred = reply.defer();
        std::thread::spawn(move || deferred.reply().text(name));
        Ok(())
    };
    manager.http("http://127.0.0.1:0", serve).unwrap();
}
