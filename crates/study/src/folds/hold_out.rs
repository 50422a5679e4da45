//! The last rows, which are looked at once.

use super::rows::TestRows;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// A study as registered before its hold-out is opened (research §11). Names and digests are the caller's; what counts here is that
/// the same study carries the same id or the same hash of its settings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegisteredStudy {
    /// Its name in the research log.
    pub study_id: String,
    /// Who asks the question.
    pub researcher: String,
    /// What is asked, in a sentence.
    pub question: String,
    /// Digest of the rows.
    pub data_digest: String,
    /// Hash of the settings.
    pub config_hash: String,
    /// Configurations fitted so far, whatever came of them.
    pub n_trials: u64,
    /// When it was registered.
    pub registered: Ts,
}

/// That a hold-out was opened: one line of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HoldOutOpening {
    /// The study it was opened for, as registered.
    pub study: RegisteredStudy,
    /// When it was opened.
    pub opened: Ts,
    /// Where the hold-out begins.
    pub from: Ts,
    /// When the last of its labels is known.
    pub to: Ts,
    /// Its labelled rows.
    pub rows: usize,
    /// How often any part of it was opened before. Each time, what it says is worth less.
    pub earlier: usize,
    /// Why it was opened again for a study that had opened it, under whatever name; `None` where that was the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<String>,
}

/// Why a hold-out stays closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HoldOutError {
    /// The study has no id, or was registered later than it wants to open.
    NotRegistered {
        /// The id.
        study_id: String,
        /// When it says that it was registered.
        registered: Ts,
    },
    /// It was opened for this study before.
    Opened {
        /// The id.
        study_id: String,
        /// The id that it had then, which may be another: a study is known by its settings too.
        before: String,
        /// When that was.
        at: Ts,
    },
    /// It is to be opened again without a reason.
    NoReason,
}

impl core::fmt::Display for HoldOutError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotRegistered { study_id, registered } => write!(
                f,
                "a study is registered, with an id, before its hold-out is opened; '{study_id}' says {registered}"
            ),
            Self::Opened { study_id, before, at } => {
                write!(f, "the hold-out was opened for '{before}' at {at}")?;
                if before != study_id {
                    f.write_str(", which is this study under another name")?;
                }
                f.write_str("; what is changed since needs a new study on rows that are newer")
            }
            Self::NoReason => f.write_str("a hold-out is opened again only for a reason, which goes into the log"),
        }
    }
}

impl core::error::Error for HoldOutError {}

/// The rows at the end of the time. Where they lie may be known; which they are is given out with a record only.
#[derive(Clone, PartialEq, Debug)]
pub struct HoldOut {
    rows: TestRows,
    embargo: Span,
}

impl HoldOut {
    pub(super) const fn new(rows: TestRows, embargo: Span) -> Self {
        Self { rows, embargo }
    }

    /// How many labelled rows it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Has it no rows?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// From its first start to its last end.
    #[must_use]
    pub fn reach(&self) -> Option<(Ts, Ts)> {
        self.rows.begins().zip(self.rows.ends())
    }

    /// The embargo before it.
    #[must_use]
    pub const fn embargo(&self) -> Span {
        self.embargo
    }

    /// Opens it for a study, once; a study of the same settings under another name is the same study. `log` holds every opening so far; the new one is to be written there before the rows are used.
    ///
    /// # Errors
    /// The study is not registered, or the log says that it opened these rows before.
    pub fn open(
        &self,
        study: &RegisteredStudy,
        now: Ts,
        log: &[HoldOutOpening],
    ) -> Result<(TestRows, HoldOutOpening), HoldOutError> {
        self.open_for(study, now, log, None)
    }

    /// Opens it although it was opened for this study before, for a reason that stands in the log. What it says is then no test any more.
    ///
    /// # Errors
    /// The study is not registered, or there is no reason.
    pub fn open_again(
        &self,
        study: &RegisteredStudy,
        now: Ts,
        log: &[HoldOutOpening],
        reason: &str,
    ) -> Result<(TestRows, HoldOutOpening), HoldOutError> {
        if reason.trim().is_empty() {
            return Err(HoldOutError::NoReason);
        }
        self.open_for(study, now, log, Some(reason.trim()))
    }

    fn open_for(
        &self,
        study: &RegisteredStudy,
        now: Ts,
        log: &[HoldOutOpening],
        reason: Option<&str>,
    ) -> Result<(TestRows, HoldOutOpening), HoldOutError> {
        let study_id = study.study_id.clone();
        if study_id.trim().is_empty() || study.registered > now {
            return Err(HoldOutError::NotRegistered { study_id, registered: study.registered });
        }
        let (from, to) = self.reach().unwrap_or((Ts::MAX, Ts::MIN));
        let (mut earlier, mut again) = (0, None);
        for line in log {
            if line.study.study_id == study_id || line.study.config_hash == study.config_hash {
                let before = line.study.study_id.clone();
                let Some(reason) = reason else {
                    return Err(HoldOutError::Opened { study_id, before, at: line.opened });
                };
                again = Some(reason.to_owned());
            }
            earlier += usize::from(line.from <= to && from <= line.to);
        }
        let opening = HoldOutOpening { study: study.clone(), opened: now, from, to, rows: self.len(), earlier, again };
        Ok((self.rows.clone(), opening))
    }
}
