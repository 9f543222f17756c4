//! URLs, percent-encoding and base64.

use mongoose::fuzzing::choices;
use mongoose::{base64 as encoding, url as encoded};

/// A URL in its parts, which make the whole again.
pub fn url(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(url) = encoded::Url::parse(text) else { return };
    assert!(url.as_str() == text && text.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(!url.host().is_empty() && !url.host().contains(['/', '?', '#', '@', '[', ']']));
    let behind =
        text.strip_prefix(url.scheme()).and_then(|rest| rest.strip_prefix("://")).expect("the scheme");
    let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
    let (authority, target) = behind.split_at(end);
    let (credentials, authority) =
        authority.rsplit_once('@').map_or((None, authority), |(c, a)| (Some(c), a));
    let host = if url.host().contains(':') { format!("[{}]", url.host()) } else { url.host().to_owned() };
    match authority.strip_prefix(&host).expect("the host") {
        "" => {}
        port => assert_eq!(port[1..].parse().ok(), url.port()),
    }
    let pair =
        credentials.map(|both| both.split_once(':').map_or((both, None), |(user, word)| (user, Some(word))));
    let decode =
        |part: &str| String::from_utf8(naive(part.as_bytes(), false).expect("checked")).expect("text");
    assert_eq!(url.user().map(String::from), pair.map(|(user, _)| decode(user)));
    assert_eq!(url.password().map(String::from), pair.and_then(|(_, word)| word).map(decode));
    let mut whole = if target.starts_with('/') { url.path().to_owned() } else { String::new() };
    assert!(url.path().starts_with('/'));
    for (sign, part) in [('?', url.query()), ('#', url.fragment())] {
        if let Some(part) = part {
            whole.push(sign);
            whole.push_str(part);
        }
    }
    assert_eq!(whole, target);
}

/// Percent-encoding, beside a plain reading, and back.
pub fn percent(bytes: &[u8]) {
    let back = encoded::encode(bytes);
    assert!(back.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
    assert_eq!(encoded::decode(&back).ok().as_deref(), Some(bytes));
    assert_eq!(encoded::decode_form(&back).ok().as_deref(), Some(bytes));
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(encoded::decode(text).ok().map(|decoded| decoded.into_owned()), naive(bytes, false));
        assert_eq!(encoded::decode_form(text).ok().map(|decoded| decoded.into_owned()), naive(bytes, true));
    }
}

fn naive(mut text: &[u8], form: bool) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    while let Some((byte, rest)) = text.split_first() {
        text = rest;
        decoded.push(match byte {
            b'%' => {
                let digits = text.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
                text = &text[2..];
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            b'+' if form => b' ',
            byte => *byte,
        });
    }
    Some(decoded)
}

/// Base64: what decodes is what encodes, and nothing else.
pub fn base64(bytes: &[u8]) {
    let ([choice], text) = choices(bytes);
    if choice & 1 == 0 {
        assert_eq!(encoding::decode(encoding::encode(text)).ok().as_deref(), Some(text));
        assert_eq!(encoding::decode_url(encoding::encode_url(text)).ok().as_deref(), Some(text));
        return;
    }
    if let Ok(decoded) = encoding::decode(text) {
        assert_eq!(encoding::encode(decoded).as_bytes(), text);
    }
    if let Ok(decoded) = encoding::decode_url(text) {
        let unpadded = text.strip_suffix(b"=").unwrap_or(text);
        let unpadded = unpadded.strip_suffix(b"=").unwrap_or(unpadded);
        assert_eq!(encoding::encode_url(decoded).as_bytes(), unpadded);
        assert!(unpadded.len() == text.len() || text.len() % 4 == 0);
    }
}
