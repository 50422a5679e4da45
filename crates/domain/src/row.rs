//! One market's minute as the engine leaves it: readings, the state of the risk axis, and the ages of its inputs.
//!
//! A row holds everything that a rule book needs to explain the moment again later; texts and JSON are rendered from it
//! on demand and are therefore never stored (DESIGN section 4, storage).

use crate::{Cell, GapReason, HeldBy, Metric, RiskRegime, StreamIndex, Ts};
use serde::{Deserialize, Serialize};

/// Published and raw label of one axis with its memory (regimes §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AxisState {
    /// Published label.
    pub label: RiskRegime,
    /// What the rules say now, before hysteresis, dwell and staleness.
    pub raw_label: RiskRegime,
    /// Why the two differ.
    pub held_by: HeldBy,
    /// When the published label was entered.
    pub since: Ts,
    /// A different raw label waiting to be published.
    pub candidate: Option<RiskRegime>,
    /// For how many consecutive evaluations it has waited.
    pub candidate_count: u32,
    /// An input this axis reads is stale: the label shown may be the last one (regimes §9).
    pub stale: bool,
}

impl Default for AxisState {
    fn default() -> Self {
        Self {
            label: RiskRegime::Unknown,
            raw_label: RiskRegime::Unknown,
            held_by: HeldBy::None,
            since: Ts(0),
            candidate: None,
            candidate_count: 0,
            stale: false,
        }
    }
}

/// Age of one input at a row's moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InputAge {
    /// What it is.
    pub metric: Metric,
    /// The stream in use; its declaration gives source, cadence, `max_age` and `gap_alert`. `None`: never seen.
    pub stream: Option<StreamIndex>,
    /// Newest instant of its own grid that has arrived.
    pub anchor: Ts,
    /// The stream is lost at this moment, and why.
    pub gap: Option<GapReason>,
}

/// How often a rule was true.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct HeldCount {
    /// Minutes of the last 90 days in which the rule was true.
    pub held: u32,
    /// Minutes of the last 90 days in which it was true or false (not unknown).
    pub known: u32,
}

/// One market, one minute.
#[derive(Clone, PartialEq, Debug)]
pub struct MinuteRow {
    /// Position of the instrument in the run's list.
    pub instrument: u32,
    /// The grid instant; the row was made 200 ms later.
    pub ts: Ts,
    /// Readings in catalogue order.
    pub cells: Vec<Cell>,
    /// Percentile cuts the rule book asked for, in the book's order: the smallest (largest) value of the ranked feature
    /// for which the percentile clause holds. `None` while the percentile is not ready.
    pub cuts: Vec<Option<f64>>,
    /// State of the risk axis.
    pub risk: AxisState,
    /// How often each rule held, in the book's order.
    pub held: Vec<HeldCount>,
    /// Ages of the inputs the rule book reads, one entry per metric, in rank order.
    pub inputs: Vec<InputAge>,
    /// Last price (mark, else last), where known.
    pub price: Option<f64>,
}
