//! A posted closure goes to the loop's thread.

use std::rc::Rc;

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let greeting = Rc::new("hello");
    manager.handle().post(move |_| println!("{greeting}")).unwrap();
}
