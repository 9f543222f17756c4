//! One connection of a client.

use std::any::Any;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::session::{Arrival, Done, encode_checked};
use super::{Event, Phase, Shared, State};
use crate::Error;
use crate::engine::{Connection, Protocol, Step};
use crate::gate::mqtt::Violation;
use crate::mqtt::{
    Ack, Answer, Connack, Decoder, Disconnect, Message, Packet, PacketId, Properties, Property, Publish, QoS,
    Reason, Version,
};

/// What speaks on the connection.
pub(super) struct Link {
    shared: Rc<Shared>,
    decoder: Decoder,
    /// The server has said that we are welcome.
    open: bool,
    /// Why the connection ends, where that is known.
    error: Option<Error>,
    keep_alive: Duration,
    last_received: Instant,
    /// A ping is not answered.
    pinged: Option<Instant>,
    /// Topics that the server abbreviates, by their number less one.
    aliases: Vec<Option<Rc<str>>>,
    /// What comes next is known to somebody else: a timer, or nobody.
    handed_over: bool,
}

/// Why a connection cannot go on.
enum Fault {
    /// The server broke the protocol, and is told so.
    Peer(Violation),
    Ours(Error),
}

impl From<Violation> for Fault {
    fn from(violation: Violation) -> Self {
        Self::Peer(violation)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Link {
    pub(super) fn boxed(shared: &Rc<Shared>) -> Box<dyn Protocol> {
        let settings = &shared.settings;
        Box::new(Self {
            shared: Rc::clone(shared),
            decoder: Decoder::of_server(settings.version, settings.packet_size),
            open: false,
            error: None,
            keep_alive: Duration::ZERO,
            last_received: Instant::now(),
            pinged: None,
            aliases: Vec::new(),
            handed_over: false,
        })
    }

    fn handle(&mut self, connection: &Connection<'_>, packet: Packet<'_>) -> Result<(), Fault> {
        if !self.open {
            return match packet {
                Packet::Connack(connack) => self.connack(connection, &connack),
                Packet::Auth(auth) => self.tell(connection, Event::Auth(auth)),
                _ => Err(Violation::protocol("the first packet is not CONNACK").into()),
            };
        }
        let version = self.shared.settings.version;
        match packet {
            Packet::Publish(publish) => self.publish(connection, &publish),
            Packet::Puback(ack) => {
                let done = self.shared.state.borrow_mut().kept.acknowledged(&ack)?;
                self.done(connection, done)
            }
            Packet::Pubrec(ack) => {
                let done = self.with_kept(connection, |state, out| state.kept.recorded(&ack, out))?;
                self.done(connection, done)
            }
            Packet::Pubcomp(ack) => {
                let done = self.shared.state.borrow_mut().kept.completed(&ack)?;
                self.done(connection, done)
            }
            Packet::Pubrel(ack) => {
                self.with_kept(connection, |state, out| state.kept.released(ack.packet_id, out));
                Ok(())
            }
            Packet::Suback(answer) => {
                let request = self.shared.state.borrow_mut().kept.subscribed(&answer)?;
                self.tell(connection, Event::Subscribed(request, answer))?;
                self.done(connection, None)
            }
            Packet::Unsuback(answer) => {
                let request = self.shared.state.borrow_mut().kept.unsubscribed(&answer)?;
                self.tell(connection, Event::Unsubscribed(request, answer))?;
                self.done(connection, None)
            }
            // Whatever comes is a sign of life.
            Packet::Pingresp => Ok(()),
            Packet::Disconnect(disconnect) => Err(Error::Disconnected { reason: disconnect.reason }.into()),
            Packet::Auth(auth) if version == Version::V5 => self.tell(connection, Event::Auth(auth)),
            Packet::Connack(_) => Err(Violation::protocol("a second CONNACK").into()),
            _ => Err(Violation::protocol("a packet that a server never sends").into()),
        }
    }

    fn connack(&mut self, connection: &Connection<'_>, connack: &Connack<'_>) -> Result<(), Fault> {
        if connack.reason.is_failure() {
            return Err(Error::ConnectRefused { reason: connack.reason }.into());
        }
        let settings = &self.shared.settings;
        let (done, refused) = {
            let mut state = self.shared.state.borrow_mut();
            if connack.session_present && state.first && settings.clean_start {
                return Err(Violation::protocol("a session is present that was to be forgotten").into());
            }
            let mut keep_alive = settings.keep_alive;
            let mut alias_maximum = 0;
            for property in connack.properties.iter() {
                match property {
                    Property::ServerKeepAlive(seconds) => keep_alive = seconds,
                    Property::TopicAliasMaximum(maximum) => alias_maximum = maximum,
                    Property::AssignedClientIdentifier(name) => state.assigned = name.to_owned(),
                    _ => {}
                }
            }
            self.keep_alive = Duration::from_secs(u64::from(keep_alive));
            state.alias_maximum = alias_maximum.min(settings.topic_aliases);
            state.aliases.clear();
            // Where it was to end meanwhile, it does.
            if state.phase == Phase::Connecting {
                state.phase = Phase::Open;
            }
            state.failures = 0;
            state.first = false;
            let State { kept, last_sent, .. } = &mut *state;
            let mut resumed = Default::default();
            self.shared.write(last_sent, connection.id(), |out| resumed = kept.resume(connack, out));
            resumed
        };
        self.open = true;
        self.arm(connection, connection.clock().now());
        self.tell(connection, Event::Connected(*connack))?;
        for (request, codes) in refused {
            let (packet_id, properties) = (PacketId::MAX, Properties::default());
            let answer = Answer { packet_id, properties, codes: &codes };
            self.tell(connection, Event::Subscribed(request, answer))?;
        }
        for done in done {
            self.done(connection, Some(done))?;
        }
        Ok(())
    }

    /// Shows a message, then acknowledges it.
    fn publish(&mut self, connection: &Connection<'_>, publish: &Publish<'_>) -> Result<(), Fault> {
        let abbreviated = if publish.properties.is_empty() { None } else { self.expand(publish)? };
        let topic = abbreviated.as_deref().unwrap_or(publish.topic);
        let message = Message::received(publish, topic);
        match (publish.qos, publish.packet_id) {
            (QoS::AtLeastOnce, Some(id)) => {
                self.show(connection, message)?;
                self.answer(connection, |id| Packet::Puback(Ack::success(id)), id);
            }
            (QoS::ExactlyOnce, Some(id)) => {
                let arrival = self.shared.state.borrow().kept.arrived(id)?;
                if arrival == Arrival::New {
                    self.show(connection, message)?;
                    self.shared.state.borrow_mut().kept.shown(id);
                }
                self.answer(connection, |id| Packet::Pubrec(Ack::success(id)), id);
            }
            _ => self.show(connection, message)?,
        }
        self.shared.say_goodbye();
        if connection.is_paused() {
            // A ping may have to go out before the answer to the last is heard.
            self.arm(connection, connection.clock().now());
        }
        Ok(())
    }

    /// As [`tell`](Self::tell); what ends the client waits for the acknowledgement.
    fn show(&mut self, connection: &Connection<'_>, message: Message<'_>) -> Result<(), Fault> {
        Ok(self.shared.tell(connection.registry(), Event::Message(message))?)
    }

    fn answer(
        &mut self,
        connection: &Connection<'_>,
        packet: impl FnOnce(PacketId) -> Packet<'static>,
        id: PacketId,
    ) {
        let version = self.shared.settings.version;
        self.with_kept(connection, |_, out| encode_checked(packet(id), version, out));
    }

    /// The topic that an alias stands for, where there is one; and remembers it.
    fn expand(&mut self, publish: &Publish<'_>) -> Result<Option<Rc<str>>, Violation> {
        let alias = publish.properties.find(|property| match property {
            Property::TopicAlias(alias) => Some(alias),
            _ => None,
        });
        let Some(alias) = alias else { return Ok(None) };
        if alias > self.shared.settings.topic_aliases {
            let reason = Reason::TOPIC_ALIAS_INVALID;
            return Err(Violation { reason, what: "a topic alias above our maximum" });
        }
        let at = usize::from(alias) - 1;
        if !publish.topic.is_empty() {
            if self.aliases.len() <= at {
                self.aliases.resize(at + 1, None);
            }
            self.aliases[at] = Some(publish.topic.into());
            return Ok(None);
        }
        match self.aliases.get(at).and_then(Option::clone) {
            Some(topic) => Ok(Some(topic)),
            None => Err(Violation::protocol("a topic alias that stands for nothing")),
        }
    }

    /// A message of ours is done, or a packet identifier free: there may be room for the next.
    fn done(&mut self, connection: &Connection<'_>, done: Option<Done>) -> Result<(), Fault> {
        let mut refused = self.with_kept(connection, |state, out| state.kept.send_waiting(out));
        refused.splice(0..0, done);
        for (delivery, reason) in refused {
            self.tell(connection, Event::Published(delivery, reason))?;
        }
        Ok(())
    }

    /// Changes what is kept and writes what follows from that. Nothing is written where the connection is at its end.
    fn with_kept<R>(
        &self,
        connection: &Connection<'_>,
        change: impl FnOnce(&mut State, &mut Vec<u8>) -> R,
    ) -> R {
        let mut state = self.shared.state.borrow_mut();
        if !connection.takes_output() {
            return change(&mut state, &mut Vec::new());
        }
        let before = connection.queued();
        let mut result = None;
        connection.entry.gather_with(64, |out| result = Some(change(&mut state, out)));
        if connection.queued() != before {
            state.last_sent = connection.clock().now();
            connection.touch();
        }
        result.expect("gathering always writes")
    }

    fn tell(&mut self, connection: &Connection<'_>, event: Event<'_>) -> Result<(), Fault> {
        self.shared.tell(connection.registry(), event)?;
        self.shared.say_goodbye();
        Ok(())
    }

    /// Ends the connection for a reason of either side's.
    fn give_up(&mut self, connection: &Connection<'_>, fault: Fault) -> Step {
        connection.consume_unit(usize::MAX);
        let (error, told) = match fault {
            Fault::Peer(Violation { reason, what }) => (Error::Mqtt { reason, what }, Some(reason)),
            Fault::Ours(error @ (Error::Disconnected { .. } | Error::ConnectRefused { .. })) => (error, None),
            Fault::Ours(error) => (error, Some(Reason::UNSPECIFIED_ERROR)),
        };
        if let Some(reason) = told
            && self.open
            && self.shared.settings.version == Version::V5
        {
            let disconnect = Disconnect { reason, ..Disconnect::default() };
            self.with_kept(connection, |_, out| {
                encode_checked(Packet::Disconnect(disconnect), Version::V5, out)
            });
            connection.drain_and_linger();
        } else {
            connection.close();
        }
        self.error.get_or_insert(error);
        Step::Wait
    }

    /// Sets the deadline for the next ping, or for the answer to the last.
    fn arm(&mut self, connection: &Connection<'_>, now: Instant) {
        let (since, time) = match self.pinged {
            _ if self.keep_alive.is_zero() => return connection.set_deadline(None),
            Some(since) => (since, self.shared.settings.response_time),
            None => (self.idle_since(), self.keep_alive),
        };
        let mut left = time.saturating_sub(now.saturating_duration_since(since));
        if connection.is_paused() {
            left = left.min(self.keep_alive.saturating_sub(self.silent_for(now)));
        }
        connection.set_deadline(Some(left));
    }

    /// For how long we have said nothing.
    fn silent_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.shared.state.borrow().last_sent)
    }

    /// Since when one of the directions is silent.
    fn idle_since(&self) -> Instant {
        self.last_received.min(self.shared.state.borrow().last_sent)
    }
}

impl Protocol for Link {
    fn opened(&mut self, connection: &Connection<'_>) {
        connection.set_appetite(usize::MAX);
        connection.set_framed();
        connection.set_deadline(Some(self.shared.settings.response_time));
        self.last_received = connection.clock().now();
        let settings = &self.shared.settings;
        let encoded = self.with_kept(connection, |state, out| {
            state.introduced = true;
            settings.encode(state.first, &state.assigned, out)
        });
        if let Err(error) = encoded {
            // Only for a name that the server chose, which is text as ours is: it fits.
            self.give_up(connection, error.into());
        }
    }

    fn receive(&mut self, connection: &Connection<'_>) -> Step {
        let input = connection.received();
        self.last_received = connection.clock().now();
        if self.pinged.take().is_some() {
            // The next ping may be due before this one's answer was.
            self.arm(connection, self.last_received);
        }
        match self.decoder.split(input) {
            Ok(None) => {
                connection.expect(self.decoder.needs());
                Step::Wait
            }
            Ok(Some((packet, end))) => match self.handle(connection, packet) {
                Ok(()) => {
                    connection.consume_unit(end);
                    Step::Again
                }
                Err(fault) => self.give_up(connection, fault),
            },
            Err(violation) => self.give_up(connection, violation.into()),
        }
    }

    fn ended(&mut self, connection: &Connection<'_>) {
        let cut = !connection.received().is_empty();
        self.error.get_or_insert(if cut { Error::Truncated } else { Error::Closed });
        connection.close();
    }

    fn written(&mut self, connection: &Connection<'_>) {
        if let Err(fault) = self.tell(connection, Event::Write) {
            self.give_up(connection, fault);
        }
    }

    fn expired(&mut self, connection: &Connection<'_>) {
        let now = connection.clock().now();
        let late = |since| now.saturating_duration_since(since) >= self.shared.settings.response_time;
        if !self.open {
            self.error.get_or_insert(Error::Deadline { phase: "answer CONNECT" });
            return connection.close();
        }
        let paused = connection.is_paused();
        if self.pinged.is_some_and(late) {
            if !paused {
                self.error.get_or_insert(Error::Deadline { phase: "answer a ping" });
                return connection.close();
            }
            // It is not the server's fault that we do not hear.
            self.pinged = Some(now);
        }
        // Who does not hear the answer goes on saying that we are there.
        let silent = paused && self.silent_for(now) >= self.keep_alive;
        let idle = || now.saturating_duration_since(self.idle_since()) >= self.keep_alive;
        if silent || (self.pinged.is_none() && idle()) {
            self.with_kept(connection, |_, out| encode_checked(Packet::Pingreq, Version::V3, out));
            self.pinged = Some(now);
        }
        self.arm(connection, now);
    }

    fn failed(&mut self, _connection: &Connection<'_>, error: &Error) {
        self.error.get_or_insert_with(|| error.own());
    }

    fn shutdown(&mut self, connection: &Connection<'_>) {
        let ended = {
            let mut state = self.shared.state.borrow_mut();
            std::mem::replace(&mut state.phase, Phase::Ended) == Phase::Ended
        };
        if !ended && self.open {
            let version = self.shared.settings.version;
            let packet = Packet::Disconnect(Disconnect::default());
            self.with_kept(connection, |_, out| encode_checked(packet, version, out));
        }
        connection.drain();
    }

    fn closed(&mut self, connection: &Connection<'_>) {
        let error = self.error.take().unwrap_or(Error::Closed);
        let taken_over = matches!(error, Error::Disconnected { reason: Reason::SESSION_TAKEN_OVER });
        let again = self.shared.settings.reconnect && !taken_over && self.shared.dialer.check_open().is_ok();
        let (asked, retry) = {
            let mut state = self.shared.state.borrow_mut();
            state.link = None;
            let asked = state.phase == Phase::Ended;
            let retry = (again && !asked).then(|| self.shared.delay(state.failures));
            state.failures = state.failures.saturating_add(1);
            state.phase = if retry.is_some() { Phase::Waiting } else { Phase::Ended };
            (asked, retry)
        };
        if !asked {
            // An error of the handler's own has nobody else to go to.
            let _ = self.shared.tell(connection.registry(), Event::Disconnected { error: &error, retry });
        }
        let still = self.shared.state.borrow().phase == Phase::Waiting;
        let waits = retry.filter(|_| still);
        if waits.is_none_or(|delay| self.shared.wait(connection.registry(), delay).is_err()) {
            self.shared.finish(connection.registry());
        }
        self.handed_over = true;
    }

    fn take_part(&mut self) -> Option<Box<dyn Any>> {
        if self.handed_over {
            return None;
        }
        // It panicked, or another protocol took over: there will be no other connection.
        self.handed_over = true;
        self.shared.state.borrow_mut().phase = Phase::Ended;
        let handler = self.shared.handler.try_borrow_mut().ok()?.take()?;
        Some(Box::new(handler))
    }
}
