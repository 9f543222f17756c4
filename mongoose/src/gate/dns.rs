//! DNS messages (RFC 1035): a question for addresses, and whether what came is an answer to it.

use std::net::IpAddr;

const HEADER: usize = 12;

const NAME_MAX: usize = 255;
const LABEL_MAX: usize = 63;

/// Aliases of aliases that are followed. No honest name has as many.
const ALIASES_MAX: usize = 16;

const INTERNET: u16 = 1;
const ALIAS: u16 = 5;

/// The code for a name that does not exist.
pub(crate) const NO_NAME: u8 = 3;

/// What kind of address is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    A = 1,
    Aaaa = 28,
}

impl Kind {
    /// An address as a record has it. `None`: it is none of this kind.
    fn address(self, data: &[u8]) -> Option<IpAddr> {
        match self {
            Self::A => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
            Self::Aaaa => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
        }
    }
}

/// A name as it is sent, and in lower case: labels, each behind its length, the last of them empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(Vec<u8>);

impl Name {
    /// `None` for what is no host's name.
    pub(crate) fn new(host: &str) -> Option<Self> {
        let mut name = Vec::with_capacity(host.len() + 2);
        for label in host.strip_suffix('.').unwrap_or(host).split('.') {
            let proper = label.bytes().all(|byte| byte.is_ascii_graphic());
            if !(1..=LABEL_MAX).contains(&label.len()) || !proper {
                return None;
            }
            name.push(label.len() as u8);
            name.extend(label.bytes().map(|byte| byte.to_ascii_lowercase()));
        }
        name.push(0);
        (name.len() <= NAME_MAX).then_some(Self(name))
    }

    /// Reads a name in a message, and answers what is behind it. What a pointer points to has to be before it. Each step is
    /// a label or a pointer: no name needs as many as it may have bytes, and pointers to pointers cost no more.
    fn read(message: &[u8], start: usize) -> Option<(Self, usize)> {
        let (mut name, mut at, mut end) = (Vec::new(), start, None);
        for _ in 0..NAME_MAX {
            let length = usize::from(*message.get(at)?);
            match length {
                0 => {
                    name.push(0);
                    return Some((Self(name), end.unwrap_or(at + 1)));
                }
                1..=LABEL_MAX => {
                    let label = message.get(at..at + 1 + length)?;
                    name.extend(label.iter().map(u8::to_ascii_lowercase));
                    at += label.len();
                }
                0xc0.. => {
                    end = end.or(Some(at + 2));
                    at = Some(usize::from(word(message, at)? & 0x3fff)).filter(|target| *target < at)?;
                }
                _ => return None,
            }
            if name.len() >= NAME_MAX {
                return None;
            }
        }
        None
    }
}

/// A question for the addresses of a host.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// To be repeated by who answers.
    pub(crate) id: u16,
    pub(crate) name: Name,
    pub(crate) kind: Kind,
}

/// What a server says to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// All of that kind, aliases followed. There may be none.
    Addresses(Vec<IpAddr>),
    /// There is more than a datagram holds.
    Truncated,
    /// A code of RFC 1035's or a later one's: [`NO_NAME`], or another.
    Failed(u8),
}

impl Question {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut message = self.id.to_be_bytes().to_vec();
        // Recursion is desired; one question, and nothing else.
        message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        message.extend(&self.name.0);
        message.extend((self.kind as u16).to_be_bytes());
        message.extend(INTERNET.to_be_bytes());
        message
    }

    /// Judges what came from the server's address. `None`: it is no answer to this question, or no message.
    pub(crate) fn judge(&self, message: &[u8]) -> Option<Answer> {
        let flags = word(message, 2)?;
        let (is_answer, operation, truncated) = (flags >> 15 == 1, (flags >> 11) & 15, flags & 0x200 != 0);
        if word(message, 0)? != self.id || !is_answer || operation != 0 || word(message, 4)? != 1 {
            return None;
        }
        let (name, at) = Name::read(message, HEADER)?;
        if name != self.name || word(message, at)? != self.kind as u16 || word(message, at + 2)? != INTERNET {
            return None;
        }
        match (flags & 15) as u8 {
            _ if truncated => Some(Answer::Truncated),
            0 => self.addresses(message, at + 4).map(Answer::Addresses),
            code => Some(Answer::Failed(code)),
        }
    }

    /// The addresses in the records behind the question, by the name asked for or by what it is an alias of.
    fn addresses(&self, message: &[u8], mut at: usize) -> Option<Vec<IpAddr>> {
        let (mut aliases, mut addresses) = (Vec::new(), Vec::new());
        for _ in 0..word(message, 6)? {
            let (owner, fixed) = Name::read(message, at)?;
            let (kind, class, length) =
                (word(message, fixed)?, word(message, fixed + 2)?, word(message, fixed + 8)?);
            let start = fixed + 10;
            at = start + usize::from(length);
            let data = message.get(start..at)?;
            match kind {
                ALIAS if class == INTERNET => {
                    let (target, _) = Name::read(message, start).filter(|(_, end)| *end == at)?;
                    aliases.push((owner, target));
                }
                _ if (kind, class) == (self.kind as u16, INTERNET) => {
                    addresses.push((owner, self.kind.address(data)?))
                }
                _ => {}
            }
        }
        let target =
            |name: &&Name| aliases.iter().find(|(owner, _)| owner == *name).map(|(_, target)| target);
        let name = std::iter::successors(Some(&self.name), target).take(1 + ALIASES_MAX).last()?;
        Some(addresses.iter().filter(|(owner, _)| owner == name).map(|(_, address)| *address).collect())
    }
}

fn word(message: &[u8], at: usize) -> Option<u16> {
    message.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn question(kind: Kind) -> Question {
        Question { id: 0x1234, name: Name::new("Host.Test").expect("a name"), kind }
    }

    /// An answer with records behind the question.
    fn answer(question: &Question, flags: u16, records: &[Vec<u8>]) -> Vec<u8> {
        let mut message = question.encode();
        message[2..4].copy_from_slice(&flags.to_be_bytes());
        message[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
        message.extend(records.concat());
        message
    }

    fn record(owner: &[u8], kind: u16, class: u16, data: &[u8]) -> Vec<u8> {
        let mut record = owner.to_vec();
        record.extend(kind.to_be_bytes());
        record.extend(class.to_be_bytes());
        record.extend([0, 0, 0, 60]);
        record.extend((data.len() as u16).to_be_bytes());
        record.extend(data);
        record
    }

    /// The name asked for, by a pointer to it.
    const ASKED: &[u8] = &[0xc0, 12];

    fn encoded(name: &str) -> Vec<u8> {
        Name::new(name).expect("a name").0
    }

    #[test]
    fn names_are_what_hosts_have() {
        assert_eq!(encoded("A.b"), b"\x01a\x01b\0");
        assert_eq!(encoded("a.b."), b"\x01a\x01b\0");
        assert_eq!(Name::new(&"x".repeat(63)).map(|name| name.0.len()), Some(65));
        let longest = ["x".repeat(63), "x".repeat(63), "x".repeat(63), "x".repeat(61)].join(".");
        assert_eq!(Name::new(&longest).map(|name| name.0.len()), Some(255));
        for host in ["", ".", "a..b", ".a", "a b", "a\0", "\u{e9}", &"x".repeat(64), &format!("{longest}x")] {
            assert_eq!(Name::new(host), None, "{host:?}");
        }
    }

    #[test]
    fn addresses_of_both_kinds_are_found() {
        let (four, six) = (question(Kind::A), question(Kind::Aaaa));
        let of_four =
            answer(&four, 0x8180, &[record(ASKED, 1, 1, &[10, 0, 0, 1]), record(ASKED, 1, 1, &[9; 4])]);
        let expected = vec![IpAddr::from([10, 0, 0, 1]), IpAddr::from([9; 4])];
        assert_eq!(four.judge(&of_four), Some(Answer::Addresses(expected)));
        let of_six = answer(&six, 0x8180, &[record(ASKED, 28, 1, &[1; 16])]);
        assert_eq!(six.judge(&of_six), Some(Answer::Addresses(vec![IpAddr::from([1; 16])])));
        assert_eq!(six.judge(&answer(&six, 0x8180, &[])), Some(Answer::Addresses(Vec::new())));
    }

    #[test]
    fn aliases_are_followed_in_any_order_and_not_for_ever() {
        let four = question(Kind::A);
        let end = encoded("end.test");
        let middle = encoded("middle.test");
        let records = [
            record(&end, 1, 1, &[10, 0, 0, 1]),
            record(&middle, ALIAS, 1, &end),
            record(ASKED, ALIAS, 1, &middle),
        ];
        let message = answer(&four, 0x8180, &records);
        assert_eq!(four.judge(&message), Some(Answer::Addresses(vec![IpAddr::from([10, 0, 0, 1])])));
        let circle = [record(ASKED, ALIAS, 1, &middle), record(&middle, ALIAS, 1, ASKED)];
        assert_eq!(four.judge(&answer(&four, 0x8180, &circle)), Some(Answer::Addresses(Vec::new())));
    }

    #[test]
    fn hazard_52_records_of_other_names_count_for_nothing() {
        let four = question(Kind::A);
        let records = [
            record(&encoded("other.test"), 1, 1, &[6; 4]),
            record(&encoded("host.test.evil"), 1, 1, &[6; 4]),
            record(&encoded("evil"), ALIAS, 1, ASKED),
            record(ASKED, 28, 1, &[6; 16]),
            record(ASKED, 1, 3, &[6; 4]),
            record(&encoded("HOST.tEST"), 1, 1, &[10, 0, 0, 1]),
        ];
        let message = answer(&four, 0x8180, &records);
        assert_eq!(four.judge(&message), Some(Answer::Addresses(vec![IpAddr::from([10, 0, 0, 1])])));
    }

    #[test]
    fn hazard_8_an_answer_to_another_question_is_none() {
        let four = question(Kind::A);
        let good = answer(&four, 0x8180, &[record(ASKED, 1, 1, &[6; 4])]);
        assert!(four.judge(&good).is_some());
        let other = |change: fn(&mut Question)| {
            let mut other = four.clone();
            change(&mut other);
            four.judge(&answer(&other, 0x8180, &[record(ASKED, 1, 1, &[6; 4])]))
        };
        assert_eq!(other(|question| question.id ^= 1), None);
        assert_eq!(other(|question| question.kind = Kind::Aaaa), None);
        assert_eq!(other(|question| question.name = Name::new("host.tesd").expect("a name")), None);
        assert_eq!(four.judge(&four.encode()), None, "the question itself");
        assert_eq!(four.judge(&answer(&four, 0x9180, &[])), None, "another operation");
        let mut none = good.clone();
        none[5] = 0;
        assert_eq!(four.judge(&none), None, "without the question");
        let mut class = good.clone();
        class[12 + 11 + 3] = 3;
        assert_eq!(four.judge(&class), None, "of another class");
    }

    #[test]
    fn what_a_server_says_instead_is_told_apart() {
        let four = question(Kind::A);
        let judged = |flags| four.judge(&answer(&four, flags, &[]));
        assert_eq!(judged(0x8183), Some(Answer::Failed(NO_NAME)));
        assert_eq!(judged(0x8182), Some(Answer::Failed(2)));
        assert_eq!(judged(0x8185), Some(Answer::Failed(5)));
        assert_eq!(judged(0x8380), Some(Answer::Truncated));
    }

    #[test]
    fn a_message_cut_anywhere_is_none() {
        let four = question(Kind::A);
        let records = [record(ASKED, ALIAS, 1, &encoded("end")), record(&encoded("end"), 1, 1, &[6; 4])];
        let good = answer(&four, 0x8180, &records);
        for length in 0..good.len() {
            assert_eq!(four.judge(&good[..length]), None, "{length}");
        }
    }

    #[test]
    fn hazard_8_pointers_that_lead_in_circles_are_malformed() {
        let four = question(Kind::A);
        let behind = (12 + 11 + 4) as u8;
        for owner in [
            [0xc0, behind].as_slice(),
            &[0xc0, behind + 1],
            &[0xff, 0xff],
            &[1, b'x', 0xc0, behind],
            &[0x40, 0],
            &[0x80, 0],
        ] {
            let message = answer(&four, 0x8180, &[record(owner, 1, 1, &[6; 4])]);
            assert_eq!(four.judge(&message), None, "{owner:?}");
        }
        // Pointers to pointers, each before the last.
        let mut message = answer(&four, 0x8180, &[]);
        let first = message.len();
        message.extend([0xc0, 12]);
        for before in (first..).step_by(2).take(300) {
            message.extend([0xc0 | (before >> 8) as u8, before as u8]);
        }
        assert!(Name::read(&message, first + 2 * 200).is_some());
        assert_eq!(Name::read(&message, first + 2 * 300), None);
        // Each name is the one before and a label: at some point they are too long.
        let mut message = answer(&four, 0x8180, &[]);
        let mut before = 12usize;
        for _ in 0..100 {
            let start = message.len();
            message.extend(record(
                &[3, b'x', b'x', b'x', 0xc0 | (before >> 8) as u8, before as u8],
                1,
                1,
                &[6; 4],
            ));
            before = start;
        }
        message[6..8].copy_from_slice(&100u16.to_be_bytes());
        assert_eq!(four.judge(&message), None);
    }

    #[test]
    fn a_record_of_the_wrong_length_is_malformed() {
        let four = question(Kind::A);
        for data in [&[][..], &[6; 3], &[6; 5], &[6; 16]] {
            assert_eq!(four.judge(&answer(&four, 0x8180, &[record(ASKED, 1, 1, data)])), None);
        }
        let alias = [encoded("end"), vec![0]].concat();
        assert_eq!(four.judge(&answer(&four, 0x8180, &[record(ASKED, ALIAS, 1, &alias)])), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_nor_answer_what_was_not_asked(mut bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let four = question(Kind::A);
            prop_assert_eq!(four.judge(&bytes), None, "it is not likely");
            // Behind a good beginning, too.
            let good = answer(&four, 0x8180, &[]);
            let count = bytes.len() as u16;
            bytes.splice(..0, good);
            bytes[6..8].copy_from_slice(&(count / 16).to_be_bytes());
            let _ = four.judge(&bytes);
        }
    }
}
