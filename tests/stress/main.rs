//! Many threads at once: messages, workers, sockets that others opened.

mod posts;
mod sockets;
mod workers;
