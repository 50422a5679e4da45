//! The words of a page: head, board, data, limits.

use barograph_domain::text::escape_markup;
use barograph_research::train::{StudyRequest, StudySummary, WEIGHTED, embargo_words, lacking};
use serde_json::Value;

fn number(row: &Value, name: &str) -> Option<f64> {
    row.get(name)?.as_f64()
}

/// The rows of a board with every column that this version, or a later one, has written.
fn rows(board: &Value) -> &[Value] {
    let whole = board.get("rows").and_then(Value::as_array).filter(|r| !r.is_empty());
    whole.or_else(|| board.pointer("/board/rows").and_then(Value::as_array)).map_or(&[], Vec::as_slice)
}

/// A column of the board: its key, its heading, factor, decimals and unit.
struct BoardColumn(&'static str, &'static str, f64, usize, &'static str);

/// In the unit of the target, which becomes basis points.
const RMSE: &str = "rmse";

const COLUMNS: [BoardColumn; 26] = [
    BoardColumn("n_test", "n", 1.0, 0, ""),
    BoardColumn("auc", "AUC", 1.0, 3, ""),
    BoardColumn("auc_lo", "AUC 5 %", 1.0, 3, ""),
    BoardColumn("auc_hi", "AUC 95 %", 1.0, 3, ""),
    BoardColumn("auc_pooled", "AUC pooled", 1.0, 3, ""),
    BoardColumn("hold_out_auc", "AUC hold-out", 1.0, 3, ""),
    BoardColumn("macro_f1", "macro F1", 1.0, 3, ""),
    BoardColumn("macro_f1_persistence", "persistence", 1.0, 3, ""),
    BoardColumn("bss_clim", "skill", 1.0, 4, ""),
    BoardColumn("brier", "Brier", 1.0, 4, ""),
    BoardColumn("log_loss", "log loss", 1.0, 4, ""),
    BoardColumn("ece", "ECE", 1.0, 4, ""),
    BoardColumn("ic", "IC", 1.0, 3, ""),
    BoardColumn(RMSE, "RMSE", 1.0, 3, " bp"),
    BoardColumn("r2_oos", "R² oos", 1.0, 4, ""),
    BoardColumn("sharpe_net", "Sharpe net", 1.0, 2, ""),
    BoardColumn("sharpe_gross", "Sharpe gross", 1.0, 2, ""),
    BoardColumn("dsr", "DSR", 1.0, 3, ""),
    BoardColumn("pbo", "PBO", 1.0, 3, ""),
    BoardColumn("turnover", "turnover a day", 1.0, 1, ""),
    BoardColumn("avg_cost_bps", "cost", 1.0, 2, " bp"),
    BoardColumn("break_even_cost_bps", "break-even", 1.0, 2, " bp"),
    BoardColumn("max_drawdown", "largest fall", 100.0, 3, " %"),
    BoardColumn("n_trials", "fits so far", 1.0, 0, ""),
    BoardColumn("fit_s", "fit", 1.0, 2, " s"),
    BoardColumn("size_kb", "size", 1.0, 0, " KiB"),
];

pub(super) fn table(request: &StudyRequest, found: &StudySummary) -> String {
    let rows = rows(&found.board);
    let costs = |row: &Value, key: &str| {
        let model = row["model"].as_str()?;
        number(found.board.get("costs")?.get(model)?, key)
    };
    let value = |row: &Value, key: &str| {
        let own = number(row, key).or_else(|| costs(row, key))?;
        Some(if key == RMSE { own * request.target.bps()? } else { own })
    };
    let shown: Vec<&BoardColumn> =
        COLUMNS.iter().filter(|c| rows.iter().any(|row| value(row, c.0).is_some())).collect();
    let heads: String = shown.iter().map(|c| format!("<th>{}</th>", c.1)).collect();
    let mut body = String::new();
    for row in rows {
        let cells: String = shown
            .iter()
            .map(|BoardColumn(key, _, factor, decimals, unit)| {
                let text = value(row, key)
                    .map_or_else(|| "–".to_owned(), |v| format!("{:.decimals$}{unit}", v * factor).replace('-', "−"));
                format!("<td>{text}</td>")
            })
            .collect();
        body.push_str(&format!(
            "<tr><td>{}</td>{cells}</tr>\n",
            escape_markup(row["model"].as_str().unwrap_or_default())
        ));
    }
    let out = found.board.get("left_out").and_then(Value::as_object).into_iter().flatten();
    let out: String = out
        .map(|(model, why)| {
            format!("<li>{} left out: {}</li>", escape_markup(model), escape_markup(why.as_str().unwrap_or_default()))
        })
        .collect();
    let out = if out.is_empty() { out } else { format!("<ul class=\"note\">{out}</ul>") };
    format!(
        "<div class=\"scroll\"><table>\n<tr><th>model</th>{heads}</tr>\n{body}</table></div>\n<p class=\"note\">Every model is judged on the same \
         rows, by what was learnt before each block. AUC is the mean over blocks with a 90 % block-bootstrap band; skill is the Brier skill against \
         the training frequency. prior, persistence and har cost nothing; shuffled is the control on permuted labels.</p>{out}"
    )
}

const LEARNERS: [&str; 6] = ["linear", "gbm", "lightgbm", "mlp", "ensemble", "regime_gbm"];

pub(super) fn head(request: &StudyRequest, found: &StudySummary) -> String {
    let title = escape_markup(&format!("{} of {}", request.target, request.market));
    let [from, to] = found.span;
    let learner = rows(&found.board).iter().find(|r| r["model"].as_str().is_some_and(|m| LEARNERS.contains(&m)));
    let best = learner.map_or_else(|| "No model that learns could be fitted.".to_owned(), |row| {
        let model = escape_markup(row["model"].as_str().unwrap_or_default());
        let (auc, low, high) = (number(row, "auc"), number(row, "auc_lo"), number(row, "auc_hi"));
        let f1 = number(row, "macro_f1").zip(number(row, "macro_f1_persistence"));
        match (f1, auc, low.zip(high)) {
            (Some((f1, lasting)), ..) => {
                format!("Of the models that learn, {model} ranks first: macro F1 {f1:.3}, persistence {lasting:.3}.")
            }
            (None, Some(auc), Some((low, high))) => {
                let verdict = if low > 0.5 {
                    "above one half"
                } else if high < 0.5 {
                    "below one half"
                } else {
                    "which one half is within"
                };
                format!(
                    "Of the models that learn, {model} ranks first: AUC {auc:.3}, 90 % band {low:.3} to {high:.3}, {verdict}."
                )
            }
            (None, Some(auc), None) => {
                format!("Of the models that learn, {model} ranks first: AUC {auc:.3}, too little data for a band.")
            }
            _ => format!("Of the models that learn, {model} ranks first."),
        }
    });
    let stamp = found.board.get("stamp").and_then(Value::as_str).map_or_else(String::new, |stamp| {
        let why = if stamp == "LEAK SUSPECTED" {
            "the control on permuted labels ranks rows better or worse than chance: nothing here may be believed."
        } else {
            "too little data for the interval of the control on permuted labels: nothing here is shown to be free of leaks."
        };
        format!("<p class=\"stamp\"><b>{}</b>: {why}</p>", escape_markup(stamp))
    });
    let changed = if found.same_data {
        ""
    } else {
        "<p class=\"stamp\"><b>Other data</b>: the lake has changed since the board was made; fit the study again.</p>"
    };
    format!(
        "<h1>{title}</h1>\n<p>{best}</p>\n<p class=\"note\">{from} to {to}, {} test rows in {} blocks, of which {} do not overlap. Nothing here is \
         advice, and no order was placed.</p>\n{stamp}{changed}",
        found.n_test,
        found.folds.len(),
        found.n_eff
    )
}

pub(super) fn data(request: &StudyRequest, found: &StudySummary) -> String {
    let about = &found.board["about"];
    let text = |value: &Value| match value {
        Value::String(s) => s.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    };
    let [from, to] = found.span;
    let mut facts = vec![
        ("market", request.market.to_string()),
        ("range", format!("{from} to {to}, {} of the lake", barograph_domain::text::number_of(found.hours, "hour"))),
        ("rows", format!("{}, {} with a label", text(&about["rows"]), text(&about["labelled"]))),
    ];
    if let Some(why) = about["unlabelled"].as_object().filter(|o| !o.is_empty()) {
        let why: Vec<String> = why.iter().map(|(why, n)| format!("{n}: {why}")).collect();
        facts.push(("without a label", why.join("; ")));
    }
    if let Some(share) = about["zero_share"].as_f64() {
        facts
            .push(("mid did not move", format!("{:.0} %; such rows have no direction and are dropped", 100.0 * share)));
    }
    facts.push(("content digest", text(&about["data_digest"])));
    let embargoes: Vec<f64> =
        found.board["embargo_s"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    facts.push((
        "settings",
        format!(
            "{}{}, preset {}, seed {}, hash {}",
            embargo_words(&request.plan, &embargoes),
            if request.weights.is_even() { String::new() } else { format!(", {WEIGHTED}") },
            text(&found.board["preset"]),
            text(&found.board["seed"]),
            text(&found.board["config_hash"])
        ),
    ));
    let lost = found.gaps.iter().map(|g| g.until - g.from).fold(barograph_domain::Span::ZERO, |a, b| a + b);
    let gaps = if found.gaps.is_empty() {
        "none declared in the books".to_owned()
    } else {
        let shown: Vec<String> =
            found.gaps.iter().take(10).map(|g| format!("{} to {} ({})", g.from, g.until, g.reason)).collect();
        let more = if found.gaps.len() > 10 { "; …" } else { "" };
        format!("{}, {} together: {}{more}", found.gaps.len(), lost.spoken(), shown.join("; "))
    };
    facts.push(("gaps", gaps));
    let dropped = found.board["dropped"].as_object().map_or(0, serde_json::Map::len);
    let inputs = found.board["inputs"].as_array().map_or(0, Vec::len);
    facts.push(("inputs", format!("{inputs} in the last fold; {dropped} columns are none")));
    let rows: String =
        facts.iter().map(|(n, v)| format!("<tr><th>{n}</th><td>{}</td></tr>\n", escape_markup(v))).collect();
    format!("<div class=\"scroll\"><table class=\"facts\">\n{rows}</table></div>")
}

pub(super) fn limits(request: &StudyRequest, found: &StudySummary) -> String {
    let days = (found.span[1] - found.span[0]).as_days_f64();
    let mut limits = vec![
        format!("Anything beyond {} and the {} recorded here: no other market, no other regime.", request.market, length(days)),
        "What the hold-out says, unless the board shows it. Every look at the folds wears them out: the board shows the number of fits."
            .to_owned(),
        "That a column causes anything: importance is what this model goes by, not what moves the price.".to_owned(),
    ];
    for lack in lacking(request, found) {
        let how = match &lack.remedy {
            Ok(command) => format!("it is made by: {command}"),
            Err(why) => why.clone(),
        };
        let example = lack.example.map(|example| format!(" ({example})")).unwrap_or_default();
        limits.push(format!("It is without {}; {how}{example}.", lack.what));
    }
    if found.backtest.is_some() {
        limits.push(
            "That an order would have left the market as it was: recorded books do not answer, and maker fills are not simulated.".to_owned(),
        );
    }
    let items: String = limits.iter().map(|l| format!("<li>{}</li>\n", escape_markup(l))).collect();
    format!("<ul>\n{items}</ul>")
}

fn length(days: f64) -> String {
    barograph_domain::Span::secs(1).times(seconds(days)).spoken()
}

fn seconds(days: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a recording is shorter than the largest whole number of seconds"
    )]
    let seconds = (days * 86_400.0).round() as i64;
    seconds
}
