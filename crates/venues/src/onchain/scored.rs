//! Scored texts of any provider (R4.68, port `sentiment`): rows of time, symbol, score and source, as a JSON list, JSON lines or CSV.
//!
//! Nothing is assumed about when a score was known: it counts since it arrives, unless its row states `known_at`. Rows that cannot be read
//! are left out by their place; other fields are ignored. Texts of one moment, symbol and source are one value, their mean.

use super::{FAST_MAX, OnchainBody, OnchainPoint, Quarantine, quarantine};
use crate::cells::records;
use barograph_domain::text::{escape_control, is_one_line};
use barograph_domain::{Span, Ts};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Reasons that are kept; further rows are counted with the last.
const REASONS_MAX: usize = 5;
/// The fields of a row and what else providers call them.
const FIELDS: [(&str, &[&str]); 5] = [
    ("time", &["time", "timestamp", "ts", "date", "datetime"]),
    ("symbol", &["symbol", "market", "asset", "ticker"]),
    ("score", &["score", "value", "sentiment"]),
    ("source", &["source", "provider"]),
    ("known_at", &["known_at", "known_ts"]),
];

/// A row as written, by field.
type ScoredRow = BTreeMap<&'static str, String>;

/// Texts of one moment, symbol and source.
type ScoredKey = (Ts, String, String);

/// The scores in a text, one value for each moment, symbol and source.
///
/// # Errors
/// Why none of it is used.
pub fn scores(body: &[u8], recv: Ts) -> Result<OnchainBody, Quarantine> {
    let Ok(text) = core::str::from_utf8(body) else { return quarantine("it is no UTF-8 text") };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let rows = match text.as_bytes().first() {
        None => return quarantine("the body is empty"),
        Some(b'<') => return quarantine("the body is a page (HTML), not data"),
        Some(b'[') => list(text)?,
        Some(b'{') => {
            text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).map(|(at, l)| (at + 1, line(l))).collect()
        }
        Some(_) => csv(text)?,
    };
    let (mut found, mut refused) = (BTreeMap::<ScoredKey, Vec<ScoredText>>::new(), Vec::new());
    let all = rows.len();
    for (number, row) in rows {
        match row.and_then(|row| ScoredText::of(&row, recv)) {
            Ok((key, scored)) => found.entry(key).or_default().push(scored),
            Err(why) => refused.push(format!("row {number}: {why}")),
        }
    }
    if found.is_empty() && all > 0 {
        return quarantine(refused.swap_remove(0));
    }
    let left = refused.len();
    refused.truncate(REASONS_MAX);
    if left > REASONS_MAX {
        refused.push(format!("and {} more", left - REASONS_MAX));
    }
    let points = found.into_iter().map(|(key, texts)| joined(key, &texts)).collect();
    Ok(OnchainBody { points, left_out: refused, note: None })
}

/// One text.
struct ScoredText {
    score: f64,
    known: Option<Ts>,
}

impl ScoredText {
    fn of(row: &ScoredRow, recv: Ts) -> Result<(ScoredKey, Self), String> {
        let field = |name: &str| row.get(name).map(|t| t.trim()).filter(|t| !t.is_empty());
        let needed = |name: &str| field(name).ok_or_else(|| format!("the field '{name}' is missing"));
        let at = Ts::parse(needed("time")?)?;
        if at > recv + FAST_MAX {
            return Err(format!("{at} lies ahead of our clock"));
        }
        let score = needed("score")?;
        let score = score.parse::<f64>().ok().filter(|s| s.is_finite()).ok_or_else(|| {
            let shown: String = score.chars().take(20).collect();
            format!("the score '{}' is not a number", escape_control(&shown))
        })?;
        let source = needed("source")?;
        if !is_one_line(source, barograph_domain::signal::SIGNAL_SOURCE_MAX) {
            return Err("the source is no name of 1 to 64 visible characters".to_owned());
        }
        let symbol = needed("symbol")?;
        let known = field("known_at").map(Ts::parse).transpose()?;
        if known.is_some_and(|known| known < at || known > recv + FAST_MAX) {
            return Err("its known_at lies before its time, or ahead of our clock".to_owned());
        }
        Ok(((at, symbol.to_owned(), source.to_owned()), Self { score, known }))
    }
}

/// The mean of texts; known once all of them were.
fn joined((event_ts, symbol, source): ScoredKey, texts: &[ScoredText]) -> OnchainPoint {
    let sum: f64 = texts.iter().map(|t| t.score).sum();
    // Bodies are limited to 32 MiB, so there are fewer texts than 2^32.
    let n = u32::try_from(texts.len()).unwrap_or(u32::MAX);
    let mut point = OnchainPoint::of_interval(event_ts, sum / f64::from(n), Span::ZERO, event_ts);
    point.known = texts.iter().map(|t| t.known).max().filter(|_| texts.iter().all(|t| t.known.is_some())).flatten();
    point.symbol = Some(symbol);
    point.source = Some(source);
    if n > 1 {
        point.tags.insert("texts", n.to_string());
    }
    point
}

/// Rows by their number, each read or not.
type NumberedRows = Vec<(usize, Result<ScoredRow, String>)>;

fn list(text: &str) -> Result<NumberedRows, Quarantine> {
    let values: Vec<Value> = serde_json::from_str(text).map_err(|e| Quarantine(format!("it is no JSON list: {e}")))?;
    Ok(values.into_iter().enumerate().map(|(at, value)| (at + 1, object(value))).collect())
}

fn line(text: &str) -> Result<ScoredRow, String> {
    object(serde_json::from_str(text).map_err(|e| format!("not one JSON object on its line: {e}"))?)
}

fn object(value: Value) -> Result<ScoredRow, String> {
    let Value::Object(fields) = value else { return Err("it is no object".to_owned()) };
    Ok(of_fields(fields))
}

fn of_fields(fields: Map<String, Value>) -> ScoredRow {
    let mut row = ScoredRow::new();
    for (key, value) in fields {
        let text = match value {
            Value::String(text) => text,
            Value::Number(n) => n.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => continue,
        };
        if let Some(name) = field(&key) {
            row.entry(name).or_insert(text);
        }
    }
    row
}

fn csv(text: &str) -> Result<NumberedRows, Quarantine> {
    let mut rows = records(text).map_err(Quarantine)?.into_iter();
    let header: Vec<Option<&str>> = rows.next().unwrap_or_default().iter().map(|column| field(column)).collect();
    if !header.contains(&Some("time")) || !header.contains(&Some("score")) {
        return quarantine("the first line must name the columns time, symbol, score and source");
    }
    let row = |cells: Vec<String>| {
        if cells.len() != header.len() {
            return Err(format!("it has {} cells, the first line {}", cells.len(), header.len()));
        }
        Ok(header.iter().zip(cells).filter_map(|(name, cell)| Some(((*name)?, cell))).collect())
    };
    let is_row = |cells: &Vec<String>| cells.len() > 1 || cells.iter().any(|c| !c.trim().is_empty());
    Ok(rows.enumerate().filter(|(_, cells)| is_row(cells)).map(|(at, cells)| (at + 2, row(cells))).collect())
}

fn field(name: &str) -> Option<&'static str> {
    let lower = name.trim().to_ascii_lowercase();
    FIELDS.iter().find(|(_, names)| names.contains(&lower.as_str())).map(|(field, _)| *field)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECV: Ts = Ts::from_civil(2026, 11, 20, 12, 0, 0);

    fn shown(body: &str) -> Vec<String> {
        let read = scores(body.as_bytes(), RECV).unwrap();
        let point = |p: &OnchainPoint| {
            let (symbol, source) = (p.symbol.as_deref().unwrap(), p.source.as_deref().unwrap());
            let known = p.known.map_or_else(|| "on arrival".to_owned(), |k| k.to_string());
            let texts = p.tags.get("texts").map_or("1", String::as_str);
            format!("{} {symbol} {source} {} {known} {texts}", p.event_ts, p.value.unwrap())
        };
        read.points.iter().map(point).chain(read.left_out).collect()
    }

    #[test]
    fn three_formats_give_the_same_scores_and_texts_of_one_moment_are_their_mean() {
        let a =
            r#"{"time":"2026-11-20T10:00:00Z","symbol":"BTCUSDT","score":0.5,"source":"news","title":"x","url":null}"#;
        let b = r#"{"timestamp":1795168800,"symbol":"BTCUSDT","score":"-0.1","source":"news"}"#;
        let c = r#"{"time":"2026-11-20T11:00:00Z","symbol":"*","score":-1,"source":"news","known_at":"2026-11-20T11:05:00Z"}"#;
        let csv = "time,symbol,title,score,source,known_at\n2026-11-20T10:00:00Z,BTCUSDT,\"a, b\",0.5,news,\n\
                   1795168800,BTCUSDT,,-0.1,news,\n2026-11-20T11:00:00Z,*,,-1,news,2026-11-20T11:05:00Z\n";
        let expected = [
            "2026-11-20T10:00:00Z BTCUSDT news 0.2 on arrival 2",
            "2026-11-20T11:00:00Z * news -1 2026-11-20T11:05:00Z 1",
        ];
        assert_eq!(shown(&format!("[{a},{b},{c}]")), expected);
        assert_eq!(shown(&format!("{a}\n{b}\n\n{c}\n")), expected);
        assert_eq!(shown(csv), expected);
    }

    #[test]
    fn a_row_that_cannot_be_read_is_left_out_by_its_place() {
        let good = r#"{"time":"2026-11-20","symbol":"*","score":1,"source":"s"}"#;
        for (bad, why) in [
            (good.replace("\"score\":1", "\"score\":\"high\""), "row 2: the score 'high' is not a number"),
            (good.replace("\"score\":1", "\"score\":null"), "row 2: the field 'score' is missing"),
            (good.replace("\"score\":1", "\"score\":\"inf\""), "row 2: the score 'inf' is not a number"),
            (good.replace("2026-11-20", "2026-11-21"), "row 2: 2026-11-21T00:00:00Z lies ahead"),
            (good.replace("\"source\":\"s\"", "\"source\":\"\""), "row 2: the field 'source' is missing"),
            (good.replace("\"s\"", "\"s\",\"known_at\":\"2026-11-19\""), "row 2: its known_at lies before its time"),
            ("{\"time\":".to_owned(), "row 2: not one JSON object"),
        ] {
            let found = shown(&format!("{good}\n{bad}\n"));
            assert!(found.len() == 2 && found[1].starts_with(why), "{found:?}");
        }
    }

    #[test]
    fn what_holds_no_score_at_all_is_quarantined() {
        for (body, why) in [
            ("", "the body is empty"),
            ("<html>", "is a page"),
            ("[{\"time\":", "no JSON list"),
            ("a,b\n1,2\n", "the first line must name"),
            ("[1]", "row 1: it is no object"),
            ("{\"error\":\"no\"}", "row 1: the field 'time' is missing"),
        ] {
            let refused = scores(body.as_bytes(), RECV).unwrap_err().0;
            assert!(refused.contains(why), "{body}: {refused}");
        }
        assert_eq!(scores(b"[]", RECV).unwrap(), OnchainBody::default(), "nothing new is no fault");
        assert!(scores(&[0xff, 0xfe, 0x00], RECV).unwrap_err().0.contains("UTF-8"));
    }
}
