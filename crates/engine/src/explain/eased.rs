//! A label of high volatility that the newest reading does not give any more: what keeps it, and what the reading falls short of.
//!
//! Only levels are reported. A row knows its own reading and not that of an hour ago, and within the exit band volatility goes up as
//! often as down.

use super::facts::Facts;
use super::numbers::{Style, percentile, written_apart};
use crate::catalogue::Feature;
use crate::rules::{Clause, Test, Truth, group_result, judge};
use barograph_domain::{HeldBy, RiskRegime};

/// HIGH_VOL is published, and the newest reading says something calmer.
#[derive(Clone, PartialEq, Debug)]
pub struct Eased {
    /// The exit thresholds still hold; else the label waits to be left.
    pub in_band: bool,
    /// What the reading falls short of: "limit 80 %", "87th percentile of its history, limit 90th".
    pub short_of: Option<String>,
}

impl Eased {
    pub(super) fn of(facts: &Facts<'_>) -> Option<Self> {
        let axis = &facts.axis;
        let eases =
            axis.label == RiskRegime::HighVol && matches!(axis.raw_label, RiskRegime::Normal | RiskRegime::ChopRisk);
        eases.then(|| Self { in_band: axis.held_by == HeldBy::Hysteresis, short_of: short_of(facts) })
    }
}

/// Of the first part of the rule that does not hold at full thresholds.
fn short_of(facts: &Facts<'_>) -> Option<String> {
    let (book, cells) = (facts.ctx.book, facts.cells);
    let rules = book.rules().iter().filter(|r| r.label == RiskRegime::HighVol);
    let failed = rules.flat_map(|r| &r.groups).find(|g| group_result(book, cells, g) == Truth::False)?;
    failed.clauses.iter().find_map(|c| missed(facts, c))
}

fn missed(facts: &Facts<'_>, written: &Clause) -> Option<String> {
    let judged = judge(facts.ctx.book, facts.cells, written);
    let (x, Test::Number { value: limit, .. }) = (judged.value?, &judged.clause.test) else { return None };
    match judged.clause.feature {
        Feature::RealizedVol1h => Some(format!("limit {}", written_apart(Style::Volatility, *limit, x))),
        Feature::RealizedVol1hPct90d => {
            let (rank, limit) = (percentile(x), percentile(*limit));
            let limit = if rank == limit { "not above it".to_owned() } else { format!("limit {limit}") };
            Some(format!("{rank} percentile of its history, {limit}"))
        }
        _ => None,
    }
}
