//! Large files: sent from where they lie, at constant memory, and others have their turn.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::Read;

use mongoose::{Connection, Error, Event, Manager, http};
use mongoose_tests::{Client, PATIENCE, Server, in_own_process, poll_until, scaled, steadily};

use crate::ask;
use crate::folder::{Folder, pattern};

/// More than the buffers of a socket's two ends hold together.
const PAST_THE_BUFFERS: usize = 24 << 20;

/// What may wait on a connection while a file is sent: a piece, and what is there when it is asked for.
const HELD: usize = 1 << 20;

/// Makes a file of nothing but its length.
fn sparse(folder: &Folder, name: &str, length: u64) {
    folder.file(name, "");
    File::options()
        .write(true)
        .open(folder.root().join(name))
        .and_then(|file| file.set_len(length))
        .expect("to set");
}

/// Waits until the server has sent all that the socket takes, and answers how much it holds.
fn wait_until_stuck(server: &Server) -> usize {
    let mut before = None;
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let (sent, queued) = server.ask(|registry| {
            let queued = |id| registry.connection(id).map_or(0, |connection| connection.queued());
            (registry.stats().sent, registry.connections().into_iter().map(queued).sum())
        });
        if queued > 0 && before == Some(sent) {
            return queued;
        }
        before = Some(sent);
        assert!(std::time::Instant::now() < end, "it always has room");
        std::thread::yield_now();
    }
}

#[test]
fn large_files_arrive_as_they_are() {
    let folder = Folder::new();
    let sizes = [65_535, 65_536, 65_537, 262_144, 262_145, 3_000_001];
    for size in sizes {
        folder.file(&format!("{size}.bin"), pattern(size));
    }
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for size in sizes {
        let response = client.get(&format!("/{size}.bin"));
        assert_eq!(response.header("Content-Length"), Some(&*size.to_string()));
        assert!(response.body == pattern(size), "{size}");
    }
}

#[test]
fn hazard_32_a_half_closed_client_gets_5_mb_whole() {
    let folder = Folder::new();
    folder.file("5mb.bin", pattern(5_000_000));
    let server = folder.serve();
    for end_first in [true, false] {
        let mut client = Client::connect(server.address);
        client.send("GET /5mb.bin HTTP/1.1\r\nHost: test\r\n\r\n");
        if !end_first {
            wait_until_stuck(&server);
        }
        client.end();
        let response = client.response();
        assert!(response.status == 200 && response.body == pattern(5_000_000));
        assert_eq!(client.to_end(), b"", "and the connection ends");
    }
}

#[test]
fn a_gigabyte_for_a_slow_reader_costs_no_memory() {
    let name = "large::a_gigabyte_for_a_slow_reader_costs_no_memory";
    in_own_process(
        name,
        |_| {},
        || {
            let folder = Folder::new();
            let length = scaled(1 << 30);
            sparse(&folder, "huge.bin", length as u64);
            let server = folder.serve();
            let mut client = Client::connect(server.address);
            client.send("GET /huge.bin HTTP/1.1\r\nHost: test\r\n\r\n");
            let head = client.response_to_head();
            assert_eq!(head.header("Content-Length"), Some(&*length.to_string()));
            let mut received = 0;
            let peak_before = peak_memory();
            let mut stops = 0;
            while received < length {
                if stops < 5 && length - received > PAST_THE_BUFFERS {
                    let held = wait_until_stuck(&server);
                    assert!(held <= HELD, "{held} bytes wait");
                    stops += 1;
                }
                received += client.exactly((1 << 20).min(length - received)).len();
            }
            let grown = peak_memory() - peak_before;
            assert!(grown < 16 << 20, "{grown} bytes more");
            assert_eq!(client.get("/nothing").status, 404, "the connection goes on");
        },
    );
}

/// The most that the process has had in memory, in bytes.
fn peak_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") << 10
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_is_truncated_and_the_connection_closed() {
    let folder = Folder::new();
    sparse(&folder, "shrinks.bin", PAST_THE_BUFFERS as u64);
    folder.file("a.txt", "a");
    let files = folder.files();
    let (tell, told) = std::sync::mpsc::channel();
    let server = Server::http(move || Reporting { files, tell });
    let mut client = Client::connect(server.address);
    client.send("GET /shrinks.bin HTTP/1.1\r\nHost: test\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: test\r\n\r\n");
    wait_until_stuck(&server);
    let file = File::options().write(true).open(folder.root().join("shrinks.bin")).expect("a file");
    file.set_len(0).expect("to truncate");
    let received = client.to_end().len();
    assert!(
        received > 0 && received < PAST_THE_BUFFERS,
        "{received} of {PAST_THE_BUFFERS}: neither whole nor padded"
    );
    let error = told.recv_timeout(PATIENCE).expect("the handler is told");
    assert!(error.contains("shorter"), "{error}");
    assert_eq!(Client::connect(server.address).get("/a.txt").text(), "a", "and the server goes on");
}

/// Says which errors it was told of.
struct Reporting {
    files: http::Files,
    tell: std::sync::mpsc::Sender<String>,
}

impl http::Handler for Reporting {
    fn request(&mut self, request: http::Request<'_>, reply: http::Reply<'_>) -> Result<(), Error> {
        self.files.serve(&request, reply)
    }

    fn event(&mut self, _: &Connection<'_>, event: Event<'_>) {
        if let Event::Error(error) = event {
            // Nobody listens any more when the test has failed.
            let _ = self.tell.send(error.to_string());
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_small_file_that_is_shorter_than_the_system_says_is_500() {
    // Files of the kernel's have a page by their size, whatever is in them.
    let folder = "/sys/devices/system/cpu";
    let Ok(metadata) = fs::metadata(format!("{folder}/online")) else {
        eprintln!("not run: there is no /sys");
        return;
    };
    assert!(metadata.len() > 1000);
    let (tell, told) = std::sync::mpsc::channel();
    let files = http::Files::new(folder).expect("a folder");
    let server = Server::http(move || Reporting { files, tell });
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/online").status, 500);
    let error = told.recv_timeout(PATIENCE).expect("the handler is told");
    assert!(error.contains("/online"), "{error}");
}

#[test]
fn a_file_that_grows_while_it_is_sent_is_as_long_as_announced() {
    let folder = Folder::new();
    sparse(&folder, "grows.bin", PAST_THE_BUFFERS as u64);
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    client.send("GET /grows.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    wait_until_stuck(&server);
    sparse(&folder, "grows.bin", 2 * PAST_THE_BUFFERS as u64);
    assert_eq!(client.response().body.len(), PAST_THE_BUFFERS);
    assert_eq!(client.get("/nothing").status, 404, "the connection goes on");
}

#[test]
fn a_file_that_is_removed_while_it_is_sent_arrives_whole() {
    let folder = Folder::new();
    sparse(&folder, "goes.bin", PAST_THE_BUFFERS as u64);
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    client.send("GET /goes.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    wait_until_stuck(&server);
    fs::remove_file(folder.root().join("goes.bin")).expect("to remove");
    assert_eq!(client.response().body.len(), PAST_THE_BUFFERS);
    assert_eq!(client.get("/goes.bin").status, 404);
}

#[test]
fn others_are_served_while_a_large_file_is_sent() {
    let folder = Folder::new();
    sparse(&folder, "huge.bin", PAST_THE_BUFFERS as u64);
    folder.file("a.txt", "a");
    let server = folder.serve();
    let mut stuck = Client::connect(server.address);
    stuck.send("GET /huge.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    let mut client = Client::connect(server.address);
    for _ in 0..100 {
        assert_eq!(client.get("/a.txt").text(), "a");
    }
    assert_eq!(stuck.response().body.len(), PAST_THE_BUFFERS);
}

#[test]
fn a_turn_of_the_loop_sends_a_bounded_piece_however_fast_the_peer_reads() {
    let folder = Folder::new();
    let length = scaled(512 << 20) as u64;
    sparse(&folder, "huge.bin", length);
    let mut manager = Manager::new().expect("a manager");
    let listener = manager.http("http://127.0.0.1:0", folder.files()).expect("a free port");
    let address = listener.local_addr();
    let reader = std::thread::spawn(move || {
        let mut client = Client::connect(address);
        client.send("GET /huge.bin HTTP/1.0\r\n\r\n").end();
        let mut piece = vec![0; 1 << 20];
        let mut received = 0;
        loop {
            match steadily(|| client.stream().read(&mut piece)).expect("to read") {
                0 => return received,
                count => received += count as u64,
            }
        }
    });
    let (mut most, before) = (0, Cell::new(0));
    poll_until(&mut manager, "the file to be sent", |manager| {
        let sent = manager.stats().sent;
        most = most.max(sent - before.replace(sent));
        reader.is_finished()
    });
    assert!(reader.join().expect("the reader") > length, "head and body");
    assert!(most <= 4 << 20, "{most} bytes in one turn");
}

#[test]
fn pipelined_requests_for_files_are_answered_in_order() {
    let folder = Folder::new();
    let sizes = [10, 300_000, 0, 70_000, 65_536, 1_000_000, 1];
    for size in sizes {
        folder.file(&format!("{size}.bin"), pattern(size));
    }
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    let requests: String =
        sizes.iter().map(|size| format!("GET /{size}.bin HTTP/1.1\r\nHost: test\r\n\r\n")).collect();
    let rounds = scaled(20);
    client.send(requests.repeat(rounds));
    for _ in 0..rounds {
        for size in sizes {
            let response = client.response();
            assert!(response.status == 200 && response.body == pattern(size), "{size}");
        }
    }
}

#[test]
fn a_client_that_goes_away_takes_its_file_with_it() {
    let folder = Folder::new();
    sparse(&folder, "huge.bin", PAST_THE_BUFFERS as u64);
    let server = folder.serve();
    let open = || {
        fs::read_dir("/proc/self/fd")
            .expect("a process")
            .flatten()
            .filter_map(|entry| {
                fs::read_link(entry.path()).ok().filter(|path| path.starts_with(folder.root()))
            })
            .count()
    };
    let mut clients: Vec<_> = (0..10).map(|_| Client::connect(server.address)).collect();
    for client in &mut clients {
        client.send("GET /huge.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    wait_until_stuck(&server);
    server.wait_until("ten files to be sent", |registry| registry.connections().len() == 11);
    for client in clients {
        client.reset();
    }
    server.wait_until("the connections to close", |registry| registry.connections().len() == 1);
    server.ask(|_| ());
    assert_eq!(open(), 0, "files are still open");
}

#[test]
fn an_http_1_0_client_gets_a_large_file_and_then_the_end() {
    let folder = Folder::new();
    folder.file("large.bin", pattern(1_000_000));
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    client.send("GET /large.bin HTTP/1.0\r\n\r\n");
    let response = client.response();
    assert_eq!(response.header("Content-Length"), Some("1000000"));
    assert!(response.body == pattern(1_000_000));
    assert_eq!(client.to_end(), b"");
}

#[test]
fn a_large_part_is_sent_from_its_beginning() {
    let folder = Folder::new();
    let content = pattern(2_000_000);
    folder.file("large.bin", &content);
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for (range, first, last) in
        [("bytes=1000-1900000", 1000, 1_900_000), ("bytes=-1234567", 765_433, 1_999_999)]
    {
        let response = ask(&mut client, "GET", "/large.bin", &[("Range", range)]);
        assert!(response.status == 206 && response.body == content[first..=last], "{range}");
    }
}
