//! Answers under a mask, field by field, and refusals.

use super::Mask;
use super::draw::Factors;
use super::kinds::{FieldKind, field_kind, kind_of_unit, must_not_show_order, unit_beside};
use crate::answer::{Part, RowTable, ToolAnswer};
use crate::fault::CallFault;
use crate::number::short;
use barograph_domain::Ts;
use serde_json::{Map, Value};

/// Of which market numbers are, where nothing nearer names one, and the units of columns that have one.
struct Around<'a> {
    tool: &'a str,
    factors: Option<Factors>,
    units: Map<String, Value>,
}

/// Fields that name the market of those beside them.
const MARKETS: [&str; 2] = ["instrument", "market"];
/// What rows are in the order of, before their names.
const ORDERS: [&str; 4] = ["opened_at", "risk", "state", "continuity"];

impl Mask {
    /// An answer as the agent reads it; `market` is the real name of the one it asked about. Of rows whose order would show names, the
    /// first `from` are left out.
    pub(crate) fn answer(&self, tool: &str, market: Option<&str>, mut answer: ToolAnswer, from: usize) -> ToolAnswer {
        let field = |name: &str| {
            answer.parts.iter().find_map(|part| match part {
                Part::Field(known, value) if known == name => Some(value.clone()),
                _ => None,
            })
        };
        let named = MARKETS.iter().find_map(|name| self.factors_of(field(name)?.as_str()?).copied());
        let asked = market.and_then(|market| self.factors_of(market).copied());
        let units = field("units").and_then(|units| units.as_object().cloned()).unwrap_or_default();
        let around = Around { tool, factors: named.or(asked), units };
        let mut skipped = must_not_show_order(tool).then_some(from);
        answer.parts = core::mem::take(&mut answer.parts)
            .into_iter()
            .filter_map(|part| match part {
                Part::Field(name, value) => {
                    let shown = self.field(&around, &name, value, around.factors, None);
                    if is_empty(&shown) { None } else { Some(Part::Field(name, shown)) }
                }
                Part::Rows(table) => {
                    let mut table = self.table(&around, table);
                    if let Some(first) = skipped.take() {
                        table.rows.drain(..first.min(table.rows.len()));
                    }
                    Some(Part::Rows(table))
                }
            })
            .collect();
        answer
    }

    /// A refusal as the agent reads it; `id` is the real one that was asked for.
    pub(crate) fn fault(&self, fault: CallFault, id: Option<&str>) -> CallFault {
        let mut sentence = match id.filter(|id| !id.is_empty()) {
            None => self.sentence(&fault.sentence),
            Some(id) => {
                let around: Vec<String> = fault.sentence.split(id).map(|part| self.sentence(part)).collect();
                around.join(&self.id(id))
            }
        };
        // Names are listed in an order that would show them.
        if let Some(at) = sentence.find("; there ").filter(|at| sentence[*at..].contains("M0")) {
            sentence.truncate(at);
            sentence.push_str(&format!("; there {}", self.names.list()));
        }
        let mut candidates: Vec<String> = fault.candidates.iter().map(|c| self.sentence(c)).collect();
        candidates.sort_unstable();
        candidates.dedup();
        CallFault { sentence, candidates, kind: fault.kind }
    }

    fn table(&self, around: &Around<'_>, table: RowTable) -> RowTable {
        let place = |name: &&str| table.columns.iter().position(|column| column == name);
        let of_market = MARKETS.iter().find_map(place);
        let (unit, feature) = (place(&"unit"), place(&"feature"));
        let kinds: Vec<FieldKind> = table.columns.iter().map(|column| self.column(around, column)).collect();
        let kept: Vec<usize> = (0..kinds.len()).filter(|at| kinds[*at] != FieldKind::Hidden).collect();
        let row = |row: Vec<Value>| -> Option<Vec<Value>> {
            let market = of_market.and_then(|at| row[at].as_str());
            let factors = match of_market {
                // What is of no market here is of something that is not shown: a calendar, a chain.
                Some(_) => Some(*self.factors_of(market?)?),
                None => around.factors,
            };
            let text = |at: Option<usize>| at.and_then(|at| row[at].as_str());
            let unit = unit_beside(text(unit), text(feature)).map(str::to_owned);
            let shown = |at: &usize| self.value(around, kinds[*at], row[*at].clone(), factors, unit.as_deref());
            Some(kept.iter().map(shown).collect())
        };
        let columns: Vec<String> = kept.iter().map(|at| table.columns[*at].clone()).collect();
        let mut rows: Vec<Vec<Value>> = table.rows.into_iter().filter_map(row).collect();
        if must_not_show_order(around.tool) {
            sort(&columns, &mut rows);
        }
        RowTable::new(table.name, columns, rows)
    }

    /// What a column holds: as it is listed, or as the unit shows that is stated of it.
    fn column(&self, around: &Around<'_>, column: &str) -> FieldKind {
        match field_kind(around.tool, column) {
            Some(kind) => kind,
            None => around.units.get(column).and_then(Value::as_str).map_or(FieldKind::Hidden, kind_of_unit),
        }
    }

    fn field(
        &self,
        around: &Around<'_>,
        name: &str,
        value: Value,
        factors: Option<Factors>,
        unit: Option<&str>,
    ) -> Value {
        self.value(around, self.column(around, name), value, factors, unit)
    }

    fn value(
        &self,
        around: &Around<'_>,
        kind: FieldKind,
        value: Value,
        factors: Option<Factors>,
        unit: Option<&str>,
    ) -> Value {
        let times = |factor: Option<f64>| scaled(&value, factor);
        match kind {
            FieldKind::Hidden => Value::Null,
            FieldKind::ByUnit => {
                let kind = unit.map_or(FieldKind::Hidden, kind_of_unit);
                self.value(around, kind, value, factors, None)
            }
            // A size or a stop may be a number or all that is known of it.
            FieldKind::Price | FieldKind::Amount if value.is_object() => self.nested(around, value, factors),
            FieldKind::Price => times(factors.map(|f| f.price)),
            FieldKind::Money => times(factors.map(|f| f.money)),
            FieldKind::Amount => times(factors.map(|f| 1.0 / f.price)),
            FieldKind::Plain | FieldKind::Words => self.plain(kind, value),
            FieldKind::Market => {
                sorted(each(value, |text| self.names.shown(text).or_else(|| is_general(text).then(|| text.to_owned()))))
            }
            FieldKind::Asset => {
                each(value, |text| self.names.shown(text).or_else(|| self.names.asset(text).map(str::to_owned)))
            }
            FieldKind::Pair => each(value, |text| self.pair(text)),
            FieldKind::Moment => each(value, |text| {
                let shown = self.shown(Ts::parse(text).ok()?);
                short(shown.iso().into()).as_str().map(str::to_owned)
            }),
            FieldKind::Exact => each(value, |text| Some(self.shown(Ts::parse(text).ok()?).iso())),
            FieldKind::Id => each(value, |text| Some(self.id(text))),
            FieldKind::Text => each(value, |text| Some(self.sentence(text))),
            FieldKind::Nested => self.nested(around, value, factors),
        }
    }

    /// Words of the program and numbers without a market; a text that names something hidden all the same is left out.
    fn plain(&self, kind: FieldKind, value: Value) -> Value {
        match value {
            Value::String(text) => {
                let is_dated =
                    text.as_bytes().windows(5).any(|w| w[..4].iter().all(u8::is_ascii_digit) && w[4] == b'-');
                if self.names.without(&text) == text && !is_dated { text.into() } else { Value::Null }
            }
            Value::Array(items) => {
                items.into_iter().map(|item| self.plain(kind, item)).filter(|v| !v.is_null()).collect()
            }
            // Names of fields are words of the program only where that is known.
            Value::Object(fields) if kind == FieldKind::Words => {
                fields.into_iter().map(|(name, value)| (name, self.plain(kind, value))).collect::<Map<_, _>>().into()
            }
            Value::Object(_) => Value::Null,
            other => other,
        }
    }

    /// Two assets, in the order of their masked names.
    fn pair(&self, text: &str) -> Option<String> {
        let shown = self.names.without(text);
        let mut both: Vec<&str> = shown.split('/').collect();
        both.sort_unstable();
        both.iter().all(|name| self.names.real(name).is_some()).then(|| both.join("/"))
    }

    fn nested(&self, around: &Around<'_>, value: Value, factors: Option<Factors>) -> Value {
        match value {
            Value::Array(items) => {
                let shown = items.into_iter().map(|item| self.nested(around, item, factors));
                shown.filter(|item| !is_empty(item)).collect()
            }
            Value::Object(fields) => {
                let own = MARKETS.iter().find_map(|name| self.factors_of(fields.get(*name)?.as_str()?).copied());
                let text = |name: &str| fields.get(name).and_then(Value::as_str);
                let unit = unit_beside(text("unit"), text("feature")).map(str::to_owned);
                let shown = fields.into_iter().map(|(name, value)| {
                    let shown = self.field(around, &name, value, own.or(factors), unit.as_deref());
                    (name, shown)
                });
                shown.filter(|(_, value)| !is_empty(value)).collect::<Map<_, _>>().into()
            }
            // A bare value in a place where fields were expected is not on any list.
            _ => Value::Null,
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// What stands in place of a market and is none.
fn is_general(text: &str) -> bool {
    text == "all"
}

/// Names in an order that does not show what they stand for.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(mut items) => {
            items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            items.into()
        }
        other => other,
    }
}

/// A text, or each of several, with another in its place; what has none is left out.
fn each(value: Value, shown: impl Fn(&str) -> Option<String> + Copy) -> Value {
    match value {
        Value::String(text) => shown(&text).map_or(Value::Null, Value::String),
        Value::Array(items) => items.into_iter().map(|item| each(item, shown)).filter(|item| !item.is_null()).collect(),
        _ => Value::Null,
    }
}

/// A number, or each of several, times a factor; without one nothing is shown. Digits that only a price in ticks has would show how large
/// a tick is.
fn scaled(value: &Value, factor: Option<f64>) -> Value {
    let Some(factor) = factor else { return Value::Null };
    match value {
        Value::Number(number) => short(number.as_f64().map_or(Value::Null, |x| rounded(x * factor).into())),
        Value::Array(items) => items.iter().map(|item| scaled(item, Some(factor))).collect(),
        _ => Value::Null,
    }
}

/// A number to five digits.
fn rounded(x: f64) -> f64 {
    format!("{x:.4e}").parse().unwrap_or(x)
}

/// Rows by their masked names, within what they are in the order of.
fn sort(columns: &[String], rows: &mut [Vec<Value>]) {
    let place = |names: &[&str]| columns.iter().position(|column| names.contains(&column.as_str()));
    let Some(name) = place(&["instrument", "market", "pair"]) else { return };
    let by_name = |rows: &mut [Vec<Value>]| rows.sort_by(|a, b| a[name].as_str().cmp(&b[name].as_str()));
    match ORDERS.iter().find_map(|order| place(&[order])) {
        Some(order) => rows.chunk_by_mut(|a, b| a[order] == b[order]).for_each(by_name),
        None => by_name(rows),
    }
}
