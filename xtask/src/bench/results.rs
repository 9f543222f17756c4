//! What was measured: all rounds of every figure, and notes where there is none.

use std::collections::BTreeMap;

use super::cases::Case;
use super::metric::Metric;
use super::peers::Peer;

#[derive(Debug, Default)]
pub struct Results {
    figures: BTreeMap<(&'static str, Peer, Metric), Vec<f64>>,
    notes: Vec<(&'static str, Peer, String)>,
    /// Busy processor seconds behind a user share.
    busy: BTreeMap<(&'static str, Peer), f64>,
    /// How the peers' replies differ where they may.
    pub replies: Vec<(Peer, String)>,
}

/// Median and extremes of all rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub rounds: usize,
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Results {
    pub fn add(&mut self, case: &Case, peer: Peer, metric: Metric, figure: f64) {
        self.figures.entry((case.name, peer, metric)).or_default().push(figure);
    }

    pub fn add_busy(&mut self, case: &Case, peer: Peer, seconds: f64) {
        *self.busy.entry((case.name, peer)).or_default() += seconds;
    }

    /// Busy processor seconds in all rounds of a case.
    pub fn busy(&self, case: &'static str, peer: Peer) -> f64 {
        self.busy.get(&(case, peer)).copied().unwrap_or_default()
    }

    pub fn note(&mut self, case: &Case, peer: Peer, note: String) {
        if !self.notes.iter().any(|known| *known == (case.name, peer, note.clone())) {
            self.notes.push((case.name, peer, note));
        }
    }

    pub fn notes(&self, case: &Case) -> impl Iterator<Item = (Peer, &str)> {
        let name = case.name;
        self.notes.iter().filter(move |note| note.0 == name).map(|note| (note.1, note.2.as_str()))
    }

    pub fn spread(&self, case: &'static str, peer: Peer, metric: Metric) -> Option<Spread> {
        spread(self.figures.get(&(case, peer, metric))?)
    }

    /// One peer's figure over another's, round by round.
    pub fn ratio(&self, case: &'static str, metric: Metric, over: Peer, under: Peer) -> Option<Spread> {
        let over = self.figures.get(&(case, over, metric))?;
        let under = self.figures.get(&(case, under, metric))?;
        // A sampled share of a short run may be nothing.
        let pairs = over.iter().zip(under).filter(|(_, under)| **under > 0.0);
        let ratios: Vec<f64> = pairs.map(|(over, under)| over / under).collect();
        spread(&ratios)
    }

    /// The figures that a case has, in the order of their columns.
    pub fn metrics(&self, case: &Case) -> Vec<Metric> {
        let mut metrics: Vec<Metric> =
            self.figures.keys().filter(|key| key.0 == case.name).map(|key| key.2).collect();
        metrics.sort();
        metrics.dedup();
        metrics
    }
}

pub fn spread(figures: &[f64]) -> Option<Spread> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (least, most) = (*sorted.first()?, *sorted.last()?);
    let middle = sorted.len() / 2;
    let median =
        if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
    Some(Spread { rounds: sorted.len(), median, least, most })
}

#[cfg(test)]
mod tests {
    use super::{Spread, spread};

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(
            spread(&[4.0, 1.0, 3.0, 2.0]),
            Some(Spread { rounds: 4, median: 2.5, least: 1.0, most: 4.0 })
        );
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some(Spread { rounds: 3, median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(spread(&[]), None);
    }
}
