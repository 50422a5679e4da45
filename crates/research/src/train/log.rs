//! The research log (R5.46, research §11): studies as registered, every opening of a hold-out, and what was found. Lines are added and never
//! changed; an opening stands in it before its rows are looked at.

use super::append::{append, lines};
use crate::ResearchError;
use barograph_domain::Ts;
use barograph_study::folds::{HoldOutOpening, RegisteredStudy};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The research log, in the folder of the studies.
pub const RESEARCH_LOG: &str = "research-log.jsonl";

/// The data of a study.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LoggedData {
    /// The venue.
    pub venue: String,
    /// The market's symbol there.
    pub symbol: String,
    /// What is predicted.
    pub target: String,
    /// First and last second of the rows.
    pub range: Option<[String; 2]>,
}

/// A line of the research log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ResearchLogLine {
    /// A study was registered.
    Registered {
        /// The study.
        study: RegisteredStudy,
        /// Its data.
        data: LoggedData,
    },
    /// Its hold-out was opened.
    Opened {
        /// The opening.
        opening: HoldOutOpening,
    },
    /// Something was found.
    Found {
        /// When it was written down.
        at: Ts,
        /// By whom; empty where nobody was named.
        researcher: String,
        /// In which study.
        study_id: String,
        /// What was found, in words.
        finding: String,
        /// Files that show it.
        artefacts: Vec<String>,
    },
}

/// A row of the research log as people read it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ResearchLogRow {
    /// When the study was registered, or the finding written.
    pub date: Ts,
    /// Whose study it is; empty where nobody was named.
    pub researcher: String,
    /// The study.
    pub study_id: String,
    /// What was asked; `None` of findings without a registered study.
    pub question: Option<String>,
    /// Its data, with the digest.
    pub data: Option<LoggedData>,
    /// Digest of the rows.
    pub data_digest: Option<String>,
    /// Hash of the settings.
    pub config_hash: Option<String>,
    /// Configurations fitted by then.
    pub n_trials: Option<u64>,
    /// Openings of the hold-out: when, and why again.
    pub openings: Vec<LoggedOpening>,
    /// What was found, in the order of time.
    pub findings: Vec<String>,
    /// Files that show it.
    pub artefacts: Vec<String>,
}

/// An opening of a hold-out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LoggedOpening {
    /// When it was opened.
    pub at: Ts,
    /// Its labelled rows.
    pub rows: usize,
    /// How often any of it was opened before.
    pub earlier: usize,
    /// Why it was opened again.
    pub again: Option<String>,
}

/// Everything in the log.
///
/// # Errors
/// It cannot be read.
pub fn research_log(path: &Path) -> Result<Vec<ResearchLogLine>, ResearchError> {
    lines(path)
}

/// Adds a line.
///
/// # Errors
/// It cannot be written.
pub fn add_to_log(path: &Path, line: &ResearchLogLine) -> Result<(), ResearchError> {
    append(path, core::slice::from_ref(line))
}

/// The log by studies, in the order in which they were first named.
#[must_use]
pub fn by_study(log: &[ResearchLogLine]) -> Vec<ResearchLogRow> {
    let mut rows: Vec<ResearchLogRow> = Vec::new();
    for line in log {
        let (id, date, who) = match line {
            ResearchLogLine::Registered { study, .. } => (&study.study_id, study.registered, &study.researcher),
            ResearchLogLine::Opened { opening } => (&opening.study.study_id, opening.opened, &opening.study.researcher),
            ResearchLogLine::Found { at, researcher, study_id, .. } => (study_id, *at, researcher),
        };
        let at = rows.iter().position(|r| r.study_id == *id).unwrap_or_else(|| {
            rows.push(ResearchLogRow {
                date,
                researcher: who.clone(),
                study_id: id.clone(),
                question: None,
                data: None,
                data_digest: None,
                config_hash: None,
                n_trials: None,
                openings: Vec::new(),
                findings: Vec::new(),
                artefacts: Vec::new(),
            });
            rows.len() - 1
        });
        let row = &mut rows[at];
        match line {
            ResearchLogLine::Registered { study, data } => {
                row.question = Some(study.question.clone());
                row.data = Some(data.clone());
                row.data_digest = Some(study.data_digest.clone());
                row.config_hash = Some(study.config_hash.clone());
                row.n_trials = Some(study.n_trials);
            }
            ResearchLogLine::Opened { opening } => row.openings.push(LoggedOpening {
                at: opening.opened,
                rows: opening.rows,
                earlier: opening.earlier,
                again: opening.again.clone(),
            }),
            ResearchLogLine::Found { finding, artefacts, .. } => {
                row.findings.push(finding.clone());
                row.artefacts
                    .extend(artefacts.iter().filter(|a| !row.artefacts.contains(a)).cloned().collect::<Vec<_>>());
            }
        }
    }
    rows
}
