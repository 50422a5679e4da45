//! The tables of an explanation: readings, inputs, rules with their clauses (regimes §10).

use super::facts::{Facts, source_word};
use crate::catalogue::Feature;
use crate::rules::{
    Clause, Rule, Ruled, Test, Truth, Warming, group_result, judge, rule_margin, rule_result, word_of, words_of,
};
use barograph_domain::row::HeldCount;
use barograph_domain::snapshot::{ClauseTrace, FeatureView, InputView, RuleTrace, WireValue};
use barograph_domain::time::DAY_MINUTES;
use barograph_domain::{Cell, HeatRegime, Kind, RiskRegime, State, StreamIndex, TrendRegime, VolRegime};
use std::collections::BTreeMap;

pub(super) fn feature_views(facts: &Facts<'_>) -> BTreeMap<&'static str, FeatureView> {
    facts.ctx.book.features_shown().iter().map(|f| (f.id(), feature_view(facts, *f))).collect()
}

fn feature_view(facts: &Facts<'_>, feature: Feature) -> FeatureView {
    let cell = facts.cell(feature);
    let (have, need) = match cell.state {
        State::Warming { have, need } => (Some(have), Some(need)),
        State::Ready | State::Stale | State::Undefined(_) => (None, None),
    };
    let dated = matches!(cell.state, State::Ready | State::Stale);
    FeatureView {
        value: facts.value(feature).map_or(WireValue::Null, |x| wire(feature, x)),
        unit: feature.spec().unit,
        state: match cell.state {
            State::Ready => "ready",
            State::Warming { .. } => "warming",
            State::Stale => "stale",
            State::Undefined(_) => "undefined",
        },
        reason: cell.reason().map(barograph_domain::Reason::name),
        age_s: dated.then(|| (facts.moment - cell.anchor).as_secs()),
        sources: sources_of(facts, feature, cell),
        kind: cell.kind,
        coverage: four_decimals(f64::from(cell.coverage)),
        partial: cell.partial,
        have,
        need,
    }
}

/// Source words behind a reading: its own stream, else the streams of the metrics it needs.
pub(super) fn sources_of(facts: &Facts<'_>, feature: Feature, cell: &Cell) -> Vec<String> {
    if let Some(decl) = facts.ctx.decl(cell.stream) {
        return vec![source_word(decl).to_owned()];
    }
    if !matches!(cell.state, State::Ready | State::Stale) {
        return Vec::new();
    }
    let needed = feature.spec().inputs;
    let used = facts.row.inputs.iter().filter(|i| needed.contains(&i.metric)).map(|i| i.stream);
    words_of_streams(facts, used)
}

/// Source words of everything that entered: the inputs and the streams of the readings shown.
pub(super) fn sources_used(facts: &Facts<'_>) -> Vec<String> {
    let inputs = facts.row.inputs.iter().map(|i| i.stream);
    let readings = facts.cells.iter().map(|c| c.stream);
    words_of_streams(facts, inputs.chain(readings))
}

/// Source words of streams, each once, in order.
fn words_of_streams(facts: &Facts<'_>, streams: impl Iterator<Item = Option<StreamIndex>>) -> Vec<String> {
    let mut out: Vec<&str> = Vec::new();
    let mut last = None;
    for stream in streams.flatten() {
        // Neighbouring readings are mostly of one stream.
        if last.replace(stream) == Some(stream) {
            continue;
        }
        let word = facts.ctx.decl(Some(stream)).map(source_word);
        out.extend(word.filter(|word| !out.contains(word)));
    }
    out.sort_unstable();
    out.into_iter().map(str::to_owned).collect()
}

/// A number, a flag or a word.
pub(super) fn wire(feature: Feature, x: f64) -> WireValue {
    match words_of(feature) {
        None => WireValue::Number(x),
        Some(["false", "true"]) => WireValue::Bool(x > 0.5),
        Some(_) => word_of(feature, x).map_or(WireValue::Null, WireValue::Word),
    }
}

/// Coverage is a share of sample counts; more digits would be noise of its 32-bit form.
pub(super) fn four_decimals(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}

pub(super) fn input_views(facts: &Facts<'_>) -> Vec<InputView> {
    let freshness = facts.ctx.book.freshness;
    let view = |input: &barograph_domain::InputAge| {
        let decl = facts.ctx.decl(input.stream);
        InputView {
            metric: input.metric.name(),
            served_by: decl.map(|d| d.metric.name()),
            source: decl.map(|d| source_word(d).to_owned()),
            kind: decl.map(|d| d.kind),
            age_s: decl.map(|_| (facts.moment - input.anchor).as_secs()),
            max_age_s: decl.map(|d| freshness.max_age(d).as_secs()),
            cadence_s: decl.map(|d| d.cadence.as_secs()),
            stale: freshness.is_stale(facts.moment, input, facts.ctx.streams),
            gap: input.gap.map(barograph_domain::GapReason::word),
        }
    };
    facts.row.inputs.iter().map(view).collect()
}

/// Share of the inputs whose streams are continuous at this moment: what is lost takes its part of the confidence.
#[expect(clippy::cast_precision_loss, reason = "a handful of inputs")]
pub(super) fn continuous_share(facts: &Facts<'_>) -> f64 {
    let inputs = &facts.row.inputs;
    let lost = inputs.iter().filter(|i| i.gap.is_some()).count();
    if lost == 0 { 1.0 } else { 1.0 - lost as f64 / inputs.len() as f64 }
}

pub(super) fn traces(facts: &Facts<'_>) -> Vec<RuleTrace> {
    let mut out = Vec::with_capacity(facts.ctx.book.counted());
    add_traces::<RiskRegime>(facts, &mut out);
    add_traces::<TrendRegime>(facts, &mut out);
    add_traces::<VolRegime>(facts, &mut out);
    add_traces::<HeatRegime>(facts, &mut out);
    out
}

fn add_traces<L: Ruled>(facts: &Facts<'_>, out: &mut Vec<RuleTrace>) {
    let (first, _) = facts.ctx.book.counted_at(L::AXIS);
    out.extend(L::of(facts.ctx.book).rules().iter().enumerate().map(|(i, rule)| trace(facts, first + i, rule)));
}

/// `counted`: its place in the row's counts.
fn trace<L: Ruled>(facts: &Facts<'_>, counted: usize, rule: &Rule<L>) -> RuleTrace {
    let mut groups = 0;
    let mut clauses = Vec::with_capacity(rule.groups.iter().map(|g| g.clauses.len()).sum());
    for group in &rule.groups {
        groups += usize::from(group.any);
        let number = group.any.then_some(groups);
        clauses.extend(group.clauses.iter().map(|c| clause_trace(facts, c, number)));
    }
    RuleTrace {
        id: rule.id.clone(),
        axis: rule.axis,
        label: rule.label.word(),
        result: rule_result(facts.ctx.book, facts.cells, rule).name(),
        margin: rule_margin(facts.ctx.book, facts.cells, rule),
        held_share_90d: facts.row.held.get(counted).copied().and_then(held_share),
        judged_days: facts
            .row
            .held
            .get(counted)
            .map_or(0.0, |c| four_decimals(f64::from(c.known) / f64::from(DAY_MINUTES))),
        clauses,
    }
}

/// Share of the judged minutes of the last 90 days in which the rule was true.
pub(super) fn held_share(count: HeldCount) -> Option<f64> {
    (count.known > 0).then(|| f64::from(count.held) / f64::from(count.known))
}

fn clause_trace(facts: &Facts<'_>, written: &Clause, group: Option<usize>) -> ClauseTrace {
    let judged = judge(facts.ctx.book, facts.cells, written);
    let clause = judged.clause;
    let (op, threshold, exit) = match clause.test {
        Test::Number { op, value, exit } => {
            (op.sign(), serde_json::Value::from(value), facts.ctx.book.hysteresis().then_some(exit))
        }
        Test::Codes { mask, list } => (if list { "in" } else { "==" }, codes(clause.feature, mask, list), None),
    };
    ClauseTrace {
        feature: clause.feature.id(),
        abs: clause.abs,
        value: judged.value.map_or(WireValue::Null, |x| wire(clause.feature, x)),
        op,
        threshold,
        exit,
        result: judged.truth.name(),
        margin: judged.margin,
        group,
        by_default: judged.by_default,
    }
}

fn codes(feature: Feature, mask: u64, list: bool) -> serde_json::Value {
    let words = words_of(feature).unwrap_or_default();
    let chosen = words.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, w)| match *w {
        "true" if words.len() == 2 => serde_json::Value::Bool(true),
        "false" if words.len() == 2 => serde_json::Value::Bool(false),
        w => serde_json::Value::from(w),
    });
    let mut chosen: Vec<serde_json::Value> = chosen.collect();
    match (list, chosen.len()) {
        (false, 1) => chosen.remove(0),
        _ => serde_json::Value::Array(chosen),
    }
}

/// Percentiles whose stand-ins were taken, each with its reason; and stops that may not read LOW.
pub(super) fn defaults_used(facts: &Facts<'_>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    facts.each_clause(|clause| {
        let stands_in = !matches!(clause.warming, Warming::Unknown);
        if let (true, State::Warming { .. }) = (stands_in, facts.cell(clause.feature).state) {
            let until = history_needed(clause.feature);
            let line = format!("{}: fixed limits until {until}", clause.feature.id());
            if !out.contains(&line) {
                out.push(line);
            }
        }
    });
    let stops = facts.cell(Feature::StopVulnerability);
    if stops.ready().is_some() && stops.coverage < 0.5 {
        let share = four_decimals(f64::from(stops.coverage));
        out.push(format!("stop_vulnerability: LOW reads MEDIUM while coverage is {share}, below 0.5"));
    }
    out
}

/// `there are 14 d of history`: what a percentile of hourly values needs, whatever the reading that it ranks waits for.
pub(super) fn history_needed(percentile: Feature) -> String {
    let need: u32 = percentile.spec().warm_up.parse().unwrap_or(0);
    if need >= 48 && need.is_multiple_of(24) {
        format!("there are {} d of history", need / 24)
    } else {
        "there is enough history".to_owned()
    }
}

/// Readings shown that are modelled or stand for another quantity, with where they come from.
pub(super) fn modelled_inputs(facts: &Facts<'_>) -> Vec<String> {
    let shown = facts.ctx.book.features_shown().iter().copied().chain([Feature::StopVulnerability]);
    let odd = shown.map(|f| (f, facts.cell(f))).filter(|(_, c)| {
        matches!(c.state, State::Ready | State::Stale) && matches!(c.kind, Kind::Modelled | Kind::Proxy)
    });
    // Readings come from a few streams: what is said of one is written once.
    let mut origins: Vec<(Option<StreamIndex>, Kind, String)> = Vec::with_capacity(8);
    odd.map(|(f, cell)| {
        let known = origins.iter().position(|(stream, kind, _)| (*stream, *kind) == (cell.stream, cell.kind));
        let at = known.unwrap_or_else(|| {
            origins.push((cell.stream, cell.kind, origin(facts, cell)));
            origins.len() - 1
        });
        [f.id(), &origins[at].2].concat()
    })
    .collect()
}

fn origin(facts: &Facts<'_>, cell: &Cell) -> String {
    let kind = if cell.kind == Kind::Modelled { "modelled" } else { "proxy" };
    match facts.ctx.decl(cell.stream) {
        Some(d) => format!(": {kind} from {} {} {}", source_word(d), d.cadence, d.metric.name()),
        None => format!(": {kind}"),
    }
}

impl Facts<'_> {
    /// Calls `f` on every written clause in document order.
    pub(super) fn each_clause(&self, f: impl FnMut(&Clause)) {
        self.ctx.book.rules().iter().flat_map(|r| &r.groups).flat_map(|g| &g.clauses).for_each(f);
    }
    /// Written clauses of the rules that stand in the way of a reading, the unknown ones first to last.
    pub(super) fn unknown_clauses(&self) -> Vec<&Clause> {
        let rules = self.ctx.book.rules().iter();
        let blocking = rules.filter(|r| rule_result(self.ctx.book, self.cells, r).is_unknown());
        let groups =
            blocking.flat_map(|r| &r.groups).filter(|g| group_result(self.ctx.book, self.cells, g).is_unknown());
        let judged = groups.flat_map(|g| &g.clauses).map(|c| judge(self.ctx.book, self.cells, c));
        judged.filter(|j| matches!(j.truth, Truth::Unknown | Truth::Stale)).map(|j| j.clause).collect()
    }
}
