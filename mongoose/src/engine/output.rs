//! What waits to be sent on one connection.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::Payload;
use super::transport::Transport;

/// Payloads that are kept rather than copied begin here: below, gathering them costs less than a slice of their own.
const GATHER_BELOW: usize = 4096;

/// Past this a gathered chunk is closed and a new one begun, so that no byte is moved again when more comes.
const GATHER_MAX: usize = 64 << 10;

/// The largest buffer that is kept for the next event.
const SPARE_MAX: usize = 4 * GATHER_MAX;

/// How many chunks one system call takes.
const SLICES: usize = 16;

/// A queue of chunks: small writes gather, large ones keep their own memory, nothing is moved once it is in.
#[derive(Debug, Default)]
pub(crate) struct Output {
    chunks: VecDeque<Chunk>,
    /// How much of the first chunk has left.
    sent: usize,
    len: usize,
}

#[derive(Debug)]
enum Chunk {
    Gathered(Vec<u8>),
    Kept(Payload<'static>),
    File { file: Arc<File>, offset: u64, len: usize },
}

impl Chunk {
    /// `None` for what lies elsewhere.
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Gathered(bytes) => Some(bytes),
            Self::Kept(payload) => Some(payload.as_ref()),
            Self::File { .. } => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Gathered(bytes) => bytes.len(),
            Self::Kept(payload) => payload.len(),
            Self::File { len, .. } => *len,
        }
    }
}

impl Output {
    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends bytes by copying them.
    pub(crate) fn gather(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.gather_with(bytes.len(), |out| out.extend_from_slice(bytes));
        }
    }

    /// Appends what `write` puts behind the bytes it is given, about `hint` bytes.
    pub(crate) fn gather_with(&mut self, hint: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let fits = match self.chunks.back() {
            Some(Chunk::Gathered(last)) => last.is_empty() || last.len() + hint <= GATHER_MAX,
            _ => false,
        };
        if !fits {
            self.chunks.push_back(Chunk::Gathered(Vec::with_capacity(hint)));
        }
        if let Some(Chunk::Gathered(last)) = self.chunks.back_mut() {
            let before = last.len();
            write(last);
            self.len += last.len() - before;
        }
    }

    /// Appends a payload; a large one that need not be copied is not.
    pub(crate) fn push(&mut self, payload: Payload<'_>) {
        if payload.len() < GATHER_BELOW || !payload.is_kept() {
            self.gather(payload.as_ref());
        } else {
            self.len += payload.len();
            self.chunks.push_back(Chunk::Kept(payload.into_owned()));
        }
    }

    /// Appends a part of a file, to be sent from where it lies.
    pub(crate) fn push_file(&mut self, file: Arc<File>, offset: u64, len: usize) {
        if len > 0 {
            self.len += len;
            self.chunks.push_back(Chunk::File { file, offset, len });
        }
    }

    /// Lets small writes of the coming event gather in a buffer that is already there.
    pub(super) fn lend(&mut self, spare: &mut Vec<u8>) {
        if self.chunks.is_empty() && spare.capacity() > 0 {
            self.chunks.push_back(Chunk::Gathered(std::mem::take(spare)));
        }
    }

    /// Writes until nothing is left or the transport takes no more, and answers how many bytes it took. An emptied
    /// gathering buffer goes to `spare`, one with a rest is replaced by one of the rest's size.
    pub(super) fn flush(&mut self, transport: &mut Transport, spare: &mut Vec<u8>) -> io::Result<usize> {
        if self.len == 0 {
            transport.push()?;
        }
        let written = self.write(transport, spare, &[])?;
        self.give_back(spare);
        Ok(written)
    }

    /// Writes what waits and then `bytes` from where they lie. The rest of them is copied. Answers how many bytes left;
    /// an error shows again when the rest is flushed.
    pub(super) fn write_through(&mut self, transport: &mut Transport, bytes: &[u8]) -> usize {
        let waiting = self.len;
        let mut lent = Vec::new();
        let written = self.write(transport, &mut lent, bytes).unwrap_or(0);
        self.lend(&mut lent);
        self.gather(&bytes[written.saturating_sub(waiting)..]);
        written
    }

    /// Writes what waits, then `behind`, until all is written or the transport takes no more.
    fn write(&mut self, transport: &mut Transport, spare: &mut Vec<u8>, behind: &[u8]) -> io::Result<usize> {
        if let [Chunk::Gathered(only)] = self.chunks.as_slices().0
            && self.chunks.len() == 1
            && behind.is_empty()
            && self.len > 0
        {
            // By far the most frequent: the replies of one event, gathered in one buffer.
            match transport.write(&[IoSlice::new(&only[self.sent..])]) {
                Ok(written) if written == self.len => {
                    self.len = 0;
                    self.sent = 0;
                    if let Some(Chunk::Gathered(buffer)) = self.chunks.pop_front() {
                        keep_larger(spare, buffer);
                    }
                    return Ok(written);
                }
                Ok(written) => {
                    self.advance(written, spare);
                    return Ok(written);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.write_chunks(transport, spare, behind)
    }

    /// The same for whatever waits.
    fn write_chunks(
        &mut self,
        transport: &mut Transport,
        spare: &mut Vec<u8>,
        mut behind: &[u8],
    ) -> io::Result<usize> {
        let mut total = 0;
        while self.len > 0 || !behind.is_empty() {
            self.drop_empty(spare);
            if let Some(Chunk::File { file, offset, len }) = self.chunks.front() {
                let rest = len - self.sent;
                let offset = offset + self.sent as u64;
                match transport.write_file(file, offset, rest) {
                    Ok(written) => {
                        total += written;
                        self.advance(written, spare);
                        if written < rest {
                            break;
                        }
                        continue;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(_) if total > 0 => break,
                    Err(error) => return Err(error),
                }
            }
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut count = 0;
            let mut offered = 0;
            let mut skip = self.sent;
            let mut file_next = false;
            for chunk in &self.chunks {
                let Some(bytes) = chunk.bytes() else {
                    file_next = true;
                    break;
                };
                let bytes = &bytes[std::mem::take(&mut skip)..];
                if !bytes.is_empty() {
                    slices[count] = IoSlice::new(bytes);
                    offered += bytes.len();
                    count += 1;
                    if count == SLICES {
                        break;
                    }
                }
            }
            let waiting = offered;
            if count < SLICES && !file_next && !behind.is_empty() {
                slices[count] = IoSlice::new(behind);
                offered += behind.len();
                count += 1;
            }
            match transport.write(&slices[..count]) {
                Ok(written) => {
                    total += written;
                    self.advance(written.min(waiting), spare);
                    behind = &behind[written.saturating_sub(waiting)..];
                    if written < offered {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Part of it has left and has to be counted: the error shows again.
                Err(_) if total > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    /// A copy of what waits.
    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len + self.sent);
        for chunk in &self.chunks {
            match chunk {
                Chunk::File { file, offset, len } => {
                    let before = all.len();
                    all.resize(before + len, 0);
                    if file.read_exact_at(&mut all[before..], *offset).is_err() {
                        // Nor will it leave, nor anything behind it.
                        all.truncate(before.max(self.sent));
                        break;
                    }
                }
                Chunk::Gathered(bytes) => all.extend_from_slice(bytes),
                Chunk::Kept(payload) => all.extend_from_slice(payload.as_ref()),
            }
        }
        all.drain(..self.sent);
        all
    }

    /// The payloads that have not left, for the caller to release one by one.
    pub(super) fn into_kept(self) -> impl Iterator<Item = Payload<'static>> {
        self.chunks.into_iter().filter_map(|chunk| match chunk {
            Chunk::Kept(payload) => Some(payload),
            Chunk::Gathered(_) | Chunk::File { .. } => None,
        })
    }

    /// Takes out what is empty at the front.
    fn drop_empty(&mut self, spare: &mut Vec<u8>) {
        while self.chunks.front().is_some_and(|first| first.len() == 0) {
            if let Some(Chunk::Gathered(buffer)) = self.chunks.pop_front() {
                keep_larger(spare, buffer);
            }
        }
    }

    fn advance(&mut self, mut written: usize, spare: &mut Vec<u8>) {
        if written == 0 {
            return;
        }
        self.len -= written;
        while let Some(first) = self.chunks.front() {
            let rest = first.len() - self.sent;
            if written < rest {
                self.sent += written;
                return;
            }
            written -= rest;
            self.sent = 0;
            if let Some(Chunk::Gathered(buffer)) = self.chunks.pop_front() {
                keep_larger(spare, buffer);
            }
            if self.chunks.is_empty() {
                return;
            }
        }
    }

    /// Returns the lent buffer also where the socket left a rest in it.
    fn give_back(&mut self, spare: &mut Vec<u8>) {
        if self.len == 0 {
            while let Some(chunk) = self.chunks.pop_front() {
                if let Chunk::Gathered(buffer) = chunk {
                    keep_larger(spare, buffer);
                }
            }
            self.sent = 0;
            return;
        }
        if spare.capacity() > 0 {
            return;
        }
        if let Some(Chunk::Gathered(first)) = self.chunks.front_mut()
            && first.capacity() <= SPARE_MAX
        {
            // A larger one was not lent, and would be copied again whenever a little of it has left.
            let rest = first[self.sent..].to_vec();
            *spare = std::mem::replace(first, rest);
            spare.clear();
            self.sent = 0;
        }
    }
}

/// Keeps one emptied buffer for the next event, the larger of two, unless it is huge.
#[inline]
fn keep_larger(spare: &mut Vec<u8>, mut buffer: Vec<u8>) {
    if buffer.capacity() > spare.capacity() && buffer.capacity() <= SPARE_MAX {
        buffer.clear();
        *spare = buffer;
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::{io::Read, sync::Arc};

    use super::*;

    fn pair() -> (Transport, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let client = TcpStream::connect(listener.local_addr().expect("bound")).expect("to connect");
        let (server, _) = listener.accept().expect("to accept");
        server.set_nonblocking(true).expect("to set");
        (Transport::Plain(server), client)
    }

    #[test]
    fn keeps_order_across_gathered_and_kept_chunks() {
        let mut output = Output::default();
        let mut spare = Vec::with_capacity(1000);
        output.lend(&mut spare);
        output.gather(b"head ");
        output.push(vec![b'x'; GATHER_BELOW].into());
        output.push("tail".into());
        output.push(Arc::<[u8]>::from(vec![b'y'; GATHER_BELOW]).into());
        let mut expected = b"head ".to_vec();
        expected.extend([b'x'; GATHER_BELOW]);
        expected.extend(b"tail");
        expected.extend([b'y'; GATHER_BELOW]);
        assert_eq!(output.to_vec(), expected);

        let (mut transport, mut client) = pair();
        assert_eq!(output.flush(&mut transport, &mut spare).expect("to write"), expected.len());
        assert!(output.is_empty() && spare.capacity() >= 1000, "the lent buffer came back");
        drop(transport);
        let mut received = Vec::new();
        client.read_to_end(&mut received).expect("to read");
        assert_eq!(received, expected);
    }

    /// A file without a name.
    fn file(content: &[u8]) -> Arc<File> {
        let path = std::env::temp_dir().join(format!("mongoose-output-{}-{:p}", std::process::id(), content));
        std::fs::write(&path, content).expect("to write");
        let file = File::open(&path).expect("a file");
        std::fs::remove_file(&path).expect("to remove");
        Arc::new(file)
    }

    #[test]
    fn parts_of_files_leave_in_order_with_what_is_around_them() {
        let (mut transport, mut client) = pair();
        let mut output = Output::default();
        let mut spare = Vec::with_capacity(100);
        output.lend(&mut spare);
        let content: Vec<u8> = (0..20_000_000u32).map(|n| (n % 251) as u8).collect();
        let file = file(&content);
        // Behind a lent buffer that nothing was gathered in.
        output.push_file(Arc::clone(&file), 1, 2);
        output.gather(b"between");
        output.push_file(Arc::clone(&file), 3, 19_999_997);
        output.push_file(file, 0, 0);
        output.gather(b"behind");
        let expected = [&content[1..3], b"between", &content[3..], b"behind"].concat();
        assert_eq!(output.len(), expected.len());
        assert!(output.to_vec() == expected);
        let reader = std::thread::spawn(move || {
            let mut received = Vec::new();
            client.read_to_end(&mut received).expect("to read");
            received
        });
        let mut written = output.write_through(&mut transport, b"borrowed");
        while !output.is_empty() {
            written += output.flush(&mut transport, &mut spare).expect("to write");
            std::thread::yield_now();
        }
        drop(transport);
        assert!(reader.join().expect("the reader") == [&expected[..], b"borrowed"].concat());
        assert_eq!(written, expected.len() + 8);
    }

    #[test]
    fn a_file_that_is_shorter_than_its_part_is_an_error_once_the_rest_has_left() {
        let (mut transport, mut client) = pair();
        let mut output = Output::default();
        output.gather(b"head ");
        output.push_file(file(b"short"), 2, 10);
        let mut spare = Vec::new();
        assert_eq!(output.to_vec(), b"head ");
        assert_eq!(output.flush(&mut transport, &mut spare).expect("a part of it"), 8);
        let error = output.flush(&mut transport, &mut spare).expect_err("there is no more");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        drop(transport);
        let mut received = Vec::new();
        client.read_to_end(&mut received).expect("to read");
        assert_eq!(received, b"head ort");
    }

    #[test]
    fn what_the_socket_does_not_take_waits_and_leaves_later() {
        let (mut transport, mut client) = pair();
        let mut output = Output::default();
        let mut spare = Vec::with_capacity(1 << 20);
        output.lend(&mut spare);
        let expected: Vec<u8> = (0..20_000_000u32).map(|n| (n % 251) as u8).collect();
        for piece in expected.chunks(10_000) {
            output.gather(piece);
        }
        assert_eq!(output.len(), expected.len());
        let reader = std::thread::spawn(move || {
            let mut received = Vec::new();
            client.read_to_end(&mut received).expect("to read");
            received
        });
        while !output.is_empty() {
            output.flush(&mut transport, &mut spare).expect("to write");
            std::thread::yield_now();
        }
        drop(transport);
        assert!(reader.join().expect("the reader") == expected);
    }

    #[test]
    fn a_large_chunk_is_not_copied_for_the_sake_of_the_spare_buffer() {
        let (mut transport, _client) = pair();
        let mut output = Output::default();
        output.gather(&vec![7; 20_000_000]);
        let mut spare = Vec::new();
        let written = output.flush(&mut transport, &mut spare).expect("to write");
        assert!(written > 0 && !output.is_empty());
        assert_eq!((spare.capacity(), output.sent), (0, written), "it stays where it is");
    }

    #[test]
    fn borrowed_bytes_leave_behind_what_waits_and_the_rest_is_kept() {
        let (mut transport, mut client) = pair();
        let mut output = Output::default();
        let mut spare = Vec::with_capacity(100);
        output.lend(&mut spare);
        output.gather(b"head ");
        let body: Vec<u8> = (0..20_000_000u32).map(|n| (n % 251) as u8).collect();
        let written = output.write_through(&mut transport, &body);
        assert!(written > 5 && written < body.len(), "the socket took {written}");
        assert_eq!(output.len(), body.len() + 5 - written);
        let reader = std::thread::spawn(move || {
            let mut received = Vec::new();
            client.read_to_end(&mut received).expect("to read");
            received
        });
        while !output.is_empty() {
            output.flush(&mut transport, &mut spare).expect("to write");
            std::thread::yield_now();
        }
        drop(transport);
        let received = reader.join().expect("the reader");
        assert!(received[..5] == *b"head " && received[5..] == body);
    }
}
