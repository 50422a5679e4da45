//! The contest on paper: one line per event and contestant, in 80 columns.

use crate::term::number_of;
use barograph_domain::Ts;
use barograph_domain::contest::{ContestReport, ContestRow};
use barograph_domain::forecast::Forecaster;
use barograph_domain::scorecard::SkillReading;

/// As text.
pub(crate) fn contest(found: &ContestReport) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    if let Some([first, last]) = found.span {
        line(&format!(
            "Contest beside the book {}: {}, {} to {}",
            found.book,
            number_of(found.markets.len(), "market"),
            day(first),
            day(last)
        ));
    }
    line(&format!("logic version {}", found.logic_version));
    line("");
    line("Skill in %, with its 90 % band. What may be used is decided by a 95 % confidence");
    line("sequence over windows that do not overlap, against persistence and the rules.");
    line(&format!("{:<10}{:>9}{:>8}  {:<24}{}", "", "scored", "windows", "over persistence", "over the rules"));
    let mut event = None;
    for row in &found.rows {
        if event.replace(row.event) != Some(row.event) {
            line(row.event.id());
        }
        row_lines(row).iter().for_each(|text| line(text));
    }
    out
}

fn day(t: Ts) -> String {
    let text = t.iso();
    text.get(..10).unwrap_or(&text).to_owned()
}

fn row_lines(row: &ContestRow) -> Vec<String> {
    let name = format!("  {}", row.forecaster.id());
    let over_rules = if row.forecaster == Forecaster::Rules { String::new() } else { skill(&row.rules) };
    let numbers = format!("{name:<11}{:>8}{:>8}  {:<24}{over_rules}", row.n, row.windows, skill(&row.persistence));
    let mut lines = vec![numbers];
    if let Some(verdict) = row.verdict {
        lines.push(format!("{:<29}{}", "", verdict.spoken()));
    }
    lines
}

fn skill(s: &SkillReading) -> String {
    match (s.value, s.low, s.high) {
        (Some(value), Some(low), Some(high)) => format!("{} ({} to {})", signed(value), signed(low), signed(high)),
        _ => "–".to_owned(),
    }
}

/// In percent with its sign; what rounds to nothing has none.
fn signed(x: f64) -> String {
    let text = format!("{:+.1}", x * 100.0);
    if text.ends_with("0.0") && text.len() == 4 { "0.0".to_owned() } else { text }
}
