//! What is kept of each question to a language model: a JSON line in `narrative/answers.jsonl` of the data folder.

use super::check::NarrativeFault;
use barograph_domain::Ts;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// What became of an answer.
#[derive(Clone, PartialEq, Debug)]
pub enum NarrativeVerdict {
    /// It was printed.
    Phrased,
    /// It was not, for these faults.
    Refused(Vec<NarrativeFault>),
    /// There was none that could be read, and why.
    Unanswered(String),
}

impl NarrativeVerdict {
    /// Its word in the record.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Phrased => "phrased",
            Self::Refused(_) => "refused",
            Self::Unanswered(_) => "unanswered",
        }
    }

    /// Why a text is not printed; nothing where it is.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::Phrased => Vec::new(),
            Self::Refused(faults) => faults.iter().map(ToString::to_string).collect(),
            Self::Unanswered(why) => vec![why.clone()],
        }
    }
}

/// A line of the record.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct NarrativeRecord {
    /// When it was asked.
    pub ts: Ts,
    /// `venue:symbol`.
    pub market: String,
    /// The minute that the facts end with.
    pub minute: Ts,
    /// The logic that made them.
    pub logic_version: String,
    /// Scheme, host and port of the service.
    pub service: String,
    /// Body of the request: all that was sent but for the key.
    pub request: Value,
    /// Text of the answer; null where there is none.
    pub answer: Option<String>,
    /// `phrased`, `refused` or `unanswered`.
    pub verdict: &'static str,
    /// Why it was not printed.
    pub reasons: Vec<String>,
    /// SHA-256 of the request's JSON, a line break and the answer.
    pub sha256: String,
}

/// Where the record of a data folder lies.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    data.join("narrative").join("answers.jsonl")
}

/// The digest of a question and its answer, in hexadecimal.
#[must_use]
pub fn digest(request: &Value, answer: Option<&str>) -> String {
    let mut hash = Sha256::new();
    hash.update(request.to_string());
    hash.update(b"\n");
    hash.update(answer.unwrap_or_default());
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
