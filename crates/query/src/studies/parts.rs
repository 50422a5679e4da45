//! What stands beside a board in the folder of a study: reliability, importance, folds, a back-test.

use super::pick::{count, number, numbers, pair, span, text, texts};
use barograph_api::studies::{
    LabBacktest, LabEquityPoint, LabFold, LabFoldMap, LabImportance, LabInput, LabRegimeImportance, LabReliability,
};
use serde_json::Value;

/// Columns and groups shown at most.
const INPUTS_MAX: usize = 40;
/// Points of an equity curve at most.
const POINTS_MAX: usize = 500;
/// Stretches of rows that are closer than this share of all rows are drawn as one: a third of a pixel of a wide screen.
const MAP_STEPS: u64 = 400;

pub(super) fn reliability(of: &Value) -> Vec<LabReliability> {
    let row = |row: &Value| {
        let list = |field: &str| row[field].as_array().into_iter().flatten().cloned();
        let read = |v: Value| serde_json::from_value(v).ok();
        let reliability: Vec<_> = list("reliability").filter_map(read).collect();
        let curve = list("curve").filter_map(|v| serde_json::from_value(v).ok()).collect();
        let found = LabReliability { model: text(row, "model")?, class: count(row, "class"), reliability, curve };
        (!found.reliability.is_empty()).then_some(found)
    };
    of["models"].as_array().into_iter().flatten().filter_map(row).collect()
}

pub(super) fn importance(of: &Value) -> Option<LabImportance> {
    let regime = |of: &Value| {
        Some(LabRegimeImportance {
            regime: text(of, "regime")?,
            rows: rows(of, "rows")?,
            columns: inputs(of, "columns"),
            groups: inputs(of, "groups"),
        })
    };
    Some(LabImportance {
        model: text(of, "model")?,
        rows: rows(of, "sample_rows")?,
        columns: inputs(of, "columns"),
        groups: inputs(of, "groups"),
        judged: of["columns"].as_array().map_or(0, |all| all.len() as u64),
        regimes: of["regimes"].as_array().into_iter().flatten().filter_map(regime).collect(),
    })
}

/// Rows of all folds together.
fn rows(of: &Value, field: &str) -> Option<u64> {
    Some(of[field].as_array()?.iter().filter_map(Value::as_u64).sum())
}

fn inputs(of: &Value, field: &str) -> Vec<LabInput> {
    let all = of[field].as_array().into_iter().flatten();
    all.take(INPUTS_MAX).filter_map(|row| input(row, &of["mean_abs_shap"])).collect()
}

fn input(row: &Value, shap: &Value) -> Option<LabInput> {
    let columns = texts(&row["columns"]);
    let shap = match columns.as_slice() {
        [] => return None,
        [one] => number(shap, one),
        _ => None,
    };
    let by_fold = numbers(&row["by_fold"]);
    Some(LabInput { columns, increase: number(row, "increase")?, band: pair(&row["band"]), by_fold, shap })
}

pub(super) fn fold_map(of: &Value) -> Option<LabFoldMap> {
    let rows = count(of, "frame_rows")?;
    let folds: Vec<LabFold> = of["folds"].as_array()?.iter().filter_map(|f| fold(f, rows)).collect();
    let ends = |runs: &[[u64; 2]]| runs.iter().map(|run| run[1]).max();
    let last = folds.iter().flat_map(|f| [ends(&f.fit), ends(&f.tune), ends(&f.test)]).flatten().max();
    let hold_out_from = text(of, "hold_out_from");
    let hold_out_row = last.filter(|row| hold_out_from.is_some() && *row < rows);
    Some(LabFoldMap { rows, folds, hold_out_from, hold_out_row })
}

fn fold(of: &Value, rows: u64) -> Option<LabFold> {
    let parts = [&of["learn"]["fit"], &of["learn"]["tune"], &of["test"]].map(runs);
    let counts = [0, 1, 2].map(|at: usize| parts[at].iter().map(|[from, to]| to.saturating_sub(*from)).sum());
    let [fit, tune, test] = parts.map(|runs| drawn(&runs, rows));
    let ends = Value::Array(vec![of["test_from"].clone(), of["test_to"].clone()]);
    Some(LabFold { number: count(of, "number")?, test_span: span(&ends), fit, tune, test, counts })
}

fn runs(of: &Value) -> Vec<[u64; 2]> {
    let run = |run: &Value| match run.as_array()?.as_slice() {
        [from, to] => Some([from.as_u64()?, to.as_u64()?]),
        _ => None,
    };
    of.as_array().into_iter().flatten().filter_map(run).collect()
}

/// Stretches as they are drawn: with the small holes of rows that have no label filled.
fn drawn(runs: &[[u64; 2]], rows: u64) -> Vec<[u64; 2]> {
    let mut found: Vec<[u64; 2]> = Vec::new();
    for [from, to] in runs {
        match found.last_mut() {
            Some(last) if from.saturating_sub(last[1]) <= rows / MAP_STEPS => last[1] = last[1].max(*to),
            _ => found.push([*from, *to]),
        }
    }
    found
}

pub(super) fn backtest(of: &Value) -> Option<LabBacktest> {
    let mut figures = std::collections::BTreeMap::new();
    for (name, value) in of.as_object()? {
        figures.extend(value.as_f64().map(|v| (name.clone(), v)));
    }
    if let Some([low, high]) = pair(&of["sharpe_band"]) {
        figures.extend([("sharpe_net_lo".to_owned(), low), ("sharpe_net_hi".to_owned(), high)]);
    }
    let all: Vec<LabEquityPoint> = of["equity"].as_array().into_iter().flatten().filter_map(point).collect();
    let every = all.len().div_ceil(POINTS_MAX).max(1);
    let last = all.len().saturating_sub(1);
    let equity = all.into_iter().enumerate().filter(|(at, _)| *at == last || at % every == 0).map(|(_, p)| p).collect();
    let no_sharpe = text(of, "no_sharpe");
    Some(LabBacktest { model: text(of, "model")?, tier: text(of, "tier"), figures, no_sharpe, equity })
}

fn point(of: &Value) -> Option<LabEquityPoint> {
    match of.as_array()?.as_slice() {
        [at, net] => Some(LabEquityPoint { at: at.as_str()?.to_owned(), net: net.as_f64()? }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_map_of_many_short_stretches_is_drawn_in_few() {
        let short: Vec<[u64; 2]> = (0..4_000).map(|n| [2 * n, 2 * n + 1]).collect();
        let sheet = json!({"frame_rows": 10_000, "hold_out_from": "2026-01-02T00:00:00Z", "folds": [
            {"number": 1, "test_from": "2026-01-01T00:00:00Z", "test_to": "2026-01-01T01:00:00Z", "learn": {"fit": short, "tune": [[8_100, 8_200]]}, "test": [[8_500, 9_000]]},
            {"learn": {}}]});
        let map = fold_map(&sheet).unwrap();
        assert_eq!((map.folds.len(), map.hold_out_row), (1, Some(9_000)));
        let fold = &map.folds[0];
        assert_eq!((fold.fit.as_slice(), fold.counts), ([[0, 7_999]].as_slice(), [4_000, 100, 500]));
        assert_eq!(fold_map(&json!({"folds": []})), None);
    }

    #[test]
    fn an_equity_curve_is_thinned_and_keeps_its_end() {
        let equity: Vec<(String, f64)> = (0..1_201).map(|n| (format!("t{n}"), f64::from(n))).collect();
        let got = backtest(&json!({"model": "gbm", "tier": "VIP0", "trades": 1_201, "sharpe_net": null, "sharpe_band": [-1.0, 1.0], "equity": equity})).unwrap();
        assert!(
            got.equity.len() <= POINTS_MAX + 1 && got.equity.last().is_some_and(|p| p.at == "t1200"),
            "{}",
            got.equity.len()
        );
        assert_eq!(
            (got.figures.get("trades"), got.figures.get("sharpe_net"), got.figures.get("sharpe_net_hi")),
            (Some(&1_201.0), None, Some(&1.0))
        );
        assert!(backtest(&json!({"trades": 1})).is_none(), "a report is of a model");
    }
}
