//! What every field of an answer holds, and every argument: a list of what may be shown. What is not on it is left out, and a test
//! over all tools finds what is missing here.

use serde_json::Value;

/// What a field holds, as far as a mask is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FieldKind {
    /// Ratios, rates, counts, lengths of time and words of the program: the same whatever the market.
    Plain,
    /// The same in an object whose names of fields are words of the program.
    Words,
    /// The name of a market.
    Market,
    /// The name of an asset, or of a market.
    Asset,
    /// Two of them, in an order that shows nothing.
    Pair,
    /// A moment.
    Moment,
    /// A moment in all its digits.
    Exact,
    /// In units of price.
    Price,
    /// An amount of money at the market: it is known too well to be shown.
    Money,
    /// An amount of the asset that is worth a given sum.
    Amount,
    /// A sentence.
    Text,
    /// The id of an alert.
    Id,
    /// A number whose unit stands beside it.
    ByUnit,
    /// Fields of their own.
    Nested,
    /// Never shown.
    Hidden,
}

/// What an argument holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ArgumentKind {
    /// The same in both terms.
    Plain,
    /// The name of a market.
    Market,
    /// Several of them.
    Markets,
    /// What somebody holds of markets.
    Holdings,
    /// A moment.
    Moment,
    /// A price of the market asked about.
    Price,
    /// The id of an alert.
    Id,
    /// Would show what is hidden; so would one that is not listed.
    Refused,
}

use FieldKind::{
    Amount, Asset, ByUnit, Exact, Hidden, Id, Market, Moment, Money, Nested, Pair, Plain, Price, Text, Words,
};

/// Fields that mean something else in one tool.
const IN_TOOL: &[(&str, &str, FieldKind)] = &[
    // Labels before and after.
    ("history", "from", Plain),
    ("history", "to", Plain),
    ("advise", "market", Nested),
    ("advise", "source", Plain),
    ("catalogue", "window", Plain),
    ("catalogue", "exit", Plain),
    ("catalogue", "value", Plain),
    ("catalogue", "text", Plain),
    ("whatif", "base", Plain),
    ("whatif", "left_out", Text),
];

/// Fields of all tools.
const FIELDS: &[(FieldKind, &[&str])] = &[
    (Market, &["instrument", "market", "markets", "scope"]),
    (Asset, &["leading_asset", "a", "b"]),
    (Pair, &["pair"]),
    (
        Moment,
        &[
            "as_of",
            "at",
            "closed_at",
            "from",
            "known_at",
            "newest_event",
            "opened_at",
            "recorded_until",
            "since",
            "span",
            "swept_at",
            "timestamp",
            "to",
            "ts",
        ],
    ),
    (Exact, &["clock", "until", "window_begins", "window_ends"]),
    (
        Price,
        &["atr", "base", "bottom", "cost_per_unit", "entry", "price", "r", "stop", "stop_alternative", "top", "used"],
    ),
    (Money, &["liquidated_usd_1h", "oi_usd"]),
    (Amount, &["size", "size_base_units"]),
    (Id, &["alert_id"]),
    (ByUnit, &["delta", "needed", "threshold", "value"]),
    (
        Text,
        &[
            "advice",
            "binding_limit_text",
            "clears",
            "description",
            "freshness_warning",
            "headline",
            "limits",
            "liquidated_usd_1h_reason",
            "new_entries",
            "open_positions",
            "posture_action",
            "probabilities",
            "reason",
            "sentence",
            "similar_reason",
            "summary",
            "text",
            "title",
            "why",
        ],
    ),
    (Words, &["abstained", "base_rate", "counts", "losses", "per_day", "units", "vol_annual"]),
    (
        Nested,
        &[
            "all",
            "changes",
            "exit",
            "expected_value",
            "flip",
            "heat_flip",
            "kelly",
            "left_out",
            "level",
            "moment",
            "moves",
            "nearest_exit",
            "nearest_flip",
            "on_cluster",
            "outcome",
            "overlaps",
            "rules",
            "similar",
            "spans",
            "stop_vulnerability",
            "target",
            "trend_flip",
            "volatility_flip",
            "window",
            "alerts_per_day",
        ],
    ),
    (
        Plain,
        &[
            "age_s",
            "age_ms",
            "alert",
            "anomaly_score",
            "avg_pair_corr",
            "away",
            "axis",
            "band_90",
            "basket_from",
            "before",
            "after",
            "binding_limit",
            "cadence_s",
            "calibration",
            "calibration_error",
            "capped",
            "change",
            "change_24h",
            "clock_skew_ms",
            "code",
            "confidence",
            "continuity",
            "corr",
            "corr_20h",
            "corr_30d",
            "count",
            "defaults_used",
            "direction",
            "distance",
            "diversification_ratio",
            "dwell_left_s",
            "effective_rr",
            "entries_per_day",
            "entries_per_day_changed",
            "error",
            "event",
            "exact",
            "experimental",
            "feature",
            "fired",
            "formula",
            "fraction_limit",
            "funding_8h",
            "group",
            "health",
            "heat",
            "held_s",
            "held_share_90d",
            "horizon",
            "hours",
            "id",
            "inputs",
            "kelly_fraction",
            "kelly_full",
            "kind",
            "label",
            "lag_p99_ms",
            "lead_min",
            "lead_score",
            "long",
            "loss_at_stop",
            "loss_fraction",
            "margin",
            "market_days",
            "max_age_s",
            "max_move",
            "max_move_atr",
            "meaning",
            "metric",
            "minutes_not_as_published",
            "missing",
            "modelled_inputs",
            "moments",
            "move_24h",
            "move_4h",
            "moved_minutes",
            "n",
            "n_eff",
            "name",
            "not_evaluated",
            "note",
            "notional",
            "oi_4h",
            "on_record",
            "op",
            "open_alerts",
            "option",
            "overlap",
            "p10",
            "p50",
            "p90",
            "p_used",
            "pattern_type",
            "payoff",
            "percentile",
            "posture",
            "precision",
            "precision_band",
            "probability",
            "ranks",
            "raw_label",
            "readings",
            "realized_vol_1h_after",
            "recall",
            "reconnects",
            "regime",
            "result",
            "risk",
            "risk_bias",
            "risk_fraction",
            "risk_quote",
            "rule",
            "rule_text",
            "scored",
            "severity",
            "share",
            "share_changed",
            "short",
            "side",
            "skill",
            "source_kind",
            "spoken",
            "stale_metrics",
            "state",
            "strength",
            "systemic",
            "target_source",
            "timeframe",
            "touches",
            "trend",
            "type",
            "unit",
            "update",
            "usual_high",
            "usual_low",
            "value_r",
            "value_type",
            "verdict",
            "version",
            "void",
            "vol",
            "vol_24h",
            "vol_change",
            "vol_pct_90d",
            "volatility",
            "warm_up",
            "weight",
            "win_rate",
            "words",
        ],
    ),
    (
        Hidden,
        &[
            // What others know, and what an alert happened to keep of it.
            "data",
            "forecasts",
            "last_error",
            "lead_ratio",
            "level_id",
            "logic_version",
            "minutes_to_event",
            "signals",
            "source",
            "venue",
            "verdict_base_rate_text",
        ],
    ),
];

/// Features that rules read, and none of them in units of price or money: numbers beside their names have no unit of their own.
const OF_RULES: [&str; 16] = [
    "realized_vol_1h",
    "oi_delta_4h",
    "realized_vol_4h",
    "oi_delta_1h",
    "funding_zscore_24h",
    "heat",
    "trend_p",
    "slope_pct",
    "vol_daily",
    "realized_vol_4h_pct_90d",
    "price_z_24h",
    "funding_pct_30d",
    "vol_z_30d",
    "realized_vol_1h_pct_90d",
    "oi_delta_4h_pct_90d",
    "efficiency_12h",
];

/// What the calendar has: how long until the next entry shows which week it is.
const OF_CALENDAR: &str = "minutes_to_event";

/// The unit of numbers in an object or a row: as it stands beside them, or that of what rules read.
pub(super) fn unit_beside<'a>(unit: Option<&'a str>, feature: Option<&str>) -> Option<&'a str> {
    if feature == Some(OF_CALENDAR) {
        return None;
    }
    unit.or_else(|| feature.filter(|feature| OF_RULES.contains(feature)).map(|_| ""))
}

/// Ends of names that state a ratio as the unit, so that a field of the answers which has one needs no place in the lists.
const RATIOS: [&str; 3] = ["_atr", "_fraction", "_share"];

/// What a field holds; `None`: it is not classified.
pub(super) fn field_kind(tool: &str, field: &str) -> Option<FieldKind> {
    let here = IN_TOOL.iter().find(|(of, name, _)| *of == tool && *name == field).map(|(.., kind)| *kind);
    let listed = || FIELDS.iter().find(|(_, names)| names.contains(&field)).map(|(kind, _)| *kind);
    here.or_else(listed).or_else(|| RATIOS.iter().any(|end| field.ends_with(end)).then_some(Plain))
}

/// What a number of this unit is.
pub(super) fn kind_of_unit(unit: &str) -> FieldKind {
    const SAME: [&str; 28] = [
        "annualised fraction",
        "fraction per 8 h",
        "",
        "1",
        "%",
        "ATR multiples",
        "[0,1)",
        "[0,1]",
        "[−1,1]",
        "bool",
        "count",
        "daily fraction",
        "daily variance",
        "days",
        "enum",
        "fraction per 8 h, per hour",
        "fraction per year",
        "fraction",
        "h",
        "ln per day",
        "ln",
        "min",
        "percent per bar",
        "ratio",
        "s",
        "strength",
        "σ",
        "ms",
    ];
    match unit {
        "price" | "price per bar" => Price,
        "quote" | "quote per h" | "quote per min" | "USD" => Money,
        same if SAME.contains(&same) => Plain,
        _ => Hidden,
    }
}

/// Is the order of a tool's rows that of names, which would show them?
pub(super) fn must_not_show_order(tool: &str) -> bool {
    ["markets", "universe", "whatif", "feeds", "events"].contains(&tool)
}

/// What an argument holds.
pub(super) fn argument_kind(tool: &str, argument: &str) -> ArgumentKind {
    match (tool, argument) {
        // Which markets have more than an amount, or a part of a name, is what is hidden.
        ("markets" | "feeds", "venue") | ("markets", "text" | "min_oi_usd") | ("whatif", "when") => {
            ArgumentKind::Refused
        }
        ("catalogue", "id" | "text") => ArgumentKind::Plain,
        (_, "market") => ArgumentKind::Market,
        (_, "markets") => ArgumentKind::Markets,
        (_, "holdings") => ArgumentKind::Holdings,
        (_, "as_of" | "from" | "to") => ArgumentKind::Moment,
        (_, "entry" | "stop") => ArgumentKind::Price,
        (_, "id") => ArgumentKind::Id,
        (
            _,
            "why" | "features" | "step" | "side" | "within" | "equity" | "taker_fee" | "pattern" | "severity" | "open"
            | "event" | "window" | "set" | "rules" | "label" | "budget" | "cursor" | "minutes" | "to_next"
            | "probability" | "reason",
        ) => ArgumentKind::Plain,
        _ => ArgumentKind::Refused,
    }
}

/// Fields of an answer of a tool that are not classified; for the test that looks for them.
#[must_use]
pub fn unclassified(tool: &str, answer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let units = answer["units"].as_object();
    for (name, value) in answer.as_object().into_iter().flatten() {
        match value["columns"].as_array() {
            Some(columns) => {
                let columns = columns.iter().filter_map(Value::as_str);
                let unknown =
                    columns.filter(|c| field_kind(tool, c).is_none() && units.is_none_or(|u| !u.contains_key(*c)));
                found.extend(unknown.map(|column| format!("{tool}.{name}.{column}")));
            }
            None => seek(tool, tool, name, value, &mut found),
        }
    }
    // Cells of a table may have fields of their own.
    for table in answer.as_object().into_iter().flatten().map(|(_, value)| value) {
        let (Some(columns), Some(rows)) = (table["columns"].as_array(), table["rows"].as_array()) else { continue };
        for row in rows.iter().filter_map(Value::as_array) {
            for (column, cell) in columns.iter().filter_map(Value::as_str).zip(row) {
                if has_fields(field_kind(tool, column)) {
                    within(tool, column, cell, &mut found);
                }
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// May there be fields within?
fn has_fields(kind: Option<FieldKind>) -> bool {
    matches!(kind, Some(Nested | Price | Amount))
}

fn seek(tool: &str, around: &str, name: &str, value: &Value, found: &mut Vec<String>) {
    // What the budget adds is of the answer, not of a market.
    if around == tool && ["omitted", "left_out", "next"].contains(&name) {
        return;
    }
    match field_kind(tool, name) {
        None => found.push(format!("{around}.{name}")),
        kind if has_fields(kind) => within(tool, name, value, found),
        Some(_) => {}
    }
}

fn within(tool: &str, around: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| within(tool, around, item, found)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| seek(tool, &format!("{tool}.{around}"), name, value, found));
        }
        _ => {}
    }
}
