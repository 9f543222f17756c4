//! The targets, and whether they are met: outside the spread, or not at all.

use std::fmt::Write;

use super::cases;
use super::metric::{Metric, format};
use super::peers::Peer;
use super::results::{Results, Spread};

/// From so many busy seconds on, the sampled share of user space is worth quoting.
pub const BUSY_ENOUGH: f64 = 20.0;

/// Fewer rounds show no spread, and decide nothing.
const ROUNDS: usize = 3;

/// What is demanded of a figure.
enum Demand {
    /// At most so many times a peer's.
    Ratio(Peer, f64),
    /// At most so many times our own in another case.
    OwnCase(&'static str, f64),
    AtMost(f64),
    AtLeast(f64),
    /// At least so many times a peer's.
    RatioAtLeast(Peer, f64),
}

use Demand::{AtLeast, AtMost, OwnCase, Ratio, RatioAtLeast};

const TARGETS: &[(&str, Metric, Demand)] = &[
    ("instructions", Metric::ShortHead, Ratio(Peer::C, 0.7)),
    ("instructions", Metric::ShortHead, Ratio(Peer::Hyper, 0.5)),
    ("instructions", Metric::BrowserHead, Ratio(Peer::C, 0.5)),
    ("instructions", Metric::BrowserHead, Ratio(Peer::Hyper, 0.5)),
    ("hello-64", Metric::Cpu, Ratio(Peer::Floor, 1.05)),
    ("idle", Metric::Cpu, OwnCase("hello-64", 1.05)),
    ("reply-10k", Metric::User, Ratio(Peer::Hyper, 1.0)),
    ("reply-100k", Metric::User, Ratio(Peer::Hyper, 0.3)),
    ("reply-1m", Metric::User, Ratio(Peer::Hyper, 0.1)),
    ("file-1k", Metric::User, Ratio(Peer::Nginx, 1.5)),
    // The client is busy and the server is not, so that a user share would take minutes: all CPU, and instructions.
    ("file-10m", Metric::Cpu, Ratio(Peer::Nginx, 1.5)),
    ("instructions", Metric::LargeFile, Ratio(Peer::Nginx, 1.5)),
    ("chunked", Metric::User, Ratio(Peer::Hyper, 1.0)),
    ("router-text", Metric::Cpu, Ratio(Peer::Axum, 1.0)),
    ("router-json", Metric::Cpu, Ratio(Peer::Axum, 1.0)),
    ("router-path", Metric::Cpu, Ratio(Peer::Axum, 1.0)),
    ("instructions", Metric::Routed, Ratio(Peer::Axum, 1.0)),
    ("upload-1g", Metric::User, Ratio(Peer::Hyper, 1.0)),
    ("upload-1g", Metric::Cpu, Ratio(Peer::Hyper, 1.0)),
    ("upload-1g", Metric::Peak, AtMost(1024.0)),
    ("sse-1000", Metric::User, Ratio(Peer::Hyper, 1.0)),
    ("ws-64", Metric::User, Ratio(Peer::Fastwebsockets, 1.0)),
    ("ws-64", Metric::User, Ratio(Peer::TokioTungstenite, 1.0)),
    ("ws-64", Metric::User, Ratio(Peer::C, 1.0)),
    ("ws-1k", Metric::User, Ratio(Peer::Fastwebsockets, 1.0)),
    ("ws-64k", Metric::User, Ratio(Peer::Fastwebsockets, 1.0)),
    ("ws-1m", Metric::User, Ratio(Peer::Fastwebsockets, 1.0)),
    ("ws-room", Metric::User, Ratio(Peer::TokioTungstenite, 1.0)),
    ("ws-room", Metric::User, Ratio(Peer::Fastwebsockets, 1.0)),
    ("mqtt-0", Metric::Cpu, Ratio(Peer::Rumqttc, 1.0)),
    ("mqtt-0", Metric::Cpu, Ratio(Peer::Libmosquitto, 1.0)),
    ("mqtt-1", Metric::Cpu, Ratio(Peer::Rumqttc, 1.0)),
    ("mqtt-1", Metric::Cpu, Ratio(Peer::Libmosquitto, 1.0)),
    ("pipelined", Metric::Cpu, Ratio(Peer::Hyper, 0.7)),
    ("storm", Metric::Accepted, RatioAtLeast(Peer::Actix, 1.0)),
    ("storm", Metric::Memory, AtMost(1500.0)),
    // "Flat": what a cache that is too small for 19,000 connections costs is allowed.
    ("closing-19000", Metric::CloseCpu, OwnCase("closing-1000", 1.25)),
    ("messages", Metric::Arrived, AtLeast(100.0)),
    ("messages", Metric::Delivered, AtLeast(1e6)),
    ("footprint", Metric::Crates, AtMost(10.0)),
    // tiny_http's size and the C library's 250 KB.
    ("footprint", Metric::Size, AtMost(665.0 + 250.0)),
];

/// Every target whose figures were measured.
pub fn table(results: &Results) -> String {
    let mut rows = String::new();
    for (case, metric, demand) in TARGETS {
        let Some((what, found, met)) = judge(results, case, *metric, demand) else { continue };
        let decides = found.rounds >= ROUNDS || metric.is_exact();
        let sampled = *metric == Metric::User && !is_quotable(results, case, demand);
        let verdict = match met {
            _ if !decides => "too few rounds",
            _ if sampled => "too short for a user share",
            Some(true) => "met",
            Some(false) => "missed",
            None => "within the spread",
        };
        let spread = format!("{} ({}-{})", format(found.median), format(found.least), format(found.most));
        let title = metric.title(cases::named(case).map_or("request", |case| case.kind.unit()));
        let _ = writeln!(rows, "| {case}: {title} | {what} | {spread} | {verdict} |");
    }
    if rows.is_empty() {
        return rows;
    }
    format!("## Targets\n\n| figure | target | found | |\n| --- | --- | --- | --- |\n{rows}")
}

/// Whether the user shares behind a ratio were sampled often enough.
fn is_quotable(results: &Results, case: &'static str, demand: &Demand) -> bool {
    let peer = match demand {
        Ratio(peer, _) | RatioAtLeast(peer, _) => *peer,
        OwnCase(..) | AtMost(_) | AtLeast(_) => Peer::Ours,
    };
    [Peer::Ours, peer].into_iter().all(|peer| results.busy(case, peer) >= BUSY_ENOUGH)
}

/// Whether a target is about the user share of this peer, so that it needs longer runs.
pub fn needs_user_share(case: &'static str, peer: Peer) -> bool {
    TARGETS.iter().any(|(name, metric, demand)| {
        let judged = peer == Peer::Ours || matches!(demand, Ratio(other, _) if *other == peer);
        *name == case && *metric == Metric::User && judged
    })
}

fn judge(
    results: &Results,
    case: &'static str,
    metric: Metric,
    demand: &Demand,
) -> Option<(String, Spread, Option<bool>)> {
    let own = || results.spread(case, Peer::Ours, metric);
    Some(match *demand {
        Ratio(peer, bound) => {
            let found = results.ratio(case, metric, Peer::Ours, peer)?;
            (format!("<= {bound} x {}", peer.name()), found, at_most(found, bound))
        }
        RatioAtLeast(peer, bound) => {
            let found = results.ratio(case, metric, Peer::Ours, peer)?;
            (format!(">= {bound} x {}", peer.name()), found, at_least(found, bound))
        }
        OwnCase(other, bound) => {
            let (found, base) = (own()?, results.spread(other, Peer::Ours, metric)?);
            // The rounds of two cases lie too far apart to be compared one by one.
            let found = Spread {
                rounds: found.rounds.min(base.rounds),
                median: found.median / base.median,
                least: found.least / base.most,
                most: found.most / base.least,
            };
            (format!("<= {bound} x {other}"), found, at_most(found, bound))
        }
        AtMost(bound) => (format!("<= {}", format(bound)), own()?, at_most(own()?, bound)),
        AtLeast(bound) => (format!(">= {}", format(bound)), own()?, at_least(own()?, bound)),
    })
}

fn at_most(found: Spread, bound: f64) -> Option<bool> {
    match found {
        _ if found.most <= bound => Some(true),
        _ if found.least > bound => Some(false),
        _ => None,
    }
}

fn at_least(found: Spread, bound: f64) -> Option<bool> {
    match found {
        _ if found.least >= bound => Some(true),
        _ if found.most < bound => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Spread, at_least, at_most};

    #[test]
    fn a_target_inside_the_spread_is_neither_met_nor_missed() {
        let found = Spread { rounds: 3, median: 1.0, least: 0.9, most: 1.1 };
        assert_eq!(at_most(found, 1.1), Some(true));
        assert_eq!(at_most(found, 1.05), None);
        assert_eq!(at_most(found, 0.8), Some(false));
        assert_eq!(at_least(found, 0.9), Some(true));
        assert_eq!(at_least(found, 0.95), None);
        assert_eq!(at_least(found, 1.2), Some(false));
    }
}
