//! What is written of each call: a line that holds the hash of the line before, so that none can be changed or left out.

use crate::budget::{FittedAnswer, tokens};
use crate::fault::CallFault;
use barograph_api::agent_sessions::SessionBasis;
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Takes the lines of a record, in order.
pub trait RecordSink: Send {
    /// Keeps a line, so that it is there whatever happens next.
    ///
    /// # Errors
    /// Why it could not, in plain words.
    fn line(&mut self, line: &str) -> Result<(), String>;
}

/// One call of a session.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RecordLine {
    /// Its number, from 1 on; 0 is the basis.
    pub n: u64,
    /// The session's clock when it came.
    pub clock: Ts,
    /// The tool.
    pub tool: String,
    /// As they were given.
    pub arguments: Value,
    /// Was it answered with an error?
    pub is_error: bool,
    /// SHA-256 of the answer, hexadecimal.
    pub answer: String,
    /// What `forecast` put on record, and what `advance` did; null for others.
    pub moved: Value,
    /// Tokens of the answer.
    pub tokens: u64,
    /// Hash of this line: SHA-256 of the hash before and of the line without it, hexadecimal.
    pub hash: String,
}

/// The record of a session that is under way.
pub(super) struct Record {
    sink: Box<dyn RecordSink>,
    head: String,
    count: u64,
    /// Why a line could not be kept: what came after it would hang in the air.
    ended: Option<String>,
}

/// SHA-256 of some bytes, hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

fn chained(before: &str, line: &Value) -> String {
    hex(&Sha256::new().chain_update(before).chain_update(line.to_string()).finalize())
}

impl Record {
    pub(super) fn begin(basis: &SessionBasis, mut sink: Box<dyn RecordSink>) -> Result<Self, String> {
        let basis = serde_json::to_value(basis).map_err(|e| e.to_string())?;
        let head = chained("", &basis);
        sink.line(&json!({"basis": basis, "hash": head}).to_string())?;
        Ok(Self { sink, head, count: 0, ended: None })
    }

    /// Can another line be kept?
    pub(super) fn goes_on(&self) -> Result<(), String> {
        match &self.ended {
            None => Ok(()),
            Some(why) => Err(format!("the record of this session cannot be written: {why}; begin another session")),
        }
    }

    /// Keeps a call. After a line that could not be kept there is none.
    pub(super) fn note(
        &mut self,
        clock: Ts,
        tool: &str,
        arguments: &Map<String, Value>,
        answered: &Result<FittedAnswer, CallFault>,
    ) -> Result<(), String> {
        let (text, moved, cost) = match answered {
            Ok(fitted) => {
                let moves = super::LOCKED_TOOLS.iter().any(|known| known.name == tool);
                let moved = if moves { fitted.structured.clone() } else { Value::Null };
                (format!("{}\n{}", fitted.text, fitted.structured), moved, fitted.tokens())
            }
            Err(fault) => (fault.sentence.clone(), Value::Null, tokens(&fault.sentence)),
        };
        let mut line = json!({
            "n": self.count + 1,
            "clock": clock.iso(),
            "tool": tool,
            "arguments": arguments,
            "is_error": answered.is_err(),
            "answer": digest(text.as_bytes()),
            "moved": moved,
            "tokens": cost,
        });
        let hash = chained(&self.head, &line);
        line["hash"] = hash.clone().into();
        self.goes_on()?;
        if let Err(why) = self.sink.line(&line.to_string()) {
            self.ended = Some(why);
            return self.goes_on();
        }
        (self.head, self.count) = (hash, self.count + 1);
        Ok(())
    }
}

/// Reads a record and checks its chain: its basis, its lines, and the hash of the last. A last line that was cut off as it was written
/// is left out: its call had no answer.
///
/// # Errors
/// Which line is not what was written.
pub fn check_record(text: &str) -> Result<(SessionBasis, Vec<RecordLine>, String), String> {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let none = "it is no record of a session";
    let first = lines.next().ok_or_else(|| format!("{none}: the file is empty"))?;
    let first: Value = serde_json::from_str(first).map_err(|_e| none.to_owned())?;
    if first["basis"].is_null() {
        return Err(none.to_owned());
    }
    let mut head = chained("", &first["basis"]);
    if first["hash"] != head.as_str() {
        return Err("line 1 is not what was written".to_owned());
    }
    let basis = serde_json::from_value(first["basis"].clone()).map_err(|e| format!("line 1: {e}"))?;
    let mut read = Vec::new();
    let mut lines = lines.enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let nth = at + 2;
        let mut value: Value = match serde_json::from_str(line) {
            Ok(value) => value,
            Err(_cut) if lines.peek().is_none() && !text.ends_with('\n') => break,
            Err(e) => return Err(format!("line {nth}: {e}")),
        };
        let hash = value.as_object_mut().and_then(|fields| fields.remove("hash")).unwrap_or_default();
        head = chained(&head, &value);
        if hash != head.as_str() {
            return Err(format!("line {nth} is not what was written, or a line before it is missing"));
        }
        value["hash"] = hash;
        read.push(serde_json::from_value(value).map_err(|e| format!("line {nth}: {e}"))?);
    }
    Ok((basis, read, head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<String>>);
    impl RecordSink for Kept {
        fn line(&mut self, line: &str) -> Result<(), String> {
            let mut text = self.0.lock().map_err(|e| e.to_string())?;
            text.push_str(line);
            text.push('\n');
            Ok(())
        }
    }

    /// Keeps the first line only, as a disk that is full.
    struct Full(bool);
    impl RecordSink for Full {
        fn line(&mut self, _line: &str) -> Result<(), String> {
            if core::mem::replace(&mut self.0, true) { Err("no space left".to_owned()) } else { Ok(()) }
        }
    }

    #[test]
    fn after_a_line_that_could_not_be_kept_there_is_none() {
        let mut record = Record::begin(&basis(), Box::new(Full(false))).unwrap();
        assert_eq!(record.goes_on(), Ok(()));
        for _ in 0..2 {
            let fault = Err(CallFault::new("no"));
            let why = record.note(basis().from, "context", &Map::new(), &fault).unwrap_err();
            assert!(why.contains("no space left; begin another session"), "{why}");
            assert_eq!(record.goes_on(), Err(why));
        }
    }

    fn basis() -> SessionBasis {
        let from = Ts::parse("2026-02-05T12:00:00Z").unwrap();
        SessionBasis {
            agent: "persistence".into(),
            from,
            until: from + barograph_domain::Span::hours(1),
            data_digest: "d".into(),
            version: "v".into(),
            mask: None,
        }
    }

    #[test]
    fn a_line_that_was_changed_or_left_out_is_found() {
        let basis = basis();
        let kept = Kept::default();
        let mut record = Record::begin(&basis, Box::new(kept.clone())).unwrap();
        for n in 0..3 {
            let given = json!({"market": format!("M{n}")});
            record.note(basis.from, "context", given.as_object().unwrap(), &Err(CallFault::new("no"))).unwrap();
        }
        let text = kept.0.lock().unwrap().clone();
        let (read_basis, lines, head) = check_record(&text).unwrap();
        assert_eq!((read_basis, lines.len(), &head), (basis, 3, &lines[2].hash));
        let cut = &text[..text.len() - 9];
        assert_eq!(check_record(cut).unwrap().1, lines[..2], "the call of the line that was cut off had no answer");
        assert!(check_record(&format!("{cut}\n")).unwrap_err().starts_with("line 4"));
        assert!(check_record(&text.replace("M1", "M7")).unwrap_err().starts_with("line 3"));
        let missing: Vec<&str> = text.lines().enumerate().filter(|(at, _)| *at != 2).map(|(_, line)| line).collect();
        assert!(check_record(&missing.join("\n")).unwrap_err().starts_with("line 3"));
        assert!(check_record(&text.replace("persistence", "momentum")).unwrap_err().starts_with("line 1"));
    }
}
