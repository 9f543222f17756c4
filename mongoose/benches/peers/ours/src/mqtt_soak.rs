//! MQTT clients that lose their connections all the time: `peer-ours-mqtt-soak PORT SECONDS SEED`. Publishers number their
//! messages of each QoS; subscribers see that none is lost above QoS 0, that none comes twice at QoS 0 and 2, and that
//! those above QoS 0 come in order: one of QoS 0 may overtake another that had to wait for a connection. It prints `messages N deaths N resumed N` and fails at the first that is wrong.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mongoose::mqtt::{Client, ClientBuilder, Event, Message, QoS, Session, Version};
use mongoose::{Error, Manager};

const PUBLISHERS: usize = 4;
const SUBSCRIBERS: usize = 4;
const LEVELS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

/// How far a publisher is ahead of the slowest subscriber, in messages of one QoS.
const AHEAD: u64 = 50;

/// How long the last messages may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The number of the last message, by publisher and QoS; the first is 1.
type Numbers = [[u64; 3]; PUBLISHERS];

#[derive(Default)]
struct State {
    published: Cell<Numbers>,
    received: RefCell<[Numbers; SUBSCRIBERS]>,
    /// Those of QoS 0, by subscriber, publisher and number.
    seen: RefCell<HashSet<(usize, usize, u64)>>,
    subscribed: Cell<usize>,
    messages: Cell<u64>,
    resumed: Cell<u64>,
    wrong: RefCell<Option<String>>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let [port, seconds, seed] = arguments[..] else {
        return Err("usage: peer-ours-mqtt-soak PORT SECONDS SEED".into());
    };
    let mut manager = Manager::new()?;
    let state = Rc::new(State::default());
    let mut random = Random(seed | 1);
    let name = |kind: &str, index: usize| format!("{kind} {seed} {index}");
    let builder = |kind: &str, index: usize, clean: bool| {
        let version = if index % 2 == 0 { Version::V3 } else { Version::V5 };
        Client::builder(&format!("mqtt://127.0.0.1:{port}"))
            .version(version)
            .client_id(name(kind, index))
            .clean_start(clean)
            .session_expiry(if clean { 0 } else { 600 })
            .back_off(Duration::from_millis(5), Duration::from_millis(50))
    };

    let mut clients = Vec::new();
    for index in 0..SUBSCRIBERS {
        let client = subscriber(&manager, builder("subscriber", index, false), index, &state)?;
        client.subscribe("soak/#", QoS::ExactlyOnce)?;
        clients.push(client);
    }
    wait(&mut manager, &state, "the subscriptions", |state| state.subscribed.get() == SUBSCRIBERS)?;
    let mut publishers = Vec::new();
    for index in 0..PUBLISHERS {
        publishers.push(follow(&manager, builder("publisher", index, false), &state)?);
    }
    clients.extend(publishers.iter().cloned());

    let (end, mut deaths, mut next_death) =
        (Instant::now() + Duration::from_secs(seconds), 0, Instant::now());
    while Instant::now() < end {
        publish(&publishers, &state, &mut random)?;
        manager.poll(Duration::from_millis(2))?;
        state.check()?;
        if Instant::now() >= next_death {
            next_death = Instant::now() + Duration::from_millis(5 + random.below(60));
            let victim = &clients[random.below(clients.len() as u64) as usize];
            // It may have none just now.
            if let Some(connection) = victim.connection_id().and_then(|id| manager.connection(id).ok()) {
                connection.close();
                deaths += 1;
            }
        }
    }
    wait(&mut manager, &state, "the last messages", |state| {
        let certain = |numbers: &Numbers| numbers.map(|[_, one, two]| [one, two]);
        let published = certain(&state.published.get());
        state.received.borrow().iter().all(|numbers| certain(numbers) == published)
    })?;

    // The server is to forget all of them.
    clients.iter().for_each(Client::disconnect);
    let kinds = [("subscriber", SUBSCRIBERS), ("publisher", PUBLISHERS)];
    for (kind, index) in kinds.into_iter().flat_map(|(kind, count)| (0..count).map(move |n| (kind, n))) {
        let gone = Rc::new(Cell::new(false));
        let mark = Rc::clone(&gone);
        let handler = move |session: &Session<'_>, event: Event<'_>| -> Result<(), Error> {
            match event {
                Event::Connected(_) => session.disconnect(),
                Event::Closed => mark.set(true),
                _ => {}
            }
            Ok(())
        };
        builder(kind, index, true).connect(&manager, handler)?;
        wait(&mut manager, &state, "a session's end", |_| gone.get())?;
    }
    println!("messages {} deaths {deaths} resumed {}", state.messages.get(), state.resumed.get());
    Ok(())
}

/// A client that sees to it that its session is kept.
fn follow(manager: &Manager, builder: ClientBuilder, state: &Rc<State>) -> Result<Client, Error> {
    let (state, before) = (Rc::clone(state), Cell::new(false));
    let handler = move |_: &Session<'_>, event: Event<'_>| -> Result<(), Error> {
        state.connected(&event, &before);
        Ok(())
    };
    builder.connect(manager, handler)
}

fn subscriber(
    manager: &Manager,
    builder: ClientBuilder,
    index: usize,
    state: &Rc<State>,
) -> Result<Client, Error> {
    let (state, before) = (Rc::clone(state), Cell::new(false));
    let handler = move |_: &Session<'_>, event: Event<'_>| -> Result<(), Error> {
        match event {
            Event::Subscribed(..) => state.subscribed.set(state.subscribed.get() + 1),
            Event::Message(message) => {
                if let Err(error) = state.message(index, &message) {
                    state.wrong.replace(Some(error));
                }
            }
            other => state.connected(&other, &before),
        }
        Ok(())
    };
    builder.connect(manager, handler)
}

/// As much as the slowest subscriber lets each publisher.
fn publish(publishers: &[Client], state: &State, random: &mut Random) -> Result<(), Error> {
    let mut published = state.published.get();
    for (from, client) in publishers.iter().enumerate() {
        for (level, qos) in LEVELS.into_iter().enumerate() {
            let received = state.received.borrow().iter().map(|numbers| numbers[from][level]).min();
            // Those of QoS 0 may never come.
            let bound = if level == 0 { published[from][1] } else { received.unwrap_or(0) + AHEAD };
            while published[from][level] < bound {
                let number = published[from][level] + 1;
                let mut payload = number.to_be_bytes().to_vec();
                let most = 1 << random.below(12);
                payload.resize(8 + random.below(most) as usize, b'x');
                match client.publish(&format!("soak/{from}/{level}"), payload, qos) {
                    Ok(_) => published[from][level] = number,
                    // Later, then.
                    Err(Error::OutputFull { .. }) => break,
                    Err(error) => return Err(error),
                }
            }
        }
    }
    state.published.set(published);
    Ok(())
}

fn wait(
    manager: &mut Manager,
    state: &State,
    what: &str,
    until: impl Fn(&State) -> bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let end = Instant::now() + PATIENCE;
    while !until(state) {
        if Instant::now() > end {
            let (published, received) = (state.published.get(), state.received.borrow());
            return Err(format!("waited in vain for {what}: of {published:?} came {received:?}").into());
        }
        manager.poll(Duration::from_millis(20))?;
        state.check()?;
    }
    Ok(())
}

impl State {
    fn message(&self, index: usize, message: &Message<'_>) -> Result<(), String> {
        let bad = || format!("a message that nobody published: {} {:?}", message.topic, message.payload);
        let mut parts = message.topic.split('/').skip(1).map(|part| part.parse::<usize>().ok());
        let (Some(Some(from)), Some(Some(level))) = (parts.next(), parts.next()) else {
            return Err(bad());
        };
        let number = message.payload.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)).ok_or_else(bad)?;
        let last = &mut self.received.borrow_mut()[index][from][level];
        let right = match LEVELS[level] {
            QoS::AtMostOnce => self.seen.borrow_mut().insert((index, from, number)),
            QoS::AtLeastOnce => number <= *last + 1,
            QoS::ExactlyOnce => number == *last + 1,
        };
        if !right || message.qos != LEVELS[level] {
            return Err(format!(
                "QoS {level}: message {number} came to {index} behind message {last} from {from}"
            ));
        }
        *last = number.max(*last);
        self.messages.set(self.messages.get() + 1);
        Ok(())
    }

    fn connected(&self, event: &Event<'_>, before: &Cell<bool>) {
        let Event::Connected(connack) = event else { return };
        if before.replace(true) {
            self.resumed.set(self.resumed.get() + 1);
            if !connack.session_present {
                self.wrong.replace(Some("the server has forgotten a session".to_owned()));
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        self.wrong.take().map_or(Ok(()), Err)
    }
}

/// Numbers that follow from the seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % bound
    }
}
