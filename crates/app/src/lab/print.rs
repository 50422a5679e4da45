//! Reports of data sets and boards, as text and as JSON.

use super::words::costs_line;
use crate::failure::Failure;
use barograph_domain::Ts;
use barograph_lab::zoo::ZooTask;
use barograph_lab::zoo::board::{ZooBoard, ZooRow};
use barograph_research::dataset::{DatasetReport, DatasetRequest};
use barograph_research::shell_word;
use barograph_research::train::{
    BacktestReport, ImportanceReport, InputImportance, StudyBoard, StudyRequest, WEIGHTED, boards,
};
use barograph_study::money::funding::FundingCover;
use barograph_study::targets::{TargetId, TargetKind};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

pub(crate) fn dataset(request: &DatasetRequest, report: &DatasetReport, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let (read, played) = (&report.played, &report.played.played);
    for torn in &read.torn {
        writeln!(std::io::stderr(), "barograph: {torn}; what came before is used")?;
    }
    if json {
        let line = serde_json::json!({
            "market": request.market.to_string(), "lake": request.lake, "lines": read.lines, "unreadable": read.unreadable,
            "span": read.span.map(|(from, to)| [from, to]), "books": played.books, "trades": played.trades,
            "trades_without_side": played.unsided, "book_losses": played.book_losses, "trade_losses": played.trade_losses,
            "refused": played.refused, "first_refused": played.first_refused, "rows": report.rows, "rows_valid": report.valid,
            "already_there": report.already, "already_hours": report.already_hours, "late": report.late, "behind": report.behind, "before": report.before, "before_hours": report.before_hours,
            "torn": read.torn, "first_unreadable": read.first_unreadable, "repeated": read.repeated,
            "first_repeated": read.first_repeated, "beside_apart": report.beside_apart,
        });
        return Ok(writeln!(out, "{line}")?);
    }
    let span = read.span.map(|(from, to)| format!("{from} to {to}")).unwrap_or_default();
    writeln!(out, "{}  {span}", request.market)?;
    writeln!(
        out,
        "  {} lines: {} states of the book, {} trades; the book was {}",
        read.lines,
        played.books,
        played.trades,
        lost(played.book_losses)
    )?;
    writeln!(
        out,
        "  {} feature rows, one each second, {} with a usable book, in {}",
        report.rows,
        report.valid,
        request.lake.display()
    )?;
    if report.already > 0 {
        writeln!(
            out,
            "  {} states, trades and rows were in the lake before and were not written again, of the hours {}",
            report.already,
            hours(&report.already_hours)
        )?;
    }
    if report.before > 0 {
        writeln!(
            out,
            "  {} states, trades and rows lie before what the lake holds of an hour under way and are left out, of the hours {}; to have \
             them, remove the folders of that hour and import its files again, the earliest first",
            report.before,
            hours(&report.before_hours)
        )?;
    }
    if report.late > 0 {
        writeln!(
            out,
            "  {} states, trades and rows were dated by the venue into an hour that was over when they came, and are left out",
            report.late
        )?;
    }
    if report.behind > 0 {
        writeln!(
            out,
            "  {} states and trades came after the row of their second was made; they count for the rows after it",
            report.behind
        )?;
    }
    if let Some(first) = &read.first_repeated {
        let again = if read.repeated == 1 {
            "row repeats what came before it, or lies in the time of an earlier file, and was passed over"
        } else {
            "rows repeat what came before them, or lie in the time of an earlier file, and were passed over"
        };
        writeln!(out, "  {} {again}; the first: {first}", read.repeated)?;
    }
    for apart in &report.beside_apart {
        writeln!(out, "  {apart}")?;
    }
    if played.unsided > 0 {
        writeln!(out, "  {} trades do not say who took, and are left out", played.unsided)?;
    }
    if let Some(first) = &played.first_refused {
        writeln!(out, "  {} messages could not be used; the first: {}", played.refused, shortened(first))?;
    }
    if read.unreadable > 0 {
        let lines = if read.unreadable == 1 {
            "line could not be read as part of a recording and was left out"
        } else {
            "lines could not be read as part of a recording and were left out"
        };
        let first = read.first_unreadable.as_ref().map_or(String::new(), |at| format!("; the first: {at}"));
        writeln!(out, "  {} {lines}{first}", read.unreadable)?;
    }
    Ok(())
}

/// The first of some hours.
fn hours(all: &BTreeSet<Ts>) -> String {
    let shown: Vec<String> = all.iter().take(6).map(ToString::to_string).collect();
    format!("{}{}", shown.join(", "), if all.len() > 6 { ", …" } else { "" })
}

fn lost(n: u64) -> String {
    match n {
        0 => "never lost".to_owned(),
        1 => "lost once".to_owned(),
        n => format!("lost {n} times"),
    }
}

fn shortened(text: &str) -> String {
    let cut: String = text.chars().take(300).collect();
    if cut.len() < text.len() { format!("{cut} …") } else { cut }
}

pub(crate) const fn kind(target: TargetId) -> &'static str {
    match target.kind() {
        TargetKind::Binary => "yes or no",
        TargetKind::Classes3 => "3 classes",
        TargetKind::Regression => "number",
    }
}

/// The board of a study whose folder lies below that of all studies.
pub(crate) fn board(board: &StudyBoard, folder: &Path, json: bool) -> Result<(), Failure> {
    let studies = folder.ancestors().nth(3).unwrap_or(folder);
    let mut out = std::io::stdout().lock();
    if json {
        let line = serde_json::to_string(board).map_err(std::io::Error::from)?;
        return Ok(writeln!(out, "{line}")?);
    }
    let about = &board.about;
    writeln!(out, "{} of {}", about.target, about.market)?;
    if let Some([from, to]) = &about.span {
        writeln!(out, "  {} rows from {from} to {to}, {} with a label", about.rows, about.labelled)?;
    }
    if let Some(share) = about.zero_share {
        writeln!(out, "  the mid did not move in {:.0} % of them", 100.0 * share)?;
    }
    writeln!(
        out,
        "  {} test blocks, each judged by what was learnt before it; {}; preset {}, seed {}",
        board.plan.folds,
        board.embargo_words(),
        board.preset,
        board.seed
    )?;
    if !board.weights.is_even() {
        writeln!(out, "  {WEIGHTED}")?;
    }
    let more = if board.earlier_trials > 0 {
        format!(", {} of them under other settings or of other models", board.earlier_trials)
    } else {
        String::new()
    };
    let fits = board.board.rows.iter().map(|r| r.n_trials).max().unwrap_or_default();
    writeln!(out, "  {fits} configurations were fitted for it so far{more}")?;
    if let Some(stamp) = &board.stamp {
        writeln!(out, "  {}", stamp_text(stamp))?;
    }
    writeln!(out)?;
    drop(out);
    ranked(&board.board, &about.target)?;
    let mut out = std::io::stdout().lock();
    for (model, why) in &board.left_out {
        writeln!(out, "{model:12} left out: {why}")?;
    }
    writeln!(out)?;
    drop(out);
    super::worth::money(board)?;
    let mut out = std::io::stdout().lock();
    let kept = match (&board.artefact, &board.no_artefact) {
        (Some(artefact), _) => format!("; its best model is kept as artefact {artefact}"),
        (None, Some(why)) => format!("; no model is kept: {why}"),
        (None, None) => String::new(),
    };
    writeln!(out, "board {} of {}{kept}", board.run, board.made)?;
    if board.earlier_runs > 0 {
        let plural = if board.earlier_runs == 1 { "" } else { "s" };
        let place = shell_word(studies);
        writeln!(out, "{} earlier board{plural} of {} kept:", board.earlier_runs, about.target)?;
        for earlier in boards(folder)?.iter().filter(|earlier| earlier.run != board.run) {
            let (market, target, run) = (&about.market, &about.target, &earlier.run);
            writeln!(out, "  barograph lab leaderboard {market} --target {target} --run {run} --studies {place}")?;
        }
    }
    writeln!(out)?;
    Ok(())
}

/// The stamp over a board, with what it means.
pub(super) fn stamp_text(stamp: &str) -> String {
    let why = match stamp {
        "LEAK SUSPECTED" => {
            "the control on permuted labels ranks rows better or worse than chance: nothing here may be believed"
        }
        _ => {
            "too little data for the interval of the control on permuted labels: nothing here is shown to be free of leaks"
        }
    };
    format!("{stamp}: {why}")
}

/// The rows of a board from the best.
pub(super) fn ranked(board: &ZooBoard, target: &str) -> Result<(), Failure> {
    // Numbers in the unit of the target become basis points.
    let bps = TargetId::parse(target).ok().and_then(TargetId::bps);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", head(board.task))?;
    for row in &board.rows {
        writeln!(out, "{}", line(board.task, row, bps))?;
    }
    writeln!(out, "fits so far: configurations fitted for this target, over all runs, up to and with the model")?;
    for (row, why) in board.rows.iter().filter_map(|row| Some((row, row.no_ic.as_ref()?))) {
        writeln!(out, "{} has no IC: {why}", row.model)?;
    }
    Ok(())
}

fn head(task: ZooTask) -> &'static str {
    match task {
        ZooTask::Binary => "model             n     AUC   (90 % band)    skill  log loss     ECE  fits so far",
        ZooTask::Classes => {
            "model             n  macro F1   over persistence (90 % band)    skill     ECE  fits so far"
        }
        ZooTask::Regression => "model             n   R² oos      IC        RMSE     AUC   (90 % band)   fits so far",
    }
}

fn number(value: Option<f64>, decimals: usize, width: usize) -> String {
    value.map_or_else(|| format!("{:>width$}", "–"), |v| format!("{v:>width$.decimals$}"))
}

fn band(low: Option<f64>, high: Option<f64>) -> String {
    match low.zip(high) {
        Some((low, high)) => format!("({low:.3}–{high:.3})"),
        None => "(no band)".to_owned(),
    }
}

fn line(task: ZooTask, row: &ZooRow, bps: Option<f64>) -> String {
    let (model, n, fits) = (&row.model, row.n_test, row.n_trials);
    let auc = number(row.auc, 3, 7);
    let auc_band = format!("{:>15}", band(row.auc_lo, row.auc_hi));
    match task {
        ZooTask::Binary => {
            let (skill, loss, ece) = (number(row.bss_clim, 4, 8), number(row.log_loss, 4, 9), number(row.ece, 4, 7));
            format!("{model:12} {n:>6} {auc} {auc_band} {skill} {loss} {ece} {fits:>12}")
        }
        ZooTask::Classes => {
            let f1 = number(row.macro_f1, 3, 9);
            let gain = row.macro_f1_gain.map_or_else(
                || format!("{:>31}", "–"),
                |g| format!("{:>14.3} {:>16}", g.value, band(Some(g.low), Some(g.high))),
            );
            format!("{model:12} {n:>6} {f1} {gain} {} {} {fits:>12}", number(row.bss_clim, 4, 8), number(row.ece, 4, 7))
        }
        ZooTask::Regression => {
            let (r2, ic, rmse) = (
                number(row.r2_oos, 4, 8),
                number(row.ic, 3, 7),
                number(row.rmse.zip(bps).map(|(rmse, bps)| bps * rmse), 3, 8),
            );
            format!("{model:12} {n:>6} {r2} {ic} {rmse} bp {auc} {auc_band} {fits:>12}")
        }
    }
}

/// In what the loss of a model is counted.
const fn loss_unit(target: TargetId) -> &'static str {
    match target.kind() {
        TargetKind::Binary | TargetKind::Classes3 => "log loss in nats",
        TargetKind::Regression => "squared error, in the square of the target's unit",
    }
}

/// Columns that are shown of each regime of volatility.
const REGIME_TOP: usize = 5;

pub(crate) fn importance(
    request: &StudyRequest,
    report: &ImportanceReport,
    top: usize,
    json: bool,
) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        let line = serde_json::to_string(report).map_err(std::io::Error::from)?;
        return Ok(writeln!(out, "{line}")?);
    }
    let rows: usize = report.sample_rows.iter().sum();
    let folds = report.sample_rows.len();
    writeln!(
        out,
        "{} for {} of {}: loss added when permuted ({}), over {rows} test rows of {folds} folds, 95 % band over folds",
        report.model,
        request.target,
        request.market,
        loss_unit(request.target)
    )?;
    if report.columns.is_empty() {
        writeln!(out, "  one fold has no band: nothing is ranked")?;
    }
    let shown = |row: &InputImportance| {
        let name = match row.columns.as_slice() {
            [one] => one.clone(),
            [first, rest @ ..] => format!("{first} and {} like it", rest.len()),
            [] => String::new(),
        };
        let told = if row.band[0] > 0.0 { "" } else { "  (band holds zero)" };
        format!("  {name:40} {:>12.3e}  {:>11.2e} to {:>9.2e}{told}", row.increase, row.band[0], row.band[1])
    };
    for row in report.columns.iter().take(top) {
        writeln!(out, "{}", shown(row))?;
    }
    if !report.groups.is_empty() {
        writeln!(out, "together, because their ranks correlate by 0.95 and more:")?;
    }
    for row in report.groups.iter().take(top) {
        writeln!(out, "{}", shown(row))?;
    }
    // Without a band there is nothing to rank in a part of the rows either.
    for regime in report.regimes.iter().filter(|_| !report.columns.is_empty()) {
        let rows: usize = regime.rows.iter().sum();
        if regime.columns.is_empty() {
            writeln!(out, "{} volatility: {rows} rows, too few in one of the folds to say", regime.regime)?;
            continue;
        }
        writeln!(out, "{} volatility of five minutes, {rows} rows:", regime.regime)?;
        for row in regime.columns.iter().take(top.min(REGIME_TOP)) {
            writeln!(out, "{}", shown(row))?;
        }
    }
    Ok(())
}

pub(crate) fn backtest(request: &StudyRequest, report: &BacktestReport, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        let line = serde_json::to_string(report).map_err(std::io::Error::from)?;
        return Ok(writeln!(out, "{line}")?);
    }
    let r = report;
    writeln!(
        out,
        "{} on {} of {}, taker at {} bp a side ({}), {} ms late, {} quote a trade",
        r.model, request.target, request.market, r.fee_bps, r.tier, r.latency_ms, r.notional
    )?;
    let delta: Vec<String> = r.delta.iter().map(f64::to_string).collect();
    writeln!(out, "  traded beyond 0.5 ± δ, which each fold's inner split chose: {}", delta.join(", "))?;
    writeln!(
        out,
        "  {} round trips over {} rows and {} UTC day{}, {} orders found no book or not enough in it",
        r.trades,
        r.rows,
        r.days,
        if r.days == 1 { "" } else { "s" },
        r.untraded
    )?;
    if let (Some(gross), Some(cost), Some(net)) = (r.break_even_cost_bps, r.avg_cost_bps, r.net_bps) {
        writeln!(out, "  a round trip: {gross:+.2} bp before costs, {cost:.2} bp of costs, {net:+.2} bp after them")?;
    }
    let costs = costs_line(&r.costs, r.funding);
    writeln!(
        out,
        "  all together {:+.3} % of the capital, largest fall {:.3} %; costs in quote: {}",
        100.0 * r.net,
        100.0 * r.max_drawdown,
        costs
    )?;
    match (r.sharpe_net, r.sharpe_band, &r.no_sharpe) {
        (Some(sharpe), Some([low, high]), _) => {
            writeln!(out, "  Sharpe after costs {sharpe:.2} a year, 90 % band {low:.2} to {high:.2}")?
        }
        (_, _, Some(why)) => writeln!(out, "  no Sharpe ratio: {why}")?,
        _ => {}
    }
    writeln!(out, "  {}", deflated_line(r))?;
    if r.funding != FundingCover::NotDue {
        writeln!(out, "  {}", r.funding)?;
    }
    Ok(())
}

/// How many trials the Sharpe ratio was deflated by, and what is left of it.
fn deflated_line(of: &BacktestReport) -> String {
    let plural = if of.trials == 1 { "" } else { "s" };
    let trials = format!("{} trial{plural} for this target, over all runs", of.trials);
    of.dsr.map_or_else(
        || format!("{trials}; no Sharpe ratio to deflate"),
        |dsr| {
            let spread = of.trials_variance.sqrt();
            format!("deflated by {trials}, whose ratios spread by {spread:.4} a day: {dsr:.3} (needs 0.95)")
        },
    )
}
