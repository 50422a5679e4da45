//! The fear and greed index of alternative.me (onchain §5): everything is text, newest first, one value a day from 0 to 100.
//!
//! The value of a day appears soon after midnight and describes what was before: it is never provisional. Days that are missing stay so.

use super::{DAY, OnchainBody, OnchainPoint, Quarantine, json, ordered, quarantine, seconds};
use barograph_domain::text::is_one_line;
use barograph_domain::{Span, Ts};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct FearGreedIndex {
    data: Vec<IndexRow>,
    metadata: Option<IndexNote>,
}

#[derive(Deserialize)]
struct IndexRow {
    value: String,
    value_classification: Option<String>,
    timestamp: Value,
}

#[derive(Deserialize)]
struct IndexNote {
    error: Option<Value>,
}

/// Longest name of a class that is kept.
const CLASS_MAX: usize = 32;

/// The index, 0 (extreme fear) to 100 (extreme greed), of each day in the body.
///
/// # Errors
/// Why the body is not used.
pub fn index(body: &[u8], recv: Ts) -> Result<OnchainBody, Quarantine> {
    let read: FearGreedIndex = json(body)?;
    if let Some(error) = read.metadata.and_then(|m| m.error).filter(|e| !e.is_null()) {
        let shown: String = error.to_string().chars().take(80).collect();
        return quarantine(format!("the source reports an error: {}", barograph_domain::text::escape_control(&shown)));
    }
    let mut points = Vec::new();
    for row in read.data {
        let day = seconds(&row.timestamp, recv)?.floor(DAY);
        let value = row.value.trim().parse::<f64>().ok().filter(|v| (0.0..=100.0).contains(v));
        let Some(value) = value else {
            let shown: String = row.value.chars().take(20).collect();
            return quarantine(format!("the index of {day} is '{shown}', not a number from 0 to 100"));
        };
        let mut point = OnchainPoint::of_interval(day, value, Span::ZERO, recv);
        point.provisional = false;
        if let Some(class) = row.value_classification.filter(|c| is_one_line(c, CLASS_MAX)) {
            point.tags.insert("class", class);
        }
        points.push(point);
    }
    if points.is_empty() {
        return quarantine("it has no rows");
    }
    Ok(OnchainBody { points: ordered(points), ..OnchainBody::default() })
}

/// What a value of the index is called (boundaries as in the source's clients).
#[must_use]
pub fn class(value: f64) -> &'static str {
    match value {
        v if v < 25.0 => "extreme fear",
        v if v < 45.0 => "fear",
        v if v < 56.0 => "neutral",
        v if v < 76.0 => "greed",
        _ => "extreme greed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECV: Ts = Ts::from_civil(2026, 11, 20, 0, 35, 0);

    #[test]
    fn texts_are_read_and_missing_days_stay_missing() {
        let d = Ts::from_civil(2026, 11, 20, 0, 0, 0).as_millis() / 1000;
        let body = format!(
            r#"{{"name":"Fear and Greed Index","data":[
                {{"value":"56","value_classification":"Greed","timestamp":"{d}","time_until_update":"61199"}},
                {{"value":"61","value_classification":"Greed","timestamp":"{}"}}],"metadata":{{"error":null}}}}"#,
            d - 2 * 86_400
        );
        let read = index(body.as_bytes(), RECV).unwrap();
        let found: Vec<_> = read
            .points
            .iter()
            .map(|p| (p.event_ts.civil().2, p.value, p.provisional, p.tags["class"].as_str()))
            .collect();
        assert_eq!(found, [(18, Some(61.0), false, "Greed"), (20, Some(56.0), false, "Greed")]);
        for (value, name) in [
            (0.0, "extreme fear"),
            (24.0, "extreme fear"),
            (25.0, "fear"),
            (45.0, "neutral"),
            (55.0, "neutral"),
            (56.0, "greed"),
            (76.0, "extreme greed"),
            (100.0, "extreme greed"),
        ] {
            assert_eq!(class(value), name, "{value}");
        }
    }

    #[test]
    fn what_is_no_index_is_quarantined() {
        for (body, why) in [
            (r#"{"data":[{"value":"101","timestamp":"1795132800"}]}"#, "not a number from 0 to 100"),
            (r#"{"data":[{"value":"NaN","timestamp":"1795132800"}]}"#, "not a number from 0 to 100"),
            (r#"{"data":[{"value":"50","timestamp":"20-11-2026"}]}"#, "no time in unix seconds"),
            (r#"{"data":[{"timestamp":"1795132800"}]}"#, "missing field `value`"),
            (r#"{"data":[],"metadata":{"error":null}}"#, "it has no rows"),
            (r#"{"data":[],"metadata":{"error":"too many requests"}}"#, "reports an error: \"too many requests\""),
            ("<html>busy</html>", "is a page"),
        ] {
            let refused = index(body.as_bytes(), RECV).unwrap_err().0;
            assert!(refused.contains(why), "{body}: {refused}");
        }
    }
}
