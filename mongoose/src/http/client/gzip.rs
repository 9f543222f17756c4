//! Decoding bodies that came compressed because we asked for that (RFC 9110 section 8.4.1.3, RFC 1952).

use std::fmt;

/// How much of a compressed body is decoded at a time: it may become a thousand times as large.
pub(super) const STEP: usize = 512;

/// What is wrong with a body that is not what it says.
#[cfg(feature = "gzip")]
const MALFORMED: &str = "a malformed gzip body";

/// A body that is being decoded.
pub(super) struct Gunzip {
    decoder: Decoder,
    empty: bool,
}

#[cfg(feature = "gzip")]
type Decoder = flate2::write::MultiGzDecoder<Vec<u8>>;

/// Without the feature nobody asks, so there is none.
#[cfg(not(feature = "gzip"))]
type Decoder = std::convert::Infallible;

#[cfg(feature = "gzip")]
impl Gunzip {
    /// Of a response whose `Content-Encoding` is that value. `None`: there is nothing to decode.
    pub(super) fn of(encoding: &[u8]) -> Option<Self> {
        let is_gzip = ["gzip", "x-gzip"].iter().any(|name| encoding.eq_ignore_ascii_case(name.as_bytes()));
        is_gzip.then(|| Self { decoder: Decoder::new(Vec::new()), empty: true })
    }

    /// Decodes the next part, no longer than [`STEP`], and answers what it gives.
    pub(super) fn decode(&mut self, part: &[u8]) -> Result<Vec<u8>, &'static str> {
        use std::io::Write;
        self.empty &= part.is_empty();
        self.decoder.write_all(part).map_err(|_| MALFORMED)?;
        Ok(std::mem::take(self.decoder.get_mut()))
    }

    /// What is left at the end, where that is one.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, &'static str> {
        if self.empty {
            return Ok(Vec::new());
        }
        self.decoder.try_finish().map_err(|_| MALFORMED)?;
        Ok(std::mem::take(self.decoder.get_mut()))
    }
}

#[cfg(not(feature = "gzip"))]
impl Gunzip {
    pub(super) fn of(_: &[u8]) -> Option<Self> {
        None
    }

    pub(super) fn decode(&mut self, _: &[u8]) -> Result<Vec<u8>, &'static str> {
        match self.decoder {}
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, &'static str> {
        match self.decoder {}
    }
}

impl Gunzip {
    /// Decodes a whole body, up to a limit.
    pub(super) fn whole(mut self, body: &[u8], limit: usize) -> Result<Vec<u8>, &'static str> {
        let mut decoded = Vec::new();
        for part in body.chunks(STEP) {
            decoded.append(&mut self.decode(part)?);
            if decoded.len() > limit {
                return Err(super::receiving::BODY_TOO_LARGE);
            }
        }
        decoded.append(&mut self.finish()?);
        if decoded.len() > limit { Err(super::receiving::BODY_TOO_LARGE) } else { Ok(decoded) }
    }
}

impl fmt::Debug for Gunzip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gunzip").field("empty", &self.empty).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "gzip"))]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("to memory");
        encoder.finish().expect("to memory")
    }

    fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
        Gunzip::of(b"GZip").expect("it is one").whole(bytes, 10_000_000)
    }

    #[test]
    fn decodes_what_was_encoded_in_one_member_or_several() {
        let text: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        assert!(gunzip(&gzip(&text)).expect("valid") == text);
        assert_eq!(gunzip(&[gzip(b"one, "), gzip(b"two")].concat()), Ok(b"one, two".to_vec()));
        assert_eq!(gunzip(&gzip(b"")), Ok(Vec::new()));
        assert_eq!(gunzip(b""), Ok(Vec::new()), "a body of nothing, as for HEAD");
        for other in [&b""[..], b"identity", b"br", b"gzip, gzip", b"deflate"] {
            assert!(Gunzip::of(other).is_none());
        }
    }

    #[test]
    fn what_is_cut_or_changed_is_an_error() {
        let whole = gzip(b"a text that is long enough to be cut and changed in many places");
        for len in 1..whole.len() {
            assert_eq!(gunzip(&whole[..len]), Err(MALFORMED), "{len} of {}", whole.len());
        }
        // The flags, times and system in the head do not matter.
        for at in (0..3).chain(10..whole.len()) {
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            assert_eq!(gunzip(&changed), Err(MALFORMED), "byte {at} of {}", whole.len());
        }
        assert_eq!(gunzip(&[&*whole, b"behind"].concat()), Err(MALFORMED));
        assert_eq!(gunzip(b"not compressed at all"), Err(MALFORMED));
    }

    #[test]
    fn a_bomb_is_refused_when_it_reaches_the_limit() {
        let bomb = gzip(&vec![0; 50_000_000]);
        assert!(bomb.len() < 100_000);
        assert_eq!(gunzip(&bomb), Err(crate::http::client::receiving::BODY_TOO_LARGE));
        let mut decoder = Gunzip::of(b"gzip").expect("it is one");
        for part in bomb.chunks(STEP) {
            assert!(decoder.decode(part).expect("valid").len() <= 1100 * STEP);
        }
    }
}
