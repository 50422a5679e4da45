//! What the market did after an alert began, and the earlier episodes most like it (surveillance §7 and §8).

use barograph_domain::{Severity, Ts};
use serde::Serialize;
use utoipa::ToSchema;

/// What the market did after an episode began. Nothing of it was known at the alert.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AlertOutcome {
    /// The minute that moves are counted from.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// Price of that minute; null where none was known.
    pub price: Option<f64>,
    /// Average true range of 14 hours at that minute (`atr_14`), in price; null where it was not ready.
    pub atr: Option<f64>,
    /// After 5 minutes, an hour and four hours.
    pub spans: Vec<AlertOutcomeSpan>,
    /// Longs and shorts that were liquidated in the hour after it, quote units, as far as the venue publishes them.
    pub liquidated_usd_1h: Option<f64>,
    /// Why that is null: `not_over`, `gap`, `not_offered` or another reason of a reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liquidated_usd_1h_reason: Option<&'static str>,
}

/// One stretch after the beginning.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AlertOutcomeSpan {
    /// `5m`, `1h` or `4h`.
    #[schema(example = "1h")]
    pub horizon: &'static str,
    /// The farthest that a minute's price was away from the first, as a fraction with its sign.
    pub max_move: Option<f64>,
    /// The same without its sign, in units of `atr`.
    pub max_move_atr: Option<f64>,
    /// `realized_vol_1h` at the end less that at the beginning, annualised.
    pub vol_change: Option<f64>,
    /// Why there is no move: `not_over`, `gap` where more than a fifth of its minutes are missing, or `too_coarse` where prices come
    /// so seldom that the stretch has fewer than four.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// An earlier episode of the same detector at the same market.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct SimilarAlert {
    /// Its id.
    pub alert_id: String,
    /// When it began, or happened.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Ts,
    /// When it was over; null while it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Ts>,
    /// Greatest severity.
    pub severity: Severity,
    /// Greatest anomaly score.
    pub anomaly_score: f64,
    /// How far its statistics are from those asked about: root mean square of `ln(u)` against `ln(u)`, 0 where they are the same.
    /// Null for alerts without statistics, such as labels that changed: those are the last ones of the same kind.
    pub distance: Option<f64>,
    /// What followed.
    pub outcome: AlertOutcome,
}
