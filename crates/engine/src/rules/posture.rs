//! `[[posture]]` of a rule book: what the labels of all axes, and a position's stop, mean for entries and for what is held.
//!
//! Every row whose label is published counts, and the strictest of them decides posture and bias. A book without such rows
//! takes the risk label alone (regimes §8), as the originals do.

use super::parse::{choice, find, text_of, unknown_keys};
use super::problem::{Problems, did_you_mean};
use super::tree::{Entry, Node, NodeKind};
use crate::explain::headline::HeldStop;
use barograph_domain::{HeatRegime, Label, Posture, RiskBias, RiskRegime, TrendRegime, VolRegime};

/// What a row of the table asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PostureWhen {
    /// This risk label is published.
    Risk(RiskRegime),
    /// This volatility class.
    Volatility(VolRegime),
    /// This trend.
    Trend(TrendRegime),
    /// This activity.
    Heat(HeatRegime),
    /// The stop of a position stands here.
    Stop(HeldStop),
}

impl PostureWhen {
    /// The axis as written in a book.
    #[must_use]
    pub const fn axis(self) -> &'static str {
        match self {
            Self::Risk(_) => "risk",
            Self::Volatility(_) => "volatility",
            Self::Trend(_) => "trend",
            Self::Heat(_) => "heat",
            Self::Stop(_) => "stop",
        }
    }
    /// The label as written in a book.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Risk(l) => l.name(),
            Self::Volatility(l) => l.name(),
            Self::Trend(l) => l.name(),
            Self::Heat(l) => l.name(),
            Self::Stop(l) => l.name(),
        }
    }
}

/// One row of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PostureRow {
    /// When it counts.
    pub when: PostureWhen,
    /// For positions that are open.
    pub posture: Posture,
    /// For size and stops.
    pub bias: RiskBias,
    /// Words for entries not yet made; empty where it has nothing to add.
    pub new_entries: String,
    /// Words for positions already held; empty where it has nothing to add.
    pub open_positions: String,
}

const KEYS: [&str; 6] = ["axis", "label", "posture", "bias", "new_entries", "open_positions"];
const AXES: [&str; 5] = ["risk", "volatility", "trend", "heat", "stop"];
/// AGGRESSIVE is what the upgrade gives, and nothing a label asks for.
const POSTURES: [(&str, Posture); 3] =
    [("REDUCE", Posture::Reduce), ("HOLD", Posture::Hold), ("NORMAL", Posture::Normal)];
const BIASES: [(&str, RiskBias); 2] = [("CONSERVATIVE", RiskBias::Conservative), ("NEUTRAL", RiskBias::Neutral)];

/// All rows of a book, in its order; a row for several labels is several.
pub(super) fn postures(entries: &[Entry], problems: &mut Problems<'_>) -> Vec<PostureRow> {
    let mut out: Vec<PostureRow> = Vec::new();
    let Some(entry) = find(entries, "posture") else { return out };
    let NodeKind::List(rows) = &entry.value.kind else {
        problems.add(entry.value.at, "the posture table is written as [[posture]] tables");
        return out;
    };
    for node in rows {
        for row in row(node, problems) {
            if out.iter().any(|known| known.when == row.when) {
                let (axis, label) = (row.when.axis(), row.when.label());
                problems.add(node.at, format!("a second [[posture]] for {axis} {label}; one is enough"));
            } else {
                out.push(row);
            }
        }
    }
    let missing = RiskRegime::ALL.into_iter().filter(|l| !out.iter().any(|r| r.when == PostureWhen::Risk(*l)));
    let missing: Vec<&str> = missing.map(RiskRegime::name).collect();
    if !missing.is_empty() && problems.is_empty() {
        let names = missing.join(", ");
        problems
            .add(entry.at, format!("the posture table says nothing of the risk label {names}; it needs each of them"));
    }
    out
}

fn row(node: &Node, problems: &mut Problems<'_>) -> Vec<PostureRow> {
    let NodeKind::Table(entries) = &node.kind else {
        problems.add(node.at, format!("a [[posture]] is a table, not {}", node.kind.name()));
        return Vec::new();
    };
    unknown_keys(entries, &KEYS, "a [[posture]]", problems);
    for key in ["axis", "label", "posture", "bias"] {
        if find(entries, key).is_none() {
            problems.add(node.at, format!("a [[posture]] needs '{key}'"));
        }
    }
    let posture = choice(entries, "posture", &POSTURES, problems);
    let bias = choice(entries, "bias", &BIASES, problems);
    let words = |key: &str, problems: &mut Problems<'_>| text_of(entries, key, problems).unwrap_or_default();
    let (new_entries, open_positions) = (words("new_entries", problems), words("open_positions", problems));
    let (Some(posture), Some(bias)) = (posture, bias) else { return Vec::new() };
    let whens = whens(entries, problems);
    let of = |when| PostureRow {
        when,
        posture,
        bias,
        new_entries: new_entries.clone(),
        open_positions: open_positions.clone(),
    };
    whens.into_iter().map(of).collect()
}

fn whens(entries: &[Entry], problems: &mut Problems<'_>) -> Vec<PostureWhen> {
    let (Some(axis_entry), Some(label_entry)) = (find(entries, "axis"), find(entries, "label")) else {
        return Vec::new();
    };
    let Some(axis) = text_of(entries, "axis", problems) else { return Vec::new() };
    if !AXES.contains(&axis.as_str()) {
        let near = did_you_mean(&axis, AXES);
        let names = AXES.join(", ");
        problems
            .add(axis_entry.value.at, format!("unknown axis '{axis}' of a [[posture]]; it is one of {names}{near}"));
        return Vec::new();
    }
    let nodes: Vec<&Node> = match &label_entry.value.kind {
        NodeKind::List(nodes) if !nodes.is_empty() => nodes.iter().collect(),
        _ => vec![&label_entry.value],
    };
    nodes.into_iter().filter_map(|node| when(&axis, node, problems)).collect()
}

fn when(axis: &str, node: &Node, problems: &mut Problems<'_>) -> Option<PostureWhen> {
    let NodeKind::Text(word) = &node.kind else {
        problems.add(node.at, format!("'label' is a label or a list of labels, not {}", node.kind.name()));
        return None;
    };
    let all = all_of(axis);
    let found = all.iter().find(|w| w.label() == word).copied();
    if found.is_none() {
        let names: Vec<&str> = all.iter().map(|w| w.label()).collect();
        let near = did_you_mean(word, names.iter().copied());
        problems.add(node.at, format!("'{word}' is no label of {axis}; it is one of {}{near}", names.join(", ")));
    }
    found
}

/// Every label of an axis that a row can be about. What is not known asks for nothing, but on the risk axis.
fn all_of(axis: &str) -> Vec<PostureWhen> {
    fn known<L: Label>(of: fn(L) -> PostureWhen) -> Vec<PostureWhen> {
        L::LABELS.iter().filter(|l| **l != L::UNKNOWN).map(|l| of(*l)).collect()
    }
    match axis {
        "risk" => RiskRegime::ALL.into_iter().map(PostureWhen::Risk).collect(),
        "volatility" => known(PostureWhen::Volatility),
        "trend" => known(PostureWhen::Trend),
        "heat" => known(PostureWhen::Heat),
        _ => [HeldStop::Near, HeldStop::Reached].map(PostureWhen::Stop).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::RuleBook;

    /// What is said of a book that ends with these lines.
    fn said(table: &str) -> String {
        let base = RuleBook::shipped_text("default").unwrap();
        let without: Vec<&str> = base.split("[[posture]]").collect();
        let text = format!("{}{table}", without[0]);
        RuleBook::parse("b.toml", &text).map_or_else(|e| e.to_string(), |b| format!("{} rows", b.postures().len()))
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let full = |label: &str| {
            format!("[[posture]]\naxis = \"risk\"\nlabel = {label}\nposture = \"HOLD\"\nbias = \"NEUTRAL\"\n")
        };
        let every = "[\"NORMAL\", \"CHOP_RISK\", \"SQUEEZE_RISK\", \"HIGH_VOL\", \"UNKNOWN\"]";
        for (table, want) in [
            (full(every), "5 rows"),
            (full("\"NORMAL\""), "says nothing of the risk label CHOP_RISK, SQUEEZE_RISK, HIGH_VOL, UNKNOWN"),
            (
                full("\"NORML\""),
                "'NORML' is no label of risk; it is one of NORMAL, CHOP_RISK, SQUEEZE_RISK, HIGH_VOL, UNKNOWN — did you mean 'NORMAL'?",
            ),
            (full(every) + &full("\"NORMAL\""), "a second [[posture]] for risk NORMAL"),
            (full("3"), "'label' is a label or a list of labels, not a number"),
            (full(every).replace("HOLD", "AGGRESSIVE"), "'posture' is 'AGGRESSIVE'; it is one of REDUCE, HOLD, NORMAL"),
            (full(every).replace("axis = \"risk\"", "axis = \"hea\""), "unknown axis 'hea' of a [[posture]]"),
            (full(every).replace("bias = \"NEUTRAL\"", ""), "a [[posture]] needs 'bias'"),
            (full(every) + "colour = \"red\"\n", "unknown key 'colour' of a [[posture]]"),
            (
                full(every).replace("axis = \"risk\"\nlabel = ", "axis = \"heat\"\nlabel = "),
                "'NORMAL' is no label of heat",
            ),
            ("[posture]\nx = 1\n".to_owned(), "the posture table is written as [[posture]] tables"),
        ] {
            let got = said(&table);
            assert!(got.contains(want), "{table}\n{got}");
            assert!(got.contains("rows") || got.starts_with("b.toml:"), "{got}");
        }
    }

    #[test]
    fn only_our_own_books_have_a_table() {
        for name in RuleBook::SHIPPED {
            let rows = RuleBook::shipped(name).unwrap().postures().len();
            assert_eq!(rows > 0, matches!(name, "default" | "absolute"), "{name}");
        }
    }
}
