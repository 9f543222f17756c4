//! Streams that somebody else opened.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::rc::Rc;
use std::thread;

use mongoose::{Connection, Error, Event, Manager};
use mongoose_tests::{Random, poll_until, scaled};

type Log = Rc<RefCell<Vec<u8>>>;

/// Keeps what it reads, and says how it ended.
fn reader(read: &Log) -> impl FnMut(&Connection<'_>, Event<'_>) -> Result<(), Error> + 'static {
    let read = Rc::clone(read);
    move |connection, event| {
        match event {
            Event::Read => {
                read.borrow_mut().extend(connection.received());
                connection.consume(usize::MAX);
            }
            Event::End => read.borrow_mut().extend(b"."),
            Event::Error(error) => read.borrow_mut().extend(error.to_string().bytes()),
            Event::Connect | Event::Accept => panic!("nobody is told what was there before"),
            _ => {}
        }
        Ok(())
    }
}

fn echo(connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
    if let Event::Read = event {
        connection.send(connection.received())?;
        connection.consume(usize::MAX);
    }
    Ok(())
}

/// An echo on a stream gives back what is written to its other end.
fn echoes(ours: impl Into<OwnedFd>, mut reading: impl Read + Send, writing: impl Write + Send + 'static) {
    let mut manager = Manager::new().expect("a manager");
    let id = manager.wrap_fd(ours, echo).expect("a stream");
    let bytes = Random::new(3).bytes(scaled(1_000_000));
    let sent = bytes.clone();
    let count = bytes.len();
    let writer = thread::spawn(move || {
        let mut writing = writing;
        writing.write_all(&sent).expect("to write");
        writing
    });
    let received = thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut received = vec![0; count];
            reading.read_exact(&mut received).map(|()| received)
        });
        poll_until(&mut manager, "all to come back", |_| reader.is_finished());
        reader.join().expect("no panic").expect("all of it")
    });
    assert!(received == bytes);
    drop(writer.join().expect("no panic"));
    poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
}

#[test]
fn sockets_of_every_family_are_taken_over() {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    echoes(ours, theirs.try_clone().expect("another"), Ending(theirs));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let theirs = TcpStream::connect(listener.local_addr().expect("bound")).expect("to connect");
    let (ours, _) = listener.accept().expect("to accept");
    echoes(ours, theirs.try_clone().expect("another"), theirs_ending(theirs));
}

/// Ends its direction when it is dropped, though another descriptor keeps it open.
struct Ending(UnixStream);

impl Write for Ending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.shutdown(std::net::Shutdown::Write);
    }
}

fn theirs_ending(stream: TcpStream) -> Ending {
    Ending(UnixStream::from(OwnedFd::from(stream)))
}

#[test]
fn a_unix_socket_is_connected_to() {
    let path = std::env::temp_dir().join(format!("mongoose-wrapped-{}", std::process::id()));
    let listener = UnixListener::bind(&path).expect("to bind");
    let mut manager = Manager::new().expect("a manager");
    manager.listener_on(listener).tcp(echo).expect("to listen");
    let read = Log::default();
    let stream = UnixStream::connect(&path).expect("to connect");
    std::fs::remove_file(&path).expect("it is there");
    let id = manager.wrap_fd(stream, reader(&read)).expect("a stream");
    manager.connection(id).expect("it is there").send("hello").expect("room");
    poll_until(&mut manager, "the echo", |_| *read.borrow() == b"hello");
    manager.connection(id).expect("it is there").end();
    poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
    assert_eq!(*read.borrow(), b"hello.");
}

#[test]
fn the_reading_end_of_a_pipe_is_read_to_its_end() {
    let (reading, mut writing) = io::pipe().expect("a pipe");
    let mut manager = Manager::new().expect("a manager");
    let read = Log::default();
    let id = manager.wrap_fd(reading, reader(&read)).expect("a stream");
    writing.write_all(b"one").expect("to write");
    poll_until(&mut manager, "the bytes", |_| *read.borrow() == b"one");
    writing.write_all(b"two").expect("to write");
    drop(writing);
    poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
    assert_eq!(*read.borrow(), b"onetwo.");
}

#[test]
fn the_writing_end_of_a_pipe_takes_all_and_ends_when_it_is_drained() {
    let (mut reading, writing) = io::pipe().expect("a pipe");
    let mut manager = Manager::new().expect("a manager");
    let told = Log::default();
    let id = manager.wrap_fd(writing, reader(&told)).expect("a stream");
    let bytes = Random::new(4).bytes(scaled(1_000_000));
    let connection = manager.connection(id).expect("it is there");
    connection.send(bytes.clone()).expect("room");
    connection.drain();
    let peer = thread::spawn(move || {
        let mut all = Vec::new();
        reading.read_to_end(&mut all).map(|_| all)
    });
    poll_until(&mut manager, "the end", |_| peer.is_finished());
    assert!(peer.join().expect("no panic").expect("all of it") == bytes);
    poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
    assert!(told.borrow().is_empty());
}

#[test]
fn a_pipe_that_nobody_reads_any_more_closes_and_spins_not() {
    let (reading, writing) = io::pipe().expect("a pipe");
    let mut manager = Manager::new().expect("a manager");
    let told = Log::default();
    let id = manager.wrap_fd(writing, reader(&told)).expect("a stream");
    let idle = manager.stats().polls;
    manager.poll(std::time::Duration::ZERO).expect("to poll");
    assert!(manager.connection(id).is_ok() && manager.stats().polls == idle + 1);
    drop(reading);
    poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
}

#[test]
fn what_a_child_prints_is_read() {
    let mut command = std::process::Command::new("printf");
    let mut child =
        command.arg("hello").stdout(std::process::Stdio::piped()).spawn().expect("every system has it");
    let mut manager = Manager::new().expect("a manager");
    let read = Log::default();
    let id = manager.wrap_fd(child.stdout.take().expect("piped"), reader(&read)).expect("a stream");
    poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
    assert_eq!(*read.borrow(), b"hello.");
    child.wait().expect("its end");
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_read_and_written() {
    use rustix::pty;
    let ours = pty::openpt(pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY).expect("a terminal");
    pty::grantpt(&ours).expect("ours");
    pty::unlockpt(&ours).expect("ours");
    let name = pty::ptsname(&ours, Vec::new()).expect("a name");
    let mut theirs =
        File::options().read(true).write(true).open(name.to_str().expect("text")).expect("it is there");
    let mut manager = Manager::new().expect("a manager");
    let read = Log::default();
    let id = manager.wrap_fd(ours, reader(&read)).expect("a stream");
    theirs.write_all(b"hello\n").expect("to write");
    poll_until(&mut manager, "the line", |_| *read.borrow() == b"hello\r\n");
    manager.connection(id).expect("it is there").send("typed\n").expect("room");
    poll_until(&mut manager, "it to leave", |manager| manager.stats().sent == 6);
    let mut typed = [0; 6];
    theirs.read_exact(&mut typed).expect("a line");
    assert_eq!(&typed, b"typed\n");
}

#[test]
fn what_is_no_stream_is_refused() {
    let manager = Manager::new().expect("a manager");
    let unconnected =
        rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None);
    let others = [
        OwnedFd::from(UdpSocket::bind("127.0.0.1:0").expect("a free port")),
        OwnedFd::from(TcpListener::bind("127.0.0.1:0").expect("a free port")),
        unconnected.expect("a socket"),
        OwnedFd::from(File::open(std::env::current_exe().expect("a path")).expect("to open")),
    ];
    for other in others {
        let text = format!("{other:?}");
        // Somebody who has it too, and reads it as before.
        let theirs = other.try_clone().expect("a handle");
        let error = manager.wrap_fd(other, echo).expect_err(&text);
        assert!(matches!(error, Error::Io { phase: "take over a descriptor", .. }), "{text}: {error}");
        let flags = rustix::fs::fcntl_getfl(&theirs).expect("its flags");
        assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK), "{text} was refused, and altered");
    }
}

#[test]
fn what_waits_on_a_wrapped_stream_is_bounded_by_choice() {
    let manager = Manager::new().expect("a manager");
    let (ours, _theirs) = UnixStream::pair().expect("a pair");
    let mut limits = mongoose::Limits::default();
    limits.output = 1000;
    let id = manager.wrap_fd_within(ours, limits, echo).expect("a stream");
    let connection = manager.connection(id).expect("it is there");
    let full = (0..10_000).find_map(|_| connection.send([0; 1000].as_slice()).err()).expect("a bound");
    assert!(matches!(full, Error::OutputFull { limit: 1000 }), "{full}");
}
