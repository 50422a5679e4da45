//! A stored reading read now: freshness judged at the present moment laid over it (regimes §9; ARCHITECTURE.md, "Life of one row").
//!
//! The stored snapshot never changes. While nothing is stale now, the answer is the stored one plus its age; otherwise
//! the readings of stale inputs drop out and label, bias, posture and texts follow.

use super::facts::{Context, Facts, stale_inputs};
use super::snapshot::{assemble, render};
use crate::catalogue::CATALOGUE;
use crate::market::TICK;
use crate::rules::{AxisStates, Close, Ruled, Staleness, clock_of, evaluate};
use barograph_domain::{AxisState, Cell, HeldBy, MinuteRow, Snapshot, Span, State, Ts};

/// The snapshot of the newest row as it reads at `now`.
#[must_use]
pub fn at_present(ctx: &Context<'_>, row: &MinuteRow, previous: Option<&MinuteRow>, now: Ts) -> Snapshot {
    let now = now.max(row.ts);
    let mut snapshot = match overlaid(ctx, row, now) {
        Some((cells, axes)) => assemble(&Facts::new(*ctx, row, &cells, axes, now), previous),
        None => render(ctx, row, previous),
    };
    snapshot.age_s = Some((now - row.ts).as_secs());
    snapshot
}

/// The published labels alone as [`at_present`] shows them at `now`: for lists of many markets, at a hundredth of the cost.
#[must_use]
pub fn axes_at_present(ctx: &Context<'_>, row: &MinuteRow, now: Ts) -> AxisStates {
    overlaid(ctx, row, now.max(row.ts)).map_or(AxisStates::of(row), |(_, axes)| axes)
}

/// All of [`at_present`] that moves while no minute comes: whoever keeps a rendered snapshot makes it anew when this differs.
#[derive(Clone, PartialEq, Debug)]
pub struct PresentReading {
    /// The published labels, as [`axes_at_present`] shows them.
    pub axes: AxisStates,
    /// Ages of the inputs that are too old, as texts say them; below a minute one is as good as another.
    ages: Vec<String>,
}

/// What of the snapshot of the present moves with time alone, at `now`. Where nothing is too old it costs no more than the labels.
#[must_use]
pub fn reading_at_present(ctx: &Context<'_>, row: &MinuteRow, now: Ts) -> PresentReading {
    let now = now.max(row.ts);
    match overlaid(ctx, row, now) {
        None => PresentReading { axes: AxisStates::of(row), ages: Vec::new() },
        Some((cells, axes)) => {
            let stale = stale_inputs(*ctx, row, &cells, now);
            PresentReading { axes, ages: stale.iter().map(|s| Span::mins(s.age_s / 60).spoken()).collect() }
        }
    }
}

/// Readings and labels where something is too old by now; `None`: the row reads as it was published.
pub(super) fn overlaid(ctx: &Context<'_>, row: &MinuteRow, now: Ts) -> Option<(Vec<Cell>, AxisStates)> {
    if !Staleness::of(ctx.book.freshness, now, &row.inputs, ctx.streams).any && !has_stale_close(ctx, row, now) {
        return None;
    }
    let cells = aged(ctx, row, now);
    let axes = AxisStates {
        risk: overlaid_axis(ctx, row, &cells, &row.risk, now),
        trend: overlaid_axis(ctx, row, &cells, &row.trend, now),
        volatility: overlaid_axis(ctx, row, &cells, &row.volatility, now),
        heat: overlaid_axis(ctx, row, &cells, &row.heat, now),
    };
    Some((cells, axes))
}

/// Is a chart that some axis reads waiting for a close that did not come?
fn has_stale_close(ctx: &Context<'_>, row: &MinuteRow, now: Ts) -> bool {
    closes(ctx, row).any(|c| c.is_stale(now))
}

fn closes<'a>(ctx: &Context<'a>, row: &'a MinuteRow) -> impl Iterator<Item = Close<'a>> {
    let (book, streams) = (ctx.book, ctx.streams);
    book.closes().filter_map(move |f| Close::of(book, f, &row.cells, streams))
}

fn overlaid_axis<L: Ruled>(
    ctx: &Context<'_>,
    row: &MinuteRow,
    cells: &[Cell],
    published: &AxisState<L>,
    now: Ts,
) -> AxisState<L> {
    let staleness = Staleness::of_axis::<L>(ctx.book, now, cells, &row.inputs, ctx.streams);
    if !staleness.any {
        return *published;
    }
    let axis = overlay(ctx, published, cells, staleness, now);
    AxisState { since: since(ctx, row, published, &axis, now), ..axis }
}

/// Readings whose input is too old by now are stale.
fn aged(ctx: &Context<'_>, row: &MinuteRow, now: Ts) -> Vec<Cell> {
    let freshness = ctx.book.freshness;
    let mut cells = row.cells.clone();
    for (cell, spec) in cells.iter_mut().zip(CATALOGUE).filter(|(c, _)| c.state == State::Ready) {
        let by_metric = row.inputs.iter().filter(|i| spec.inputs.contains(&i.metric));
        if clock_of(spec.feature, ctx.book.trend_tf).is_some() {
            let close = Close::of(ctx.book, spec.feature, &row.cells, ctx.streams);
            if close.is_some_and(|c| c.is_stale(now)) {
                cell.state = State::Stale;
            }
            continue;
        }
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
fn since<L: Ruled>(ctx: &Context<'_>, row: &MinuteRow, published: &AxisState<L>, axis: &AxisState<L>, now: Ts) -> Ts {
    if axis.label == published.label {
        return axis.since;
    }
    let freshness = ctx.book.freshness;
    let passed = |anchor: Ts, limit: Span| (anchor + limit + Span(1)).ceil(TICK);
    let mut moments: Vec<Ts> = row
        .inputs
        .iter()
        .filter_map(|input| Some((input.anchor, ctx.decl(input.stream)?)))
        .flat_map(|(anchor, decl)| [passed(anchor, freshness.max_age(decl)), passed(anchor, freshness.gap_alert(decl))])
        .chain(closes(ctx, row).flat_map(|c| [c.max_age, c.gap_alert].map(|limit| passed(c.due, limit))))
        .filter(|t| *t > row.ts && *t <= now)
        .collect();
    moments.sort_unstable();
    let given_up = |t: &Ts| {
        let cells = aged(ctx, row, *t);
        let staleness = Staleness::of_axis::<L>(ctx.book, *t, &cells, &row.inputs, ctx.streams);
        overlay(ctx, published, &cells, staleness, *t).label == axis.label
    };
    moments.into_iter().find(given_up).unwrap_or_else(|| now.floor(TICK))
}

/// The label goes on where the rules can still decide; else the last one is shown until the gap alert.
fn overlay<L: Ruled>(
    ctx: &Context<'_>,
    published: &AxisState<L>,
    cells: &[Cell],
    staleness: Staleness,
    now: Ts,
) -> AxisState<L> {
    let judged = evaluate::<L>(ctx.book, cells);
    let mut axis = AxisState { stale: true, ..*published };
    if judged.raw != L::UNKNOWN {
        return axis;
    }
    axis = AxisState { raw_label: L::UNKNOWN, held_by: HeldBy::None, candidate: None, candidate_count: 0, ..axis };
    let shows_last = judged.unknown_by_stale && !staleness.past_gap_alert;
    if !shows_last && axis.label != L::UNKNOWN {
        axis.label = L::UNKNOWN;
        axis.since = now;
    }
    axis
}
