//! What somebody's calls of direction were worth.

use super::super::arrow::Table;
use super::super::convert::{positive, wire, wrong};
use super::asked::{length, market, of_lab, refused};
use super::frame::{TIME, found, instants, required, shown};
use super::read::markets;
use barograph_research::train::worth_of_calls;
use barograph_study::money::backtest::{HoldRule, UpProbability};
use barograph_study::money::blotter::TradeTerms;
use barograph_study::money::fees::TakerFee;
use barograph_study::money::report::TradeReport;
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A row of a market is known this long after its second (features §7).
const KNOWN_AFTER: barograph_domain::Span = barograph_research::dataset::CLOSE_AFTER;

/// Trades probabilities of a rise through the recorded book: `calls` has `known_ts` (or `ts`, the end of a second, known 200 ms later) and
/// `p_up`.
#[pyfunction]
#[pyo3(signature = (lake, of, calls, horizon, tier, fee_bps, *, delta, notional, latency_ms, renewed))]
#[expect(
    clippy::too_many_arguments,
    clippy::needless_pass_by_value,
    reason = "terms, which Python names word by word; paths arrive owned"
)]
pub(super) fn traded_calls<'py>(
    py: Python<'py>,
    lake: PathBuf,
    of: &str,
    calls: &Bound<'py, PyAny>,
    horizon: &Bound<'py, PyAny>,
    tier: &str,
    fee_bps: f64,
    delta: f64,
    notional: f64,
    latency_ms: u32,
    renewed: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let of = market(of, || markets(&lake))?;
    let calls = calls_of(calls)?;
    if !(0.0..0.5).contains(&delta) {
        return Err(wrong(format!("delta is {delta}: it must be at least 0 and below 0.5")));
    }
    let terms = TradeTerms {
        fee: TakerFee::new(tier, fee_bps).map_err(refused)?,
        notional: positive("notional", notional)?,
        latency: barograph_domain::Span::millis(i64::from(latency_ms)),
    };
    let holding = HoldRule { horizon: length(horizon)?, renewed };
    let report = py.detach(|| worth_of_calls(&lake, &of, &calls, (holding, delta), &terms)).map_err(of_lab)?;
    wire(py, &view(&report, calls.len()))
}

fn calls_of(calls: &Bound<'_, PyAny>) -> PyResult<Vec<UpProbability>> {
    let table = Table::of(calls)?;
    let names = table.names();
    let known = match (names.iter().any(|n| n == "known_ts"), found(&names, &TIME)) {
        (true, _) => instants(&table, "known_ts")?,
        (false, Some(time)) => instants(&table, time)?.into_iter().map(|t| t + KNOWN_AFTER).collect(),
        (false, None) => {
            return Err(wrong(format!("calls have no column 'known_ts' or 'ts': they have {}", shown(&names))));
        }
    };
    if !names.iter().any(|n| n == "p_up") {
        return Err(wrong(format!(
            "calls have no column 'p_up', the probability of a rise: they have {}",
            shown(&names)
        )));
    }
    let of = |(row, (known_ts, p)): (usize, (barograph_domain::Ts, Option<f64>))| {
        let p_up = p.filter(|p| (0.0..=1.0).contains(p));
        let p_up = p_up.ok_or_else(|| wrong(format!("p_up of row {row} is no probability")))?;
        Ok(UpProbability { known_ts, p_up })
    };
    known.into_iter().zip(required(&table, "p_up")?).enumerate().map(of).collect()
}

fn view(report: &TradeReport, rows: usize) -> Value {
    let sharpe = report.sharpe_net();
    let untraded = &report.untraded;
    let equity: Vec<Value> =
        report.equity().into_iter().map(|p| json!({ "ts": p.at.to_string(), "net": p.net })).collect();
    json!({
        "tier": report.terms.fee.tier(), "fee_bps": report.terms.fee.on(1e4), "notional": report.terms.notional,
        "latency_ms": 1e3 * report.terms.latency.as_secs_f64(), "rows": rows, "trades": report.trips.len(),
        "untraded": untraded.entries_no_book + untraded.entries_depth + untraded.exits, "unclosed": report.unclosed,
        "break_even_cost_bps": report.break_even_cost_bps(), "avg_cost_bps": report.avg_cost_bps(), "net_bps": report.net_bps(),
        "costs": {
            "spread": report.costs.spread, "impact": report.costs.impact, "fees": report.costs.fees, "funding": report.costs.funding,
        },
        "net": report.net(), "max_drawdown": report.max_drawdown(), "turnover": report.turnover, "exposure": report.exposure,
        "days": report.daily_net.len(), "sharpe_net": sharpe.as_ref().ok(), "no_sharpe": sharpe.as_ref().err().map(ToString::to_string),
        "equity": equity,
    })
}
