//! Messages made of frames, in place (RFC 6455 sections 5.4 to 5.6).
//!
//! The bytes of a message gather behind each other where its first payload lies: what came in one frame is not moved at
//! all, what came in several is moved once, and what lies between (heads, control frames) closes up when all that has
//! come is looked at. So the cost is linear however a peer cuts its frames, and so is the memory.

use super::{FrameHead, Kind, Opcode, Role, Violation, mask};

/// How large things may be, and how they are handed over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of a frame.
    pub(crate) frame: usize,
    /// Bytes of a message.
    pub(crate) message: usize,
    /// Messages are handed over as they come, and the two are of no account.
    pub(crate) pieces: bool,
}

/// Something to hand over: places in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A whole message. That text is UTF-8 is still to be seen.
    Message {
        kind: Kind,
        start: usize,
        end: usize,
    },
    /// A part of one. Text is cut between characters.
    Piece {
        kind: Kind,
        start: usize,
        end: usize,
        first: bool,
        last: bool,
    },
    /// A control frame.
    Control {
        opcode: Opcode,
        start: usize,
        end: usize,
    },
    Broken(Violation),
}

/// What the input has to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Hand it over, then [`finish`](Assembler::finish) it.
    Unit(Unit),
    /// [`decode`](Assembler::decode) first.
    Encoded,
    /// More has to come.
    Nothing,
}

/// What is known of the input. All places are relative to its front.
#[derive(Debug)]
pub(crate) struct Assembler {
    role: Role,
    bounds: Bounds,
    /// Of the message that has begun.
    message: Option<Kind>,
    /// None of its bytes was handed over yet.
    fresh: bool,
    /// Its bytes that were not: from here,
    start: usize,
    /// to here.
    end: usize,
    /// How many bytes it has so far.
    total: u64,
    /// Its text is known to be UTF-8 up to here.
    checked: usize,
    /// The data frame whose payload is not all there.
    frame: Option<OpenFrame>,
    /// What is before this was looked at.
    at: usize,
    /// The whole input was, when it ended here.
    seen: usize,
    unit: Option<Unit>,
}

#[derive(Debug)]
struct OpenFrame {
    fin: bool,
    mask: Option<[u8; 4]>,
    /// Bytes of the payload that have come,
    offset: u64,
    /// and that are to come.
    left: u64,
}

impl Assembler {
    /// `role` is ours: it receives what the other sends.
    pub(crate) fn new(role: Role, bounds: Bounds) -> Self {
        Self {
            role,
            bounds,
            message: None,
            fresh: true,
            start: 0,
            end: 0,
            total: 0,
            checked: 0,
            frame: None,
            at: 0,
            seen: 0,
            unit: None,
        }
    }

    /// What `input` has to give, of which [`decode`](Self::decode) may have been shown the front.
    pub(crate) fn next(&mut self, input: &[u8]) -> Found {
        match self.unit {
            Some(unit) => Found::Unit(unit),
            None if input.len() > self.seen => Found::Encoded,
            None => Found::Nothing,
        }
    }

    /// Whether a message or a frame has begun and not ended.
    pub(crate) fn is_inside(&self, input: &[u8]) -> bool {
        self.message.is_some() || !input.is_empty()
    }

    /// How long the input has to be for the next unit, where that is known; else 0. Of a message in several frames this is
    /// what the frame that has begun needs.
    pub(crate) fn needs(&self) -> usize {
        match &self.frame {
            Some(frame) if !self.bounds.pieces => {
                self.at.saturating_add(usize::try_from(frame.left).unwrap_or(usize::MAX))
            }
            _ => 0,
        }
    }

    /// Is done with a unit: answers how many bytes of the input are.
    pub(crate) fn finish(&mut self, unit: Unit) -> usize {
        self.unit = None;
        self.seen = 0;
        match unit {
            Unit::Message { .. } | Unit::Piece { last: true, .. } => {
                self.message = None;
                self.fresh = true;
                self.total = 0;
                self.start = self.end;
            }
            Unit::Piece { end, .. } => {
                self.fresh = false;
                self.start = end;
            }
            Unit::Control { .. } => {}
            Unit::Broken(_) => return usize::MAX,
        }
        let done = if self.start == self.end {
            self.at
        } else if self.bounds.pieces {
            // Part of a character stays.
            self.start
        } else {
            0
        };
        self.start = self.start.saturating_sub(done);
        self.end = self.end.saturating_sub(done);
        self.checked = self.checked.saturating_sub(done);
        self.at -= done;
        done
    }

    /// Unmasks in place what has come, as far as the next unit, and closes what gaps there are when there is none.
    /// Answers how much of the input is left.
    pub(crate) fn decode(&mut self, input: &mut [u8]) -> usize {
        if self.unit.is_some() {
            return input.len();
        }
        loop {
            let step = if self.frame.is_some() { self.payload(input) } else { self.head(input) };
            match step {
                Ok(None) => {}
                Ok(Some(Step::Unit(unit))) => {
                    self.unit = Some(unit);
                    return input.len();
                }
                Ok(Some(Step::Dry)) => return self.close_up(input),
                Err(violation) => {
                    self.unit = Some(Unit::Broken(violation));
                    return input.len();
                }
            }
        }
    }

    fn close_up(&mut self, input: &mut [u8]) -> usize {
        if self.start == self.end {
            (self.start, self.end, self.checked) = (0, 0, 0);
        }
        if self.end < self.at {
            // What is behind the gap is less than a head or a control frame.
            input.copy_within(self.at.., self.end);
            self.seen = input.len() - (self.at - self.end);
            self.at = self.end;
        } else {
            self.seen = input.len();
        }
        self.seen
    }

    fn head(&mut self, input: &mut [u8]) -> Result<Option<Step>, Violation> {
        let Some(head) = FrameHead::parse(&input[self.at..], self.role)? else { return Ok(Some(Step::Dry)) };
        let payload_at = self.at + head.len;
        if head.opcode.is_control() {
            let end = payload_at + head.payload as usize;
            let Some(payload) = input.get_mut(payload_at..end) else { return Ok(Some(Step::Dry)) };
            if let Some(key) = head.mask {
                mask(payload, key, 0);
            }
            self.at = end;
            return Ok(Some(Step::Unit(Unit::Control { opcode: head.opcode, start: payload_at, end })));
        }
        let kind = match (head.opcode, self.message) {
            (Opcode::Continuation, Some(kind)) => kind,
            (Opcode::Continuation, None) => {
                return Err(Violation::protocol("a continuation of no message"));
            }
            (_, Some(_)) => return Err(Violation::protocol("a message begins inside another")),
            (Opcode::Text, None) => Kind::Text,
            (_, None) => Kind::Binary,
        };
        self.total = self.total.saturating_add(head.payload);
        if !self.bounds.pieces {
            if head.payload > self.bounds.frame as u64 {
                return Err(Violation::too_big("a frame past the limit"));
            }
            if self.total > self.bounds.message as u64 {
                return Err(Violation::too_big("a message past the limit"));
            }
        }
        self.message = Some(kind);
        if self.start == self.end {
            (self.start, self.end, self.checked) = (payload_at, payload_at, payload_at);
        }
        self.at = payload_at;
        self.frame = Some(OpenFrame { fin: head.fin, mask: head.mask, offset: 0, left: head.payload });
        Ok(None)
    }

    fn payload(&mut self, input: &mut [u8]) -> Result<Option<Step>, Violation> {
        let (Some(frame), Some(kind)) = (&mut self.frame, self.message) else { return Ok(None) };
        let have = input.len() - self.at;
        let count = usize::try_from(frame.left).unwrap_or(usize::MAX).min(have);
        if self.end < self.at {
            input.copy_within(self.at..self.at + count, self.end);
        }
        if let Some(key) = frame.mask {
            mask(&mut input[self.end..self.end + count], key, frame.offset);
        }
        self.at += count;
        self.end += count;
        frame.offset += count as u64;
        frame.left -= count as u64;
        let whole = frame.left == 0;
        let last = whole && frame.fin;
        if whole {
            self.frame = None;
        }
        // A message that is there at once is looked at once, by whoever makes it text.
        let at_once = last && self.checked == self.start && !self.bounds.pieces;
        if kind == Kind::Text && !at_once {
            self.check_text(input, last)?;
        }
        let (start, end) = (self.start, self.end);
        if !self.bounds.pieces {
            return Ok(match (last, whole) {
                (true, _) => Some(Step::Unit(Unit::Message { kind, start, end })),
                (false, true) => None,
                (false, false) => Some(Step::Dry),
            });
        }
        let end = if kind == Kind::Text { self.checked } else { end };
        if last || end > start {
            let first = self.fresh;
            return Ok(Some(Step::Unit(Unit::Piece { kind, start, end, first, last })));
        }
        Ok(if whole { None } else { Some(Step::Dry) })
    }

    /// Looks at what has come of a text; each byte once, but for up to three of a character that is not all there.
    fn check_text(&mut self, input: &[u8], last: bool) -> Result<(), Violation> {
        match std::str::from_utf8(&input[self.checked..self.end]) {
            Ok(_) => self.checked = self.end,
            Err(error) if error.error_len().is_none() && !last => self.checked += error.valid_up_to(),
            Err(_) => return Err(Violation::not_utf8("a text is not UTF-8")),
        }
        Ok(())
    }
}

/// What a look at the input led to.
#[derive(Debug)]
enum Step {
    Unit(Unit),
    /// It has nothing more to give.
    Dry,
}
