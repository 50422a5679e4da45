//! Has the market changed, in 80 columns: what is other than before, then how good forecasts were.

use crate::term::number_of;
use barograph_domain::drift::{DriftReport, DriftRow, SkillRow};
use barograph_domain::forecast::DriftWord;
use std::fmt::Write as _;

/// As text.
pub(crate) fn report(report: &DriftReport) -> String {
    let mut out = String::new();
    let _fits = writeln!(out, "Has the market changed? Book {}, as of {}", report.book, report.newest);
    out.push_str("PSI: how differently a reading was spread last week than in the 13 weeks before.\n");
    out.push_str("Changed: beyond 19 of 20 of the reading's own earlier weeks; shifted: beyond\n");
    out.push_str("four of five. Changed does not mean worse.\n");
    if report.readings.is_empty() {
        out.push_str("\nNo week to compare yet: it takes seven weeks before one, each half full.\n");
    }
    let mut market = "";
    for row in &report.readings {
        if row.market != market {
            market = &row.market;
            let _fits = writeln!(out, "\n{market}: {}", summary(report, market));
            let _fits = writeln!(
                out,
                "{:<30}{:>7}{:>9}{:>9}{:>12}  says",
                "reading", "PSI", "4 of 5", "19 of 20", "week ended"
            );
        }
        out.push_str(&line(row));
    }
    if !report.skills.is_empty() {
        out.push_str("\nBrier skill over persistence of forecasts resolved in 30 days, 90 % band\n");
        let _fits =
            writeln!(out, "{:<15}{:<6}{:>8}{:>10}  {:<24}says", "event", "group", "windows", "forecasts", "skill");
        report.skills.iter().for_each(|s| out.push_str(&skill(s)));
    }
    out
}

/// "2 of 14 readings changed, 3 shifted, 9 as before."
fn summary(report: &DriftReport, market: &str) -> String {
    let own = || report.readings.iter().filter(|r| r.market == market);
    let count = |word: Option<DriftWord>| own().filter(|r| r.word == word).count();
    let [before, shifted, changed] = DriftWord::ALL.map(|w| count(Some(w)));
    let mut parts = vec![
        format!("{changed} of {} changed", number_of(own().count(), "reading")),
        format!("{shifted} shifted"),
        format!("{before} as before"),
    ];
    if count(None) > 0 {
        parts.push(format!("{} without 26 weeks to compare", count(None)));
    }
    format!("{}.", parts.join(", "))
}

fn line(row: &DriftRow) -> String {
    let usual = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.2}"));
    let says = row.word.map_or_else(|| format!("not known: {}", number_of(row.weeks, "week")), |w| w.name().to_owned());
    let ended = row.week_ended.iso();
    let ended = ended.get(..10).unwrap_or_default();
    format!("{:<30}{:>7.2}{:>9}{:>9}{ended:>12}  {says}\n", row.feature, row.psi, usual(row.p80), usual(row.p95))
}

fn skill(row: &SkillRow) -> String {
    let percent = |x: f64| format!("{:+.1}", 100.0 * x).replace('-', "−");
    let band = row
        .low
        .zip(row.high)
        .map_or_else(|| "no band".to_owned(), |(a, b)| format!("{} to {}", percent(a), percent(b)));
    let skill = format!("{} % ({band})", percent(row.skill));
    format!(
        "{:<15}{:<6}{:>8}{:>10}  {skill:<24}{}\n",
        row.event.id(),
        row.group,
        row.n_eff,
        row.n,
        row.verdict.spoken()
    )
}
