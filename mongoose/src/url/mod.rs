//! URLs: taken apart, and percent-encoding.

mod parse;
mod percent;

pub use parse::Url;
pub(crate) use percent::into_text;
pub use percent::{decode, decode_form, encode};
