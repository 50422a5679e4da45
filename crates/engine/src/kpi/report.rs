//! The figures of risk §8 from measured trades.
//!
//! A win is a result above zero before costs. The expected value is the mean result in R; where every loss is one R it is
//! `w·b − (1 − w)`, which stands beside it. "Difference" is always context less plain, trade by trade on the same entries.

use super::bands::{KpiBand, OUTSIDE, Resamples};
use super::entry::Arm;
use super::fill::{TradeCosts, TradeExit};
use super::market::MeasuredTrade;
use super::words;
use crate::advice::{Trades, expected_value};
use barograph_domain::advice::{TargetSource, Verdict};
use barograph_domain::time::DAY;
use barograph_domain::{Span, TradingSession};
use serde::Serialize;

/// Confidence above which, and below which, trades are compared (R2.52).
const CONFIDENT: (f64, f64) = (0.7, 0.4);
/// Trades that each of these groups needs (verification §6).
const GROUP_MIN: u32 = 30;

/// A figure without context, with it, and the difference.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct TwoArms {
    /// With the plain pair.
    pub plain: KpiBand,
    /// With the context's pair.
    pub context: KpiBand,
    /// Context less plain, paired.
    pub difference: KpiBand,
}

/// Win rates of entries in one session (R2.48).
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct SessionFigures {
    /// The session of the entry.
    pub session: TradingSession,
    /// Win rates.
    pub win_rate: TwoArms,
}

/// How often levels are reached as targets (R2.49).
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct TargetHits {
    /// Share of all trades that have a level as target.
    pub of_all: KpiBand,
    /// Share of those that reached it before the stop.
    pub reached: KpiBand,
    /// Share of random moments that reached the same distance.
    pub random: KpiBand,
    /// The one less the other, paired.
    pub difference: KpiBand,
}

/// Realised over planned reward of winners (R2.51).
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct AchievedRatio {
    /// Of the plain pair.
    pub plain: KpiBand,
    /// Of the context's pair.
    pub context: KpiBand,
}

/// Trades of one range of confidence.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct ConfidenceGroup {
    /// `above_0.7`, `between`, `below_0.4` or `null`.
    pub group: &'static str,
    /// Win rate with the context's pair.
    pub win_rate: KpiBand,
}

/// Does confidence say anything (R2.52)?
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ConfidenceFigures {
    /// Groups, the surest first; without confidence last.
    pub groups: Vec<ConfidenceGroup>,
    /// Win rate above 0.7 less that below 0.4; undefined with fewer than 30 trades in either.
    pub gap: KpiBand,
}

/// What one arm gives (R2.53).
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ArmFigures {
    /// What it is.
    pub arm: String,
    /// Share of results above zero.
    pub win_rate: KpiBand,
    /// Mean result of winners, R.
    pub average_win: KpiBand,
    /// `w·b − (1 − w)` with b = average win over average loss.
    pub formula: Option<f64>,
    /// Mean result before costs, R.
    pub before_costs: KpiBand,
    /// Mean result after costs, R.
    pub after_costs: KpiBand,
    /// After costs, less the plain arm (for a filter: less the same arm without it).
    pub difference: Option<KpiBand>,
}

/// All figures.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct KpiReport {
    /// Trades measured.
    pub n: u32,
    /// UTC days with an entry, over all markets.
    pub days: usize,
    /// Days drawn together.
    pub block_days: usize,
    /// Resamples behind each band.
    pub resamples: usize,
    /// Bars that held stop and target of the context's pair; the stop counted.
    pub both_inside: u32,
    /// Win rates by session of entry.
    pub sessions: Vec<SessionFigures>,
    /// Levels as targets.
    pub targets: TargetHits,
    /// Share of trades that ended at the stop (R2.50).
    pub stop_out: TwoArms,
    /// Realised over planned reward.
    pub achieved: AchievedRatio,
    /// Win rates by confidence of the entry, and the gap.
    pub confidence: ConfidenceFigures,
    /// Expected values: plain, context and its parts, then by verdict.
    pub values: Vec<ArmFigures>,
    /// What it comes to, in plain words; what the context makes worse is among it.
    pub sentences: Vec<String>,
}

/// Everything a figure is made of.
pub(super) struct Figures<'a> {
    pub(super) trades: &'a [MeasuredTrade],
    pub(super) resamples: Resamples,
    costs: TradeCosts,
    /// What a band leaves out.
    outside: f64,
}

/// All figures of these trades.
#[must_use]
pub fn report(trades: &[MeasuredTrade], costs: &TradeCosts, horizon: Span, seed: u64) -> KpiReport {
    let figures = Figures::new(trades, costs, horizon, seed);
    let both = trades.iter().filter(|t| t.result(Arm::Context).both).count();
    let mut out = KpiReport {
        n: figures.count(|_| true),
        days: figures.resamples.days(),
        block_days: figures.resamples.block(),
        resamples: super::RESAMPLES,
        both_inside: u32::try_from(both).unwrap_or(u32::MAX),
        sessions: TradingSession::ALL.into_iter().map(|s| figures.session(s)).collect(),
        targets: figures.targets(),
        stop_out: figures.both(|_| true, |t, arm| flag(t.result(arm).exit == TradeExit::Stop)),
        achieved: AchievedRatio { plain: figures.achieved(Arm::Plain), context: figures.achieved(Arm::Context) },
        confidence: figures.confidence(),
        values: figures.values(),
        sentences: Vec::new(),
    };
    out.sentences = words::sentences(&out);
    out
}

pub(super) fn flag(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

fn ratio(sum: f64, n: f64) -> Option<f64> {
    (n > 0.0).then(|| sum / n)
}

impl<'a> Figures<'a> {
    pub(super) fn new(trades: &'a [MeasuredTrade], costs: &TradeCosts, horizon: Span, seed: u64) -> Self {
        let days: Vec<i64> = trades.iter().map(|t| t.entry.at.floor(DAY).0 / DAY.0).collect();
        let block = usize::try_from((horizon.0 + DAY.0 - 1) / DAY.0).unwrap_or(1).max(1);
        Self { trades, resamples: Resamples::new(&days, block, seed), costs: *costs, outside: OUTSIDE }
    }

    /// With bands that leave out so much.
    pub(super) fn leaving(self, outside: f64) -> Self {
        Self { outside, ..self }
    }

    fn count(&self, of: impl Fn(&MeasuredTrade) -> bool) -> u32 {
        u32::try_from(self.trades.iter().filter(|t| of(t)).count()).unwrap_or(u32::MAX)
    }

    /// Mean of a reading over the trades that have one.
    pub(super) fn mean(&self, reading: impl Fn(&MeasuredTrade) -> Option<f64>) -> KpiBand {
        let n = self.count(|t| reading(t).is_some());
        self.resamples.band(
            (n, self.outside),
            |i| reading(&self.trades[i]).map(|x| [x, 1.0]),
            |[sum, n]| ratio(*sum, *n),
        )
    }

    /// Difference of the means of two readings, over the trades that have either.
    pub(super) fn apart(
        &self,
        a: impl Fn(&MeasuredTrade) -> Option<f64>,
        b: impl Fn(&MeasuredTrade) -> Option<f64>,
    ) -> KpiBand {
        let n = self.count(|t| a(t).is_some() || b(t).is_some());
        let part = |x: Option<f64>| x.map_or([0.0; 2], |x| [x, 1.0]);
        let terms = |i: usize| {
            let [[sa, na], [sb, nb]] = [part(a(&self.trades[i])), part(b(&self.trades[i]))];
            Some([sa, na, sb, nb])
        };
        self.resamples.band((n, self.outside), terms, |[sa, na, sb, nb]| Some(ratio(*sa, *na)? - ratio(*sb, *nb)?))
    }

    pub(super) fn both(
        &self,
        of: impl Fn(&MeasuredTrade) -> bool,
        reading: impl Fn(&MeasuredTrade, Arm) -> f64,
    ) -> TwoArms {
        let arm = |arm| {
            let (of, reading) = (&of, &reading);
            move |t: &MeasuredTrade| of(t).then(|| reading(t, arm))
        };
        TwoArms {
            plain: self.mean(arm(Arm::Plain)),
            context: self.mean(arm(Arm::Context)),
            difference: self.apart(arm(Arm::Context), arm(Arm::Plain)),
        }
    }

    fn session(&self, session: TradingSession) -> SessionFigures {
        let won = |t: &MeasuredTrade, arm| flag(t.result(arm).r > 0.0);
        SessionFigures { session, win_rate: self.both(|t| t.entry.session == Some(session), won) }
    }

    fn targets(&self) -> TargetHits {
        let of_level = |t: &MeasuredTrade| t.entry.target_source == TargetSource::Liquidity;
        let reached = |t: &MeasuredTrade| {
            (of_level(t) && t.random.is_some()).then(|| flag(t.result(Arm::Context).exit == TradeExit::Target))
        };
        let random = |t: &MeasuredTrade| t.random.filter(|_| of_level(t));
        TargetHits {
            of_all: self.mean(|t| Some(flag(of_level(t)))),
            reached: self.mean(reached),
            random: self.mean(random),
            difference: self.apart(reached, random),
        }
    }

    fn achieved(&self, arm: Arm) -> KpiBand {
        let won = |t: &MeasuredTrade| t.result(arm).r > 0.0;
        let terms = |i: usize| {
            let t = &self.trades[i];
            won(t).then(|| [t.result(arm).r, t.entry.plan(arm).ratio()])
        };
        self.resamples.band((self.count(won), self.outside), terms, |[realised, planned]| ratio(*realised, *planned))
    }

    fn confidence(&self) -> ConfidenceFigures {
        let (high, low) = CONFIDENT;
        let won = |t: &MeasuredTrade| flag(t.result(Arm::Context).r > 0.0);
        let within =
            |of: fn(f64) -> bool| move |t: &MeasuredTrade| t.entry.confidence.filter(|c| of(*c)).map(|_| won(t));
        let sure = within(|c| c > CONFIDENT.0);
        let unsure = within(|c| c < CONFIDENT.1);
        let between = within(|c| (CONFIDENT.1..=CONFIDENT.0).contains(&c));
        let none = |t: &MeasuredTrade| t.entry.confidence.is_none().then(|| won(t));
        let few = self.count(|t| sure(t).is_some()).min(self.count(|t| unsure(t).is_some()));
        let gap = if few < GROUP_MIN { KpiBand::none(few, "too few") } else { self.apart(sure, unsure) };
        debug_assert!(high > low, "groups do not overlap");
        let group = |group, win_rate| ConfidenceGroup { group, win_rate };
        ConfidenceFigures {
            groups: vec![
                group("above_0.7", self.mean(sure)),
                group("between", self.mean(between)),
                group("below_0.4", self.mean(unsure)),
                group("null", self.mean(none)),
            ],
            gap,
        }
    }

    fn values(&self) -> Vec<ArmFigures> {
        let net = |arm| move |t: &MeasuredTrade| Some(self.net(t, arm));
        let mut out = vec![self.arm(Arm::Plain.spoken(), Arm::Plain, |_| true, None)];
        for arm in Arm::ALL.into_iter().skip(1) {
            out.push(self.arm(arm.spoken(), arm, |_| true, Some(self.apart(net(arm), net(Arm::Plain)))));
        }
        let kept = |t: &MeasuredTrade| t.entry.verdict != Verdict::Avoid;
        let filtered = |arm| move |t: &MeasuredTrade| kept(t).then(|| self.net(t, arm));
        for (name, arm) in [("plain, AVOID left out", Arm::Plain), ("with context, AVOID left out", Arm::Context)] {
            out.push(self.arm(name, arm, kept, Some(self.apart(filtered(arm), net(arm)))));
        }
        for verdict in [Verdict::Allow, Verdict::Caution, Verdict::Avoid] {
            let name = format!("with context, {}", verdict.name());
            out.push(self.arm(&name, Arm::Context, |t| t.entry.verdict == verdict, None));
        }
        out.push(self.sized());
        out
    }

    /// Result after costs, R.
    pub(super) fn net(&self, t: &MeasuredTrade, arm: Arm) -> f64 {
        t.result(arm).r - t.entry.plan(arm).cost(&self.costs)
    }

    fn arm(
        &self,
        name: &str,
        arm: Arm,
        of: impl Fn(&MeasuredTrade) -> bool,
        difference: Option<KpiBand>,
    ) -> ArmFigures {
        let r = |t: &MeasuredTrade| of(t).then(|| t.result(arm).r);
        let wins: Vec<f64> = self.trades.iter().filter_map(r).filter(|r| *r > 0.0).collect();
        let losses: Vec<f64> = self.trades.iter().filter_map(r).filter(|r| *r <= 0.0).map(|r| -r).collect();
        let mean = |of: &[f64]| u32::try_from(of.len()).ok().and_then(|n| ratio(of.iter().sum(), f64::from(n)));
        let wins_n = u32::try_from(wins.len()).unwrap_or(u32::MAX);
        let record = mean(&wins).zip(mean(&losses)).map(|(average_win, average_loss)| Trades {
            wins: wins_n,
            n: wins_n + u32::try_from(losses.len()).unwrap_or(0),
            average_win,
            average_loss,
        });
        ArmFigures {
            arm: name.to_owned(),
            win_rate: self.mean(|t| r(t).map(|r| flag(r > 0.0))),
            average_win: self.mean(|t| r(t).filter(|r| *r > 0.0)),
            formula: record.and_then(expected_value).map(|(value, ..)| value),
            before_costs: self.mean(r),
            after_costs: self.mean(|t| of(t).then(|| self.net(t, arm))),
            difference,
        }
    }

    /// The context's pair with every trade as large as advised: results weighed by size.
    fn sized(&self) -> ArmFigures {
        let by = |reading: fn(&Self, &MeasuredTrade) -> f64| {
            let terms = |i: usize| {
                let t = &self.trades[i];
                Some([t.entry.size * reading(self, t), t.entry.size])
            };
            self.resamples.band((self.count(|_| true), self.outside), terms, |[sum, weight]| ratio(*sum, *weight))
        };
        ArmFigures {
            arm: "with context, by advised size".to_owned(),
            win_rate: by(|_, t| flag(t.result(Arm::Context).r > 0.0)),
            average_win: KpiBand::none(0, "weighed"),
            formula: None,
            before_costs: by(|_, t| t.result(Arm::Context).r),
            after_costs: by(|f, t| f.net(t, Arm::Context)),
            difference: None,
        }
    }
}
