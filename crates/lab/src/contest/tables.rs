//! From what the filters say to the frequency of an event: what followed in alike moments.

use super::example::{Example, KnownThen};
use super::gate::quantile;

/// After each hidden state how often the event came, mixed by their probabilities at the window's end.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Mixture([f64; 3]);

impl Mixture {
    pub(super) fn fit(rows: &[&Example], happened: &[bool]) -> Self {
        let (mut came, mut all) = ([0.5; 3], [1.0; 3]);
        for (row, o) in rows.iter().zip(happened) {
            let Some(shares) = row.seen.hidden else { continue };
            for (state, share) in shares.into_iter().map(f64::from).enumerate() {
                all[state] += share;
                came[state] += share * f64::from(u8::from(*o));
            }
        }
        Self(core::array::from_fn(|state| came[state] / all[state]))
    }

    /// `None` before the hidden states are known.
    pub(super) fn score(&self, seen: &KnownThen) -> Option<f64> {
        Some(seen.hidden?.into_iter().zip(self.0).map(|(share, p)| f64::from(share) * p).sum())
    }
}

/// Parts of the recent-change probability.
const FIFTHS: usize = 5;
/// States before the window: false, true or a class, and unknown.
const STATES: usize = 5;

/// How often the event came by its present state and by fifths of the recent-change probability.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Fifths {
    edges: [f64; FIFTHS - 1],
    p: [[f64; FIFTHS]; STATES],
}

impl Fifths {
    pub(super) fn fit(rows: &[&Example], happened: &[bool]) -> Self {
        let mut recent: Vec<f64> = rows.iter().filter_map(|r| r.seen.recent.map(f64::from)).collect();
        recent.sort_by(f64::total_cmp);
        let edges = [0.2, 0.4, 0.6, 0.8].map(|q| quantile(&recent, q));
        let mut table = Self { edges, p: [[0.0; FIFTHS]; STATES] };
        let (mut came, mut all) = ([[0.5; FIFTHS]; STATES], [[1.0; FIFTHS]; STATES]);
        for (row, o) in rows.iter().zip(happened) {
            let Some((state, fifth)) = table.place(&row.seen) else { continue };
            all[state][fifth] += 1.0;
            came[state][fifth] += f64::from(u8::from(*o));
        }
        for state in 0..STATES {
            for fifth in 0..FIFTHS {
                table.p[state][fifth] = came[state][fifth] / all[state][fifth];
            }
        }
        table
    }

    fn place(&self, seen: &KnownThen) -> Option<(usize, usize)> {
        let recent = f64::from(seen.recent?);
        let state = seen.state.map_or(STATES - 1, usize::from).min(STATES - 1);
        Some((state, self.edges.partition_point(|e| *e < recent)))
    }

    /// `None` while there are too few hours for the change detector.
    pub(super) fn score(&self, seen: &KnownThen) -> Option<f64> {
        self.place(seen).map(|(state, fifth)| self.p[state][fifth])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;

    fn example(seen: KnownThen) -> Example {
        Example { issued: Ts(0), known: Ts(1), market: 0, seen, outcome: 0 }
    }

    #[test]
    fn states_are_mixed_by_their_probabilities() {
        let rows: Vec<Example> = (0..300)
            .map(|n| {
                let mut hidden = [0.0; 3];
                hidden[n % 3] = 1.0;
                example(KnownThen { hidden: Some(hidden), ..KnownThen::default() })
            })
            .collect();
        let came: Vec<bool> = (0..300).map(|n| n % 3 == 2).collect();
        let mixture = Mixture::fit(&rows.iter().collect::<Vec<_>>(), &came);
        let seen = KnownThen { hidden: Some([0.5, 0.0, 0.5]), ..KnownThen::default() };
        let want = 0.5 * (0.5 / 101.0) + 0.5 * (100.5 / 101.0);
        assert!((mixture.score(&seen).unwrap() - want).abs() < 1e-12);
        assert_eq!(mixture.score(&KnownThen::default()), None);
    }

    #[test]
    fn a_change_counts_within_the_present_state() {
        let rows: Vec<Example> = (0_u8..200)
            .map(|n| {
                example(KnownThen { recent: Some(f32::from(n % 100)), state: Some(n / 100), ..KnownThen::default() })
            })
            .collect();
        let came: Vec<bool> = (0..200).map(|n| n >= 180).collect();
        let table = Fifths::fit(&rows.iter().collect::<Vec<_>>(), &came);
        let score =
            |recent: f32, state| table.score(&KnownThen { recent: Some(recent), state, ..KnownThen::default() });
        assert_eq!(score(99.0, Some(1)), Some(20.5 / 21.0));
        assert_eq!(score(99.0, Some(0)), Some(0.5 / 21.0));
        assert_eq!(score(5.0, Some(1)), Some(0.5 / 21.0));
        assert_eq!(score(5.0, None), Some(0.5), "never seen");
        assert_eq!(table.score(&KnownThen::default()), None);
    }
}
