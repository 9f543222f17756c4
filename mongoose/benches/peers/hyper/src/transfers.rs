//! hyper with files, streamed bodies and events on one thread, as a peer of the bench:
//! `peer-hyper-transfers PORT FOLDER`.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use futures_util::{StreamExt, stream};
use http_body_util::channel::{Channel, Sender};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::fs::File;
use tokio::net::TcpListener;
use tokio_util::io::ReaderStream;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
type Body = UnsyncBoxBody<Bytes, io::Error>;

/// How many events may wait for one subscriber.
const QUEUE: usize = 64;

/// What is read of a file at a time: as tower-http's `ServeDir` has it.
const PIECE: usize = 64 << 10;

const EVENT: &[u8] =
    b"data: Four score and seven years ago our fathers brought forth on this continent a new nation!\n\n";

struct Site {
    folder: PathBuf,
    subscribers: RefCell<Vec<Sender<Bytes, io::Error>>>,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, folder] = &arguments[..] else { return Err("usage: peer-hyper-transfers PORT FOLDER".into()) };
    let site = Rc::new(Site { folder: folder.into(), subscribers: RefCell::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, serve(port.parse()?, site))
}

async fn serve(port: u16, site: Rc<Site>) -> Outcome<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        // As the others do.
        let _ = socket.set_nodelay(true);
        let site = Rc::clone(&site);
        let service = service_fn(move |request| answer(request, Rc::clone(&site)));
        tokio::task::spawn_local(
            http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(socket), service),
        );
    }
}

async fn answer(request: Request<Incoming>, site: Rc<Site>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    Ok(match path {
        "/hello" => text(StatusCode::OK, full("Hello, World!")),
        "/chunked" => {
            // 16 pieces of 1 KB, each made when it is asked for.
            let pieces = stream::iter(0..16).map(|_| Ok(Frame::data(Bytes::from(vec![b'x'; 1 << 10]))));
            text(StatusCode::OK, StreamBody::new(pieces).boxed_unsync())
        }
        "/upload" => {
            let (mut body, mut count) = (request.into_body(), 0);
            while let Some(frame) = body.frame().await {
                match frame {
                    Ok(frame) => count += frame.data_ref().map_or(0, Bytes::len),
                    Err(_) => return Ok(text(StatusCode::BAD_REQUEST, full("malformed"))),
                }
            }
            text(StatusCode::OK, full(count.to_string()))
        }
        "/events" => {
            let (sender, body) = Channel::new(QUEUE);
            site.subscribers.borrow_mut().push(sender);
            let mut response = Response::new(body.boxed_unsync());
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        "/publish" => {
            let event = Bytes::from(EVENT.to_vec());
            // One that is gone or too slow is forgotten.
            site.subscribers
                .borrow_mut()
                .retain_mut(|sender| sender.try_send(Frame::data(event.clone())).is_ok());
            text(StatusCode::OK, full("Hello, World!"))
        }
        _ => file(&site, path).await.unwrap_or_else(|_| text(StatusCode::NOT_FOUND, full("not found"))),
    })
}

async fn file(site: &Site, path: &str) -> io::Result<Response<Body>> {
    let file = File::open(site.folder.join(path.trim_start_matches('/'))).await?;
    let length = file.metadata().await?.len();
    let pieces = ReaderStream::with_capacity(file, PIECE).map(|piece| piece.map(Frame::data));
    let mut response = text(StatusCode::OK, StreamBody::new(pieces).boxed_unsync());
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    Ok(response)
}

fn full(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).map_err(|never| match never {}).boxed_unsync()
}

fn text(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
