//! Bodies that are longer than anybody wants to hold, in both directions, and what bounds them in time.

mod anything;
mod deadlines;
mod events;
mod idle;
mod interplay;
mod overload;
mod replies;
mod senders;
mod uploads;

/// What a handler that streams is told and does, said back to the test.
mod site {
    use std::sync::mpsc::{Receiver, Sender};

    use mongoose::http::{BodyMode, Handler, Reply, Request, Upload};
    use mongoose::{Connection, Error, Event};
    use mongoose_tests::PATIENCE;

    /// What a [`Site`] saw.
    #[derive(Debug, PartialEq, Eq)]
    pub enum Seen {
        /// A piece of an upload, of so many bytes.
        Piece(usize),
        /// An upload that will not be whole.
        Failed(String),
        /// An error of a connection.
        Error(String),
        /// A connection's end.
        Closed,
    }

    /// Streams what is sent to `/upload`, and answers with what `answer` says.
    pub struct Site<F> {
        pub seen: Sender<Seen>,
        pub answer: F,
    }

    /// Counts and sums what it is given.
    struct Summing {
        seen: Sender<Seen>,
        bytes: u64,
        sum: u64,
    }

    impl Upload for Summing {
        fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
            self.bytes += piece.len() as u64;
            self.sum = piece.iter().fold(self.sum, |sum, &byte| sum.wrapping_mul(31) + u64::from(byte));
            // Nobody listens to pieces in the large tests.
            let _ = self.seen.send(Seen::Piece(piece.len()));
            if piece.starts_with(b"too much") {
                return Err(Error::Refused { status: 413, reason: "enough" });
            }
            if piece.starts_with(b"broken") {
                return Err(Error::handler("the disk is full"));
            }
            Ok(())
        }

        fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
            reply.text(format!("{} {}", self.bytes, self.sum))
        }

        fn failed(&mut self, error: &Error) {
            let _ = self.seen.send(Seen::Failed(error.to_string()));
        }
    }

    /// Waits for the first that `is_it`, and answers all up to that.
    pub fn until(told: &Receiver<Seen>, is_it: impl Fn(&Seen) -> bool) -> Vec<Seen> {
        let mut seen = Vec::new();
        loop {
            seen.push(told.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("only {seen:?}")));
            if seen.last().is_some_and(&is_it) {
                return seen;
            }
        }
    }

    /// What [`Summing`] answers to a body.
    pub fn sum(body: &[u8]) -> String {
        let sum = body.iter().fold(0u64, |sum, &byte| sum.wrapping_mul(31) + u64::from(byte));
        format!("{} {sum}", body.len())
    }

    impl<F> Handler for Site<F>
    where
        F: FnMut(Request<'_>, Reply<'_>) -> Result<(), Error> + 'static,
    {
        fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
            match request.path() {
                "/upload" | "/unwanted" => BodyMode::Streamed,
                "/large" => BodyMode::UpTo(10 << 20),
                _ => BodyMode::Buffered,
            }
        }

        fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
            match request.path() {
                "/upload" | "/received" => {
                    reply.receive(Summing { seen: self.seen.clone(), bytes: 0, sum: 0 })
                }
                "/unwanted" => reply.status(403).text("not here"),
                "/large" => reply.text(sum(request.body())),
                _ => (self.answer)(request, reply),
            }
        }

        fn event(&mut self, _: &Connection<'_>, event: Event<'_>) {
            let seen = match event {
                Event::Error(error) => Seen::Error(error.to_string()),
                Event::Close => Seen::Closed,
                _ => return,
            };
            let _ = self.seen.send(seen);
        }
    }
}
