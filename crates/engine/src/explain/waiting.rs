//! The sentence for no reading: which input is awaited, and why (regimes §9, §10.2).

use super::facts::{Facts, StaleInput};
use super::notes;
use crate::catalogue::Feature;
use barograph_domain::{Kind, Reason, RiskRegime, State};

/// "No reading: …", with the last label while it is still shown.
pub(super) fn sentence(facts: &Facts<'_>) -> String {
    let why = why(facts);
    let last = facts.axis.label;
    if last == RiskRegime::Unknown { why } else { format!("{why} Last reading was {}.", last.name()) }
}

/// The same where other axes can be read: "Risk cannot be judged: no open interest has arrived."
pub(super) fn risk_sentence(facts: &Facts<'_>) -> String {
    let why = why(facts);
    let reason = why.split_once(": ").map_or(why.as_str(), |(_, reason)| reason);
    format!("risk cannot be judged: {reason}")
}

fn why(facts: &Facts<'_>) -> String {
    if facts.row.inputs.iter().all(|i| i.stream.is_none()) {
        return "No reading yet: no data has arrived.".to_owned();
    }
    let clauses = facts.unknown_clauses();
    // What is merely old is reported as such only where age is all that stands in the way.
    let by_age = |f: Feature| facts.cell(f).reason() == Some(Reason::Stale);
    let feature =
        clauses.iter().map(|c| c.feature).find(|f| !by_age(*f)).or_else(|| clauses.first().map(|c| c.feature));
    match feature {
        Some(f) if !by_age(f) => awaited(facts, f),
        _ => match notes::stale(read_by_risk(facts)) {
            none if none.is_empty() => "No reading: an input is too old.".to_owned(),
            stale => format!("No reading: {stale}."),
        },
    }
}

/// What is too old of the inputs that this axis reads: another axis may rest on older ones.
fn read_by_risk<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = &'a StaleInput<'a>> {
    let read = facts.ctx.book.risk().features();
    facts.stale.iter().filter(move |s| read.iter().any(|f| f.spec().inputs.contains(&s.input.metric)))
}

fn awaited(facts: &Facts<'_>, feature: Feature) -> String {
    let metric = feature.spec().inputs.first().map_or("data", |m| m.spoken());
    let name = feature.spec().spoken;
    match facts.cell(feature).state {
        State::Warming { have, need } => {
            format!("No reading yet: waiting for {metric} history, {have} of {need} samples.")
        }
        State::Undefined(Reason::MissingInput) if only_stand_ins(facts, feature) => stand_in_only(metric),
        State::Undefined(Reason::MissingInput) if never_seen(facts, feature) => {
            format!("No reading yet: no {metric} has arrived.")
        }
        State::Undefined(Reason::MissingInput) => format!("No reading: samples of {metric} are missing."),
        State::Undefined(Reason::Gap) => format!("No reading: a gap in {metric} is too recent."),
        State::Undefined(Reason::ZeroVariance) => {
            format!("No reading: {metric} has not moved, so {name} has no measure.")
        }
        State::Ready | State::Stale => stand_in_only(metric),
        State::Undefined(reason) => {
            format!("No reading: {name} cannot be computed ({}).", reason.name().replace('_', " "))
        }
    }
}

/// No stream of any metric the feature needs has ever spoken.
fn never_seen(facts: &Facts<'_>, feature: Feature) -> bool {
    let needed = feature.spec().inputs;
    facts.row.inputs.iter().filter(|i| needed.contains(&i.metric)).all(|i| i.stream.is_none())
}

/// Every stream behind the feature's metrics carries something else or is a proxy, and the book takes none.
fn only_stand_ins(facts: &Facts<'_>, feature: Feature) -> bool {
    let needed = feature.spec().inputs;
    let inputs = facts.row.inputs.iter().filter(|i| needed.contains(&i.metric));
    let mut streams = inputs.filter_map(|i| Some((i.metric, facts.ctx.decl(i.stream)?))).peekable();
    let refused = !facts.ctx.book.allow_proxy && streams.peek().is_some();
    refused
        && streams.all(|(metric, decl)| decl.metric != metric || !matches!(decl.kind, Kind::Measured | Kind::Sampled))
}

fn stand_in_only(metric: &str) -> String {
    format!("No reading: only a stand-in for {metric} is there, and this book takes none.")
}
