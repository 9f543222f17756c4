//! The examples as processes.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::thread;

use mongoose_tests::{Client, PATIENCE, Random, example, scaled, steadily};

/// An example that listens, killed when it is dropped.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(name: &str, url: &str) -> Self {
        let mut command = Command::new(example(name, ""));
        let mut child = command.arg(url).stderr(Stdio::piped()).spawn().expect("to start");
        let mut line = String::new();
        let log = child.stderr.take().expect("piped");
        BufReader::new(log).read_line(&mut line).expect("a line");
        let (_, address) = line.trim().split_once("://").unwrap_or_else(|| panic!("{line}"));
        Self { child, address: address.parse().expect("an address") }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn tcp_echo_returns_more_than_it_may_hold() {
    let program = Program::start("tcp_echo", "tcp://127.0.0.1:0");
    let bytes = Random::new(7).bytes(scaled(20_000_000));
    let mut client = Client::connect(program.address);
    let mut writer = client.stream().try_clone().expect("another descriptor");
    let sent = bytes.clone();
    let thread = thread::spawn(move || {
        writer.write_all(&sent).expect("to send");
        writer.shutdown(Shutdown::Write).expect("to shut down");
    });
    assert!(client.to_end() == bytes);
    thread.join().expect("to write");
}

/// Somebody who chats.
struct Person(BufReader<TcpStream>);

impl Person {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("to connect");
        stream.set_read_timeout(Some(PATIENCE)).expect("an option");
        Self(BufReader::new(stream))
    }

    fn named(address: SocketAddr, name: &str) -> Self {
        let mut person = Self::new(address);
        assert_eq!(person.hears(), "* your name?\n");
        person.says(name);
        assert!(person.hears().starts_with(&format!("* hello {name}; ")));
        person
    }

    fn says(&mut self, line: &str) {
        writeln!(self.0.get_mut(), "{line}").expect("to send");
    }

    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line
    }
}

#[test]
fn chat_tells_everybody_what_one_says() {
    let program = Program::start("chat", "tcp://127.0.0.1:0");
    let mut people: Vec<Person> = Vec::new();
    for number in 0..scaled(50).max(3) {
        let newcomer = Person::named(program.address, &format!("p{number}"));
        for person in &mut people {
            assert_eq!(person.hears(), format!("* p{number} has come\n"));
        }
        people.push(newcomer);
    }
    people[1].says("hello \u{1b}[31mall\r");
    for (number, person) in people.iter_mut().enumerate().filter(|(number, _)| *number != 1) {
        assert_eq!(person.hears(), "p1: hello ?[31mall\n", "{number}");
    }
    let last = people.pop().expect("somebody");
    drop(last);
    for person in &mut people {
        assert_eq!(person.hears(), format!("* p{} has gone\n", scaled(50).max(3) - 1));
    }
    let mut double = Person::new(program.address);
    assert_eq!(double.hears(), "* your name?\n");
    double.says("p0");
    assert_eq!(double.hears(), "* that name will not do, another?\n");
    double.says(&"x".repeat(2000));
    assert_eq!(double.hears(), "* that line is too long\n");
    assert_eq!(double.hears(), "", "closed");
}

#[test]
fn udp_echo_returns_datagrams_of_any_length() {
    let program = Program::start("udp_echo", "udp://127.0.0.1:0");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(PATIENCE)).expect("an option");
    let mut buffer = vec![0; 1 << 16];
    for length in [0, 1, 65_507, 0, 1400] {
        let bytes = Random::new(9).bytes(length);
        socket.send_to(&bytes, program.address).expect("to send");
        let (count, from) = steadily(|| socket.recv_from(&mut buffer)).expect("a datagram");
        assert!(buffer[..count] == bytes && from == program.address, "{length}");
    }
}
