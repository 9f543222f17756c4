//! The chunked transfer coding, decoded in place (RFC 9112 section 7.1).

use super::{Refusal, bad_request, is_token};
use crate::Limits;

/// A chunk's size line may be this long, its extensions included.
const LINE_MAX: usize = 4096;

/// A chunk's size has no more digits than that, as many as 64 bits hold: leading zeros would be bytes without an end.
const SIZE_DIGITS_MAX: usize = 16;

/// All extensions may be longer than the body so far by that much. They are ignored, so only a ratio bounds what a peer
/// may have us look at for nothing; some sign each chunk of a body without an end, which is far from it.
const EXTENSIONS_MAX: u64 = 16 << 10;

/// Decodes a body where it lies: data moves to the front, everything else goes. Each byte is looked at once, at
/// whatever places the input is split; extensions are ignored and trailers dropped.
///
/// A body may be decoded whole, or in pieces: what was [taken](Self::take) off the front makes room for more.
#[derive(Debug)]
pub(crate) struct Chunked {
    state: State,
    /// Decoded bytes at the front.
    body: usize,
    /// Decoded bytes, the taken ones included.
    total: u64,
    /// What is left of the chunk, or its size while that is read.
    size: u64,
    /// Bytes of the line that is read, or of all trailers.
    line: usize,
    /// Bytes of all extensions.
    extensions: u64,
    /// Most that may be decoded.
    body_max: u64,
    trailers_max: usize,
}

/// How far the decoding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    More,
    Done,
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the size's first digit.
    SizeStart,
    Size,
    /// White space before an extension or the end of the line.
    SizeEnd,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    LastLf,
    Done,
    Refused(Refusal),
}

impl Chunked {
    /// For a body that is kept until it is whole.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { body_max: limits.body as u64, ..Self::streaming(limits.head) }
    }

    /// For a body of any length, taken in pieces. Trailers may be `trailers_max` bytes long.
    pub(crate) fn streaming(trailers_max: usize) -> Self {
        Self {
            state: State::SizeStart,
            body: 0,
            total: 0,
            size: 0,
            line: 0,
            extensions: 0,
            body_max: u64::MAX,
            trailers_max,
        }
    }

    /// Decoded bytes at the front of the input. Behind them nothing is left, unless the body is over.
    pub(crate) fn body(&self) -> usize {
        self.body
    }

    /// Notes that the first `count` decoded bytes were taken off the front of the input.
    pub(crate) fn take(&mut self, count: usize) {
        self.body -= count;
    }

    pub(crate) fn progress(&self) -> Progress {
        match self.state {
            State::Done => Progress::Done,
            State::Refused(refusal) => Progress::Refused(refusal),
            _ => Progress::More,
        }
    }

    /// Decodes what came behind the [`body`](Self::body) decoded before, and answers how many bytes the input has now:
    /// the decoded ones, then what follows the message.
    pub(crate) fn decode(&mut self, input: &mut [u8]) -> usize {
        let mut read = self.body;
        while read < input.len() {
            match self.state {
                State::Done | State::Refused(_) => break,
                State::Data => {
                    let waiting = input.len() - read;
                    let count = usize::try_from(self.size).map_or(waiting, |size| size.min(waiting));
                    if read > self.body {
                        input.copy_within(read..read + count, self.body);
                    }
                    read += count;
                    self.body += count;
                    self.total += count as u64;
                    self.size -= count as u64;
                    if self.size == 0 {
                        self.state = State::DataCr;
                    }
                }
                _ => {
                    self.state = self.step(input[read]).unwrap_or_else(State::Refused);
                    read += 1;
                }
            }
        }
        input.copy_within(read.., self.body);
        self.body + (input.len() - read)
    }

    fn step(&mut self, byte: u8) -> Result<State, Refusal> {
        self.line += 1;
        Ok(match (self.state, byte) {
            (State::SizeStart | State::Size, _) if byte.is_ascii_hexdigit() => {
                if self.line > SIZE_DIGITS_MAX {
                    return Err(bad_request("a chunk size past 16 digits"));
                }
                let digit = (byte as char).to_digit(16).unwrap_or_default();
                self.size = self.size << 4 | u64::from(digit);
                State::Size
            }
            (State::Size | State::SizeEnd, b' ' | b'\t') => self.extend(State::SizeEnd)?,
            (State::Size | State::SizeEnd, b';') => self.check_line(State::Extension)?,
            (State::Size | State::SizeEnd | State::Extension, b'\r') => State::SizeLf,
            (State::Extension, _) if is_text(byte) => self.extend(State::Extension)?,
            (State::SizeLf, b'\n') => self.begin_chunk()?,
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => {
                self.line = 0;
                State::SizeStart
            }
            (State::TrailerStart, b'\r') => State::LastLf,
            (State::TrailerStart | State::TrailerName, _) if is_token(byte) => {
                self.check_trailer(State::TrailerName)?
            }
            (State::TrailerName, b':') => self.check_trailer(State::TrailerValue)?,
            (State::TrailerValue, b'\r') => State::TrailerLf,
            (State::TrailerValue, _) if is_text(byte) => self.check_trailer(State::TrailerValue)?,
            (State::TrailerLf, b'\n') => State::TrailerStart,
            (State::LastLf, b'\n') => State::Done,
            (State::SizeStart | State::Size | State::SizeEnd, _) => {
                return Err(bad_request("a malformed chunk size"));
            }
            (State::TrailerStart | State::TrailerName, _) => return Err(bad_request("a malformed trailer")),
            (State::DataCr | State::DataLf, _) => return Err(bad_request("a chunk longer than its size")),
            _ => return Err(bad_request("a bare CR or LF in the chunked coding")),
        })
    }

    fn begin_chunk(&mut self) -> Result<State, Refusal> {
        self.line = 0;
        if self.size == 0 {
            return Ok(State::TrailerStart);
        }
        match self.total.checked_add(self.size) {
            Some(total) if total <= self.body_max => Ok(State::Data),
            _ => Err(Refusal::new(413, "a body past the limit")),
        }
    }

    fn extend(&mut self, next: State) -> Result<State, Refusal> {
        self.extensions += 1;
        if self.extensions > self.total.saturating_add(EXTENSIONS_MAX) {
            return Err(bad_request("chunk extensions longer than the body"));
        }
        self.check_line(next)
    }

    fn check_line(&self, next: State) -> Result<State, Refusal> {
        if self.line <= LINE_MAX {
            Ok(next)
        } else {
            Err(bad_request("a chunk's size line past 4,096 bytes"))
        }
    }

    fn check_trailer(&self, next: State) -> Result<State, Refusal> {
        if self.line <= self.trailers_max {
            Ok(next)
        } else {
            Err(Refusal::new(431, "trailers past the limit"))
        }
    }
}

/// What a header's value may have: visible, blank, or beyond ASCII.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes in pieces that end at `splits`, as the engine does: compacting between.
    fn decode(text: &[u8], splits: &[usize]) -> (Vec<u8>, Progress, Vec<u8>) {
        let limits = Limits { body: 1000, head: 100, ..Limits::default() };
        let mut chunked = Chunked::new(&limits);
        let mut input = Vec::new();
        let mut from = 0;
        for &to in splits.iter().chain([&text.len()]) {
            input.extend_from_slice(&text[from..to]);
            from = to;
            let left = chunked.decode(&mut input);
            input.truncate(left);
        }
        let rest = input.split_off(chunked.body());
        (input, chunked.progress(), rest)
    }

    /// Decodes in pieces of `size` bytes, and takes up to `most` decoded bytes after each, as a reader at its own pace.
    fn stream(text: &[u8], size: usize, most: usize) -> (Vec<u8>, Progress, Vec<u8>) {
        let mut chunked = Chunked { body_max: 1000, ..Chunked::streaming(100) };
        let (mut input, mut taken) = (Vec::new(), Vec::new());
        for piece in text.chunks(size) {
            input.extend_from_slice(piece);
            let left = chunked.decode(&mut input);
            input.truncate(left);
            let count = chunked.body().min(most);
            taken.extend(input.drain(..count));
            chunked.take(count);
        }
        let rest = input.split_off(chunked.body());
        taken.append(&mut input);
        (taken, chunked.progress(), rest)
    }

    fn every_split(text: &[u8]) -> (Vec<u8>, Progress, Vec<u8>) {
        let whole = decode(text, &[]);
        for split in 0..text.len() {
            assert_eq!(decode(text, &[split]), whole, "split at {split}");
        }
        let bytes: Vec<_> = (0..text.len()).collect();
        assert_eq!(decode(text, &bytes), whole, "byte by byte");
        for (size, most) in [(1, 1), (1, 100), (2, 1), (3, 2), (7, 100), (1000, 1)] {
            assert_eq!(stream(text, size, most), whole, "taken up to {most} after each {size}");
        }
        whole
    }

    #[test]
    fn hazard_19_any_split_at_any_byte() {
        let text =
            b"5\r\nhello\r\n0006 ; name=\"va\tlue\";x\r\n world\r\n0\r\nTrailer: x\r\nB:\r\n\r\nGET /next";
        assert_eq!(every_split(text), (b"hello world".to_vec(), Progress::Done, b"GET /next".to_vec()));
        assert_eq!(every_split(b"0\r\n\r\n"), (vec![], Progress::Done, vec![]));
        assert_eq!(
            every_split(b"A\r\n0123456789\r\na\r\n0123456789\r\n0"),
            (b"01234567890123456789".to_vec(), Progress::More, vec![])
        );
    }

    #[test]
    fn refuses_what_is_malformed() {
        for (text, status) in [
            ("\r\n", 400),
            ("x\r\n", 400),
            (" 5\r\n", 400),
            ("-5\r\n", 400),
            ("0x5\r\n", 400),
            ("5\nhello\r\n", 400),
            ("5\rhello", 400),
            ("5\r\nhello!\r\n", 400),
            ("5\r\nhello\n", 400),
            ("5\r\nhello\r\r\n", 400),
            ("5;a\nb\r\n", 400),
            ("5;a\0\r\n", 400),
            ("5 5\r\n", 400),
            ("10000000000000000\r\n", 400),
            ("ffffffffffffffffffff\r\n", 400),
            ("00000000000000001\r\n", 400),
            ("fffffffffffffffe\r\n", 413),
            ("3e9\r\n", 413),
            ("0\r\nno colon\r\n", 400),
            ("0\r\n: x\r\n", 400),
            ("0\r\n folded\r\n", 400),
            ("0\r\nA: b\nC: d\r\n\r\n", 400),
            ("0\r\n\rx", 400),
        ] {
            match every_split(text.as_bytes()).1 {
                Progress::Refused(refusal) => assert_eq!(refusal.status, status, "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
        let long = format!("5;{}", "x".repeat(5000));
        assert!(matches!(decode(long.as_bytes(), &[]).1, Progress::Refused(Refusal { status: 400, .. })));
        let all = format!("1;{}\r\nx\r\n", "e".repeat(4000)).repeat(5);
        assert!(matches!(decode(all.as_bytes(), &[]).1, Progress::Refused(Refusal { status: 400, .. })));
        let trailers = format!("0\r\n{}", "A: b\r\n".repeat(50));
        assert!(matches!(decode(trailers.as_bytes(), &[]).1, Progress::Refused(Refusal { status: 431, .. })));
    }

    #[test]
    fn coding_overhead_takes_no_memory() {
        let text = "0000000000000001;extension\r\nx\r\n".repeat(900) + "0\r\n\r\n";
        let limits = Limits { body: 1000, ..Limits::default() };
        let mut chunked = Chunked::new(&limits);
        let mut input = Vec::new();
        for piece in text.as_bytes().chunks(1000) {
            input.extend_from_slice(piece);
            let left = chunked.decode(&mut input);
            input.truncate(left);
            assert!(input.len() <= 1000);
        }
        assert_eq!((chunked.progress(), chunked.body()), (Progress::Done, 900));
    }

    #[test]
    fn a_streamed_body_has_no_end_and_its_extensions_may_grow_with_it() {
        let chunk = [&b"400;signature="[..], &[b'f'; 64], b"\r\n", &[b'x'; 0x400], b"\r\n"].concat();
        let mut chunked = Chunked::streaming(100);
        for round in 1..=1000 {
            let mut input = chunk.clone();
            assert_eq!(chunked.decode(&mut input), 0x400, "round {round}: {:?}", chunked.progress());
            chunked.take(0x400);
        }
        assert_eq!((chunked.progress(), chunked.total), (Progress::More, 0x400 * 1000));
    }

    #[test]
    fn a_size_that_only_64_bits_hold_is_one_of_a_streamed_body() {
        let mut chunked = Chunked::streaming(100);
        let mut input = *b"fffffffffffffffe\r\nxy";
        assert_eq!(chunked.decode(&mut input), 2);
        assert_eq!((chunked.progress(), chunked.body()), (Progress::More, 2));
    }
}
