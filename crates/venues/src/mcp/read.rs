//! An answer of a tool, and the facts in it.

use super::table::{McpCall, McpFact, StampUnit};
use crate::number::PLAUSIBLE;
use crate::session::{MarketSpec, checked};
use barograph_domain::{Bar, Side, Span, Ts};
use serde_json::Value;

/// A stamp may be this far ahead of the receive clock; more is a broken stamp.
const AHEAD_MAX: Span = Span::mins(10);

/// Why an answer brings nothing.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Unusable {
    /// It is no answer of a tool.
    Broken(&'static str),
    /// The tool failed: the server's own words.
    Failed(String),
    /// The server answered, and what stands behind it refused.
    Refused(String),
}

/// What a call answered (`CallToolResult`): its structure, else the JSON in its text.
pub(super) fn answer(call: &McpCall, body: &[u8]) -> Result<Value, Unusable> {
    let mut result: Value = serde_json::from_slice(body).map_err(|_plain| Unusable::Broken("not JSON"))?;
    let text = result.pointer("/content/0/text").and_then(Value::as_str).map(str::to_owned);
    if result["isError"] == true {
        return Err(Unusable::Failed(text.unwrap_or_default()));
    }
    let structure = result.get_mut("structuredContent").map(Value::take).filter(|value| !value.is_null());
    let value = structure.or_else(|| serde_json::from_str(&text?).ok()).ok_or(Unusable::Broken("no JSON in it"))?;
    match &call.good {
        Some(good) if value.pointer(&good.at).is_none_or(|found| word(found) != good.is) => {
            Err(Unusable::Refused(value.to_string()))
        }
        _ => Ok(value),
    }
}

/// A scalar as it would be written.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned())
}

/// Rows of a fact in an answer; one that is no list is the only one. None where the place is empty.
pub(super) fn rows<'a>(fact: &McpFact, answer: &'a Value) -> Option<Vec<&'a Value>> {
    match answer.pointer(&fact.rows)? {
        Value::Null => None,
        Value::Array(all) => Some(all.iter().collect()),
        one => Some(vec![one]),
    }
}

/// A row of a fact, read by its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct FactRow<'a> {
    pub(super) fact: &'a McpFact,
    pub(super) row: &'a Value,
    pub(super) now: Ts,
}

impl FactRow<'_> {
    fn part(&self, part: &str) -> Option<&Value> {
        self.row.pointer(self.fact.place(part)?).filter(|value| !value.is_null())
    }

    /// Is the row of this market, as far as it names one?
    pub(super) fn is_of(&self, spec: &MarketSpec) -> bool {
        self.fact.place("market").is_none() || self.part("market").is_some_and(|name| word(name) == spec.symbol)
    }

    fn number(&self, part: &str) -> Option<f64> {
        let value = match self.part(part)? {
            Value::String(text) => crate::number::decimal(text.trim().as_bytes())?,
            other => other.as_f64()?,
        };
        let scaled = value * self.fact.factor(part);
        (scaled.abs() <= checked::LARGEST).then_some(scaled)
    }

    fn price(&self, part: &str) -> Option<f64> {
        self.number(part).and_then(checked::price)
    }

    /// A stamp; a part that is not given is none.
    pub(super) fn stamp(&self, part: &str) -> Option<Ts> {
        let value = self.part(part)?;
        let text = word(value);
        let at = match self.fact.stamp {
            StampUnit::Iso => Ts::parse(&text).ok()?,
            unit => {
                let each = match unit {
                    StampUnit::S => 1_000_000_000,
                    StampUnit::Us => 1_000,
                    StampUnit::Ms | StampUnit::Iso => 1_000_000,
                };
                Ts(text.parse::<i64>().ok()?.checked_mul(each)?)
            }
        };
        PLAUSIBLE.contains(&at).then_some(at)
    }

    /// When it happened; what has no stamp is of the moment it came. `None`: the stamp is none that can be.
    pub(super) fn at(&self) -> Option<Ts> {
        if self.fact.place("at").is_none() {
            return Some(self.now);
        }
        self.stamp("at").filter(|at| *at - self.now <= AHEAD_MAX)
    }

    /// A price, a rate, a quantity, by what the metric may be.
    pub(super) fn value(&self) -> Option<f64> {
        use barograph_domain::Metric;
        let value = self.number("value")?;
        match self.fact.metric {
            Metric::MarkPrice | Metric::IndexPrice => checked::price(value),
            Metric::PremiumIndex => checked::rate(value),
            _ => checked::qty(value),
        }
    }

    /// Best bid and ask.
    pub(super) fn top(&self) -> Option<(f64, f64)> {
        self.price("bid").zip(self.price("ask"))
    }

    /// The top of a book: the highest bid and the lowest ask of its levels.
    pub(super) fn book_top(&self) -> Option<(f64, f64)> {
        let side = |part: &str| -> Option<Vec<f64>> {
            let levels = self.part(part)?.as_array()?;
            levels.iter().map(|level| checked::price(price_of(level.get(0)?)? * self.fact.factor(part))).collect()
        };
        let bid = side("bids")?.into_iter().reduce(f64::max)?;
        let ask = side("asks")?.into_iter().reduce(f64::min)?;
        Some((bid, ask))
    }

    /// The running rate, hours between settlements, the next settlement.
    pub(super) fn funding(&self) -> Option<(f64, Option<f64>, Option<Ts>)> {
        let (next, last) = (self.stamp("next"), self.stamp("last"));
        let between = next.zip(last).map(|(next, last)| (next - last).as_secs_f64() / 3_600.0);
        let hours = self.number("interval_h").or(between);
        let hours = hours.filter(|h| (1.0..=24.0).contains(h) && h.fract() < f64::EPSILON);
        Some((self.rate()?, hours, next))
    }

    /// A rate, as a fraction.
    pub(super) fn rate(&self) -> Option<f64> {
        self.number("rate").and_then(checked::rate)
    }

    /// A bar of a minute, with its close.
    pub(super) fn bar(&self) -> Option<(Ts, Bar)> {
        let minute = Span::mins(1);
        let at = self.at()?;
        let close = if self.fact.at_close { at } else { at + minute };
        let prices = [self.price("open")?, self.price("high")?, self.price("low")?, self.price("close")?];
        let volume = |part: &str| self.number(part).and_then(checked::qty);
        let bar = checked::bar(prices, volume("volume"), volume("quote_volume"))?;
        (close.floor(minute) == close).then_some((close, bar))
    }

    /// A liquidation: side of the position, price, base units.
    pub(super) fn liquidation(&self, inverse: bool) -> Option<(Side, f64, f64)> {
        let side = match word(self.part("side")?).to_ascii_lowercase().as_str() {
            "long" | "buy" => Side::Long,
            "short" | "sell" => Side::Short,
            _ => return None,
        };
        let (price, qty) = checked::fill(inverse, self.price("price"), self.number("qty").and_then(checked::qty))?;
        let position = match (side, self.fact.side_of_order) {
            (Side::Long, true) => Side::Short,
            (Side::Short, true) => Side::Long,
            (side, false) => side,
        };
        Some((position, price, qty))
    }
}

fn price_of(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => crate::number::decimal(text.trim().as_bytes()),
        other => other.as_f64(),
    }
}
