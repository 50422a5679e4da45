//! Cases: one alert or several that somebody looks into, with the evidence as it was when the case was filed (surveillance §12).
//!
//! A case is what was filed, which never changes, and a list of entries that is only added to: who wrote what, when, and what it
//! made of the case. State and disposition follow from the entries. The evidence is a copy, so that it outlives what retention
//! takes from the market's own records. Nobody is named: accounts are not visible in public data, and nothing here guesses at them.

mod entry;
mod precision;
mod recording;

pub use entry::{
    CASE_AUTHOR_MAX, CASE_NOTE_MAX, CaseEntry, CaseRefusal, CaseStanding, CaseState, CaseStep, Disposition, EntryDraft,
};
pub use precision::{CaseCount, INJECTED, InjectedPrecision, ShareInterval};
pub use recording::{BOOK_LEVELS, BookStep, CaseRecording, PriceLevel, RecordedFrom, STEPS, StepBounds, TapeTrade};

use crate::alert::{Statistic, namespace};
use crate::{InstrumentName, KnownAlert, Pattern, Ts};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most alerts of one case; a storm of more is one event of the market, not of somebody in it.
pub const CASE_ALERTS_MAX: usize = 20;

/// What is known of one alert, copied when its case was filed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CaseEvidence {
    /// Id of the episode.
    pub alert_id: String,
    /// Whose.
    pub instrument: InstrumentName,
    /// Logic that made it.
    pub logic_version: String,
    /// Every record of the episode that was known, the oldest first; at least one.
    pub records: Vec<KnownAlert>,
    /// Its heading, as it was read then.
    pub title: String,
    /// What was measured, against what, in sentences, as they were read then: the minute they may rest on is not kept for ever.
    pub description: String,
    /// What was measured: by the detector, or behind the label that changed.
    pub statistics: Vec<Statistic>,
    /// What the evidence cannot show, in sentences.
    pub limits: Vec<String>,
}

impl CaseEvidence {
    /// The newest record; `None` only of evidence without any, which no store takes.
    #[must_use]
    pub fn newest(&self) -> Option<&KnownAlert> {
        self.records.last()
    }

    /// The record that says most: of the greatest severity, and of those with the greatest score; of equal ones the earliest.
    #[must_use]
    pub fn peak(&self) -> Option<&KnownAlert> {
        let rank = |k: &KnownAlert| (k.alert.severity, k.alert.score);
        self.records.iter().rev().max_by(|a, b| {
            let ((severity, score), (other, least)) = (rank(a), rank(b));
            severity.cmp(&other).then(score.total_cmp(&least))
        })
    }

    /// The stretch of the market's time that the records speak of: from the first window to the last moment.
    #[must_use]
    pub fn window(&self) -> Option<(Ts, Ts)> {
        let from = self.records.iter().map(|k| k.alert.window_from.min(k.alert.opened_at)).min()?;
        let until = self.records.iter().map(|k| k.alert.ts).max()?;
        Some((from, until))
    }

    /// The moment worth looking at first: when the episode began.
    #[must_use]
    pub fn moment(&self) -> Option<Ts> {
        self.records.first().map(|k| k.alert.opened_at)
    }
}

/// A case as it was filed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CaseFile {
    /// Name-based: the same alerts filed twice are one case.
    pub case_id: String,
    /// When it was filed, by the clock of whoever filed it.
    pub filed_at: Ts,
    /// What is known of each of its alerts; at least one.
    pub evidence: Vec<CaseEvidence>,
}

impl CaseFile {
    /// The id of a case about these alerts, in whatever order they are named.
    #[must_use]
    pub fn id_of<'a>(alerts: impl IntoIterator<Item = &'a str>) -> String {
        let mut sorted: Vec<&str> = alerts.into_iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        Uuid::new_v5(&namespace(), format!("case|{}", sorted.join("|")).as_bytes()).to_string()
    }

    /// The patterns of its alerts, each once, in the order of the list of patterns.
    #[must_use]
    pub fn patterns(&self) -> Vec<Pattern> {
        let has = |p: &Pattern| self.evidence.iter().filter_map(CaseEvidence::newest).any(|k| k.alert.pattern == *p);
        Pattern::ALL.iter().copied().filter(has).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_named_by_its_alerts_and_not_by_their_order() {
        let id = CaseFile::id_of(["a", "b"]);
        assert_eq!(id, CaseFile::id_of(["b", "a", "b"]));
        assert_eq!(&id[14..15], "5");
        for other in [CaseFile::id_of(["a"]), CaseFile::id_of(["a", "c"]), CaseFile::id_of(["ab"])] {
            assert_ne!(other, id);
        }
    }
}
