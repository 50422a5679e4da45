//! An execution study as text and as JSON.

use super::words::{cell, length, line, signed, stretch, thousands};
use crate::failure::Failure;
use crate::term::number_of;
use barograph_research::execution::{ExecutionPolicyRow, ExecutionReport, ExecutionRequest};
use barograph_study::money::execution::PARENTS_MIN;
use std::io::Write as _;

pub(crate) fn print(request: &ExecutionRequest, report: &ExecutionReport, json: bool) -> Result<(), Failure> {
    if json {
        return line(report);
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}: orders of {} quote, each done in {}, parts each {}, {:.0} ms late",
        report.market,
        report.quote,
        length(report.horizon_s),
        length(report.grid_s),
        report.latency_ms
    )?;
    writeln!(
        out,
        "  {} of {} measured, {}",
        thousands(report.measured),
        number_of(report.parents, "order"),
        stretch(report.span)
    )?;
    for (why, n) in &report.left_out {
        writeln!(out, "  {n} left out: {why}")?;
    }
    let by = match report.prediction.as_str() {
        "persistence" => "to stay as it is".to_owned(),
        model => format!("by {model}, out of fold"),
    };
    writeln!(out, "  signal trades where a cost is below its running median; the cost is predicted {by}\n")?;
    writeln!(out, "{:19}     twap immediate   signal", "mean of all orders")?;
    type Figure = (&'static str, fn(&ExecutionPolicyRow) -> Option<f64>, usize);
    let figures: [Figure; 9] = [
        ("shortfall, bp", |p| p.shortfall_bps, 2),
        ("vs TWAP, bp", |p| p.vs_twap_bps, 2),
        ("vs VWAP, bp", |p| p.vs_vwap_bps, 2),
        ("temporary, bp", |p| p.temporary_bps, 2),
        ("permanent, bp", |p| p.permanent_bps, 2),
        ("market moved, bp", |p| p.impact_bps, 2),
        ("filled, %", |p| p.fill_ratio.map(|r| 100.0 * r), 1),
        ("of the volume, %", |p| p.participation.map(|r| 100.0 * r), 2),
        ("shortfall / λ", |p| p.shortfall_per_lambda, 2),
    ];
    for (what, figure, decimals) in figures {
        let cells: String = report.policies.iter().map(|p| cell(figure(p), decimals, 9)).collect();
        // Shares have no sign.
        let cells = if what.contains('%') { cells.replace('+', " ") } else { cells };
        writeln!(out, "{what:19}{cells}")?;
    }
    writeln!(
        out,
        "\nbp: basis points of the price. Plus is a cost to whoever executes, a buyer who pays more as well as a seller who gets less; minus is a \
         gain.\nShortfall is the mean fill against the mid at the decision; temporary against the mid at each fill; permanent is where the mid is \
         five minutes after;\nshortfall / λ is the shortfall in multiples of what Kyle's λ says of the size. What the market moved it did anyway, \
         because recorded books do not answer."
    )?;
    for policy in report.policies.iter().filter(|p| p.policy != "twap") {
        match (policy.against_twap_bps, policy.against_twap_band, &policy.no_comparison) {
            (Some(mean), Some([low, high]), _) => {
                let shown = if high < 0.0 {
                    "better"
                } else if low > 0.0 {
                    "worse"
                } else {
                    "nothing shown"
                };
                writeln!(
                    out,
                    "{} against twap on the same orders: {} bp, 90 % band {} to {}: {shown}",
                    policy.policy,
                    signed(Some(mean), 3),
                    signed(Some(low), 3),
                    signed(Some(high), 3)
                )?;
            }
            (_, _, Some(why)) => {
                let needed = request.every.times(i64::try_from(PARENTS_MIN).unwrap_or(i64::MAX));
                writeln!(
                    out,
                    "{} against twap: not decided, {why}; {} of recording hold as many",
                    policy.policy,
                    needed.spoken()
                )?;
            }
            _ => {}
        }
    }
    Ok(())
}
