//! The example, started as a service manager would: with its socket open.

use std::process::{Command, Stdio};

use mongoose_tests::Client;

use crate::program::{HTTP_SERVER, HttpServer};

/// Listens, makes the socket descriptor 3, says so as systemd does, and becomes the program.
const ACTIVATE: &str = "
import os, socket, sys
listener = socket.create_server(('127.0.0.1', 0))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ['LISTEN_PID'] = str(os.getpid())
os.environ['LISTEN_FDS'] = '1'
os.execv(sys.argv[1], sys.argv[1:])
";

#[test]
fn a_socket_that_was_passed_on_is_served() {
    let mut command = Command::new("python3");
    command.args(["-c", ACTIVATE, &HTTP_SERVER]).stdin(Stdio::null());
    // One line, and no default URL besides.
    let server = HttpServer::serving(command, 1);
    for _ in 0..3 {
        assert_eq!(Client::connect(server.addresses[0]).get("/hello").text(), "hello\n");
    }
}
