//! The Host header's value: `uri-host [ ":" port ]` (RFC 9110 section 7.2).

/// Whether a value can be one. An empty one can: a target may have no authority.
pub(super) fn is_host(value: &[u8]) -> bool {
    value.is_empty() || is_authority(value)
}

/// Whether bytes are a host and perhaps a port, without user information.
pub(super) fn is_authority(value: &[u8]) -> bool {
    let (host, port) = match value.strip_prefix(b"[") {
        Some(bracketed) => {
            let Some(end) = bracketed.iter().position(|&byte| byte == b']') else { return false };
            let (address, after) = (&bracketed[..end], &bracketed[end + 1..]);
            if address.is_empty() || !address.iter().all(|&byte| is_literal(byte)) {
                return false;
            }
            match after {
                [] => return true,
                [b':', port @ ..] => (address, port),
                _ => return false,
            }
        }
        None => match value.iter().position(|&byte| byte == b':') {
            Some(colon) => (&value[..colon], &value[colon + 1..]),
            None => (value, &value[..0]),
        },
    };
    let named = value.starts_with(b"[") || (!host.is_empty() && host.iter().all(|&byte| is_name(byte)));
    named && port.iter().all(u8::is_ascii_digit)
}

/// Unreserved, sub-delimiters and percent.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte)
}

fn is_literal(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || b":.%".contains(&byte) || is_name(byte)
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
