//! The payloads of the fourth original specification: all markets in one answer (payloads §4).
//!
//! Every number that is not there is null with `<name>_reason` beside it; symbols are `BASE/QUOTE`. What no build or venue
//! can give says `not_available`.

use crate::view::FeatureRowView;
use barograph_domain::snapshot::WireValue;
use barograph_domain::{InstrumentName, Snapshot, Ts};
use serde::{Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A number, or the reason why there is none.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Number {
    name: &'static str,
    value: Result<f64, &'static str>,
    /// `lower`: at least this much; the window was only partly observed.
    bound: Option<&'static str>,
}

/// The label of an axis, or the reason why it is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LabelWord {
    name: &'static str,
    value: Result<&'static str, &'static str>,
}

/// `GET /api/features`: one market.
#[derive(Clone, PartialEq, Debug)]
pub struct AliasFeatures {
    /// `BASE/QUOTE`.
    pub symbol: String,
    /// The grid instant.
    pub timestamp: Ts,
    /// How old that is.
    pub age: Age,
    /// `volatility_regime`: STABLE, `HIGH_VOL`, EXPLOSIVE or EXTREME. `regime_type`: COLD, COOL, NEUTRAL, HOT or `SUPER_HOT`.
    /// Null with `<name>_reason` where unknown.
    pub words: [LabelWord; 2],
    /// price, `funding_rate`, `funding_z_score`, `open_interest`, volatility (daily fraction), confidence, `long_bias`,
    /// `risk_multiplier`, `total_liquidated_usd`, `velocity_usd_per_hour`; null with `<name>_reason` where undefined.
    /// `total_liquidated_usd_bound` is `lower` while less than 4 h were heard.
    pub numbers: Vec<Number>,
}

/// `GET /api/volatility`: one market.
#[derive(Clone, PartialEq, Debug)]
pub struct AliasVolatility {
    /// `venue:symbol`, which the original lacks: one pair may trade on several venues.
    pub instrument: InstrumentName,
    /// `BASE/QUOTE`.
    pub symbol: String,
    /// The grid instant.
    pub timestamp: Ts,
    /// How old that is.
    pub age: Age,
    /// regime: STABLE, `HIGH_VOL`, EXPLOSIVE or EXTREME; null with its reason where unknown.
    pub words: [LabelWord; 1],
    /// volatility (daily fraction), `volatility_annual`, `risk_multiplier`, `half_life_days`.
    pub numbers: Vec<Number>,
}

/// How old an answer is, which the originals did not say: theirs was of the second it was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Age {
    /// Seconds from the grid instant to the moment asked about.
    pub age_s: i64,
    /// Some input is older than it may be.
    pub stale: bool,
    /// "Data stale (6 minutes old)"; left out where nothing is.
    pub warning: Option<String>,
}

impl Age {
    fn new(s: &Snapshot, moment: Ts) -> Self {
        let axes = &s.regimes;
        let axis = axes.risk.stale || axes.trend.stale || axes.volatility.stale || axes.heat.stale;
        let warning = s.explanation.freshness_warning.clone();
        Self { age_s: (moment - s.timestamp).as_secs().max(0), stale: axis || warning.is_some(), warning }
    }
}

/// All markets of one of these routes.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AliasMarkets<T> {
    /// When it was put together.
    #[schema(value_type = String, format = DateTime)]
    pub generated_at: Ts,
    /// Markets with a snapshot, in the order of their names.
    pub symbols: Vec<T>,
}

/// `BASE/QUOTE`, or the venue's own symbol where it does not tell them apart.
#[must_use]
pub fn pair_of(name: &InstrumentName) -> String {
    name.base_quote().map_or_else(|| name.symbol.clone(), |(base, quote)| format!("{base}/{quote}"))
}

/// A reading of the row under the name that the original payload gives it.
fn number(name: &'static str, row: &FeatureRowView, id: &str) -> Number {
    let value = match row.values.get(id) {
        Some(WireValue::Number(x)) => Ok(*x),
        Some(_) => Err(row.readings.get(id).copied().unwrap_or("not_available")),
        None => Err("not_available"),
    };
    Number { name, value, bound: None }
}

/// What was closed on both sides over 4 h. While less than that was heard, what the longest window says that is known: of the
/// first hour all that was heard. It is a lower bound then.
fn liquidated(name: &'static str, row: &FeatureRowView) -> Number {
    const LONG: [&str; 3] = ["liq_long_usd_4h", "liq_long_usd_1h", "liq_long_usd_5m"];
    const SHORT: [&str; 3] = ["liq_short_usd_4h", "liq_short_usd_1h", "liq_short_usd_5m"];
    let of = |at: usize| {
        let [long, short] = [LONG[at], SHORT[at]].map(|id| number(name, row, id).value);
        long.and_then(|long| short.map(|short| long + short))
    };
    let whole = of(0);
    let partial = [LONG[0], SHORT[0]].iter().any(|id| row.partial.contains(id));
    match (whole, of(1).or_else(|_| of(2))) {
        (Ok(_), _) => Number { name, value: whole, bound: partial.then_some("lower") },
        (Err(_), Ok(so_far)) => Number { name, value: Ok(so_far), bound: Some("lower") },
        (Err(_), Err(_)) => Number { name, value: whole, bound: None },
    }
}

/// The label of an axis; while it is UNKNOWN the reason that the reading has which it is judged by, or that it is too old.
fn word(name: &'static str, (label, stale): (&'static str, bool), row: &FeatureRowView, judged_by: &str) -> LabelWord {
    let value = match label {
        "UNKNOWN" => {
            let unjudged = if stale { "stale" } else { "not_available" };
            Err(number(name, row, judged_by).value.err().unwrap_or(unjudged))
        }
        known => Ok(known),
    };
    LabelWord { name, value }
}

impl AliasFeatures {
    /// From the newest row and its snapshot, as they look at a moment.
    #[must_use]
    pub fn new(row: &FeatureRowView, s: &Snapshot, moment: Ts) -> Self {
        let (volatility, heat) = (&s.regimes.volatility, &s.regimes.heat);
        let optional = |name, value: Option<f64>| Number { name, value: value.ok_or("not_available"), bound: None };
        Self {
            symbol: pair_of(&s.instrument),
            timestamp: s.timestamp,
            age: Age::new(s, moment),
            words: [
                word("volatility_regime", (volatility.label.name(), volatility.stale), row, "vol_daily"),
                word("regime_type", (heat.label.name(), heat.stale), row, "heat"),
            ],
            numbers: vec![
                optional("price", s.price),
                number("funding_rate", row, "funding_rate_8h"),
                number("funding_z_score", row, "funding_zscore_24h"),
                number("open_interest", row, "open_interest"),
                number("volatility", row, "vol_daily"),
                optional("confidence", s.regimes.heat.confidence),
                number("long_bias", row, "long_bias"),
                number("risk_multiplier", row, "risk_multiplier"),
                liquidated("total_liquidated_usd", row),
                number("velocity_usd_per_hour", row, "liq_velocity_4h"),
            ],
        }
    }
}

impl AliasVolatility {
    /// From the newest row and its snapshot, as they look at a moment.
    #[must_use]
    pub fn new(row: &FeatureRowView, s: &Snapshot, moment: Ts) -> Self {
        let volatility = &s.regimes.volatility;
        Self {
            instrument: s.instrument.clone(),
            symbol: pair_of(&s.instrument),
            timestamp: s.timestamp,
            age: Age::new(s, moment),
            words: [word("regime", (volatility.label.name(), volatility.stale), row, "vol_daily")],
            numbers: vec![
                number("volatility", row, "vol_daily"),
                number("volatility_annual", row, "vol_annual"),
                number("risk_multiplier", row, "risk_multiplier"),
                number("half_life_days", row, "vol_halflife"),
            ],
        }
    }
}

/// One market as one flat object; behind what is null comes why.
fn flat<S: Serializer>(
    s: S,
    instrument: Option<&InstrumentName>,
    symbol: &str,
    (timestamp, age): (Ts, &Age),
    words: &[LabelWord],
    numbers: &[Number],
) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap as _;
    let mut map = s.serialize_map(None)?;
    if let Some(instrument) = instrument {
        map.serialize_entry("instrument", instrument)?;
    }
    map.serialize_entry("symbol", symbol)?;
    map.serialize_entry("timestamp", &timestamp)?;
    map.serialize_entry("age_s", &age.age_s)?;
    map.serialize_entry("stale", &age.stale)?;
    if let Some(warning) = &age.warning {
        map.serialize_entry("freshness_warning", warning)?;
    }
    for w in words {
        map.serialize_entry(w.name, &w.value.ok())?;
        if let Err(reason) = w.value {
            map.serialize_entry(&format!("{}_reason", w.name), reason)?;
        }
    }
    for n in numbers {
        map.serialize_entry(n.name, &n.value.ok())?;
        if let Err(reason) = n.value {
            map.serialize_entry(&format!("{}_reason", n.name), reason)?;
        }
        if let Some(bound) = n.bound {
            map.serialize_entry(&format!("{}_bound", n.name), bound)?;
        }
    }
    map.end()
}

impl Serialize for AliasFeatures {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        flat(s, None, &self.symbol, (self.timestamp, &self.age), &self.words, &self.numbers)
    }
}

impl Serialize for AliasVolatility {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        flat(s, Some(&self.instrument), &self.symbol, (self.timestamp, &self.age), &self.words, &self.numbers)
    }
}

/// What [`AliasFeatures`] looks like written out, for the schema generator.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read by the schema generator alone")]
struct FeaturesWritten {
    /// `BASE/QUOTE`.
    #[schema(example = "BTC/USDT")]
    symbol: String,
    /// The grid instant.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Ts,
    /// Seconds from then to the moment asked about.
    age_s: i64,
    /// Some input is older than it may be: what stands here is what was known then.
    stale: bool,
    /// "Data stale (6 minutes old)"; left out where nothing is.
    freshness_warning: Option<String>,
    /// STABLE, `HIGH_VOL`, EXPLOSIVE or EXTREME; null where unknown.
    volatility_regime: Option<String>,
    /// Why it is null; left out where it is not.
    volatility_regime_reason: Option<String>,
    /// COLD, COOL, NEUTRAL, HOT or `SUPER_HOT`; null where unknown.
    regime_type: Option<String>,
    /// Why it is null; left out where it is not.
    regime_type_reason: Option<String>,
    /// Price.
    price: Option<f64>,
    /// Why it is null; left out where it is not.
    price_reason: Option<String>,
    /// Running funding, fraction per 8 h.
    funding_rate: Option<f64>,
    /// Why it is null; left out where it is not.
    funding_rate_reason: Option<String>,
    /// Funding against its day, σ.
    funding_z_score: Option<f64>,
    /// Why it is null; left out where it is not.
    funding_z_score_reason: Option<String>,
    /// Base units.
    open_interest: Option<f64>,
    /// Why it is null; left out where it is not.
    open_interest_reason: Option<String>,
    /// Daily fraction.
    volatility: Option<f64>,
    /// Why it is null; left out where it is not.
    volatility_reason: Option<String>,
    /// 0 to 1.
    confidence: Option<f64>,
    /// Why it is null; left out where it is not.
    confidence_reason: Option<String>,
    /// −1 to 1.
    long_bias: Option<f64>,
    /// Why it is null; left out where it is not.
    long_bias_reason: Option<String>,
    /// Factor on stop distances.
    risk_multiplier: Option<f64>,
    /// Why it is null; left out where it is not.
    risk_multiplier_reason: Option<String>,
    /// Quote units over 4 h; what was heard so far while that is less.
    total_liquidated_usd: Option<f64>,
    /// Why it is null; left out where it is not.
    total_liquidated_usd_reason: Option<String>,
    /// `lower`: at least this much, since less than 4 h were observed; left out where all of them were.
    #[schema(example = "lower")]
    total_liquidated_usd_bound: Option<String>,
    /// Quote units an hour over 4 h.
    velocity_usd_per_hour: Option<f64>,
    /// Why it is null; left out where it is not.
    velocity_usd_per_hour_reason: Option<String>,
}

/// What [`AliasVolatility`] looks like written out.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read by the schema generator alone")]
struct VolatilityWritten {
    /// `venue:symbol`; the original lacks it.
    #[schema(example = "binance-usdm:BTCUSDT")]
    instrument: String,
    /// `BASE/QUOTE`.
    #[schema(example = "BTC/USDT")]
    symbol: String,
    /// The grid instant.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Ts,
    /// Seconds from then to the moment asked about.
    age_s: i64,
    /// Some input is older than it may be: what stands here is what was known then.
    stale: bool,
    /// "Data stale (6 minutes old)"; left out where nothing is.
    freshness_warning: Option<String>,
    /// STABLE, `HIGH_VOL`, EXPLOSIVE or EXTREME; null where unknown.
    regime: Option<String>,
    /// Why it is null; left out where it is not.
    regime_reason: Option<String>,
    /// Daily fraction.
    volatility: Option<f64>,
    /// Why it is null; left out where it is not.
    volatility_reason: Option<String>,
    /// Annualised fraction.
    volatility_annual: Option<f64>,
    /// Why it is null; left out where it is not.
    volatility_annual_reason: Option<String>,
    /// Factor on stop distances.
    risk_multiplier: Option<f64>,
    /// Why it is null; left out where it is not.
    risk_multiplier_reason: Option<String>,
    /// Days.
    half_life_days: Option<f64>,
    /// Why it is null; left out where it is not.
    half_life_days_reason: Option<String>,
}

impl PartialSchema for AliasFeatures {
    fn schema() -> RefOr<Schema> {
        FeaturesWritten::schema()
    }
}
impl ToSchema for AliasFeatures {}

impl PartialSchema for AliasVolatility {
    fn schema() -> RefOr<Schema> {
        VolatilityWritten::schema()
    }
}
impl ToSchema for AliasVolatility {}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[(&'static str, WireValue)], readings: &[(&'static str, &'static str)]) -> FeatureRowView {
        FeatureRowView {
            ts: Ts(0),
            values: values.iter().cloned().collect(),
            computation_version: String::new(),
            source_metrics: Vec::new(),
            readings: readings.iter().copied().collect(),
            partial: std::collections::BTreeSet::new(),
        }
    }

    #[test]
    fn what_was_closed_is_a_lower_bound_until_four_hours_were_heard() {
        const IDS: [[&str; 2]; 3] = [
            ["liq_long_usd_5m", "liq_short_usd_5m"],
            ["liq_long_usd_1h", "liq_short_usd_1h"],
            ["liq_long_usd_4h", "liq_short_usd_4h"],
        ];
        let of = |known: usize, partial: bool| {
            let mut row = row(&[], &[]);
            for ((i, ids), size) in IDS.iter().enumerate().zip([1.0, 10.0, 100.0]) {
                for id in ids {
                    // 1, 10 and 100 on each side.
                    let value = if i < known { WireValue::Number(size) } else { WireValue::Null };
                    row.values.insert(id, value);
                    row.readings.insert(id, "warming");
                }
            }
            if partial {
                row.partial.extend(IDS[2]);
            }
            let told = liquidated("total", &row);
            (told.value, told.bound)
        };
        assert_eq!(of(0, false), (Err("warming"), None), "the first minutes");
        assert_eq!(of(1, false), (Ok(2.0), Some("lower")), "the last five minutes");
        assert_eq!(of(2, false), (Ok(20.0), Some("lower")), "the first hour");
        assert_eq!(of(3, true), (Ok(200.0), Some("lower")), "until four hours were heard");
        assert_eq!(of(3, false), (Ok(200.0), None));
        let json = |known, partial| {
            let (value, bound) = of(known, partial);
            let numbers = vec![Number { name: "total", value, bound }];
            let (symbol, timestamp, age) = (String::new(), Ts(0), OLD);
            serde_json::to_value(AliasFeatures { symbol, timestamp, age, words: WORDS, numbers }).unwrap()
        };
        assert_eq!(json(2, false)["total_bound"], "lower");
        assert!(json(3, false).get("total_bound").is_none() && json(0, false).get("total_bound").is_none());
    }

    const OLD: Age = Age { age_s: 360, stale: true, warning: None };
    const WORDS: [LabelWord; 2] = [LabelWord { name: "a", value: Ok("A") }, LabelWord { name: "b", value: Ok("B") }];

    #[test]
    fn nulls_say_why() {
        let row = row(&[("a", WireValue::Number(0.5)), ("b", WireValue::Null)], &[("b", "warming")]);
        let numbers = [number("x", &row, "a"), number("y", &row, "b"), number("z", &row, "c")];
        let json = serde_json::to_value(&AliasVolatility {
            instrument: InstrumentName::parse("okx:BTC-USDT").unwrap(),
            symbol: "BTC/USDT".to_owned(),
            timestamp: Ts(0),
            age: Age { warning: Some("Data stale (6 minutes old)".to_owned()), ..OLD },
            words: [word("regime", ("UNKNOWN", true), &row, "b")],
            numbers: numbers.to_vec(),
        })
        .unwrap_or_default();
        let want = serde_json::json!({
            "instrument": "okx:BTC-USDT", "symbol": "BTC/USDT", "timestamp": "1970-01-01T00:00:00Z", "age_s": 360,
            "stale": true, "freshness_warning": "Data stale (6 minutes old)", "regime": null,
            "regime_reason": "warming", "x": 0.5, "y": null, "y_reason": "warming", "z": null, "z_reason": "not_available",
        });
        assert_eq!(json, want);
        let of = |label, stale, judged_by| word("regime", (label, stale), &row, judged_by).value;
        assert_eq!(of("UNKNOWN", false, "a"), Err("not_available"), "the axis waits, not the reading");
        assert_eq!(of("UNKNOWN", true, "a"), Err("stale"), "the reading was of then");
        assert_eq!(of("STABLE", true, "b"), Ok("STABLE"));
    }
}
