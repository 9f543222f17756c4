//! The handler of a request may be called long after the call that sent it.

use mongoose::Error;
use mongoose::http::{Client, Response};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let client = Client::new(&manager);
    let mut answered = false;
    client.get("http://127.0.0.1:1/").send(|_: Result<Response<'_>, Error>| answered = true).unwrap();
    println!("{answered}");
}
