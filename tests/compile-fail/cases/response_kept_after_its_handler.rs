//! Invariant 3: a response lives as long as its handler runs.

use std::cell::RefCell;
use std::rc::Rc;

use mongoose::Error;
use mongoose::http::{Client, Response};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let client = Client::new(&manager);
    let kept = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&kept);
    let handler = move |result: Result<Response<'_>, Error>| {
        *slot.borrow_mut() = result.ok();
    };
    client.get("http://127.0.0.1:1/").send(handler).unwrap();
    drop(manager);
    println!("{:?}", kept.borrow());
}
