//! Plain readings of what the gate reads in pieces, over all bytes at once: what tests and fuzz targets compare it with.

/// Something and what follows it. `None`: its end is missing.
pub(crate) type Parsed<'b, T> = Result<Option<(T, &'b [u8])>, ()>;

/// The chunked coding as RFC 9112 section 7.1 writes it down.
pub(crate) fn chunked(mut text: &[u8]) -> Parsed<'_, Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Some((line, after)) = next_line(text)? else { return Ok(None) };
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let extension = line[digits..].trim_ascii_start();
        if !(1..=16).contains(&digits) || !(extension.is_empty() || extension[0] == b';') {
            return Err(());
        }
        let size = std::str::from_utf8(&line[..digits]).map_err(drop)?;
        let size = u64::from_str_radix(size, 16).map_err(drop)?;
        text = after;
        if size == 0 {
            break;
        }
        if (text.len() as u64) < size {
            return Ok(None);
        }
        let (data, after) = text.split_at(size as usize);
        body.extend_from_slice(data);
        match after {
            [b'\r', b'\n', after @ ..] => text = after,
            b"" | b"\r" => return Ok(None),
            _ => return Err(()),
        }
    }
    loop {
        let Some((line, after)) = next_line(text)? else { return Ok(None) };
        text = after;
        if line.is_empty() {
            return Ok(Some((body, text)));
        }
        let name = line.iter().position(|&byte| byte == b':').ok_or(())?;
        if name == 0 || !line[..name].iter().copied().all(super::is_token) {
            return Err(());
        }
    }
}

fn next_line(text: &[u8]) -> Parsed<'_, &[u8]> {
    let Some(end) = text.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    let control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    if text[..end].iter().any(control) { Err(()) } else { Ok(Some((&text[..end], &text[end + 2..]))) }
}
