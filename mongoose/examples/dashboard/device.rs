//! What is shown: the values that a device has measured, and its settings.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Points that are kept of a curve.
const POINTS: usize = 600;

/// Curves. Further topics are counted, and not shown.
const CURVES: usize = 6;

/// What can be set.
#[derive(Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub name: String,
    /// Between two updates of the pages.
    pub interval_ms: u64,
    /// The curve that is watched,
    pub watch: String,
    /// and what is an alarm above.
    pub limit: f64,
    pub fan: bool,
}

impl Settings {
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), &'static str> {
        let is_name = |text: &str| !text.trim().is_empty() && !text.contains(char::is_control);
        if !is_name(&self.name) || self.name.chars().count() > 40 {
            return Err("name: 1 to 40 characters");
        }
        if !(100..=10_000).contains(&self.interval_ms) {
            return Err("interval_ms: 100 to 10000");
        }
        if !is_name(&self.watch) || self.watch.len() > 200 {
            return Err("watch: the name of a curve");
        }
        if !(-1e6..=1e6).contains(&self.limit) {
            return Err("limit: -1000000 to 1000000");
        }
        Ok(())
    }

    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }
}

/// When, in milliseconds since 1970, and what.
type Point = (u64, f64);

struct Curve {
    name: String,
    points: VecDeque<Point>,
    /// How many of them the pages have not seen, at the end.
    news: usize,
}

/// The device.
pub struct Device {
    pub settings: Settings,
    /// Where the values come from, and how that is.
    pub source: String,
    /// As they came.
    curves: Vec<Curve>,
    started: Instant,
    received: u64,
    ignored: u64,
}

impl Device {
    pub fn new() -> Self {
        let settings = Settings {
            name: "Greenhouse 1".to_owned(),
            interval_ms: 1000,
            watch: "temperature".to_owned(),
            limit: 27.0,
            fan: false,
        };
        let (curves, source) = Default::default();
        Self { settings, source, curves, started: Instant::now(), received: 0, ignored: 0 }
    }

    /// Takes a value.
    pub fn record(&mut self, name: &str, time: SystemTime, value: f64) {
        self.received += 1;
        let at = self.curves.iter().position(|curve| curve.name == name).unwrap_or(self.curves.len());
        if at == CURVES || !value.is_finite() {
            self.ignored += 1;
            return;
        }
        if at == self.curves.len() {
            self.curves.push(Curve { name: name.to_owned(), points: VecDeque::new(), news: 0 });
        }
        let curve = &mut self.curves[at];
        let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        if curve.points.len() == POINTS {
            curve.points.pop_front();
        }
        curve.points.push_back((since_1970.as_millis() as u64, value));
        curve.news = (curve.news + 1).min(POINTS);
    }

    /// Notes what is no value.
    pub fn ignore(&mut self) {
        self.received += 1;
        self.ignored += 1;
    }

    /// All there is, for a page that has just come; but for the news, which it gets with the others.
    pub fn everything(&self) -> String {
        let old =
            |curve: &Curve| Vec::from_iter(curve.points.range(..curve.points.len() - curve.news).copied());
        let curves = self.curves.iter().map(|curve| (&curve.name, old(curve)));
        json!({ "settings": self.settings, "curves": Vec::from_iter(curves), "status": self.status() })
            .to_string()
    }

    /// What is new, for all of them.
    pub fn news(&mut self) -> String {
        let fresh = self.curves.iter().filter(|curve| curve.news > 0).map(|curve| {
            let points = curve.points.range(curve.points.len() - curve.news..);
            (&curve.name, Vec::from_iter(points))
        });
        let news = json!({ "points": Vec::from_iter(fresh), "status": self.status() }).to_string();
        self.curves.iter_mut().for_each(|curve| curve.news = 0);
        news
    }

    /// What changed when the settings did.
    pub fn changes(&self) -> String {
        json!({ "settings": self.settings, "status": self.status() }).to_string()
    }

    fn status(&self) -> Value {
        let watched = self.curves.iter().find(|curve| curve.name == self.settings.watch);
        let watched = watched.and_then(|curve| curve.points.back());
        json!({
            "alarm": watched.is_some_and(|(_, value)| *value > self.settings.limit),
            "ignored": self.ignored,
            "received": self.received,
            "source": self.source,
            "uptime": self.started.elapsed().as_secs(),
        })
    }
}
