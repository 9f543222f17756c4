//! SNTP: what time it is, by a server's clock.
//!
//! It is told and no more: no clock is moved, neither the system's nor that by which certificates are judged (C moves
//! the latter at any answer). Timers and deadlines run by the monotonic clock, [`Instant`]; dates in HTTP and the
//! validity of certificates go by the system's, [`SystemTime`].

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::engine::{Connection, Dialer, Protocol, Step};
use crate::ffi;
use crate::gate::sntp::{self, Refusal, Timestamp};
use crate::net::{Endpoint, Scheme};
use crate::{ConnectionId, Error, Registry};

/// The port of time servers.
const PORT: u16 = 123;

/// How much longer than we waited a server may say that it took: both clocks are a little wrong.
const SLACK: Duration = Duration::from_millis(10);

/// What a time server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Time {
    /// How far the server's clock is ahead of the system's, in nanoseconds; below zero when it is behind. As far as half
    /// the [round trip](Self::round_trip) it may be wrong.
    pub offset: i64,
    /// How long question and answer were on their way.
    pub round_trip: Duration,
    /// 1 for a server with a clock of its own, one more for each server in between; 15 at most.
    pub stratum: u8,
}

impl Time {
    /// The time by the server's clock, when this is called.
    pub fn now(&self) -> SystemTime {
        let (now, offset) = (SystemTime::now(), Duration::from_nanos(self.offset.unsigned_abs()));
        let moved = if self.offset < 0 { now.checked_sub(offset) } else { now.checked_add(offset) };
        moved.unwrap_or(now)
    }

    /// The same in milliseconds since 1970.
    pub fn unix_millis(&self) -> u64 {
        let since = self.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A question that waits for its answer as long as this lives: dropping it cancels it, [`detach`](Self::detach) does
/// not.
///
/// See [`Registry::sntp`].
#[must_use = "dropping a query cancels it: keep it, or call `detach`"]
pub struct Query {
    dialer: Dialer,
    id: ConnectionId,
    cancelled: Rc<Cell<bool>>,
    detached: bool,
}

impl Query {
    /// Cancels the question: its closure is never called.
    pub fn cancel(self) {}

    /// Waits for the answer without being held.
    pub fn detach(mut self) {
        self.detached = true;
    }
}

impl Drop for Query {
    fn drop(&mut self) {
        if !self.detached {
            self.cancelled.set(true);
            self.dialer.close(self.id);
        }
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Registry {
    /// Asks a time server, and calls a closure with its answer on the loop, never before this returns. Dropping what
    /// this answers cancels it.
    ///
    /// The URL is `udp://host:port`, or `udp://host` for port 123. One question is sent; ask again, a minute later at
    /// the earliest, where its answer is lost. An answer counts that comes from the server's address and repeats a
    /// random number. It is refused when it is of another version, from a server whose clock is not set or that wants to
    /// be left alone, or cannot be true.
    ///
    /// ```no_run
    /// # let manager = mongoose::Manager::new()?;
    /// use std::time::Duration;
    /// use mongoose::{Error, Registry, sntp};
    ///
    /// let time = |_: &Registry, answer: Result<sntp::Time, Error>| match answer {
    ///     Ok(reply) => println!("{} ms, {:?} away", reply.unix_millis(), reply.round_trip),
    ///     Err(error) => eprintln!("{error}"),
    /// };
    /// manager.sntp("udp://time.cloudflare.com", Duration::from_secs(5), time)?.detach();
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that is no such, [`Error::ShuttingDown`] while the manager is dropped. The closure is
    /// told of what else goes wrong, by [`Error::Sntp`]: the host has no address, the answer is refused, or it did not come
    /// within the time, lookup included.
    #[doc(alias = "mg_sntp_connect")]
    #[doc(alias = "mg_sntp_request")]
    #[doc(alias = "mg_sntp_parse")]
    #[doc(alias = "MG_EV_SNTP_TIME")]
    pub fn sntp(
        &self,
        url: &str,
        within: Duration,
        then: impl FnOnce(&Registry, Result<Time, Error>) + 'static,
    ) -> Result<Query, Error> {
        let endpoint = Endpoint::parse_or(url, Scheme::Udp, Some(PORT))?;
        let dialer = Dialer::new(self);
        let cancelled = Rc::new(Cell::new(false));
        let asking = Asking {
            url: url.to_owned(),
            then: Some(Box::new(then)),
            cancelled: Rc::clone(&cancelled),
            until: Instant::now().checked_add(within),
            asked: None,
            nonce: u64::from_ne_bytes(ffi::random()),
        };
        let id = dialer.connect_datagrams(url, &endpoint, within, Box::new(asking))?;
        Ok(Query { dialer, id, cancelled, detached: false })
    }
}

type Callback = Box<dyn FnOnce(&Registry, Result<Time, Error>)>;

/// One question.
struct Asking {
    url: String,
    then: Option<Callback>,
    cancelled: Rc<Cell<bool>>,
    until: Option<Instant>,
    /// When it was asked, by both clocks.
    asked: Option<(Instant, SystemTime)>,
    nonce: u64,
}

impl Asking {
    fn tell(&mut self, connection: &Connection<'_>, result: Result<Time, Error>) {
        connection.close();
        if let Some(then) = self.then.take()
            && !self.cancelled.get()
        {
            then(connection.registry(), result);
        }
    }

    fn refuse(&mut self, connection: &Connection<'_>, reason: String) {
        let error = Error::Sntp { url: self.url.clone(), reason };
        self.tell(connection, Err(error));
    }
}

impl Protocol for Asking {
    fn opened(&mut self, connection: &Connection<'_>) {
        self.asked = Some((Instant::now(), SystemTime::now()));
        connection.set_deadline_at(self.until);
        if let Err(error) = connection.send_datagram(&sntp::question(self.nonce), None) {
            self.refuse(connection, error.to_string());
        }
    }

    fn receive(&mut self, _connection: &Connection<'_>) -> Step {
        Step::Wait
    }

    fn datagram(&mut self, connection: &Connection<'_>, bytes: &[u8], _from: SocketAddr) {
        let Some((asked, at)) = self.asked.filter(|_| self.then.is_some()) else { return };
        let judged = sntp::answer(bytes, self.nonce)
            .and_then(|answer| time_from(&answer, asked.elapsed(), at).map_err(Refusal::Unfit));
        match judged {
            Ok(reply) => self.tell(connection, Ok(reply)),
            Err(Refusal::Stray) => {}
            Err(Refusal::Unfit(reason)) => self.refuse(connection, format!("the answer is unfit: {reason}")),
            Err(Refusal::Kiss(code)) => {
                let code = code.escape_ascii();
                self.refuse(connection, format!("the server wants to be left alone: {code}"));
            }
        }
    }

    fn expired(&mut self, connection: &Connection<'_>) {
        self.refuse(connection, "no answer in time".to_owned());
    }

    fn failed(&mut self, connection: &Connection<'_>, error: &Error) {
        let reason = match error {
            Error::Resolve { source, .. } | Error::Connect { source, .. } | Error::Io { source, .. } => {
                source.to_string()
            }
            other => other.to_string(),
        };
        self.refuse(connection, reason);
    }

    fn shutdown(&mut self, connection: &Connection<'_>) {
        connection.close();
    }

    fn closed(&mut self, connection: &Connection<'_>) {
        self.tell(connection, Err(Error::Closed));
    }

    fn take_part(&mut self) -> Option<Box<dyn Any>> {
        self.then.take().map(|then| Box::new(then) as Box<dyn Any>)
    }
}

/// What an answer says that came so long after the question. The time between is the monotonic clock's: should the
/// system's be moved meanwhile, the offset is that to the old one.
fn time_from(answer: &sntp::Answer, elapsed: Duration, asked: SystemTime) -> Result<Time, &'static str> {
    let began = timestamp(asked);
    let elapsed = i64::try_from(elapsed.as_nanos()).map_err(|_| "it came too late")?;
    // From 2^-32 seconds.
    let nanos = |interval: i64| (i128::from(interval) * 1_000_000_000) >> 32;
    let ahead_at_first = nanos(answer.received.since(began));
    let ahead_at_last = nanos(answer.sent.since(began)) - i128::from(elapsed);
    let worked = nanos(answer.sent.since(answer.received));
    let on_the_way = i128::from(elapsed) - worked;
    if on_the_way < -(SLACK.as_nanos() as i128) {
        return Err("the server worked on it longer than we waited");
    }
    let offset =
        i64::try_from((ahead_at_first + ahead_at_last) / 2).map_err(|_| "its time is too far off")?;
    let round_trip = Duration::from_nanos(u64::try_from(on_the_way).unwrap_or(0));
    Ok(Time { offset, round_trip, stratum: answer.stratum })
}

fn timestamp(time: SystemTime) -> Timestamp {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => Timestamp::from_unix(since.as_secs(), since.subsec_nanos()),
        // Before 1970: whole seconds will do.
        Err(error) => Timestamp::from_unix(0u64.wrapping_sub(error.duration().as_secs()), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn answer(received: u64, sent: u64) -> sntp::Answer {
        let of = |millis: u64| Timestamp::from_unix(millis / 1000, (millis % 1000) as u32 * 1_000_000);
        sntp::Answer { stratum: 1, received: of(received), sent: of(sent) }
    }

    /// Within the quarter of a nanosecond that 2^-32 seconds are.
    fn near(one: i64, other: i64) -> bool {
        one.abs_diff(other) <= 2
    }

    #[test]
    fn offset_and_round_trip_follow_from_the_four_times() {
        // Asked at 100 s by ours, got at 110.2 s by theirs, sent at 110.5, here after 0.7 s: 0.4 s on the way.
        let one = time_from(&answer(110_200, 110_500), Duration::from_millis(700), at(100)).expect("fit");
        assert!(near(one.offset, 10 * SECOND), "{one:?}");
        assert!(near(one.round_trip.as_nanos() as i64, 400_000_000), "{one:?}");
        let behind = time_from(&answer(90_200, 90_500), Duration::from_millis(700), at(100)).expect("fit");
        assert!(near(behind.offset, -10 * SECOND), "{behind:?}");
    }

    #[test]
    fn a_device_whose_clock_begins_in_1970_learns_the_time() {
        let now = 1_800_000_000;
        let reply = time_from(&answer(now * 1000, now * 1000), Duration::ZERO, at(0)).expect("fit");
        assert!(near(reply.offset, now as i64 * SECOND), "{reply:?}");
        assert!(reply.now() > at(now));
    }

    #[test]
    fn hazard_51_a_server_cannot_have_worked_longer_than_we_waited() {
        let waited = Duration::from_millis(500);
        assert!(time_from(&answer(100_000, 100_505), waited, at(100)).is_ok(), "clocks are not that good");
        let error = time_from(&answer(100_000, 100_600), waited, at(100)).expect_err("a lie");
        assert!(error.contains("longer"));
    }

    #[test]
    fn clocks_before_1970_are_times_too() {
        let reply =
            time_from(&answer(0, 0), Duration::ZERO, UNIX_EPOCH - Duration::from_secs(5)).expect("fit");
        assert!(near(reply.offset, 5 * SECOND), "{reply:?}");
    }
}
