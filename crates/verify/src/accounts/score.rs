//! What the account-blind statistics of `WASH_TRADING` were worth against labelled hours: the receiver operating characteristic of each
//! test by itself, and precision and recall of what the detector would have called (surveillance §10).
//!
//! Hours follow one another and accounts return: bands treat hours as independent and are narrower than the truth. Where a class has
//! fewer than [`HOURS_MIN`] hours of a kind, the figure is withheld and the counts stand in its place.

use super::links::HourLabel;
use crate::scores::{auc, wilson};
use barograph_domain::Ts;
use barograph_engine::order_flow::WashHour;
use serde::Serialize;

/// Hours with a round trip, and hours without, that a figure needs.
pub const HOURS_MIN: usize = 10;
/// 97.5 % quantile of the normal distribution: that of two-sided 95 % intervals.
const Z_95: f64 = 1.959_963_984_540_054;

/// The four tests of surveillance §5, in its order.
pub const SIGNS: [&str; 4] = ["pairs", "digits", "volume_z", "round"];

/// One hour of one market, measured and labelled.
#[derive(Clone, PartialEq, Debug)]
pub struct LabelledHour {
    /// What the detector saw of it.
    pub seen: WashHour,
    /// What its accounts did.
    pub label: HourLabel,
    /// It belongs to a run of hours that makes an alert, its first ones too.
    pub alerted: bool,
}

impl LabelledHour {
    /// Does it hold a round trip? `None` where the search was given up.
    #[must_use]
    pub const fn is_linked(&self) -> Option<bool> {
        match self.label {
            HourLabel::Linked(_) => Some(true),
            HourLabel::Clear => Some(false),
            HourLabel::Undecided => None,
        }
    }

    /// What a test measured in it.
    #[must_use]
    pub const fn sign(&self, test: usize) -> Option<f64> {
        let signs = &self.seen.signs;
        match test {
            0 => Some(signs.pairs),
            1 => signs.digits,
            2 => signs.volume_z,
            _ => signs.round,
        }
    }
}

/// Joins the hours of one market, in order, with their labels.
///
/// `wash_hours` is how many hours in a row make an alert.
#[must_use]
pub fn labelled(hours: impl IntoIterator<Item = (WashHour, HourLabel)>, wash_hours: f64) -> Vec<LabelledHour> {
    let mut out: Vec<LabelledHour> =
        hours.into_iter().map(|(seen, label)| LabelledHour { seen, label, alerted: false }).collect();
    for at in 0..out.len() {
        let run = out[at].seen.run;
        if f64::from(run) >= wash_hours {
            let first: Ts = out[at].seen.from - barograph_domain::Span::hours(i64::from(run) - 1);
            out[..=at].iter_mut().rev().take_while(|h| h.seen.from >= first).for_each(|h| h.alerted = true);
        }
    }
    out
}

/// A frequency with its Wilson interval of 95 %.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct BandedShare {
    /// Cases that count.
    pub of: usize,
    /// Cases that were judged.
    pub n: usize,
    /// Their share; `None` without a case.
    pub share: Option<f64>,
    /// Wilson's interval.
    pub wilson_95: Option<(f64, f64)>,
}

impl BandedShare {
    /// `of` out of `n`.
    #[must_use]
    pub fn new(of: usize, n: usize) -> Self {
        let (k, all) = (of as f64, n as f64);
        Self { of, n, share: (n > 0).then(|| k / all), wilson_95: wilson(k, all, Z_95) }
    }
}

/// One point of a characteristic.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct RocPoint {
    /// Hours whose measure is at least this are called.
    pub from: f64,
    /// Share of hours with a round trip that are called.
    pub recall: f64,
    /// Share of hours without one that are.
    pub false_rate: f64,
}

/// The characteristic of one test.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SignRoc {
    /// Too few hours of a kind.
    Withheld {
        /// Hours with a round trip in which it measured something.
        linked: usize,
        /// Hours without one.
        clear: usize,
    },
    /// It can be drawn.
    Drawn {
        /// Hours with a round trip.
        linked: usize,
        /// Hours without one.
        clear: usize,
        /// Area below it: the chance that an hour with a round trip measures more than one without, ties a half.
        auc: f64,
        /// Interval of 95 % of the area (Hanley and McNeil 1982).
        band_95: (f64, f64),
        /// From the greatest measure down.
        points: Vec<RocPoint>,
    },
}

impl SignRoc {
    /// Of measures, each with whether its hour holds a round trip.
    #[must_use]
    pub fn of(scored: &[(f64, bool)]) -> Self {
        let linked = scored.iter().filter(|(_, is)| *is).count();
        let clear = scored.len() - linked;
        let area = auc(scored.iter().copied()).filter(|_| linked.min(clear) >= HOURS_MIN);
        let Some(area) = area else { return Self::Withheld { linked, clear } };
        let mut sorted = scored.to_vec();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut hits, mut misses, mut points) = (0_usize, 0_usize, Vec::<RocPoint>::new());
        for (at, (value, is)) in sorted.iter().enumerate() {
            (hits, misses) = if *is { (hits + 1, misses) } else { (hits, misses + 1) };
            let last_of_its_tie = sorted.get(at + 1).is_none_or(|next| next.0.total_cmp(value).is_ne());
            if last_of_its_tie {
                let (recall, false_rate) = (hits as f64 / linked as f64, misses as f64 / clear as f64);
                points.push(RocPoint { from: *value, recall, false_rate });
            }
        }
        Self::Drawn { linked, clear, auc: area, band_95: hanley_mcneil(area, linked as f64, clear as f64), points }
    }
}

/// Interval of 95 % of an area from `n` and `m` independent cases (Hanley and McNeil, Radiology 143, 1982).
fn hanley_mcneil(area: f64, n: f64, m: f64) -> (f64, f64) {
    let (q1, q2) = (area / (2.0 - area), 2.0 * area * area / (1.0 + area));
    let square = area * area;
    let variance = (area * (1.0 - area) + (n - 1.0) * (q1 - square) + (m - 1.0) * (q2 - square)) / (n * m);
    let half = Z_95 * variance.max(0.0).sqrt();
    ((area - half).max(0.0), (area + half).min(1.0))
}

/// What was found in hours that the detector judged.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct AlertHours {
    /// Of the hours it called, those with a round trip.
    pub precision: BandedShare,
    /// Of the hours with a round trip, those it called.
    pub recall: BandedShare,
}

impl AlertHours {
    /// Of hours, each called or not and with a round trip or not.
    #[must_use]
    pub fn of(hours: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let (mut both, mut called, mut linked) = (0, 0, 0);
        for (is_called, is_linked) in hours {
            both += usize::from(is_called && is_linked);
            called += usize::from(is_called);
            linked += usize::from(is_linked);
        }
        Self { precision: BandedShare::new(both, called), recall: BandedShare::new(both, linked) }
    }
}

/// The scores of one class of markets.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AccountScore {
    /// Hours with a trade whose label is known.
    pub hours: usize,
    /// Of them with a round trip.
    pub linked: BandedShare,
    /// Hours whose search was given up; they count nowhere else.
    pub undecided: usize,
    /// Hours that the detector judges, and of them those with a round trip.
    pub judged: BandedShare,
    /// Hours with trades enough for the characteristics.
    pub measured: usize,
    /// Characteristics of the tests (a) to (d) in those hours.
    pub roc: [SignRoc; 4],
    /// Each test at its own limit, in hours that the detector judges.
    pub tests: [AlertHours; 4],
    /// What the detector would have called.
    pub alerts: AlertHours,
    /// There are hours enough of either kind among those it judges; otherwise precision and recall are withheld.
    pub alerts_shown: bool,
}

impl AccountScore {
    /// Scores these hours; characteristics are of hours with at least `trades_min` trades.
    #[must_use]
    pub fn of(all: &[&LabelledHour], trades_min: u32) -> Self {
        let with_trades = || all.iter().filter(|h| h.seen.trades > 0);
        let known: Vec<(&LabelledHour, bool)> = with_trades().filter_map(|h| Some((*h, h.is_linked()?))).collect();
        let count = |of: &dyn Fn(&LabelledHour, bool) -> bool| known.iter().filter(|(h, is)| of(h, *is)).count();
        let judged = count(&|h, _| h.seen.judged);
        let judged_linked = count(&|h, is| h.seen.judged && is);
        let measured: Vec<_> = known.iter().filter(|(h, _)| h.seen.trades >= trades_min).collect();
        let roc = [0, 1, 2, 3].map(|test| {
            let scored: Vec<(f64, bool)> = measured.iter().filter_map(|(h, is)| Some((h.sign(test)?, *is))).collect();
            SignRoc::of(&scored)
        });
        let in_judged = |called: &dyn Fn(&LabelledHour) -> bool| {
            AlertHours::of(known.iter().filter(|(h, _)| h.seen.judged).map(|(h, is)| (called(h), *is)))
        };
        Self {
            hours: known.len(),
            linked: BandedShare::new(count(&|_, is| is), known.len()),
            undecided: with_trades().count() - known.len(),
            judged: BandedShare::new(judged_linked, judged),
            measured: measured.len(),
            roc,
            tests: [0, 1, 2, 3].map(|test| in_judged(&|h| h.seen.true_tests[test])),
            alerts: in_judged(&|h| h.alerted),
            alerts_shown: judged_linked.min(judged - judged_linked) >= HOURS_MIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;
    use barograph_engine::order_flow::WashSigns;

    fn hour(at: i64, run: u32, pairs: f64, linked: Option<bool>) -> (WashHour, HourLabel) {
        let signs = WashSigns { pairs, pairs_from: 0.1, digits: None, volume_z: None, round: Some(0.0) };
        let from = Ts(0) + Span::hours(at);
        let true_tests = [pairs > 0.1, false, false, run > 0];
        let seen = WashHour { from, trades: 300, judged: true, signs, true_tests, run, holds: run >= 2 };
        let label = match linked {
            Some(true) => HourLabel::Linked(Vec::new()),
            Some(false) => HourLabel::Clear,
            None => HourLabel::Undecided,
        };
        (seen, label)
    }

    #[test]
    fn an_alert_is_of_all_hours_of_its_run() {
        let is = Some(true);
        let hours = [
            hour(0, 1, 0.3, is),
            hour(1, 0, 0.0, None),
            hour(2, 1, 0.3, is),
            hour(3, 2, 0.3, Some(false)),
            hour(5, 0, 0.0, is),
        ];
        let hours = labelled(hours, 2.0);
        assert_eq!(hours.iter().map(|h| h.alerted).collect::<Vec<_>>(), [false, false, true, true, false]);
        let score = AccountScore::of(&hours.iter().collect::<Vec<_>>(), 200);
        assert_eq!((score.hours, score.linked.of, score.undecided), (4, 3, 1));
        assert_eq!((score.alerts.precision.of, score.alerts.precision.n), (1, 2));
        assert_eq!((score.alerts.recall.of, score.alerts.recall.n), (1, 3));
        assert_eq!((score.tests[0].precision.of, score.tests[0].precision.n), (2, 3));
        assert!(!score.alerts_shown, "four hours are not enough");
        assert_eq!(score.roc[0], SignRoc::Withheld { linked: 3, clear: 1 });
        assert_eq!(score.roc[1], SignRoc::Withheld { linked: 0, clear: 0 }, "nothing was measured");
    }

    /// Ten hours of each kind: the area by counting pairs, the band by the paper's formula worked out by hand.
    #[test]
    fn a_characteristic_goes_from_the_greatest_measure_down() {
        let clear = (0..10).map(|k| (f64::from(k), false));
        let linked = (5..15).map(|k| (f64::from(k), true));
        let scored: Vec<_> = clear.chain(linked).collect();
        let SignRoc::Drawn { auc, band_95, points, .. } = SignRoc::of(&scored) else { panic!("there are ten of each") };
        // Of 100 pairs 10 + 9 + 8 + 7 + 6 of the clear hours above 4 lose or draw: 85 won, 5 drawn.
        assert!((auc - 0.875).abs() < 1e-12, "{auc}");
        assert!((band_95.0 - 0.713_6).abs() < 5e-4 && (band_95.1 - 1.0).abs() < 1e-12, "{band_95:?}");
        assert_eq!(points.len(), 15);
        assert_eq!(points[4], RocPoint { from: 10.0, recall: 0.5, false_rate: 0.0 });
        assert_eq!(points[14], RocPoint { from: 0.0, recall: 1.0, false_rate: 1.0 });
        assert!(matches!(SignRoc::of(&scored[1..]), SignRoc::Withheld { linked: 10, clear: 9 }));
    }
}
