//! Cases of the small world: filed from its events, kept in memory.

use super::found::event;
use super::world::World;
use barograph_api::cases::{
    CaseAlert, CaseAttachment, CaseEntryKind, CaseEntryView, CaseFilter, CaseFormat, CaseList, CaseRecord, CaseReplay,
    CaseSummary, CaseView, NewCase, NewCaseEntry, PatternPrecision,
};
use barograph_api::{AskCases, AskMarkets as _, DeliveryName, EventView, QueryError};
use barograph_domain::case::{
    BookStep, CaseFile, CaseRecording, CaseState, Disposition, InjectedPrecision, PriceLevel, RecordedFrom,
    ShareInterval, StepBounds, TapeTrade,
};
use barograph_domain::{Pattern, Side, Ts};

fn precision(pattern: Pattern, closed: Option<Disposition>) -> PatternPrecision {
    let is = |d: Disposition| u32::from(closed == Some(d));
    let (closed_true, closed_false) = (is(Disposition::True), is(Disposition::False));
    let decided = closed_true + closed_false > 0;
    PatternPrecision {
        pattern,
        closed_true,
        closed_false,
        closed_unclear: is(Disposition::Unclear),
        precision_by_disposition: decided.then_some(ShareInterval {
            value: f64::from(closed_true),
            low: 0.2,
            high: 1.0,
        }),
        precision_on_injections: InjectedPrecision::of(pattern).map(|i| i.share),
    }
}

fn alert(e: &EventView) -> CaseAlert {
    CaseAlert {
        alert_id: e.alert_id.clone(),
        instrument: e.instrument.clone(),
        symbol: e.symbol.clone(),
        pattern_type: e.pattern_type,
        trigger: e.trigger,
        severity: e.severity,
        anomaly_score: e.anomaly_score,
        title: e.title.clone(),
        description: e.description.clone(),
        opened_at: e.opened_at,
        closed_at: e.closed_at,
        window: e.evidence.window,
        statistics: e.evidence.statistics.clone(),
        base_rate: e.evidence.base_rate,
        limits: e.evidence.limits.clone(),
        records: vec![CaseRecord {
            change: e.change,
            state: e.state,
            timestamp: e.timestamp,
            known_at: e.known_at,
            severity: e.severity,
            anomaly_score: e.anomaly_score,
        }],
        logic_version: e.logic_version.clone(),
        page: format!("/m/{}", e.instrument),
        recorded: true,
    }
}

fn filed(new: &NewCase, events: &[EventView], now: Ts) -> CaseView {
    let first = &events[0];
    CaseView {
        summary: CaseSummary {
            case_id: CaseFile::id_of(new.alerts.iter().map(String::as_str)),
            title: first.title.clone(),
            state: CaseState::Open,
            disposition: None,
            filed_at: now,
            since: now,
            by: new.author.clone(),
            markets: vec![first.instrument.clone()],
            patterns: vec![first.pattern_type],
            severity: first.severity,
            alert_count: events.len(),
            note_count: usize::from(new.note.is_some()),
        },
        alerts: events.iter().map(alert).collect(),
        entries: vec![CaseEntryView {
            seq: 1,
            at: now,
            author: new.author.clone(),
            kind: "filed",
            disposition: None,
            note: new.note.clone(),
        }],
        precision: vec![precision(first.pattern_type, None)],
        similar: Vec::new(),
        attachments: vec![CaseAttachment { name: "alert.json".to_owned(), sha256: "00".repeat(32), bytes: 2 }],
    }
}

fn unknown(what: DeliveryName, id: &str) -> QueryError {
    QueryError::Unknown { what, id: id.to_owned() }
}

impl AskCases for World {
    fn cases(&self, filter: &CaseFilter) -> Result<CaseList, QueryError> {
        self.disk()?;
        let held = self.cases.lock().unwrap();
        let wanted = |c: &&CaseView| {
            filter.state.is_none_or(|s| s == c.summary.state) && filter.as_of.is_none_or(|t| c.summary.filed_at <= t)
        };
        let found: Vec<CaseSummary> = held.iter().rev().filter(wanted).map(|c| c.summary.clone()).collect();
        Ok(CaseList {
            more: found.len() > filter.limit,
            precision: held.iter().flat_map(|c| c.precision.clone()).collect(),
            items: found.into_iter().take(filter.limit).collect(),
        })
    }

    fn case(&self, id: &str, _as_of: Option<Ts>) -> Result<CaseView, QueryError> {
        self.disk()?;
        let held = self.cases.lock().unwrap();
        held.iter().find(|c| c.summary.case_id == id).cloned().ok_or_else(|| unknown(DeliveryName::Case, id))
    }

    fn file_case(&self, new: &NewCase) -> Result<(CaseView, bool), QueryError> {
        self.disk()?;
        let find = |id: &String| {
            (0..40).map(event).find(|e| e.alert_id == *id).ok_or_else(|| unknown(DeliveryName::Alert, id))
        };
        let events: Vec<EventView> = new.alerts.iter().map(find).collect::<Result<_, _>>()?;
        let case = filed(new, &events, self.now());
        let mut held = self.cases.lock().unwrap();
        if let Some(known) = held.iter().find(|c| c.summary.case_id == case.summary.case_id) {
            return Ok((known.clone(), false));
        }
        held.push(case.clone());
        Ok((case, true))
    }

    fn write_case(&self, id: &str, entry: &NewCaseEntry) -> Result<CaseView, QueryError> {
        self.disk()?;
        let now = self.now();
        let mut held = self.cases.lock().unwrap();
        let case = held.iter_mut().find(|c| c.summary.case_id == id).ok_or_else(|| unknown(DeliveryName::Case, id))?;
        let (kind, state) = match entry.kind {
            CaseEntryKind::Note => ("note", case.summary.state),
            CaseEntryKind::Acknowledged => ("acknowledged", CaseState::Acknowledged),
            CaseEntryKind::Closed => ("closed", CaseState::Closed),
        };
        if kind == "acknowledged" && case.summary.state == CaseState::Closed {
            let (reason, hint) = ("the case is closed".to_owned(), "add a note".to_owned());
            return Err(QueryError::Conflict { reason, hint });
        }
        let (author, note) = (entry.author.clone(), entry.note.clone());
        let seq = u32::try_from(case.entries.len()).unwrap() + 1;
        case.entries.push(CaseEntryView { seq, at: now, author, kind, disposition: entry.disposition, note });
        (case.summary.state, case.summary.disposition) = (state, entry.disposition);
        case.precision = vec![precision(case.summary.patterns[0], entry.disposition)];
        Ok(case.clone())
    }

    fn export_case(&self, id: &str, format: CaseFormat) -> Result<Vec<u8>, QueryError> {
        let case = self.case(id, None)?;
        Ok(match format {
            CaseFormat::Json => serde_json::to_vec(&serde_json::json!({ "case": case })).unwrap(),
            CaseFormat::Html => format!("<!doctype html><title>{id}</title>").into_bytes(),
        })
    }

    fn replay_case(&self, id: &str, bounds: StepBounds) -> Result<CaseReplay, QueryError> {
        let case = self.case(id, None)?;
        let at = case.alerts[0].opened_at;
        let level = |price| PriceLevel { price, qty: 2.5 };
        let book = BookStep { at, known_at: at, bids: vec![level(99.5)], asks: vec![level(100.5)] };
        let trade = TapeTrade { at, known_at: at, price: 100.5, qty: 0.1, aggressor_side: Some(Side::Long) };
        let recording = CaseRecording {
            alert_id: case.alerts[0].alert_id.clone(),
            source: RecordedFrom::Journal,
            moment: at,
            from: at,
            until: at,
            books: vec![book; bounds.books],
            trades: vec![trade; bounds.trades],
            books_left_out: 1,
            trades_left_out: 0,
        };
        Ok(CaseReplay { items: vec![recording], missing: vec!["nothing of the other".to_owned()] })
    }
}
