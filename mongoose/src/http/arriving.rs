//! A body that is handed over while it arrives.

use crate::Limits;
use crate::gate::http::{Chunked, Framing, Progress, ResponseFraming};

/// How much of a body is still to come.
#[derive(Debug)]
pub(super) enum Arriving {
    Length(u64),
    Chunked(Box<Chunked>),
    /// All until the connection's end.
    Close,
}

/// What there is of a body at the front of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Available {
    /// So many bytes, which may be none.
    Bytes(usize),
    /// What is there has to be decoded first.
    Encoded,
}

impl Arriving {
    pub(super) fn of_request(framing: Framing, limits: &Limits) -> Self {
        match framing {
            Framing::Length(length) => Self::Length(length as u64),
            Framing::Chunked => Self::Chunked(Box::new(Chunked::streaming(limits.head))),
        }
    }

    pub(super) fn of_response(framing: ResponseFraming, limits: &Limits) -> Self {
        match framing {
            ResponseFraming::Length(length) => Self::Length(length as u64),
            ResponseFraming::Chunked => Self::Chunked(Box::new(Chunked::streaming(limits.head))),
            ResponseFraming::Close => Self::Close,
        }
    }

    pub(super) fn available(&self, input: &[u8]) -> Available {
        match self {
            Self::Length(left) => {
                Available::Bytes(usize::try_from(*left).map_or(input.len(), |left| left.min(input.len())))
            }
            Self::Chunked(decoder)
                if decoder.progress() == Progress::More && decoder.body() < input.len() =>
            {
                Available::Encoded
            }
            Self::Chunked(decoder) => Available::Bytes(decoder.body()),
            Self::Close => Available::Bytes(input.len()),
        }
    }

    /// Notes that so many bytes were taken.
    pub(super) fn take(&mut self, count: usize) {
        match self {
            Self::Length(left) => *left -= count as u64,
            Self::Chunked(decoder) => decoder.take(count),
            Self::Close => {}
        }
    }

    pub(super) fn progress(&self) -> Progress {
        match self {
            Self::Length(0) => Progress::Done,
            Self::Length(_) | Self::Close => Progress::More,
            // What is wrong behind them comes after the bytes that are right.
            Self::Chunked(decoder) if decoder.body() > 0 => Progress::More,
            Self::Chunked(decoder) => decoder.progress(),
        }
    }

    pub(super) fn decode(&mut self, input: &mut [u8]) -> usize {
        match self {
            Self::Chunked(decoder) => decoder.decode(input),
            Self::Length(_) | Self::Close => input.len(),
        }
    }
}
