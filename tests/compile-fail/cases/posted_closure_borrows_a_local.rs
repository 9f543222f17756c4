//! A posted closure runs when the loop comes to it.

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let greeting = String::from("hello");
    manager.handle().post(|_| println!("{greeting}")).unwrap();
}
