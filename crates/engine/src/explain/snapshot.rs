//! Puts a snapshot together from its facts.

use super::axes::{regimes, session};
use super::facts::{Context, Facts};
use super::guidance::guidance;
use super::headline::{Sight, headline};
use super::{calls, changed, models, text, views};
use crate::catalogue::Feature;
use crate::rules::AxisStates;
use barograph_domain::snapshot::{Explanation, Snapshot, StopVulnerabilityView};
use barograph_domain::time::LATENESS;
use barograph_domain::{MinuteRow, StopVulnerability};

/// Share of the level types below which stops never read LOW (features §4.10).
const STOPS_COVERAGE_MIN: f32 = 0.5;

/// The snapshot of a row as of its own moment. `previous` is the row one minute before, where there is one.
#[must_use]
pub fn render(ctx: &Context<'_>, row: &MinuteRow, previous: Option<&MinuteRow>) -> Snapshot {
    let facts = Facts::new(*ctx, row, &row.cells, AxisStates::of(row), row.ts);
    assemble(&facts, previous)
}

pub(super) fn assemble(facts: &Facts<'_>, previous: Option<&MinuteRow>) -> Snapshot {
    let stops = stop_view(facts);
    let models = models::views(facts.row, facts.moment);
    let headline = headline(&Sight::of(facts));
    let (asserted, stated) = (calls::of_risk(facts), calls::view(facts));
    Snapshot {
        snapshot_id: facts.snapshot_id.clone(),
        timestamp: facts.row.ts,
        known_ts: facts.row.ts + LATENESS,
        instrument: facts.ctx.instrument.name.clone(),
        symbol: facts.ctx.instrument.name.symbol.clone(),
        logic_version: facts.ctx.logic_version.to_owned(),
        book: facts.ctx.book.name.clone(),
        sources_used: views::sources_used(facts),
        price: facts.row.price,
        headline: headline.text,
        headline_parts: headline.parts,
        regimes: regimes(facts),
        session: session(facts),
        guidance: guidance(facts, stops.worst),
        stop_vulnerability: stops,
        probability: asserted.and_then(|a| a.chance),
        calibration: calls::calibration(asserted),
        horizon: asserted.map(|a| a.event.horizon_word()),
        event_id: asserted.map(|a| a.event.id()),
        explanation: explanation(facts, previous),
        not_available: not_available(stated.is_none(), models.is_none()),
        calls: stated,
        models,
        age_s: None,
        recorded_until: None,
        health: None,
    }
}

/// Fields that are null here.
fn not_available(no_calls: bool, models_off: bool) -> Vec<&'static str> {
    let no_calls = ["calls", "probability"].into_iter().filter(|_| no_calls);
    no_calls.chain(["similar_episodes"]).chain(models_off.then_some("models")).collect()
}

/// Never LOW for lack of data (features §4.10).
pub(super) fn stop_view(facts: &Facts<'_>) -> StopVulnerabilityView {
    let level = |feature: Feature| {
        let believed = facts.cell(feature).coverage >= STOPS_COVERAGE_MIN;
        facts.stops(feature).map(|l| if believed { l } else { l.max(StopVulnerability::Medium) })
    };
    let worst = facts.cell(Feature::StopVulnerability);
    StopVulnerabilityView {
        long: level(Feature::StopVulnerabilityLong),
        short: level(Feature::StopVulnerabilityShort),
        worst: level(Feature::StopVulnerability),
        coverage: if worst.ready().is_some() { views::four_decimals(f64::from(worst.coverage)) } else { 0.0 },
        label: "estimated",
    }
}

fn explanation(facts: &Facts<'_>, previous: Option<&MinuteRow>) -> Explanation {
    let ids = |mask: u32| {
        let rules = facts.ctx.book.rules().iter().enumerate();
        rules.filter(|(i, _)| mask >> i & 1 == 1).map(|(_, r)| r.id.clone()).collect::<Vec<_>>()
    };
    let fired = facts.now.fired.map_or(0, |i| 1_u32 << i);
    let shown = facts.ctx.book.features_shown();
    Explanation {
        reasoning: text::reasoning(facts),
        rule_text: text::rule_text(facts),
        features: views::feature_views(facts),
        logic_version: facts.ctx.logic_version.to_owned(),
        input_digest: facts.input_digest.clone(),
        trace: views::traces(facts),
        fired: ids(fired),
        also_matched: ids(facts.now.holds & !fired),
        held_by: facts.axis.held_by,
        nearest_flip: facts.flip.clone(),
        nearest_exit: facts.exit.clone(),
        changed_since_last: previous.map(|p| changed::changed(facts, p)),
        similar_episodes: None,
        freshness_warning: freshness_warning(facts),
        stale_metrics: facts.stale.iter().map(|s| s.input.metric.name()).collect(),
        inputs: views::input_views(facts),
        partial: shown
            .iter()
            .filter(|f| facts.cell(**f).ready().is_some() && facts.cell(**f).partial)
            .map(|f| f.id())
            .collect(),
        defaults_used: views::defaults_used(facts),
        modelled_inputs: views::modelled_inputs(facts),
        not_applicable: ids(facts.now.not_applicable),
    }
}

/// "Data stale (6 minutes old)": whole minutes of the oldest (R1.53).
fn freshness_warning(facts: &Facts<'_>) -> Option<String> {
    let minutes = facts.stale.first()?.age_s.div_euclid(60);
    Some(format!("Data stale ({minutes} minute{} old)", if minutes == 1 { "" } else { "s" }))
}
