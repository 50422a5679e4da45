//! A contestant's record against persistence and against the rules: bands for the eye, confidence sequences for the decision.

use crate::ledger::GRID;
use crate::scorecard::{horizon, sequence_reading};
use crate::scores::bootstrap::{BlockSeries, DRAWS, SEED};
use crate::scores::brier::skill;
use crate::scores::case::n_eff;
use barograph_domain::contest::{ContestRow, ContestVerdict};
use barograph_domain::forecast::{ForecastEvent, Forecaster};
use barograph_domain::scorecard::{SequenceReading, SkillReading};
use barograph_domain::{InstrumentName, Span, Ts};

/// Resolved forecasts without which nothing else than the rules is used (regimes §11).
pub const RESOLVED_MIN: u64 = 500;
/// Windows that do not overlap without which nothing is said either way.
pub const NON_OVERLAPPING_MIN: u64 = 30;

/// A resolved forecast that stated a probability.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CaseLoss {
    /// When it was issued.
    pub issued: Ts,
    /// Of which market, by [`Numbering`].
    pub market: u16,
    /// Squared error, or ranked probability score.
    pub loss: f64,
    /// That of persistence, where it had seen enough.
    pub persistence: Option<f64>,
}

/// Numbers of markets that two ledgers share.
#[derive(Clone, Debug, Default)]
pub struct Numbering(Vec<InstrumentName>);

impl Numbering {
    /// The number of a market; a new one has the next.
    pub fn of(&mut self, name: &InstrumentName) -> u16 {
        let at = self.0.iter().position(|n| n == name).unwrap_or_else(|| {
            self.0.push(name.clone());
            self.0.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }
}

/// The losses of a forecaster and of what it is held against, of one moment and market.
type Pair = (Ts, f64, f64);

/// The record of a contestant. Both lists are in the order of issue and market.
#[must_use]
pub fn standing(
    (event, forecaster): (ForecastEvent, Forecaster),
    own: &[CaseLoss],
    abstained: u64,
    rules: &[CaseLoss],
) -> ContestRow {
    let mut row = alone((event, forecaster), own, abstained);
    let horizon = horizon(event);
    let pairs = beside(own, rules);
    row.rules = skill_of(&pairs, horizon);
    row.over_rules = sequence_reading(gains(&pairs), horizon);
    row.verdict = Some(verdict(&row));
    row
}

/// The record of the rules, which nothing has to be shown of.
#[must_use]
pub fn standing_of_rules(event: ForecastEvent, own: &[CaseLoss], abstained: u64) -> ContestRow {
    alone((event, Forecaster::Rules), own, abstained)
}

fn alone((event, forecaster): (ForecastEvent, Forecaster), own: &[CaseLoss], abstained: u64) -> ContestRow {
    let horizon = horizon(event);
    let pairs: Vec<Pair> = own.iter().filter_map(|c| Some((c.issued, c.loss, c.persistence?))).collect();
    let mean = |n: usize| own.iter().map(|c| c.loss).sum::<f64>() / float(n);
    ContestRow {
        event,
        forecaster,
        n: count(own.len()),
        abstained,
        windows: count(n_eff(own.iter().map(|c| c.issued), horizon)),
        score: Some(own.len()).filter(|n| *n > 0).map(mean),
        persistence: skill_of(&pairs, horizon),
        rules: skill_of(&[], horizon),
        over_persistence: sequence_reading(gains(&pairs), horizon),
        over_rules: None,
        verdict: None,
    }
}

fn verdict(row: &ContestRow) -> ContestVerdict {
    let windows = |s: &Option<SequenceReading>| s.map_or(0, |s| s.n);
    let above = |s: &Option<SequenceReading>| s.is_some_and(|s| s.low > 0.0);
    let fewest = windows(&row.over_persistence).min(windows(&row.over_rules));
    if row.n < RESOLVED_MIN || fewest < NON_OVERLAPPING_MIN {
        ContestVerdict::TooLittleData
    } else if !above(&row.over_persistence) {
        ContestVerdict::NoBetterThanPersistence
    } else if !above(&row.over_rules) {
        ContestVerdict::NoBetterThanRules
    } else {
        ContestVerdict::MayBeUsed
    }
}

/// Cases of which both have stated something.
fn beside(own: &[CaseLoss], rules: &[CaseLoss]) -> Vec<Pair> {
    let mut others = rules.iter().peekable();
    let mut pairs = Vec::new();
    for case in own {
        let key = (case.issued, case.market);
        while others.next_if(|o| (o.issued, o.market) < key).is_some() {}
        if let Some(other) = others.next_if(|o| (o.issued, o.market) == key) {
            pairs.push((case.issued, case.loss, other.loss));
        }
    }
    pairs
}

/// Skill with its band; columns are the number of cases and both losses.
fn skill_of(pairs: &[Pair], horizon: Span) -> SkillReading {
    let series = BlockSeries::new(pairs.iter().map(|(t, own, other)| (*t, [1.0, *own, *other])), GRID, horizon);
    let score = |sums: &[f64; 3]| skill(sums[1], sums[2]).filter(|_| sums[0] > 0.0);
    let total = series.total();
    let band = series.resamples(DRAWS, SEED).and_then(|r| r.band(score));
    let mean = |sum: f64| (!pairs.is_empty()).then(|| sum / total[0]);
    SkillReading {
        value: score(&total),
        low: band.map(|b| b.low),
        high: band.map(|b| b.high),
        n: count(pairs.len()),
        brier: mean(total[1]),
        reference_brier: mean(total[2]),
    }
}

/// By how much each case lost less than the other.
fn gains(pairs: &[Pair]) -> impl Iterator<Item = (Ts, f64)> + '_ {
    pairs.iter().map(|(t, own, other)| (*t, other - own))
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn float(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: ForecastEvent = ForecastEvent::HighVol1h;

    /// Hourly cases of two markets; `p` of the hour and the outcome.
    fn losses(hours: u32, p: impl Fn(u32, bool) -> f64) -> Vec<CaseLoss> {
        let mut all = Vec::new();
        for hour in 0..hours {
            for market in 0..2_u16 {
                let happened = (hour * 7 + u32::from(market) * 3) % 10 < 3;
                let o = f64::from(u8::from(happened));
                let issued = Ts(0) + Span::hours(i64::from(hour));
                let loss = |p: f64| (p - o) * (p - o);
                all.push(CaseLoss { issued, market, loss: loss(p(hour, happened)), persistence: Some(loss(0.3)) });
            }
        }
        all
    }

    fn check(hours: u32, own: &[CaseLoss], rules: &[CaseLoss], want: ContestVerdict) {
        let row = standing((EVENT, Forecaster::Hmm), own, 0, rules);
        assert_eq!(row.verdict, Some(want), "{hours} hours: {row:?}");
    }

    #[test]
    fn only_what_beats_persistence_and_the_rules_beyond_doubt_may_be_used() {
        let skilful = |_: u32, happened: bool| if happened { 0.7 } else { 0.1 };
        let middling = |_: u32, happened: bool| if happened { 0.5 } else { 0.2 };
        let plain = |_: u32, _: bool| 0.3;
        for (hours, own, rules, want) in [
            (1_000, losses(1_000, skilful), losses(1_000, middling), ContestVerdict::MayBeUsed),
            (1_000, losses(1_000, skilful), losses(1_000, skilful), ContestVerdict::NoBetterThanRules),
            (1_000, losses(1_000, plain), losses(1_000, middling), ContestVerdict::NoBetterThanPersistence),
            (249, losses(249, skilful), losses(249, middling), ContestVerdict::TooLittleData),
            (1_000, losses(1_000, skilful), losses(10, middling), ContestVerdict::TooLittleData),
        ] {
            check(hours, &own, &rules, want);
        }
    }

    #[test]
    fn cases_are_held_against_the_same_moment_and_market() {
        let (own, mut rules) = (losses(600, |_, _| 0.3), losses(600, |_, happened| f64::from(u8::from(happened))));
        rules.retain(|c| c.market == 1 || c.issued.0 % Span::hours(2).0 == 0);
        let row = standing((EVENT, Forecaster::Hmm), &own, 7, &rules);
        assert_eq!((row.n, row.rules.n, row.abstained), (1_200, 900, 7));
        assert_eq!(row.rules.reference_brier, Some(0.0));
        assert!(row.over_rules.unwrap().mean < 0.0);
    }
}
