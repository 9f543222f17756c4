//! RFC 6455 in cases, each with its section: what a peer sends, and what an echo has to answer.

use crate::peer::{BINARY, CLOSE, CONTINUATION, FIN, Frame, PING, PONG, TEXT, close_payload};

/// What a peer sends.
#[derive(Clone, Debug)]
pub enum Sent {
    /// A frame, masked as it has to be, with its length in the shortest form.
    Frame(u8, Vec<u8>),
    /// A frame that is masked if it must not be, and the reverse.
    WronglyMasked(u8, Vec<u8>),
    /// A head that says a length of so many bytes in this form, and no more. The highest bit may be set.
    Head(u8, Length),
}

#[derive(Clone, Copy, Debug)]
pub enum Length {
    Medium(u16),
    Long(u64),
}

#[derive(Debug)]
pub struct Case {
    pub section: &'static str,
    pub title: String,
    pub sent: Vec<Sent>,
    /// Frames that come back, in order.
    pub answered: Vec<Frame>,
    /// The code that closes it: 1000 where nothing is wrong, for then the test closes itself.
    pub code: u16,
}

struct Cases(Vec<Case>);

impl Cases {
    fn add(
        &mut self,
        section: &'static str,
        title: impl Into<String>,
        sent: Vec<Sent>,
        answered: Vec<Frame>,
        code: u16,
    ) {
        self.0.push(Case { section, title: title.into(), sent, answered, code });
    }

    /// Frames that are in order.
    fn good(
        &mut self,
        section: &'static str,
        title: impl Into<String>,
        sent: &[(u8, &[u8])],
        answered: &[(u8, &[u8])],
    ) {
        self.add(section, title, frames(sent), owned(answered), 1000);
    }

    /// Frames of which the last is not; what came before it is answered.
    fn bad(
        &mut self,
        section: &'static str,
        title: impl Into<String>,
        sent: &[(u8, &[u8])],
        answered: &[(u8, &[u8])],
        code: u16,
    ) {
        self.add(section, title, frames(sent), owned(answered), code);
    }
}

fn frames(sent: &[(u8, &[u8])]) -> Vec<Sent> {
    sent.iter().map(|(first, payload)| Sent::Frame(*first, payload.to_vec())).collect()
}

fn owned(frames: &[(u8, &[u8])]) -> Vec<Frame> {
    frames.iter().map(|(first, payload)| (*first, payload.to_vec())).collect()
}

/// Any bytes.
fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 + n / 256) as u8).collect()
}

pub const MESSAGE_MAX: usize = 100_000;
pub const FRAME_MAX: usize = 70_000;

/// All of them, to be run within [`MESSAGE_MAX`] and [`FRAME_MAX`].
pub fn all() -> Vec<Case> {
    let mut cases = Cases(Vec::new());
    framing(&mut cases);
    fragmentation(&mut cases);
    control(&mut cases);
    data(&mut cases);
    closing(&mut cases);
    utf8(&mut cases);
    limits(&mut cases);
    cases.0
}

fn framing(cases: &mut Cases) {
    let hello = (FIN | TEXT, b"Hello".as_slice());
    for first in [FIN | TEXT, FIN | BINARY, FIN | PING, FIN | CLOSE, TEXT] {
        let sent = vec![Sent::WronglyMasked(first, b"x".to_vec())];
        cases.add("5.1", format!("masked the wrong way round, {first:#x}"), sent, vec![], 1002);
    }
    for bit in [0x10, 0x20, 0x40, 0x70] {
        for opcode in [TEXT, BINARY, PING, PONG, CLOSE] {
            let bad = (FIN | bit | opcode, b"x".as_slice());
            cases.bad(
                "5.2",
                format!("reserved bits {bit:#x} with opcode {opcode}"),
                &[hello, bad],
                &[hello],
                1002,
            );
        }
        let bad: [(u8, &[u8]); 2] = [(TEXT, b"a"), (FIN | bit, b"b")];
        cases.bad("5.2", format!("reserved bits {bit:#x} on a continuation"), &bad, &[], 1002);
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for fin in [0, FIN] {
            let bad = (fin | opcode, b"".as_slice());
            cases.bad(
                "5.2",
                format!("reserved opcode {opcode}, fin {fin:#x}"),
                &[hello, bad],
                &[hello],
                1002,
            );
        }
        let inside: [(u8, &[u8]); 2] = [(TEXT, b"a"), (FIN | opcode, b"b")];
        cases.bad("5.2", format!("reserved opcode {opcode} inside a message"), &inside, &[], 1002);
    }
    for len in [0, 1, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, FRAME_MAX] {
        let payload = bytes(len);
        let frame = (FIN | BINARY, &*payload);
        cases.good("5.2", format!("a length of {len}"), &[frame, hello], &[frame, hello]);
    }
    for short in [0, 1, 125] {
        let sent = vec![Sent::Head(FIN | BINARY, Length::Medium(short))];
        cases.add("5.2", format!("{short} in two bytes"), sent, vec![], 1002);
    }
    for long in [0, 125, 126, 65_535, 1 << 63, u64::MAX] {
        let sent = vec![Sent::Head(FIN | BINARY, Length::Long(long))];
        cases.add("5.2", format!("{long} in eight bytes"), sent, vec![], 1002);
    }
}

fn fragmentation(cases: &mut Cases) {
    for (first, name) in [(TEXT, "text"), (BINARY, "binary")] {
        let whole = (FIN | first, b"Hello".as_slice());
        let splits: [&[&[u8]]; 6] = [
            &[b"Hel", b"lo"],
            &[b"H", b"e", b"l", b"l", b"o"],
            &[b"", b"Hello"],
            &[b"Hello", b""],
            &[b"", b"", b"Hello", b"", b""],
            &[b"Hel", b"", b"lo"],
        ];
        for split in splits {
            let mut sent = Vec::new();
            for (at, part) in split.iter().enumerate() {
                let fin = if at + 1 == split.len() { FIN } else { 0 };
                sent.push((fin | if at == 0 { first } else { CONTINUATION }, *part));
            }
            let title = format!("{name} in {} fragments, {:?}", split.len(), split[0].len());
            cases.good("5.4", title, &sent, &[whole]);
            // A ping in each gap: its pong goes out at once, the message when it is whole.
            let mut mixed = Vec::new();
            for frame in &sent {
                mixed.push(*frame);
                mixed.push((FIN | PING, b"gap".as_slice()));
            }
            mixed.pop();
            let mut answered = vec![(FIN | PONG, b"gap".as_slice()); split.len() - 1];
            answered.push(whole);
            let title =
                format!("{name} in {} fragments with pings between, {:?}", split.len(), split[0].len());
            cases.good("5.4", title, &mixed, &answered);
        }
        let empty: [(u8, &[u8]); 3] = [(first, b""), (CONTINUATION, b""), (FIN, b"")];
        cases.good("5.4", format!("{name} of empty fragments"), &empty, &[(FIN | first, b"")]);
        let other = [(first, b"a".as_slice()), (FIN | TEXT, b"b")];
        cases.bad("5.4", format!("a text inside a {name}"), &other, &[], 1002);
        let other = [(first, b"a".as_slice()), (BINARY, b"b")];
        cases.bad("5.4", format!("a binary inside a {name}"), &other, &[], 1002);
        let after = [whole, (FIN, b"x".as_slice())];
        cases.bad("5.4", format!("a continuation behind a {name}"), &after, &[whole], 1002);
        let after = [(first, b"He".as_slice()), (FIN, b"llo"), (CONTINUATION, b"x")];
        cases.bad("5.4", format!("a continuation behind a fragmented {name}"), &after, &[whole], 1002);
    }
    for fin in [0, FIN] {
        cases.bad(
            "5.4",
            format!("a continuation of nothing, fin {fin:#x}"),
            &[(fin, b"x".as_slice())],
            &[],
            1002,
        );
        cases.bad("5.4", format!("an empty one, fin {fin:#x}"), &[(fin, b"".as_slice())], &[], 1002);
    }
    let many: Vec<(u8, &[u8])> = std::iter::once((TEXT, b"x".as_slice()))
        .chain(std::iter::repeat_n((CONTINUATION, b"x".as_slice()), 998))
        .chain([(FIN, b"x".as_slice())])
        .collect();
    let whole = vec![b'x'; 1000];
    cases.good("5.4", "a text in a thousand fragments", &many, &[(FIN | TEXT, &whole)]);
}

fn control(cases: &mut Cases) {
    let full = bytes(125);
    let long = bytes(126);
    for opcode in [PING, PONG, CLOSE] {
        cases.bad("5.5", format!("control {opcode} in fragments"), &[(opcode, b"x".as_slice())], &[], 1002);
        cases.bad("5.5", format!("control {opcode} of 126 bytes"), &[(FIN | opcode, &*long)], &[], 1002);
        let inside = [(TEXT, b"a".as_slice()), (opcode, b"")];
        cases.bad("5.5", format!("control {opcode} in fragments inside a message"), &inside, &[], 1002);
    }
    let sent = vec![Sent::Head(FIN | PING, Length::Long(1 << 16))];
    cases.add("5.5", "a ping of 65,536 bytes", sent, vec![], 1002);
    for payload in [b"".as_slice(), b"p", b"\x00\xff\xfe", &full] {
        let title = format!("a ping of {} bytes", payload.len());
        cases.good("5.5.2", title, &[(FIN | PING, payload)], &[(FIN | PONG, payload)]);
    }
    let pings: Vec<Vec<u8>> = (0..10u8).map(|n| vec![n]).collect();
    let sent: Vec<(u8, &[u8])> = pings.iter().map(|ping| (FIN | PING, &**ping)).collect();
    let answered: Vec<(u8, &[u8])> = pings.iter().map(|ping| (FIN | PONG, &**ping)).collect();
    cases.good("5.5.2", "ten pings", &sent, &answered);
    for payload in [b"".as_slice(), b"unasked", &full] {
        let title = format!("a pong of {} bytes that nobody asked for", payload.len());
        cases.good("5.5.3", title, &[(FIN | PONG, payload)], &[]);
        let between = [(TEXT, b"a".as_slice()), (FIN | PONG, payload), (FIN, b"b")];
        let title = format!("the same of {} bytes inside a message", payload.len());
        cases.good("5.5.3", title, &between, &[(FIN | TEXT, b"ab")]);
    }
}

fn data(cases: &mut Cases) {
    for text in ["", "x", "h\u{e9}llo w\u{f6}rld", "\u{1f600}\u{20ac}\0\u{7f}", "\u{feff}bom"] {
        let frame = (FIN | TEXT, text.as_bytes());
        cases.good("5.6", format!("the text {text:?}"), &[frame, frame], &[frame, frame]);
    }
    let all: Vec<u8> = (0..=255).collect();
    cases.good("5.6", "a binary of all bytes", &[(FIN | BINARY, &*all)], &[(FIN | BINARY, &*all)]);
    let sent: Vec<(u8, &[u8])> =
        (0..100).map(|n| (FIN | if n % 2 == 0 { TEXT } else { BINARY }, b"m".as_slice())).collect();
    cases.good("5.6", "a hundred messages in a row", &sent, &sent);
}

fn closing(cases: &mut Cases) {
    let hello = (FIN | TEXT, b"Hello".as_slice());
    cases.bad("5.5.1", "a close without a code", &[(FIN | CLOSE, b"".as_slice())], &[], 1005);
    cases.bad("5.5.1", "a close of one byte", &[(FIN | CLOSE, b"\x03".as_slice())], &[], 1002);
    let full = close_payload(1000, &"r".repeat(123));
    cases.bad("5.5.1", "a close with the longest reason", &[(FIN | CLOSE, &*full)], &[], 1000);
    let mut broken = close_payload(1000, "");
    broken.extend(b"\xce\xba\xe1\xbd\xb9\xff");
    cases.bad("5.5.1", "a close whose reason is not UTF-8", &[(FIN | CLOSE, &*broken)], &[], 1007);
    let bye = close_payload(1000, "bye");
    for (what, behind) in
        [("text", hello), ("ping", (FIN | PING, b"x".as_slice())), ("close", (FIN | CLOSE, &*bye))]
    {
        let sent = [hello, (FIN | CLOSE, &*bye), behind];
        cases.bad("5.5.1", format!("a {what} behind a close is dropped"), &sent, &[hello], 1000);
    }
    let sent = [(TEXT, b"a".as_slice()), (FIN | CLOSE, &*bye)];
    cases.bad("5.5.1", "a close inside a message", &sent, &[], 1000);
    for code in
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
    {
        let payload = close_payload(code, "why");
        cases.bad("7.4", format!("a close with {code}"), &[(FIN | CLOSE, &*payload)], &[], code);
    }
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        let payload = close_payload(code, "");
        cases.bad(
            "7.4",
            format!("a close with {code}, which is not to be sent"),
            &[(FIN | CLOSE, &*payload)],
            &[],
            1002,
        );
    }
}

fn utf8(cases: &mut Cases) {
    let good: [&[u8]; 12] = [
        b"\x00",
        b"\x7f",
        b"\xc2\x80",
        b"\xdf\xbf",
        b"\xe0\xa0\x80",
        b"\xef\xbf\xbf",
        b"\xed\x9f\xbf",
        b"\xee\x80\x80",
        b"\xf0\x90\x80\x80",
        b"\xf4\x8f\xbf\xbf",
        b"\xef\xbf\xbd",
        b"\xf0\x9f\xbf\xbe",
    ];
    for bytes in good {
        let whole = (FIN | TEXT, bytes);
        cases.good("8.1", format!("{:x?}", bytes), &[whole], &[whole]);
        for at in 1..bytes.len() {
            let cut = [(TEXT, &bytes[..at]), (FIN, &bytes[at..])];
            cases.good("8.1", format!("{bytes:x?} cut behind {at}"), &cut, &[whole]);
        }
    }
    let bad: [&[u8]; 19] = [
        b"\x80",
        b"\xbf",
        b"a\x80b",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xc3",
        b"\xc3x",
        b"\xe0\x80\x80",
        b"\xe0\x9f\xbf",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x80\x80\x80",
        b"\xf0\x8f\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xfe",
        b"\xff",
    ];
    for bytes in bad {
        cases.bad("8.1", format!("{bytes:x?}"), &[(FIN | TEXT, bytes)], &[], 1007);
        for at in 1..bytes.len() {
            let cut = [(TEXT, &bytes[..at]), (FIN, &bytes[at..])];
            cases.bad("8.1", format!("{bytes:x?} cut behind {at}"), &cut, &[], 1007);
        }
        let late = [&b"good and long before ".repeat(20)[..], bytes].concat();
        cases.bad("8.1", format!("{bytes:x?} behind what is good"), &[(FIN | TEXT, &*late)], &[], 1007);
        cases.good(
            "8.1",
            format!("{bytes:x?} as binary"),
            &[(FIN | BINARY, bytes)],
            &[(FIN | BINARY, bytes)],
        );
    }
    // What cannot become a text any more is refused before the message is whole: nothing follows it.
    for bytes in [b"\xff".as_slice(), b"\xed\xa0", b"\xf4\x90", b"ok\xc0"] {
        cases.bad(
            "8.1",
            format!("{bytes:x?} at once, in a message without an end"),
            &[(TEXT, bytes)],
            &[],
            1007,
        );
    }
}

fn limits(cases: &mut Cases) {
    let frame = bytes(MESSAGE_MAX / 2);
    let whole = [&*frame, &*frame].concat();
    let sent = [(BINARY, &*frame), (FIN, &*frame)];
    cases.good("10.4", "a message of the largest size", &sent, &[(FIN | BINARY, &*whole)]);
    let sent = [(BINARY, &*frame), (CONTINUATION, &*frame), (FIN, b"x".as_slice())];
    cases.bad("10.4", "a message of one byte more", &sent, &[], 1009);
    for length in [FRAME_MAX as u64 + 1, 1 << 32, (1 << 63) - 1] {
        let sent = vec![Sent::Head(FIN | BINARY, Length::Long(length))];
        cases.add("10.4", format!("a frame that says {length} bytes"), sent, vec![], 1009);
    }
}
