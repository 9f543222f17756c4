//! What goes to another thread, for the cases: `Send`, without the compiler's account of why something is not. That names
//! our own insides, and quotes the standard library where its source is installed.

#[diagnostic::on_unimplemented(message = "`{Self}` is not `Send`")]
pub trait Crosses {}

#[diagnostic::do_not_recommend]
impl<T: Send> Crosses for T {}

/// As a thread takes what its closure holds; it shares what is borrowed.
pub fn crossing<T: Crosses>(value: T) -> T {
    value
}
