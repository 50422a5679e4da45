//! Why a call has no answer: one sentence, with the nearest value that would have one.

use serde::Deserialize;

/// A call that cannot be answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CallFault {
    /// What is wrong, and what to do.
    pub(crate) sentence: String,
    /// Values that would do, best first.
    pub(crate) candidates: Vec<String>,
    /// What kind of problem a route calls it, as in `urn:barograph:problem:not-live`; empty where it is none of a route.
    pub(crate) kind: String,
}

/// What a route says of a failure (RFC 9457), as far as an agent wants it.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ProblemText {
    #[serde(rename = "type")]
    kind: String,
    detail: String,
    hint: String,
    candidates: Vec<String>,
}

impl CallFault {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), candidates: Vec::new(), kind: String::new() }
    }

    /// From what a route answered.
    pub(crate) fn of_route(status: u16, body: &[u8]) -> Self {
        let problem: ProblemText = serde_json::from_slice(body).unwrap_or_default();
        let detail = match problem.detail.as_str() {
            "" => format!("no answer (status {status})"),
            detail => detail.to_owned(),
        };
        // An agent has tools where others have addresses.
        let hint = problem.hint.replace("/api/v1/markets lists all", "the tool markets lists all");
        let named = |hint: &str| problem.candidates.iter().any(|c| hint.contains(c.as_str()));
        let hint = match (hint.as_str(), problem.candidates.as_slice()) {
            ("", []) => String::new(),
            (hint, _) if detail.contains(hint) && !hint.is_empty() => String::new(),
            (hint, all) if !hint.is_empty() && (all.is_empty() || named(hint)) => format!("; {hint}"),
            (_, all) => format!("; there is {}", all[..all.len().min(5)].join(", ")),
        };
        Self { sentence: format!("{detail}{hint}"), candidates: problem.candidates, kind: problem.kind }
    }
}
