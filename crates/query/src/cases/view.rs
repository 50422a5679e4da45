//! Stored cases as they go over the wire.

use super::export::Attached;
use crate::events::base_rate;
use barograph_api::alias::markets::pair_of;
use barograph_api::cases::{
    CaseAlert, CaseAttachment, CaseEntryView, CaseRecord, CaseSummary, CaseView, PatternPrecision, SimilarCase,
};
use barograph_api::events::EvidenceWindow;
use barograph_domain::alert::Statistic;
use barograph_domain::case::{CaseCount, CaseEntry, CaseEvidence, CaseFile, CaseRecording, InjectedPrecision};
use barograph_domain::{InstrumentName, KnownAlert, Pattern, Severity, Span};
use barograph_store::StoredCase;

/// A case in a list.
#[must_use]
pub fn summary(case: &StoredCase) -> CaseSummary {
    let StoredCase { file, entries, standing } = case;
    let evidence = &file.evidence;
    let mut markets: Vec<InstrumentName> = Vec::new();
    for one in evidence {
        if !markets.contains(&one.instrument) {
            markets.push(one.instrument.clone());
        }
    }
    let severities = evidence.iter().filter_map(CaseEvidence::peak).map(|k| k.alert.severity);
    CaseSummary {
        case_id: file.case_id.clone(),
        title: title(file),
        state: standing.state,
        disposition: standing.disposition,
        filed_at: file.filed_at,
        since: standing.since,
        by: standing.by.clone(),
        markets,
        patterns: file.patterns(),
        severity: severities.max().unwrap_or(Severity::Info),
        alert_count: evidence.len(),
        note_count: entries.iter().filter(|e| e.note.is_some()).count(),
    }
}

/// "Burst of liquidations and 2 more"
fn title(file: &CaseFile) -> String {
    let first = file.evidence.first().map_or("", |e| e.title.as_str());
    match file.evidence.len().saturating_sub(1) {
        0 => first.to_owned(),
        more => format!("{first} and {more} more"),
    }
}

/// The whole case; `counts` of all closed ones, `similar` as they were found.
#[must_use]
pub fn view(
    case: &StoredCase,
    recordings: &[CaseRecording],
    counts: &[CaseCount],
    similar: Vec<SimilarCase>,
    attached: &[Attached],
) -> CaseView {
    let summary = summary(case);
    let recorded = |id: &str| recordings.iter().any(|r| r.alert_id == id);
    CaseView {
        alerts: case.file.evidence.iter().filter_map(|e| alert(e, recorded(&e.alert_id))).collect(),
        entries: case.entries.iter().map(entry).collect(),
        precision: summary.patterns.iter().map(|p| precision(*p, counts)).collect(),
        similar,
        attachments: attached.iter().map(attachment).collect(),
        summary,
    }
}

fn alert(evidence: &CaseEvidence, recorded: bool) -> Option<CaseAlert> {
    let (peak, newest, (from, to)) = (evidence.peak()?, evidence.newest()?, evidence.window()?);
    let first = evidence.records.first()?;
    let shown = first.known_at.ceil(Span::secs(1));
    Some(CaseAlert {
        alert_id: evidence.alert_id.clone(),
        instrument: evidence.instrument.clone(),
        symbol: pair_of(&evidence.instrument),
        pattern_type: peak.alert.pattern,
        trigger: peak.alert.trigger,
        severity: peak.alert.severity,
        anomaly_score: peak.alert.score,
        title: evidence.title.clone(),
        description: evidence.description.clone(),
        opened_at: first.alert.opened_at,
        closed_at: newest.alert.closed_at,
        window: EvidenceWindow { from, to },
        statistics: distinct(&evidence.statistics),
        base_rate: base_rate(&peak.alert.base_rate),
        limits: evidence.limits.clone(),
        records: evidence.records.iter().map(record).collect(),
        logic_version: evidence.logic_version.clone(),
        page: format!("/m/{}?as_of={shown}", evidence.instrument),
        recorded,
    })
}

/// Without what stands beside the statistic that decides, at the same threshold: it shows nothing more.
fn distinct(all: &[Statistic]) -> Vec<Statistic> {
    let is_twin = |one: &Statistic, other: &Statistic| {
        other.decides && other.name == one.name && other.threshold.total_cmp(&one.threshold).is_eq()
    };
    all.iter().filter(|one| one.decides || !all.iter().any(|other| is_twin(one, other))).cloned().collect()
}

fn record(known: &KnownAlert) -> CaseRecord {
    let KnownAlert { known_at, alert } = known;
    CaseRecord {
        change: alert.change,
        state: alert.state,
        timestamp: alert.ts,
        known_at: *known_at,
        severity: alert.severity,
        anomaly_score: alert.score,
    }
}

fn entry(e: &CaseEntry) -> CaseEntryView {
    CaseEntryView {
        seq: e.seq,
        at: e.at,
        author: e.author.clone(),
        kind: e.step.kind(),
        disposition: e.step.disposition(),
        note: e.note.clone(),
    }
}

fn attachment(a: &Attached) -> CaseAttachment {
    CaseAttachment { name: a.name.clone(), sha256: a.sha256.clone(), bytes: a.content.len() }
}

/// What is known of the precision of a pattern.
#[must_use]
pub fn precision(pattern: Pattern, counts: &[CaseCount]) -> PatternPrecision {
    let count = counts.iter().find(|c| c.pattern == pattern).copied().unwrap_or(CaseCount::none(pattern));
    PatternPrecision {
        pattern,
        closed_true: count.confirmed,
        closed_false: count.refuted,
        closed_unclear: count.unclear,
        precision_by_disposition: count.precision(),
        precision_on_injections: InjectedPrecision::of(pattern).map(|i| i.share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Kind;

    #[test]
    fn a_floor_that_decides_nothing_is_shown_where_it_differs() {
        let statistic = |threshold: f64, decides: bool| Statistic {
            name: "liq_count_60s".into(),
            value: Some(8.0),
            reason: None,
            threshold,
            u: None,
            unit: "count".into(),
            kind: Kind::Sampled,
            coverage: 1.0,
            decides,
            uncalibrated: false,
        };
        let thresholds = |all: [Statistic; 2]| distinct(&all).iter().map(|s| s.threshold).collect::<Vec<_>>();
        assert_eq!(thresholds([statistic(5.0, false), statistic(5.0, true)]), [5.0]);
        assert_eq!(thresholds([statistic(5.0, false), statistic(9.0, true)]), [5.0, 9.0]);
        assert_eq!(thresholds([statistic(5.0, true), statistic(9.0, true)]), [5.0, 9.0], "what decides always is");
    }
}
