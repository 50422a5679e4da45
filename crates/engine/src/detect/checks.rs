//! What every detector of readings makes of a stored minute, quiet ones too: the statistic beside its threshold (R3.28, surveillance
//! §7).
//!
//! A minute holds readings, not the state of a detector. So this is the judgement of the minute alone: an episode that goes on below its
//! threshold, or the count of an event between two minutes, is in the records of alerts.

use super::inputs::{Inputs, LiquidationInputs};
use super::judge::Judgement;
use super::score;
use super::shown::Shown;
use super::table::{DETECTORS, Detector};
use super::thresholds::Thresholds;
use crate::catalogue::Feature;
use barograph_domain::alert::Statistic;
use barograph_domain::health::{PatternJudged, PatternState};
use barograph_domain::{Cell, MinuteRow, Pattern, Reason, Span, Trigger};

/// One detector and what it reads of a minute.
#[derive(Clone, PartialEq, Debug)]
pub struct PatternReading {
    /// What it looks for.
    pub pattern: Pattern,
    /// Which of several ways.
    pub trigger: Option<Trigger>,
    /// How it stands.
    pub state: PatternState,
    /// 0 to 100 by the score map, 63.2 at the threshold; `None` where nothing can be judged.
    pub score: Option<f64>,
    /// How far back it looks.
    pub window: Span,
    /// What is compared with what.
    pub statistics: Vec<Statistic>,
}

/// Every detector of readings over a minute, in order of evaluation. `is_week`: the score of funding is one of settlements.
#[must_use]
pub fn read(row: &MinuteRow, is_week: bool, thresholds: &Thresholds) -> Vec<PatternReading> {
    let inputs = inputs(row, is_week, thresholds);
    DETECTORS.iter().map(|detector| reading(detector, row, &inputs, thresholds)).collect()
}

/// Which detectors of readings could judge a minute, in the same order and without what they compared. Those that need what nobody
/// measures here could not: whatever happens, they are silent.
#[must_use]
pub fn judged(row: &MinuteRow, thresholds: &Thresholds) -> Vec<PatternJudged> {
    // How far back the score of funding looks is shown and not judged by.
    let inputs = inputs(row, false, thresholds);
    let of = |detector: &Detector| {
        let judged = matches!((detector.judge)(&inputs, thresholds), Judgement::Of(_));
        PatternJudged { pattern: detector.pattern, trigger: detector.trigger, judged }
    };
    DETECTORS.iter().map(of).collect()
}

fn reading(detector: &Detector, row: &MinuteRow, inputs: &Inputs, thresholds: &Thresholds) -> PatternReading {
    let mut shown = Shown::default();
    (detector.show)(inputs, thresholds, &mut shown);
    let (mut state, score) = match (detector.judge)(inputs, thresholds) {
        Judgement::NotApplicable => (PatternState::NotOffered, None),
        Judgement::NoData => (PatternState::NoData, None),
        Judgement::Of(found) if found.fires => (PatternState::Beyond, Some(score(found.u))),
        Judgement::Of(found) => (PatternState::Quiet, Some(score(found.u))),
    };
    // How many events an hour had is no reading of a minute; the minute knows whether they were enough.
    if detector.pattern == Pattern::ForcedLiquidations {
        shown.statistics.retain(|s| s.name != "liq_events_1h");
        if score.is_some() && row.cells[Feature::LiqOneSidedFlag.index()].ready().is_some_and(|flag| flag > 0.5) {
            state = PatternState::Beyond;
        }
    }
    PatternReading {
        pattern: detector.pattern,
        trigger: detector.trigger,
        state,
        score,
        window: (detector.window)(inputs, thresholds),
        statistics: shown.statistics,
    }
}

fn inputs(row: &MinuteRow, is_week: bool, thresholds: &Thresholds) -> Inputs {
    let mut inputs = Inputs::nothing(row.ts);
    inputs.read(&row.cells);
    if is_week {
        inputs.funding_window = Span::days(7);
    }
    inputs.price = row.price;
    inputs.liquidations = liquidations(row, thresholds);
    inputs
}

fn liquidations(row: &MinuteRow, thresholds: &Thresholds) -> LiquidationInputs {
    let cell = |feature: Feature| row.cells[feature.index()];
    let two = |a: Feature, b: Feature, of: fn(f64, f64) -> f64| match (cell(a).ready(), cell(b).ready()) {
        (Some(x), Some(y)) => Cell { value: of(x, y), ..cell(a) },
        (None, _) => cell(a),
        (_, None) => cell(b),
    };
    let count = cell(Feature::LiqCount60s);
    let none = |cell: &Cell| Cell::undefined(cell.reason().unwrap_or(Reason::MissingInput));
    let velocity_pct = cell(Feature::LiqVelocity4hPct30d);
    let ratio = cell(Feature::LiqSeverityRatio);
    LiquidationInputs {
        count_60s: count,
        // Nothing was counted: what it would be compared with does not follow from a ratio of 0.
        burst_threshold: match two(Feature::LiqCount60s, Feature::LiqBurstRatio, |count, ratio| count / ratio) {
            c if c.value.is_finite() && c.value > 0.0 => c,
            c => none(&c),
        },
        velocity: Cell { value: ratio.value * thresholds.liquidations.critical_velocity, ..ratio },
        velocity_threshold: Cell::undefined(Reason::MissingInput),
        velocity_pct,
        total: two(Feature::LiqLongUsd4h, Feature::LiqShortUsd4h, |long, short| long + short),
        severity_ratio: ratio,
        cascade_flag: cell(Feature::LiqCascadeFlag),
        side: cell(Feature::LiqSideBias),
        long_share_1h: cell(Feature::LiqLongShare1h),
        events_1h: Cell::undefined(Reason::MissingInput),
        uncalibrated: velocity_pct.ready().is_none(),
        made: None,
        close: None,
        so_far: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CATALOGUE;
    use barograph_domain::{Kind, Ts};

    const ALL: Pattern = Pattern::FundingManipulation;

    /// A minute, a detector, how it stands, its score.
    type CheckCase = (&'static str, MinuteRow, Pattern, Option<Trigger>, PatternState, Option<f64>);

    fn row(set: &[(Feature, f64)], not_offered: &[Feature]) -> MinuteRow {
        let mut row = MinuteRow::bare(Ts(0));
        row.cells = vec![Cell::undefined(Reason::Warming); CATALOGUE.len()];
        for (feature, x) in set {
            row.cells[feature.index()] = Cell::ready_at(*x, Ts(0), Kind::Measured);
        }
        for feature in not_offered {
            row.cells[feature.index()] = Cell::undefined(Reason::NotOffered);
        }
        row
    }

    /// What the board counts is what the analysis shows.
    fn agree(name: &str, row: &MinuteRow, thresholds: &Thresholds) {
        for is_week in [false, true] {
            let all = read(row, is_week, thresholds);
            let of = |r: &PatternReading| PatternJudged {
                pattern: r.pattern,
                trigger: r.trigger,
                judged: r.state.is_judged(),
            };
            assert_eq!(judged(row, thresholds), all.iter().map(of).collect::<Vec<_>>(), "{name}");
        }
    }

    #[test]
    fn r3_28_every_pattern_is_read_of_a_minute_with_its_statistic() {
        use Feature as F;
        use PatternState::{Beyond, NoData, NotOffered, Quiet};
        let cases: &[CheckCase] = &[
            ("nothing is known", row(&[], &[]), ALL, None, NoData, None),
            ("calm funding", row(&[(F::FundingZscore24h, -1.5)], &[]), ALL, None, Quiet, Some(22.1)),
            ("far out", row(&[(F::FundingZscore24h, 4.0)], &[]), ALL, None, Beyond, Some(83.1)),
            ("no basis here", row(&[], &[F::Basis]), Pattern::BasisManipulation, None, NotOffered, None),
            ("basis", row(&[(F::Basis, -0.03)], &[]), Pattern::BasisManipulation, None, Beyond, Some(89.5)),
            (
                "a quiet minute of liquidations",
                row(&[(F::LiqCount60s, 0.0), (F::LiqBurstRatio, 0.0)], &[]),
                Pattern::LiquidationCascade,
                Some(Trigger::Burst),
                Quiet,
                Some(0.0),
            ),
            (
                "a market that is used to bursts",
                row(&[(F::LiqCount60s, 10.0), (F::LiqBurstRatio, 0.5)], &[]),
                Pattern::LiquidationCascade,
                Some(Trigger::Burst),
                Quiet,
                Some(22.1),
            ),
            (
                "one side, of enough",
                row(&[(F::LiqLongShare1h, 0.95), (F::LiqOneSidedFlag, 1.0)], &[]),
                Pattern::ForcedLiquidations,
                None,
                Beyond,
                Some(75.6),
            ),
            (
                "one side, of two",
                row(&[(F::LiqLongShare1h, 1.0), (F::LiqOneSidedFlag, 0.0)], &[]),
                Pattern::ForcedLiquidations,
                None,
                Quiet,
                Some(79.0),
            ),
        ];
        let thresholds = Thresholds { own_history: true, ..Thresholds::default() };
        for (name, row, pattern, trigger, state, score) in cases {
            let all = read(row, false, &thresholds);
            assert_eq!(all.len(), DETECTORS.len(), "{name}");
            agree(name, row, &thresholds);
            let one = all.iter().find(|r| r.pattern == *pattern && r.trigger == *trigger).unwrap();
            assert_eq!((one.state, one.score.map(|s| (s * 10.0).round() / 10.0)), (*state, *score), "{name}");
            assert!(!one.statistics.is_empty(), "{name}");
            assert!(one.statistics.iter().all(|s| s.name != "liq_events_1h"), "{name}");
            assert_eq!(one.statistics.iter().any(|s| s.value.is_some()), score.is_some(), "{name}");
        }
    }
}
