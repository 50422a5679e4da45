//! Codes of closed sets inside a blob. Never renumber one; add at the end.

use super::CodecError;
use barograph_domain::{
    AxisState, GapReason, HeldBy, InputAge, Kind, Label, Metric, MinuteRow, OpenAlert, OpenAlerts, OpenExperimental,
    Pattern, Reason, Severity, State, Timeframes, Ts,
};

const READY: u64 = 0;
const STALE: u64 = 1;
const WARMING: u64 = 2;
/// `Undefined` with the reason at this place of `REASONS`.
const UNDEFINED: u64 = 3;

const REASONS: [Reason; 9] = [
    Reason::Warming,
    Reason::MissingInput,
    Reason::Gap,
    Reason::Stale,
    Reason::ZeroVariance,
    Reason::ZeroDenominator,
    Reason::InsufficientLevels,
    Reason::OutOfDomain,
    Reason::NotOffered,
];
const KINDS: [Kind; 4] = [Kind::Measured, Kind::Sampled, Kind::Modelled, Kind::Proxy];
const HELD_BY: [HeldBy; 3] = [HeldBy::None, HeldBy::Hysteresis, HeldBy::Dwell];
const METRICS: [Metric; 17] = [
    Metric::Bar,
    Metric::Trade,
    Metric::BestBidAsk,
    Metric::MarkPrice,
    Metric::IndexPrice,
    Metric::PremiumIndex,
    Metric::FundingRate,
    Metric::FundingRateSettled,
    Metric::OpenInterest,
    Metric::OpenInterestUsd,
    Metric::Liquidation,
    Metric::TopTraderAccountRatio,
    Metric::TopTraderPositionRatio,
    Metric::LongShortRatio,
    Metric::TakerVolumeRatio,
    Metric::Book,
    Metric::SpotPrice,
];

/// Bits of an input's word that hold its metric; the reason of an open gap, if any, stands above them.
const METRIC_BITS: u32 = 6;

/// Metric and open gap of an input; never 0.
pub(crate) fn put_input(input: &InputAge) -> u64 {
    let gap = input.gap.map_or(0, |g| place(&GapReason::ALL, &g) + 1);
    (put_metric(input.metric) + 1) | gap << METRIC_BITS
}

/// What [`put_input`] wrote.
pub(crate) fn get_input(code: u64) -> Result<(Metric, Option<GapReason>), CodecError> {
    let metric = get_metric((code & ((1 << METRIC_BITS) - 1)).wrapping_sub(1))?;
    let gap = match code >> METRIC_BITS {
        0 => None,
        n => Some(word(&GapReason::ALL, n - 1)?),
    };
    Ok((metric, gap))
}

/// The place of a word in its list. Every variant is listed (tested), so the fallback is never met.
fn place<T: PartialEq>(list: &[T], word: &T) -> u64 {
    list.iter().position(|w| w == word).unwrap_or(list.len()) as u64
}

fn word<T: Copy>(list: &[T], code: u64) -> Result<T, CodecError> {
    usize::try_from(code)
        .ok()
        .and_then(|i| list.get(i))
        .copied()
        .ok_or(CodecError("has a code this build does not know"))
}

/// Code and detail (samples present and needed) of a state.
pub(crate) fn put_state(state: State) -> (u64, u64) {
    match state {
        State::Ready => (READY, 0),
        State::Stale => (STALE, 0),
        State::Warming { have, need } => (WARMING, u64::from(have) | u64::from(need) << 32),
        State::Undefined(reason) => (UNDEFINED + place(&REASONS, &reason), 0),
    }
}

pub(super) fn get_state(code: u64, detail: u64) -> Result<State, CodecError> {
    Ok(match code {
        READY => State::Ready,
        STALE => State::Stale,
        WARMING => State::Warming { have: low32(detail), need: low32(detail >> 32) },
        _ => State::Undefined(word(&REASONS, code - UNDEFINED)?),
    })
}

/// Everything about an axis that is not a time or a count.
fn put_axis<L: Label>(axis: &AxisState<L>) -> u64 {
    u64::from(axis.label.code())
        | u64::from(axis.raw_label.code()) << 8
        | put_held_by(axis.held_by) << 16
        | axis.candidate.map_or(0, |c| u64::from(c.code()) + 1) << 24
        | u64::from(axis.stale) << 32
}

/// [`put_axis`], since when, and how many readings the candidate has.
fn axis_words<L: Label>(axis: &AxisState<L>) -> [u64; 3] {
    [put_axis(axis), axis.since.0.cast_unsigned(), u64::from(axis.candidate_count)]
}

/// [`axis_words`] of the risk, trend, volatility and heat axis.
pub(crate) fn all_axes(row: &MinuteRow) -> [[u64; 3]; 4] {
    [axis_words(&row.risk), axis_words(&row.trend), axis_words(&row.volatility), axis_words(&row.heat)]
}

/// What [`axis_words`] wrote.
pub(super) fn get_axis<L: Label>(bits: u64, since: u64, count: u64) -> Result<AxisState<L>, CodecError> {
    let candidate = match bits >> 24 & 0xff {
        0 => None,
        code => Some(get_label(code - 1)?),
    };
    Ok(AxisState {
        label: get_label(bits & 0xff)?,
        raw_label: get_label(bits >> 8 & 0xff)?,
        held_by: get_held_by(bits >> 16 & 0xff)?,
        since: Ts(since.cast_signed()),
        candidate,
        candidate_count: low32(count),
        stale: bits >> 32 & 1 == 1,
    })
}

/// Sixteen labels of four bits each: risk, trend, volatility, heat, from the shortest timeframe to the longest.
pub(crate) fn put_timeframes(t: &Timeframes) -> u64 {
    fn four<L: Label>(labels: &[L; 4]) -> u64 {
        labels.iter().rev().fold(0, |bits, l| bits << 4 | u64::from(l.code()))
    }
    four(&t.risk) | four(&t.trend) << 16 | four(&t.volatility) << 32 | four(&t.heat) << 48
}

/// What [`put_timeframes`] wrote.
pub(super) fn get_timeframes(bits: u64) -> Result<Timeframes, CodecError> {
    fn four<L: Label>(bits: u64) -> Result<[L; 4], CodecError> {
        Ok([get_label(bits & 15)?, get_label(bits >> 4 & 15)?, get_label(bits >> 8 & 15)?, get_label(bits >> 12 & 15)?])
    }
    Ok(Timeframes {
        risk: four(bits)?,
        trend: four(bits >> 16)?,
        volatility: four(bits >> 32)?,
        heat: four(bits >> 48)?,
    })
}

/// How many alerts are open; pattern and severity of the worst, each plus one, and above them the place of its rule plus one. Above
/// those how many experimental ones there are, and the pattern of the first plus one: zero in rows from before they were counted.
pub(crate) fn put_open(open: &OpenAlerts) -> u64 {
    let worst = open.worst.map_or(0, |w| {
        let rule = w.rule.map_or(0, |r| u64::from(r) + 1);
        (u64::from(w.pattern.code()) + 1) | (place(&Severity::ALL, &w.severity) + 1) << 8 | rule << 16
    });
    let first = open.experimental.first.map_or(0, |pattern| u64::from(pattern.code()) + 1);
    u64::from(open.count) | worst << 16 | u64::from(open.experimental.count) << 41 | first << 49
}

/// What [`put_open`] wrote.
pub(super) fn get_open(bits: u64) -> Result<OpenAlerts, CodecError> {
    const UNKNOWN: CodecError = CodecError("has a code this build does not know");
    let count = u16::try_from(bits & 0xffff).map_err(|_e| UNKNOWN)?;
    let byte = |shift: u32| u8::try_from(bits >> shift & 0xff).map_err(|_e| UNKNOWN);
    let worst = match byte(16)?.checked_sub(1) {
        None => None,
        Some(code) => Some(OpenAlert {
            pattern: Pattern::from_code(code).ok_or(UNKNOWN)?,
            severity: word(&Severity::ALL, (bits >> 24 & 0xff).wrapping_sub(1))?,
            rule: match bits >> 32 & 0x1ff {
                0 => None,
                rule => Some(u8::try_from(rule - 1).map_err(|_e| UNKNOWN)?),
            },
        }),
    };
    let first = match byte(49)?.checked_sub(1) {
        None => None,
        Some(code) => Some(Pattern::from_code(code).ok_or(UNKNOWN)?),
    };
    Ok(OpenAlerts { count, worst, experimental: OpenExperimental { count: byte(41)?, first } })
}

pub(super) const fn low32(n: u64) -> u32 {
    let [a, b, c, d, ..] = n.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

pub(crate) fn put_kind(kind: Kind) -> u64 {
    place(&KINDS, &kind)
}
pub(super) fn get_kind(code: u64) -> Result<Kind, CodecError> {
    word(&KINDS, code)
}
/// The label of a code: its place in the axis's own list, which may only grow at its end.
fn get_label<L: Label>(code: u64) -> Result<L, CodecError> {
    u8::try_from(code).ok().and_then(L::from_code).ok_or(CodecError("has a code this build does not know"))
}
pub(super) fn put_held_by(held_by: HeldBy) -> u64 {
    place(&HELD_BY, &held_by)
}
pub(super) fn get_held_by(code: u64) -> Result<HeldBy, CodecError> {
    word(&HELD_BY, code)
}
pub(super) fn put_metric(metric: Metric) -> u64 {
    place(&METRICS, &metric)
}
pub(super) fn get_metric(code: u64) -> Result<Metric, CodecError> {
    word(&METRICS, code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{HeatRegime, RiskRegime, TrendRegime, VolRegime};

    #[test]
    fn every_word_has_a_code() {
        for metric in Metric::ALL {
            assert_eq!(get_metric(put_metric(metric)), Ok(metric));
        }
        fn labels<L: Label>() {
            for &label in L::LABELS {
                assert_eq!(get_label(u64::from(label.code())), Ok(label));
                let axis =
                    AxisState { label, raw_label: label, candidate: Some(label), stale: true, ..Default::default() };
                let [bits, since, count] = axis_words(&axis);
                assert_eq!(get_axis(bits, since, count), Ok(axis));
            }
            assert!(L::LABELS.len() < 16, "a timeframe's label has four bits");
        }
        labels::<RiskRegime>();
        labels::<TrendRegime>();
        labels::<VolRegime>();
        labels::<HeatRegime>();
        let undefined = Reason::ALL.into_iter().map(State::Undefined);
        let warming = State::Warming { have: u32::MAX, need: 6 };
        for state in undefined.chain([State::Ready, State::Stale, warming]) {
            let (code, detail) = put_state(state);
            assert_eq!(get_state(code, detail), Ok(state));
        }
        for kind in KINDS {
            // A variant that is missing from the list would not compile here.
            match kind {
                Kind::Measured | Kind::Sampled | Kind::Modelled | Kind::Proxy => {
                    assert_eq!(get_kind(put_kind(kind)), Ok(kind));
                }
            }
        }
        for held in HELD_BY {
            match held {
                HeldBy::None | HeldBy::Hysteresis | HeldBy::Dwell => {
                    assert_eq!(get_held_by(put_held_by(held)), Ok(held));
                }
            }
        }
        for pattern in Pattern::ALL {
            for severity in Severity::ALL {
                for rule in [None, Some(0), Some(u8::MAX)] {
                    let worst = Some(OpenAlert { pattern: *pattern, severity, rule });
                    for experimental in
                        [OpenExperimental::default(), OpenExperimental { count: u8::MAX, first: Some(*pattern) }]
                    {
                        let open = OpenAlerts { count: u16::MAX, worst, experimental };
                        assert_eq!(get_open(put_open(&open)), Ok(open));
                    }
                }
            }
        }
        assert_eq!(get_open(0), Ok(OpenAlerts::default()));
        assert!(get_open(0xff_0000).is_err() && get_open(0xff << 49).is_err());
        assert!(get_metric(99).is_err() && get_state(99, 0).is_err());
    }
}
