//! What the minute of an alert says of it: what its labels ask for and, of an alert about a label, why that label holds.
//!
//! Guidance is that of the market at that minute, by the function that makes it for snapshots, so that an alert is never
//! calmer than the market beside it. A label is explained only where it is the one the alert tells of: several timeframes may
//! confirm another label than the axis shows.

use super::facts::{Context, Facts};
use super::guidance::guidance;
use super::moment::{Moment, moment};
use super::snapshot::stop_view;
use crate::rules::AxisStates;
use barograph_domain::{Alert, Axis, Label as _, MinuteRow, Posture};

/// What the labels of one minute ask of a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Care {
    /// By the posture table of the book, of all axes; else by the risk label alone.
    pub by_table: bool,
    /// For positions that are open.
    pub posture: Posture,
    /// For entries not yet made.
    pub new_entries: String,
    /// For positions already held.
    pub open_positions: String,
}

/// One minute as an alert tells of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Minute {
    /// What its labels ask for.
    pub care: Care,
    /// What it says of the label that the alert is about.
    pub label: Option<Moment>,
}

/// What a row says of an alert of its minute.
#[must_use]
pub fn minute(ctx: &Context<'_>, row: &MinuteRow, alert: &Alert) -> Minute {
    let axis = alert.axis().filter(|axis| alert.told_label().is_none_or(|told| told == label_of(row, *axis)));
    Minute { care: care(ctx, row), label: axis.map(|axis| moment(ctx, row, axis)) }
}

fn care(ctx: &Context<'_>, row: &MinuteRow) -> Care {
    let facts = Facts::new(*ctx, row, &row.cells, AxisStates::of(row), row.ts);
    let of_minute = guidance(&facts, stop_view(&facts).worst);
    Care {
        by_table: !ctx.book.postures().is_empty(),
        posture: of_minute.posture,
        new_entries: of_minute.new_entries,
        open_positions: of_minute.open_positions,
    }
}

fn label_of(row: &MinuteRow, axis: Axis) -> &'static str {
    match axis {
        Axis::Risk => row.risk.label.word(),
        Axis::Trend => row.trend.label.word(),
        Axis::Volatility => row.volatility.label.word(),
        Axis::Heat => row.heat.label.word(),
    }
}
