//! Bodies that are made and read in pieces, and events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt, stream};
use mongoose_tests::{Client, scaled};
use tokio::time::{interval, sleep};

use super::on_both;

fn numbers(count: usize) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::iter((0..count).map(|number| Ok(format!("{number}\n").into())))
}

#[test]
fn downloads_and_uploads_are_streamed() {
    let count = scaled(200_000);
    let router = move || {
        let download = move || async move { Body::from_stream(numbers(count)) };
        let slowly = || async {
            Body::from_stream(numbers(5).then(|line| async {
                sleep(Duration::from_millis(5)).await;
                line
            }))
        };
        let upload = |request: Request| async move {
            let mut sum = (0_u64, 0_u64);
            let mut body = request.into_body().into_data_stream();
            while let Some(piece) = body.next().await {
                let piece = piece.expect("the whole body");
                sum = (
                    sum.0 + piece.len() as u64,
                    sum.1 + piece.iter().map(|&byte| u64::from(byte)).sum::<u64>(),
                );
            }
            format!("{sum:?}")
        };
        let echo =
            |request: Request| async move { Body::from_stream(request.into_body().into_data_stream()) };
        Router::new()
            .route("/download", get(download))
            .route("/slowly", get(slowly))
            .route("/upload", post(upload))
            .route("/echo", post(echo))
            .layer(DefaultBodyLimit::disable())
    };
    on_both(router, |site| {
        let client = &mut Client::connect(site.address);
        let expected: String = (0..count).map(|number| format!("{number}\n")).collect();
        let reply = client.get("/download");
        assert_eq!(reply.header("Transfer-Encoding"), Some("chunked"));
        assert!(reply.body == expected.as_bytes(), "another download");
        assert_eq!(client.get("/slowly").text(), "0\n1\n2\n3\n4\n");
        let body = vec![3_u8; scaled(20 << 20)];
        client.send(format!("POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", body.len()));
        let sum = (body.len() as u64, 3 * body.len() as u64);
        assert_eq!(client.send(&body).response().text(), format!("{sum:?}"));
        client.send("POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        while !client.line().is_empty() {}
        assert_eq!(client.chunk().expect("a piece"), b"abc");
        client.send("2\r\nde\r\n0\r\n\r\n");
        assert_eq!(client.chunk().expect("a piece"), b"de");
        assert_eq!(client.chunk(), None);
        // With 100-continue, as curl asks for large bodies.
        client
            .send("POST /upload HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        assert_eq!(client.response().status, 100);
        assert_eq!(client.send([1, 1]).response().text(), "(2, 2)");
    });
}

#[test]
fn events_are_sent_as_they_happen() {
    let router = || {
        let events = || async {
            let ticks =
                stream::unfold((interval(Duration::from_millis(5)), 0), |(mut timer, number)| async move {
                    timer.tick().await;
                    let event =
                        Event::default().event("tick").id(number.to_string()).data(format!("{number}\nmore"));
                    (number < 3).then_some((Ok::<_, Infallible>(event), (timer, number + 1)))
                });
            Sse::new(ticks).keep_alive(KeepAlive::default())
        };
        let quiet = || async {
            let never = stream::pending::<Result<Event, Infallible>>();
            Sse::new(never).keep_alive(KeepAlive::new().interval(Duration::from_millis(10)).text("alive"))
        };
        Router::new().route("/events", get(events)).route("/quiet", get(quiet))
    };
    on_both(router, |site| {
        let client = &mut Client::connect(site.address);
        let reply = client.get("/events");
        assert_eq!(reply.header("Content-Type"), Some("text/event-stream"));
        let expected: String = (0..3)
            .map(|number| format!("event: tick\nid: {number}\ndata: {number}\ndata: more\n\n"))
            .collect();
        let mut told = reply.text().split("\n\n").filter(|event| !event.is_empty()).map(|event| {
            let mut lines: Vec<_> = event.lines().collect();
            lines.sort_unstable();
            lines.join("\n")
        });
        let mut wanted = expected.split("\n\n").filter(|event| !event.is_empty()).map(|event| {
            let mut lines: Vec<_> = event.lines().collect();
            lines.sort_unstable();
            lines.join("\n")
        });
        assert!(told.by_ref().eq(wanted.by_ref()), "{}", reply.text());
        let mut client = Client::connect(site.address);
        client.send("GET /quiet HTTP/1.1\r\nHost: test\r\n\r\n");
        while !client.line().is_empty() {}
        for _ in 0..3 {
            assert_eq!(client.chunk().expect("a comment"), b": alive\n\n");
        }
    });
}
