//! A server that reads multipart forms both ways, whole and in pieces, and tells what it understood.

use std::sync::mpsc;

use mongoose::http::{BodyMode, Handler, MultipartEvent, MultipartParser, PartHead, Reply, Request, Upload};
use mongoose::{Connection, Error, Limits};
use mongoose_tests::{Client, PATIENCE, Server};

/// One part, as it was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub filename: Option<String>,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

impl Field {
    pub fn text(name: &str, text: impl AsRef<[u8]>) -> Self {
        Self { name: name.to_owned(), body: text.as_ref().to_vec(), ..Self::default() }
    }

    pub fn file(name: &str, filename: &str, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        let (filename, content_type) = (Some(filename.to_owned()), Some(content_type.to_owned()));
        Self { filename, content_type, ..Self::text(name, body) }
    }

    fn begun(head: &PartHead<'_>) -> Self {
        let content_type =
            head.content_type().map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned());
        Self {
            name: head.name().to_owned(),
            filename: head.filename().map(str::to_owned),
            content_type,
            body: Vec::new(),
        }
    }
}

/// All parts, or why there are none.
pub type Understood = Result<Vec<Field>, String>;

/// Tells what it understood, and answers how many parts that were.
#[derive(Debug)]
pub struct FormServer {
    pub server: Server,
    told: mpsc::Receiver<Understood>,
}

impl FormServer {
    pub fn start() -> Self {
        let (tell, told) = mpsc::channel();
        let mut limits = Limits::default();
        limits.body = 64 << 20;
        let server = Server::http_within(limits, move || Forms { tell });
        Self { server, told }
    }

    pub fn told(&self) -> Understood {
        self.told.recv_timeout(PATIENCE).expect("the server to tell")
    }

    /// What it understands of a body that it has whole.
    pub fn whole(&self, content_type: &str, body: &[u8]) -> Understood {
        Client::connect(self.server.address).send(post("/whole", content_type, body)).response();
        self.told()
    }

    /// What it understands of a body that it reads as it comes, however that is.
    pub fn streamed(&self, content_type: &str, body: &[u8]) -> Understood {
        Client::connect(self.server.address).send(post("/pieces", content_type, body)).response();
        self.told()
    }

    /// What it understands of a good body that arrives as these pieces.
    pub fn pieces<'p>(&self, content_type: &str, pieces: impl IntoIterator<Item = &'p [u8]>) -> Understood {
        let body = pieces.into_iter().collect::<Vec<_>>();
        let head = head("/pieces", content_type, body.iter().map(|piece| piece.len()).sum());
        let mut client = Client::connect(self.server.address);
        self.server.feed(&mut client, [head.as_bytes()]);
        self.server.feed(&mut client, body);
        self.told()
    }
}

pub fn head(path: &str, content_type: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    )
}

pub fn post(path: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    [head(path, content_type, body.len()).as_bytes(), body].concat()
}

/// Writes a form as RFC 7578 has it.
pub fn write(boundary: &str, fields: &[Field]) -> Vec<u8> {
    let mut form = Vec::new();
    for field in fields {
        form.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        form.extend_from_slice(disposition(&field.name, field.filename.as_deref()).as_bytes());
        if let Some(content_type) = &field.content_type {
            form.extend_from_slice(format!("Content-Type: {content_type}\r\n").as_bytes());
        }
        form.extend_from_slice(b"\r\n");
        form.extend_from_slice(&field.body);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    form
}

/// As browsers escape.
fn disposition(name: &str, filename: Option<&str>) -> String {
    let escape = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let filename = filename.map(|filename| format!("; filename=\"{}\"", escape(filename)));
    format!("Content-Disposition: form-data; name=\"{}\"{}\r\n", escape(name), filename.unwrap_or_default())
}

struct Forms {
    tell: mpsc::Sender<Understood>,
}

impl Handler for Forms {
    fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
        if request.path() == "/pieces" { BodyMode::Streamed } else { BodyMode::Buffered }
    }

    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let tell = self.tell.clone();
        if request.path() == "/pieces" {
            return match request.multipart_parser() {
                Ok(parser) => reply.receive(Collect { reader: Reader::new(parser), tell }),
                Err(error) => tell_and_answer(&tell, Err(error), reply),
            };
        }
        tell_and_answer(&tell, understand(&request), reply)
    }
}

fn understand(request: &Request<'_>) -> Result<Vec<Field>, Error> {
    let fields = request.multipart()?.map(|part| {
        let part = part?;
        Ok(Field { body: part.body().to_vec(), ..Field::begun(part.head()) })
    });
    fields.collect()
}

fn tell_and_answer(
    tell: &mpsc::Sender<Understood>,
    understood: Result<Vec<Field>, Error>,
    reply: Reply<'_>,
) -> Result<(), Error> {
    let understood = understood.map_err(|error| error.to_string());
    let reply = reply.status(if understood.is_ok() { 200 } else { 400 });
    let answer = understood.as_ref().map_or_else(String::clone, |fields| fields.len().to_string());
    tell.send(understood).map_err(Error::handler)?;
    reply.text(answer)
}

/// What is understood of pieces without a server.
pub fn parse<'p>(boundary: &str, pieces: impl IntoIterator<Item = &'p [u8]>) -> Understood {
    let mut reader = Reader::new(MultipartParser::new(boundary.as_bytes()).expect("a boundary"));
    let read = pieces.into_iter().try_for_each(|piece| reader.take(piece));
    read.and_then(|()| reader.finish()).map_err(|error| error.to_string())
}

/// Reads a form in pieces.
#[derive(Debug)]
struct Reader {
    parser: MultipartParser,
    fields: Vec<Field>,
    /// A part has begun and not ended.
    open: bool,
}

impl Reader {
    fn new(parser: MultipartParser) -> Self {
        Self { parser, fields: Vec::new(), open: false }
    }

    fn take(&mut self, mut piece: &[u8]) -> Result<(), Error> {
        while let Some(event) = self.parser.next(&mut piece)? {
            match event {
                MultipartEvent::Part(head) => {
                    assert!(!std::mem::replace(&mut self.open, true), "a part inside another");
                    self.fields.push(Field::begun(&head));
                }
                MultipartEvent::Data(bytes) => {
                    assert!(self.open && !bytes.is_empty());
                    self.fields.last_mut().expect("a part first").body.extend_from_slice(bytes);
                }
                MultipartEvent::End => assert!(std::mem::replace(&mut self.open, false), "an end of nothing"),
            }
        }
        assert!(piece.is_empty(), "it stops at the end of the input alone");
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Field>, Error> {
        self.parser.finish()?;
        assert!(!self.open);
        Ok(std::mem::take(&mut self.fields))
    }
}

/// Takes a form as an upload.
struct Collect {
    reader: Reader,
    tell: mpsc::Sender<Understood>,
}

impl Upload for Collect {
    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.reader.take(piece)
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        tell_and_answer(&self.tell, self.reader.finish(), reply)
    }

    fn failed(&mut self, error: &Error) {
        // Whether the test still waits does not matter.
        let _ = self.tell.send(Err(error.to_string()));
    }
}
