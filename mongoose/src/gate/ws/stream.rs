//! A stream of bytes out of binary frames, in place: for protocols that do not care where a frame ends.
//!
//! The payloads gather at the front of what has come, and nothing else stays of it: what is known of a head, or of a
//! control frame, is kept here. So the cost is linear however a peer cuts its frames, and no frame is too large.

use super::{FrameHead, HEAD_MAX, Opcode, Role, Violation, mask, parse_close};

/// Takes the frames off.
#[derive(Debug)]
pub(crate) struct StreamDecoder {
    role: Role,
    /// A message has begun and not ended.
    inside: bool,
    /// What has come of the head.
    head: Vec<u8>,
    /// The frame whose payload is not all there.
    frame: Option<OpenFrame>,
    /// What has come of the payload of a control frame.
    control: Vec<u8>,
    /// The last ping that is to be answered: an answer to it is one to those before (RFC 6455 section 5.5.3).
    ping: Option<Vec<u8>>,
    end: Option<StreamEnd>,
}

#[derive(Debug)]
struct OpenFrame {
    opcode: Opcode,
    mask: Option<[u8; 4]>,
    /// Bytes of the payload that have come,
    offset: u64,
    /// and that are to come.
    left: u64,
}

/// Why nothing follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The peer closes.
    Close,
    Broken(Violation),
}

impl StreamDecoder {
    /// `role` is ours: it receives what the other sends.
    pub(crate) fn new(role: Role) -> Self {
        let (head, control) = (Vec::new(), Vec::new());
        Self { role, inside: false, head, frame: None, control, ping: None, end: None }
    }

    /// The payload of a ping that was not answered.
    pub(crate) fn take_ping(&mut self) -> Option<Vec<u8>> {
        self.ping.take()
    }

    /// Why nothing follows, where that is so.
    pub(crate) fn end(&self) -> Option<StreamEnd> {
        self.end
    }

    /// Whether a frame or a message has begun and not ended.
    pub(crate) fn is_inside(&self) -> bool {
        self.inside || self.frame.is_some() || !self.head.is_empty()
    }

    /// Leaves the payloads of binary frames at the front of what has come, and answers how many bytes they are.
    pub(crate) fn decode(&mut self, input: &mut [u8]) -> usize {
        let (mut at, mut out) = (0, 0);
        while self.end.is_none() && (at < input.len() || self.is_complete()) {
            if let Err(violation) = self.step(input, &mut at, &mut out) {
                self.end = Some(StreamEnd::Broken(violation));
            }
        }
        out
    }

    /// Whether a frame is all there, which an empty one is with its head.
    fn is_complete(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| frame.left == 0)
    }

    /// Takes a head, or what has come of a payload.
    fn step(&mut self, input: &mut [u8], at: &mut usize, out: &mut usize) -> Result<(), Violation> {
        let Some(frame) = &mut self.frame else { return self.begin(input, at) };
        let count = usize::try_from(frame.left).unwrap_or(usize::MAX).min(input.len() - *at);
        let is_control = frame.opcode.is_control();
        let payload = if is_control {
            let before = self.control.len();
            self.control.extend_from_slice(&input[*at..*at + count]);
            &mut self.control[before..]
        } else {
            input.copy_within(*at..*at + count, *out);
            *out += count;
            &mut input[*out - count..*out]
        };
        if let Some(key) = frame.mask {
            mask(payload, key, frame.offset);
        }
        *at += count;
        frame.offset += count as u64;
        frame.left -= count as u64;
        if frame.left > 0 {
            return Ok(());
        }
        let opcode = frame.opcode;
        self.frame = None;
        if is_control { self.control(opcode) } else { Ok(()) }
    }

    fn begin(&mut self, input: &[u8], at: &mut usize) -> Result<(), Violation> {
        let before = self.head.len();
        let rest = &input[*at..];
        self.head.extend_from_slice(&rest[..rest.len().min(HEAD_MAX - before)]);
        let Some(head) = FrameHead::parse(&self.head, self.role)? else {
            // A head that is not all there is all that was left.
            *at = input.len();
            return Ok(());
        };
        self.head.clear();
        *at += head.len - before;
        match head.opcode {
            Opcode::Text => {
                return Err(Violation { code: 1003, reason: "text, where binary frames are spoken" });
            }
            Opcode::Binary if self.inside => {
                return Err(Violation::protocol("a message begins inside another"));
            }
            Opcode::Continuation if !self.inside => {
                return Err(Violation::protocol("a continuation of no message"));
            }
            Opcode::Binary | Opcode::Continuation => self.inside = !head.fin,
            Opcode::Close | Opcode::Ping | Opcode::Pong => {}
        }
        self.frame = Some(OpenFrame { opcode: head.opcode, mask: head.mask, offset: 0, left: head.payload });
        Ok(())
    }

    /// Looks at a control frame that is all there.
    fn control(&mut self, opcode: Opcode) -> Result<(), Violation> {
        let payload = std::mem::take(&mut self.control);
        match opcode {
            Opcode::Close => {
                parse_close(&payload)?;
                self.end = Some(StreamEnd::Close);
            }
            Opcode::Ping => self.ping = Some(payload),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [1, 2, 3, 4];

    fn frame(opcode: Opcode, fin: bool, payload: &[u8]) -> Vec<u8> {
        let head = FrameHead::new(opcode, fin, payload.len(), Some(KEY));
        let mut bytes = head.encode()[..head.len].to_vec();
        bytes.extend_from_slice(payload);
        mask(&mut bytes[head.len..], KEY, 0);
        bytes
    }

    /// What comes out where the input comes in pieces of so many bytes.
    fn decode(input: &[u8], piece: usize) -> (Vec<u8>, StreamDecoder) {
        let mut decoder = StreamDecoder::new(Role::Server);
        let mut all = Vec::new();
        for piece in input.chunks(piece) {
            let mut piece = piece.to_vec();
            let count = decoder.decode(&mut piece);
            all.extend_from_slice(&piece[..count]);
        }
        (all, decoder)
    }

    #[test]
    fn mqtt_6_0_0_2_bytes_come_out_the_same_however_they_are_framed_and_split() {
        let large: Vec<u8> = (0..70_000).map(|n| n as u8).collect();
        let input = [
            frame(Opcode::Binary, true, b"one"),
            frame(Opcode::Binary, false, b" two"),
            frame(Opcode::Ping, true, b"there?"),
            frame(Opcode::Continuation, false, b""),
            frame(Opcode::Continuation, true, b" three "),
            frame(Opcode::Pong, true, b""),
            frame(Opcode::Binary, true, b""),
            frame(Opcode::Binary, true, &large),
            frame(Opcode::Ping, true, b"still?"),
        ]
        .concat();
        let expected = [b"one two three ", &*large].concat();
        for piece in [1, 2, 3, 5, 7, 13, 14, 15, 100, 65_536, input.len()] {
            let (all, mut decoder) = decode(&input, piece);
            assert!(all == expected, "in pieces of {piece}");
            assert_eq!(decoder.take_ping().as_deref(), Some(&b"still?"[..]), "in pieces of {piece}");
            assert_eq!((decoder.end(), decoder.is_inside()), (None, false));
        }
    }

    #[test]
    fn what_is_against_the_rules_ends_the_stream_and_not_what_came_before() {
        let close = |payload: &[u8]| frame(Opcode::Close, true, payload);
        let unmasked = vec![0x82, 1, b'x'];
        for (last, code) in [
            (frame(Opcode::Text, true, b"text"), Some(1003)),
            (frame(Opcode::Continuation, true, b"x"), Some(1002)),
            ([frame(Opcode::Binary, false, b""), frame(Opcode::Binary, true, b"x")].concat(), Some(1002)),
            (unmasked, Some(1002)),
            (vec![0xc2, 0x81], Some(1002)),
            (close(b"\x03"), Some(1002)),
            (close(b"\x03\xe8bye"), None),
            (close(b""), None),
        ] {
            let input = [frame(Opcode::Binary, true, b"before"), last, vec![0; 100]].concat();
            for piece in [1, 2, 3, 1000] {
                let (all, decoder) = decode(&input, piece);
                assert_eq!(all, b"before");
                match decoder.end().expect("the end") {
                    StreamEnd::Close => assert_eq!(code, None),
                    StreamEnd::Broken(violation) => assert_eq!(Some(violation.code), code, "{violation:?}"),
                }
            }
        }
    }
}
