//! What was understood of a request, to be compared with what others understand.

use mongoose::http::Request;

/// `{"method":...,"uri":...,"version":...,"headers":[[name,value],...],"body":...}`, every value in base64: they are
/// bytes, and JSON has none.
pub fn to_json(request: &Request<'_>) -> String {
    let headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| format!("[{},{}]", base64(name.as_bytes()), base64(value.as_bytes())))
        .collect();
    format!(
        "{{\"method\":{},\"uri\":{},\"version\":{},\"headers\":[{}],\"body\":{}}}\n",
        base64(request.method().as_bytes()),
        base64(request.target().as_bytes()),
        base64(request.protocol().as_bytes()),
        headers.join(","),
        base64(request.body()),
    )
}

/// In quotes.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("\"");
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text + "\""
}
