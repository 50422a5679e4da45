//! `docs/features.md` from the engine's catalogue.

use barograph_engine::catalogue::{CATALOGUE, FeatureSpec, Update, ValueType};
use barograph_engine::rules::RuleBook;

const HEAD: &str = "\
# Features

Written by `cargo x gen` from the catalogue in the engine; edit that, not this. A reading is a value or a reason why there is none
(`warming`, `missing_input`, `gap`, `stale`, `zero_variance`, `zero_denominator`, `insufficient_levels`, `out_of_domain`, `not_offered`).
Fractions are fractions (10 % is 0.10), volatility is annualised over 365 days, funding is per 8 hours. The version changes when the
arithmetic does; the id never changes.
";

const TABLE_HEAD: &str = "\
| id | unit | formula | window | needs before it is ready | inputs | memory | requirement |
|---|---|---|---|---|---|---|---|
";

pub(super) fn document() -> String {
    let book = RuleBook::standard();
    let mut text = format!("{HEAD}\n{} features.\n", CATALOGUE.len());
    let mut groups: Vec<&str> = Vec::new();
    for spec in CATALOGUE {
        if !groups.contains(&spec.group) {
            groups.push(spec.group);
        }
    }
    for group in groups {
        text.push_str(&format!("\n## {}\n\n{TABLE_HEAD}", capitalised(group)));
        text.extend(CATALOGUE.iter().filter(|spec| spec.group == group).map(|spec| row(spec, &book)));
    }
    text
}

fn row(s: &FeatureSpec, book: &RuleBook) -> String {
    let inputs: Vec<_> = s.inputs.iter().map(|m| m.name()).collect();
    let unit = match s.value {
        ValueType::Number | ValueType::Bool => s.unit.to_owned(),
        ValueType::Enum(words) => words.join(", "),
    };
    let state = match s.update {
        Update::Instant => "none",
        Update::Window => "window",
        Update::Recursive => "recursion",
    };
    let cells = [
        &format!("`{}` v{}", s.id, s.version),
        &unit,
        &s.formula(book),
        s.window,
        s.warm_up,
        &inputs.join(", "),
        state,
        s.source,
    ];
    let cells: Vec<_> = cells.iter().map(|c| c.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_a_line_with_eight_cells() {
        let text = document();
        for spec in CATALOGUE {
            let line = text.lines().find(|l| l.starts_with(&format!("| `{}` v", spec.id))).unwrap();
            assert_eq!(line.replace("\\|", "").split(" | ").count(), 8, "{line}");
        }
        assert_eq!(text.matches("\n## ").count(), 11);
    }
}
