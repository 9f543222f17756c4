//! Multipart forms.

use mongoose::fuzzing::{choices, pieces};
use mongoose::http::{MultipartEvent, MultipartParser};

/// A form of the boundary `X`: at any split the same parts, which are as they lie in the input.
pub fn multipart(bytes: &[u8]) {
    let ([choice, cuts], input) = choices(bytes);
    let parser = || {
        let parser = MultipartParser::new(b"X").expect("a boundary").max_parts(8);
        if choice & 1 == 0 { parser } else { parser.max_head(60) }
    };
    let (whole, result) = parts(parser(), &[input]);
    assert_eq!(parts(parser(), &pieces(input, cuts)), (whole.clone(), result.clone()), "whole and in pieces");
    assert!(whole.len() <= 8);
    let mut from = 0;
    for part in whole.iter().filter(|part| part.complete) {
        assert!(!contains(&part.content, b"\r\n--X") && !part.content.starts_with(b"--X"));
        // A part lies between the end of its head and the next delimiter, in the order of the parts.
        let framed = [b"\r\n\r\n", &part.content[..], b"\r\n--X"].concat();
        let bare = [b"\r\n", &part.content[..], b"\r\n--X"].concat();
        let empty = part.content.is_empty() && contains(&input[from..], b"\r\n--X");
        // The first of either, which is never behind where the part really is.
        let find = |what: &[u8]| input[from..].windows(what.len()).position(|window| window == what);
        let at = find(&framed).into_iter().chain(find(&bare)).min();
        assert!(at.is_some() || empty, "{:?}", part.content);
        from += at.unwrap_or(0);
    }
    if result.is_ok() {
        assert!(contains(input, b"--X--") && whole.iter().all(|part| part.complete));
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[derive(Clone, Debug, PartialEq)]
struct Part {
    name: String,
    filename: Option<String>,
    content: Vec<u8>,
    complete: bool,
}

fn parts(mut parser: MultipartParser, pieces: &[&[u8]]) -> (Vec<Part>, Result<(), String>) {
    let mut parts: Vec<Part> = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        loop {
            match parser.next(&mut input) {
                Ok(Some(MultipartEvent::Part(head))) => {
                    assert!(parts.last().is_none_or(|part| part.complete));
                    let (name, filename) = (head.name().to_owned(), head.filename().map(str::to_owned));
                    parts.push(Part { name, filename, content: Vec::new(), complete: false });
                }
                Ok(Some(MultipartEvent::Data(bytes))) => {
                    assert!(!bytes.is_empty());
                    parts.last_mut().filter(|part| !part.complete).expect("a part").content.extend(bytes);
                }
                Ok(Some(MultipartEvent::End)) => parts.last_mut().expect("a part").complete = true,
                Ok(None) => break,
                Err(error) => {
                    assert!(parser.next(&mut &b"\r\n--X--"[..]).is_err(), "an error is the last");
                    return (parts, Err(error.to_string()));
                }
            }
        }
        assert!(input.is_empty());
    }
    (parts, parser.finish().map_err(|error| error.to_string()))
}
