//! A case as JSON, with everything it rests on: each attachment is a text whose SHA-256 stands beside it, so that a copy can be
//! checked with any tool.

use barograph_api::QueryError;
use barograph_api::cases::CaseView;
use barograph_domain::Ts;
use barograph_domain::case::{CaseFile, CaseRecording};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A file that goes with a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Attached {
    /// Name of the file.
    pub name: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Its text.
    pub content: String,
}

/// The document.
#[derive(Serialize)]
struct ExportedCase<'a> {
    format: &'static str,
    version: u8,
    exported_at: Ts,
    case: &'a CaseView,
    attachments: &'a [Attached],
}

fn attached<T: Serialize>(name: String, value: &T) -> Result<Attached, QueryError> {
    let content = serde_json::to_string(value).map_err(|e| QueryError::Internal { source: Box::new(e) })?;
    let digest = Sha256::digest(content.as_bytes());
    let sha256 = digest.iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"));
    Ok(Attached { name, sha256, content })
}

/// The evidence of each alert, and the books and trades that are kept.
///
/// # Errors
/// [`QueryError::Internal`] where something cannot be written as JSON.
pub fn attachments(file: &CaseFile, recordings: &[CaseRecording]) -> Result<Vec<Attached>, QueryError> {
    let alerts = file.evidence.iter().map(|e| attached(format!("alert-{}.json", e.alert_id), e));
    let name = |r: &CaseRecording| format!("books-{}-{}-{}.json", r.source.name(), r.alert_id, r.until.as_millis());
    let books = recordings.iter().map(|r| attached(name(r), r));
    alerts.chain(books).collect()
}

/// The whole document, at a moment.
///
/// # Errors
/// As [`attachments`].
pub fn json(case: &CaseView, attachments: &[Attached], at: Ts) -> Result<Vec<u8>, QueryError> {
    let whole = ExportedCase { format: "barograph-case", version: 1, exported_at: at, case, attachments };
    serde_json::to_vec_pretty(&whole).map_err(|e| QueryError::Internal { source: Box::new(e) })
}
