//! The study of accounts as tables and as one line of JSON. The tables are those of docs/order-flow.md.

use super::accounts::ReadFills;
use crate::failure::Failure;
use crate::term::{minus, number_of};
use barograph_verify::accounts::score::{BandedShare, HOURS_MIN};
use barograph_verify::accounts::{AccountReport, AccountScore, SignRoc};
use std::io::Write;

pub(super) fn print(fills: &ReadFills, report: &AccountReport, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        let rejected: Vec<_> = fills
            .rejected
            .iter()
            .map(|(fault, (rows, line))| serde_json::json!({ "fault": fault.to_string(), "rows": rows, "first_line": line }))
            .collect();
        let value = serde_json::json!({
            "accounts": fills.accounts, "out_of_order": fills.out_of_order, "rejected": rejected, "report": report,
        });
        writeln!(out, "{value}")?;
        return Ok(());
    }
    about(&mut out, fills, report)?;
    markets(&mut out, report)?;
    classes(&mut out, report)?;
    tests(&mut out, report)
}

fn about(out: &mut impl Write, fills: &ReadFills, report: &AccountReport) -> Result<(), Failure> {
    for (fault, (rows, line)) in &fills.rejected {
        writeln!(out, "left out: {}, {fault} (first in line {line})", number_of(*rows, "row"))?;
    }
    if fills.out_of_order > 0 {
        writeln!(out, "put in order: {}", number_of(fills.out_of_order, "row"))?;
    }
    if let Some([from, to]) = report.span {
        let accounts = number_of(fills.accounts, "account");
        writeln!(out, "{accounts}, {}, {from} to {to}\n", number_of(report.markets.len(), "market"))?;
    }
    Ok(())
}

fn markets(out: &mut impl Write, report: &AccountReport) -> Result<(), Failure> {
    writeln!(out, "| market | class | fills | trades | both accounts known | ambiguous | hours | with a round trip |")?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for m in &report.markets {
        let class = m.class.name();
        writeln!(
            out,
            "| {} | {class} | {} | {} | {} | {} | {} | {} |",
            m.symbol, m.fills, m.trades, m.joined, m.ambiguous, m.hours, m.linked
        )?;
    }
    Ok(())
}

fn classes(out: &mut impl Write, report: &AccountReport) -> Result<(), Failure> {
    writeln!(
        out,
        "\nHours with at least {} for the areas; hours that the detector judges for the rest.\n",
        number_of(report.trades_min, "trade")
    )?;
    writeln!(
        out,
        "| class | hours | with a round trip | judged, of them with one | (a) pairs | (b) digits | (c) volume | (d) round | alerts: precision | recall |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|---|")?;
    for class in &report.classes {
        let s = &class.score;
        let [a, b, c, d] = [0, 1, 2, 3].map(|test| area(&s.roc[test]));
        let judged = format!("{}, {}", s.judged.n, s.judged.of);
        let [precision, recall] = [&s.alerts.precision, &s.alerts.recall].map(|of| shown(s, of));
        let linked = share(&s.linked);
        writeln!(
            out,
            "| {} | {} | {linked} | {judged} | {a} | {b} | {c} | {d} | {precision} | {recall} |",
            class.class, s.hours
        )?;
    }
    Ok(())
}

/// Each test at its own limit, over all markets.
fn tests(out: &mut impl Write, report: &AccountReport) -> Result<(), Failure> {
    let Some(all) = report.classes.first() else { return Ok(()) };
    writeln!(out, "\n| test at its own limit, all markets | precision | recall |")?;
    writeln!(out, "|---|---|---|")?;
    for (name, test) in ["(a) pairs", "(b) digits", "(c) volume", "(d) round"].into_iter().zip(&all.score.tests) {
        let [precision, recall] = [&test.precision, &test.recall].map(|of| shown(&all.score, of));
        writeln!(out, "| {name} | {precision} | {recall} |")?;
    }
    if all.score.undecided > 0 {
        let undecided = number_of(all.score.undecided, "hour");
        writeln!(out, "\nNot labelled: {undecided}, in which too many accounts trade with each other to be searched.")?;
    }
    writeln!(
        out,
        "\nWithheld: fewer than {HOURS_MIN} hours with a round trip, or without one. (b) and (c) are never true here: other venues, volatility \
         and\nopen interest are not in the set."
    )?;
    Ok(())
}

fn area(of: &SignRoc) -> String {
    match of {
        SignRoc::Withheld { linked, clear } => format!("withheld ({linked} with, {clear} without)"),
        SignRoc::Drawn { linked, clear, auc, band_95: (low, high), .. } => {
            format!("{auc:.2} ({low:.2}–{high:.2}; {linked}, {clear})")
        }
    }
}

/// A figure of hours that the detector judges, withheld where there are too few of them.
fn shown(score: &AccountScore, of: &BandedShare) -> String {
    let withheld = || format!("withheld ({} of {})", of.of, of.n);
    if score.alerts_shown { share(of) } else { withheld() }
}

fn share(of: &BandedShare) -> String {
    match of.share.zip(of.wilson_95) {
        Some((p, (low, high))) => {
            let text = format!("{p:.2} ({low:.2}–{high:.2}), {} of {}", of.of, of.n);
            minus(&text)
        }
        None => "— (0 of 0)".to_owned(),
    }
}
