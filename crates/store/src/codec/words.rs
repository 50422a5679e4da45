//! Codes of closed sets inside a blob. Never renumber one; add at the end.

use super::CodecError;
use barograph_domain::{AxisState, GapReason, HeldBy, InputAge, Kind, Metric, Reason, RiskRegime, State};

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
const LABELS: [RiskRegime; 5] =
    [RiskRegime::Normal, RiskRegime::ChopRisk, RiskRegime::SqueezeRisk, RiskRegime::HighVol, RiskRegime::Unknown];
const HELD_BY: [HeldBy; 3] = [HeldBy::None, HeldBy::Hysteresis, HeldBy::Dwell];
const METRICS: [Metric; 16] = [
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
pub(crate) fn put_axis(risk: &AxisState) -> u64 {
    put_label(risk.label)
        | put_label(risk.raw_label) << 8
        | put_held_by(risk.held_by) << 16
        | risk.candidate.map_or(0, |c| put_label(c) + 1) << 24
        | u64::from(risk.stale) << 32
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
pub(super) fn put_label(label: RiskRegime) -> u64 {
    place(&LABELS, &label)
}
pub(super) fn get_label(code: u64) -> Result<RiskRegime, CodecError> {
    word(&LABELS, code)
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

    #[test]
    fn every_word_has_a_code() {
        for metric in Metric::ALL {
            assert_eq!(get_metric(put_metric(metric)), Ok(metric));
        }
        for label in RiskRegime::ALL {
            assert_eq!(get_label(put_label(label)), Ok(label));
        }
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
        assert!(get_metric(99).is_err() && get_state(99, 0).is_err());
    }
}
