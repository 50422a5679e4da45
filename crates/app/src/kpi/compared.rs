//! Strategies side by side, and sessions chosen in one part of the time and judged in the next, as tables of eighty columns.

use super::print::{banded, percent, signed};
use crate::failure::Failure;
use crate::term::{Paint, fold};
use barograph_engine::kpi::{SessionTuning, StrategyComparison, TwoArms};
use std::io::Write;

/// The strategies of one run.
pub(crate) fn table(out: &mut impl Write, c: &StrategyComparison, paint: Paint) -> Result<(), Failure> {
    let header =
        format!("\n{:<22} {:>5} {:>12} {:>12} {:>12}  {}", "comparison", "n", "won", "stopped", "target hit", "days");
    writeln!(out, "{}", paint.strong(&header))?;
    for f in &c.figures {
        writeln!(
            out,
            "{:<22} {:>5} {:>12} {:>12} {:>12}  {}",
            f.strategy.spoken(),
            f.n,
            two(&f.win_rate),
            two(&f.stop_out),
            two(&f.target_hit),
            f.days
        )?;
    }
    writeln!(out, "{}", paint.faint("rates: with context, plain"))?;
    for (at, name) in ["with context", "plain", "context less plain"].into_iter().enumerate() {
        writeln!(out, "\n{}", paint.strong(&format!("after costs, R a trade, {name}")))?;
        for f in &c.figures {
            let TwoArms { plain, context, difference } = &f.after_costs;
            let band = [context, plain, difference][at];
            writeln!(out, "{:<22} {:>5}  {}", f.strategy.spoken(), f.n, banded(band, 1.0, 2))?;
        }
    }
    writeln!(out, "\n{}", paint.strong("in words"))?;
    for sentence in &c.sentences {
        writeln!(out, "{}", fold(sentence, 79, "  "))?;
    }
    let method = format!(
        "The bands of the tables are 95 % bands of one strategy alone. {} strategies were compared, and who looks at many finds one that \
         looks well: the sentences go by wider bands (Bonferroni, each of the three questions by itself). Strategies have different \
         entries; no band is given for one less another.",
        c.strategies
    );
    Ok(writeln!(out, "{}", paint.faint(&fold(&method, 79, "")))?)
}

fn two(of: &TwoArms) -> String {
    format!("{} {:>5}", percent(of.context.value), percent(of.plain.value))
}

/// Sessions before and after the split.
pub(crate) fn sessions(out: &mut impl Write, t: &SessionTuning, paint: Paint) -> Result<(), Failure> {
    let day = &t.split.iso()[..10];
    let header =
        format!("\n{:<18} {:>5} {:>7}  {:>5} {}", "with context, R", "n", "before", "n", format_args!("since {day}"));
    writeln!(out, "{}", paint.strong(&header))?;
    for s in &t.sessions {
        let name = format!("{}{}", s.session.name(), if s.chosen { ", chosen" } else { "" });
        let before = signed(s.before.value, 1.0, 2);
        writeln!(out, "{name:<18} {:>5} {before:>7}  {:>5} {}", s.before.n, s.after.n, banded(&s.after, 1.0, 2))?;
    }
    let some = t.sessions.iter().any(|s| s.chosen).then_some(("chosen alone", &t.chosen));
    for (name, band) in some.into_iter().chain([("all sessions", &t.all)]) {
        writeln!(out, "{name:<18} {:>5} {:>7}  {:>5} {}", "", "", band.n, banded(band, 1.0, 2))?;
    }
    let how = format!(
        "chosen: mean after costs above zero on at least {} trades that were over at the split; judged on the part that follows, never \
         on the one it was chosen in. {} open at the split count in neither.",
        t.trades_min, t.n_across
    );
    Ok(writeln!(out, "{}", paint.faint(&fold(&how, 79, "")))?)
}
