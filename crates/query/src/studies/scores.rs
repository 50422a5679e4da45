//! Scores of a board by their names.

use super::pick::text;
use barograph_api::studies::LabModelRow;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The order in which scores are shown (research §5); others stand behind these.
const ORDER: [&str; 37] = [
    "n_test",
    "n_folds",
    "auc",
    "auc_lo",
    "auc_hi",
    "auc_pooled",
    "bss_clim",
    "brier",
    "log_loss",
    "ece",
    "macro_f1",
    "macro_f1_gain",
    "macro_f1_gain_low",
    "macro_f1_gain_high",
    "macro_f1_persistence",
    "r2_oos",
    "ic",
    "rmse",
    "sharpe_net",
    "sharpe_net_lo",
    "sharpe_net_hi",
    "sharpe_gross",
    "dsr",
    "dsr_effective",
    "pbo",
    "net_bps",
    "avg_cost_bps",
    "break_even_cost_bps",
    "turnover",
    "max_drawdown",
    "trades",
    "n_trials",
    "fit_s",
    "predict_us_row",
    "size_kb",
    "seed",
    "control_half_width",
];
/// What of a board is no score of it.
const ELSEWHERE: [&str; 10] =
    ["about", "plan", "board", "rows", "seed", "embargo_s", "left_out", "dropped", "inputs", "unlabelled"];
/// Name of the control on permuted labels.
pub(super) const CONTROL: &str = "shuffled";

/// Models in the order of the board, each with its numbers.
pub(super) fn models(board: &Value) -> Vec<LabModelRow> {
    let rows = board["board"]["rows"].as_array().into_iter().flatten();
    let row = |row: &Value| {
        let model = text(row, "model")?;
        let mut scores = BTreeMap::new();
        flatten(row.as_object()?, None, &mut scores);
        for (_, each) in by_model(board, &names(board)) {
            if let Some(more) = each.get(&model).and_then(Value::as_object) {
                flatten(more, None, &mut scores);
            }
        }
        Some(LabModelRow { is_control: model == CONTROL, model, scores })
    };
    rows.filter_map(row).collect()
}

fn names(board: &Value) -> BTreeSet<String> {
    board["board"]["rows"].as_array().into_iter().flatten().filter_map(|row| text(row, "model")).collect()
}

/// Tables of the board that have numbers of each model, as that of costs has; that of money has them as its rows.
fn by_model<'a>(board: &'a Value, models: &BTreeSet<String>) -> Vec<(&'a String, &'a Map<String, Value>)> {
    let whole = [board, &board["board"]].into_iter().filter_map(Value::as_object).flatten();
    let tables = whole.filter(|(name, _)| !ELSEWHERE.contains(&name.as_str()));
    let tables = tables.filter_map(|(name, table)| Some((name, table.get("rows").unwrap_or(table).as_object()?)));
    tables.filter(|(_, table)| table.iter().any(|(model, of)| models.contains(model) && of.is_object())).collect()
}

/// Numbers of the board as a whole; what the rows of a table have in common is among them.
pub(super) fn figures(board: &Value) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    let names = names(board);
    let of_models: Vec<&String> = by_model(board, &names).into_iter().map(|(name, _)| name).collect();
    for (name, value) in [board, &board["board"]].into_iter().filter_map(Value::as_object).flatten() {
        if ELSEWHERE.contains(&name.as_str()) {
            continue;
        }
        match value.as_object().filter(|table| table.contains_key("rows")) {
            Some(table) => {
                let common = table.iter().filter(|(inner, _)| *inner != "rows");
                flatten(&common.map(|(inner, value)| (inner.clone(), value.clone())).collect(), None, &mut found);
            }
            None if of_models.contains(&name) => {}
            None => flatten(&Map::from_iter([(name.clone(), value.clone())]), None, &mut found),
        }
    }
    found
}

/// Numbers under their names; what stands inside another has both names, what is one of a few its place. The value of a reading with a
/// band has the name of the reading.
fn flatten(of: &Map<String, Value>, within: Option<&str>, into: &mut BTreeMap<String, f64>) {
    for (name, value) in of {
        let name = match within {
            Some(outer) if name == "value" => outer.to_owned(),
            Some(outer) => format!("{outer}_{name}"),
            None => name.clone(),
        };
        match value {
            Value::Number(n) => into.extend(n.as_f64().map(|n| (name, n))),
            Value::Array(some) if some.len() == 2 && name.ends_with("band") => {
                let name = match name.trim_end_matches("band").trim_end_matches('_') {
                    // The files name the band of the net Sharpe ratio without its `net`.
                    "sharpe" => "sharpe_net",
                    name => name,
                };
                let ends = ["lo", "hi"].into_iter().zip(some);
                into.extend(ends.filter_map(|(end, v)| Some((format!("{name}_{end}"), v.as_f64()?))));
            }
            Value::Array(some) if some.len() <= 3 => {
                let places = some.iter().enumerate();
                into.extend(places.filter_map(|(at, v)| Some((format!("{name}_{at}"), v.as_f64()?))));
            }
            Value::Object(inner) if within.is_none() => flatten(inner, Some(&name), into),
            _ => {}
        }
    }
}

/// Names of the scores that any of these has, in the order in which they are shown.
pub(super) fn columns(models: &[LabModelRow]) -> Vec<String> {
    let there: BTreeSet<&String> = models.iter().flat_map(|m| m.scores.keys()).collect();
    let known = ORDER.iter().filter(|name| there.contains(&(**name).to_owned())).map(|name| (*name).to_owned());
    let others = there.iter().filter(|name| !ORDER.contains(&name.as_str())).map(|name| (*name).clone());
    known.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scores_that_a_later_build_adds_are_shown_without_a_change_here() {
        let board = json!({
            "about": {"rows": 5}, "seed": 1, "earlier_runs": 2, "preset": "quick",
            "costs": {"gbm": {"fit_s": 1.5}},
            "money": {"tier": "VIP0", "fee_bps": 5.0, "funding": {"state": "known", "settlements": 3}, "pbo": 0.25, "no_pbo": null, "rows": {
                "gbm": {"sharpe_net": 0.5, "sharpe_band": [-1.0, 2.0], "no_sharpe": null, "dsr": 0.7, "dsr_effective": 0.8, "delta": [0.1, 0.2]}}},
            "rows": [{"model": "gbm", "target": "dir_5s", "auc": 0.5, "sharpe_net": 0.5}],
            "board": {"task": "binary", "leak": "clean", "rows": [
                {"model": "gbm", "n_test": 10, "auc": 0.5, "brier": null, "novel": 3, "macro_f1_gain": {"value": 0.1, "low": 0.0, "high": 0.2}, "f1_by_class": [0.1, 0.2, 0.3]},
                {"model": "shuffled", "n_test": 10, "auc": 0.5}]}});
        let rows = models(&board);
        assert_eq!(
            rows.iter().map(|r| (r.model.as_str(), r.is_control)).collect::<Vec<_>>(),
            [("gbm", false), ("shuffled", true)]
        );
        let of = |name: &str| rows[0].scores.get(name).copied();
        assert_eq!(
            [of("fit_s"), of("sharpe_net"), of("sharpe_net_lo"), of("sharpe_net_hi"), of("dsr_effective")],
            [Some(1.5), Some(0.5), Some(-1.0), Some(2.0), Some(0.8)]
        );
        assert_eq!(
            (of("macro_f1_gain"), of("macro_f1_gain_high"), of("f1_by_class_2"), of("brier")),
            (Some(0.1), Some(0.2), Some(0.3), None)
        );
        let shown = columns(&rows);
        assert_eq!(
            (shown.first().map(String::as_str), shown.last().map(String::as_str)),
            (Some("n_test"), Some("novel"))
        );
        assert!(!shown.contains(&"brier".to_owned()), "{shown:?}");
        assert!(shown.iter().position(|c| c == "dsr_effective") < shown.iter().position(|c| c == "fit_s"), "{shown:?}");
        let whole = [("earlier_runs", 2.0), ("fee_bps", 5.0), ("funding_settlements", 3.0), ("pbo", 0.25)];
        assert_eq!(figures(&board), whole.map(|(name, value)| (name.to_owned(), value)).into());
    }
}
