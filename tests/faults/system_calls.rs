//! Servers and clients whose system calls are interrupted, do a part, find nothing ready, or fail for want of something.
//! What is promised is kept: a body arrives as it is or is seen not to, and whoever comes next is served.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Command, Stdio};

use mongoose::http::{Reply, Request};
use mongoose::{Error, ws};
use mongoose_tests::{Client, PATIENCE, Random, Server, Steady, example, find_program, scaled, steadily};
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

use crate::broken::converse;
use crate::calls::faulty;
use crate::curl::{curl, curl_text, is_there};
use crate::mosquitto::run_tool;
use crate::program::{HTTP_SERVER, MQTT_BROKER, Program};
use crate::scratch::Scratch;

/// Faults that cost time, and nothing else.
const HARMLESS: [&[(&str, usize)]; 4] = [
    &[("INTERRUPT", 3)],
    &[("AGAIN", 2)],
    &[("SHORT", 1)],
    &[("SHORT", 7), ("INTERRUPT", 5), ("AGAIN", 3), ("ACCEPT", 2)],
];

/// The program, serving a folder in plain text, and over TLS where it has that.
fn http_server(faults: &[(&str, usize)], root: &Scratch, more: &[&str]) -> Program {
    let mut command = faulty(&HTTP_SERVER, faults);
    command.args(["--listen", "http://127.0.0.1:0", "--root", root.path()]).args(more);
    command.env("TMPDIR", root.path());
    Program::start(command, if more.contains(&"--tls-cert") { 2 } else { 1 })
}

fn assert_serves(address: SocketAddr) {
    assert_eq!(Client::connect(address).get("/hello").text(), "hello\n");
}

/// CRC-32 as everybody computes it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// All that curl asks for and sends is the same as without faults.
fn assert_curl_is_served(base: &str, more: &[&str], folder: &Scratch, bytes: &[u8]) {
    let file = folder.join("some.bin");
    let get = |path: &str| curl(&[more, &[&format!("{base}{path}")]].concat(), b"");
    assert!(get("/some.bin") == bytes, "{base}: a file");
    let url = format!("{base}/some.bin");
    let part = [more, &["--range", "1000-1999", &url]].concat();
    assert!(curl(&part, b"") == bytes[1000..2000], "{base}: a part of one");
    let lines: String = (1..=500).map(|number| format!("line {number}\n")).collect();
    assert_eq!(String::from_utf8_lossy(&get("/stream?lines=500")), lines);
    assert_eq!(get("/defer"), b"deferred\n");
    let echo = format!("{base}/echo");
    assert!(curl(&[more, &["--data-binary", "@-", &echo]].concat(), bytes) == bytes, "{base}: an echo");
    for chunked in [&[][..], &["--header", "Transfer-Encoding: chunked"]] {
        let url = format!("{base}/upload");
        let answer = curl_text(&[more, chunked, &["--upload-file", &file, &url]].concat());
        let expected = format!("{{\"bytes\":{},\"crc32\":\"{:08x}\"}}\n", bytes.len(), crc32(bytes));
        assert_eq!(answer, expected, "{base}");
    }
    let all: Vec<_> = (0..20).map(|_| format!("{base}/hello")).collect();
    let all: Vec<_> = more.iter().copied().chain(all.iter().map(String::as_str)).collect();
    assert_eq!(curl_text(&all), "hello\n".repeat(20));
}

/// What tungstenite sends comes back.
fn assert_messages_come_back(address: SocketAddr) {
    // It takes an answer that comes byte by byte for an attack.
    let mut client = Client::connect(address);
    client.send(
        "GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    assert_eq!(client.response().status, 101);
    let mut socket = WebSocket::from_raw_socket(Steady(client.stream()), Role::Client, None);
    let mut random = Random::new(23);
    for size in [0, 1, 125, 126, 1000, scaled(20_000)] {
        for message in [Message::binary(random.bytes(size)), Message::text("\u{20ac}".repeat(size))] {
            socket.send(message.clone()).expect("to send");
            assert_eq!(socket.read().expect("an answer"), message);
        }
    }
    socket.close(None).expect("to say so");
    while socket.read().is_ok() {}
}

#[test]
fn bodies_arrive_whole_whatever_calls_do() {
    if !is_there("bodies_arrive_whole_whatever_calls_do") {
        return;
    }
    let bytes = Random::new(5).bytes(scaled(30_000).max(4000));
    #[cfg(feature = "tls-rustls")]
    let certificate = crate::certificate::make();
    for faults in HARMLESS {
        let folder = Scratch::new();
        folder.file("some.bin", &bytes);
        #[cfg(feature = "tls-rustls")]
        let (chain, key) = (certificate.chain(), certificate.key());
        #[cfg(feature = "tls-rustls")]
        let more = ["--tls-cert", &chain, "--tls-key", &key];
        #[cfg(not(feature = "tls-rustls"))]
        let more = [];
        let server = http_server(faults, &folder, &more);
        assert_serves(server.addresses[0]);
        assert_curl_is_served(&format!("http://{}", server.addresses[0]), &[], &folder, &bytes);
        #[cfg(feature = "tls-rustls")]
        {
            let base = format!("https://{}", server.addresses[1]);
            assert_curl_is_served(&base, &["--cacert", &chain], &folder, &bytes);
        }
        assert_messages_come_back(server.addresses[0]);
        assert_eq!(folder.names(), ["some.bin"], "uploads leave nothing behind");
        assert!(server.end().success(), "{faults:?}");
    }
}

#[test]
fn messages_of_qos_2_pass_whatever_calls_do() {
    let test = "messages_of_qos_2_pass_whatever_calls_do";
    if find_program("mosquitto_pub", test).is_none() || find_program("mosquitto_sub", test).is_none() {
        return;
    }
    let payload: String = (0..scaled(5000)).map(|number| format!("{number} ")).collect();
    for faults in HARMLESS {
        let mut command = faulty(&MQTT_BROKER, faults);
        command.args(["--listen", "mqtt://127.0.0.1:0"]);
        let broker = Program::start(command, 1);
        let port = broker.addresses[0].port();
        for version in ["mqttv311", "mqttv5"] {
            let publish = ["-V", version, "-q", "2", "-r", "-t", "kept", "-m", &payload];
            let output = run_tool("mosquitto_pub", port, &publish);
            assert!(output.status.success(), "{faults:?}: {output:?}");
            let subscribe = ["-V", version, "-q", "2", "-t", "kept", "-C", "1", "-W", "60", "-N"];
            let output = run_tool("mosquitto_sub", port, &subscribe);
            assert!(output.stdout == payload.as_bytes(), "{faults:?}: {}", output.stdout.len());
        }
        assert!(broker.end().success(), "{faults:?}");
    }
}

#[test]
fn datagrams_keep_their_boundaries_whatever_calls_do() {
    for faults in [&[("INTERRUPT", 3)][..], &[("AGAIN", 2)], &[("INTERRUPT", 2), ("AGAIN", 3)]] {
        let mut command = faulty(&example("udp_echo", ""), faults);
        command.arg("udp://127.0.0.1:0");
        let server = Program::start(command, 1);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.connect(server.addresses[0]).expect("to connect");
        socket.set_read_timeout(Some(PATIENCE)).expect("an option");
        let mut random = Random::new(29);
        let mut buffer = [0; 65_536];
        for size in [0, 1, 1000, 65_000, 1, 0, 9000].repeat(scaled(10)) {
            // No more at a time than a socket has room for: what comes then is lost, as datagrams are.
            let together = if size > 10_000 { 1 } else { 4 };
            let sent: Vec<_> = (0..together).map(|_| random.bytes(size)).collect();
            for datagram in &sent {
                socket.send(datagram).expect("to send");
            }
            for datagram in &sent {
                let count = steadily(|| socket.recv(&mut buffer)).expect("an answer");
                assert!(buffer[..count] == datagram[..], "{faults:?}: {count} of {size}");
            }
        }
        assert!(server.end().success(), "{faults:?}");
    }
}

#[test]
fn a_client_gets_what_it_asks_for_whatever_calls_do() {
    let bytes = Random::new(7).bytes(scaled(30_000));
    let body = bytes.clone();
    let server = Server::http(move || {
        move |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/some" => reply.body(body.clone()),
            _ => reply.body(request.body()),
        }
    });
    let url = |path: &str| format!("http://{}{path}", server.address);
    let client = example("http_client", "");
    for faults in HARMLESS {
        let output = faulty(&client, faults).arg(url("/some")).output().expect("to start");
        assert!(output.status.success(), "{faults:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout == bytes, "{faults:?}");
        let mut command = faulty(&client, faults);
        command.args(["-d", "@-", &url("/echo")]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("to start");
        let mut stdin = child.stdin.take().expect("piped");
        let input = bytes.clone();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("an end");
        writer.join().expect("no panic").expect("it reads all");
        assert!(output.status.success() && output.stdout == bytes, "{faults:?}");
    }
}

#[test]
fn clients_of_websocket_and_mqtt_lose_nothing_whatever_calls_do() {
    let (tell, told) = std::sync::mpsc::channel();
    let server = Server::http(move || {
        move |request: Request<'_>, reply: Reply<'_>| {
            let mut sizes = [1, 125, 126, 5000, scaled(70_000)].into_iter();
            let mut sent = Vec::new();
            let tell = tell.clone();
            ws::upgrade(request, reply).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                match event {
                    ws::Event::Open => {}
                    ws::Event::Message(message) if message.as_bytes() == sent => {}
                    ws::Event::Message(_) => return Err(Error::handler("another echo")),
                    ws::Event::Close(close) => {
                        return tell.send(close.code).map_err(Error::handler);
                    }
                    _ => return Ok(()),
                }
                let Some(size) = sizes.next() else { return peer.close(ws::CloseCode::NORMAL, "") };
                sent = Random::new(size as u64).bytes(size);
                peer.send_binary(&sent)
            })
        }
    });
    let (websocket, mqtt) = (example("ws_client", ""), example("mqtt_client", ""));
    let mut command = Command::new(&*MQTT_BROKER);
    command.args(["--listen", "mqtt://127.0.0.1:0"]);
    let broker = Program::start(command, 1);
    for faults in HARMLESS {
        let output = faulty(&websocket, faults).arg(format!("ws://{}/", server.address)).output();
        let output = output.expect("to start");
        assert!(output.status.success(), "{faults:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(told.recv_timeout(PATIENCE), Ok(ws::CloseCode::NORMAL), "{faults:?}");
        for version in ["4", "5"] {
            let mut command = faulty(&mqtt, faults);
            command.args([&*format!("mqtt://{}", broker.addresses[0]), "-V", version, "-q", "2"]);
            let output =
                command.args(["-t", "some", "-m", "message", "-n", "20"]).output().expect("to start");
            assert!(output.status.success(), "{faults:?}: {}", String::from_utf8_lossy(&output.stderr));
            let lines = String::from_utf8(output.stdout).expect("text");
            assert_eq!(lines, "some message qos2\n".repeat(20), "{faults:?}");
        }
    }
    assert!(broker.end().success());
}

#[test]
fn who_finds_the_system_short_of_memory_is_cut_off_and_nobody_else() {
    let folder = Scratch::new();
    let bytes = Random::new(11).bytes(scaled(1 << 20).max(100_000));
    folder.file("some.bin", &bytes);
    let server = http_server(&[("NO_BUFFERS", 5), ("WATCH", 7)], &folder, &[]);
    let before = server.descriptors();
    let request = "GET /some.bin HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    let (mut whole, mut cut) = (0, 0);
    for _ in 0..60 {
        let answer = converse(server.addresses[0], request.as_bytes(), None);
        let head =
            answer.windows(4).position(|window| window == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
        assert!(bytes.starts_with(&answer[head..]), "what comes is right as far as it goes");
        if answer.len() - head == bytes.len() { whole += 1 } else { cut += 1 }
    }
    assert!(whole > 0 && cut > 0, "{whole} whole, {cut} cut off");
    server.wait_for_descriptors(before);
    assert!(server.end().success());
}

#[test]
fn hazard_22_accepting_goes_on_after_every_error() {
    let folder = Scratch::new();
    let server = http_server(&[("ACCEPT", 3)], &folder, &[]);
    let before = server.descriptors();
    for _ in 0..10 {
        assert_serves(server.addresses[0]);
    }
    // All at once.
    let mut clients: Vec<_> = (0..20).map(|_| Client::connect(server.addresses[0])).collect();
    for client in &mut clients {
        assert_eq!(client.get("/hello").text(), "hello\n");
    }
    drop(clients);
    server.wait_for_descriptors(before);
    assert!(server.end().success());
}

#[test]
fn what_cannot_begin_says_why() {
    let folder = Scratch::new();
    for fault in ["SOCKET", "WATCH"] {
        let mut command = faulty(&HTTP_SERVER, &[(fault, 1)]);
        command.args(["--listen", "http://127.0.0.1:0", "--root", folder.path()]);
        let output = command.output().expect("to start");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{fault}: {said}");
        assert!(said.starts_with("http_server: cannot ") && said.contains("(os error "), "{fault}: {said}");
        assert_eq!(said.lines().count(), 1, "{fault}: {said}");
    }
}

#[test]
fn a_client_without_a_socket_says_why() {
    let server = Server::http(|| |_: Request<'_>, reply: Reply<'_>| reply.text("hello"));
    let url = format!("http://{}/", server.address);
    for fault in ["SOCKET", "WATCH"] {
        let output = faulty(&example("http_client", ""), &[(fault, 1)]).arg(&url).output().expect("to start");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{fault}: {said}");
        assert_eq!(said.lines().count(), 1, "{fault}: {said}");
    }
}

#[test]
fn files_that_cannot_be_opened_are_errors_and_the_next_is_served() {
    let folder = Scratch::new();
    let bytes = Random::new(13).bytes(10_000);
    folder.file("some.bin", &bytes);
    let server = http_server(&[("OPEN", 2)], &folder, &[]);
    let before = server.descriptors();
    let mut client = Client::connect(server.addresses[0]);
    let mut statuses = Vec::new();
    for _ in 0..40 {
        let response = client.get("/some.bin");
        assert!(response.status != 200 || response.body == bytes);
        statuses.push(response.status);
    }
    for expected in [200, 403, 500] {
        assert!(statuses.contains(&expected), "{expected} in {statuses:?}");
    }
    // It is there: nobody is to believe that it is not.
    assert!(!statuses.contains(&404), "{statuses:?}");
    drop(client);
    server.wait_for_descriptors(before);
    assert!(server.end().success());
}

/// Sends an upload, and answers what is said to it.
fn upload(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("to connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    let head = format!(
        "PUT /upload HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        bytes.len()
    );
    stream.write_all(head.as_bytes()).expect("there is room");
    // The server need not read what it has no room for.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8(answer).expect("text")
}

/// Uploads that find no room are refused, leave nothing behind, and the next that fits is taken.
fn assert_is_full(server: Program, folder: &Scratch) {
    let bytes = Random::new(17).bytes(1 << 20);
    let before = server.descriptors();
    for round in 0..3 {
        let answer = upload(server.addresses[0], &bytes);
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        server.wait_for_descriptors(before);
        assert_eq!(folder.names(), [""; 0], "round {round}");
        let small = &bytes[..10_000];
        let answer = upload(server.addresses[0], small);
        assert!(answer.contains(&format!("{:08x}", crc32(small))), "{answer}");
    }
    server.wait_for_descriptors(before);
    assert_eq!(folder.names(), [""; 0]);
    assert!(server.end().success());
}

#[test]
fn uploads_to_a_full_disk_are_refused_and_leave_nothing() {
    let folder = Scratch::new();
    assert_is_full(http_server(&[("DISK", 300_000)], &folder, &[]), &folder);
}

#[test]
fn uploads_past_the_process_s_limit_are_refused_and_leave_nothing() {
    let folder = Scratch::new();
    // In blocks of 512 bytes; the signal that goes with the error would end the process.
    let limited = "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited, &HTTP_SERVER, "--listen", "http://127.0.0.1:0"]);
    command.env("TMPDIR", folder.path());
    assert_is_full(Program::start(command, 1), &folder);
}
