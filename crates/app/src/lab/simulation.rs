//! What a user's rule was worth, as text and as JSON.

use super::words::{costs_line, line, signed, stretch, thousands};
use crate::failure::Failure;
use crate::signal_words::UsedValues;
use crate::term::{fold, number_of};
use barograph_research::signal_columns::SignalUsed;
use barograph_research::simulation::{SimulationReport, TradeSummary};
use barograph_study::money::funding::FundingCover;
use std::io::Write as _;

pub(crate) fn print(rule: &str, report: &SimulationReport, json: bool) -> Result<(), Failure> {
    if json {
        return line(&serde_json::json!({ "rule": rule, "result": report }));
    }
    let r = report;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}, taker at {} bp a side ({}), {} ms late, {} quote a trade",
        r.market, r.fee_bps, r.tier, r.latency_ms, r.notional
    )?;
    let [long, short, flat] = r.wanted.map(thousands);
    writeln!(
        out,
        "  {}: {} rows, wanted long on {long}, short on {short}, flat on {flat}",
        stretch(r.span),
        thousands(r.rows)
    )?;
    for signal in &r.signals {
        writeln!(out, "{}", fold(&signal_line(signal), 80, "  "))?;
    }
    if r.all.trades == 0 {
        let tried = r.no_book + r.no_depth;
        writeln!(out, "  no round trip; {} found no usable book or not enough in it", number_of(tried, "order"))?;
        return Ok(());
    }
    writeln!(out, "\n                          trades   won     gross      cost       net")?;
    summary(&mut out, "all", &r.all)?;
    summary(&mut out, "long", &r.long)?;
    summary(&mut out, "short", &r.short)?;
    for of in &r.by_label {
        let label = of.label.as_deref().unwrap_or("no label");
        summary(&mut out, &format!("{} {label}", of.axis), &of.trades)?;
    }
    writeln!(out, "basis points a round trip; a label is that known when the entry was decided\n")?;
    writeln!(
        out,
        "all together {} % of the capital, largest fall {:.3} %; costs in quote: {}",
        signed(Some(100.0 * r.net), 3),
        100.0 * r.max_drawdown,
        costs_line(&r.costs, r.funding)
    )?;
    if r.funding != FundingCover::NotDue {
        writeln!(out, "{}", r.funding)?;
    }
    writeln!(
        out,
        "in a position {:.0} % of the time, {:.1} times the capital traded a day, {}",
        100.0 * r.exposure,
        r.turnover,
        number_of(r.days, "UTC day")
    )?;
    let untraded = r.no_book + r.no_depth + r.exits_again;
    if untraded > 0 {
        writeln!(out, "{} found no usable book or not enough in it", number_of(untraded, "order"))?;
    }
    if r.unclosed {
        writeln!(out, "a position is still open at the end, and in no figure")?;
    }
    match (r.sharpe_net, r.sharpe_band, &r.no_sharpe) {
        (Some(sharpe), Some([low, high]), _) => writeln!(
            out,
            "Sharpe after costs {} a year, 90 % band {} to {}; a rule that was fitted to these days shows more than it is worth",
            signed(Some(sharpe), 2),
            signed(Some(low), 2),
            signed(Some(high), 2)
        )?,
        (_, _, Some(why)) => writeln!(out, "no Sharpe ratio: {why}")?,
        _ => {}
    }
    Ok(())
}

/// Which values of a signal the result is made of.
fn signal_line(of: &SignalUsed) -> String {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let values = UsedValues {
        name: &of.name,
        source: &of.source,
        scope: &of.scope,
        revisions: count(of.revisions),
        stated: count(of.stated),
        assumed: count(of.assumed),
        digest: &of.digest,
    };
    values.sentence(&format!("present on {} rows", thousands(of.rows)))
}

fn summary(out: &mut impl std::io::Write, what: &str, of: &TradeSummary) -> std::io::Result<()> {
    let won = of.won.map_or_else(|| "–".to_owned(), |w| format!("{:.0} %", 100.0 * w));
    writeln!(
        out,
        "{what:26}{:>6} {won:>5} {:>9} {:>9} {:>9}",
        of.trades,
        signed(of.gross_bps, 2),
        signed(of.cost_bps, 2).trim_start_matches('+'),
        signed(of.net_bps, 2)
    )
}
