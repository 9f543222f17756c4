//! Where values come from: a broker, or a demo that makes them up.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use mongoose::mqtt::{Client, Event, QoS, Session};
use mongoose::{Error, Registry};

use crate::device::Device;

/// Subscribes to topics, for as long as the program runs: the client connects again whenever it has to.
pub fn subscribe(
    registry: &Registry,
    url: &str,
    filter: &str,
    device: &Rc<RefCell<Device>>,
) -> Result<Client, Error> {
    let (device, place, filter) = (Rc::clone(device), url.to_owned(), filter.to_owned());
    device.borrow_mut().source = format!("connecting to {url}");
    Client::builder(url).connect(registry, move |session: &Session<'_>, event: Event<'_>| {
        let mut device = device.borrow_mut();
        match event {
            Event::Connected(_) => {
                device.source = format!("{filter} at {place}");
                session.subscribe(&filter, QoS::AtMostOnce)?;
            }
            Event::Message(message) => {
                match message.text().and_then(|text| text.trim().parse::<f64>().ok()) {
                    Some(value) => device.record(message.topic, SystemTime::now(), value),
                    None => device.ignore(),
                }
            }
            Event::Disconnected { error, .. } => {
                eprintln!("{error}");
                device.source = format!("no connection to {place}");
            }
            _ => {}
        }
        Ok(())
    })
}

/// A greenhouse in the sun.
pub struct Demo {
    /// Seconds that it has run.
    time: f64,
    temperature: f64,
    noise: u32,
}

impl Demo {
    /// Begins some minutes ago, so that there is something to see.
    pub fn new(device: &mut Device) -> Self {
        let mut demo = Self { time: 0.0, temperature: 23.0, noise: 1 };
        let second = Duration::from_secs(1);
        for ago in (1..300).rev() {
            demo.measure(device, SystemTime::now() - ago * second, second);
        }
        // Nobody is there yet to be told.
        device.news();
        device.source = "a demo".to_owned();
        demo
    }

    /// Lets some time pass, and measures.
    pub fn measure(&mut self, device: &mut Device, now: SystemTime, passed: Duration) {
        let passed = passed.as_secs_f64();
        self.time += passed;
        let sun = 0.5 + 0.5 * (self.time / 60.0).sin() + 0.15 * (self.time / 11.0).sin();
        let fan = device.settings.fan;
        let aim = if fan { 19.0 + 3.0 * sun } else { 22.0 + 6.0 * sun };
        self.temperature += (aim - self.temperature) * (passed / 12.0).min(1.0);
        let humidity = 95.0 - 1.6 * self.temperature + 1.5 * self.random();
        let power = if fan { 145.0 } else { 62.0 } + 25.0 * sun + 4.0 * self.random();
        let temperature = self.temperature + 0.12 * self.random();
        for (name, value) in [("temperature", temperature), ("humidity", humidity), ("power", power)] {
            device.record(name, now, (value * 100.0).round() / 100.0);
        }
    }

    /// Between -1 and 1, and good enough for a demo.
    fn random(&mut self) -> f64 {
        self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.noise >> 8) / f64::from(1 << 23) - 1.0
    }
}
