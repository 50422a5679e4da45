//! Keys of the original configurations (R3.49, R3.50, R4.40 to R4.44): what each means here.
//!
//! Each sets one of our settings or a threshold of the detectors, or is kept and explained; none is dropped, and a misspelt one is
//! an error like any other. They stand at their original places: tables `market_monitoring` and `detection` of the YAML file, and names in
//! capitals. Intervals are the fallback only: what has a stream is streamed (C05).

use super::file::{Node, Value};
use super::read::parts;
use super::thresholds::Over;
use super::{SettingOrigin, nearest};
use barograph_domain::Span;
use barograph_engine::detect::Thresholds;

/// One original key.
#[derive(Debug)]
pub(crate) struct Original {
    /// With its tables, as in `market_monitoring.enabled`.
    pub(crate) path: &'static str,
    pub(crate) meaning: &'static str,
    sets: Sets,
    form: Form,
}

/// What a key decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sets {
    /// One of our settings.
    Setting(&'static str),
    /// A key of the rule book's `[detectors]`.
    Detector(&'static str),
    /// The label that begins above it on the volatility axis.
    Class(&'static str),
}

impl Sets {
    fn words(self) -> Option<String> {
        match self {
            Self::Setting(name) => Some(name.to_owned()),
            Self::Detector(name) => Some(format!("detectors.{name}")),
            Self::Class(label) => Some(format!("rule {label} of axis volatility")),
        }
    }
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Switch,
    Number,
    /// A number in percentage points; ours are fractions.
    Percent,
    /// A number of hours, or a time.
    Hours,
    Time,
    /// A list, or one text with commas.
    Names,
    /// True, false, or the markets themselves.
    Markets,
}

const fn key(path: &'static str, sets: Sets, form: Form, meaning: &'static str) -> Original {
    Original { path, meaning, sets, form }
}

/// Every original key.
pub(crate) const ORIGINALS: &[Original] = &[
    key(
        "market_monitoring.enabled",
        Sets::Setting("monitoring"),
        Form::Switch,
        "false: `up` and `collect` refuse to listen",
    ),
    key(
        "market_monitoring.spot_markets",
        Sets::Setting("market_type"),
        Form::Markets,
        "true: --all takes spot; a list also sets `symbols`",
    ),
    key(
        "market_monitoring.futures_markets",
        Sets::Setting("market_type"),
        Form::Markets,
        "true: --all takes perpetuals; a list also sets `symbols`",
    ),
    key(
        "market_monitoring.min_volume_24h",
        Sets::Setting("min_volume_24h"),
        Form::Number,
        "least volume of the last 24 hours, in quote currency",
    ),
    key(
        "market_monitoring.max_concurrent_checks",
        Sets::Setting("max_concurrent_checks"),
        Form::Number,
        "polls under way at once; streams do not count",
    ),
    key(
        "market_monitoring.max_concurrent",
        Sets::Setting("max_concurrent_checks"),
        Form::Number,
        "the same under its shorter name",
    ),
    key(
        "market_monitoring.futures_data_collection.funding_rate_interval",
        Sets::Setting("poll_interval"),
        Form::Time,
        "for venues without a funding stream; the shortest of the polled intervals counts",
    ),
    key(
        "market_monitoring.futures_data_collection.liquidation_check_interval",
        Sets::Setting("poll_interval"),
        Form::Time,
        "for venues without a liquidation stream; the shortest of the polled intervals counts",
    ),
    key(
        "market_monitoring.futures_data_collection.basis_history_interval",
        Sets::Setting("basis_interval"),
        Form::Time,
        "time between rows of futures_basis_history; mark and index are streamed whatever it says",
    ),
    key(
        "market_monitoring.futures_data_collection.orderbook_snapshot_interval",
        Sets::Setting("book_interval"),
        Form::Time,
        "time between order books that are stored; they are streamed whatever it says",
    ),
    key(
        "detection.thresholds.funding_rate_std_deviation",
        Sets::Detector("funding_manipulation_z"),
        Form::Number,
        "threshold of the detectors, over the rule book's: σ of funding consistent with manipulation",
    ),
    key(
        "detection.thresholds.basis_anomaly_threshold",
        Sets::Detector("basis"),
        Form::Number,
        "threshold of the detectors, over the rule book's: distance of futures and spot, as a fraction",
    ),
    key(
        "detection.thresholds.liquidation_cascade_threshold",
        Sets::Detector("burst_count"),
        Form::Number,
        "threshold of the detectors, over the rule book's: liquidations within 60 s",
    ),
    key(
        "detection.thresholds.position_concentration_threshold",
        Sets::Detector("concentration"),
        Form::Number,
        "threshold of the detectors, over the rule book's: share of the largest tier",
    ),
    key(
        "detection.thresholds.premium_deviation_threshold",
        Sets::Detector("premium"),
        Form::Number,
        "threshold of the detectors, over the rule book's: distance of mark and index, as a fraction",
    ),
    key(
        "EXCHANGES",
        Sets::Setting("venues"),
        Form::Names,
        "venues; binanceus, binanceusdm and the like are understood",
    ),
    key("SYMBOLS", Sets::Setting("symbols"), Form::Names, "markets, as in BTC/USDT"),
    key(
        "LIQUIDATION_CFG.cascade_threshold_usd",
        Sets::Detector("cascade_total"),
        Form::Number,
        "threshold of the detectors, over the rule book's: quote units of liquidations within the window",
    ),
    key(
        "LIQUIDATION_CFG.velocity_window",
        Sets::Detector("cascade_window_h"),
        Form::Hours,
        "threshold of the detectors, over the rule book's: window of a cascade, in hours or as in 4h",
    ),
    key(
        "LIQUIDATION_CFG.critical_velocity",
        Sets::Detector("critical_velocity"),
        Form::Number,
        "threshold of the detectors, over the rule book's: quote units an hour",
    ),
    key(
        "FUNDING_CFG.anomaly_z_threshold",
        Sets::Detector("funding_anomaly_z"),
        Form::Number,
        "threshold of the detectors, over the rule book's: σ of funding that is an anomaly",
    ),
    key(
        "FUNDING_CFG.reversal_threshold",
        Sets::Detector("funding_change"),
        Form::Percent,
        "threshold of the detectors, over the rule book's: change of the 8 h rate, in percentage points: 0.05 is 0.0005",
    ),
    key(
        "VOLATILITY_CFG.stable_threshold",
        Sets::Class("HIGH_VOL"),
        Form::Number,
        "daily volatility up to which a market is STABLE, as a fraction: 0.01 is 1 % a day",
    ),
    key(
        "VOLATILITY_CFG.high_vol_threshold",
        Sets::Class("EXPLOSIVE"),
        Form::Number,
        "daily volatility up to which it is HIGH_VOL, as a fraction",
    ),
    key(
        "VOLATILITY_CFG.explosive_threshold",
        Sets::Class("EXTREME"),
        Form::Number,
        "daily volatility up to which it is EXPLOSIVE, as a fraction; EXTREME above",
    ),
];

/// Names that venues have elsewhere; ours are understood as they are.
const VENUES: &[(&str, &str)] = &[
    ("binance", "binance-spot"),
    ("binanceus", "binance-us"),
    ("binance_us", "binance-us"),
    ("binance.us", "binance-us"),
    ("binanceusdm", "binance-usdm"),
    ("binance_futures", "binance-usdm"),
    ("binancecoinm", "binance-coinm"),
    ("coinbaseadvanced", "coinbase"),
    ("coinbase_advanced", "coinbase"),
    ("okex", "okx"),
];

/// An original key that was given.
#[derive(Debug)]
pub(super) struct Given {
    original: &'static Original,
    line: usize,
    value: Value,
}

/// The same for people.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) key: &'static str,
    pub(crate) value: String,
    pub(crate) origin: SettingOrigin,
    pub(crate) meaning: &'static str,
    /// Our setting or threshold that it sets.
    pub(crate) sets: Option<String>,
}

/// What is wrong with an original table.
#[derive(Debug)]
pub(super) enum Wrong {
    Unknown { key: String, line: usize, near: Option<&'static str> },
    Value { line: usize, why: String },
}

impl Given {
    /// The threshold it sets.
    pub(super) fn over(&self, origin: impl Fn(usize) -> SettingOrigin) -> Option<Over> {
        let (Sets::Detector(name) | Sets::Class(name)) = self.original.sets else { return None };
        // Checked when it was taken.
        let value = number(self.original, &self.value).ok()?;
        Some(Over { key: self.original.path, name, value, origin: origin(self.line) })
    }
}

/// What a key stated as a number means, in our unit.
fn number(original: &Original, value: &Value) -> Result<f64, String> {
    let path = original.path;
    match (original.form, value) {
        (Form::Hours, Value::Text(text)) => {
            let span = Span::parse(text).map_err(|why| format!("`{path}`: {why}"))?;
            Ok(span.as_secs_f64() / 3_600.0)
        }
        (form, Value::Number(text)) => match text.parse::<f64>() {
            Ok(n) if n.is_finite() && n >= 0.0 => Ok(if form == Form::Percent { n / 100.0 } else { n }),
            _ => Err(format!("`{path}`: {text} is not a number from 0 up")),
        },
        (Form::Hours, _) => Err(format!("`{path}` must be a number of hours, or a time such as 4h")),
        _ => Err(format!("`{path}` must be a number")),
    }
}

impl Noted {
    pub(super) fn of(given: Given, origin: impl Fn(usize) -> SettingOrigin) -> Self {
        let Given { original, line, value } = given;
        Self {
            key: original.path,
            value: shown(&value),
            origin: origin(line),
            meaning: original.meaning,
            sets: original.sets.words(),
        }
    }
}

/// First words of the paths.
pub(super) fn roots() -> impl Iterator<Item = &'static str> {
    ORIGINALS.iter().filter_map(|o| o.path.split('.').next())
}

pub(super) fn is_root(key: &str) -> bool {
    roots().any(|r| r == key)
}

/// Takes what stands at `path`, table by table.
pub(super) fn take(path: &str, line: usize, node: &Node, out: &mut Vec<Given>) -> Result<(), Wrong> {
    if let Some(original) = ORIGINALS.iter().find(|o| o.path == path) {
        check(original, &node.value).map_err(|why| Wrong::Value { line, why })?;
        out.push(Given { original, line, value: node.value.clone() });
        return Ok(());
    }
    let inside = format!("{path}.");
    if !ORIGINALS.iter().any(|o| o.path.starts_with(&inside)) {
        let near = nearest(path, ORIGINALS.iter().map(|o| o.path));
        return Err(Wrong::Unknown { key: path.to_owned(), line, near });
    }
    match &node.value {
        Value::Table(table) => {
            table.iter().try_for_each(|(key, line, node)| take(&format!("{inside}{key}"), *line, node, out))
        }
        Value::Nothing => Ok(()),
        _ => Err(Wrong::Value { line, why: format!("`{path}` must be a table") }),
    }
}

fn check(original: &Original, value: &Value) -> Result<(), String> {
    let path = original.path;
    let fits = match (original.form, value) {
        (Form::Switch, Value::Bool(_)) => true,
        (Form::Number | Form::Percent | Form::Hours, value) => {
            let number = number(original, value)?;
            let name = match original.sets {
                Sets::Detector(name) => name,
                Sets::Class(_) if !(0.0001..=2.0).contains(&number) => {
                    let why = "lies between 0.0001 and 2 as a fraction of a day: 0.05 is 5 %";
                    return Err(format!("`{path}` is {number}; it {why}"));
                }
                Sets::Class(_) | Sets::Setting(_) => return Ok(()),
            };
            return Thresholds::default().set(name, number).map_err(|why| {
                let unit = match original.form {
                    Form::Percent => "; this key is in percentage points",
                    Form::Hours => "; a bare number is hours",
                    _ => "",
                };
                format!("`{path}`: {why}{unit}")
            });
        }
        (Form::Time, Value::Number(text) | Value::Text(text)) => {
            return Span::parse(text).map(|_| ()).map_err(|why| format!("`{path}`: {why}"));
        }
        (Form::Markets, Value::Bool(_)) => true,
        (Form::Names | Form::Markets, Value::Text(_)) => true,
        (Form::Names | Form::Markets, Value::List(items)) => items.iter().all(|n| matches!(n.value, Value::Text(_))),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(format!(
        "`{path}` must be {}",
        match original.form {
            Form::Switch => "true or false",
            Form::Number | Form::Percent | Form::Hours => "a number",
            Form::Time => "a number of seconds, or a time such as 5m",
            Form::Names => "a list of names",
            Form::Markets => "true, false or a list of markets",
        }
    ))
}

fn names(value: &Value) -> Vec<String> {
    let split = |text: &str| parts(text).map(str::to_owned).collect::<Vec<_>>();
    match value {
        Value::Text(text) => split(text),
        Value::List(items) => items
            .iter()
            .flat_map(|n| match &n.value {
                Value::Text(text) => split(text),
                _ => Vec::new(),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Number(text) => text.clone(),
        Value::Bool(on) => on.to_string(),
        Value::List(_) => names(value).join(","),
        Value::Table(_) | Value::Nothing => String::new(),
    }
}

/// One of our settings: key, value, line.
pub(super) type Set = (&'static str, String, usize);

/// Our settings that follow, or a line and what is wrong there.
pub(super) fn settings(given: &[Given]) -> Result<Vec<Set>, (usize, String)> {
    let find = |path: &str| given.iter().find(|g| g.original.path == path);
    let mut out: Vec<Set> = Vec::new();
    for one in given {
        let Sets::Setting(key) = one.original.sets else { continue };
        let value = match one.original.form {
            Form::Switch => if one.value == Value::Bool(true) { "on" } else { "off" }.to_owned(),
            Form::Names if key == "venues" => names(&one.value).iter().map(|n| venue(n)).collect::<Vec<_>>().join(","),
            Form::Names => names(&one.value).join(","),
            Form::Number | Form::Percent | Form::Hours => shown(&one.value),
            Form::Time => {
                let text = shown(&one.value);
                let span = Span::parse(&text).map_err(|why| (one.line, why))?;
                // Two keys set the one interval there is.
                let before = out.iter().position(|(k, ..)| *k == key);
                match before.map(|at| (at, Span::parse(&out[at].1))) {
                    Some((_, Ok(earlier))) if earlier <= span => continue,
                    Some((at, _)) => drop(out.remove(at)),
                    None => {}
                }
                span.compact()
            }
            // Both together, below.
            Form::Markets => continue,
        };
        out.push((key, value, one.line));
    }
    let spot = find("market_monitoring.spot_markets");
    let futures = find("market_monitoring.futures_markets");
    let wanted = |g: Option<&Given>| g.is_some_and(|g| g.value == Value::Bool(true) || !names(&g.value).is_empty());
    let Some(line) = spot.or(futures).map(|g| g.line) else { return Ok(out) };
    let kind = match (wanted(spot), wanted(futures)) {
        (true, true) => "both",
        (true, false) => "spot",
        (false, true) => "futures",
        (false, false) => {
            return Err((
                line,
                "neither spot nor futures markets are wanted; set one of them, or `enabled` to false".to_owned(),
            ));
        }
    };
    out.push(("market_type", kind.to_owned(), line));
    let mut symbols: Vec<String> = spot.into_iter().chain(futures).flat_map(|g| names(&g.value)).collect();
    symbols.dedup();
    if !symbols.is_empty() && find("SYMBOLS").is_none() {
        out.push(("symbols", symbols.join(","), line));
    }
    Ok(out)
}

fn venue(name: &str) -> String {
    let lower = name.to_lowercase();
    VENUES.iter().find(|(theirs, _)| *theirs == lower).map_or(lower.clone(), |(_, ours)| (*ours).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn read(text: &str) -> Result<Vec<Given>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        std::fs::write(&path, text).unwrap();
        let mut out = Vec::new();
        for (key, line, node) in super::super::file::read(&path).map_err(|f| f.text().unwrap())? {
            if !is_root(&key) {
                return Err(format!("{key} is no original key"));
            }
            take(&key, line, &node, &mut out).map_err(|w| format!("{w:?}"))?;
        }
        Ok(out)
    }

    fn set(text: &str) -> BTreeMap<&'static str, String> {
        settings(&read(text).unwrap()).unwrap().into_iter().map(|(k, v, _)| (k, v)).collect()
    }

    #[test]
    fn original_keys_set_ours() {
        let text = "market_monitoring:\n  enabled: false\n  spot_markets: [BTC/USDT]\n  futures_markets: true\n  \
                    min_volume_24h: 2500.5\n  max_concurrent_checks: 7\n  futures_data_collection:\n    \
                    funding_rate_interval: 300\n    liquidation_check_interval: 60\n    basis_history_interval: 3600\n\
                    EXCHANGES: [binanceus, bybit, Coinbase]\n";
        let want = [
            ("basis_interval", "1h"),
            ("max_concurrent_checks", "7"),
            ("market_type", "both"),
            ("min_volume_24h", "2500.5"),
            ("monitoring", "off"),
            ("poll_interval", "1m"),
            ("symbols", "BTC/USDT"),
            ("venues", "binance-us,bybit,coinbase"),
        ];
        assert_eq!(set(text), want.map(|(k, v)| (k, v.to_owned())).into_iter().collect());
        // Whichever order they stand in, the shorter interval counts.
        let text = "market_monitoring: {futures_data_collection: {liquidation_check_interval: 90, funding_rate_interval: 30s}}";
        assert_eq!(set(text)["poll_interval"], "30s");
        assert_eq!(set("market_monitoring: {spot_markets: true}")["market_type"], "spot");
        assert_eq!(set("LIQUIDATION_CFG: {critical_velocity: 200000}"), BTreeMap::new());
    }

    #[test]
    fn thresholds_are_read_in_the_units_of_the_originals() {
        let text = "detection:\n  thresholds:\n    funding_rate_std_deviation: 3.5\n    basis_anomaly_threshold: 0.025\n    \
                    liquidation_cascade_threshold: 6\n    position_concentration_threshold: 0.4\n    \
                    premium_deviation_threshold: 0.015\nLIQUIDATION_CFG: {cascade_threshold_usd: 1000000, \
                    velocity_window: 2, critical_velocity: 300000}\nFUNDING_CFG: {anomaly_z_threshold: 2.5, \
                    reversal_threshold: 0.05}\nVOLATILITY_CFG: {stable_threshold: 0.01}\n";
        let overs = |text: &str| -> Vec<_> {
            read(text)
                .unwrap()
                .iter()
                .filter_map(|g| g.over(|_| SettingOrigin::Default))
                .map(|o| (o.name, o.value))
                .collect()
        };
        assert_eq!(
            overs(text),
            [
                ("funding_manipulation_z", 3.5),
                ("basis", 0.025),
                ("burst_count", 6.0),
                ("concentration", 0.4),
                ("premium", 0.015),
                ("cascade_total", 1e6),
                ("cascade_window_h", 2.0),
                ("critical_velocity", 3e5),
                ("funding_anomaly_z", 2.5),
                ("funding_change", 0.0005),
                ("HIGH_VOL", 0.01),
            ]
        );
        assert_eq!(overs("LIQUIDATION_CFG: {velocity_window: 90m}"), [("cascade_window_h", 1.5)]);
        for original in ORIGINALS {
            let there = match original.sets {
                Sets::Detector(name) => Thresholds::default().get(name).is_some(),
                Sets::Setting(name) => super::super::written::known(name).is_ok(),
                Sets::Class(_) => true,
            };
            assert!(there, "{}", original.path);
        }
    }

    #[test]
    fn what_is_misspelt_or_of_another_form_is_an_error_with_its_line() {
        for (text, words) in [
            ("market_monitoring:\n  enabeld: true\n", "line: 2, near: Some(\"market_monitoring.enabled\")"),
            ("FUNDING_CFG:\n  anomaly_threshold: 2\n", "near: Some(\"FUNDING_CFG.anomaly_z_threshold\")"),
            (
                "market_monitoring:\n\n  enabled: 1\n",
                "line: 3, why: \"`market_monitoring.enabled` must be true or false",
            ),
            ("market_monitoring: 5\n", "must be a table"),
            ("VOLATILITY_CFG: {stable_threshold: -1}\n", "is not a number from 0 up"),
            ("SYMBOLS: [1]\n", "must be a list of names"),
            (
                "detection:\n  thresholds:\n    basis_anomaly_threshold: 2\n",
                "'basis' is 2; it lies between 0.0001 and 1",
            ),
            (
                "FUNDING_CFG: {reversal_threshold: 500}\n",
                "lies between 0.000001 and 1; this key is in percentage points",
            ),
            ("LIQUIDATION_CFG: {velocity_window: 14400}\n", "lies between 0.25 and 24; a bare number is hours"),
            ("LIQUIDATION_CFG: {velocity_window: soon}\n", "'soon' is not a length of time"),
            (
                "VOLATILITY_CFG: {high_vol_threshold: 5}\n",
                "lies between 0.0001 and 2 as a fraction of a day: 0.05 is 5 %",
            ),
            ("LIQUIDATION_CFG: {critical_velocity: yes}\n", "`LIQUIDATION_CFG.critical_velocity` must be a number"),
            ("market_monitoring: {futures_data_collection: {funding_rate_interval: 0}}", "not a positive length"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(words), "{text}: {why}");
        }
        let neither = settings(&read("market_monitoring: {spot_markets: false}").unwrap()).unwrap_err();
        assert!(neither.1.contains("neither spot nor futures"), "{neither:?}");
    }
}
