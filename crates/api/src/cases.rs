//! Cases as they go over the wire: what was filed, what people wrote, what it says of a detector's precision (surveillance §12).
//!
//! Sentences of the program in a case are those of its alerts as they were read when it was filed; what people wrote stays as they
//! wrote it. Nobody is named but the authors of entries: public data show no accounts.

use crate::events::{BaseRateView, EvidenceWindow};
use crate::outcome::AlertOutcome;
use barograph_domain::alert::{AlertChange, AlertState, Statistic};
use barograph_domain::case::{CaseRecording, CaseState, Disposition, ShareInterval};
use barograph_domain::{InstrumentName, Pattern, Severity, Trigger, Ts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A case somebody files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCase {
    /// Ids of alerts, as events have them: 1 to 20 that belong together.
    pub alerts: Vec<String>,
    /// Who files it.
    pub author: String,
    /// Why it is filed.
    #[serde(default)]
    pub note: Option<String>,
}

/// What can be written into a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseEntryKind {
    /// A note.
    Note,
    /// Somebody looks into it.
    Acknowledged,
    /// It is closed, with a disposition.
    Closed,
}

/// An entry somebody writes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCaseEntry {
    /// What it does.
    pub kind: CaseEntryKind,
    /// Who writes it.
    pub author: String,
    /// Words to it; a note needs them.
    #[serde(default)]
    pub note: Option<String>,
    /// What was made of the case; goes with `closed`, which needs it.
    #[serde(default)]
    pub disposition: Option<Disposition>,
}

/// Which cases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CaseFilter {
    /// In this state only.
    pub state: Option<CaseState>,
    /// As they were known then; `None`: now.
    pub as_of: Option<Ts>,
    /// At most so many.
    pub limit: usize,
}

/// A case in a list.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CaseSummary {
    /// Its id: the same alerts filed twice are one case.
    #[schema(example = "0f8fad5b-d9cb-569f-a165-70867728950e")]
    pub case_id: String,
    /// Heading of its first alert, and how many more there are.
    pub title: String,
    /// Where it is.
    pub state: CaseState,
    /// What was made of it; null while it is not closed.
    pub disposition: Option<Disposition>,
    /// When it was filed.
    #[schema(value_type = String, format = DateTime)]
    pub filed_at: Ts,
    /// Since when it is in that state.
    #[schema(value_type = String, format = DateTime)]
    pub since: Ts,
    /// Who put it there.
    pub by: String,
    /// The market of each alert, once.
    #[schema(value_type = Vec<String>)]
    pub markets: Vec<InstrumentName>,
    /// The pattern of each alert, once.
    pub patterns: Vec<Pattern>,
    /// The greatest severity of its alerts.
    pub severity: Severity,
    /// Alerts it is about.
    pub alert_count: usize,
    /// Entries with a note.
    pub note_count: usize,
}

/// One record of an alert's episode.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct CaseRecord {
    /// What it reports.
    pub change: AlertChange,
    /// State after it.
    pub state: AlertState,
    /// Moment of the evaluation, by the venue's clock.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// The earliest moment it could be known.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Ts,
    /// Greatest severity so far.
    pub severity: Severity,
    /// 0 to 100.
    pub anomaly_score: f64,
}

/// An alert of a case, as it was known when the case was filed.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CaseAlert {
    /// Id of its episode.
    pub alert_id: String,
    /// Whose.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub instrument: InstrumentName,
    /// `BASE/QUOTE`.
    #[schema(example = "BTC/USDT")]
    pub symbol: String,
    /// What the detector looks for.
    pub pattern_type: Pattern,
    /// Which of several ways; null where there is one.
    pub trigger: Option<Trigger>,
    /// Greatest severity.
    pub severity: Severity,
    /// Greatest score, 0 to 100.
    pub anomaly_score: f64,
    /// Its heading.
    pub title: String,
    /// What was measured, against what, over which time.
    pub description: String,
    /// When the episode began.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Ts,
    /// When it was over; null where that was not known yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Ts>,
    /// What its statistics speak of.
    pub window: EvidenceWindow,
    /// What was measured, against what.
    pub statistics: Vec<Statistic>,
    /// How often it happened here.
    pub base_rate: BaseRateView,
    /// What the evidence cannot show, in sentences.
    pub limits: Vec<String>,
    /// Every record of the episode, the oldest first.
    pub records: Vec<CaseRecord>,
    /// Logic that made it.
    pub logic_version: String,
    /// The page at that moment.
    #[schema(example = "/m/binance-usdm:BTCUSDT?as_of=2026-02-05T04:30:00Z")]
    pub page: String,
    /// Books and trades around it were kept with the case.
    pub recorded: bool,
}

/// An entry of a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct CaseEntryView {
    /// Counts from 1.
    pub seq: u32,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub at: Ts,
    /// Who wrote it.
    pub author: String,
    /// `filed`, `note`, `acknowledged` or `closed`.
    #[schema(example = "closed")]
    pub kind: &'static str,
    /// What was made of the case, where this closes it.
    pub disposition: Option<Disposition>,
    /// Words to it.
    pub note: Option<String>,
}

/// What a case is accompanied by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct CaseAttachment {
    /// Name of the file.
    #[schema(example = "alert-0f8fad5b.json")]
    pub name: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: usize,
}

/// What is known of the precision of a pattern. Neither figure stands for the other: injections are of synthetic markets, cases are
/// those that somebody thought worth filing.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct PatternPrecision {
    /// Which pattern.
    pub pattern: Pattern,
    /// Cases closed as true.
    pub closed_true: u32,
    /// Cases closed as false.
    pub closed_false: u32,
    /// Cases closed as unclear, which are in no share.
    pub closed_unclear: u32,
    /// True ones among true and false ones, with its 95 % Wilson interval; null where there is neither.
    pub precision_by_disposition: Option<ShareInterval>,
    /// Strict precision on injected episodes at twice the threshold, of the class of markets where it is lowest; null where none
    /// were injected.
    pub precision_on_injections: Option<ShareInterval>,
}

/// Cases, and what they say of detectors.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CaseList {
    /// The one filed last first.
    pub items: Vec<CaseSummary>,
    /// There are more than were asked for.
    pub more: bool,
    /// Of every pattern that has a case among all that are closed.
    pub precision: Vec<PatternPrecision>,
}

/// An earlier case of the same pattern, and what the market did after it (surveillance §8, §12).
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct SimilarCase {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: CaseSummary,
    /// Its alert that has the nearest score: what followed is counted from its beginning.
    pub alert_id: String,
    /// Whose that is.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub instrument: InstrumentName,
    /// When it began, or happened.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Ts,
    /// What followed, as far as it is known now; null where no minute of that time is stored any more.
    pub outcome: Option<AlertOutcome>,
    /// Why that is null: `not_stored`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "not_stored")]
    pub outcome_reason: Option<&'static str>,
}

impl SimilarCase {
    /// Of `outcome`: minutes are kept for a time, cases for ever.
    pub const NOT_STORED: Option<&'static str> = Some("not_stored");
}

/// A whole case.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CaseView {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: CaseSummary,
    /// Its alerts with their evidence.
    pub alerts: Vec<CaseAlert>,
    /// What people wrote, the first entry first.
    pub entries: Vec<CaseEntryView>,
    /// Of each of its patterns.
    pub precision: Vec<PatternPrecision>,
    /// Up to three earlier cases of the same pattern that are closed, those with the nearest score first, and what followed them.
    pub similar: Vec<SimilarCase>,
    /// What an export holds beside this, by digest.
    pub attachments: Vec<CaseAttachment>,
}

/// Books and trades around the alerts of a case.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CaseReplay {
    /// Of each alert that something covers.
    pub items: Vec<CaseRecording>,
    /// Of the others: why there is nothing to show, a sentence each.
    pub missing: Vec<String>,
}

/// A case as a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CaseFormat {
    /// Everything, with the contents of the attachments.
    Json,
    /// A page to print.
    Html,
}

impl CaseFormat {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Json, Self::Html];
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}
