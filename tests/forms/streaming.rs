//! Multipart forms in pieces, as an upload that nobody holds.

use std::sync::mpsc;

use mongoose::http::{BodyMode, Handler, MultipartEvent, MultipartParser, Reply, Request, Upload};
use mongoose::{Connection, Error};
use mongoose_tests::{Client, PATIENCE, Random, Server, scaled};

use crate::form_server::{Field, FormServer, head, parse, write};

const TYPE: &str = "multipart/form-data; boundary=--boundary--";
const BOUNDARY: &str = "--boundary--";

/// Contents that look like delimiters, and a form of them.
fn deceptive() -> (Vec<Field>, Vec<u8>) {
    let contents = [
        "\r\n",
        "\r\n--",
        "\r\n----boundary-",
        "----boundary--",
        "\r----boundary--",
        "\n----boundary--",
        "\r\n\r\n----bound",
        "\r\r\n-\r\n--\r\n---\r\n----b\r\n----boundary-\r",
        "--",
        "\r",
        "\r\n----boundary-\r\n----boundary-",
    ];
    // At the start of a part, `----boundary--` would be at the start of a line.
    let inside = |content: &str| format!("x{content}");
    let fields: Vec<_> = contents.map(|content| Field::text("a", inside(content))).to_vec();
    let form = write(BOUNDARY, &fields);
    (fields, form)
}

#[test]
fn hazard_40_a_form_is_the_same_wherever_it_is_split() {
    let (fields, form) = deceptive();
    for size in 1..form.len() {
        assert_eq!(parse(BOUNDARY, form.chunks(size)).as_ref(), Ok(&fields), "in pieces of {size}");
    }
    for at in 0..=form.len() {
        let (one, other) = form.split_at(at);
        assert_eq!(parse(BOUNDARY, [one, b"", other]).as_ref(), Ok(&fields), "split at {at}");
    }
}

#[test]
fn hazard_40_over_a_socket_a_form_is_the_same_byte_by_byte_and_at_random_splits() {
    let (fields, form) = deceptive();
    let server = FormServer::start();
    let mut random = Random::new(0x73_706c_6974);
    assert_eq!(server.pieces(TYPE, form.chunks(1)).as_ref(), Ok(&fields));
    for _ in 0..scaled(20) {
        assert_eq!(server.pieces(TYPE, random.split(&form, 20)).as_ref(), Ok(&fields));
    }
    assert_eq!(server.whole(TYPE, &form).as_ref(), Ok(&fields));
}

#[test]
fn after_an_error_a_parser_gives_errors_alone() {
    let mut parser = MultipartParser::new(b"x").expect("a boundary");
    let mut input = &b"--x\r\nmalformed\r\n\r\n"[..];
    assert!(matches!(parser.next(&mut input), Err(Error::Multipart(_))));
    let mut input = &b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--x--"[..];
    assert!(matches!(parser.next(&mut input), Err(Error::Multipart(_))));
    assert!(matches!(parser.finish(), Err(Error::Multipart(_))));
}

/// Sums up the file of a form, and keeps none of it.
struct Summing {
    parser: MultipartParser,
    bytes: u64,
    sum: u64,
    largest: usize,
    tell: mpsc::Sender<(u64, u64, usize)>,
}

fn sum(sum: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(sum, |sum, &byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}

impl Upload for Summing {
    fn data(&mut self, _: &Connection<'_>, mut piece: &[u8]) -> Result<(), Error> {
        self.largest = self.largest.max(piece.len());
        while let Some(event) = self.parser.next(&mut piece)? {
            if let MultipartEvent::Data(bytes) = event {
                self.bytes += bytes.len() as u64;
                self.sum = sum(self.sum, bytes);
            }
        }
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        self.parser.finish()?;
        self.tell.send((self.bytes, self.sum, self.largest)).map_err(Error::handler)?;
        reply.empty()
    }
}

struct Uploads(mpsc::Sender<(u64, u64, usize)>);

impl Handler for Uploads {
    fn body_mode(&mut self, _: &Request<'_>) -> BodyMode {
        BodyMode::Streamed
    }

    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let parser = request.multipart_parser()?;
        reply.receive(Summing { parser, bytes: 0, sum: 0, largest: 0, tell: self.0.clone() })
    }
}

#[test]
fn a_file_far_past_the_limit_of_bodies_passes_through_in_small_pieces() {
    let (tell, told) = mpsc::channel();
    // Nothing but CRs, dashes and LFs: all of it could become a delimiter.
    let server = Server::http(move || Uploads(tell));
    let block: Vec<u8> = b"\r\n----boundary-\r\n--\r".iter().copied().cycle().take(1 << 16).collect();
    let blocks = scaled(1000);
    let empty = write(BOUNDARY, &[Field::file("f", "f", "a/b", "")]);
    let content = empty.len() - "\r\n----boundary----\r\n".len();
    let mut client = Client::connect(server.address);
    client.send(head("/", TYPE, empty.len() + blocks * block.len())).send(&empty[..content]);
    let mut expected = 0;
    for _ in 0..blocks {
        client.send(&block);
        expected = sum(expected, &block);
    }
    assert_eq!(client.send(&empty[content..]).response().status, 200);
    let (bytes, sum, largest) = told.recv_timeout(PATIENCE).expect("the upload to end");
    assert_eq!((bytes, sum), ((blocks * block.len()) as u64, expected));
    assert!(largest <= 1 << 17, "a piece of {largest} bytes");
}
