//! What a reader must know about the data: age, cadence, stand-ins, short history, what a market does not have.

use super::facts::{Facts, StaleInput};
use super::numbers::capitalised;
use super::views::history_needed;
use crate::catalogue::Feature;
use crate::rules::Warming;
use barograph_domain::stream::{RECORDED, SYNTHETIC};
use barograph_domain::{Cell, GapReason, Kind, MarketKind, Metric, Reason, RiskRegime, Span, State, StreamDecl};

/// All notes as one sentence, and what the market cannot have as another. Without a reading only the latter.
pub(super) fn sentences(facts: &Facts<'_>) -> Vec<String> {
    let mut out = Vec::new();
    out.extend(origin(facts));
    out.extend(lost(facts));
    if !facts.is_unread() {
        let stale = facts.stale.first().map(|_| stale(facts.stale.iter()));
        let data = [open_interest(facts), volatility(facts), funding(facts)].into_iter().flatten();
        // Said in full once: "open interest is …, volatility estimated from …".
        let data: Vec<String> = data
            .enumerate()
            .map(|(i, (what, how))| if i == 0 { format!("{what} is {how}") } else { format!("{what} {how}") })
            .collect();
        let data = (!data.is_empty()).then(|| data.join(", "));
        let notes: Vec<String> = [stale, fixed_numbers(facts), data, not_full(facts)].into_iter().flatten().collect();
        out.extend((!notes.is_empty()).then(|| format!("{}.", capitalised(&notes.join("; ")))));
    }
    out.extend(not_applicable(facts));
    out
}

/// Data of the built-in venue server say so in every reading.
fn origin(facts: &Facts<'_>) -> Option<String> {
    let made = facts.row.inputs.iter().filter_map(|i| facts.ctx.decl(i.stream)).find_map(|d| match d.source.as_str() {
        SYNTHETIC => Some("Synthetic market, made by the built-in venue server."),
        RECORDED => Some("Recorded market, played by the built-in venue server."),
        _ => None,
    });
    made.map(str::to_owned)
}

/// "Mark price is interrupted: the connection closed.": streams that are lost at this moment, once per cause.
fn lost(facts: &Facts<'_>) -> Option<String> {
    let mut causes: Vec<(GapReason, Vec<Metric>)> = Vec::new();
    for input in &facts.row.inputs {
        let (Some(reason), Some(decl)) = (input.gap, facts.ctx.decl(input.stream)) else { continue };
        let metric = decl.metric;
        match causes.iter_mut().find(|(r, _)| *r == reason) {
            // Two metrics may have one name.
            Some((_, lost)) if lost.iter().any(|m| m.spoken() == metric.spoken()) => {}
            Some((_, lost)) => lost.push(metric),
            None => causes.push((reason, vec![metric])),
        }
    }
    let say = |(reason, lost): &(GapReason, Vec<Metric>)| {
        let verb = if let [one] = lost[..] { one.verb() } else { "are" };
        let names: Vec<_> = lost.iter().map(|m| m.spoken()).collect();
        format!("{} {verb} interrupted: {}", names.join(" and "), reason.spoken())
    };
    (!causes.is_empty()).then(|| format!("{}.", capitalised(&causes.iter().map(say).collect::<Vec<_>>().join("; "))))
}

/// "open interest is 14 min old (limit 5 min)", oldest first, two at most; streams behind two inputs are reported once.
pub(super) fn stale<'a>(inputs: impl Iterator<Item = &'a StaleInput<'a>>) -> String {
    let mut told: Vec<&StaleInput<'_>> = Vec::new();
    for input in inputs {
        if !told.iter().any(|t| t.input.stream == input.input.stream) {
            told.push(input);
        }
    }
    let say = |s: &&StaleInput<'_>| {
        let (name, verb) = (s.decl.metric.spoken(), s.decl.metric.verb());
        let (age, limit) = (Span::secs(s.age_s).spoken(), s.limit.spoken());
        // In whole minutes both may read the same.
        let just = if age == limit { "just over " } else { "" };
        format!("{name} {verb} {just}{age} old (limit {limit})")
    };
    told.iter().take(2).map(say).collect::<Vec<_>>().join(" and ")
}

fn fixed_numbers(facts: &Facts<'_>) -> Option<String> {
    let mut longest: Option<(u32, Feature)> = None;
    facts.each_clause(|clause| {
        let stands_in = !matches!(clause.warming, Warming::Unknown);
        if let (true, State::Warming { .. }) = (stands_in, facts.cell(clause.feature).state) {
            let need = clause.feature.spec().warm_up.parse().unwrap_or(0);
            longest = longest.max(Some((need, clause.feature)));
        }
    });
    longest.map(|(_, feature)| format!("fixed limits apply until {}", history_needed(feature)))
}

/// First usable reading among these, with its stream.
fn reading<'a>(facts: &'a Facts<'_>, features: &[Feature]) -> Option<(&'a Cell, &'a StreamDecl)> {
    let read = facts.ctx.book.risk().features();
    features
        .iter()
        .filter(|f| read.contains(f))
        .map(|f| facts.cell(*f))
        .filter(|c| matches!(c.state, State::Ready | State::Stale | State::Warming { .. }))
        .find_map(|c| Some((c, facts.ctx.decl(c.stream)?)))
}

/// What is judged, and how it is come by.
type Note = (&'static str, String);

fn open_interest(facts: &Facts<'_>) -> Option<Note> {
    let (_, decl) =
        reading(facts, &[Feature::OiDelta4h, Feature::OiDelta1h, Feature::OiDelta24h, Feature::OiZscore7d])?;
    let foreign = !decl.is_own();
    let stands_in = foreign || decl.kind == Kind::Proxy || decl.metric == Metric::OpenInterestUsd;
    let slow = decl.cadence > Span::mins(5);
    let hourly = decl.cadence == Span::hours(1);
    let how = match (slow, stands_in) {
        (true, true) if hourly => format!("an hourly proxy from {}", decl.source),
        (true, true) => format!("a {} proxy from {}", decl.cadence.spoken(), decl.source),
        (false, true) => format!("a proxy from {}", decl.source),
        (true, false) if hourly => "hourly here".to_owned(),
        (true, false) => format!("here every {}", decl.cadence.spoken()),
        (false, false) => return None,
    };
    Some(("open interest", how))
}

fn volatility(facts: &Facts<'_>) -> Option<Note> {
    let (cell, decl) = reading(facts, &[Feature::RealizedVol1h, Feature::RealizedVol4h, Feature::RealizedVol24h])?;
    if cell.kind != Kind::Proxy {
        return None;
    }
    let own = decl.is_own();
    let whose = if own { String::new() } else { format!(" of {}", decl.source) };
    let what = if decl.metric == Metric::Bar { "candles" } else { "prices" };
    Some(("volatility", format!("estimated from {} {what}{whose}", decl.cadence.spoken())))
}

fn funding(facts: &Facts<'_>) -> Option<Note> {
    let (cell, decl) = reading(facts, &[Feature::FundingZscore24h, Feature::FundingRate8h])?;
    let how = match (cell.kind, decl.metric) {
        (Kind::Modelled, _) => "modelled from the premium index".to_owned(),
        (Kind::Proxy, Metric::FundingRateSettled) => format!("from the {} settlements only", every(decl.cadence)),
        (Kind::Proxy, _) => format!("a proxy from {}", decl.source),
        (Kind::Measured | Kind::Sampled, _) => return None,
    };
    Some(("funding", how))
}

/// "8-hourly", "hourly"
fn every(cadence: Span) -> String {
    match cadence.0 / Span::hours(1).0 {
        1 => "hourly".to_owned(),
        hours => format!("{hours}-hourly"),
    }
}

/// Percentile windows grow for 90 days and say so elsewhere; of the others one note is enough.
fn not_full(facts: &Facts<'_>) -> Option<String> {
    let read = facts.ctx.book.risk().features();
    let partial = |f: &Feature| f.spec().ranks.is_none() && facts.cell(*f).ready().is_some() && facts.cell(*f).partial;
    read.iter().any(partial).then(|| "some windows are not full yet".to_owned())
}

/// "Spot market: squeeze, chop and heat cannot be judged here."; of a contract "No funding or open interest here: …".
fn not_applicable(facts: &Facts<'_>) -> Option<String> {
    let rules = facts.ctx.book.rules().iter().enumerate();
    let mut names: Vec<&'static str> =
        rules.filter(|(i, _)| facts.now.not_applicable >> i & 1 == 1).map(|(_, r)| short_name(r.label)).collect();
    names.dedup();
    names.extend(facts.heat_is_left_out().then_some("heat"));
    let (last, rest) = names.split_last()?;
    let list = if rest.is_empty() { (*last).to_owned() } else { format!("{} and {last}", rest.join(", ")) };
    if facts.ctx.instrument.kind == MarketKind::Spot {
        return Some(format!("Spot market: {list} cannot be judged here."));
    }
    let lacking = lacking(facts);
    if lacking.is_empty() {
        return Some(capitalised(&format!("{list} cannot be judged here.")));
    }
    Some(format!("No {} here: {list} cannot be judged.", lacking.join(" or ")))
}

/// What heat is a mean of that a market may lack.
const OF_HEAT: [Feature; 2] = [Feature::FundingRate8h, Feature::OiDelta4h];

/// What no stream of the market carries of what the rules left out read.
pub(super) fn lacking(facts: &Facts<'_>) -> Vec<&'static str> {
    let rules = facts.ctx.book.rules().iter().enumerate().filter(|(i, _)| facts.now.not_applicable >> i & 1 == 1);
    let read = rules.flat_map(|(_, r)| &r.groups).flat_map(|g| &g.clauses).map(|c| c.feature);
    let of_heat: &[Feature] = if facts.heat_is_left_out() { &OF_HEAT } else { &[] };
    let read = read.chain(of_heat.iter().copied());
    let mut names = Vec::new();
    for feature in read.filter(|f| facts.cell(*f).reason() == Some(Reason::NotOffered)) {
        let name = feature.spec().inputs.first().map_or(feature.spec().spoken, |m| m.spoken());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

const fn short_name(label: RiskRegime) -> &'static str {
    match label {
        RiskRegime::SqueezeRisk => "squeeze",
        RiskRegime::ChopRisk => "chop",
        RiskRegime::HighVol => "high volatility",
        RiskRegime::Normal | RiskRegime::Unknown => "risk",
    }
}
