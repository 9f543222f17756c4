//! Limits may gain fields: change those of the default.

use mongoose::Limits;

fn main() {
    let limits = Limits { head: 1, headers: 1, body: 1, received: 1, output: 1 };
    println!("{limits:?}");
}
