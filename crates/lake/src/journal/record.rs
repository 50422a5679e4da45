//! Control records: everything a process did or received that is not a frame.
//!
//! With them and the frames a session can be run again: which connections were open, which request each body answers, when
//! time passed, what the configuration was. One JSON object per line, `at` first; `op` says which record it is. Fields may
//! be added to a record; an unknown `op` is refused, because skipping it would change what a replay computes.

use super::block::VERSION;
use super::{Error, Result};
use barograph_domain::Ts;
use barograph_venues::session::{CloseReason, ConnId, FailReason, LinkId, RequestId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// One control record.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum ControlRecord {
    /// A process started.
    Start {
        /// Its release.
        release: String,
        /// Its configuration as resolved.
        config: Value,
        /// Stamp of the checkpoint it went on from; `None` when it began from nothing.
        resumed_from: Option<Ts>,
    },
    /// The process ended in order.
    Stop,
    /// A connection is open.
    Open {
        /// Venue id.
        venue: String,
        /// Which wanted connection.
        link: LinkId,
        /// Which instance of it.
        conn: ConnId,
        /// Its address.
        url: String,
    },
    /// A connection is gone.
    Close {
        /// Venue id.
        venue: String,
        /// Which instance.
        conn: ConnId,
        /// Reason of the closing.
        reason: CloseReason,
    },
    /// Something was asked of a venue.
    Request {
        /// Venue id.
        venue: String,
        /// Number of the request.
        id: RequestId,
        /// Complete address.
        url: String,
        /// What it is for, for people.
        purpose: String,
    },
    /// A request was answered. The body is the frame with the same stamp on the connection [`super::REST`] of the venue.
    Reply {
        /// Venue id.
        venue: String,
        /// Number of the request.
        id: RequestId,
        /// HTTP status.
        status: u16,
    },
    /// A request got no answer and will not be tried again.
    Failed {
        /// Venue id.
        venue: String,
        /// Number of the request.
        id: RequestId,
        /// Reason of the failure.
        reason: FailReason,
    },
    /// Time passed.
    Tick,
    /// The configuration changed.
    Config {
        /// The new one.
        value: Value,
    },
    /// Word of scheduled events came.
    Calendar {
        /// The entries.
        value: Value,
    },
    /// A model changed.
    Model {
        /// Which, and to what.
        value: Value,
    },
}

/// Every `op` of this version; what is not here was written by another.
const OPS: [&str; 11] =
    ["start", "stop", "open", "close", "request", "reply", "failed", "tick", "config", "calendar", "model"];

#[derive(Serialize)]
struct LineOut<'a> {
    at: i64,
    #[serde(flatten)]
    record: &'a ControlRecord,
}

/// Appends the line of a record, newline included.
pub(super) fn write_line(out: &mut Vec<u8>, at: Ts, record: &ControlRecord) -> Result<()> {
    serde_json::to_writer(&mut *out, &LineOut { at: at.0, record })
        .map_err(|e| Error::Misuse(format!("a control record is not writable as JSON: {e}")))?;
    out.push(b'\n');
    Ok(())
}

/// The stamp of a control line.
pub(super) fn stamp(line: &[u8]) -> Option<Ts> {
    let digits = line.strip_prefix(b"{\"at\":")?;
    let end = memchr::memchr(b',', digits)?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok().map(Ts)
}

/// The record of a control line; `path` and `number` name it in errors.
pub(super) fn read_line(line: &[u8], path: &Path, number: u64) -> Result<ControlRecord> {
    let bad = |e: serde_json::Error| Error::damaged(path, number, format!("not a control record: {e}"));
    let value: Value = serde_json::from_slice(line).map_err(bad)?;
    match value.get("op").and_then(Value::as_str) {
        Some(op) if OPS.contains(&op) => serde_json::from_value(value).map_err(bad),
        Some(op) => Err(Error::Newer {
            path: path.to_path_buf(),
            what: format!("line {number} holds a control record '{op}', which version {VERSION} does not know"),
        }),
        None => Err(Error::damaged(path, number, "a control record without 'op'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(record: &ControlRecord, want: &str) {
        let mut line = Vec::new();
        write_line(&mut line, Ts(1_700_000_000_000_000_007), record).unwrap();
        assert_eq!(std::str::from_utf8(&line).unwrap(), format!("{want}\n"));
        let text = &line[..line.len() - 1];
        assert_eq!(stamp(text), Some(Ts(1_700_000_000_000_000_007)));
        assert_eq!(&read_line(text, Path::new("x"), 2).unwrap(), record);
    }

    #[test]
    fn every_record_is_one_line_of_json_and_comes_back() {
        let at = "{\"at\":1700000000000000007,\"op\":";
        let venue = || "binance-usdm".to_owned();
        check(&ControlRecord::Tick, &format!("{at}\"tick\"}}"));
        check(&ControlRecord::Stop, &format!("{at}\"stop\"}}"));
        check(
            &ControlRecord::Start {
                release: "0.3.0".into(),
                config: json!({"symbols": ["A\nB"], "x": 0.1}),
                resumed_from: Some(Ts(1_699_999_999_000_000_001)),
            },
            &format!(
                "{at}\"start\",\"release\":\"0.3.0\",\"config\":{{\"symbols\":[\"A\\nB\"],\"x\":0.1}},\"resumed_from\":\
                 \"2023-11-14T22:13:19.000000001Z\"}}"
            ),
        );
        check(
            &ControlRecord::Open { venue: venue(), link: LinkId(2), conn: ConnId(7), url: "wss://x".into() },
            &format!("{at}\"open\",\"venue\":\"binance-usdm\",\"link\":2,\"conn\":7,\"url\":\"wss://x\"}}"),
        );
        check(
            &ControlRecord::Close { venue: venue(), conn: ConnId(7), reason: CloseReason::ByVenue },
            &format!("{at}\"close\",\"venue\":\"binance-usdm\",\"conn\":7,\"reason\":\"by_venue\"}}"),
        );
        check(
            &ControlRecord::Request {
                venue: venue(),
                id: RequestId(9),
                url: "https://x".into(),
                purpose: "sync".into(),
            },
            &format!(
                "{at}\"request\",\"venue\":\"binance-usdm\",\"id\":9,\"url\":\"https://x\",\"purpose\":\"sync\"}}"
            ),
        );
        check(
            &ControlRecord::Reply { venue: venue(), id: RequestId(9), status: 200 },
            &format!("{at}\"reply\",\"venue\":\"binance-usdm\",\"id\":9,\"status\":200}}"),
        );
        check(
            &ControlRecord::Failed { venue: venue(), id: RequestId(9), reason: FailReason::Timeout },
            &format!("{at}\"failed\",\"venue\":\"binance-usdm\",\"id\":9,\"reason\":\"timeout\"}}"),
        );
        check(&ControlRecord::Config { value: json!(1) }, &format!("{at}\"config\",\"value\":1}}"));
        check(&ControlRecord::Calendar { value: json!([]) }, &format!("{at}\"calendar\",\"value\":[]}}"));
        check(&ControlRecord::Model { value: json!(null) }, &format!("{at}\"model\",\"value\":null}}"));
    }

    #[test]
    fn an_unknown_record_names_the_version_and_a_broken_one_the_line() {
        let text = |line: &[u8]| read_line(line, Path::new("c.zst"), 5).unwrap_err().to_string();
        let newer = text(b"{\"at\":1,\"op\":\"teleport\"}");
        assert!(newer.contains("'teleport'") && newer.contains("version 1"), "{newer}");
        assert!(text(b"{\"at\":1,\"op\":\"reply\"}").contains("line 5"));
        assert!(text(b"{\"at\":1}").contains("without 'op'"));
        // Fields may be added.
        let more = read_line(b"{\"at\":1,\"op\":\"tick\",\"why\":\"x\"}", Path::new("c"), 1);
        assert_eq!(more.unwrap(), ControlRecord::Tick);
    }
}
