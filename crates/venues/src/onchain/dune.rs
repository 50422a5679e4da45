//! The last stored result of a saved query at Dune (onchain §4). Reading it runs nothing and is as old as its last execution.
//!
//! Cells are read by the types their columns declare; their unit is the one that was set with the query, for Dune states none. Only a completed result counts: a partial or expired one is no answer.

use super::vintage::UNIT_TAG;
use super::{OnchainBody, OnchainPoint, Quarantine, json, quarantine};
use barograph_domain::text::{escape_control, is_one_line};
use barograph_domain::{Span, Ts};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A result older than this is stale although it was answered: three times a day, the slowest schedule that makes sense here.
pub const RESULT_STALE_AFTER: Span = Span::days(3);
/// Rows that are asked for: thirty years of days.
pub const ROWS_MAX: u64 = 10_000;
/// Types of columns that are numbers, as they begin.
const NUMBER_TYPES: [&str; 9] =
    ["double", "real", "bigint", "integer", "smallint", "tinyint", "decimal", "uint256", "int256"];
/// A query is of days.
const INTERVAL: Span = Span::days(1);

#[derive(Deserialize)]
struct Execution {
    execution_id: String,
    query_id: u64,
    state: String,
    is_execution_finished: Option<bool>,
    execution_ended_at: Option<String>,
    result: Option<QueryResult>,
}

#[derive(Deserialize)]
struct QueryResult {
    rows: Vec<Map<String, Value>>,
    metadata: ResultMetadata,
}

#[derive(Deserialize)]
struct ResultMetadata {
    column_names: Vec<String>,
    column_types: Vec<String>,
    total_row_count: Option<u64>,
}

/// What is read of which query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DuneColumn {
    /// The saved query's number.
    pub query: u64,
    /// The column of values.
    pub column: String,
    /// What they are in; `None`: nobody has named it.
    pub unit: Option<String>,
}

/// The values of a column by the result's first column of times.
///
/// # Errors
/// Why the body is not used.
pub fn result(body: &[u8], of: &DuneColumn, recv: Ts) -> Result<OnchainBody, Quarantine> {
    let DuneColumn { query, column, unit } = of;
    let read: Execution = json(body)?;
    if read.query_id != *query {
        return quarantine(format!("it is of query {}, not of {query}", read.query_id));
    }
    if read.state != "QUERY_STATE_COMPLETED" || read.is_execution_finished == Some(false) {
        return quarantine(format!("its execution is {}, not completed", escape_control(&read.state)));
    }
    let Some(result) = read.result else { return quarantine("it has no result") };
    let ended = read.execution_ended_at.as_deref().map(Ts::parse);
    let Some(Ok(ended)) = ended else { return quarantine("it does not say when its execution ended") };
    if !is_one_line(&read.execution_id, 128) {
        return quarantine("its execution has no usable id");
    }
    let time = columns(&result.metadata, column)?;
    if result.metadata.total_row_count.is_none() && result.rows.len() as u64 >= ROWS_MAX {
        return quarantine(format!(
            "it has {ROWS_MAX} rows and does not say whether there are more; let the query return fewer"
        ));
    }
    if let Some(all) = result.metadata.total_row_count.filter(|all| *all > result.rows.len() as u64) {
        return quarantine(format!(
            "the query has {all} rows, more than the {} that are read; let it return fewer",
            result.rows.len()
        ));
    }
    let mut body = OnchainBody::default();
    for row in &result.rows {
        let Some(at) = row.get(time).and_then(Value::as_str).and_then(|t| Ts::parse(t).ok()) else {
            return quarantine(format!("a row has no time in its column '{time}'"));
        };
        if at > ended {
            return quarantine(format!("a row is of {at}, after its execution ended ({ended})"));
        }
        let mut point = OnchainPoint::of_interval(at, number(row.get(column), at)?, INTERVAL, ended);
        point.known = Some(ended.max(at).min(recv));
        point.tags.insert("execution", read.execution_id.clone());
        point.tags.insert("query", query.to_string());
        point.tags.extend(unit.clone().map(|unit| (UNIT_TAG, unit)));
        body.points.push(point);
    }
    body.points.sort_by_key(|p| p.event_ts);
    if let Some(twice) = body.points.windows(2).find(|w| w[0].event_ts == w[1].event_ts) {
        return quarantine(format!("two rows are of {}; let the query group by its time", twice[0].event_ts));
    }
    if ended + RESULT_STALE_AFTER < recv {
        body.note = Some(format!("the query was last run at {ended}; run it at Dune, or schedule it there"));
    }
    Ok(body)
}

/// The column of times; both columns have to be what they are read as.
fn columns<'a>(metadata: &'a ResultMetadata, column: &str) -> Result<&'a str, Quarantine> {
    let typed = || metadata.column_names.iter().zip(&metadata.column_types);
    if metadata.column_names.len() != metadata.column_types.len() {
        return quarantine("its columns and their types do not match");
    }
    let is_time = |of: &str| of.starts_with("timestamp") || of.starts_with("date");
    let Some((time, _)) = typed().find(|(_, of)| is_time(of)) else {
        return quarantine("none of its columns is a time");
    };
    match typed().find(|(name, _)| *name == column) {
        Some((_, of)) if NUMBER_TYPES.iter().any(|number| of.starts_with(number)) => Ok(time),
        Some((_, of)) => quarantine(format!("its column '{column}' is of type '{}', no number", escape_control(of))),
        None => {
            let names: Vec<_> = metadata.column_names.iter().take(8).map(|n| escape_control(n)).collect();
            quarantine(format!("it has no column '{column}'; there are {}", names.join(", ")))
        }
    }
}

/// A number as JSON or as text, as large integers and decimals come; null is no value.
fn number(cell: Option<&Value>, at: Ts) -> Result<Option<f64>, Quarantine> {
    let read = match cell {
        Some(Value::Null) => return Ok(None),
        Some(Value::Number(n)) => n.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    match read.filter(|v| v.is_finite()) {
        Some(value) => Ok(Some(value)),
        None => quarantine(format!("the row of {at} has no number in its column")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECV: Ts = Ts::from_civil(2026, 11, 20, 7, 0, 0);

    fn body(rows: &str) -> String {
        format!(
            r#"{{"execution_id":"01J9ZK","query_id":42,"state":"QUERY_STATE_COMPLETED","is_execution_finished":true,
                "execution_ended_at":"2026-11-20T06:00:21.9Z","result":{{"rows":[{rows}],"metadata":{{"column_names":["day","flow","note"],
                "column_types":["timestamp(3) with time zone","decimal(38,2)","varchar"],"row_count":2,"total_row_count":2}}}}}}"#
        )
    }

    fn flow(unit: Option<&str>) -> DuneColumn {
        DuneColumn { query: 42, column: "flow".to_owned(), unit: unit.map(str::to_owned) }
    }

    const ROWS: &str = r#"{"day":"2026-11-19T00:00:00Z","flow":-12.5},{"day":"2026-11-18 00:00:00.000 UTC","flow":"295147905179352825856","note":"x"}"#;

    #[test]
    fn cells_are_read_by_type_and_known_since_the_execution_ended() {
        let read = result(body(ROWS).as_bytes(), &flow(None), RECV).unwrap();
        let found: Vec<_> = read.points.iter().map(|p| (p.event_ts.civil().2, p.value, p.provisional)).collect();
        assert_eq!(found, [(18, Some(295_147_905_179_352_830_000.0), false), (19, Some(-12.5), false)]);
        assert_eq!(read.points[0].known.unwrap().iso_millis(), "2026-11-20T06:00:21.900Z");
        assert_eq!(read.points[0].tags["execution"], "01J9ZK");
        assert_eq!(read.points[0].tags.get(UNIT_TAG), None, "nobody has named it");
        let named = result(body(ROWS).as_bytes(), &flow(Some("USD")), RECV).unwrap();
        assert!(named.points.iter().all(|p| p.tags[UNIT_TAG] == "USD"));
        let null = body(&ROWS.replace("-12.5", "null"));
        assert_eq!(result(null.as_bytes(), &flow(None), RECV).unwrap().points[1].value, None);
        assert_eq!(read.note, None);
        let late = result(body(ROWS).as_bytes(), &flow(None), RECV + Span::days(4)).unwrap();
        assert!(late.note.unwrap().contains("last run at 2026-11-20"), "answered with 200, and stale");
    }

    #[test]
    fn what_is_not_complete_or_of_another_shape_is_quarantined() {
        let ok = body(ROWS);
        let cases: [(String, &str); 12] = [
            (ok.replace("QUERY_STATE_COMPLETED", "QUERY_STATE_COMPLETED_PARTIAL"), "is QUERY_STATE_COMPLETED_PARTIAL"),
            (ok.replace("QUERY_STATE_COMPLETED", "QUERY_STATE_EXPIRED"), "is QUERY_STATE_EXPIRED, not completed"),
            (ok.replace("finished\":true", "finished\":false"), "not completed"),
            (ok.replace("\"query_id\":42", "\"query_id\":43"), "it is of query 43"),
            (ok.replace("decimal(38,2)", "varchar"), "is of type 'varchar', no number"),
            (
                ok.replace("\"flow\",\"note\"", "\"flows\",\"note\""),
                "it has no column 'flow'; there are day, flows, note",
            ),
            (ok.replace("timestamp(3) with time zone", "varchar"), "none of its columns is a time"),
            (ok.replace("\"total_row_count\":2", "\"total_row_count\":3"), "3 rows, more than the 2"),
            (ok.replace("2026-11-19T00", "2026-11-18T00"), "two rows are of 2026-11-18"),
            (ok.replace("-12.5", "[1]"), "has no number"),
            (ok.replace("2026-11-19T00:00:00Z", "yesterday"), "has no time in its column 'day'"),
            (ok.replace("execution_ended_at", "ended"), "does not say when"),
        ];
        for (body, why) in cases {
            let refused = result(body.as_bytes(), &flow(None), RECV).unwrap_err().0;
            assert!(refused.contains(why), "{refused}");
        }
    }
}
