//! The Host header's value: `uri-host [ ":" port ]` (RFC 9110 section 7.2).

/// Whether a value can be one. An empty one can: a target may have no authority.
pub(super) fn is_host(value: &[u8]) -> bool {
    value.is_empty() || is_authority(value)
}

/// Whether bytes are a host and perhaps a port, without user information.
pub(super) fn is_authority(value: &[u8]) -> bool {
    let after = if value.first() == Some(&b'[') {
        let Some(length) = value.iter().position(|&byte| byte == b']') else { return false };
        let address = &value[1..length];
        if address.is_empty() || !address.iter().all(|&byte| is_literal(byte)) {
            return false;
        }
        &value[length + 1..]
    } else {
        let length = value.iter().position(|&byte| !is_name(byte)).unwrap_or(value.len());
        if length == 0 {
            return false;
        }
        &value[length..]
    };
    match after {
        [] => true,
        [b':', port @ ..] => port.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Unreserved, sub-delimiters and percent.
fn is_name(byte: u8) -> bool {
    const NAME: [bool; 256] = table(b"-._~!$&'()*+,;=%");
    NAME[usize::from(byte)]
}

/// ASCII letters, digits and some more.
const fn table(more: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut index = 0;
    while index < more.len() {
        table[more[index] as usize] = true;
        index += 1;
    }
    table
}

/// What an IPv6 address, its zone or a later form of address may have.
fn is_literal(byte: u8) -> bool {
    byte == b':' || is_name(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_hosts_from_others() {
        for good in
            ["", "h", "example.com", "example.com:8080", "127.0.0.1:1", "[::1]", "[::1]:80", "h:", "a_b"]
        {
            assert!(is_host(good.as_bytes()), "{good}");
        }
        for bad in
            [":80", "h:80:80", "h:8a", "a b", "a/b", "a@b", "[::1", "[]", "[::1]x", "h\t", "\u{e9}", "a?b"]
        {
            assert!(!is_host(bad.as_bytes()), "{bad}");
        }
    }
}
