//! A stored reading read now: freshness judged at the present moment laid over it (regimes §9, DESIGN section 4).
//!
//! The stored snapshot never changes. While nothing is stale now, the answer is the stored one plus its age; otherwise
//! the readings of stale inputs drop out and label, bias, posture and texts follow.

use super::facts::{Context, Facts};
use super::snapshot::{assemble, render};
use crate::catalogue::CATALOGUE;
use crate::market::TICK;
use crate::rules::{Staleness, evaluate};
use barograph_domain::{AxisState, Cell, HeldBy, MinuteRow, RiskRegime, Snapshot, Span, State, Ts};

/// The snapshot of the newest row as it reads at `now`.
#[must_use]
pub fn at_present(ctx: &Context<'_>, row: &MinuteRow, previous: Option<&MinuteRow>, now: Ts) -> Snapshot {
    let now = now.max(row.ts);
    let mut snapshot = match overlaid(ctx, row, now) {
        Some((cells, axis)) => assemble(&Facts::new(*ctx, row, &cells, axis, now), previous),
        None => render(ctx, row, previous),
    };
    snapshot.age_s = Some((now - row.ts).as_secs());
    snapshot
}

/// The published label alone as [`at_present`] shows it at `now`: for lists of many markets, at a hundredth of the cost.
#[must_use]
pub fn risk_at_present(ctx: &Context<'_>, row: &MinuteRow, now: Ts) -> AxisState {
    overlaid(ctx, row, now.max(row.ts)).map_or(row.risk, |(_, axis)| axis)
}

/// Readings and label where some input is too old by now; `None`: the row reads as it was published.
fn overlaid(ctx: &Context<'_>, row: &MinuteRow, now: Ts) -> Option<(Vec<Cell>, AxisState)> {
    let staleness = Staleness::of(ctx.book.freshness, now, &row.inputs, ctx.streams);
    if !staleness.any {
        return None;
    }
    let cells = aged(ctx, row, now);
    let axis = overlay(ctx, row, &cells, staleness, now);
    Some((cells, AxisState { since: since(ctx, row, axis, now), ..axis }))
}

/// Readings whose input is too old by now are stale.
fn aged(ctx: &Context<'_>, row: &MinuteRow, now: Ts) -> Vec<Cell> {
    let freshness = ctx.book.freshness;
    let mut cells = row.cells.clone();
    for (cell, spec) in cells.iter_mut().zip(CATALOGUE).filter(|(c, _)| c.state == State::Ready) {
        let by_metric = row.inputs.iter().filter(|i| spec.inputs.contains(&i.metric));
        let old = match cell.stream.and_then(|s| Some((s, ctx.decl(Some(s))?))) {
            Some((stream, decl)) => {
                let known = row.inputs.iter().filter(|i| i.stream == Some(stream)).map(|i| i.anchor).max();
                now - known.unwrap_or(cell.anchor) > freshness.max_age(decl)
            }
            None => by_metric.clone().any(|i| freshness.is_stale(now, i, ctx.streams)),
        };
        if old {
            cell.state = State::Stale;
        }
    }
    cells
}

/// When a label that is shown no more was given up: the first minute at which some input had just passed a limit and the
/// overlay said so. The same at every later moment, so that an answer changes only when something in it does.
fn since(ctx: &Context<'_>, row: &MinuteRow, axis: AxisState, now: Ts) -> Ts {
    if axis.label == row.risk.label {
        return axis.since;
    }
    let freshness = ctx.book.freshness;
    let passed = |anchor: Ts, limit: Span| (anchor + limit + Span(1)).ceil(TICK);
    let mut moments: Vec<Ts> = row
        .inputs
        .iter()
        .filter_map(|input| Some((input.anchor, ctx.decl(input.stream)?)))
        .flat_map(|(anchor, decl)| [passed(anchor, freshness.max_age(decl)), passed(anchor, freshness.gap_alert(decl))])
        .filter(|t| *t > row.ts && *t <= now)
        .collect();
    moments.sort_unstable();
    let given_up = |t: &Ts| {
        let staleness = Staleness::of(freshness, *t, &row.inputs, ctx.streams);
        overlay(ctx, row, &aged(ctx, row, *t), staleness, *t).label == axis.label
    };
    moments.into_iter().find(given_up).unwrap_or_else(|| now.floor(TICK))
}

/// The label goes on where the rules can still decide; else the last one is shown until the gap alert.
fn overlay(ctx: &Context<'_>, row: &MinuteRow, cells: &[Cell], staleness: Staleness, now: Ts) -> AxisState {
    let judged = evaluate(ctx.book, cells);
    let mut axis = AxisState { stale: true, ..row.risk };
    if judged.raw != RiskRegime::Unknown {
        return axis;
    }
    axis = AxisState {
        raw_label: RiskRegime::Unknown,
        held_by: HeldBy::None,
        candidate: None,
        candidate_count: 0,
        ..axis
    };
    let shows_last = judged.unknown_by_stale && !staleness.past_gap_alert;
    if !shows_last && axis.label != RiskRegime::Unknown {
        axis.label = RiskRegime::Unknown;
        axis.since = now;
    }
    axis
}
