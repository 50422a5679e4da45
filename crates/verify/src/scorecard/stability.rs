//! How steady the labels of an axis were, from the labels that its forecasts carry (verification §5).

use super::entry::{Entry, Step};
use crate::ledger::GRID;
use crate::scores::stability::{durations, episodes, flip_flop_index, flip_rate, flips, short_episode_share};
use barograph_domain::forecast::ForecastEvent;
use barograph_domain::scorecard::StabilityRow;
use barograph_domain::time::DAY;
use barograph_domain::{Axis, Label as _, RiskRegime, Span, Ts, VolRegime};
use std::collections::BTreeMap;

/// The row of the event's axis; of the first event of each axis alone. The window is the caller's.
pub(super) fn stability_rows(event: ForecastEvent, scope: &str, entries: &[Entry]) -> Option<StabilityRow> {
    let axis = match event {
        ForecastEvent::HighVol1h => Axis::Risk,
        ForecastEvent::TrendUp24h => Axis::Trend,
        ForecastEvent::VolUp24h => Axis::Volatility,
        _ => return None,
    };
    let mut of: BTreeMap<u16, Vec<&Entry>> = BTreeMap::new();
    for e in entries.iter().filter(|e| !matches!(e.step, Step::NotIssued(_))) {
        of.entry(e.market).or_default().push(e);
    }
    let (mut covered, mut changes, mut raw_changes) = (Span::ZERO, 0, 0);
    let (mut indices, mut runs) = (Vec::new(), Vec::new());
    for list in of.values() {
        // A hole cuts the series: nobody saw what the label did in it.
        for part in list.chunk_by(|a, b| b.issued - a.issued == GRID) {
            covered = covered + GRID.times(i64::try_from(part.len()).unwrap_or(i64::MAX));
            let labels: Vec<u8> = part.iter().map(|e| e.label).collect();
            let raw: Vec<u8> = part.iter().map(|e| e.raw_label).collect();
            changes += flips(&labels);
            raw_changes += flips(&raw);
            let series: Vec<(Ts, u8)> = part.iter().map(|e| (e.issued, e.label)).collect();
            runs.extend(episodes(&series));
            for day in part.chunk_by(|a, b| a.issued.floor(DAY) == b.issued.floor(DAY)) {
                let ranks: Option<Vec<f64>> = day.iter().map(|e| severity(axis, e.label)).collect();
                indices.extend(ranks.and_then(|r| flip_flop_index(&r)));
            }
        }
    }
    let mean = |all: &[f64]| {
        let n = u32::try_from(all.len()).ok().filter(|n| *n > 0)?;
        Some(all.iter().sum::<f64>() / f64::from(n))
    };
    let lengths = durations(runs.iter().map(|r| r.ends - r.begins));
    Some(StabilityRow {
        axis: axis.name().to_owned(),
        scope: scope.to_owned(),
        window: String::new(),
        days: covered.as_days_f64(),
        flip_rate: flip_rate(changes, covered),
        raw_flip_rate: flip_rate(raw_changes, covered),
        flip_flop: mean(&indices),
        short_episodes: short_episode_share(&runs),
        episode_h: lengths.map(|d| [d.median, d.p90].map(|s| s.as_secs_f64() / 3_600.0)),
    })
}

/// Rank of a label in the axis's order; `None` for UNKNOWN and for the trend, which has none.
fn severity(axis: Axis, label: u8) -> Option<f64> {
    let rank = match axis {
        Axis::Risk => RiskRegime::from_code(label)?.severity(),
        Axis::Volatility => VolRegime::from_code(label)?.severity(),
        Axis::Trend | Axis::Heat => None,
    };
    rank.map(f64::from)
}
