//! What the detectors made of what was injected (surveillance §9): matches, recall, precision, lead.

use super::usual::quantile;
use barograph_domain::alert::AlertChange;
use barograph_domain::math::wilson;
use barograph_domain::{Alert, Pattern, Span, Ts};

/// An alert belongs to an episode that ended no longer ago than this.
const AFTER: Span = Span::mins(1);
/// Two alerts no further apart than this are one of the market's own.
const SAME: Span = Span::mins(5);
/// Two-sided 95 %.
const Z95: f64 = 1.959_964;

/// What was laid over the market, and when.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Injection {
    /// First moment.
    pub from: Ts,
    /// Last moment.
    pub to: Ts,
    /// It could be laid over whole: the streams were there, and what a look-alike waits for came. One that could not is no episode, and
    /// alerts within it are nobody's.
    pub counts: bool,
}

impl Injection {
    fn fits(&self, at: Ts) -> bool {
        at >= self.from && at <= self.to + AFTER
    }
}

/// When a pattern opened, among records.
#[must_use]
pub fn opened(pattern: Pattern, alerts: &[Alert]) -> Vec<Ts> {
    let of = |a: &&Alert| a.pattern == pattern && a.change == AlertChange::Opened;
    alerts.iter().filter(of).map(|a| a.opened_at).collect()
}

/// Result of one run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TruthScore {
    /// Episodes that count.
    pub injections: usize,
    /// Of them, how many an alert belongs to.
    pub matched: usize,
    /// Of those, how many an alert of the untouched market belongs to as well: they may have been found by chance.
    pub matched_untouched: usize,
    /// Alerts that belong to an episode.
    pub alerts_matched: usize,
    /// Alerts that belong to none.
    pub false_alerts: usize,
    /// Of those, how many the untouched market has as well.
    pub background: usize,
    /// Seconds from the start of an episode to its alert.
    pub leads: Vec<f64>,
}

impl TruthScore {
    /// Matches alerts with episodes; `untouched` are those of the market without any.
    #[must_use]
    pub fn of(pattern: Pattern, injections: &[Injection], alerts: &[Alert], untouched: &[Alert]) -> Self {
        Self::of_opened(injections, &opened(pattern, alerts), &opened(pattern, untouched))
    }

    /// The same of the moments at which alerts opened.
    #[must_use]
    pub fn of_opened(injections: &[Injection], alerts: &[Ts], background: &[Ts]) -> Self {
        let counting = || injections.iter().filter(|i| i.counts);
        let mut score = Self { injections: counting().count(), ..Self::default() };
        for injection in counting() {
            if let Some(at) = alerts.iter().find(|at| injection.fits(**at)) {
                score.matched += 1;
                score.matched_untouched += usize::from(background.iter().any(|b| injection.fits(*b)));
                score.leads.push((*at - injection.from).as_secs_f64());
            }
        }
        for at in alerts {
            if counting().any(|i| i.fits(*at)) {
                score.alerts_matched += 1;
            } else if !injections.iter().any(|i| i.fits(*at)) {
                score.false_alerts += 1;
                score.background += usize::from(background.iter().any(|b| (*b - *at).0.abs() <= SAME.0));
            }
        }
        score
    }

    /// Share of the episodes that were found; `None` of none.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        share(self.matched, self.injections)
    }

    /// Share of the alerts that belong to an episode, those of the untouched market counted as false.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        share(self.alerts_matched, self.alerts_matched + self.false_alerts)
    }

    /// The same without those of the untouched market.
    #[must_use]
    pub fn lenient(&self) -> Option<f64> {
        share(self.alerts_matched, self.alerts_matched + self.false_alerts - self.background)
    }

    /// Quantile of the seconds until an alert; `None` where there is none.
    #[must_use]
    pub fn lead(&self, p: f64) -> Option<f64> {
        (!self.leads.is_empty()).then(|| quantile(self.leads.clone(), p))
    }
}

fn share(of: usize, n: usize) -> Option<f64> {
    (n > 0).then(|| of as f64 / n as f64)
}

/// Wilson's interval of a share of so many, at 95 %.
#[must_use]
pub fn band(share: f64, n: usize) -> [f64; 2] {
    wilson(share, n.max(1) as f64, Z95)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Ts {
        Ts::from_secs(s)
    }

    /// What it is, alerts, those of the untouched market; found, found there as well, matched, false, background.
    type Case = (&'static str, &'static [i64], &'static [i64], [usize; 5]);

    /// Episodes from 1,000 s and from 2,000 s on, a minute each; one that does not count from 3,000 s on.
    #[test]
    fn alerts_are_matched_by_the_rules_of_the_specification() {
        let of = |from: i64, counts| Injection { from: at(from), to: at(from + 60), counts };
        let injections = [of(1_000, true), of(2_000, true), of(3_000, false)];
        let cases: [Case; 8] = [
            ("none", &[], &[], [0; 5]),
            ("within both", &[1_010, 2_060], &[], [2, 0, 2, 0, 0]),
            ("a minute behind the end", &[1_120], &[], [1, 0, 1, 0, 0]),
            ("a second later", &[1_121], &[], [0, 0, 0, 1, 0]),
            ("before it", &[999], &[], [0, 0, 0, 1, 0]),
            ("twice within one", &[1_010, 1_100], &[], [1, 0, 2, 0, 0]),
            ("as the untouched market", &[1_500, 2_010], &[1_790, 2_020], [1, 1, 1, 1, 1]),
            ("within what does not count", &[3_030], &[], [0; 5]),
        ];
        for (what, alerts, untouched, want) in cases {
            let times = |of: &[i64]| -> Vec<Ts> { of.iter().map(|s| at(*s)).collect() };
            let s = TruthScore::of_opened(&injections, &times(alerts), &times(untouched));
            let got = [s.matched, s.matched_untouched, s.alerts_matched, s.false_alerts, s.background];
            assert_eq!((got, s.injections), (want, 2), "{what}");
        }
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        let none = TruthScore::default();
        assert_eq!((none.recall(), none.precision(), none.lenient(), none.lead(0.5)), (None, None, None, None));
        let injections = [Injection { from: at(0), to: at(60), counts: true }];
        let s = TruthScore::of_opened(&injections, &[at(30), at(500)], &[at(500)]);
        assert_eq!(
            (s.recall(), s.precision(), s.lenient(), s.lead(0.5)),
            (Some(1.0), Some(0.5), Some(1.0), Some(30.0))
        );
    }
}
