//! Readings of on-chain and sentiment sources as they are answered (features §2.6; docs/onchain.md).

use barograph_domain::{InstrumentName, Ts};
use serde::Serialize;
use utoipa::ToSchema;

/// One reading.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct OnchainReadingView {
    /// Which one.
    #[schema(example = "tvl_delta_7d")]
    pub id: &'static str,
    /// The number; null where there is none.
    pub value: Option<f64>,
    /// The value in a word, where it has one: UP, DOWN or FLAT, a class of fear and greed.
    pub word: Option<&'static str>,
    /// Why there is no number: `missing_input` (nothing is fetched), `warming` (too few values), `gap`, `stale`, `zero_denominator`,
    /// `zero_variance` or `out_of_domain`.
    pub reason: Option<&'static str>,
    /// Of the number. Of a saved query that which the settings name for it; null where they name none, and where the answer is a word.
    #[schema(example = "fraction")]
    pub unit: Option<String>,
    /// The series it is made of, as `/metrics?metric_name=` has it; null where none is there.
    #[schema(example = "defillama.tvl.ethereum")]
    pub of: Option<String>,
    /// Who measured that.
    pub source: Option<String>,
    /// Values it is made of.
    pub n: u32,
    /// Values it wants.
    pub need: u32,
    /// Of its values, those that were fetched later than they are taken to have been known.
    pub assumed: u32,
    /// Until when its newest value reaches.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Ts>,
    /// Seconds since then.
    pub age_s: Option<i64>,
    /// What must be known of it before anything is concluded.
    pub note: Option<String>,
}

/// What on-chain and sentiment sources amount to at a moment.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct OnchainView {
    /// The moment: everything is made of what was known by then.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Ts,
    /// Whose: of its asset and its asset's chain where these have series of their own, else of all chains.
    #[schema(value_type = Option<String>, example = "binance-usdm:BTCUSDT")]
    pub instrument: Option<InstrumentName>,
    /// The readings, always all of them.
    pub items: Vec<OnchainReadingView>,
    /// Whose numbers these are.
    #[schema(value_type = Vec<String>)]
    pub attribution: Vec<&'static str>,
}
