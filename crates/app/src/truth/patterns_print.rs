//! Tables of injected truth, and a line of JSON for each of their rows.

use crate::failure::Failure;
use crate::term::{minute, number_of};
use barograph_domain::{InstrumentName, Pattern, Span};
use barograph_verify::injected::EPISODES_MIN;
use barograph_verify::injected::recorded::{DetectorBackground, RecordedReport, RecordedRow, RunShortfall};
use barograph_verify::injected::score::band;
use barograph_verify::injected::table::{EPISODES_SHOWN, FigureUse, HEAD, TruthRow};
use serde_json::{Value, json};
use std::io::Write as _;

/// Of a shorter time of judging no rate is given: what is left of a day behind the first six hours.
const RATE_MIN: Span = Span::hours(18);

pub(super) fn head(json: bool) -> Result<(), Failure> {
    if !json {
        writeln!(std::io::stdout().lock(), "{HEAD}")?;
    }
    Ok(())
}

/// A share with its interval; `null` where it is none or too few stand behind it.
fn shared(share: Option<f64>, n: usize) -> (Value, Value) {
    share.map_or((Value::Null, Value::Null), |p| (json!(p), json!(band(p, n))))
}

fn fields(row: &TruthRow) -> Value {
    let (s, figures) = (&row.score, row.figures());
    let some = |share: Option<f64>| share.filter(|_| figures != FigureUse::Withheld);
    let (recall, recall_95) = shared(some(s.recall()), s.injections);
    let (strict, strict_95) = shared(some(s.precision()), s.alerts_matched + s.false_alerts);
    let [fired, look_alikes] = row.look_alikes;
    json!({
        "kind": "injected", "pattern": row.pattern.name(), "class": row.class, "intensity": row.intensity,
        "injections": s.injections, "figures": figures.name(), "matched": s.matched, "recall": recall, "recall_95": recall_95,
        "precision_strict": strict, "precision_strict_95": strict_95, "precision_lenient": some(s.lenient()),
        "alerts_matched": s.alerts_matched, "false_alerts": s.false_alerts, "background": s.background,
        "matched_untouched": s.matched_untouched, "lead_median_s": some(s.lead(0.5)), "lead_p90_s": some(s.lead(0.9)),
        "look_alikes": look_alikes, "look_alikes_fired": fired,
    })
}

pub(super) fn made_row(row: &TruthRow, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", fields(row))?
    } else {
        writeln!(out, "{row}")?
    }
    // A table of minutes is read while it grows.
    out.flush()?;
    Ok(())
}

const ABOUT_FEW: &str =
    "few: fewer than 100 episodes, so read each figure with its interval; below 10 the counts stand alone.";

pub(super) fn made_foot(few: bool, json: bool) -> Result<(), Failure> {
    if !json {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nMarkets are made by a seed and have hardly any background: precision is an upper bound.")?;
        if few {
            writeln!(out, "{ABOUT_FEW}")?;
        }
    }
    Ok(())
}

/// What a detector wants before it judges.
const fn wants(pattern: Pattern) -> &'static str {
    match pattern {
        Pattern::WashTrading => "it wants 24 whole hours of trades, and 200 trades in the hour",
        Pattern::PumpAndDump => "it wants 7 days of book and trades",
        Pattern::FundingWindowPressure => "it wants premiums and fundings, which no recording of books and trades has",
        _ => "it wants 6 h of book and trades, and half of the book's updates within 250 ms",
    }
}

/// Alerts a day, or why there is no such number.
fn rate(of: &DetectorBackground) -> Result<f64, String> {
    if of.judged <= Span::ZERO {
        Err(format!("withheld: {}", wants(of.pattern)))
    } else if of.judged < RATE_MIN {
        Err(format!("withheld: judged for less than {}", RATE_MIN.spoken()))
    } else {
        Ok(of.per_day())
    }
}

fn background_line(of: &DetectorBackground, market: &InstrumentName) -> Value {
    let (per_day, why) = match rate(of) {
        Ok(rate) => (json!(rate), Value::Null),
        Err(why) => (Value::Null, json!(why)),
    };
    json!({
        "kind": "background", "pattern": of.pattern.name(), "market": market.to_string(), "judged_s": of.judged.as_secs(),
        "alerts": of.alerts, "alerts_per_day": per_day, "withheld": why,
    })
}

fn with_shortfall(row: &RecordedRow) -> Value {
    let mut line = fields(&row.row);
    if let Value::Object(line) = &mut line {
        let RunShortfall { interrupted, not_made, posts, out_of_sight } = row.shortfall;
        let more = json!({
            "interrupted": interrupted, "not_made": not_made, "orders": posts, "orders_out_of_sight": out_of_sight,
            "look_alikes_not_made": row.like_shortfall.not_made,
        });
        line.extend(more.as_object().cloned().unwrap_or_default());
    }
    line
}

pub(super) fn recorded(
    market: &InstrumentName,
    (report, asked): (&RecordedReport, &[Pattern]),
    troubles: &[String],
    json: bool,
) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let judged = report.background.iter().any(|of| of.judged > Span::ZERO);
    if json {
        let span = report.span.map(|(from, to)| [from, to]);
        let line = json!({
            "kind": "recording", "market": market.to_string(), "span": span, "states": report.states, "trades": report.trades,
            "book_known_s": report.known.as_secs(), "slow_share": report.slow, "troubles": troubles,
        });
        writeln!(out, "{line}")?;
        for of in &report.background {
            writeln!(out, "{}", background_line(of, market))?;
        }
        for row in report.rows.iter().filter(|_| judged) {
            writeln!(out, "{}", with_shortfall(row))?;
        }
        return Ok(());
    }
    for trouble in troubles {
        writeln!(out, "{trouble}")?;
    }
    if let Some((from, to)) = report.span {
        let (known, trades) = (report.known.spoken(), report.trades);
        writeln!(
            out,
            "{market}, {} to {}: book known for {known}, in {} states with {trades} trades\n",
            minute(from),
            minute(to),
            report.states
        )?;
    }
    if !judged {
        return Ok(());
    }
    writeln!(out, "Untouched, every alert is a false one as far as anybody knows:\n")?;
    writeln!(out, "| detector | judged | alerts | a day |\n|---|---|---|---|")?;
    for of in &report.background {
        let rate = rate(of).map_or_else(|why| why, |rate| format!("{rate:.1}"));
        writeln!(out, "| `{}` | {} | {} | {rate} |", of.pattern.name(), of.judged.spoken(), of.alerts)?;
    }
    if report.rows.is_empty() {
        return Ok(writeln!(out, "\nNothing is laid over it for what was asked.")?);
    }
    writeln!(out, "\nWith episodes laid over it:\n\n{HEAD}")?;
    for row in &report.rows {
        writeln!(out, "{}", row.row)?;
    }
    writeln!(out)?;
    for note in notes(report, asked) {
        writeln!(out, "{note}")?;
    }
    Ok(())
}

/// What has to be known to read the figures.
fn notes(report: &RecordedReport, asked: &[Pattern]) -> Vec<String> {
    let mut notes = Vec::new();
    let figures = |of: FigureUse| report.rows.iter().any(|row| row.row.figures() == of);
    if figures(FigureUse::Few) {
        notes.push(ABOUT_FEW.to_owned());
    }
    if figures(FigureUse::Withheld) {
        notes.push(format!(
            "withheld: fewer than {EPISODES_SHOWN} episodes could be laid over it; {EPISODES_MIN} are asked for."
        ));
    }
    for pattern in asked {
        notes.extend(notes_of(*pattern, report));
    }
    notes
}

fn notes_of(pattern: Pattern, report: &RecordedReport) -> Vec<String> {
    let (mut notes, name) = (Vec::new(), pattern.name());
    let rows: Vec<&RecordedRow> = report.rows.iter().filter(|row| row.row.pattern == pattern).collect();
    let Some(first) = rows.first() else { return notes };
    if rows.iter().all(|row| row.row.score.injections == 0) {
        notes.push(format!("{name}: no episode could be laid over it; {}.", wants(pattern)));
    }
    let most = |of: fn(&RecordedRow) -> usize| rows.iter().map(|row| of(row)).max().unwrap_or(0);
    let interrupted = most(|row| row.shortfall.interrupted);
    if interrupted > 0 {
        let n = number_of(interrupted, "episode");
        notes.push(format!("{name}: {n} of a run broke off with the recording and counted for nothing."));
    }
    let like = first.like_shortfall.not_made;
    if like > 0 {
        let n = number_of(like, "look-alike");
        notes.push(format!("{name}: {n} waited for the price to move; it did not, and they are not counted."));
    }
    let (posts, hidden) = (most(|row| row.shortfall.posts), most(|row| row.shortfall.out_of_sight));
    if hidden > 0 {
        notes.push(format!(
            "{name}: up to {hidden} of {posts} orders of a run lay behind the last level that the recording knows, out of sight."
        ));
    }
    let chance = most(|row| row.row.score.matched_untouched);
    if chance > 0 {
        notes.push(format!(
            "{name}: in up to {chance} of the episodes that were found, the untouched recording has an alert as well: chance is part of the recall."
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_verify::injected::TruthScore;

    fn row(injections: usize, shortfall: RunShortfall, matched_untouched: usize) -> RecordedRow {
        let score = TruthScore { injections, matched: injections / 2, matched_untouched, ..TruthScore::default() };
        let (pattern, class) = (Pattern::Spoofing, "binance-usdm:BTCUSDT".to_owned());
        let row = TruthRow { pattern, class, intensity: 2.0, score, look_alikes: [0, 3] };
        let like_shortfall = RunShortfall { not_made: 2, ..RunShortfall::default() };
        RecordedRow { row, injections: Vec::new(), sides: [0; 2], shortfall, like_shortfall }
    }

    /// Nothing that makes a figure weaker is silent.
    #[test]
    fn what_weakens_a_figure_is_stated() {
        let shortfall = RunShortfall { interrupted: 1, not_made: 0, posts: 40, out_of_sight: 8 };
        let cases = [
            (row(120, RunShortfall::default(), 0), vec!["2 look-alikes waited"]),
            (
                row(40, shortfall, 3),
                vec!["few: fewer than 100", "1 episode of a run broke off", "8 of 40 orders", "in up to 3 of"],
            ),
            (row(5, RunShortfall::default(), 0), vec!["withheld: fewer than 10", "100 are asked for"]),
            (row(0, RunShortfall::default(), 0), vec!["no episode could be laid over it; it wants 6 h"]),
        ];
        for (row, wanted) in cases {
            let (background, rows) = (Vec::new(), vec![row]);
            let (states, trades, known) = (9, 9, Span::hours(30));
            let report = RecordedReport { span: None, states, trades, known, slow: 0.0, background, rows };
            let said = notes(&report, &[Pattern::Spoofing]);
            for part in wanted {
                assert!(said.iter().any(|note| note.contains(part)), "{part}: {said:?}");
            }
            for note in said {
                assert!(barograph_testkit::faults(&note.replace("SPOOFING: ", "")).is_empty(), "{note}");
            }
        }
    }

    /// No rate of a detector that could not judge, or hardly.
    #[test]
    fn a_rate_wants_most_of_a_day() {
        for (hours, alerts, want) in [(0, 0, None), (17, 4, None), (18, 3, Some(4.0)), (48, 1, Some(0.5))] {
            let of = DetectorBackground { pattern: Pattern::Layering, judged: Span::hours(hours), alerts };
            let got = rate(&of);
            assert_eq!(
                got.as_ref().ok().map(|r| (100.0 * r).round()),
                want.map(|r: f64| (100.0 * r).round()),
                "{got:?}"
            );
            assert!(got.is_ok() || got.is_err_and(|why| why.starts_with("withheld: ")));
        }
    }
}
