//! HTTP: heads, the chunked coding, and what stands in headers.

use super::{choices, lies_in, pieces};
use crate::Limits;
use crate::gate::http::{
    Chunked, Framing, HeadScan, Progress, ResponseFraming, ResponseScan, Scanned, is_token, reference,
    scratch, unfold,
};
use crate::http::{ClientUrl, RangePart, RelativePath, parse_range};

fn limits(choice: u8) -> Limits {
    match choice & 3 {
        0 => Limits::default(),
        1 => Limits { head: 120, headers: 4, ..Limits::default() },
        2 => Limits { head: 64, headers: 100, ..Limits::default() },
        _ => Limits { head: 4096, headers: 1, ..Limits::default() },
    }
}

/// A request's head: see the assertions.
pub fn request_head(bytes: &[u8]) {
    let ([choice, cuts], input) = choices(bytes);
    let limits = limits(choice);
    let mut room = scratch();
    let whole = HeadScan::default().parse(input, &limits, &mut room);
    let mut scan = HeadScan::default();
    let mut end = 0;
    let mut dripped = None;
    for piece in pieces(input, cuts) {
        end += piece.len();
        let mut room = scratch();
        match scan.parse(&input[..end], &limits, &mut room) {
            Ok(None) => {}
            other => {
                dripped = Some(format!("{other:?}"));
                break;
            }
        }
    }
    let expected = if let Ok(None) = whole { None } else { Some(format!("{whole:?}")) };
    assert_eq!(dripped, expected, "whole and in pieces");
    let Ok(Some(head)) = whole else { return };

    assert!(head.len <= input.len() && head.len <= limits.head + 2, "{} bytes", head.len);
    assert!(head.headers.len() <= limits.headers);
    let text = &input[..head.len];
    let text = text.strip_prefix(b"\r\n").unwrap_or(text);
    let lines = lines(text);
    let (line, headers) = lines.split_first().expect("a request line");
    let words: Vec<_> = line.split(|&byte| byte == b' ').collect();
    let [method, target, version] = words[..] else { panic!("{words:?}") };
    assert_eq!((head.method.as_bytes(), head.raw_target.as_bytes()), (method, target));
    assert_eq!(version, [b"HTTP/1.".as_slice(), &[b'0' + head.minor]].concat());
    assert!(method.iter().copied().all(is_token) && target.iter().all(u8::is_ascii_graphic));
    let (path, query) = (head.target.path, head.target.query);
    assert!(path.starts_with('/') || (path, head.method) == ("*", "OPTIONS"));
    assert!(!path.contains('?') && (query.is_empty() || head.raw_target.ends_with(&format!("?{query}"))));
    assert!(path == "/" || (lies_in(path.as_bytes(), text) && head.raw_target.contains(path)));
    check_headers(head.headers, headers);

    let values = |name: &str| values(headers, name);
    let (lengths, codings) = (values("content-length"), values("transfer-encoding"));
    match head.framing {
        Framing::Length(length) => {
            assert!(codings.is_empty());
            assert_eq!(lengths.is_empty().then_some(0).or(number(&lengths)), Some(length));
        }
        Framing::Chunked => {
            assert!(lengths.is_empty() && head.minor == 1 && codings.len() == 1);
            assert!(codings[0].eq_ignore_ascii_case(b"chunked"));
        }
    }
    let hosts = values("host").len();
    assert!(hosts == 1 || (hosts, head.minor) == (0, 0));
    assert_eq!(head.keep_alive, keeps(&values("connection"), head.minor));
}

/// A response's head: see the assertions.
pub fn response_head(bytes: &[u8]) {
    let ([choice, cuts], input) = choices(bytes);
    let (limits, to_head) = (limits(choice), choice & 4 != 0);
    let mut scan = ResponseScan::default();
    let mut dripping = Vec::new();
    let mut dripped = None;
    for piece in pieces(input, cuts) {
        dripping.extend_from_slice(piece);
        dripped = judge(&mut scan, &mut dripping, &limits, to_head);
        if dripped.is_some() {
            break;
        }
    }
    let mut input = input.to_vec();
    let expected = judge(&mut ResponseScan::default(), &mut input, &limits, to_head);
    assert_eq!(dripped, expected, "whole and in pieces");

    let mut room = scratch();
    let Ok(Scanned::Head(head)) = ResponseScan::default().parse(&input, &limits, to_head, &mut room) else {
        return;
    };
    assert!(head.len <= limits.head && head.headers.len() <= limits.headers);
    let lines = lines(&input[..head.len]);
    let (line, headers) = lines.split_first().expect("a status line");
    let status = format!("HTTP/1.{} {}", head.minor, head.status);
    let reason = line.strip_prefix(status.as_bytes()).expect("version and status");
    assert!(head.reason.is_empty() || reason[1..] == *head.reason.as_bytes());
    assert!((100..=999).contains(&head.status));
    check_headers(head.headers, headers);
    let values = |name: &str| values(headers, name);
    let (lengths, codings) = (values("content-length"), values("transfer-encoding"));
    if to_head || matches!(head.status, 100..=199 | 204 | 304) {
        assert_eq!(head.framing, ResponseFraming::Length(0));
    } else {
        match head.framing {
            ResponseFraming::Length(length) => {
                assert!(codings.is_empty());
                assert_eq!(number(&lengths), Some(length));
            }
            ResponseFraming::Chunked => {
                assert!(lengths.is_empty() && head.minor == 1 && codings.len() == 1);
                assert!(codings[0].eq_ignore_ascii_case(b"chunked"));
            }
            ResponseFraming::Close => assert!(lengths.is_empty() && codings.is_empty()),
        }
    }
    let keeps = keeps(&values("connection"), head.minor);
    assert_eq!(head.keep_alive, keeps && head.framing != ResponseFraming::Close);
}

/// What is said of a response's head, unfolded where it has to be. `None`: it is not all there.
fn judge(scan: &mut ResponseScan, input: &mut [u8], limits: &Limits, to_head: bool) -> Option<String> {
    if let Ok(Scanned::Folded) = scan.parse(input, limits, to_head, &mut scratch()) {
        unfold(input);
    }
    match scan.parse(input, limits, to_head, &mut scratch()) {
        Ok(Scanned::Partial) => None,
        Ok(Scanned::Folded) => panic!("unfolded, and folded still"),
        other => Some(format!("{other:?}")),
    }
}

/// The lines of a head but for the empty one at its end. There is no CR or LF in them.
fn lines(head: &[u8]) -> Vec<&[u8]> {
    let head = head.strip_suffix(b"\r\n\r\n").expect("an empty line at the end");
    let lines: Vec<_> = head.split(|&byte| byte == b'\n').collect();
    let (last, others) = lines.split_last().expect("a line");
    let others = others.iter().map(|line| line.strip_suffix(b"\r").expect("a CR before the LF"));
    let lines: Vec<_> = others.chain([*last]).collect();
    assert!(lines.iter().all(|line| !line.is_empty() && !line.iter().any(|byte| b"\r\n\0".contains(byte))));
    lines
}

/// Compares headers with the lines that they are made of.
fn check_headers(headers: &[httparse::Header<'_>], lines: &[&[u8]]) {
    assert_eq!(headers.len(), lines.len());
    for (header, line) in headers.iter().zip(lines) {
        let (name, value) = split_header(line);
        assert!(!name.is_empty() && name.iter().copied().all(is_token));
        assert_eq!((header.name.as_bytes(), header.value), (name, value));
    }
}

fn split_header(line: &[u8]) -> (&[u8], &[u8]) {
    let colon = line.iter().position(|&byte| byte == b':').expect("a colon");
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let value = &line[colon + 1..];
    let start = value.iter().position(|byte| !blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    (&line[..colon], &value[start..end])
}

fn values<'l>(lines: &[&'l [u8]], name: &str) -> Vec<&'l [u8]> {
    let headers = lines.iter().map(|line| split_header(line));
    headers.filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value).collect()
}

/// The only value, which has to be a number.
fn number(values: &[&[u8]]) -> Option<usize> {
    let [value] = values else { return None };
    assert!(value.iter().all(u8::is_ascii_digit));
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn keeps(connection: &[&[u8]], minor: u8) -> bool {
    let tokens =
        || connection.iter().flat_map(|value| value.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii);
    let has = |token: &[u8]| tokens().any(|other| other.eq_ignore_ascii_case(token));
    !has(b"close") && (minor == 1 || has(b"keep-alive"))
}

/// The chunked coding: as a plain reading has it, at any split, and with decoded bytes taken off the front meanwhile.
pub fn chunked(bytes: &[u8]) {
    let ([takes, cuts], input) = choices(bytes);
    // No line or trailer may be longer than the decoder takes, which the plain reading does not know.
    let input = &input[..input.len().min(4000)];
    let (body, progress, rest) = decode(&[input], 0);
    assert_eq!(
        (body.clone(), progress, rest.clone()),
        decode(&pieces(input, cuts), takes),
        "whole and in pieces"
    );
    match reference::chunked(input) {
        Ok(Some((expected, after))) => {
            assert_eq!((progress, &body[..], &rest[..]), (Progress::Done, &expected[..], after));
        }
        // It need not wait for the end of a line to see that it is wrong.
        Ok(None) => assert!(progress != Progress::Done, "{progress:?}"),
        Err(()) => assert!(matches!(progress, Progress::Refused(_)), "{progress:?}"),
    }
    let limits = Limits { body: 20, head: 30, ..Limits::default() };
    let mut bounded = Chunked::new(&limits);
    let mut kept = Vec::new();
    for piece in pieces(input, cuts) {
        kept.extend_from_slice(piece);
        let left = bounded.decode(&mut kept);
        kept.truncate(left);
        assert!(
            bounded.body() <= 20 && (kept.len() == bounded.body() || bounded.progress() != Progress::More)
        );
    }
    assert!(bounded.progress() != Progress::Done || progress == Progress::Done);
}

/// Decodes pieces, and takes up to so many decoded bytes off the front after each.
fn decode(pieces: &[&[u8]], takes: u8) -> (Vec<u8>, Progress, Vec<u8>) {
    let mut chunked = Chunked::streaming(usize::MAX);
    let (mut input, mut taken) = (Vec::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        let left = chunked.decode(&mut input);
        assert!(chunked.body() <= left && left <= input.len());
        input.truncate(left);
        let count = chunked.body().min(usize::from(takes));
        taken.extend(input.drain(..count));
        chunked.take(count);
    }
    let rest = input.split_off(chunked.body());
    taken.append(&mut input);
    (taken, chunked.progress(), rest)
}

/// The Range header, beside a plain reading in numbers of any size.
pub fn range(bytes: &[u8]) {
    let ([length, scale], value) = choices(bytes);
    let length = u64::from(length) << (scale % 57);
    let part = parse_range(value, length);
    if let RangePart::Bytes { start, end } = part {
        assert!(start < end && end <= length);
    }
    if value.len() > 30 {
        return;
    }
    let expected = match reference_range(value) {
        None => RangePart::Whole,
        Some((None, Some(0))) => RangePart::Unsatisfiable,
        Some((None, Some(_))) if length == 0 => RangePart::Whole,
        Some((None, suffix)) => {
            let start = u128::from(length).saturating_sub(suffix.unwrap_or_default());
            RangePart::Bytes { start: start as u64, end: length }
        }
        Some((Some(first), _)) if first >= u128::from(length) => RangePart::Unsatisfiable,
        Some((Some(first), last)) => {
            let end = last.map_or(length, |last| (last + 1).min(u128::from(length)) as u64);
            RangePart::Bytes { start: first as u64, end }
        }
    };
    assert_eq!(part, expected);
}

/// First and last byte, or the length of a suffix behind nothing.
fn reference_range(value: &[u8]) -> Option<(Option<u128>, Option<u128>)> {
    let (unit, set) = std::str::from_utf8(value).ok()?.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let blank = |letter: char| letter.is_ascii_whitespace();
    let specs: Vec<_> =
        set.split(',').map(|spec| spec.trim_matches(blank)).filter(|spec| !spec.is_empty()).collect();
    let [spec] = specs[..] else { return None };
    let (first, last) = spec.split_once('-')?;
    let number = |digits: &str| match digits {
        "" => Some(None),
        _ if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse::<u128>().ok().map(Some),
        _ => None,
    };
    match (number(first)?, number(last)?) {
        (None, None) => None,
        (Some(first), Some(last)) if first > last => None,
        both => Some(both),
    }
}

/// Cookies of a request, beside a plain reading; and one that may be set comes back as it is.
#[cfg(feature = "cookies")]
pub fn cookies(header: &[u8]) {
    use crate::http::{check_cookie, cookie::Cookie, split_cookies};

    let found: Vec<_> =
        split_cookies(header).map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned())).collect();
    let pairs = header.split(|&byte| byte == b';').filter_map(|pair| std::str::from_utf8(pair).ok());
    let pairs =
        pairs.filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.trim(), value.trim()));
    let expected: Vec<_> = pairs
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(found, expected);
    for (name, value) in found {
        let cookie = Cookie::new(name.clone(), value.clone());
        if check_cookie(&cookie).is_err() {
            continue;
        }
        let text = cookie.to_string();
        assert!(!text.contains(['\r', '\n', '\0', ';']), "{text:?}");
        let back: Vec<_> = split_cookies(text.as_bytes()).collect();
        assert_eq!((back.len(), back[0].name(), back[0].value()), (1, &*name, &*value));
    }
}

/// A redirect's `Location`: where it leads is a URL that means itself, and nothing is told to who should not hear it.
pub fn redirect(reference: &[u8]) {
    let base = ClientUrl::parse("http://user:secret@Example.com:8080/a/b;c/d?e=f").expect("valid");
    if let Ok(text) = std::str::from_utf8(reference)
        && let Ok(url) = ClientUrl::parse(text)
    {
        let again = ClientUrl::parse(url.as_str()).expect("what it says of itself");
        assert_eq!((again.as_str(), again.endpoint().port()), (url.as_str(), url.endpoint().port()));
    }
    let Ok(url) = base.join(reference) else { return };
    let text = url.as_str();
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
    assert!(url.target().starts_with('/') && !url.target().contains('#'), "{text:?}");
    let scheme = if url.is_secure() { "https" } else { "http" };
    assert_eq!(format!("{scheme}://{}{}", url.authority(), url.target()), text);
    let path = url.target().split('?').next().unwrap_or_default();
    assert!(!path.split('/').any(|segment| matches!(segment, "." | "..")), "{text:?}");
    let own = !url.is_secure() && url.authority() == "example.com:8080";
    assert_eq!(url.is_same_origin(&base), own, "{text:?}");
    assert_eq!(url.authorization().is_some(), own, "{text:?}");
    let again = ClientUrl::parse(text).expect("what it says of itself");
    let host = |url: &ClientUrl| {
        // Its zone is not said.
        let host = url.endpoint().host().split('%').next().unwrap_or_default();
        (host.to_ascii_lowercase(), url.endpoint().port())
    };
    assert_eq!((again.as_str(), host(&again)), (text, host(&url)));
    let again = base.join(text.as_bytes()).expect("an absolute reference");
    assert_eq!((again.as_str(), again.authorization()), (text, url.authorization()));
}

/// The way from a URL's path to a file's: nothing leads out of the folder.
pub fn file_path(bytes: &[u8]) {
    let ([dotfiles], path) = choices(bytes);
    let Ok(path) = std::str::from_utf8(path) else { return };
    let Ok(found) = RelativePath::parse(path, dotfiles & 1 != 0) else { return };
    assert_eq!(found.folder, path.is_empty() || path.ends_with('/'));
    if found.names.is_empty() {
        assert!(path.bytes().all(|byte| byte == b'/'));
        return;
    }
    for name in found.names.split(|&byte| byte == b'/') {
        assert!(!matches!(name, b"" | b"." | b".."), "{path:?}");
        assert!(!name.iter().any(|byte| matches!(byte, 0 | b'\\')) && (dotfiles & 1 != 0 || name[0] != b'.'));
    }
    let decoded = crate::url::decode(path).expect("decoded before");
    let names = decoded.split(|&byte| byte == b'/').filter(|name| !name.is_empty());
    assert!(names.eq(found.names.split(|&byte| byte == b'/')));
}
