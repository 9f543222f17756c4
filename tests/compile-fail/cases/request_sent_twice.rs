//! Sending takes the request.

use mongoose::Error;
use mongoose::http::{Client, Response};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let client = Client::new(&manager);
    let request = client.get("http://127.0.0.1:1/");
    request.send(|_: Result<Response<'_>, Error>| ()).unwrap();
    request.send(|_: Result<Response<'_>, Error>| ()).unwrap();
}
