//! Where records of alerts belong between the rows of an engine's outputs, over files and live alike.

use barograph_domain::MinuteRow;
use barograph_domain::time::LATENESS;
use barograph_engine::AlertOut;

/// Takes the records of alerts out that belong before a row: those of its market that were known by then. Other markets may
/// be hours behind within one step.
pub fn take_due<'a>(alerts: &mut Vec<&'a AlertOut>, row: &MinuteRow) -> Vec<&'a AlertOut> {
    let due = |a: &AlertOut| a.instrument == row.instrument && a.known.known_at <= row.ts + LATENESS;
    if !alerts.iter().any(|a| due(a)) {
        return Vec::new();
    }
    let (due, left) = core::mem::take(alerts).into_iter().partition(|a| due(a));
    *alerts = left;
    due
}
