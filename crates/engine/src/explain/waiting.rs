//! The sentence for no reading: which input is awaited, and why (regimes §9, §10.2).

use super::facts::{Facts, StaleInput};
use super::notes;
use crate::catalogue::Feature;
use barograph_domain::{GapReason, InputAge, Kind, Metric, Reason, RiskRegime, Span, State, StreamIndex};

/// A loss of so long is no news of a market that waits for history.
const RECONNECTION: Span = Span::mins(1);

/// "No reading: …", with the last label while it is still shown.
pub(super) fn sentence(facts: &Facts<'_>) -> String {
    let why = why(facts);
    let last = facts.axis.label;
    if last == RiskRegime::Unknown { why } else { format!("{why} Last reading was {}.", last.spoken()) }
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
    if facts.now.is_left_out(facts.ctx.book.risk()) {
        return match notes::lacking(facts).join(" or ") {
            none if none.is_empty() => "No reading: no rule applies to this market.".to_owned(),
            lacking => format!("No reading: no {lacking} here."),
        };
    }
    match awaited_feature(facts) {
        Some(f) => awaited(facts, f),
        None => match notes::stale(read_by_risk(facts)) {
            none if none.is_empty() => "No reading: an input is too old.".to_owned(),
            stale => format!("No reading: {stale}."),
        },
    }
}

/// The first feature that stands in the way of a reading, for another reason than age: what is merely old is reported as such only
/// where age is all that does.
fn awaited_feature(facts: &Facts<'_>) -> Option<Feature> {
    let by_age = |f: &Feature| facts.cell(*f).reason() == Some(Reason::Stale);
    facts.unknown_clauses().iter().map(|c| c.feature).find(|f| !by_age(f))
}

/// The stream whose loss is the reason why there is no reading.
pub(super) fn lost(facts: &Facts<'_>) -> Option<StreamIndex> {
    interrupted_input(facts, awaited_feature(facts)?)?.stream
}

/// The lost input that is the whole reason: a feature is made of its samples, and they have been away for longer than a reconnection
/// takes, which any market that is still young has now and then.
fn interrupted_input<'a>(facts: &'a Facts<'_>, feature: Feature) -> Option<&'a InputAge> {
    let input = lost_input(facts, feature)?;
    let away = facts.moment - input.anchor;
    match facts.cell(feature).state {
        State::Warming { .. } if away <= RECONNECTION => None,
        State::Warming { .. } | State::Undefined(Reason::MissingInput | Reason::Gap) => Some(input),
        State::Ready | State::Stale | State::Undefined(_) => None,
    }
}

/// An input of the feature that had spoken, and is lost at this moment.
fn lost_input<'a>(facts: &'a Facts<'_>, feature: Feature) -> Option<&'a InputAge> {
    let needed = feature.spec().inputs;
    let had_spoken = |reason| !matches!(reason, GapReason::Starting | GapReason::NotOffered);
    let mut inputs = facts.row.inputs.iter().filter(|i| needed.contains(&i.metric) && i.stream.is_some());
    inputs.find(|i| i.gap.is_some_and(had_spoken))
}

/// "No reading: no mark price since 20:33Z." The moment stays true however long the sentence is read.
fn interrupted(facts: &Facts<'_>, metric: Metric, input: &InputAge) -> String {
    let age = facts.moment - input.anchor;
    let time = input.anchor.iso();
    let since = match time.get(11..16) {
        Some(time) if age < Span::days(1) => format!("since {time}Z"),
        _ => format!("for {}", age.spoken()),
    };
    format!("No reading: no {} {since}.", metric.spoken())
}

/// What is too old of the inputs that this axis reads: another axis may rest on older ones.
fn read_by_risk<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = &'a StaleInput<'a>> {
    let read = facts.ctx.book.risk().features();
    facts.stale.iter().filter(move |s| read.iter().any(|f| f.spec().inputs.contains(&s.input.metric)))
}

fn awaited(facts: &Facts<'_>, feature: Feature) -> String {
    let (asked, name) = (feature.spec().inputs.first(), feature.spec().spoken);
    let asked = asked.map_or("data", |m| m.spoken());
    let heard = heard(facts, feature);
    let metric = heard.map_or(asked, Metric::spoken);
    if let Some((metric, input)) = heard.zip(interrupted_input(facts, feature)) {
        return interrupted(facts, metric, input);
    }
    match facts.cell(feature).state {
        State::Undefined(Reason::MissingInput) if only_stand_ins(facts, feature) => stand_in_only(asked),
        State::Undefined(Reason::MissingInput) if never_seen(facts, feature) => {
            format!("No reading yet: no {asked} {} arrived.", if asked.ends_with('s') { "have" } else { "has" })
        }
        State::Warming { have, need } => {
            // "candle history", "trade history"
            let of = metric.trim_end_matches('s');
            format!("No reading yet: waiting for {of} history, {have} of {need} samples.")
        }
        State::Undefined(Reason::MissingInput) => format!("No reading: samples of {metric} are missing."),
        State::Undefined(Reason::Gap) => format!("No reading: a gap in {metric} is too recent."),
        State::Undefined(Reason::ZeroVariance) => {
            let verb = if metric.ends_with('s') { "have" } else { "has" };
            format!("No reading: {metric} {verb} not moved, so {name} cannot be measured.")
        }
        State::Ready | State::Stale => stand_in_only(asked),
        State::Undefined(reason) => {
            format!("No reading: {name} cannot be computed ({}).", reason.name().replace('_', " "))
        }
    }
}

/// What the market really has behind a feature: candles or trades where nobody publishes a mark price.
fn heard(facts: &Facts<'_>, feature: Feature) -> Option<Metric> {
    let needed = feature.spec().inputs;
    let lost = lost_input(facts, feature).and_then(|i| i.stream);
    let used = || facts.row.inputs.iter().filter(|i| needed.contains(&i.metric)).find_map(|i| i.stream);
    facts.ctx.decl(lost.or(facts.cell(feature).stream).or_else(used)).map(|d| d.metric)
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
    format!("No reading: only a stand-in for {metric} is available, and this rule book accepts none.")
}
