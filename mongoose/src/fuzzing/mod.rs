//! What has to hold of the private parsers whatever they are fed, for `tests/fuzz`. No part of the interface.
//!
//! Each function takes any bytes and panics where the parser is wrong. The first bytes [choose](choices) limits, and where
//! the rest is [cut](pieces): a verdict must not depend on that.

mod http;
mod names;
mod websocket;

#[cfg(feature = "cookies")]
pub use http::cookies;
pub use http::{chunked, file_path, range, redirect, request_head, response_head};
pub use names::{dns, sntp};
pub use websocket::{frames, handshake, stream};

/// Takes bytes off the front that choose what is done with the rest; 0 where there are none.
pub fn choices<const N: usize>(bytes: &[u8]) -> ([u8; N], &[u8]) {
    match bytes.split_first_chunk() {
        Some((choices, rest)) => (*choices, rest),
        None => ([0; N], &[]),
    }
}

/// Cuts bytes, at places that follow from a number; between any two of them for 0.
pub fn pieces(mut bytes: &[u8], cuts: u8) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut state = u32::from(cuts);
    while !bytes.is_empty() {
        let mut size = 1;
        if cuts > 0 {
            // As good as any other sequence, and short.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            size += (state >> 24) as usize % (2 << (cuts % 8));
        }
        let (piece, rest) = bytes.split_at(size.min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// Whether a part lies within the whole.
fn lies_in(part: &[u8], whole: &[u8]) -> bool {
    let (part, whole) = (part.as_ptr_range(), whole.as_ptr_range());
    whole.start <= part.start && part.end <= whole.end
}
