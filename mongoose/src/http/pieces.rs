//! Pieces of the hot path by themselves, for `benches/hot_path.rs` to measure. No part of the interface.

use super::date::DateCache;
use super::reply_head::{Persistence, ReplyHead, TEXT, Transfer};
use crate::Limits;
use crate::gate::http::{Chunked, HeadScan, scratch};

/// What the gate does with a head that comes whole: its length, unless it is refused.
pub fn parse_head(input: &[u8], limits: &Limits) -> Option<usize> {
    HeadScan::default().parse(input, limits, &mut scratch()).ok()?.map(|head| head.len)
}

/// Decodes a chunked body in place: the length of what it decodes to.
pub fn decode_chunked(input: &mut [u8]) -> usize {
    let mut decoder = Chunked::streaming(0);
    decoder.decode(input);
    decoder.body()
}

/// Writes the head of a small reply.
#[derive(Debug)]
pub struct HeadWriter {
    date: DateCache,
}

impl HeadWriter {
    /// With a date that is formatted already.
    #[allow(clippy::new_without_default, reason = "nobody needs it")]
    pub fn new() -> Self {
        Self { date: DateCache::new() }
    }

    /// Appends the head.
    pub fn write(&mut self, out: &mut Vec<u8>) {
        let head = ReplyHead {
            status: 200,
            headers: b"",
            content_type: Some(TEXT),
            transfer: Transfer::Length(13),
            date: Some(self.date.at(0)),
            persistence: Some(Persistence::Implied),
        };
        head.write(out);
    }
}
