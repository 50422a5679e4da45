//! One market in one answer: what is open, how healthy it looks, every pattern with its statistic, what the data came from (R3.27,
//! R3.28).

use crate::events::EventView;
use barograph_domain::alert::Statistic;
use barograph_domain::health::{HealthScore, PatternState};
use barograph_domain::{InstrumentName, Pattern, Trigger, Ts};
use serde::Serialize;
use utoipa::ToSchema;

/// How one pattern stands at the newest minute, quiet ones too.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct PatternCheck {
    /// What is looked for.
    pub pattern: Pattern,
    /// Which of several ways; null where there is one.
    pub trigger: Option<Trigger>,
    /// How it stands. It may want more than the statistic shows: a reversal of funding, that its sign changes.
    pub state: PatternState,
    /// 0 to 100, 63.2 at the threshold; null where nothing can be judged.
    pub score: Option<f64>,
    /// Seconds that its statistic looks back; null where no statistic is kept.
    pub window_s: Option<i64>,
    /// What is compared with what.
    pub statistics: Vec<Statistic>,
}

/// One input of the rules.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct SourceView {
    /// Metric name.
    pub metric: &'static str,
    /// Source word; null where it was never seen.
    pub source: Option<String>,
    /// Seconds since its newest value.
    pub age_s: Option<i64>,
    /// Seconds after which it is too old.
    pub max_age_s: Option<i64>,
    /// Older than that.
    pub stale: bool,
    /// Why the stream is lost at this moment; null while it is continuous.
    pub gap: Option<&'static str>,
    /// Share of the last 60 minutes in which it was continuous and not too old; null where it was never seen.
    pub valid_share_60m: Option<f64>,
}

/// One market, checked.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AnalysisView {
    /// `venue:symbol`.
    #[schema(value_type = String)]
    pub instrument: InstrumentName,
    /// The pair, as in BTC/USDT.
    pub symbol: String,
    /// The moment it speaks of; of a recording its end.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// The market is a recording that ends here; null while it is listened to.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub recorded_until: Option<Ts>,
    /// The most telling thing of everything known.
    pub headline: String,
    /// Mark price, or last where there is no mark; quote units.
    pub price: Option<f64>,
    /// How healthy the market looks, with its components.
    pub health: HealthScore,
    /// How many patterns could be judged in the newest minute, or have an alert open with its data: a score of 100 by few of them says
    /// little.
    pub patterns_judged: usize,
    /// Alerts that are open, the most severe first.
    pub alerts: Vec<EventView>,
    /// Every pattern that this build looks for in one market.
    pub patterns: Vec<PatternCheck>,
    /// What the rules read.
    pub sources: Vec<SourceView>,
    /// Release and hash of everything that touches the numbers.
    pub logic_version: String,
}
