//! Signals as people write them: metric points (payloads §1) as a JSON object, a list, JSON lines or CSV (R1.13, R1.19).
//!
//! A CSV has a header; columns that are no field are tags. Nothing is guessed: what cannot be read is a [`RefusedSignal`] with its place.
//! Left out on purpose: which market a bare symbol means (the caller knows those there are), and storing anything.

use crate::cells::records;
use barograph_domain::{SignalKnown, SignalName, SignalPoint, SignalScope, Span, Ts};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The fields of a point, ours first; others are what exports call them.
const FIELDS: [(&str, &[&str]); 7] = [
    ("timestamp", &["timestamp", "ts", "time", "date", "datetime"]),
    ("symbol", &["symbol", "market", "instrument"]),
    ("metric_name", &["metric_name", "metric", "name"]),
    ("value", &["value"]),
    ("source", &["source"]),
    ("known_ts", &["known_ts", "known_at"]),
    ("tags", &["tags"]),
];

/// What holds for points that do not state it themselves.
#[derive(Clone, PartialEq, Debug)]
pub struct SignalDefaults {
    /// What they speak of.
    pub scope: Option<SignalScope>,
    /// What is measured.
    pub name: Option<SignalName>,
    /// Who measured it.
    pub source: Option<String>,
    /// Since when they are known.
    pub known: KnownSince,
}

/// Since when a point is known that does not state it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KnownSince {
    /// It arrived at this moment.
    Arrival(Ts),
    /// So long after the moment it is of, as its owner states.
    After(Span),
}

/// What a text holds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ReadSignals {
    /// Points that can be stored.
    pub points: Vec<SignalPoint>,
    /// Those that cannot.
    pub refused: Vec<RefusedSignal>,
    /// Rows of a CSV without a value.
    pub empty: usize,
}

/// A point that cannot be taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefusedSignal {
    /// Its line in a CSV or JSON lines, its place in a list; from 1.
    pub number: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Which market a symbol means.
pub type SymbolOf<'a> = &'a dyn Fn(&str) -> Result<SignalScope, String>;

/// A point as written: text of each field that is there.
#[derive(Default)]
struct Written {
    fields: BTreeMap<&'static str, String>,
    /// `None`: the text states that there is no value (JSON null).
    value: Option<f64>,
    tags: BTreeMap<String, String>,
}

/// The points of a text; which of the formats it is shows in its first characters.
///
/// # Errors
/// When the text as a whole is none of them.
pub fn parse(text: &str, of: &SignalDefaults, symbol: SymbolOf<'_>) -> Result<ReadSignals, String> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    match start.as_bytes().first() {
        None => Err("there is nothing in it".to_owned()),
        Some(b'[') => {
            let list: Vec<Value> = serde_json::from_str(start).map_err(|e| format!("not a JSON list: {e}"))?;
            Ok(of_values(list.into_iter().enumerate().map(|(at, v)| (at + 1, Ok(v))), of, symbol))
        }
        Some(b'{') => Ok(json(start, of, symbol)),
        Some(_) => csv(start, of, symbol),
    }
}

/// One object over several lines, or one object a line.
fn json(text: &str, of: &SignalDefaults, symbol: SymbolOf<'_>) -> ReadSignals {
    if let Ok(whole) = serde_json::from_str::<Value>(text) {
        return of_values(std::iter::once((1, Ok(whole))), of, symbol);
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |line: &str| serde_json::from_str(line).map_err(|e| format!("not one JSON object on its line: {e}"));
    of_values(lines.map(|(at, line)| (at + 1, read(line))), of, symbol)
}

fn of_values(
    values: impl Iterator<Item = (usize, Result<Value, String>)>,
    of: &SignalDefaults,
    symbol: SymbolOf<'_>,
) -> ReadSignals {
    let mut read = ReadSignals::default();
    for (number, value) in values {
        let point = value.and_then(|v| match v {
            Value::Object(fields) => of_object(fields),
            _ => Err("a point is an object, for example {\"timestamp\": …, \"metric_name\": \"x.…\", \"value\": …}"
                .to_owned()),
        });
        read.take(number, point.and_then(|written| written.point(of, symbol)));
    }
    read
}

impl ReadSignals {
    fn take(&mut self, number: usize, point: Result<SignalPoint, String>) {
        match point {
            Ok(point) => self.points.push(point),
            Err(why) => self.refused.push(RefusedSignal { number, why }),
        }
    }
}

fn field(name: &str) -> Option<&'static str> {
    let lower = name.trim().to_ascii_lowercase();
    FIELDS.iter().find(|(_, names)| names.contains(&lower.as_str())).map(|(field, _)| *field)
}

fn list() -> String {
    FIELDS.map(|(field, _)| field).join(", ")
}

fn of_object(fields: Map<String, Value>) -> Result<Written, String> {
    let mut written = Written::default();
    let mut is_given = false;
    let mut seen = std::collections::BTreeSet::new();
    for (key, value) in fields {
        let Some(name) = field(&key) else {
            return Err(format!("there is no field '{key}'; there are {}", list()));
        };
        if !seen.insert(name) {
            return Err(format!("'{name}' is given twice, once as '{key}'"));
        }
        match (name, value) {
            ("value", Value::Null) => is_given = true,
            ("value", Value::Number(n)) => (is_given, written.value) = (true, n.as_f64()),
            ("value", other) => return Err(format!("the value {other} is not a number; null takes a value back")),
            ("tags", Value::Object(tags)) => written.tags = tags_of(tags)?,
            ("tags", Value::Null) => {}
            ("tags", other) => return Err(format!("tags are an object of texts, not {other}")),
            (_, Value::Null) => {}
            (_, Value::String(text)) => drop(written.fields.insert(name, text)),
            ("timestamp" | "known_ts", Value::Number(n)) => drop(written.fields.insert(name, n.to_string())),
            (_, other) => return Err(format!("'{name}' is a text, not {other}")),
        }
    }
    if is_given { Ok(written) } else { Err("the field 'value' is missing; null takes a value back".to_owned()) }
}

fn tags_of(tags: Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    let text = |(key, value): (String, Value)| match value {
        Value::String(text) => Ok((key, text)),
        Value::Number(n) => Ok((key, n.to_string())),
        Value::Bool(b) => Ok((key, b.to_string())),
        other => Err(format!("the tag '{key}' is a text, not {other}")),
    };
    tags.into_iter().map(text).collect()
}

fn csv(text: &str, of: &SignalDefaults, symbol: SymbolOf<'_>) -> Result<ReadSignals, String> {
    let mut rows = records(text)?.into_iter();
    let header = rows.next().unwrap_or_default();
    let has = |name: &str| header.iter().any(|column| field(column) == Some(name));
    if !has("timestamp") || !has("value") {
        return Err(format!(
            "the first line must name the columns, 'timestamp' and 'value' among them; the fields are {}, any other column is a tag",
            list()
        ));
    }
    for (name, _) in FIELDS {
        let columns: Vec<&str> = header.iter().filter(|c| field(c) == Some(name)).map(|c| c.trim()).collect();
        if columns.len() > 1 {
            return Err(format!("the columns {} are all '{name}'; leave one of them", columns.join(" and ")));
        }
    }
    let mut read = ReadSignals::default();
    for (at, row) in rows.enumerate() {
        if row.len() == 1 && row[0].trim().is_empty() {
            continue;
        }
        match of_row(&header, row) {
            Ok(None) => read.empty += 1,
            Ok(Some(written)) => read.take(at + 2, written.point(of, symbol)),
            Err(why) => read.refused.push(RefusedSignal { number: at + 2, why }),
        }
    }
    Ok(read)
}

/// `None`: the row has no value, as a data frame writes one that is missing.
fn of_row(header: &[String], row: Vec<String>) -> Result<Option<Written>, String> {
    if row.len() != header.len() {
        return Err(format!("it has {} cells, the first line {}", row.len(), header.len()));
    }
    let mut written = Written::default();
    for (column, cell) in header.iter().zip(row) {
        let cell = cell.trim();
        match field(column) {
            _ if cell.is_empty() => {}
            Some("value") => {
                let value = cell.parse::<f64>().map_err(|_plain| format!("the value '{cell}' is not a number"))?;
                // What `parse` takes for one, and a data frame writes where there is none.
                if value.is_nan() {
                    return Ok(None);
                }
                written.value = Some(value);
            }
            Some("tags") => {
                let tags =
                    serde_json::from_str(cell).map_err(|_plain| format!("the tags '{cell}' are no JSON object"))?;
                written.tags.append(&mut tags_of(tags)?);
            }
            Some(name) => drop(written.fields.insert(name, cell.to_owned())),
            None => drop(written.tags.insert(column.trim().to_owned(), cell.to_owned())),
        }
    }
    Ok(written.value.is_some().then_some(written))
}

impl Written {
    fn point(self, of: &SignalDefaults, symbol: SymbolOf<'_>) -> Result<SignalPoint, String> {
        let Self { fields, value, tags } = self;
        let text = |name: &str| fields.get(name).map(String::as_str);
        let missing = |name: &str| format!("the field '{name}' is missing");
        let event_ts = Ts::parse(text("timestamp").ok_or_else(|| missing("timestamp"))?)?;
        let scope = match (text("symbol"), &of.scope) {
            (Some(written), stated) => agreed(symbol(written)?, stated.as_ref())?,
            (None, Some(scope)) => scope.clone(),
            (None, None) => return Err(missing("symbol")),
        };
        let name = match (text("metric_name"), &of.name) {
            (Some(written), _) => SignalName::parse(written).map_err(|e| e.to_string())?,
            (None, Some(name)) => name.clone(),
            (None, None) => return Err(missing("metric_name")),
        };
        let source = text("source").or(of.source.as_deref()).ok_or_else(|| missing("source"))?.to_owned();
        let (known_ts, known) = match (text("known_ts"), of.known) {
            (Some(written), _) => (Ts::parse(written)?, SignalKnown::Stated),
            (None, KnownSince::After(span)) => (event_ts + span, SignalKnown::Stated),
            (None, KnownSince::Arrival(now)) => (now.max(event_ts), SignalKnown::Received),
        };
        let point = SignalPoint { name, scope, source, event_ts, value, tags, known_ts, known };
        point.check().map_err(|e| e.to_string())?;
        Ok(point)
    }
}

/// The market a point names, which must be the one that all are of.
fn agreed(written: SignalScope, stated: Option<&SignalScope>) -> Result<SignalScope, String> {
    match stated {
        Some(stated) if *stated != written => Err(format!("its symbol is {written}, not {stated}")),
        _ => Ok(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ts = Ts::from_civil(2026, 3, 1, 12, 0, 0);

    fn bare(text: &str) -> Result<SignalScope, String> {
        let name = if text == "BTCUSDT" { "binance-usdm:BTCUSDT" } else { text };
        SignalScope::parse(name).map_err(|e| e.to_string())
    }

    fn read(text: &str, known: KnownSince) -> Result<ReadSignals, String> {
        let of = SignalDefaults { scope: None, name: None, source: Some("desk".to_owned()), known };
        parse(text, &of, &bare)
    }

    /// Each point in one line.
    fn lines(text: &str) -> Vec<String> {
        let found = read(text, KnownSince::Arrival(NOW)).unwrap();
        let point = |p: &SignalPoint| {
            let value = p.value.map_or_else(|| "back".to_owned(), |v| v.to_string());
            format!(
                "{} {} {} {} {value} {:?} {} {}",
                p.name,
                p.scope,
                p.source,
                p.event_ts,
                p.tags,
                p.known_ts,
                p.known.name()
            )
        };
        let mut all: Vec<String> = found.points.iter().map(point).collect();
        all.extend(found.refused.iter().map(|r| format!("{}: {}", r.number, r.why)));
        all
    }

    #[test]
    fn the_four_formats_give_the_same_points() {
        let one = r#"{"timestamp": "2026-03-01T10:00:00Z", "symbol": "BTCUSDT", "metric_name": "x.flow", "value": 1.5, "source": "s", "tags": {"unit": "USD"}}"#;
        let two = r#"{"timestamp": 1772359200000, "symbol": "*", "metric_name": "x.flow", "value": -2}"#;
        let csv = "timestamp,symbol,metric_name,value,source,unit\n\
                   2026-03-01T10:00:00Z,BTCUSDT,x.flow,1.5,s,USD\n\
                   1772359200000,*,x.flow,-2,,\n";
        let expected = [
            r#"x.flow binance-usdm:BTCUSDT s 2026-03-01T10:00:00Z 1.5 {"unit": "USD"} 2026-03-01T12:00:00Z received"#,
            "x.flow * desk 2026-03-01T10:00:00Z -2 {} 2026-03-01T12:00:00Z received",
        ];
        assert_eq!(lines(&format!("[{one},{two}]")), expected);
        assert_eq!(lines(&format!("{one}\n\n{two}\n")), expected);
        assert_eq!(lines(csv), expected);
        assert_eq!(lines(&one.replace(", \"", ",\n \"")), expected[..1]);
    }

    #[test]
    fn since_when_a_point_is_known() {
        let row = "timestamp,symbol,metric_name,value,known_ts\n2026-03-01T10:00:00Z,*,x.a,1,";
        let known = |text: &str, rule| {
            let point = read(text, rule).unwrap().points.remove(0);
            (point.known_ts, point.known)
        };
        let hour = |h| Ts::from_civil(2026, 3, 1, h, 0, 0);
        assert_eq!(known(row, KnownSince::Arrival(NOW)), (NOW, SignalKnown::Received));
        assert_eq!(known(row, KnownSince::After(Span::hours(1))), (hour(11), SignalKnown::Stated));
        let stated = format!("{row}2026-03-01T10:30:00Z");
        assert_eq!(known(&stated, KnownSince::Arrival(NOW)), (hour(10) + Span::mins(30), SignalKnown::Stated));
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_its_place_and_the_rest_is_read() {
        let good = r#"{"timestamp":"2026-03-01","symbol":"*","metric_name":"x.a","value":1}"#;
        for (bad, why) in [
            ("[]", "2: a point is an object"),
            (r#"{"timestamp":"2026-03-01","symbol":"*","metric_name":"x.a"}"#, "2: the field 'value' is missing"),
            (&good.replace("\"value\":1", "\"value\":\"1\""), "2: the value \"1\" is not a number"),
            (&good.replace("x.a", "funding_rate"), "2: 'funding_rate' is not a name for a signal of your own"),
            (&good.replace("*", "NOPE NOPE"), "2: 'NOPE NOPE' is no market"),
            (&good.replace("2026-03-01", "yesterday"), "2: 'yesterday' is not a time"),
            (&good.replace("metric_name", "metric_nam"), "2: there is no field 'metric_nam'; there are timestamp,"),
            (&good.replace("\"value\":1", "\"value\":1,\"known_ts\":\"2026-02-01\""), "2: known since 2026-02-01"),
            (&good.replace("\"value\":1", "\"value\":1,\"tags\":[1]"), "2: tags are an object of texts"),
            (&good.replace("\"value\":1", "\"value\":1,\"date\":\"2026-03-02\""), "2: 'timestamp' is given twice"),
        ] {
            let found = lines(&format!("[{good},{bad},{good}]"));
            assert_eq!(found.len(), 3, "{found:?}");
            assert!(found[2].starts_with(why), "{}", found[2]);
        }
        let torn = lines(&format!("{good}\n{}", &good[..20]));
        assert!(torn[1].starts_with("2: not one JSON object on its line"), "{}", torn[1]);
    }

    #[test]
    fn a_null_takes_back_and_an_empty_cell_is_nothing() {
        let back = r#"{"timestamp":"2026-03-01","symbol":"*","metric_name":"x.a","value":null}"#;
        assert_eq!(read(back, KnownSince::Arrival(NOW)).unwrap().points[0].value, None);
        let rows = "ts,market,name,value\n2026-03-01,*,x.a,\n2026-03-02,*,x.a,nan\n2026-03-03,*,x.a,3\n\n2026-03-04,*,x.a\n2026-03-04,*,x.a,inf\n";
        let found = read(rows, KnownSince::After(Span::ZERO)).unwrap();
        assert_eq!((found.points.len(), found.empty), (1, 2));
        assert_eq!(found.refused[0], RefusedSignal { number: 6, why: "it has 3 cells, the first line 4".to_owned() });
        assert!(found.refused[1].why.contains("not a finite number"), "{:?}", found.refused);
    }

    #[test]
    fn texts_that_are_none_of_the_formats() {
        for (text, why) in [
            ("", "there is nothing in it"),
            (" \n", "there is nothing in it"),
            ("a,b\n1,2", "the first line must name the columns"),
            (
                "timestamp,value,date\n2026-03-01T10:00,1,2026-03-01",
                "the columns timestamp and date are all 'timestamp'",
            ),
            ("[1,", "not a JSON list"),
            ("timestamp,value\n\"1,2", "a quote is opened"),
        ] {
            assert!(read(text, KnownSince::Arrival(NOW)).unwrap_err().contains(why), "{text}");
        }
    }

    #[test]
    fn a_point_of_another_market_than_asked_for_is_refused() {
        let of = SignalDefaults {
            scope: Some(SignalScope::parse("binance-usdm:ETHUSDT").unwrap()),
            name: Some(SignalName::parse("x.b").unwrap()),
            source: Some("desk".to_owned()),
            known: KnownSince::Arrival(NOW),
        };
        let found = parse("timestamp,symbol,value\n2026-03-01,BTCUSDT,1\n2026-03-01,,2", &of, &bare).unwrap();
        assert!(found.refused[0].why.contains("its symbol is binance-usdm:BTCUSDT, not"), "{:?}", found.refused);
        assert_eq!((found.points[0].name.as_str(), found.points[0].value), ("x.b", Some(2.0)));
    }
}
