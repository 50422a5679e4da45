//! What calls were worth, hold-outs, the research log, kept models and predictions, as text and as JSON.

use super::print::{ranked, stamp_text};
use super::words::signed;
use crate::failure::Failure;
use barograph_domain::{InstrumentName, Ts};
use barograph_research::train::{
    BoardMoney, HoldOutReport, ListedArtefact, ModelCard, PredictedTarget, ResearchLogRow, RollingSkill, StudyBoard,
    WindowWord,
};
use barograph_study::money::funding::FundingCover;
use barograph_study::targets::TargetId;
use serde::Serialize;
use std::io::Write as _;

fn line_of(value: &impl Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(value).map_err(std::io::Error::from)?;
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

fn cell(value: Option<f64>, decimals: usize, width: usize) -> String {
    value.map_or_else(|| format!("{:>width$}", "–"), |v| format!("{v:>width$.decimals$}"))
}

/// The columns of money below a board, in the order of its models.
pub(super) fn money(board: &StudyBoard) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match (&board.money, &board.no_money) {
        (Some(money), _) => {
            let order: Vec<&str> = board.board.rows.iter().map(|r| r.model.as_str()).collect();
            for line in money_lines(money, &order) {
                writeln!(out, "{line}")?;
            }
        }
        (None, Some(why)) => writeln!(out, "no columns of money: {why}")?,
        (None, None) => {}
    }
    Ok(())
}

fn money_lines(money: &BoardMoney, order: &[&str]) -> Vec<String> {
    let mut lines = vec![format!(
        "taker at {} bp a side ({}), {} ms late, {} quote a trade, over {} UTC day{}",
        money.fee_bps,
        money.tier,
        money.latency_ms,
        money.notional,
        money.days,
        if money.days == 1 { "" } else { "s" }
    )];
    lines.push(
        "model         trades   gross      cost      net bp a trip   turnover  fall %   Sharpe  (gross)     DSR  (N eff)"
            .to_owned(),
    );
    for (model, row) in order.iter().filter_map(|m| Some((*m, money.rows.get(*m)?))) {
        lines.push(format!(
            "{model:12} {:>7} {} {} {}         {} {} {} {} {} {}",
            row.trades,
            cell(row.break_even_cost_bps, 2, 7),
            cell(row.avg_cost_bps, 2, 9),
            cell(row.net_bps, 2, 9),
            cell(Some(row.turnover), 1, 9),
            cell(Some(100.0 * row.max_drawdown), 2, 7),
            cell(row.sharpe_net, 2, 8),
            cell(row.sharpe_gross, 2, 8),
            cell(row.dsr, 3, 7),
            cell(row.dsr_effective, 3, 8),
        ));
    }
    if let Some(why) = money.rows.values().find_map(|row| row.no_sharpe.as_ref()) {
        lines.push(format!("no Sharpe ratio: {why}"));
    }
    lines.push(match (money.pbo, &money.no_pbo) {
        (Some(pbo), _) => format!(
            "probability of overfitting {pbo:.2}, over {} configurations (every model but the control, with every threshold)",
            money.configurations
        ),
        (None, why) => format!("no probability of overfitting: {}", why.as_deref().unwrap_or("nothing was traded")),
    });
    // How alike trials are can be seen only where there are days enough for a Sharpe ratio.
    let worth = if money.rows.values().any(|row| row.dsr_effective.is_some()) {
        format!(", worth {:.1} independent ones", money.trials_effective)
    } else {
        String::new()
    };
    let funding = if money.funding == FundingCover::NotDue { String::new() } else { format!("; {}", money.funding) };
    lines.push(format!("{} trials so far{worth}{funding}", money.trials));
    lines
}

pub(crate) fn hold_out(market: &InstrumentName, report: &HoldOutReport, json: bool) -> Result<(), Failure> {
    if json {
        return line_of(report);
    }
    let opening = &report.opening;
    {
        let mut out = std::io::stdout().lock();
        writeln!(out, "hold-out of {} of {market}, opened for {}", report.target, opening.study.study_id)?;
        writeln!(out, "  {} labelled rows from {} to {}", opening.rows, opening.from, opening.to)?;
        if let Some(reason) = &opening.again {
            writeln!(out, "  opened again: {reason}. It is no test any more")?;
        } else if opening.earlier > 0 {
            writeln!(
                out,
                "  some of it was opened before, {} in all: what it says is worth less",
                times(opening.earlier)
            )?;
        }
        if let Some(stamp) = &report.stamp {
            writeln!(out, "  {}", stamp_text(stamp))?;
        }
        writeln!(out)?;
    }
    ranked(&report.board, &report.target)?;
    let mut out = std::io::stdout().lock();
    if let Some(money) = &report.money {
        let order: Vec<&str> = report.board.rows.iter().map(|r| r.model.as_str()).collect();
        writeln!(out)?;
        for line in money_lines(money, &order) {
            writeln!(out, "{line}")?;
        }
    }
    for (model, why) in &report.left_out {
        writeln!(out, "not judged here: {model}, because {why}")?;
    }
    writeln!(out, "\nlogged: {}", report.finding)?;
    Ok(())
}

fn times(n: usize) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

pub(crate) fn log_row(row: &ResearchLogRow, json: bool) -> Result<(), Failure> {
    if json {
        return line_of(row);
    }
    let mut out = std::io::stdout().lock();
    let who = if row.researcher.is_empty() { String::new() } else { format!(", {}", row.researcher) };
    writeln!(out, "{}  {}{who}", row.date, row.study_id)?;
    if let Some(question) = &row.question {
        writeln!(out, "  asked    {question}")?;
    }
    if let Some(data) = &row.data {
        let range = data.range.as_ref().map(|[from, to]| format!(", {from} to {to}")).unwrap_or_default();
        writeln!(out, "  data     {} of {}:{}{range}", data.target, data.venue, data.symbol)?;
    }
    if let (Some(digest), Some(config), Some(trials)) = (&row.data_digest, &row.config_hash, row.n_trials) {
        let short = |text: &str| text.chars().take(12).collect::<String>();
        writeln!(out, "  known by rows {}, settings {}; {trials} trials until then", short(digest), short(config))?;
    }
    for opening in &row.openings {
        let again = opening.again.as_ref().map(|why| format!("; again: {why}")).unwrap_or_default();
        writeln!(out, "  opened   {}, {} rows, {} before{again}", opening.at, opening.rows, times(opening.earlier))?;
    }
    for finding in &row.findings {
        writeln!(out, "  found    {finding}")?;
    }
    for artefact in &row.artefacts {
        writeln!(out, "  shown in {artefact}")?;
    }
    Ok(())
}

pub(crate) fn artefact(of: &ListedArtefact, json: bool) -> Result<(), Failure> {
    if json {
        return line_of(of);
    }
    let files = &of.files;
    let mark = if of.current { "  predicts" } else { "" };
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}  {:16} {:12} made {} on rows until {}{mark}",
        files.artefact, files.target, files.model, files.made, files.data_to
    )?;
    Ok(())
}

pub(crate) fn card(card: &ModelCard, text: &str, json: bool) -> Result<(), Failure> {
    if json {
        return line_of(card);
    }
    Ok(write!(std::io::stdout().lock(), "{text}")?)
}

pub(crate) fn predicted(
    market: &InstrumentName,
    since: Ts,
    rows: usize,
    targets: &[PredictedTarget],
    json: bool,
) -> Result<(), Failure> {
    if json {
        return targets.iter().try_for_each(line_of);
    }
    let mut out = std::io::stdout().lock();
    if rows == 0 {
        writeln!(
            out,
            "the lake holds no usable row of {market} behind {since}: what is before it the models were made with, or have predicted"
        )?;
    }
    for of in targets {
        let shadow = &of.shadow;
        if let Some((at, stated)) = &of.latest {
            let stated = stated_words(of.target, stated);
            writeln!(
                out,
                "{} by {} ({}): {} rows predicted, the last {at}: {}",
                of.target, of.model, of.artefact, of.rows, stated
            )?;
        }
        if of.not_in_gold > 0 {
            writeln!(
                out,
                "  {} rows of {} are not in gold: they lie before the end of what was predicted of {market}, and the table only grows there",
                of.not_in_gold, of.target
            )?;
        }
        if shadow.issued > 0 {
            writeln!(
                out,
                "  in shadow {} forecasts: {} wait, {} have no outcome, {} were made after their window",
                shadow.issued, shadow.waiting, shadow.unresolvable, shadow.hindcasts
            )?;
        }
        if let Some(scores) = &shadow.scores {
            let named = [
                ("AUC", scores.auc),
                ("Brier skill", scores.bss_clim),
                ("log loss", scores.log_loss),
                ("macro F1", scores.macro_f1),
                ("R²", scores.r2_oos),
                ("IC", scores.ic),
            ];
            let shown: Vec<String> =
                named.into_iter().filter_map(|(name, v)| v.map(|v| format!("{name} {v:.4}"))).collect();
            writeln!(out, "  {} scored: {}", scores.n_test, shown.join(", "))?;
        }
        for line in of.rolling.iter().map(rolling_line).chain(drift_lines(of)) {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

/// What was stated, with what it is: a probability of a rise, probabilities of classes, or a number in its unit.
fn stated_words(target: TargetId, stated: &[f64]) -> String {
    match (target.bps(), stated) {
        (Some(bps), [value]) => format!("{} bp", signed(Some(bps * value), 4)),
        (None, [p]) => format!("probability of a rise {p:.4}"),
        (None, [a, b, c]) => {
            let [low, middle, high] =
                if target == TargetId::VolRegime { ["low", "middle", "high"] } else { ["fall", "no move", "rise"] };
            format!("probabilities: {low} {a:.4}, {middle} {b:.4}, {high} {c:.4}")
        }
        _ => stated.iter().map(|v| format!("{v:.4}")).collect::<Vec<_>>().join(" "),
    }
}

fn rolling_line(of: &RollingSkill) -> String {
    let band = |band: Option<[f64; 2]>| {
        band.map_or_else(|| "no band".to_owned(), |[low, high]| format!("90 % band {low:+.4} to {high:+.4}"))
    };
    let skill =
        of.skill.map_or_else(String::new, |s| format!("skill {s:+.4} ({}): {}", band(of.band), of.verdict.spoken()));
    let bias = of
        .bias
        .map_or_else(String::new, |b| format!("; bias, forecast minus outcome, {b:+.4} ({})", band(of.bias_band)));
    format!("{} to {}, {} scored: {skill}{bias}", of.from, of.to, of.n)
}

/// The newest window against training; nothing before the first is over.
fn drift_lines(of: &PredictedTarget) -> Vec<String> {
    let Some(usual) = &of.usual else {
        return vec![format!(
            "drift of {} cannot be judged: it was trained on fewer than eight windows of ten minutes; train on more data",
            of.target
        )];
    };
    let Some(window) = of.windows.last() else { return Vec::new() };
    let stated = window.stated.map_or_else(String::new, |word| format!("; what it says: {}", word.name()));
    let mut lines = vec![format!(
        "{} to {}, {} rows: {} of {} inputs are outside the range of the {} training windows (at most {} in one of those): {}{stated}",
        window.from,
        window.to,
        window.n,
        window.moved,
        window.columns,
        usual.windows,
        usual.moved_most,
        window.inputs.name()
    )];
    if window.inputs != WindowWord::AsTrained {
        let named: Vec<String> =
            window.farthest.iter().map(|c| format!("{} {:.2} (bound {:.2})", c.name, c.psi, c.bound)).collect();
        lines.push(format!("farthest, by PSI: {}", named.join(", ")));
    }
    lines
}
