//! As much of DER and of certificates (X.690, RFC 5280) as it takes to tell what kind of key something is.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// The first of what is optional: a certificate's version, the curve of a key.
pub(super) const OPTIONAL_0: u8 = 0xa0;

/// What is left of a value that holds others. Each read is `None` where something else is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Der<'a>(pub(super) &'a [u8]);

impl<'a> Der<'a> {
    /// The next value of this kind: what is in it.
    pub(super) fn take(&mut self, kind: u8) -> Option<&'a [u8]> {
        let (&[found, first], rest) = self.0.split_first_chunk::<2>()?;
        if found != kind {
            return None;
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(value)
    }

    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.take(SEQUENCE).map(Self)
    }

    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        self.take(INTEGER)
    }
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    P256,
    /// What cannot be signed with here.
    Other(&'static str),
}

impl KeyKind {
    /// Reads an AlgorithmIdentifier.
    pub(super) fn of(mut algorithm: Der<'_>) -> Option<Self> {
        Some(match algorithm.take(OBJECT_IDENTIFIER)? {
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1] => Self::of_curve(algorithm)?,
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1 | 10] => Self::Other("RSA"),
            [0x2b, 0x65, 0x70] => Self::Other("Ed25519"),
            [0x2b, 0x65, 0x71] => Self::Other("Ed448"),
            _ => Self::Other("of an unknown kind"),
        })
    }

    /// Reads the name of a curve.
    pub(super) fn of_curve(mut parameters: Der<'_>) -> Option<Self> {
        Some(match parameters.take(OBJECT_IDENTIFIER)? {
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7] => Self::P256,
            [0x2b, 0x81, 4, 0, 0x22] => Self::Other("P-384"),
            [0x2b, 0x81, 4, 0, 0x23] => Self::Other("P-521"),
            _ => Self::Other("on an unknown curve"),
        })
    }
}

/// The kind of a certificate's key, and the key: on a curve, `4` and both coordinates.
pub(super) fn public_key(certificate: &[u8]) -> Option<(KeyKind, &[u8])> {
    let mut fields = Der(certificate).sequence()?.sequence()?;
    // Before version 3, the version is not there.
    let _ = fields.take(OPTIONAL_0);
    fields.integer()?;
    let [_algorithm, _issuer, _validity, _subject] =
        [fields.sequence()?, fields.sequence()?, fields.sequence()?, fields.sequence()?];
    let mut key = fields.sequence()?;
    let kind = KeyKind::of(key.sequence()?)?;
    let [0, bits @ ..] = key.take(BIT_STRING)? else { return None };
    Some((kind, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_by_kind_and_length() {
        let mut der = Der(&[0x30, 3, 2, 1, 5, 4, 0x81, 1, 7, 4, 0x82, 0, 1]);
        assert!(der.take(INTEGER).is_none(), "another kind is left there");
        assert_eq!(der.sequence().expect("a sequence").integer(), Some(&[5][..]));
        assert_eq!(der.take(OCTET_STRING), Some(&[7][..]));
        assert!(der.take(OCTET_STRING).is_none(), "longer than what is there");
        assert!(Der(&[4, 0x80, 0, 0]).take(OCTET_STRING).is_none(), "no length");
        assert!(Der(&[4, 0x85, 0, 0, 0, 0, 0]).take(OCTET_STRING).is_none());
        assert!(Der(&[4]).take(OCTET_STRING).is_none());
    }

    #[test]
    fn kinds_are_told_apart() {
        let rsa = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
        assert_eq!(KeyKind::of(Der(&rsa)), Some(KeyKind::Other("RSA")));
        let p256 = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
        assert_eq!(KeyKind::of(Der(&p256)), Some(KeyKind::P256));
        assert_eq!(KeyKind::of(Der(&p256[..9])), None, "no curve");
        assert_eq!(KeyKind::of(Der(&[6, 3, 0x2b, 0x65, 0x70])), Some(KeyKind::Other("Ed25519")));
    }
}
