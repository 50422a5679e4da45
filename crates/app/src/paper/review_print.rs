//! The review of a week as text of eighty columns.

use crate::failure::Failure;
use crate::kpi::print::signed;
use crate::term::{Paint, fold, number_of};
use barograph_domain::paper::{GroupOutcome, ListedTrade, PaperReview};
use std::io::Write;

pub(crate) fn table(out: &mut impl Write, r: &PaperReview, paint: Paint) -> Result<(), Failure> {
    let days = format!("{} to {}", &r.from.iso()[..10], &r.until.iso()[..10]);
    writeln!(out, "{}", paint.strong(&format!("paper trading in week {} ({days}, UTC)", r.week)))?;
    writeln!(out, "no order was placed; results are those of bars, in units of risk (R)\n")?;
    if r.by_strategy.len() > 1 {
        let each: Vec<String> = r.by_strategy.iter().map(|(name, n)| format!("{name} {n}")).collect();
        let text = format!("decisions of several strategies: {}; figures are of all of them together", each.join(", "));
        writeln!(out, "{}\n", fold(&text, 79, ""))?;
    }
    let header = format!(
        "{:<22} {:>9} {:>5} {:>8} {:>14} {:>7} {:>8}",
        "", "decisions", "open", "resolved", "won (95 %)", "R net", "plain"
    );
    writeln!(out, "{}", paint.strong(&header))?;
    line(out, "all", &r.all)?;
    line(out, "taken", &r.taken)?;
    line(out, "skipped", &r.skipped)?;
    for word in ["ALLOW", "CAUTION", "AVOID"] {
        if let Some(g) = r.by_verdict.get(word) {
            line(out, word, g)?;
        }
    }
    let c = &r.confidence;
    for (name, g) in [
        ("confidence above 0.7", &c.above_07),
        ("between", &c.between),
        ("below 0.4", &c.below_04),
        ("no confidence", &c.null),
    ] {
        line(out, name, g)?;
    }
    match c.gap {
        Some(gap) => writeln!(out, "\nconfidence gap: {} points", signed(Some(gap), 100.0, 1))?,
        None => writeln!(out, "\nconfidence gap: undefined, too few (30 resolved trades in each group are needed)")?,
    }
    listed(out, "best", &r.best)?;
    listed(out, "worst", &r.worst)?;
    listed(out, "LOW_CONFIDENCE", &r.low_confidence)?;
    let reasons: Vec<String> = r.not_made.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
    if !reasons.is_empty() {
        writeln!(out, "decisions not made, by reason: {}", reasons.join(", "))?;
    }
    if r.all.unresolved > 0 {
        writeln!(out, "{} unresolved: bars are missing", number_of(r.all.unresolved, "decision"))?;
    }
    Ok(())
}

fn line(out: &mut impl Write, name: &str, g: &GroupOutcome) -> Result<(), Failure> {
    let won = match (g.win_rate, g.win_rate_band) {
        (Some(w), Some((low, high))) => format!("{:.0}% ({:.0}–{:.0})", 100.0 * w, 100.0 * low, 100.0 * high),
        _ => "—".to_owned(),
    };
    Ok(writeln!(
        out,
        "{name:<22} {:>9} {:>5} {:>8} {won:>14} {:>7} {:>8}",
        g.decisions,
        g.open,
        g.resolved,
        signed(g.mean_r_after_costs, 1.0, 2),
        signed(g.plain_mean_r_after_costs, 1.0, 2)
    )?)
}

fn listed(out: &mut impl Write, name: &str, trades: &[ListedTrade]) -> Result<(), Failure> {
    for t in trades {
        let confidence = t.confidence.map_or_else(|| "none".to_owned(), |c| format!("{c:.2}"));
        let result =
            t.r_after_costs.map_or_else(|| "open".to_owned(), |_| format!("{} R", signed(t.r_after_costs, 1.0, 2)));
        let taken = if t.taken { "" } else { ", skipped" };
        writeln!(out, "{name}: {} {}, confidence {confidence}: {result}{taken}", t.id, t.verdict.name())?;
    }
    Ok(())
}
