//! Lines of the log of decisions: JSON in `paper/decisions.jsonl` of the data folder, only ever appended to.
//!
//! They are written by `paper` alone; here they are what that process and every reader understand of them. What was half written
//! when the machine stopped is passed over.

use barograph_domain::advice::{ReasonCode, Verdict};
use barograph_domain::{Side, Span, Ts};
use barograph_engine::kpi::{StrategyName, TradeExit, TradePlan, Unresolved};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// A line of the log.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaperRecord {
    /// A process began to watch.
    Started(PaperStart),
    /// An entry was considered.
    Decision(Box<PaperDecision>),
    /// The decision of this id has a confidence below 0.4, or none (R2.47).
    LowConfidence { ts: Ts, id: String, market: String, confidence: Option<f64>, confidence_kind: String },
    /// No decision was made, and why.
    NotMade(NoDecision),
    /// What came of a decision.
    Outcome(PaperOutcome),
}

/// How a process watches.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaperStart {
    pub ts: Ts,
    pub strategy: String,
    pub address: String,
    pub timeframe_s: i64,
    pub horizon_s: i64,
    pub cost_share: f64,
    pub equity: f64,
}

/// An entry that was considered, with all that was advised.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaperDecision {
    pub id: String,
    pub ts: Ts,
    pub market: String,
    pub side: Side,
    /// Close of the bar that decided.
    pub bar_close: Ts,
    pub entry: f64,
    /// Who picked it; lines without it are of the time of one strategy.
    #[serde(default = "first_strategy")]
    pub strategy: String,
    /// What the strategy read, by name: prices in quote units, volumes in base units, ratios as such.
    #[serde(default)]
    pub readings: BTreeMap<String, f64>,
    /// Where lines of the time of one strategy have what is in `readings` since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vwap: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_ratio: Option<f64>,
    pub verdict: Verdict,
    pub decided_by: String,
    pub reasons: Vec<String>,
    pub confidence: Option<f64>,
    pub confidence_kind: String,
    /// Would have been entered.
    pub taken: bool,
    /// Else why not: `avoid` or `position_open`.
    pub skipped: Option<String>,
    /// Would-be size, base units.
    pub size: Option<f64>,
    pub risk_fraction: Option<f64>,
    pub atr_14: f64,
    pub stop: f64,
    pub target: f64,
    pub target_source: String,
    pub planned_rr: f64,
    pub plain_stop: f64,
    pub plain_target: f64,
    pub session: Option<String>,
    pub snapshot_id: Option<String>,
    pub logic_version: Option<String>,
    pub timeframe_s: i64,
    pub horizon_s: i64,
    pub cost_share: f64,
}

fn first_strategy() -> String {
    StrategyName::default().name().to_owned()
}

impl PaperDecision {
    /// What the strategy read, of old lines too.
    pub fn readings(&self) -> BTreeMap<String, f64> {
        let old = [("vwap", self.vwap), ("volume_ratio", self.volume_ratio)];
        let old = old.into_iter().filter_map(|(name, x)| Some((name.to_owned(), x?)));
        old.chain(self.readings.clone()).collect()
    }
    /// Without a confidence, or with one that the advice itself found low (R2.47).
    pub fn is_unsure(&self) -> bool {
        self.confidence.is_none() || self.reasons.iter().any(|r| r == ReasonCode::LowConfidence.name())
    }
    /// The context's pair, and the plain one.
    pub fn plans(&self) -> [TradePlan; 2] {
        let Self { side, entry, .. } = *self;
        [(self.stop, self.target), (self.plain_stop, self.plain_target)].map(|(stop, target)| TradePlan {
            side,
            entry,
            stop,
            target,
        })
    }
    pub const fn timeframe(&self) -> Span {
        Span::secs(self.timeframe_s)
    }
    pub const fn horizon(&self) -> Span {
        Span::secs(self.horizon_s)
    }
}

/// Why there is no decision.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NoDecision {
    pub ts: Ts,
    pub market: Option<String>,
    /// Of the entry that was not judged, or of the gap; a state has none.
    pub id: Option<String>,
    /// `no_server`, `no_market`, `no_bars`, `stale`, `gap`, `late`, `no_advice`, `no_plan`.
    pub reason: String,
    pub detail: String,
}

/// How a decision ended, were it a trade; those that were not taken too.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaperOutcome {
    pub id: String,
    pub ts: Ts,
    /// With stop and target of the advice.
    pub context: ArmOutcome,
    /// With 1.5 ATR and ratio 1.5.
    pub plain: ArmOutcome,
}

/// One pair's end.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ArmOutcome {
    pub exit: Option<TradeExit>,
    pub exit_ts: Option<Ts>,
    pub exit_price: Option<f64>,
    pub r: Option<f64>,
    pub r_after_costs: Option<f64>,
    /// Why nothing is said.
    pub unresolved: Option<Unresolved>,
}

impl PaperRecord {
    /// When it was written.
    pub const fn written_at(&self) -> Ts {
        match self {
            Self::Started(s) => s.ts,
            Self::Decision(d) => d.ts,
            Self::LowConfidence { ts, .. } => *ts,
            Self::NotMade(n) => n.ts,
            Self::Outcome(o) => o.ts,
        }
    }
}

/// Where the log of a data folder lies.
pub fn path(data: &Path) -> PathBuf {
    data.join("paper").join("decisions.jsonl")
}

/// Every whole line, in order; nothing where there is no log yet.
///
/// # Errors
/// The file cannot be read, or holds a line that is none of the log.
pub fn read(path: &Path) -> Result<Vec<PaperRecord>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => parse(&bytes),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// Every whole line of a log's bytes.
///
/// # Errors
/// The first line that is none of the log, by its number.
pub fn parse(bytes: &[u8]) -> Result<Vec<PaperRecord>, Error> {
    let lines = bytes[..whole(bytes)].split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let read = |(n, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|e| Error::new(ErrorKind::InvalidData, format!("line {}: {e}", n + 1)))
    };
    lines.enumerate().map(read).collect()
}

/// Length of what ends with a line's end.
pub fn whole(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1)
}
