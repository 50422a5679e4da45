//! The detectors of surveillance §2 that judge readings of one market, one line each.
//!
//! Inhibiting patterns stand before those they inhibit. `u` is the statistic over its threshold; an episode goes on while
//! `u` is above `keep` (0.9), whatever the other conditions of its beginning were.

use super::inputs::{Inputs, Seen};
use super::thresholds::Thresholds;
use crate::features::funding_signals::{AnomalyReasons, is_reversal};
use crate::liquidations::Side3;
use barograph_domain::alert::{Datum, Statistic, Word};
use barograph_domain::{Cell, Kind, Pattern, Reason, Severity, Span, State, Trigger};

/// What one evaluation says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Judgement {
    /// The venue does not have what it needs.
    NotApplicable,
    /// It cannot be judged now.
    NoData,
    /// It was judged.
    Of(Finding),
}

/// A judgement with its numbers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Finding {
    /// An episode may begin.
    pub fires: bool,
    /// Statistic over threshold.
    pub u: f64,
    /// How severe it is.
    pub severity: Severity,
}

/// What a record shows.
#[derive(Debug, Default)]
pub struct Shown {
    /// Against thresholds.
    pub statistics: Vec<Statistic>,
    /// The event's payload.
    pub data: Vec<(Word, Datum)>,
}

/// One detector.
#[derive(Clone, Copy, Debug)]
pub struct Detector {
    /// What it looks for.
    pub pattern: Pattern,
    /// Which of several ways.
    pub trigger: Option<Trigger>,
    /// Calm that closes an episode (surveillance §4).
    pub clear: Span,
    /// How far back its statistic looks.
    pub window: fn(&Inputs, &Thresholds) -> Span,
    /// Says the same more strongly; shown beside.
    pub inhibited_by: Option<Pattern>,
    /// Reads the inputs.
    pub judge: fn(&Inputs, &Thresholds) -> Judgement,
    /// Shows them.
    pub show: fn(&Inputs, &Thresholds, &mut Shown),
}

const CLEAR: Span = Span::mins(5);
const CLEAR_BURST: Span = Span::mins(2);
/// Blocks: calm for one of them.
const CLEAR_BLOCK: Span = Span::hours(8);

/// Every detector, in order of evaluation.
pub static DETECTORS: [Detector; 10] = [
    Detector {
        pattern: Pattern::FundingManipulation,
        trigger: None,
        clear: CLEAR,
        window: |i, _| i.funding_window,
        inhibited_by: None,
        judge: |i, t| one(&i.funding_zscore, t.funding_manipulation_z, |x, c| x > c, |u| by_score(u, t)),
        show: |i, t, out| {
            out.statistic("funding_zscore_24h", &i.funding_zscore, t.funding_manipulation_z, "σ", true);
            out.funding(i, t);
        },
    },
    Detector {
        pattern: Pattern::FundingAnomaly,
        trigger: None,
        clear: CLEAR,
        window: |i, _| i.funding_window,
        inhibited_by: Some(Pattern::FundingManipulation),
        judge: anomaly,
        show: |i, t, out| {
            out.statistic("funding_zscore_24h", &i.funding_zscore, t.funding.anomaly_z, "σ", true);
            out.statistic("funding_change_8h", &i.funding_change, t.funding.change, "fraction per 8 h", true);
            out.rank(i, t);
            out.statistic("funding_vol_24h", &i.funding_volatility, t.funding.volatility, "fraction per 8 h", false);
            out.funding(i, t);
        },
    },
    Detector {
        pattern: Pattern::FundingReversal,
        trigger: None,
        clear: CLEAR,
        window: |_, _| Span::hours(8),
        inhibited_by: None,
        judge: reversal,
        show: |i, t, out| {
            out.statistic("funding_change_8h", &i.funding_change, t.funding.change, "fraction per 8 h", true);
            let before = i.funding_rate.ready().zip(i.funding_change.ready()).map(|(now, change)| now - change);
            out.cell("funding_rate", &i.funding_rate);
            match before {
                Some(before) => out.data.push((Word::from("previous_rate"), Datum::Number(before))),
                None => out.cell("previous_rate", &i.funding_change),
            }
            out.cell("change", &i.funding_change);
        },
    },
    Detector {
        pattern: Pattern::FundingFarming,
        trigger: None,
        clear: CLEAR_BLOCK,
        window: |_, _| Span::days(7),
        inhibited_by: None,
        judge: |i, t| one(&i.farming_share, t.farming_share, |x, c| x >= c, |_| Severity::Medium),
        show: |i, t, out| {
            out.statistic("funding_farming_share", &i.farming_share, t.farming_share, "[0,1]", true);
            out.cell("farming_share", &i.farming_share);
            out.data.push((Word::from("block_threshold"), Datum::Number(t.funding.extreme)));
        },
    },
    Detector {
        pattern: Pattern::LiquidationCascade,
        trigger: Some(Trigger::Burst),
        clear: CLEAR_BURST,
        window: |_, _| Span::secs(60),
        inhibited_by: None,
        judge: burst,
        show: |i, t, out| {
            let l = &i.liquidations;
            out.statistic("liq_count_60s", &l.count_60s, t.liquidations.burst_count, "count", !t.own_history);
            if let Some(own) = l.burst_threshold.ready() {
                out.statistic("liq_count_60s", &l.count_60s, own, "count", t.own_history);
                out.calibration(l.uncalibrated);
            }
            out.burst(i, t);
        },
    },
    Detector {
        pattern: Pattern::LiquidationCascade,
        trigger: Some(Trigger::Sustained),
        clear: CLEAR,
        window: |_, t| t.liquidations.cascade_window,
        inhibited_by: None,
        judge: sustained,
        show: |i, t, out| {
            let l = &i.liquidations;
            let critical = t.liquidations.critical_velocity;
            out.statistic("liq_velocity_4h", &l.velocity, critical, "quote per h", true);
            out.statistic("liq_total_4h", &l.total, t.liquidations.cascade_total, "quote", true);
            out.statistic(
                "liq_velocity_4h_pct_30d",
                &l.velocity_pct,
                crate::liquidations::VELOCITY_PCT,
                "[0,1]",
                t.own_history,
            );
            out.calibration(l.velocity_pct.ready().is_none());
            out.sustained(i, t);
        },
    },
    Detector {
        pattern: Pattern::ForcedLiquidations,
        trigger: None,
        clear: CLEAR,
        window: |_, _| Span::hours(1),
        inhibited_by: Some(Pattern::LiquidationCascade),
        judge: one_sided,
        show: |i, t, out| {
            let l = &i.liquidations;
            let larger = Cell { value: larger_share(l.long_share_1h.value), ..l.long_share_1h };
            out.statistic("liq_side_share_1h", &larger, t.liquidations.one_sided_share, "[0,1]", true);
            out.statistic("liq_events_1h", &l.events_1h, t.liquidations.one_sided_events, "count", true);
            out.cell("long_share_1h", &l.long_share_1h);
            out.cell("events_1h", &l.events_1h);
        },
    },
    Detector {
        pattern: Pattern::BasisManipulation,
        trigger: None,
        clear: CLEAR,
        window: |_, _| Span::mins(1),
        inhibited_by: None,
        judge: |i, t| one(&i.basis, t.basis, |x, c| x > c, |u| two_steps(u * t.basis, t.basis_high)),
        show: |i, t, out| {
            out.statistic("basis", &i.basis, t.basis, "fraction", true);
            out.cell("basis", &i.basis);
        },
    },
    Detector {
        pattern: Pattern::PremiumDeviation,
        trigger: None,
        clear: CLEAR,
        window: |_, _| Span::mins(1),
        inhibited_by: None,
        judge: |i, t| one(&i.premium, t.premium, |x, c| x > c, |u| two_steps(u * t.premium, t.premium_high)),
        show: |i, t, out| {
            out.statistic("premium", &i.premium, t.premium, "fraction", true);
            out.cell("premium", &i.premium);
        },
    },
    Detector {
        pattern: Pattern::PositionConcentration,
        trigger: None,
        clear: CLEAR,
        window: |_, _| Span::mins(5),
        inhibited_by: None,
        judge: |i, t| {
            let weak = i.concentration.kind == Kind::Proxy;
            let severity = if weak { Severity::Low } else { Severity::Medium };
            one(&i.concentration, t.concentration, |x, c| x > c, |_| severity)
        },
        show: |i, t, out| {
            out.statistic("position_concentration", &i.concentration, t.concentration, "[0,1]", true);
            out.cell("position_concentration", &i.concentration);
        },
    },
];

/// One statistic, by its absolute value, against one threshold.
fn one(cell: &Cell, c: f64, fires: impl Fn(f64, f64) -> bool, severity: impl Fn(f64) -> Severity) -> Judgement {
    let seen = Seen::of(cell);
    match seen.number() {
        Some(x) => {
            let u = x.abs() / c;
            Judgement::Of(Finding { fires: fires(x.abs(), c), u, severity: severity(u) })
        }
        None if seen == Seen::NotOffered => Judgement::NotApplicable,
        None => Judgement::NoData,
    }
}

fn by_score(u: f64, t: &Thresholds) -> Severity {
    if super::score(u) > t.high_score { Severity::High } else { Severity::Medium }
}

fn two_steps(x: f64, high: f64) -> Severity {
    if x > high { Severity::High } else { Severity::Medium }
}

pub(super) fn larger_share(long: f64) -> f64 {
    long.max(1.0 - long)
}

fn anomaly(i: &Inputs, t: &Thresholds) -> Judgement {
    let (z, change) = (Seen::of(&i.funding_zscore), Seen::of(&i.funding_change));
    if z == Seen::NotOffered && change == Seen::NotOffered {
        return Judgement::NotApplicable;
    }
    let reasons = AnomalyReasons::of(z.number(), change.number(), None, &t.funding);
    let u_z = z.number().map(|z| z.abs() / t.funding.anomaly_z);
    let u_change = change.number().map(|c| c.abs() / t.funding.change);
    // The score needs its z; a change alone decides only where it fires.
    if u_z.is_none() && !reasons.change {
        return Judgement::NoData;
    }
    let manipulated = z.number().is_some_and(|z| z.abs() > t.funding_manipulation_z);
    let severity = if manipulated { Severity::High } else { Severity::Medium };
    let u = u_z.unwrap_or(0.0).max(u_change.unwrap_or(0.0));
    // Before a week of hours the floor alone decides, uncalibrated (ADR 18).
    let rare =
        manipulated || !t.own_history || i.funding_pct.ready().is_none_or(|p| extremity(p) > t.funding_anomaly_pct);
    Judgement::Of(Finding { fires: reasons.is_event() && rare, u, severity })
}

/// How far out a rank lies, whichever end it is near: 1 is beyond everything, 0.5 the middle.
fn extremity(rank: f64) -> f64 {
    rank.max(1.0 - rank)
}

fn reversal(i: &Inputs, t: &Thresholds) -> Judgement {
    match (Seen::of(&i.funding_rate), Seen::of(&i.funding_change)) {
        (Seen::NotOffered, _) | (_, Seen::NotOffered) => Judgement::NotApplicable,
        (Seen::Value(rate), Seen::Value(change)) => Judgement::Of(Finding {
            fires: is_reversal(rate, change, &t.funding),
            // With the sign turned back the reversal is over, however large the change.
            u: if rate * (rate - change) < 0.0 { change.abs() / t.funding.change } else { 0.0 },
            severity: Severity::Medium,
        }),
        _ => Judgement::NoData,
    }
}

fn burst(i: &Inputs, t: &Thresholds) -> Judgement {
    let l = &i.liquidations;
    let floor = t.liquidations.burst_count;
    let c = if t.own_history { l.burst_threshold.ready().unwrap_or(floor).max(floor) } else { floor };
    one(&l.count_60s, c, |x, c| x >= c, |_| Severity::High)
}

fn sustained(i: &Inputs, t: &Thresholds) -> Judgement {
    let l = &i.liquidations;
    let (velocity, total) = (Seen::of(&l.velocity), Seen::of(&l.total));
    let (Some(x), Some(usd)) = (velocity.number(), total.number()) else {
        return if velocity == Seen::NotOffered { Judgement::NotApplicable } else { Judgement::NoData };
    };
    let limits = &t.liquidations;
    let floors = x > limits.critical_velocity && usd > limits.cascade_total;
    // Before a week of hours the floor alone decides, uncalibrated (surveillance §2).
    let rare = !t.own_history || l.velocity_pct.ready().is_none_or(|p| p > crate::liquidations::VELOCITY_PCT);
    let c = if t.own_history { l.velocity_threshold.ready() } else { None }.unwrap_or(limits.critical_velocity);
    let ratio = x / limits.critical_velocity;
    let severity = if ratio >= t.cascade_critical_ratio { Severity::Critical } else { Severity::High };
    Judgement::Of(Finding { fires: floors && rare, u: x / c.max(limits.critical_velocity), severity })
}

fn one_sided(i: &Inputs, t: &Thresholds) -> Judgement {
    let l = &i.liquidations;
    let share = Seen::of(&l.long_share_1h);
    if share == Seen::Calm {
        return Judgement::Of(Finding { fires: false, u: 0.0, severity: Severity::Medium });
    }
    let enough = l.events_1h.ready().is_some_and(|n| n >= t.liquidations.one_sided_events);
    let larger = Cell { value: larger_share(l.long_share_1h.value), ..l.long_share_1h };
    one(&larger, t.liquidations.one_sided_share, |x, c| x > c && enough, |_| Severity::Medium)
}

impl Shown {
    fn statistic(&mut self, name: &'static str, cell: &Cell, threshold: f64, unit: &'static str, decides: bool) {
        let value = cell.ready();
        self.statistics.push(Statistic {
            name: Word::from(name),
            value,
            reason: cell.reason(),
            threshold,
            u: value.map(|x| x.abs() / threshold),
            unit: Word::from(unit),
            kind: cell.kind,
            coverage: if matches!(cell.state, State::Ready) { cell.coverage } else { 0.0 },
            decides,
            uncalibrated: false,
        });
    }

    /// Funding among its own 30 days, against the end it is near to.
    fn rank(&mut self, i: &Inputs, t: &Thresholds) {
        let low = i.funding_pct.ready().is_some_and(|p| p < 0.5);
        let limit = if low { 1.0 - t.funding_anomaly_pct } else { t.funding_anomaly_pct };
        self.statistic("funding_pct_30d", &i.funding_pct, limit, "[0,1]", t.own_history);
        if let Some(last) = self.statistics.last_mut() {
            last.u = last.value.map(|p| extremity(p) / t.funding_anomaly_pct);
            last.uncalibrated = t.own_history && last.value.is_none();
        }
    }

    fn calibration(&mut self, uncalibrated: bool) {
        if let Some(last) = self.statistics.last_mut() {
            last.uncalibrated = uncalibrated;
        }
    }

    pub(super) fn cell(&mut self, name: &'static str, cell: &Cell) {
        let datum = match cell.reason() {
            None => Datum::Number(cell.value),
            Some(reason) => Datum::Missing(reason),
        };
        self.data.push((Word::from(name), datum));
    }

    pub(super) fn word(&mut self, name: &'static str, word: impl Into<Word>) {
        self.data.push((Word::from(name), Datum::Word(word.into())));
    }

    pub(super) fn number(&mut self, name: &'static str, value: f64) {
        self.data.push((Word::from(name), Datum::Number(value)));
    }

    fn flag(&mut self, name: &'static str, is: bool) {
        self.data.push((Word::from(name), Datum::Flag(is)));
    }

    pub(super) fn words(&mut self, name: &'static str, words: &[&'static str]) {
        self.data.push((Word::from(name), Datum::Words(words.iter().map(|w| Word::from(*w)).collect())));
    }

    fn funding(&mut self, i: &Inputs, t: &Thresholds) {
        let (z, change, volatility) =
            (i.funding_zscore.ready(), i.funding_change.ready(), i.funding_volatility.ready());
        let reasons = AnomalyReasons::of(z, change, volatility, &t.funding);
        self.cell("funding_rate", &i.funding_rate);
        self.cell("funding_z_score", &i.funding_zscore);
        match z {
            Some(z) => self.data.push((Word::from("anomaly_score"), Datum::Number(reasons.score(z)))),
            None => self.cell("anomaly_score", &i.funding_zscore),
        }
        self.data.push((Word::from("reasons"), Datum::Words(super::explain::reasons(reasons, z, change, volatility))));
    }

    /// What is paid out first, in the order of the payload (payloads §5).
    fn cascade(&mut self, usd: f64, velocity: f64, side: Option<Side3>, t: &Thresholds) {
        self.number("total_liquidated_usd", usd);
        self.number("velocity_usd_per_hour", velocity);
        match side {
            Some(side) => self.word("side_bias", side.name()),
            None => self.data.push((Word::from("side_bias"), Datum::Missing(Reason::ZeroDenominator))),
        }
        self.number("severity_ratio", velocity / t.liquidations.critical_velocity);
    }

    /// The closes of the burst itself; before the first of them was heard, the reasons of what is not known.
    fn burst(&mut self, i: &Inputs, t: &Thresholds) {
        let l = &i.liquidations;
        match &l.made {
            Some(made) => {
                let velocity = made.velocity(t.liquidations.elapsed_floor_h);
                self.cascade(made.usd(), velocity, made.side(t.liquidations.one_sided_share), t);
                self.number("count", f64::from(made.count));
                self.number("liquidated_long_usd", made.long_usd);
                self.number("liquidated_short_usd", made.short_usd);
                self.number("span_s", made.span().as_secs_f64());
                self.number("price_low", made.low);
                self.number("price_high", made.high);
                self.flag("lower_bound", made.lower_bound);
            }
            None => self.unheard(i),
        }
        self.word("trigger", Trigger::Burst.name());
        self.cell("count_60s", &l.count_60s);
    }

    /// Sums over the window, or lower bounds where it was not heard as a whole.
    fn sustained(&mut self, i: &Inputs, t: &Thresholds) {
        let l = &i.liquidations;
        let side =
            |code: f64| [Side3::Balanced, Side3::Long, Side3::Short].into_iter().find(|s| f64::from(*s as u8) >= code);
        match (l.total.ready().zip(l.velocity.ready()), l.so_far) {
            (Some((usd, velocity)), so_far) => {
                self.cascade(usd, velocity, l.side.ready().and_then(side), t);
                self.flag("lower_bound", so_far.is_some());
            }
            (None, Some(so_far)) => {
                self.cascade(so_far.usd, so_far.velocity, so_far.side, t);
                self.flag("lower_bound", true);
            }
            (None, None) => self.unheard(i),
        }
        self.word("trigger", Trigger::Sustained.name());
        self.cell("count_60s", &l.count_60s);
    }

    fn unheard(&mut self, i: &Inputs) {
        let l = &i.liquidations;
        self.cell("total_liquidated_usd", &l.total);
        self.cell("velocity_usd_per_hour", &l.velocity);
        self.cell("side_bias", &l.side);
        self.cell("severity_ratio", &l.severity_ratio);
    }
}
