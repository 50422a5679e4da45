//! Glassnode's metrics of one asset and 24 hours (onchain §3): `[{"t": start of the day, "v": number or null}]`.
//!
//! `t` is where an interval starts, so a day's value is provisional until the next one begins. A null is no value, and takes back one that was there.

use super::{DAY, OnchainBody, OnchainPoint, Quarantine, json, ordered, quarantine, seconds};
use barograph_domain::Ts;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Deserialize)]
struct MetricRow {
    t: Value,
    #[serde(default, deserialize_with = "present")]
    v: RowValue,
    o: Option<Value>,
}

/// A field that is missing is a changed shape, one that is null a day without a value.
#[derive(Clone, Copy, Default)]
enum RowValue {
    #[default]
    Missing,
    Null,
    Number(f64),
}

fn present<'de, D: Deserializer<'de>>(input: D) -> Result<RowValue, D::Error> {
    Ok(Option::<f64>::deserialize(input)?.map_or(RowValue::Null, RowValue::Number))
}

/// The values of a metric, in the unit in which it was asked for.
///
/// # Errors
/// Why the body is not used.
pub fn metric(body: &[u8], recv: Ts) -> Result<OnchainBody, Quarantine> {
    let rows: Vec<MetricRow> = json(body)?;
    let mut points = Vec::new();
    for row in &rows {
        let at = seconds(&row.t, recv)?;
        if at != at.floor(DAY) {
            return quarantine(format!("{at} is no start of a day, which was asked for"));
        }
        match (row.v, &row.o) {
            (RowValue::Number(value), _) => points.push(OnchainPoint::of_interval(at, value, DAY, recv)),
            (RowValue::Null, _) => points.push(OnchainPoint::of_interval(at, None, DAY, recv)),
            (RowValue::Missing, Some(_)) => {
                return quarantine("the metric has several values a row, which is not supported; name another");
            }
            (RowValue::Missing, None) => return quarantine(format!("the row of {at} has no field 'v'")),
        }
    }
    let note =
        points.iter().all(|p| p.value.is_none()).then(|| "it has no values of the days that were asked for".to_owned());
    Ok(OnchainBody { points: ordered(points), left_out: Vec::new(), note })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECV: Ts = Ts::from_civil(2026, 11, 20, 4, 0, 0);

    #[test]
    fn a_null_is_absent_and_the_running_day_is_provisional() {
        let d = Ts::from_civil(2026, 11, 18, 0, 0, 0).as_millis() / 1000;
        let body = format!(
            r#"[{{"t":{d},"v":-1832.44}},{{"t":{},"v":null}},{{"t":{},"v":0,"is":"new"}}]"#,
            d + 86_400,
            d + 172_800
        );
        let read = metric(body.as_bytes(), RECV).unwrap();
        let found: Vec<_> = read.points.iter().map(|p| (p.event_ts.civil().2, p.value, p.provisional)).collect();
        assert_eq!(found, [(18, Some(-1832.44), false), (19, None, false), (20, Some(0.0), true)]);
        let none = metric(b"[]", RECV).unwrap();
        assert!(none.points.is_empty() && none.note.is_some());
    }

    #[test]
    fn what_is_no_metric_is_quarantined() {
        let d = Ts::from_civil(2026, 11, 18, 0, 0, 0).as_millis() / 1000;
        for (body, why) in [
            (format!(r#"[{{"t":{d},"o":{{"a":0.3,"b":1.2}}}}]"#), "several values a row"),
            (format!(r#"[{{"t":{d}}}]"#), "has no field 'v'"),
            (format!(r#"[{{"t":{d},"v":"1"}}]"#), "not what was expected"),
            (format!(r#"[{{"t":{},"v":1}}]"#, d + 3_600), "is no start of a day"),
            (r#"[{"v":1}]"#.to_owned(), "missing field `t`"),
            ("<html>".to_owned(), "is a page"),
            (r#"{"error":"limit"}"#.to_owned(), "not what was expected"),
        ] {
            let refused = metric(body.as_bytes(), RECV).unwrap_err().0;
            assert!(refused.contains(why), "{body}: {refused}");
        }
    }
}
