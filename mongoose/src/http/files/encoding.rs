//! The Accept-Encoding header (RFC 9110 section 12.5.3).

/// Whether the peer wants gzip rather than the bytes as they are. `lines` are the header's values.
pub(super) fn prefers_gzip<'l>(lines: impl Iterator<Item = &'l [u8]>) -> bool {
    let (mut gzip, mut identity, mut any) = (None, None, None);
    for element in lines.flat_map(|line| line.split(|&byte| byte == b',')) {
        let mut parameters = element.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        let coding = parameters.next().unwrap_or_default();
        // A weight that is none counts as a refusal: the plain bytes are never wrong.
        let weight = parameters.next().map_or(Some(1000), weight).unwrap_or(0);
        let slot = match coding {
            _ if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") => &mut gzip,
            _ if coding.eq_ignore_ascii_case(b"identity") => &mut identity,
            b"*" => &mut any,
            _ => continue,
        };
        *slot = Some(weight);
    }
    // What is not named weighs what `*` does; the plain bytes are always allowed, but nobody asked for them.
    let (gzip, identity) = (gzip.or(any).unwrap_or(0), identity.or(any).unwrap_or(0));
    gzip > 0 && gzip >= identity
}

/// `q=0.5`, in thousandths.
fn weight(parameter: &[u8]) -> Option<u16> {
    let value = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="))?;
    let (&whole, rest) = value.split_first()?;
    let decimals = match rest.split_first() {
        None => rest,
        Some((b'.', decimals)) if decimals.len() <= 3 => decimals,
        Some(_) => return None,
    };
    if !matches!(whole, b'0' | b'1') || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |at: usize| decimals.get(at).map_or(0, |digit| u16::from(digit - b'0'));
    let thousandths = u16::from(whole - b'0') * 1000 + digit(0) * 100 + digit(1) * 10 + digit(2);
    (thousandths <= 1000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefers(line: &str) -> bool {
        prefers_gzip(std::iter::once(line.as_bytes()))
    }

    #[test]
    fn gzip_is_sent_to_who_wants_it() {
        for line in [
            "gzip",
            "GZip",
            "x-gzip",
            "gzip, deflate, br",
            "br;q=1.0, gzip;q=0.8, *;q=0.1",
            "deflate,gzip;q=0.001",
            "*",
            "gzip;q=0.5, identity;q=0.5",
            "identity;q=0.4 , gzip ; q=0.5",
            "identity;q=0, *;q=0.2",
            ",,gzip,",
        ] {
            assert!(prefers(line), "{line}");
        }
        assert!(prefers_gzip([&b"br"[..], b"gzip"].into_iter()), "two lines are one list");
    }

    #[test]
    fn and_to_nobody_else() {
        for line in [
            "",
            "br",
            "identity",
            "gzip;q=0",
            "gzip;q=0.000",
            "*;q=0",
            "gzip;q=0, *",
            "gzip;q=0.5, identity",
            "gzip;q=0.3, *;q=0.5",
            "gzipped",
            "gzip;q=2",
            "gzip;q=1.001",
            "gzip;q=0.1234",
            "gzip;q=",
            "gzip;q=-1",
            "gzip;level=9",
        ] {
            assert!(!prefers(line), "{line}");
        }
        assert!(!prefers_gzip(std::iter::empty()));
    }
}
