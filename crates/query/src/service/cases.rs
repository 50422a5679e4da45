//! Cases: evidence is gathered when one is filed and copied into it; from then on a case answers for itself.

use super::{Service, internal};
use crate::cases::{self, CaseDesk, CaseStretch, around, from_store, nearest, words};
use crate::episode::{FoundAlert, NoEpisode, PREFIX_MIN};
use crate::events::Kept;
use crate::outcomes;
use barograph_api::cases::{
    CaseEntryKind, CaseFilter, CaseFormat, CaseList, CaseReplay, CaseView, NewCase, NewCaseEntry, SimilarCase,
};
use barograph_api::{AskCases, DeliveryName, QueryError};
use barograph_domain::Ts;
use barograph_domain::case::{
    CASE_ALERTS_MAX, CaseEvidence, CaseFile, CaseRecording, CaseRefusal, CaseStep, EntryDraft, STEPS, StepBounds,
};
use barograph_store::{CaseOutcome, CaseQuery, CasesLike, RunKey, StoredCase};
use std::sync::{Arc, PoisonError};

/// Similar cases that are shown.
const SIMILAR: usize = 3;
/// Closed cases of a pattern that similar ones are looked for among, those filed last: the whole evidence of each is read.
const COMPARED_MAX: usize = 20;

impl AskCases for Service {
    fn cases(&self, filter: &CaseFilter) -> Result<CaseList, QueryError> {
        let query = CaseQuery { state: filter.state, as_of: filter.as_of, limit: filter.limit };
        let (found, more) = self.reader.cases(&query).map_err(internal)?;
        let counts = self.reader.case_counts(filter.as_of).map_err(internal)?;
        Ok(CaseList {
            items: found.iter().map(cases::summary).collect(),
            more,
            precision: counts.iter().map(|c| cases::precision(c.pattern, &counts)).collect(),
        })
    }

    fn case(&self, id: &str, as_of: Option<Ts>) -> Result<CaseView, QueryError> {
        Ok(self.whole(id, as_of)?.0)
    }

    fn file_case(&self, new: &NewCase) -> Result<(CaseView, bool), QueryError> {
        let desk = self.case_desk()?;
        let now = self.clock.now();
        let first = EntryDraft::new(now, &new.author, CaseStep::Filed, new.note.as_deref())
            .map_err(|r| refused(r, &new.author))?;
        if new.alerts.is_empty() || new.alerts.len() > CASE_ALERTS_MAX {
            let count = new.alerts.len();
            return Err(bad("alerts", &count.to_string(), words::alert_count(count)));
        }
        let mut evidence: Vec<CaseEvidence> = Vec::new();
        for id in &new.alerts {
            let found = self.evidence_of(id)?;
            if evidence.iter().all(|e| e.alert_id != found.alert_id) {
                evidence.push(found);
            }
        }
        let case_id = CaseFile::id_of(evidence.iter().map(|e| e.alert_id.as_str()));
        if self.reader.case(&case_id, None).map_err(internal)?.is_some() {
            return Ok((self.case(&case_id, None)?, false));
        }
        let recordings = self.gathered(&evidence, STEPS.1)?.0;
        let file = CaseFile { case_id, filed_at: now, evidence };
        let is_new = desk.file(&file, &first, &recordings).map_err(super::advice::unwritable)?;
        Ok((self.case(&file.case_id, None)?, is_new))
    }

    fn write_case(&self, id: &str, entry: &NewCaseEntry) -> Result<CaseView, QueryError> {
        let step = match (entry.kind, entry.disposition) {
            (CaseEntryKind::Note, None) => CaseStep::Noted,
            (CaseEntryKind::Acknowledged, None) => CaseStep::Acknowledged,
            (CaseEntryKind::Closed, Some(d)) => CaseStep::Closed(d),
            (CaseEntryKind::Closed, None) => {
                return Err(bad("disposition", "", "a case is closed as true, false or unclear: say which".to_owned()));
            }
            (_, Some(d)) => {
                let reason = "a disposition goes with kind closed; leave it out otherwise".to_owned();
                return Err(bad("disposition", d.name(), reason));
            }
        };
        let draft = EntryDraft::new(self.clock.now(), &entry.author, step, entry.note.as_deref())
            .map_err(|r| refused(r, &entry.author))?;
        match self.case_desk()?.write(id, &draft).map_err(super::advice::unwritable)? {
            CaseOutcome::Written(_) | CaseOutcome::Same => self.case(id, None),
            CaseOutcome::Missing => Err(unknown(DeliveryName::Case, id)),
            CaseOutcome::Refused(refusal) => Err(refused(refusal, "")),
        }
    }

    fn export_case(&self, id: &str, format: CaseFormat) -> Result<Vec<u8>, QueryError> {
        let (view, stored, recordings) = self.whole(id, None)?;
        let now = self.clock.now();
        Ok(match format {
            CaseFormat::Json => {
                let attached = cases::attachments(&stored.file, &recordings)?;
                cases::json(&view, &attached, now)?
            }
            CaseFormat::Html => {
                let shown: Vec<CaseRecording> = recordings.into_iter().map(|r| nearest(r, STEPS.0)).collect();
                cases::html(&view, &shown, now).into_bytes()
            }
        })
    }

    fn replay_case(&self, id: &str, bounds: StepBounds) -> Result<CaseReplay, QueryError> {
        let stored = self.stored(id, None)?;
        let kept = self.reader.case_recordings(id, None).map_err(internal)?;
        let mut replay = CaseReplay { items: Vec::new(), missing: Vec::new() };
        for evidence in &stored.file.evidence {
            match kept.iter().find(|r| r.alert_id == evidence.alert_id) {
                Some(own) => replay.items.push(nearest(own.clone(), bounds)),
                // A question plays no journal: that is for whoever files a case or asks for a recording.
                None => match self.of_store(evidence, bounds)? {
                    Some(found) => replay.items.push(found),
                    None => replay.missing.push(words::nothing_around(&evidence.title)),
                },
            }
        }
        Ok(replay)
    }
}

impl Service {
    /// Cases are written there from now on.
    pub fn keep_cases(&self, desk: Arc<CaseDesk>) {
        // Set once, where the process begins.
        drop(self.cases.set(desk));
    }

    fn case_desk(&self) -> Result<&CaseDesk, QueryError> {
        let none = || QueryError::Unavailable { reason: "this process keeps no cases".to_owned() };
        self.cases.get().map(|d| &**d).ok_or_else(none)
    }

    /// The whole id of a case that begins like this.
    ///
    /// # Errors
    /// [`QueryError::Unknown`], [`QueryError::BadField`] where several begin so, or the store's failure.
    pub fn whole_case_id(&self, beginning: &str) -> Result<String, QueryError> {
        let found = if beginning.len() < PREFIX_MIN {
            Vec::new()
        } else {
            self.reader.case_ids(beginning).map_err(internal)?
        };
        match <[String; 1]>::try_from(found) {
            Ok([one]) => Ok(one),
            Err(none) if none.is_empty() => Err(unknown(DeliveryName::Case, beginning)),
            Err(_) => Err(bad("id", beginning, format!("several cases begin with '{beginning}'; write more of it"))),
        }
    }

    /// Keeps what can still be rebuilt of the books and trades around a case; how many recordings were not there, and why there are
    /// none of the others.
    ///
    /// # Errors
    /// As [`AskCases::case`].
    pub fn record_case(&self, id: &str) -> Result<(usize, Vec<String>), QueryError> {
        let stored = self.stored(id, None)?;
        let (found, missing) = self.gathered(&stored.file.evidence, STEPS.1)?;
        let added = self.case_desk()?.keep(id, &found, self.clock.now()).map_err(super::advice::unwritable)?;
        Ok((added, missing))
    }

    fn stored(&self, id: &str, as_of: Option<Ts>) -> Result<StoredCase, QueryError> {
        self.reader.case(id, as_of).map_err(internal)?.ok_or_else(|| unknown(DeliveryName::Case, id))
    }

    fn whole(&self, id: &str, as_of: Option<Ts>) -> Result<(CaseView, StoredCase, Vec<CaseRecording>), QueryError> {
        let stored = self.stored(id, as_of)?;
        let recordings = self.reader.case_recordings(id, as_of).map_err(internal)?;
        let counts = self.reader.case_counts(as_of).map_err(internal)?;
        let attached = cases::attachments(&stored.file, &recordings)?;
        let similar = self.similar_cases(&stored, as_of)?;
        let view = cases::view(&stored, &recordings, &counts, similar, &attached);
        Ok((view, stored, recordings))
    }

    /// Of the last closed cases before it of one of its patterns, those with the nearest score first, and what followed the alert that is
    /// nearest.
    fn similar_cases(&self, of: &StoredCase, as_of: Option<Ts>) -> Result<Vec<SimilarCase>, QueryError> {
        let CaseFile { case_id, filed_at, .. } = &of.file;
        let query = CasesLike {
            case_id: case_id.clone(),
            patterns: of.file.patterns(),
            filed_until: *filed_at,
            as_of,
            limit: COMPARED_MAX,
        };
        let closed = self.reader.cases_like(&query).map_err(internal)?;
        let mut near: Vec<(f64, &CaseEvidence, &StoredCase)> =
            closed.iter().filter_map(|case| nearest_alert(&of.file, &case.file).map(|(d, e)| (d, e, case))).collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(SIMILAR);
        near.into_iter().map(|(_, evidence, case)| self.similar_case(case, evidence, as_of)).collect()
    }

    /// A similar case by its alert that is nearest. What followed is read from the minutes of the run that made the alert, four hours of
    /// them: nothing else of the market is asked, because a case is opened with this.
    fn similar_case(
        &self,
        case: &StoredCase,
        nearest: &CaseEvidence,
        as_of: Option<Ts>,
    ) -> Result<SimilarCase, QueryError> {
        let CaseEvidence { alert_id, instrument, logic_version, .. } = nearest;
        let key = RunKey { instrument: instrument.clone(), logic_version: logic_version.clone() };
        let now = as_of.unwrap_or_else(|| self.clock.now());
        let begin = nearest.newest().map_or(case.file.filed_at, |known| outcomes::began(&known.alert));
        let outcome = outcomes::outcome_if_stored(self.reader.as_ref(), &key, begin, as_of, now).map_err(internal)?;
        Ok(SimilarCase {
            summary: cases::summary(case),
            alert_id: alert_id.clone(),
            instrument: key.instrument,
            opened_at: begin,
            outcome_reason: if outcome.is_none() { SimilarCase::NOT_STORED } else { None },
            outcome,
        })
    }

    /// What is known of an alert, by its id or the beginning of it.
    fn evidence_of(&self, id: &str) -> Result<CaseEvidence, QueryError> {
        let found = FoundAlert::find(self.reader.as_ref(), id.trim(), None).map_err(|e| no_episode("alerts", id, e))?;
        self.evidence(&found)
    }

    fn evidence(&self, of: &FoundAlert) -> Result<CaseEvidence, QueryError> {
        let key = &of.run.spec.key;
        let mut evidence = CaseEvidence {
            alert_id: of.alert_id.clone(),
            instrument: key.instrument.clone(),
            logic_version: key.logic_version.clone(),
            records: of.records.clone(),
            title: String::new(),
            description: String::new(),
            statistics: Vec::new(),
            limits: Vec::new(),
        };
        let kept = Kept::of(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner), &of.run);
        if let Some(peak) = evidence.peak() {
            let read = kept.view(self.reader.as_ref(), peak, None).map_err(internal)?;
            evidence.title = read.title;
            evidence.description = read.description;
            evidence.statistics = read.evidence.statistics;
            evidence.limits = read.evidence.limits;
        }
        Ok(evidence)
    }

    /// Books and trades around alerts, from the journal where that can be played, else from the store; and of which there are none.
    fn gathered(
        &self,
        evidence: &[CaseEvidence],
        bounds: StepBounds,
    ) -> Result<(Vec<CaseRecording>, Vec<String>), QueryError> {
        let stretches: Vec<CaseStretch> = evidence.iter().filter_map(around).collect();
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        match self.cases.get().and_then(|desk| desk.recorder()).map(|r| r.record(&stretches, bounds)) {
            None => {}
            Some(Ok(played)) => found.extend(played.into_iter().map(|r| nearest(r, bounds))),
            Some(Err(why)) => missing.push(why),
        }
        for own in evidence {
            if found.iter().any(|r: &CaseRecording| r.alert_id == own.alert_id) {
                continue;
            }
            match self.of_store(own, bounds)? {
                Some(stored) => found.push(stored),
                None => missing.push(words::nothing_around(&own.title)),
            }
        }
        Ok((found, missing))
    }

    fn of_store(&self, evidence: &CaseEvidence, bounds: StepBounds) -> Result<Option<CaseRecording>, QueryError> {
        let Some(stretch) = around(evidence) else { return Ok(None) };
        let now = self.clock.now();
        from_store(self.reader.as_ref(), &CaseStretch { until: stretch.until.min(now), ..stretch }, bounds)
            .map_err(internal)
    }
}

/// The alert of another case whose greatest score is nearest to that of one of the same pattern, and how far it is.
fn nearest_alert<'a>(own: &CaseFile, other: &'a CaseFile) -> Option<(f64, &'a CaseEvidence)> {
    let peak = |e: &CaseEvidence| e.peak().map(|k| (k.alert.pattern, k.alert.score));
    let own: Vec<_> = own.evidence.iter().filter_map(peak).collect();
    let distance = |theirs: &CaseEvidence| {
        let (pattern, score) = peak(theirs)?;
        own.iter().filter(|(p, _)| *p == pattern).map(|(_, s)| (s - score).abs()).min_by(f64::total_cmp)
    };
    other.evidence.iter().filter_map(|e| Some((distance(e)?, e))).min_by(|a, b| a.0.total_cmp(&b.0))
}

/// Why there is not one alert of an id; `field` is where the caller wrote it.
pub(super) fn no_episode(field: &str, id: &str, why: NoEpisode) -> QueryError {
    match why {
        NoEpisode::Unknown => unknown(DeliveryName::Alert, id),
        NoEpisode::Short => bad(
            field,
            id,
            format!("'{id}' is too short for the id of an alert; write at least {PREFIX_MIN} characters of it"),
        ),
        NoEpisode::Several => bad(field, id, format!("several alerts begin with '{id}'; write more of it")),
        NoEpisode::Store(e) => internal(e),
    }
}

fn bad(field: &str, value: &str, reason: String) -> QueryError {
    QueryError::BadField { field: field.to_owned(), value: value.to_owned(), reason }
}

fn unknown(what: DeliveryName, id: &str) -> QueryError {
    QueryError::Unknown { what, id: id.to_owned() }
}

/// A text that is not taken, or a step that the case does not take.
fn refused(refusal: CaseRefusal, author: &str) -> QueryError {
    match refusal {
        CaseRefusal::Author => bad(refusal.field(), author, refusal.to_string()),
        CaseRefusal::Note | CaseRefusal::NoWords => bad(refusal.field(), "", refusal.to_string()),
        CaseRefusal::FiledAlready => QueryError::Conflict {
            reason: "the case has been filed already".to_owned(),
            hint: "add a note to it".to_owned(),
        },
        CaseRefusal::Closed => QueryError::Conflict {
            reason: "the case is closed".to_owned(),
            hint: "add a note, or close it again with another disposition".to_owned(),
        },
    }
}
