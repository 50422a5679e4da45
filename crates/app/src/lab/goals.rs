//! Goals and what was measured of them: text, Markdown, JSON.

use super::words::line;
use crate::failure::Failure;
use crate::term::number_of;
use barograph_research::goals::GoalLine;
use std::io::Write as _;

pub(crate) fn print(lines: &[GoalLine], markdown: bool, json: bool) -> Result<(), Failure> {
    if json {
        return lines.iter().try_for_each(line);
    }
    let mut out = std::io::stdout().lock();
    if markdown {
        writeln!(
            out,
            "| goal | model | n | n_eff | measured | 90 % band | against | reached | why not | days to settle it |"
        )?;
        writeln!(out, "|---|---|---:|---:|---:|---|---:|---|---|---:|")?;
    }
    for l in lines {
        let number = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}").replace('-', "−"));
        let band =
            l.band.map_or_else(|| "–".to_owned(), |[a, b]| format!("{} to {}", number(Some(a)), number(Some(b))));
        let model = l.model.as_deref().unwrap_or("–");
        let reached = if l.reached { "yes" } else { "no" };
        let days = l.days.map_or_else(|| "–".to_owned(), days);
        let why = l.misses.join("; ");
        if markdown {
            writeln!(
                out,
                "| `{}` | {model} | {} | {} | {} | {band} | {} | {reached} | {why} | {days} |",
                l.goal,
                l.n,
                l.n_eff,
                number(l.value),
                number(l.baseline)
            )?;
        } else if l.model.is_none() {
            writeln!(out, "{}  {}\n  {why}", l.market, l.goal)?;
        } else {
            writeln!(out, "{}  {}", l.market, l.goal)?;
            // A Sharpe ratio is one of days, whatever was traded on them.
            let of = if l.goal.starts_with("sharpe") {
                format!("{} over {}", number_of(l.n, "trade"), number_of(l.n_eff, "UTC day"))
            } else {
                format!("n {} of which {} do not overlap", l.n, l.n_eff)
            };
            writeln!(out, "  {model}: {} ({band}) against {}, {of}", number(l.value), number(l.baseline))?;
            let verdict = if l.reached { "reached".to_owned() } else { format!("not reached: {why}") };
            let more = if l.days.is_some() {
                format!("; about {days} days of such recording would settle it")
            } else {
                String::new()
            };
            writeln!(out, "  {verdict}{more}")?;
        }
    }
    Ok(())
}

fn days(days: f64) -> String {
    match days {
        d if d < 0.1 => "under 0.1".to_owned(),
        d if d < 10.0 => format!("{d:.1}"),
        d => format!("{d:.0}"),
    }
}
