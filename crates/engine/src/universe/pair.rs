//! One pair: correlations with their bands, percentile, state and base rates, and the lead between the two.
//!
//! What an hour published stays: the daily band, the states of 90 days and the strongest lags of a day are kept as they were.
//! Percentile window and lag blocks follow from the returns and are made again on restore and after a late price.

use super::hour::{HELD, HOURLY_PLACES, LEAD_HOURS, LONG, LONG_MIN, RANKED, RANKED_MIN, SHORT, SHORT_MIN};
use super::returns::Returns;
use crate::kernel::comoments::fisher_band;
use crate::kernel::lags::{self, LAGS, LagBlock};
use crate::kernel::{CoMoments, RankWindow};
use barograph_domain::thresholds::{CORRELATION_BREAK, CORRELATION_RARE, SAME_EXPOSURE};
use barograph_domain::universe::{
    BandSource, BestLag, Gauge, LeadReading, PairBand, PairReading, PairState, StateHours,
};
use barograph_domain::{Reason, Severity};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Which rule says BREAK (S10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum PairRule {
    /// Below −0.5 only, as the original has it; every book but `default`.
    Seed,
    /// Also below the band and among the lowest 1 % of the pair's own 180 days.
    Default,
}

/// `|ρ|·√n` above which a lag counts: 3.02 is the two-sided 5 % bound over 20 lags (Bonferroni), rounded up.
const T_MIN: f64 = 3.1;
/// Pairs that each lag needs: 80 % of a day of minutes.
const LEAD_MIN: u32 = 1_152;

/// Share of the hours seen that a percentile needs (features §1, coverage).
const COVERAGE_MIN: f64 = 0.80;

/// State of one pair.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) a: usize,
    pub(super) b: usize,
    pub(super) kept: Kept,
    ranks: RankWindow,
    ranked_to: Option<i64>,
    /// One block per hour, the newest last; at most a day of them.
    blocks: VecDeque<(i64, LagBlock)>,
}

/// What cannot be made again: it was published.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    /// First hour that ever had a correlation: from then on coverage is counted.
    first: Option<i64>,
    /// Band from the pair's own history, and the day it was taken.
    own_band: Option<PairBand>,
    band_day: Option<i64>,
    /// Hour and code of each state of the last 90 days.
    states: VecDeque<(i64, u8)>,
    /// Strongest lag of each hour of the last day.
    best: VecDeque<(i64, BestLag)>,
}

/// The stated bands (R4.23).
fn stated_band(a: &str, b: &str) -> Option<PairBand> {
    let (low, high) = match (a, b) {
        ("BTC", "ETH") | ("ETH", "BTC") => (0.7, 0.9),
        ("ETH", "SOL") | ("SOL", "ETH") => (0.6, 0.8),
        ("BTC", "SOL") | ("SOL", "BTC") => (0.5, 0.7),
        _ => return None,
    };
    Some(PairBand { low, high, source: BandSource::Stated })
}

/// State, how serious, and how far apart, of a correlation; `None` while the band is missing and it is not below −0.5.
pub(super) fn judge(
    rule: PairRule,
    corr: f64,
    band: Option<PairBand>,
    pct: Option<f64>,
) -> Option<(PairState, Option<Severity>, Option<f64>)> {
    if corr < CORRELATION_BREAK {
        let severity = if rule == PairRule::Default { Severity::High } else { Severity::Medium };
        return Some((PairState::Break, Some(severity), Some(corr.abs())));
    }
    let low = band?.low;
    if corr >= low {
        return Some((PairState::Normal, None, None));
    }
    if rule == PairRule::Default && pct.is_some_and(|p| p < CORRELATION_RARE) {
        return Some((PairState::Break, Some(Severity::Medium), Some(low - corr)));
    }
    Some((PairState::Watch, Some(Severity::Info), None))
}

/// Correlation of the pairs of returns in `(upto − length, upto]`.
fn correlate(x: &Returns, y: &Returns, upto: i64, length: i64, need: u32) -> Gauge {
    let pairs = (upto - length + 1..=upto).filter_map(|i| Some((x.at(i)?, y.at(i)?)));
    let block = CoMoments::of(pairs);
    if block.n < need {
        return Gauge::none(Reason::Warming, block.n, need);
    }
    let begun = x.first().max(y.first()).unwrap_or(i64::MAX);
    let partial = begun > upto - length;
    block
        .correlation()
        .map_or(Gauge::none(Reason::ZeroVariance, block.n, need), |r| Gauge::of(r, block.n, need, partial))
}

impl Pair {
    pub(super) fn new(a: usize, b: usize, kept: Kept) -> Self {
        let ranks = RankWindow::new(usize::try_from(RANKED).unwrap_or(0));
        Self { a, b, kept, ranks, ranked_to: None, blocks: VecDeque::new() }
    }

    /// Forgets what follows from the returns; the next hour makes it again.
    pub(super) fn forget_derived(&mut self) {
        *self = Self::new(self.a, self.b, core::mem::take(&mut self.kept));
    }

    /// The reading of an hour that is over.
    pub(super) fn read(
        &mut self,
        hour: i64,
        hourly: [&Returns; 2],
        minutely: [&Returns; 2],
        assets: [&str; 2],
        rule: PairRule,
    ) -> PairReading {
        let [x, y] = hourly;
        self.rank_upto(hour - 1, x, y);
        let corr_20 = correlate(x, y, hour, SHORT, SHORT_MIN);
        let corr_30d = correlate(x, y, hour, LONG, LONG_MIN);
        let band = stated_band(assets[0], assets[1]).or_else(|| self.own_band(hour));
        let pct = self.percentile(hour, &corr_20);
        self.rank_upto(hour, x, y);
        let judged = corr_20.value.and_then(|c| judge(rule, c, band, pct.value));
        self.remember(hour, judged.map(|(state, ..)| state));
        let ci = |g: &Gauge| g.value.and_then(|r| fisher_band(r, g.n));
        PairReading {
            a: u16::try_from(self.a).unwrap_or(u16::MAX),
            b: u16::try_from(self.b).unwrap_or(u16::MAX),
            corr_20_ci: ci(&corr_20),
            corr_30d_ci: ci(&corr_30d),
            corr_20,
            corr_30d,
            corr_20_pct_180d: pct,
            band,
            state: judged.map(|(state, ..)| state),
            severity: judged.and_then(|(_, severity, _)| severity),
            divergence_strength: judged.and_then(|(.., strength)| strength),
            exposure_overlap: corr_20.value.map(|c| c > SAME_EXPOSURE),
            held_90d: self.held(),
            lead: self.lead(hour, minutely),
        }
    }

    /// Enters the correlations of every hour up to this one, those that no row was made for included.
    fn rank_upto(&mut self, hour: i64, x: &Returns, y: &Returns) {
        let (Some(first), Some(oldest)) = (x.first().max(y.first()), x.oldest().max(y.oldest())) else { return };
        let from = self.ranked_to.map_or(first, |r| r + 1).max(hour - RANKED + 1).max(oldest);
        for h in from..=hour {
            let corr = correlate(x, y, h, SHORT, SHORT_MIN).value;
            self.ranks.push(h, corr);
            if corr.is_some() {
                self.kept.first = Some(self.kept.first.map_or(h, |f| f.min(h)));
            }
        }
        self.ranked_to = Some(self.ranked_to.map_or(hour, |r| r.max(hour)));
    }

    fn percentile(&self, hour: i64, corr: &Gauge) -> Gauge {
        let Some(x) = corr.value else {
            return Gauge::none(corr.reason.unwrap_or(Reason::Warming), 0, RANKED_MIN);
        };
        let (pct, n) = self.ranks.percentile_at(hour, x);
        let have = u32::try_from(n).unwrap_or(u32::MAX);
        if have < RANKED_MIN {
            return Gauge::none(Reason::Warming, have, RANKED_MIN);
        }
        let seen = self.kept.first.map_or(1, |f| hour - f + 1);
        let span = u32::try_from(seen.clamp(1, RANKED)).unwrap_or(u32::MAX);
        if f64::from(have) < COVERAGE_MIN * f64::from(span) {
            return Gauge::none(Reason::Gap, have, RANKED_MIN);
        }
        Gauge::of(pct, have, RANKED_MIN, seen < RANKED)
    }

    /// The band from history, taken once a day from the hours before.
    fn own_band(&mut self, hour: i64) -> Option<PairBand> {
        let day = hour.div_euclid(24);
        if self.kept.band_day != Some(day) {
            self.kept.band_day = Some(day);
            let enough = self.ranks.count() >= RANKED_MIN as usize;
            let cut = |p: f64| self.ranks.quantile(p).filter(|_| enough);
            self.kept.own_band =
                cut(0.1).zip(cut(0.9)).map(|(low, high)| PairBand { low, high, source: BandSource::History });
        }
        self.kept.own_band
    }

    fn remember(&mut self, hour: i64, state: Option<PairState>) {
        let states = &mut self.kept.states;
        while states.front().is_some_and(|(h, _)| *h <= hour - HELD) {
            states.pop_front();
        }
        if let Some(code) = state.and_then(|s| (0_u8..).zip(PairState::ALL).find(|(_, t)| *t == s)) {
            states.push_back((hour, code.0));
        }
    }

    fn held(&self) -> StateHours {
        let mut hours = StateHours::default();
        for (_, code) in &self.kept.states {
            hours.known += 1;
            match PairState::ALL.get(usize::from(*code)) {
                Some(PairState::Normal) => hours.normal += 1,
                Some(PairState::Watch) => hours.watch += 1,
                Some(PairState::Break) | None => hours.broken += 1,
            }
        }
        hours
    }

    /// Correlations at every lag over the day up to an hour.
    fn lead(&mut self, hour: i64, [x, y]: [&Returns; 2]) -> LeadReading {
        while self.blocks.front().is_some_and(|(h, _)| *h <= hour - LEAD_HOURS) {
            self.blocks.pop_front();
        }
        let from = self.blocks.back().map_or(hour - LEAD_HOURS + 1, |(h, _)| h + 1);
        for h in from..=hour {
            self.blocks.push_back((h, LagBlock::of((h - 1) * 60, h * 60, |i| x.at(i), |i| y.at(i))));
        }
        let folded = lags::fold(self.blocks.iter().map(|(_, block)| block));
        let n = folded.iter().map(|c| c.n).min().unwrap_or(0);
        let none = |reason| LeadReading {
            ratio: Gauge::none(reason, n, LEAD_MIN),
            best: None,
            significant: None,
            xcorr: Vec::new(),
        };
        if n < LEAD_MIN {
            return none(Reason::Warming);
        }
        let mut rho = [0.0; LAGS];
        for (to, pairs) in rho.iter_mut().zip(&folded) {
            let Some(r) = pairs.correlation() else { return none(Reason::ZeroVariance) };
            *to = r;
        }
        let at = lags::strongest(&rho);
        let lag = i8::try_from(lags::lag_of(at)).unwrap_or(0);
        let best = BestLag { lag, rho: rho[at], t: rho[at] * f64::from(folded[at].n).sqrt() };
        let begun = x.first().max(y.first()).unwrap_or(i64::MAX);
        let partial = begun > (hour - LEAD_HOURS) * 60;
        LeadReading {
            ratio: lags::lead_ratio(&rho)
                .map_or(Gauge::none(Reason::ZeroDenominator, n, LEAD_MIN), |r| Gauge::of(r, n, LEAD_MIN, partial)),
            significant: self.significant(hour, best),
            best: Some(best),
            xcorr: rho.to_vec(),
        }
    }

    /// Two windows that follow each other agree; `None` while the one before is missing.
    fn significant(&mut self, hour: i64, best: BestLag) -> Option<bool> {
        let kept = &mut self.kept.best;
        while kept.front().is_some_and(|(h, _)| *h < hour - LEAD_HOURS) {
            kept.pop_front();
        }
        let before = kept.front().filter(|(h, _)| *h == hour - LEAD_HOURS).map(|(_, b)| *b);
        kept.push_back((hour, best));
        before.map(|b| b.t.abs() > T_MIN && best.t.abs() > T_MIN && (b.lag > 0) == (best.lag > 0))
    }
}

/// Hours an hourly ring must hold.
pub(super) const fn hourly_places() -> i64 {
    HOURLY_PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_breaks_below_minus_a_half_and_the_default_rule_also_far_below_the_pairs_past() {
        let band = stated_band("ETH", "BTC");
        let cases = [
            (PairRule::Seed, -0.51, band, Some(0.001), Some((PairState::Break, Some(Severity::Medium), Some(0.51)))),
            (PairRule::Default, -0.51, band, None, Some((PairState::Break, Some(Severity::High), Some(0.51)))),
            (PairRule::Seed, 0.5, band, Some(0.001), Some((PairState::Watch, Some(Severity::Info), None))),
            (
                PairRule::Default,
                0.5,
                band,
                Some(0.001),
                Some((PairState::Break, Some(Severity::Medium), Some(0.7 - 0.5))),
            ),
            (PairRule::Default, 0.5, band, Some(0.01), Some((PairState::Watch, Some(Severity::Info), None))),
            (PairRule::Default, 0.5, band, None, Some((PairState::Watch, Some(Severity::Info), None))),
            (PairRule::Default, 0.7, band, Some(0.001), Some((PairState::Normal, None, None))),
            (PairRule::Default, 0.95, band, None, Some((PairState::Normal, None, None))),
            (PairRule::Default, 0.5, None, Some(0.001), None),
            (PairRule::Seed, -0.6, None, None, Some((PairState::Break, Some(Severity::Medium), Some(0.6)))),
        ];
        for (rule, corr, band, pct, want) in cases {
            assert_eq!(judge(rule, corr, band, pct), want, "{rule:?} {corr} {pct:?}");
        }
    }
}
