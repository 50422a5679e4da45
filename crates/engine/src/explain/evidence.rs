//! The evidence sentence: why the published label holds, one phrase per group of its rule (regimes §10.2).
//!
//! Clauses on a feature and on its percentile make one phrase: the value first, its rank after it. Of alternatives the
//! first true one is reported.

use super::facts::Facts;
use super::numbers::{Style, capitalised, rank_percent, written, written_apart};
use crate::catalogue::Feature;
use crate::rules::{Clause, Op, Rule, Test, clause_holds, judge, word_of};
use barograph_domain::Kind;

/// What is said about one feature.
struct Item<'a> {
    base: Feature,
    value: f64,
    /// The number clause on the feature itself.
    plain: Option<&'a Clause>,
    /// The clause on its percentile, with the rank.
    rank: Option<(&'a Clause, f64)>,
}

/// What was said already in this sentence.
#[derive(Default)]
struct SentenceState {
    annualised: bool,
    period: Option<&'static str>,
    phrases: usize,
    /// How many features the sentence names.
    items: usize,
}

/// One sentence, or nothing when no clause can be reported. `relaxed`: only the exit thresholds hold.
pub(super) fn sentence<L>(facts: &Facts<'_>, rule: &Rule<L>, relaxed: bool) -> Option<String> {
    let mut items: Vec<Item<'_>> = Vec::new();
    for group in &rule.groups {
        let first_true = group.clauses.iter().find(|c| clause_holds(facts.ctx.book, facts.cells, c, relaxed));
        if let Some(clause) = first_true {
            add(facts, clause, &mut items);
        }
    }
    let mut said = SentenceState { items: items.len(), ..SentenceState::default() };
    let mut phrases = Vec::new();
    for item in &items {
        phrases.push(phrase(facts, item, relaxed, &mut said));
        said.phrases += 1;
    }
    (!phrases.is_empty()).then(|| format!("{}.", capitalised(&phrases.join(", "))))
}

fn add<'a>(facts: &Facts<'_>, written: &'a Clause, items: &mut Vec<Item<'a>>) {
    let judged = judge(facts.ctx.book, facts.cells, written);
    let clause = judged.clause;
    let Some(x) = judged.value else { return };
    let base = clause.ranks().unwrap_or(clause.feature);
    let Some(value) = facts.value(base) else { return };
    let at = items.iter().position(|i| i.base == base).unwrap_or_else(|| {
        items.push(Item { base, value, plain: None, rank: None });
        items.len() - 1
    });
    if clause.ranks().is_some() {
        items[at].rank = items[at].rank.or(Some((clause, x)));
    } else {
        items[at].plain = items[at].plain.or(Some(clause));
    }
}

fn phrase(facts: &Facts<'_>, item: &Item<'_>, relaxed: bool, said: &mut SentenceState) -> String {
    let mut out = value_phrase(facts, item, said);
    match (limit(item).filter(|_| !relaxed), item.base) {
        (limit, Feature::Efficiency12h) if item.plain.is_some_and(is_below) => {
            out = format!(
                "price back and forth over 12 h ({out}{})",
                limit.map(|l| format!(", {l}")).unwrap_or_default()
            );
        }
        (Some(limit), _) if said.items == 1 => out.push_str(&format!(", {limit}")),
        // Several features with commas of their own read better with limits in brackets.
        (Some(limit), _) => out.push_str(&format!(" ({limit})")),
        (None, _) => {}
    }
    if let Some((clause, rank)) = item.rank {
        let (words, share) = if is_below(clause) { ("lower than in", 1.0 - rank) } else { ("more than in", rank) };
        out.push_str(&format!(", {words} {}", rank_percent(share)));
        let period = match clause.feature.spec().window {
            _ if facts.cell(clause.feature).partial => " of its history so far",
            w if w.starts_with("30 d") => " of the last 30 days",
            _ => " of the last 90 days",
        };
        if said.period != Some(period) {
            out.push_str(period);
            said.period = Some(period);
        }
    }
    out
}

const fn is_below(clause: &Clause) -> bool {
    matches!(clause.test, Test::Number { op: Op::Lt | Op::Le, .. })
}

fn value_phrase(facts: &Facts<'_>, item: &Item<'_>, said: &mut SentenceState) -> String {
    let x = item.value;
    let first = said.phrases == 0;
    let is = if first { " is" } else { "" };
    let below = item.plain.or(item.rank.map(|(c, _)| c)).is_some_and(is_below);
    match item.base {
        Feature::FundingZscore24h => {
            let by_settlements = facts.cell(item.base).kind == Kind::Proxy;
            let (what, whose) = if by_settlements { ("settled funding", "week") } else { ("funding", "day") };
            let side = if x < 0.0 { "below" } else { "above" };
            format!("{what}{is} {} {side} its {whose}", written(Style::Sigma, x))
        }
        Feature::FundingRate8h => format!("funding{} {}", if first { " is" } else { " at" }, number(item)),
        Feature::OiDelta1h | Feature::OiDelta4h | Feature::OiDelta24h => open_interest(item, below, is),
        Feature::RealizedVol1h | Feature::RealizedVol4h | Feature::RealizedVol24h => {
            let a_year = if said.annualised { "" } else { " annualised" };
            said.annualised = true;
            let only = if below { " only" } else { "" };
            let verb = if first {
                " is"
            } else if below {
                ""
            } else {
                " at"
            };
            format!("{}{verb}{only} {}{a_year}", item.base.spec().spoken, number(item))
        }
        Feature::Efficiency12h if below => format!("efficiency {}", number(item)),
        _ => other(item),
    }
}

fn open_interest(item: &Item<'_>, below: bool, is: &str) -> String {
    let (hours, x, size) = (hours(item.base), item.value, number(item));
    if below {
        return format!("open interest moved only {size} in {hours}");
    }
    format!("open interest{is} {} {size} in {hours}", if x < 0.0 { "down" } else { "up" })
}

/// The span of an open interest delta, as people say it.
pub(super) const fn hours(feature: Feature) -> &'static str {
    match feature {
        Feature::OiDelta1h => "1 h",
        Feature::OiDelta24h => "24 h",
        _ => "4 h",
    }
}

fn other(item: &Item<'_>) -> String {
    let name = item.base.spec().spoken;
    match word_of(item.base, item.value) {
        Some("true") => name.to_owned(),
        Some("false") => format!("no {name}"),
        Some(word) => format!("{name} is {word}"),
        None => format!("{name} is {}", number(item)),
    }
}

/// The threshold people would ask about beside the number.
fn limit_beside(item: &Item<'_>) -> Option<f64> {
    let Test::Number { value, .. } = item.plain?.test else { return None };
    (item.base != Feature::FundingZscore24h && value.abs() > 0.0).then_some(value)
}

/// `limit 80 %`, never looking like the number beside it.
fn limit(item: &Item<'_>) -> Option<String> {
    limit_beside(item).map(|limit| format!("limit {}", written_apart(Style::of(item.base), limit, size(item))))
}

/// The number as said, never looking like its limit.
fn number(item: &Item<'_>) -> String {
    let style = Style::of(item.base);
    limit_beside(item).map_or_else(|| written(style, size(item)), |limit| written_apart(style, size(item), limit))
}

/// The value as compared: its size where the clause or the words take the sign.
fn size(item: &Item<'_>) -> f64 {
    let signless = matches!(item.base, Feature::OiDelta1h | Feature::OiDelta4h | Feature::OiDelta24h);
    if signless || item.plain.is_some_and(|c| c.abs) { item.value.abs() } else { item.value }
}
