//! The detectors of surveillance §2 that judge readings of one market: one row each, with what is judged, shown and reported.
//!
//! A row is all there is of a detector but its word on the wire (`domain`, `pattern.rs`) and its number in [`super::thresholds`].
//! Inhibiting patterns stand before those they inhibit. Patterns that are not judged here have their words in
//! [`super::words`].

use super::fact;
use super::inputs::Inputs;
use super::judge::{
    Judgement, anomaly, burst, by_score, is_below, is_ready, larger, larger_share, one, one_sided, reversal, sustained,
    two_steps,
};
use super::meaning;
use super::shown::Shown;
use super::thresholds::Thresholds;
use super::words::{PLAIN, Words, is_proxy};
use crate::liquidations::VELOCITY_PCT;
use barograph_domain::alert::{Datum, Word};
use barograph_domain::{Kind, Pattern, RiskRegime, Severity, Span, Trigger};

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
    /// The cheapest question that is enough to know that [`Self::judge`] finds a number and does not fire.
    pub calm: fn(&Inputs, &Thresholds) -> bool,
    /// Reads the inputs.
    pub judge: fn(&Inputs, &Thresholds) -> Judgement,
    /// Shows them.
    pub show: fn(&Inputs, &Thresholds, &mut Shown),
    /// Reports them.
    pub words: Words,
}

macro_rules! detectors {
    ($($row:ident,)*) => {
        /// Every detector, in order of evaluation.
        pub static DETECTORS: [Detector; [$(stringify!($row)),*].len()] = [$($row),*];

        /// A bit for each of [`DETECTORS`]: set where its judgement surely is one that does not fire. In most minutes that are
        /// most of them; who is not found calm is judged. Asked one after the other without a call, as this is asked every
        /// minute of every market.
        #[inline]
        pub(super) fn calm(i: &Inputs, t: &Thresholds) -> u32 {
            let calm = [$(($row.calm)(i, t)),*];
            calm.iter().enumerate().fold(0, |bits, (at, calm)| bits | u32::from(*calm) << at)
        }
    };
}

detectors![
    FUNDING_MANIPULATION,
    FUNDING_ANOMALY,
    FUNDING_REVERSAL,
    FUNDING_FARMING,
    CASCADE_BURST,
    CASCADE_SUSTAINED,
    ONE_SIDED_LIQUIDATIONS,
    BASIS_MANIPULATION,
    PREMIUM_DEVIATION,
    POSITION_CONCENTRATION,
];

const CLEAR: Span = Span::mins(5);
const CLEAR_BURST: Span = Span::mins(2);
/// Blocks: calm for one of them.
const CLEAR_BLOCK: Span = Span::hours(8);

const FUNDING_MANIPULATION: Detector = Detector {
    pattern: Pattern::FundingManipulation,
    trigger: None,
    clear: CLEAR,
    window: |i, _| i.funding_window,
    inhibited_by: None,
    calm: |i, t| is_below(&i.funding_zscore, t.funding_manipulation_z),
    judge: |i, t| one(&i.funding_zscore, t.funding_manipulation_z, |x, c| x > c, |u| by_score(u, t)),
    show: |i, t, out| {
        out.statistic("funding_zscore_24h", &i.funding_zscore, t.funding_manipulation_z, "σ", true);
        out.funding(i, t);
        out.settlement(i);
    },
    words: Words {
        title: |alert| format!("Funding far outside its {}", if fact::is_settled(alert) { "week" } else { "day" }),
        short: "funding far outside its usual range",
        behaviour: "manipulation of funding",
        fact: fact::far_out,
        measure: "funding's distance from its mean",
        risk: |_| RiskRegime::SqueezeRisk,
        ..PLAIN
    },
};

const FUNDING_ANOMALY: Detector = Detector {
    pattern: Pattern::FundingAnomaly,
    trigger: None,
    clear: CLEAR,
    window: |i, _| i.funding_window,
    inhibited_by: Some(Pattern::FundingManipulation),
    calm: |i, t| is_below(&i.funding_change, t.funding.change) && is_below(&i.funding_zscore, t.funding.anomaly_z),
    judge: anomaly,
    show: |i, t, out| {
        out.statistic("funding_zscore_24h", &i.funding_zscore, t.funding.anomaly_z, "σ", true);
        out.statistic("funding_change_8h", &i.funding_change, t.funding.change, "fraction per 8 h", true);
        out.rank(i, t);
        out.statistic("funding_vol_24h", &i.funding_volatility, t.funding.volatility, "fraction per 8 h", false);
        out.funding(i, t);
    },
    words: Words {
        title: |_| "Funding anomaly".to_owned(),
        short: "unusual funding",
        fact: fact::anomaly,
        measure: "funding's distance from its mean",
        ..PLAIN
    },
};

const FUNDING_REVERSAL: Detector = Detector {
    pattern: Pattern::FundingReversal,
    trigger: None,
    clear: CLEAR,
    window: |_, _| Span::hours(8),
    inhibited_by: None,
    calm: |i, t| is_below(&i.funding_change, t.funding.change) && is_ready(&i.funding_rate),
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
    words: Words {
        title: |_| "Funding reversal".to_owned(),
        short: "funding reversal",
        fact: fact::funding_reversed,
        measure: "the change of funding in 8 h",
        ..PLAIN
    },
};

const FUNDING_FARMING: Detector = Detector {
    pattern: Pattern::FundingFarming,
    trigger: None,
    clear: CLEAR_BLOCK,
    window: |_, _| Span::days(7),
    inhibited_by: None,
    calm: |i, t| is_below(&i.farming_share, t.farming_share),
    judge: |i, t| one(&i.farming_share, t.farming_share, |x, c| x >= c, |_| Severity::Medium),
    show: |i, t, out| {
        out.statistic("funding_farming_share", &i.farming_share, t.farming_share, "[0,1]", true);
        out.cell("farming_share", &i.farming_share);
        out.number("block_threshold", t.funding.extreme);
    },
    words: Words {
        title: |_| "One-way funding for a week".to_owned(),
        short: "one-way funding for a week",
        behaviour: "farming of funding",
        fact: fact::farmed,
        measure: "the share of one-way funding blocks",
        ..PLAIN
    },
};

const CASCADE_BURST: Detector = Detector {
    pattern: Pattern::LiquidationCascade,
    trigger: Some(Trigger::Burst),
    clear: CLEAR_BURST,
    window: |_, _| Span::secs(60),
    inhibited_by: None,
    calm: |i, t| is_below(&i.liquidations.count_60s, t.liquidations.burst_count),
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
    words: Words {
        title: |_| "Burst of liquidations".to_owned(),
        fact: fact::burst,
        measure: "the count of liquidations within 60 s",
        ..CASCADE
    },
};

const CASCADE_SUSTAINED: Detector = Detector {
    pattern: Pattern::LiquidationCascade,
    trigger: Some(Trigger::Sustained),
    clear: CLEAR,
    window: |_, t| t.liquidations.cascade_window,
    inhibited_by: None,
    calm: |i, t| {
        is_below(&i.liquidations.velocity, t.liquidations.critical_velocity) && is_ready(&i.liquidations.total)
    },
    judge: sustained,
    show: |i, t, out| {
        let l = &i.liquidations;
        let critical = t.liquidations.critical_velocity;
        out.statistic("liq_velocity_4h", &l.velocity, critical, "quote per h", true);
        out.statistic("liq_total_4h", &l.total, t.liquidations.cascade_total, "quote", true);
        out.statistic("liq_velocity_4h_pct_30d", &l.velocity_pct, VELOCITY_PCT, "[0,1]", t.own_history);
        out.calibration(l.velocity_pct.ready().is_none());
        out.sustained(i, t);
    },
    words: CASCADE,
};

/// Both ways share what they are called beside others.
const CASCADE: Words = Words {
    title: |_| "Liquidation cascade".to_owned(),
    short: "liquidation cascade",
    behaviour: "a liquidation cascade",
    fact: fact::cascade,
    measure: "liquidation volume per hour",
    risk: |_| RiskRegime::SqueezeRisk,
    ..PLAIN
};

const ONE_SIDED_LIQUIDATIONS: Detector = Detector {
    pattern: Pattern::ForcedLiquidations,
    trigger: None,
    clear: CLEAR,
    window: |_, _| Span::hours(1),
    inhibited_by: Some(Pattern::LiquidationCascade),
    calm: |i, t| {
        let (l, limits) = (&i.liquidations, &t.liquidations);
        is_ready(&l.long_share_1h)
            && (is_below(&l.events_1h, limits.one_sided_events)
                || larger_share(l.long_share_1h.value) < limits.one_sided_share)
    },
    judge: one_sided,
    show: |i, t, out| {
        let l = &i.liquidations;
        out.statistic("liq_side_share_1h", &larger(&l.long_share_1h), t.liquidations.one_sided_share, "[0,1]", true);
        out.statistic("liq_events_1h", &l.events_1h, t.liquidations.one_sided_events, "count", true);
        out.cell("long_share_1h", &l.long_share_1h);
        out.cell("events_1h", &l.events_1h);
    },
    words: Words {
        title: |_| "One-sided liquidations".to_owned(),
        short: "one-sided liquidations",
        behaviour: "coordinated forced liquidations of one side",
        fact: fact::one_sided,
        measure: "the share of the larger side",
        emptied: Some("no liquidations left to compare"),
        ..PLAIN
    },
};

const BASIS_MANIPULATION: Detector = Detector {
    pattern: Pattern::BasisManipulation,
    trigger: None,
    clear: CLEAR,
    window: |_, _| Span::mins(1),
    inhibited_by: None,
    calm: |i, t| is_below(&i.basis, t.basis),
    judge: |i, t| one(&i.basis, t.basis, |x, c| x > c, |u| two_steps(u * t.basis, t.basis_high)),
    show: |i, t, out| {
        out.statistic("basis", &i.basis, t.basis, "fraction", true);
        out.cell("basis", &i.basis);
    },
    words: Words {
        title: |_| "Futures far from spot".to_owned(),
        short: "futures far from spot",
        behaviour: "manipulation of the basis",
        fact: |alert| fact::apart(alert, "basis", "Futures are", "spot"),
        measure: "the distance of futures from spot",
        risk: |_| RiskRegime::SqueezeRisk,
        ..PLAIN
    },
};

const PREMIUM_DEVIATION: Detector = Detector {
    pattern: Pattern::PremiumDeviation,
    trigger: None,
    clear: CLEAR,
    window: |_, _| Span::mins(1),
    inhibited_by: None,
    calm: |i, t| is_below(&i.premium, t.premium),
    judge: |i, t| one(&i.premium, t.premium, |x, c| x > c, |u| two_steps(u * t.premium, t.premium_high)),
    show: |i, t, out| {
        out.statistic("premium", &i.premium, t.premium, "fraction", true);
        out.cell("premium", &i.premium);
    },
    words: Words {
        title: |_| "Mark far from index".to_owned(),
        short: "mark far from index",
        fact: |alert| fact::apart(alert, "premium", "Mark price is", "the index"),
        measure: "the distance of the mark from the index",
        ..PLAIN
    },
};

const POSITION_CONCENTRATION: Detector = Detector {
    pattern: Pattern::PositionConcentration,
    trigger: None,
    clear: CLEAR,
    window: |_, _| Span::mins(5),
    inhibited_by: None,
    calm: |i, t| is_below(&i.concentration, t.concentration),
    judge: |i, t| {
        let weak = i.concentration.kind == Kind::Proxy;
        let severity = if weak { Severity::Low } else { Severity::Medium };
        one(&i.concentration, t.concentration, |x, c| x > c, |_| severity)
    },
    show: |i, t, out| {
        out.statistic("position_concentration", &i.concentration, t.concentration, "[0,1]", true);
        out.cell("position_concentration", &i.concentration);
    },
    words: Words {
        title: |alert| if is_proxy(alert) { "Top traders lean one way" } else { "Concentrated positions" }.to_owned(),
        short: "concentrated positions",
        behaviour: "a concentration of positions",
        fact: fact::concentration,
        measure: "the share of the largest tier",
        clears: meaning::of_concentration,
        stand_in: Some("A proxy: the venue publishes no position tiers."),
        ..PLAIN
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{Cell, Reason, State, Ts};
    use proptest::prelude::*;

    /// A reading at, beside or far from what it is compared with.
    fn reading(limits: Vec<f64>) -> impl Strategy<Value = Cell> {
        let at = prop_oneof![4 => prop::sample::select(limits), 1 => Just(0.0), 1 => Just(0.5)];
        let number = (at, 0_u8..5).prop_map(|(x, how): (f64, u8)| match how {
            0 => x,
            1 => x.next_up(),
            2 => x.next_down(),
            3 => -x,
            _ => 0.3 * x,
        });
        let state = prop_oneof![
            12 => Just(State::Ready),
            1 => Just(State::Stale),
            1 => Just(State::Warming { have: 1, need: 2 }),
            1 => prop::sample::select(Reason::ALL.to_vec()).prop_map(State::Undefined),
        ];
        (number, state).prop_map(|(x, state)| Cell { state, ..Cell::ready_at(x, Ts(0), Kind::Measured) })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn who_is_calm_is_judged_and_does_not_fire(
            own_history in any::<bool>(),
            funding in prop::collection::vec(reading(vec![2.0, 3.0, 0.0005, 0.0003, 0.7, 0.95]), 5),
            sums in prop::collection::vec(reading(vec![5.0, 10.0, 1e6, 2e6, 1e7]), 5),
            shares in prop::collection::vec(reading(vec![0.01, 0.02, 0.3, 0.7, 0.8, 3.0, 10.0]), 5),
        ) {
            let t = Thresholds { own_history, ..Thresholds::default() };
            let limits = [
                t.funding_manipulation_z, t.funding.anomaly_z, t.funding.change, t.liquidations.burst_count,
                t.liquidations.critical_velocity, t.liquidations.cascade_total, t.liquidations.one_sided_events,
            ];
            let mut i = Inputs::nothing(Ts(0));
            [i.funding_rate, i.funding_zscore, i.funding_change, i.farming_share, i.funding_pct] =
                [funding[0], funding[1], funding[2], funding[3], funding[4]];
            let l = &mut i.liquidations;
            [l.count_60s, l.burst_threshold, l.velocity, l.total, l.events_1h] =
                [sums[0], sums[1], sums[2], sums[3], sums[4]];
            [l.long_share_1h, i.basis, i.premium, i.concentration, l.velocity_pct] =
                [shares[0], shares[1], shares[2], shares[3], shares[4]];
            for scale in [1.0, limits[0], limits[2], limits[4]] {
                let mut i = i;
                i.funding_change.value *= scale;
                i.liquidations.velocity.value *= scale;
                let calm = calm(&i, &t);
                prop_assert_eq!(calm >> DETECTORS.len(), 0);
                for (at, detector) in DETECTORS.iter().enumerate().filter(|(at, _)| calm >> at & 1 == 1) {
                    let judged = (detector.judge)(&i, &t);
                    prop_assert!(
                        matches!(judged, Judgement::Of(finding) if !finding.fires),
                        "{at} {:?}: {judged:?}", detector.pattern
                    );
                }
            }
        }
    }
}
