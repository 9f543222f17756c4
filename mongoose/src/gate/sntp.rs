//! SNTP packets (RFC 4330, RFC 5905): the question, and whether an answer is one to believe.

/// Bytes of a packet without extensions.
pub(crate) const PACKET: usize = 48;

/// Our version, which an answer repeats.
const VERSION: u8 = 4;

const CLIENT: u8 = 3;
const SERVER: u8 = 4;

/// A leap indicator that says that the clock is not set.
const UNSYNCHRONIZED: u8 = 3;

/// A stratum that says so too.
const STRATUM_MAX: u8 = 15;

/// How far the server's clock may be off from what it follows, by its own account: 16 s, as RFC 5905's MAXDISP.
const DISTANCE_MAX: u32 = 16 << 16;

/// Seconds since 1900 (and again since 2036) in the upper half, 2^-32 seconds in the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp(pub(crate) u64);

/// From the beginning of NTP's time to that of Unix's, in seconds.
const UNIX_BEGINS: u64 = 2_208_988_800;

impl Timestamp {
    /// Of a time before or after 1970. What it is in another era looks the same.
    pub(crate) fn from_unix(seconds: u64, nanos: u32) -> Self {
        let fraction = (u64::from(nanos) << 32) / 1_000_000_000;
        Self((UNIX_BEGINS.wrapping_add(seconds) << 32) | fraction)
    }

    /// How far this is behind another, in 2^-32 seconds: between -68 and 68 years, whichever eras they are in.
    pub(crate) fn since(self, other: Self) -> i64 {
        self.0.wrapping_sub(other.0).cast_signed()
    }
}

/// What a server that is to be believed said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// How many servers are between this one and a clock, which counts as well.
    pub(crate) stratum: u8,
    /// When it got the question.
    pub(crate) received: Timestamp,
    /// When it sent the answer.
    pub(crate) sent: Timestamp,
}

/// What is wrong with a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is no answer to this question; the answer may still come.
    Stray,
    /// It is the answer, and not to be believed.
    Unfit(&'static str),
    /// The server wants to be left alone, and says why in four letters.
    Kiss([u8; 4]),
}

/// The question. Its time of transmission is a number that nobody can guess in the place of the time, which is nobody's
/// business (RFC 9109 says the same of ports): who answers has to repeat it.
pub(crate) fn question(nonce: u64) -> [u8; PACKET] {
    let mut packet = [0; PACKET];
    packet[0] = (VERSION << 3) | CLIENT;
    packet[40..].copy_from_slice(&nonce.to_be_bytes());
    packet
}

/// Judges what came from the server's address.
pub(crate) fn answer(packet: &[u8], nonce: u64) -> Result<Answer, Refusal> {
    let Some((packet, _extensions)) = packet.split_first_chunk::<PACKET>() else {
        return Err(Refusal::Stray);
    };
    let [first, stratum, ..] = *packet;
    let (leap, version, mode) = (first >> 6, (first >> 3) & 7, first & 7);
    let [delay, dispersion] = [4, 8].map(|at| word(packet, at));
    let [originate, received, sent] =
        [24, 32, 40].map(|at| u64::from(word(packet, at)) << 32 | u64::from(word(packet, at + 4)));
    // What does not repeat the number may come from anybody.
    if originate != nonce || mode != SERVER {
        return Err(Refusal::Stray);
    }
    if version != VERSION {
        return Err(Refusal::Unfit("it is of another version"));
    }
    if stratum == 0 {
        return Err(Refusal::Kiss([packet[12], packet[13], packet[14], packet[15]]));
    }
    if leap == UNSYNCHRONIZED || stratum > STRATUM_MAX {
        return Err(Refusal::Unfit("its clock is not set"));
    }
    if received == 0 || sent == 0 {
        return Err(Refusal::Unfit("it has no time"));
    }
    let (received, sent) = (Timestamp(received), Timestamp(sent));
    if sent.since(received) < 0 {
        return Err(Refusal::Unfit("it was sent before the question came"));
    }
    // The delay is signed, and below zero for a clock that is close by.
    let delay = u32::try_from(delay.cast_signed()).unwrap_or(0);
    if (delay / 2).saturating_add(dispersion) >= DISTANCE_MAX {
        return Err(Refusal::Unfit("its clock is too far from what it follows"));
    }
    Ok(Answer { stratum, received, sent })
}

fn word(packet: &[u8; PACKET], at: usize) -> u32 {
    u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONCE: u64 = 0x1234_5678_9abc_def0;

    fn good() -> [u8; PACKET] {
        let mut packet = [0; PACKET];
        packet[0] = (VERSION << 3) | SERVER;
        packet[1] = 2;
        packet[24..32].copy_from_slice(&NONCE.to_be_bytes());
        packet[32..40].copy_from_slice(&(100u64 << 32).to_be_bytes());
        packet[40..48].copy_from_slice(&(101u64 << 32).to_be_bytes());
        packet
    }

    /// What is made of the good packet with some bytes changed.
    fn with(at: usize, bytes: &[u8]) -> Result<Answer, Refusal> {
        let mut packet = good();
        packet[at..at + bytes.len()].copy_from_slice(bytes);
        answer(&packet, NONCE)
    }

    #[test]
    fn a_good_answer_is_believed() {
        let expected = Answer { stratum: 2, received: Timestamp(100 << 32), sent: Timestamp(101 << 32) };
        assert_eq!(answer(&good(), NONCE), Ok(expected));
        let mut extended = good().to_vec();
        extended.extend([0; 20]);
        assert_eq!(answer(&extended, NONCE), Ok(expected));
        assert!(with(0, &[(1 << 6) | (VERSION << 3) | SERVER]).is_ok(), "a leap second is due");
        assert!(with(1, &[15]).is_ok());
        assert!(with(4, &[0xff; 4]).is_ok(), "a delay below zero");
    }

    #[test]
    fn hazard_51_what_is_no_answer_to_the_question_is_none() {
        assert_eq!(answer(&[], NONCE), Err(Refusal::Stray));
        assert_eq!(answer(&good()[..47], NONCE), Err(Refusal::Stray));
        for mode in [0, 1, 2, 3, 5, 6, 7] {
            assert_eq!(with(0, &[(VERSION << 3) | mode]), Err(Refusal::Stray), "mode {mode}");
        }
        assert_eq!(with(24, &[0; 8]), Err(Refusal::Stray), "no originate time");
        assert_eq!(with(31, &[0xf1]), Err(Refusal::Stray), "that of another question");
        assert_eq!(answer(&question(NONCE), NONCE), Err(Refusal::Stray), "the question itself");
    }

    #[test]
    fn hazard_51_a_server_that_does_not_know_the_time_is_not_believed() {
        let unfit = |at: usize, bytes: &[u8]| match with(at, bytes) {
            Err(Refusal::Unfit(reason)) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(unfit(0, &[(3 << 6) | (VERSION << 3) | SERVER]), "its clock is not set");
        for stratum in [16, 17, 255] {
            assert_eq!(unfit(1, &[stratum]), "its clock is not set");
        }
        for version in [0, 1, 2, 3, 5, 7] {
            assert_eq!(unfit(0, &[(version << 3) | SERVER]), "it is of another version");
        }
        assert_eq!(unfit(40, &[0; 8]), "it has no time");
        assert_eq!(unfit(32, &[0; 8]), "it has no time");
        assert_eq!(unfit(40, &[0, 0, 0, 99]), "it was sent before the question came");
        assert_eq!(unfit(8, &[0, 16, 0, 0]), "its clock is too far from what it follows");
        assert_eq!(unfit(4, &[0x7f, 0xff, 0xff, 0xff]), "its clock is too far from what it follows");
    }

    #[test]
    fn a_server_that_wants_to_be_left_alone_says_why() {
        let mut packet = good();
        packet[0] = (3 << 6) | (VERSION << 3) | SERVER;
        packet[1] = 0;
        packet[12..16].copy_from_slice(b"RATE");
        packet[32..].fill(0);
        assert_eq!(answer(&packet, NONCE), Err(Refusal::Kiss(*b"RATE")));
        assert_eq!(answer(&packet, NONCE + 1), Err(Refusal::Stray), "anybody can say that");
    }

    #[test]
    fn times_are_compared_across_eras() {
        // 2036-02-07T06:28:16Z, where the seconds begin again.
        let begins = Timestamp::from_unix((1 << 32) - UNIX_BEGINS, 0);
        assert_eq!(begins, Timestamp(0));
        let before = Timestamp::from_unix((1 << 32) - UNIX_BEGINS - 1, 500_000_000);
        assert_eq!(begins.since(before), 1 << 31);
        assert_eq!(before.since(begins), -(1 << 31));
        let (now, of_a_device) = (Timestamp::from_unix(1_800_000_000, 0), Timestamp::from_unix(0, 0));
        assert_eq!(now.since(of_a_device) >> 32, 1_800_000_000);
    }

    proptest! {
        #[test]
        fn no_packet_is_believed_but_one_that_repeats_the_number(
            packet in proptest::collection::vec(any::<u8>(), 0..100),
            nonce in any::<u64>(),
        ) {
            if let Ok(believed) = answer(&packet, nonce) {
                prop_assert_eq!(&packet[24..32], nonce.to_be_bytes());
                prop_assert!((1..=15).contains(&believed.stratum));
            }
        }
    }
}
