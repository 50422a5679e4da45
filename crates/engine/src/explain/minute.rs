//! What a minute says of an alert or asks of a position: what its labels ask for and, of an alert about a label, why that
//! label holds.
//!
//! Guidance is that of the market at that minute, by the function that makes it for snapshots, so that neither is ever calmer
//! than the market beside it. Several timeframes may confirm another label than the axis shows: the axis's own is explained
//! then, as what it is.

use super::facts::{Context, Facts};
use super::guidance::guidance_of;
use super::headline::{HeldStop, Sight, headline};
use super::moment::{AxisMoment, Reported, moment_of};
use super::present::overlaid;
use super::snapshot::stop_view;
use crate::rules::{AxisStates, PostureRow, RuleBook};
use barograph_domain::advice::StopReach;
use barograph_domain::{Alert, Axis, Label as _, MinuteRow, Pattern, Posture, RiskBias, Ts};

/// What the labels of one minute ask of a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Care {
    /// By the posture table of the book, of all axes; else by the risk label alone.
    pub by_table: bool,
    /// For size and stops.
    pub bias: RiskBias,
    /// For positions that are open.
    pub posture: Posture,
    /// For entries not yet made.
    pub new_entries: String,
    /// For positions already held.
    pub open_positions: String,
}

/// One minute as an alert reports it.
#[derive(Clone, PartialEq, Debug)]
pub struct Minute {
    /// The market in one or two sentences, as its snapshot has them.
    pub headline: String,
    /// What its labels ask for.
    pub care: Care,
    /// What it says of the axis that the alert is about.
    pub label: Option<AxisMoment>,
    /// The row of the book's posture table for the label that the alert reports.
    pub told: Option<PostureRow>,
}

/// What a row says of an alert of its minute.
#[must_use]
pub fn minute(ctx: &Context<'_>, row: &MinuteRow, alert: &Alert) -> Minute {
    let facts = Facts::new(*ctx, row, &row.cells, AxisStates::of(row), row.ts);
    let told = |axis| alert.label_entered().is_none_or(|told| told == label_of(row, axis));
    let of_axis = |axis| {
        let told = if told(axis) { Reported::Label { from: alert.word("from") } } else { Reported::Another };
        let tells = told != Reported::Another || alert.pattern == Pattern::RegimeConfirmed;
        tells.then(|| moment_of(&facts, axis, told))
    };
    Minute {
        headline: headline(&Sight::of(&facts)).text,
        care: care_of(&facts, None),
        label: alert.axis().and_then(of_axis),
        told: row_of(ctx.book, alert),
    }
}

fn row_of(book: &RuleBook, alert: &Alert) -> Option<PostureRow> {
    let told = (alert.axis()?.name(), alert.label_entered()?);
    book.postures().iter().find(|row| (row.when.axis(), row.when.label()) == told).cloned()
}

fn care_of(facts: &Facts<'_>, stop: Option<HeldStop>) -> Care {
    let asked = guidance_of(facts, stop_view(facts).worst, stop);
    Care {
        by_table: !facts.ctx.book.postures().is_empty(),
        bias: asked.risk_bias,
        posture: asked.posture,
        new_entries: asked.new_entries,
        open_positions: asked.open_positions,
    }
}

/// What a market asks of a position, by where its own stop stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StopCare {
    /// Far from the price, or there is none.
    pub far: Care,
    /// The price is near.
    pub near: Care,
    /// The price has reached it.
    pub reached: Care,
}

impl StopCare {
    /// Of a position whose stop stands there.
    #[must_use]
    pub const fn at(&self, stop: StopReach) -> &Care {
        match stop {
            StopReach::Far => &self.far,
            StopReach::Near => &self.near,
            StopReach::Reached => &self.reached,
        }
    }
}

/// What the newest row asks of positions as it reads at `now`; `None` where the book has no posture table and goes by the risk
/// label alone.
#[must_use]
pub fn care_by_stop(ctx: &Context<'_>, row: &MinuteRow, now: Ts) -> Option<StopCare> {
    if ctx.book.postures().is_empty() {
        return None;
    }
    let now = now.max(row.ts);
    let (cells, axes) = overlaid(ctx, row, now).unwrap_or_else(|| (row.cells.clone(), AxisStates::of(row)));
    let facts = Facts::new(*ctx, row, &cells, axes, now);
    let of = |stop| care_of(&facts, stop);
    Some(StopCare { far: of(None), near: of(Some(HeldStop::Near)), reached: of(Some(HeldStop::Reached)) })
}

fn label_of(row: &MinuteRow, axis: Axis) -> &'static str {
    match axis {
        Axis::Risk => row.risk.label.word(),
        Axis::Trend => row.trend.label.word(),
        Axis::Volatility => row.volatility.label.word(),
        Axis::Heat => row.heat.label.word(),
    }
}
