//! The example scale_out: two processes and a broker between them.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use mongoose_tests::{PATIENCE, Steady, example};
use rustix::process::Signal;
use tungstenite::{Message, WebSocket};

use crate::mosquitto::Mosquitto;
use crate::peers::find;
use crate::program::HttpServer;

static SCALE_OUT: LazyLock<String> = LazyLock::new(|| example("scale_out", ""));

fn start(broker: &str, room: &str) -> HttpServer {
    let mut command = Command::new(&*SCALE_OUT);
    command.args(["--listen", "http://127.0.0.1:0", "--broker", broker, "--room", room]);
    command.stdin(Stdio::null());
    HttpServer::serving(command, 1)
}

struct Person(WebSocket<Steady<TcpStream>>);

impl Person {
    fn come(server: &HttpServer, name: &str) -> Self {
        let address = server.addresses[0];
        let stream = TcpStream::connect(address).expect("to connect");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let (socket, _) =
            tungstenite::client(format!("ws://{address}/ws"), Steady(stream)).expect("a handshake");
        let mut person = Self(socket);
        person.hear("* your name?");
        person.say(name);
        person
    }

    fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).expect("to send");
    }

    /// Reads up to a line that begins so, and answers all lines before it.
    fn hear(&mut self, line: &str) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            if let Message::Text(text) = self.0.read().unwrap_or_else(|error| panic!("{line}: {error}")) {
                if text.starts_with(line) {
                    return before;
                }
                before.push(text.to_string());
            }
        }
    }
}

#[test]
fn people_talk_across_processes_and_a_broker_that_restarts() {
    if find("mosquitto", "two processes and a broker").is_none() {
        return;
    }
    let broker = Mosquitto::start();
    let (url, port) = (broker.url(), broker.port);
    let (one, two) = (start(&url, "lobby"), start(&url, "lobby"));
    let elsewhere = start(&url, "attic");
    // Two subscriptions each.
    (0..6).for_each(|_| drop(broker.wait_for("Sending SUBACK")));
    let mut ada = Person::come(&one, "Ada");
    ada.hear("* here are: Ada");
    // Not before his process knows of her.
    let mut bob = Person::come(&two, "Bob");
    ada.hear("* Bob has come");
    bob.hear("* here are:");
    ada.say("hello");
    bob.hear("Ada: hello");
    ada.hear("Ada: hello");
    bob.say("hello, Ada");
    ada.hear("Bob: hello, Ada");
    let mut eve = Person::come(&elsewhere, "Ada");
    eve.hear("* here are: Ada");

    // All see the same order.
    for number in 0..20 {
        ada.say(&format!("{number}"));
        bob.say(&format!("{number}"));
    }
    ada.say("that is all");
    bob.hear("Ada: that is all");
    bob.say("here, too");
    let heard = ada.hear("Bob: here, too");
    assert_eq!(heard.iter().filter(|line| line.contains(": 1")).count(), 22, "{heard:?}");

    // A name is one person's, whatever process it is at.
    let mut other = Person::come(&two, "Ada");
    other.hear("* that name will not do");

    drop(broker);
    ada.hear("* the others are out of reach");
    bob.hear("* the others are out of reach");
    ada.say("is anybody there?");
    let broker = Mosquitto::at(port, "allow_anonymous true\n").expect("its port is still free");
    ada.hear("* the others are within reach");
    bob.hear("* the others are within reach");
    // What she said meanwhile waited.
    ada.hear("Ada: is anybody there?");
    (0..6).for_each(|_| drop(broker.wait_for("Sending SUBACK")));
    bob.say("I am back");
    ada.hear("Bob: I am back");
    ada.say("so am I");
    bob.hear("Ada: so am I");

    // A process that dies takes its people with it.
    two.signal(Signal::KILL);
    ada.hear("* Bob has gone");
    eve.say("alone?");
    let before = eve.hear("Ada: alone?");
    assert!(before.iter().all(|line| line.starts_with("* the others")), "{before:?}");
    one.signal(Signal::TERM);
    assert!(one.end().0.success());
}

#[test]
fn its_command_line_says_what_is_wrong() {
    for wrong in [&[][..], &["--broker"], &["--nothing", "x", "--broker", "mqtt://h"]] {
        let output = Command::new(&*SCALE_OUT).args(wrong).output().expect("to start");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    let output = Command::new(&*SCALE_OUT).args(["--broker", "http://h"]).output().expect("to start");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
