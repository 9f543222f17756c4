//! Base64 that a peer sent (RFC 4648 section 4). What we send is encoded by C.

/// Decodes, and takes nothing that no encoder makes: padding is there and last, white space is not, and the bits that
/// padding leaves over are 0.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (groups, []) = text.as_chunks::<4>() else { return None };
    let mut decoded = Vec::with_capacity(groups.len() * 3);
    for (index, group) in groups.iter().enumerate() {
        let padding = match group {
            [_, _, b'=', b'='] => 2,
            [_, _, _, b'='] => 1,
            _ => 0,
        };
        if padding > 0 && index + 1 < groups.len() {
            return None;
        }
        let mut bits = 0u32;
        for &digit in &group[..4 - padding] {
            bits = bits << 6 | u32::from(value(digit)?);
        }
        bits <<= 6 * padding;
        let [_, bytes @ ..] = bits.to_be_bytes();
        let (bytes, left_over) = bytes.split_at(3 - padding);
        if left_over.iter().any(|&byte| byte != 0) {
            return None;
        }
        decoded.extend_from_slice(bytes);
    }
    Some(decoded)
}

/// What a digit stands for.
fn value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::base64_encode;

    #[test]
    fn decodes_what_c_encodes() {
        for (text, bytes) in
            [("", &b""[..]), ("Zg==", b"f"), ("Zm8=", b"fo"), ("Zm9v", b"foo"), ("Zm9vYg==", b"foob")]
        {
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes));
        }
        let all: Vec<u8> = (0..=255).collect();
        for start in 0..=255 {
            assert_eq!(decode(base64_encode(&all[start..]).as_bytes()).as_deref(), Some(&all[start..]));
        }
    }

    #[test]
    fn takes_nothing_that_no_encoder_makes() {
        for text in [
            "Z",
            "Zg",
            "Zg=",
            "Zg===",
            "Zm9",
            "Zm9vY",
            "Zg==Zg==",
            "=",
            "====",
            "Z===",
            "=g==",
            "Zg=v",
            "Zh==",
            "Zm9=",
            " Zg==",
            "Zg== ",
            "Zm 9v",
            "Zm9v\n",
            "Zm-v",
            "Zm_v",
            "Zm9\u{fc}",
            "Zm\09",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
