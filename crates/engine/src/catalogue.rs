//! The feature catalogue: the one list from which wire names, units, documentation and storage columns follow, and the row of a
//! minute is put together.
//!
//! Changing the arithmetic of a feature changes its `version`; the id never changes. Definitions are those of features
//! §2 to §5; requirement ids stand in `source`. Not built here, on purpose: microstructure.
//!
//! What stands behind `=` is how the reading is taken. [`assemble`](crate::assemble) makes a piece of straight code of every kind:
//!
//! | kind | takes |
//! |---|---|
//! | `price(field)` | a field of [`VolatilitySlots`](crate::features::volatility::VolatilitySlots), of the best price feed that has it |
//! | `interval(w, low, high)`, `end_of(value)` | the volatility of window `w`; its ends come from the feed that gives the value |
//! | `funding(field)`, `funding(field or proxy)` | a field of the running rates, or what settlements have in its place |
//! | `settled(field)`, `open_interest(field)` | the same of settlements and of open interest, chosen when one of them moved |
//! | `trend(function)`, `hourly(field)` | what the book's timeframe or the chart of 1 h says, when a bar has closed |
//! | `liquidations(field)`, `stops`, `premium`, `basis`, `dated`, `positions`, `exposure`, `signals`, `squeeze`, `session`, `mean` | a field of that group of readings |
//! | `of(feature, function)`, `same(feature)`, `class(function)` | a function of another reading; that reading; a function of the day's class of volatility |
//! | `clock(field)`, `countdown(function)` | moves in minutes in which nothing arrives; a countdown while its end is known |
//!
//! `among` names the window that a percentile is ranked in, where conditions are flipped by it.

mod spec;

use barograph_domain::Metric;
use spec::BASE;
pub use spec::{
    ANOMALY_REASONS, FeatureSpec, OI_PRICE_QUADRANT, SESSIONS, SIDE_BIAS, SQUEEZE_DIRECTION, STOP_LEVELS, Update,
    VOL_CLASS, VOL_CLASS_PCT, ValueType,
};

macro_rules! catalogue {
    ($($variant:ident = $kind:ident ( $($read:tt)* ) $(among ( $($among:tt)* ))? {
        $($field:ident : $value:expr),* $(,)?
    })*) => {
        /// Every feature this build computes; the number is its position in a row.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Feature { $(
            #[doc = concat!("See the catalogue entry `", stringify!($variant), "`.")]
            $variant
        ),* }
        /// The catalogue in row order.
        pub static CATALOGUE: &[FeatureSpec] = &[ $( FeatureSpec { feature: Feature::$variant, $($field: $value,)* ..BASE } ),* ];

        /// Hands every row's read to the macro `take`, which takes those of its own kind:
        /// `kind Feature (what is read) (what it is ranked among)`.
        macro_rules! each_feature {
            ($take:ident) => { $( $take! { $kind $variant ($($read)*) ($($($among)*)?) } )* };
        }
        pub(crate) use each_feature;
    };
}

const FUNDING: &str = "funding";
const OI: &str = "open interest";
const VOL: &str = "volatility from mark";
const BASIS: &str = "basis and premium";
const STOPS: &str = "levels and stop density";
const TREND: &str = "trend";
const CLASSES: &str = "volatility views";
const SESSION: &str = "sessions";
const HEAT: &str = "activity";
const LIQUIDATIONS: &str = "liquidations";
const POSITIONS: &str = "positions";
const FR: &[Metric] = &[Metric::FundingRate];
const FS: &[Metric] = &[Metric::FundingRateSettled];
const OPEN_INTEREST: &[Metric] = &[Metric::OpenInterest];
const MK: &[Metric] = &[Metric::MarkPrice];
const CA: &[Metric] = &[Metric::Bar];
const LQ: &[Metric] = &[Metric::Liquidation];
const TOP: &[Metric] = &[Metric::TopTraderPositionRatio];
const PER_8H: &str = "fraction per 8 h";
const ANNUAL: &str = "annualised fraction";

catalogue! {
    FundingRate8h = funding(rate or rate) { id: "funding_rate_8h", group: FUNDING, unit: PER_8H, inputs: FR,
        update: Update::Instant, definition: "running rate · 8/h, h = funding interval in hours at that observation",
        window: "instant, 60 s", scale: Some(0.0001), source: "R1.3, A01", spoken: "funding" }
    FundingRateSettled8h = settled(rate) { id: "funding_rate_settled_8h", group: FUNDING, unit: PER_8H, inputs: FS,
        update: Update::Instant, definition: "last settled rate · 8/h; special settlements excluded", window: "last settlement",
        scale: Some(0.0001), source: "R3.4", spoken: "settled funding" }
    FundingBlock8h = settled(block_8h) { id: "funding_block_8h", group: FUNDING, unit: PER_8H, inputs: FS,
        definition: "Σ settled raw rates stamped in [start, start + 8 h), start = 00/08/16 UTC, last complete block",
        window: "blocks 00/08/16", warm_up: "1 complete block", scale: Some(0.0001), source: "S02", spoken: "funding of the last 8 h block" }
    FundingApr = of(FundingRate8h, |v| v * 3.0 * YEAR_DAYS) { id: "funding_apr", group: FUNDING, unit: "fraction per year", inputs: FR,
        update: Update::Instant, definition: "funding_rate_8h · 3 · 365", scale: Some(0.1095), source: "R3.10",
        spoken: "funding a year" }
    FundingZscore24h = funding(zscore or zscore_7d) { id: "funding_zscore_24h", group: FUNDING, unit: "σ", inputs: FR,
        definition: "z(funding_rate_8h; 24 h)", window: "24 h, 60 s", warm_up: "6", scale: Some(1.0),
        source: "R1.22, R4.8, A01", spoken: "funding against its day" }
    FundingZscore7dSettled = settled(zscore_7d) { id: "funding_zscore_7d_settled", group: FUNDING, unit: "σ", inputs: FS,
        definition: "z(funding_rate_settled_8h; 7 d) over settlements", window: "7 d, settlements", warm_up: "6",
        scale: Some(1.0), source: "A01", spoken: "settled funding against its week" }
    FundingRateDeviationStd = of(FundingZscore24h, f64::abs) { id: "funding_rate_deviation_std", group: FUNDING, unit: "σ",
        inputs: FR, update: Update::Instant, definition: "abs(funding_zscore_24h)", window: "24 h, 60 s", warm_up: "6",
        scale: Some(1.0), source: "R3.10, C06", spoken: "deviation of funding" }
    FundingMa8h = funding(ma_8h or ma_8h) { id: "funding_ma_8h", group: FUNDING, unit: PER_8H, inputs: FR,
        definition: "mean(funding_rate_8h)", window: "8 h, 60 s", warm_up: "6", scale: Some(0.0001), source: "R1.23",
        spoken: "8 h mean of funding" }
    FundingMean24h = funding(mean_24h) { id: "funding_mean_24h", group: FUNDING, unit: PER_8H, inputs: FR,
        definition: "mean(funding_rate_8h)", window: "24 h, 60 s", warm_up: "6", scale: Some(0.0001), source: "R3.10",
        spoken: "24 h mean of funding" }
    FundingStd24h = funding(std_24h) { id: "funding_std_24h", group: FUNDING, unit: PER_8H, inputs: FR,
        definition: "population sd(funding_rate_8h)", window: "24 h, 60 s", warm_up: "6", scale: Some(0.0001), source: "R3.10",
        spoken: "24 h spread of funding" }
    FundingVol24h = funding(vol_24h) { id: "funding_vol_24h", group: FUNDING, unit: PER_8H, inputs: FR,
        definition: "population sd of hourly first differences of funding_rate_8h", window: "24 h, 1 h", warm_up: "6",
        scale: Some(0.0001), source: "R4.11, R3.10", spoken: "volatility of funding" }
    FundingTrend24h = funding(trend_24h) { id: "funding_trend_24h", group: FUNDING, unit: "fraction per 8 h, per hour", inputs: FR,
        definition: "ols(funding_rate_8h hourly).slope", window: "24 h, 1 h", warm_up: "6", scale: Some(0.00001),
        source: "R3.10", spoken: "trend of funding" }
    FundingExtremeFlag = of(FundingRate8h, composite::is_extreme_funding) { id: "funding_extreme_flag", group: FUNDING,
        unit: "bool", value: ValueType::Bool, inputs: FR, update: Update::Instant,
        definition: "funding_rate_8h > 0.0001 or < −0.0001 (strict)", source: "R1.24, A02", spoken: "extreme funding" }
    FundingPct30d = funding(pct_30d or pct_30d) among(rank) { id: "funding_pct_30d", group: FUNDING, unit: "[0,1]", inputs: FR,
        definition: "pct(funding_rate_8h; 30 d hourly)", window: "30 d, 1 h", warm_up: "168",
        ranks: Some(Feature::FundingRate8h), scale: Some(0.10), source: "A02", spoken: "funding" }
    FundingChange8h = funding(change_8h) { id: "funding_change_8h", group: FUNDING, unit: PER_8H, inputs: FR,
        definition: "funding_rate_8h(t) − funding_rate_8h(t − 8 h)", window: "8 h, 60 s", warm_up: "2",
        scale: Some(0.0001), source: "R4.9", spoken: "change of funding in 8 h" }
    MinutesToFunding = countdown(minutes_to_funding) { id: "minutes_to_funding", group: FUNDING, unit: "min", inputs: FR,
        update: Update::Instant, definition: "(next_funding_ts − t) / 60 s", scale: Some(60.0), source: "R1.3",
        spoken: "time to funding" }
    OiDelta1h = open_interest(delta_1h) { id: "oi_delta_1h", group: OI, unit: "fraction", inputs: OPEN_INTEREST,
        definition: "OI(t)/OI(t − 1 h) − 1", window: "1 h, 300 s", warm_up: "both ends", scale: Some(0.01), source: "R1.25",
        spoken: "open interest in 1 h" }
    OiDelta4h = open_interest(delta_4h) { id: "oi_delta_4h", group: OI, unit: "fraction", inputs: OPEN_INTEREST,
        definition: "OI(t)/OI(t − 4 h) − 1", window: "4 h, 300 s", warm_up: "both ends", scale: Some(0.05), source: "R1.26",
        spoken: "open interest growth in 4 h" }
    OiDelta24h = open_interest(delta_24h) { id: "oi_delta_24h", group: OI, unit: "fraction", inputs: OPEN_INTEREST,
        definition: "OI(t)/OI(t − 24 h) − 1", window: "24 h, 300 s", warm_up: "both ends", scale: Some(0.10), source: "R1.27",
        spoken: "open interest growth in 24 h" }
    OiZscore7d = open_interest(zscore_7d) { id: "oi_zscore_7d", group: OI, unit: "σ", inputs: OPEN_INTEREST,
        definition: "z(OI; 7 d)", window: "7 d, 300 s", warm_up: "6", scale: Some(1.0), source: "R1.28",
        spoken: "open interest against its week" }
    OiTrend24h = open_interest(trend_24h) { id: "oi_trend_24h", group: OI, unit: "ln per day", inputs: OPEN_INTEREST,
        definition: "24 · ols(ln OI hourly).slope", window: "24 h, 1 h", warm_up: "12", scale: Some(0.05), source: "R3.13",
        spoken: "trend of open interest" }
    OiUsd = exposure(usd) { id: "oi_usd", group: OI, unit: "quote", inputs: &[Metric::OpenInterest, Metric::MarkPrice],
        update: Update::Instant, definition: "OI · mark", source: "R3.1", spoken: "open interest in quote units" }
    OiToVolume24h = exposure(to_volume) { id: "oi_to_volume_24h", group: OI, unit: "ratio",
        inputs: &[Metric::OpenInterest, Metric::MarkPrice, Metric::Bar],
        definition: "oi_usd / quote volume of 24 h", window: "24 h", source: "R3.13", scale: Some(0.5), spoken: "open interest over daily volume" }
    OiPriceQuadrant = exposure(quadrant) { id: "oi_price_quadrant", group: OI, unit: "enum",
        value: ValueType::Enum(OI_PRICE_QUADRANT), inputs: &[Metric::OpenInterest, Metric::MarkPrice],
        definition: "sign of 4 h mark return × sign of oi_delta_4h; either within ±0.002 → FLAT", window: "4 h", warm_up: "both ends",
        source: "R4.22", spoken: "price and open interest" }
    RealizedVol1h = interval(0, RealizedVol1hLo, RealizedVol1hHi) { id: "realized_vol_1h", group: VOL, unit: ANNUAL, inputs: MK,
        definition: "√(mean r²)·√(year/step), 60 s mark log returns, zero mean", window: "1 h, 60 s", warm_up: "48 returns",
        scale: Some(0.10), source: "R1.29, A03", spoken: "1 h volatility" }
    RealizedVol1hLo = end_of(RealizedVol1h) { id: "realized_vol_1h_lo", group: VOL, unit: ANNUAL, inputs: MK,
        update: Update::Instant, definition: "realized_vol_1h − 1.96·se", window: "1 h, 60 s", warm_up: "48 returns",
        scale: Some(0.10), source: "A03", spoken: "1 h volatility, lower end" }
    RealizedVol1hHi = end_of(RealizedVol1h) { id: "realized_vol_1h_hi", group: VOL, unit: ANNUAL, inputs: MK,
        update: Update::Instant, definition: "realized_vol_1h + 1.96·se", window: "1 h, 60 s", warm_up: "48 returns",
        scale: Some(0.10), source: "A03", spoken: "1 h volatility, upper end" }
    RealizedVol4h = interval(1, RealizedVol4hLo, RealizedVol4hHi) { id: "realized_vol_4h", group: VOL, unit: ANNUAL, inputs: MK,
        definition: "√(mean r²)·√(year/step), 60 s mark log returns, zero mean", window: "4 h, 60 s", warm_up: "192 returns",
        scale: Some(0.10), source: "R1.30", spoken: "4 h volatility" }
    RealizedVol4hLo = end_of(RealizedVol4h) { id: "realized_vol_4h_lo", group: VOL, unit: ANNUAL, inputs: MK,
        update: Update::Instant, definition: "realized_vol_4h − 1.96·se", window: "4 h, 60 s", warm_up: "192 returns",
        scale: Some(0.10), source: "A03", spoken: "4 h volatility, lower end" }
    RealizedVol4hHi = end_of(RealizedVol4h) { id: "realized_vol_4h_hi", group: VOL, unit: ANNUAL, inputs: MK,
        update: Update::Instant, definition: "realized_vol_4h + 1.96·se", window: "4 h, 60 s", warm_up: "192 returns",
        scale: Some(0.10), source: "A03", spoken: "4 h volatility, upper end" }
    RealizedVol24h = interval(2, RealizedVol24hLo, RealizedVol24hHi) { id: "realized_vol_24h", group: VOL, unit: ANNUAL, inputs: MK,
        definition: "√(mean r²)·√(year/step), 60 s mark log returns, zero mean", window: "24 h, 60 s", warm_up: "1152 returns",
        scale: Some(0.10), source: "C04", spoken: "24 h volatility" }
    RealizedVol24hLo = end_of(RealizedVol24h) { id: "realized_vol_24h_lo", group: VOL, unit: ANNUAL, inputs: MK,
        update: Update::Instant, definition: "realized_vol_24h − 1.96·se", window: "24 h, 60 s", warm_up: "1152 returns",
        scale: Some(0.10), source: "A03", spoken: "24 h volatility, lower end" }
    RealizedVol24hHi = end_of(RealizedVol24h) { id: "realized_vol_24h_hi", group: VOL, unit: ANNUAL, inputs: MK,
        update: Update::Instant, definition: "realized_vol_24h + 1.96·se", window: "24 h, 60 s", warm_up: "1152 returns",
        scale: Some(0.10), source: "A03", spoken: "24 h volatility, upper end" }
    OiDelta4hPct90d = open_interest(delta_4h_pct) among(rank) { id: "oi_delta_4h_pct_90d", group: OI, unit: "[0,1]",
        inputs: OPEN_INTEREST, definition: "pct(oi_delta_4h; 90 d hourly)", window: "90 d, 1 h", warm_up: "336",
        ranks: Some(Feature::OiDelta4h), scale: Some(0.10), source: "S08", spoken: "open interest growth in 4 h" }
    RealizedVol1hPct90d = price(pct[0]) among(0) { id: "realized_vol_1h_pct_90d", group: VOL, unit: "[0,1]", inputs: MK,
        definition: "pct(realized_vol_1h; 90 d hourly)", window: "90 d, 1 h", warm_up: "336", ranks: Some(Feature::RealizedVol1h),
        scale: Some(0.10), source: "S08", spoken: "1 h volatility" }
    RealizedVol4hPct90d = price(pct[1]) among(1) { id: "realized_vol_4h_pct_90d", group: VOL, unit: "[0,1]", inputs: MK,
        definition: "pct(realized_vol_4h; 90 d hourly)", window: "90 d, 1 h", warm_up: "336", ranks: Some(Feature::RealizedVol4h),
        scale: Some(0.10), source: "S08", spoken: "4 h volatility" }
    Efficiency12h = price(efficiency_12h) { id: "efficiency_12h", group: VOL, unit: "[0,1]", inputs: MK,
        definition: "abs(ln(P(t)/P(t − 12 h))) / Σ abs(r) over 12 hourly mark returns", window: "12 h, 1 h", warm_up: "12",
        scale: Some(0.05), source: "S08", spoken: "12 h efficiency" }
    SqueezeRiskScore = squeeze(risk) { id: "squeeze_risk_score", group: OI, unit: "[0,1]", update: Update::Instant,
        inputs: &[Metric::FundingRate, Metric::OpenInterest, Metric::MarkPrice],
        definition: "(ramp(oi_delta_4h; 0, 0.10) + ramp(abs(funding_zscore_24h); 0, 2) + clamp(1 − realized_vol_1h/0.30, 0, 1)) / 3",
        warm_up: "all three ready", scale: Some(0.10), source: "R1.31, A05", spoken: "squeeze risk score" }
    SqueezeDirection = squeeze(direction) { id: "squeeze_direction", group: FUNDING, unit: "enum",
        value: ValueType::Enum(SQUEEZE_DIRECTION), inputs: FR, update: Update::Instant,
        definition: "z > 0 LONG_SQUEEZE, z < 0 SHORT_SQUEEZE; where abs(z) ≤ 2 or z is undefined, funding_pct_30d beyond 0.95 or 0.05 decides",
        warm_up: "6", source: "C02", spoken: "crowded side" }
    Basis = basis(value) { id: "basis", group: BASIS, unit: "fraction", inputs: &[Metric::Bar, Metric::IndexPrice],
        update: Update::Instant, definition: "futures / spot − 1; index where there is no spot", window: "instant, 60 s",
        scale: Some(0.005), source: "R3.6, R3.11", spoken: "basis" }
    BasisApr = dated(apr) { id: "basis_apr", group: BASIS, unit: "fraction per year", inputs: &[Metric::Bar, Metric::IndexPrice],
        update: Update::Instant, definition: "dated contract: ln(futures/spot)·365/d, d = days to expiry (≥ 1)",
        scale: Some(0.05), source: "R3.6", spoken: "basis a year" }
    BasisZscore7d = basis(zscore_7d) { id: "basis_zscore_7d", group: BASIS, unit: "σ",
        inputs: &[Metric::Bar, Metric::IndexPrice], definition: "z(basis; 7 d)", window: "7 d, 300 s", warm_up: "6", scale: Some(1.0),
        source: "R3.11", spoken: "basis against its week" }
    BasisAnomaly = of(Basis, composite::is_basis_anomaly) { id: "basis_anomaly", group: BASIS, unit: "bool", value: ValueType::Bool,
        inputs: &[Metric::Bar, Metric::IndexPrice], update: Update::Instant, definition: "abs(basis) > 0.02",
        source: "R3.11, R3.21", spoken: "basis dislocation" }
    Premium = premium(value) { id: "premium", group: BASIS, unit: "fraction",
        inputs: &[Metric::MarkPrice, Metric::IndexPrice], update: Update::Instant, definition: "mark / index − 1",
        window: "instant, 60 s", scale: Some(0.002), source: "R3.5", spoken: "premium" }
    PremiumMa8h = premium(ma_8h) { id: "premium_ma_8h", group: BASIS, unit: "fraction",
        inputs: &[Metric::MarkPrice, Metric::IndexPrice], definition: "mean(premium)", window: "8 h, 60 s", warm_up: "6",
        scale: Some(0.002), source: "R3.11", spoken: "8 h mean of the premium" }
    PremiumDeviationFlag = of(Premium, composite::is_premium_deviation) { id: "premium_deviation_flag", group: BASIS, unit: "bool",
        value: ValueType::Bool, inputs: &[Metric::MarkPrice, Metric::IndexPrice], update: Update::Instant,
        definition: "abs(premium) > 0.01", source: "R3.24, A19", spoken: "premium dislocation" }
    Atr14 = stops(atr_14) { id: "atr_14", group: STOPS, unit: "price", inputs: CA, update: Update::Recursive,
        definition: "Wilder's average true range of 1 h bars, seeded with the mean of the first 14 true ranges",
        window: "14 bars of 1 h", warm_up: "15", source: "R2.31", spoken: "average true range" }
    PrevDayHigh = stops(prev_day_high) { id: "prev_day_high", group: STOPS, unit: "price", inputs: CA,
        definition: "highest price of the last completed UTC day", window: "UTC day", warm_up: "1 bar", source: "A12",
        spoken: "previous day's high" }
    PrevDayLow = stops(prev_day_low) { id: "prev_day_low", group: STOPS, unit: "price", inputs: CA,
        definition: "lowest price of the last completed UTC day", window: "UTC day", warm_up: "1 bar", source: "A12",
        spoken: "previous day's low" }
    StopDensityLong = stops(density[0]) { id: "stop_density_long", version: 2, group: STOPS, unit: "strength", inputs: CA,
        definition: "Σ strength·(1 − d/(2·ATR)) over unmitigated EQUAL_LOWS, SWING_LOW, BULLISH_OB, SESSION_LOW, PREV_DAY_LOW and long LIQUIDATION_ZONE levels within 2·ATR below the price",
        warm_up: "ATR ready", scale: Some(0.5), source: "A04", spoken: "stop density below" }
    StopDensityShort = stops(density[1]) { id: "stop_density_short", version: 2, group: STOPS, unit: "strength", inputs: CA,
        definition: "mirrored above the price", warm_up: "ATR ready", scale: Some(0.5), source: "A04",
        spoken: "stop density above" }
    StopVulnerabilityLong = stops(vulnerability[0]) { id: "stop_vulnerability_long", version: 3, group: STOPS, unit: "enum",
        value: ValueType::Enum(STOP_LEVELS), inputs: CA,
        definition: "terciles of the own trailing 30 d hourly stop_density_long; 0.15/0.49 a timeframe before 168 values, the terciles of real history",
        window: "30 d, 1 h", warm_up: "ATR ready", source: "A04", spoken: "stop vulnerability below" }
    StopVulnerabilityShort = stops(vulnerability[1]) { id: "stop_vulnerability_short", version: 3, group: STOPS, unit: "enum",
        value: ValueType::Enum(STOP_LEVELS), inputs: CA, definition: "mirrored", window: "30 d, 1 h", warm_up: "ATR ready",
        source: "A04", spoken: "stop vulnerability above" }
    StopVulnerability = stops(vulnerability[2]) { id: "stop_vulnerability", version: 3, group: STOPS, unit: "enum",
        value: ValueType::Enum(STOP_LEVELS), inputs: CA, update: Update::Instant,
        definition: "worse of the two sides, each cut at √(1/3) and √(2/3) of its own trailing 30 d, so that the word falls into thirds",
        window: "30 d, 1 h", warm_up: "ATR ready", source: "R1.39", spoken: "stop vulnerability" }
    TrendSlope = trend(|line| line.slope) { id: "trend_slope", group: TREND, unit: "price per bar", inputs: CA,
        definition: "ols(close).slope", window: "50 bars of trend_tf (1w: 26)", warm_up: "full window without a missing bar",
        scale: Some(1.0), source: "R2.19", spoken: "slope of the price" }
    TrendIntercept = trend(|line| line.intercept) { id: "trend_intercept", group: TREND, unit: "price", inputs: CA,
        definition: "ols(close).intercept", window: "50 bars of trend_tf", warm_up: "full window", scale: Some(1.0), source: "R2.19",
        spoken: "start of the regression line" }
    TrendR = trend(|line| line.r) { id: "trend_r", group: TREND, unit: "[−1,1]", inputs: CA,
        definition: "corr(position, close); also the strength of the trend", window: "50 bars of trend_tf", warm_up: "full window",
        scale: Some(0.1), source: "R2.19, R2.24", spoken: "strength of the trend" }
    TrendStderr = trend(|line| line.stderr) { id: "trend_stderr", group: TREND, unit: "price per bar", inputs: CA,
        definition: "standard error of trend_slope", window: "50 bars of trend_tf", warm_up: "full window", scale: Some(1.0),
        source: "R2.19", spoken: "error of the slope" }
    TrendP = trend(|line| line.p) { id: "trend_p", group: TREND, unit: "[0,1]", inputs: CA,
        definition: "two-sided Student t(n − 2) of slope/stderr; a filter, not significance", window: "50 bars of trend_tf",
        warm_up: "full window", scale: Some(0.05), source: "R2.19, R2.21", spoken: "p of the trend" }
    TrendPHac = trend(|line| line.p_hac) { id: "trend_p_hac", group: TREND, unit: "[0,1]", inputs: CA,
        definition: "two-sided normal p with a Newey–West standard error (Bartlett, ⌊4(n/100)^{2/9}⌋ lags)",
        window: "50 bars of trend_tf", warm_up: "full window", scale: Some(0.05), source: "R2.24",
        spoken: "p of the trend, robust" }
    TrendR2 = trend(|line| line.r * line.r) { id: "trend_r2", group: TREND, unit: "[0,1]", inputs: CA, definition: "trend_r²",
        window: "50 bars of trend_tf", warm_up: "full window", scale: Some(0.1), source: "R2.19", spoken: "fit of the trend" }
    SlopePct = trend(|line| line.slope_pct) { id: "slope_pct", group: TREND, unit: "percent per bar", inputs: CA,
        definition: "trend_slope / last close · 100", window: "50 bars of trend_tf", warm_up: "full window", scale: Some(0.05),
        source: "R2.20", spoken: "slope of the price" }
    VolPct = hourly(vol_pct) { id: "vol_pct", group: TREND, unit: "percent per bar", inputs: CA,
        definition: "population sd of log returns of closes · 100", window: "20 bars of 1 h", warm_up: "20 returns",
        scale: Some(0.1), source: "R2.57", spoken: "dispersion of hourly returns" }
    VolumeRatio = hourly(volume_ratio) { id: "volume_ratio", group: TREND, unit: "ratio", inputs: CA,
        definition: "volume of the bar / mean of the 20 before it", window: "20 bars of 1 h", warm_up: "21 bars", scale: Some(0.5),
        source: "R2.57", spoken: "volume against its last 20 hours" }
    VolAnnual = same(RealizedVol24h) { id: "vol_annual", group: CLASSES, unit: ANNUAL, inputs: MK, update: Update::Instant,
        definition: "realized_vol_24h, the canonical volatility", window: "24 h, 60 s", warm_up: "1152 returns", scale: Some(0.10),
        source: "C04", spoken: "volatility" }
    VolDaily = of(RealizedVol24h, |v| v / YEAR_DAYS.sqrt()) { id: "vol_daily", group: CLASSES, unit: "daily fraction",
        inputs: MK, update: Update::Instant, definition: "vol_annual / √365", window: "24 h", warm_up: "1152 returns",
        scale: Some(0.01), source: "C04, R4.14", spoken: "daily volatility" }
    VolClass = class(|class| f64::from(class.code())) { id: "vol_class", group: CLASSES, unit: "enum",
        value: ValueType::Enum(VOL_CLASS), inputs: MK, update: Update::Instant,
        definition: "vol_daily ≤ {HIGH_VOL} STABLE, ≤ {EXPLOSIVE} HIGH_VOL, ≤ {EXTREME} EXPLOSIVE, else EXTREME", window: "24 h",
        warm_up: "1152 returns", source: "R4.14, C04", spoken: "volatility class" }
    RiskMultiplier = class(|class| class.risk_multiplier().unwrap_or(1.0)) { id: "risk_multiplier", group: CLASSES, unit: "ratio",
        inputs: MK, update: Update::Instant, definition: "0.7 / 1.2 / 1.8 / 2.5 by vol_class", window: "24 h", warm_up: "1152 returns",
        scale: Some(0.5), source: "R4.15, C16", spoken: "caution multiplier" }
    SizeFactor = class(|class| class.size_factor().unwrap_or(1.0)) { id: "size_factor", group: CLASSES, unit: "ratio", inputs: MK,
        update: Update::Instant, definition: "min(1, 1/risk_multiplier)", window: "24 h", warm_up: "1152 returns", scale: Some(0.1),
        source: "C16", spoken: "size factor" }
    VolPctRank = price(pct[2]) among(2) { id: "vol_pct_rank", group: CLASSES, unit: "[0,1]", inputs: MK,
        definition: "pct(vol_annual; 90 d hourly)", window: "90 d, 1 h", warm_up: "336", ranks: Some(Feature::RealizedVol24h),
        scale: Some(0.10), source: "R2.18, C04", spoken: "volatility" }
    VolClassPct = of(VolPctRank, activity::class_of_rank) { id: "vol_class_pct", group: CLASSES, unit: "enum",
        value: ValueType::Enum(VOL_CLASS_PCT), inputs: MK, update: Update::Instant,
        definition: "vol_pct_rank < 0.25 LOW, < 0.75 NORMAL, < 0.95 HIGH, else EXTREME", window: "90 d", warm_up: "336",
        source: "R2.18", spoken: "volatility against its 90 days" }
    VolReversionGap = price(reversion_gap) { id: "vol_reversion_gap", group: CLASSES, unit: "ln", inputs: MK,
        definition: "ln(vol_annual / median of 90 d hourly)", window: "90 d, 1 h", warm_up: "336", scale: Some(0.2), source: "R4.16",
        spoken: "volatility against its median" }
    VolHarForecast = price(har) { id: "vol_har_forecast", group: CLASSES, unit: "daily variance", inputs: MK,
        definition: "HAR: β₀ + β_d·RV_d + β_w·RV_w(5 d) + β_m·RV_m(22 d), least squares on trailing days, floored at the smallest of them",
        window: "365 d, 1 d", warm_up: "90 days", scale: Some(0.0005), source: "R4.16", spoken: "tomorrow's variance" }
    VolHalflife = price(halflife) { id: "vol_halflife", group: CLASSES, unit: "days", inputs: MK,
        definition: "−ln 2 / ln φ, φ = AR(1) of ln daily realised variance", window: "60 d, 1 d", warm_up: "40 days",
        scale: Some(1.0), source: "R4.16", spoken: "half-life of volatility" }
    VolParkinson = hourly(parkinson) { id: "vol_parkinson", group: CLASSES, unit: ANNUAL, inputs: CA,
        definition: "√(Σ ln(h/l)² / (4·n·ln 2)) · √(year/bar)", window: "24 bars of 1 h", warm_up: "20 bars", scale: Some(0.10),
        source: "C04", spoken: "volatility from ranges" }
    VolGarmanKlass = hourly(garman_klass) { id: "vol_garman_klass", group: CLASSES, unit: ANNUAL, inputs: CA,
        definition: "√(mean(½ ln(h/l)² − (2 ln 2 − 1)·ln(c/o)²)) · √(year/bar)", window: "24 bars of 1 h", warm_up: "20 bars",
        scale: Some(0.10), source: "C04", spoken: "volatility by Garman and Klass" }
    VolRogersSatchell = hourly(rogers_satchell) { id: "vol_rogers_satchell", group: CLASSES, unit: ANNUAL, inputs: CA,
        definition: "√(mean(ln(h/c)·ln(h/o) + ln(l/c)·ln(l/o))) · √(year/bar)", window: "24 bars of 1 h", warm_up: "20 bars",
        scale: Some(0.10), source: "C04", spoken: "volatility by Rogers and Satchell" }
    VolYangZhang = hourly(yang_zhang) { id: "vol_yang_zhang", group: CLASSES, unit: ANNUAL, inputs: CA,
        definition: "√(V_o + k·V_c + (1 − k)·V_rs) · √(year/bar), k = 0.34/(1.34 + (n + 1)/(n − 1))", window: "24 bars of 1 h",
        warm_up: "20 bars", scale: Some(0.10), source: "C04", spoken: "volatility by Yang and Zhang" }
    Session = clock(session) { id: "session", group: SESSION, unit: "enum", value: ValueType::Enum(SESSIONS),
        update: Update::Instant, definition: "hours of the book's session set; the later opening has an overlap",
        source: "R2.1, R2.3, A10", spoken: "session" }
    SessionElapsedFrac = clock(elapsed) { id: "session_elapsed_frac", group: SESSION, unit: "[0,1)", update: Update::Instant,
        definition: "(t − start)/(end − start) of the session", scale: Some(0.1), source: "R2.1", spoken: "share of the session over" }
    SessionExpectedVol = session(expected_vol) { id: "session_expected_vol", group: SESSION, unit: ANNUAL, inputs: MK,
        definition: "median volatility of the last 20 completed sessions of the name, weekdays and weekends apart (pooled until there are 10)",
        window: "20 sessions", warm_up: "10 sessions", scale: Some(0.10), source: "R2.7, S11", spoken: "usual volatility of the session" }
    SessionExpectedVolume = session(expected_volume) { id: "session_expected_volume", group: SESSION, unit: "quote per min",
        inputs: CA, definition: "median quote volume a minute of the same sessions", window: "20 sessions", warm_up: "10 sessions",
        scale: Some(1.0), source: "R2.7", spoken: "usual volume of the session" }
    SessionVolRatio = session(vol_ratio) { id: "session_vol_ratio", group: SESSION, unit: "ratio", inputs: MK,
        update: Update::Instant, definition: "realized_vol_1h / session_expected_vol", window: "1 h", warm_up: "10 sessions",
        scale: Some(0.5), source: "R2.4", spoken: "volatility against the usual of the session" }
    SessionVolumeRatio = session(volume_ratio) { id: "session_volume_ratio", group: SESSION, unit: "ratio", inputs: CA,
        update: Update::Instant, definition: "quote volume a minute over 60 min / session_expected_volume", window: "1 h",
        warm_up: "10 sessions", scale: Some(0.5), source: "R2.5, A11", spoken: "volume against the usual of the session" }
    SessionBaseMult = session(base_mult) { id: "session_base_mult", group: SESSION, unit: "ATR multiples", inputs: &[],
        update: Update::Instant,
        definition: "measured base of the session (1.5 · usual volatility / mean of the four, in [1, 2.5]) where the book says so and there are 10 sessions of each name; else the book's",
        scale: Some(0.5), source: "R2.2, A10, S11", spoken: "base multiplier of the session" }
    VolAdjustment = session(vol_adjustment) { id: "vol_adjustment", group: SESSION, unit: "ratio", inputs: &[],
        update: Update::Instant, definition: "1 + (session_vol_ratio − 1)·0.5; 1 while the ratio is not known", scale: Some(0.1),
        source: "R2.4", spoken: "adjustment for volatility" }
    VolumeAdjustment = session(volume_adjustment) { id: "volume_adjustment", group: SESSION, unit: "ratio", inputs: &[],
        update: Update::Instant, definition: "clamp(1 + (session_volume_ratio − 1)·0.25, 0.8, 1.25); 1 while the ratio is not known",
        scale: Some(0.1), source: "R2.5, A11", spoken: "adjustment for volume" }
    AdaptiveMult = session(adaptive_mult) { id: "adaptive_mult", group: SESSION, unit: "ATR multiples", inputs: &[],
        update: Update::Instant, definition: "clamp(session_base_mult · vol_adjustment · volume_adjustment, 0.5, 4)", scale: Some(0.5),
        source: "R2.5, A11", spoken: "stop distance of the session" }
    SessionBadPeriod = session(bad_period) { id: "session_bad_period", group: SESSION, unit: "bool", value: ValueType::Bool,
        inputs: &[], update: Update::Instant,
        definition: "ROLLOVER, or session_vol_ratio > 2, or minutes_to_event ≤ 120; parts not known are skipped",
        source: "R2.6, R2.55", spoken: "bad period for entries" }
    MinutesToEvent = clock(to_event) { id: "minutes_to_event", group: SESSION, unit: "min", inputs: &[], update: Update::Instant,
        definition: "minutes to the next event of high impact that the calendar knows of; without a calendar not offered",
        scale: Some(60.0), source: "R2.55", spoken: "time to the next event" }
    PriceZ24h = hourly(price_z) { id: "price_z_24h", group: HEAT, unit: "σ", inputs: CA, definition: "z of hourly closes",
        window: "24 h, 1 h", warm_up: "12", scale: Some(1.0), source: "R4.21, S04", spoken: "price against its day" }
    VolZ30d = price(z_30d) { id: "vol_z_30d", group: HEAT, unit: "σ", inputs: MK, definition: "z(ln realized_vol_24h hourly)",
        window: "30 d, 1 h", warm_up: "168", scale: Some(1.0), source: "R4.21, S04", spoken: "volatility against its month" }
    Heat = mean(heat) { id: "heat", group: HEAT, unit: "[0,1]",
        inputs: &[Metric::Bar, Metric::OpenInterest, Metric::FundingRate, Metric::MarkPrice],
        definition: "mean of the ready percentiles over 30 d hourly of quote volume 24 h, abs(oi_delta_24h), abs(funding_rate_8h), realized_vol_24h",
        window: "30 d, 1 h", warm_up: "3 parts, 168 each", scale: Some(0.1), source: "R4.21, A25", spoken: "activity" }
    LongBias = mean(long_bias) { id: "long_bias", group: HEAT, unit: "[−1,1]", update: Update::Instant,
        inputs: &[Metric::FundingRate, Metric::OpenInterest, Metric::MarkPrice, Metric::LongShortRatio],
        definition: "mean of the ready parts: 2·funding_pct_30d − 1; 2·share of long accounts − 1; tanh(basis/0.005); ±0.5 by oi_price_quadrant (LONGS_OPENING +, SHORTS_OPENING −, else 0)",
        warm_up: "2 parts", scale: Some(0.2), source: "R4.22, A25", spoken: "crowding on the long side" }
    SessionHigh = stops(session_high) { id: "session_high", group: STOPS, unit: "price", inputs: CA,
        definition: "highest price of the session under way", window: "session", warm_up: "1 bar", source: "A12",
        spoken: "session high" }
    SessionLow = stops(session_low) { id: "session_low", group: STOPS, unit: "price", inputs: CA,
        definition: "lowest price of the session under way", window: "session", warm_up: "1 bar", source: "A12",
        spoken: "session low" }
    ProfilePoc = stops(profile[0]) { id: "profile_poc", group: STOPS, unit: "price", inputs: CA,
        definition: "centre of the bin of most base volume, the lowest of equals; bins of the smallest 1, 2 or 5·10^k not below 0.0005 of the day's first price",
        window: "24 h, 15 min", warm_up: "60 bars", source: "R2.15", spoken: "point of control" }
    ProfileVah = stops(profile[1]) { id: "profile_vah", group: STOPS, unit: "price", inputs: CA,
        definition: "highest bin of the value area, grown from the point of control by the larger pair of bins to 70 % of the volume",
        window: "24 h, 15 min", warm_up: "60 bars", source: "R2.15", spoken: "value area high" }
    ProfileVal = stops(profile[2]) { id: "profile_val", group: STOPS, unit: "price", inputs: CA,
        definition: "lowest bin of the value area", window: "24 h, 15 min", warm_up: "60 bars", source: "R2.15",
        spoken: "value area low" }
    OpenInterest = open_interest(value) { id: "open_interest", group: OI, unit: "base", inputs: OPEN_INTEREST,
        update: Update::Instant, definition: "open contracts, one side", window: "instant, 300 s", scale: Some(1.0), source: "R3.1",
        spoken: "open interest" }
    LiqLongUsd5m = liquidations(long[0]) { id: "liq_long_usd_5m", group: LIQUIDATIONS, unit: "quote", inputs: LQ,
        definition: "Σ price·qty of liquidated longs stamped in [t − 5 min, t); 0 while the stream is live and nothing is closed",
        window: "5 min, 60 s", warm_up: "stream live", scale: Some(1.0), source: "R3.12, R4.1", spoken: "liquidated longs in 5 min" }
    LiqLongUsd1h = liquidations(long[1]) { id: "liq_long_usd_1h", group: LIQUIDATIONS, unit: "quote", inputs: LQ,
        definition: "Σ price·qty of liquidated longs stamped in [t − 1 h, t); 0 while the stream is live and nothing is closed",
        window: "1 h, 60 s", warm_up: "stream live", scale: Some(1.0), source: "R3.12, R4.1", spoken: "liquidated longs in 1 h" }
    LiqLongUsd4h = liquidations(long[2]) { id: "liq_long_usd_4h", group: LIQUIDATIONS, unit: "quote", inputs: LQ,
        definition: "Σ price·qty of liquidated longs stamped in [t − 4 h, t); 0 while the stream is live and nothing is closed",
        window: "4 h, 60 s", warm_up: "stream live", scale: Some(1.0), source: "R3.12, R4.1", spoken: "liquidated longs in 4 h" }
    LiqLongUsd24h = liquidations(long[3]) { id: "liq_long_usd_24h", group: LIQUIDATIONS, unit: "quote", inputs: LQ,
        definition: "Σ price·qty of liquidated longs stamped in [t − 24 h, t); 0 while the stream is live and nothing is closed",
        window: "24 h, 60 s", warm_up: "stream live", scale: Some(1.0), source: "R3.12, R4.1", spoken: "liquidated longs in 24 h" }
    LiqShortUsd5m = liquidations(short[0]) { id: "liq_short_usd_5m", group: LIQUIDATIONS, unit: "quote", inputs: LQ,
        definition: "Σ price·qty of liquidated shorts stamped in [t − 5 min, t); 0 while the stream is live and nothing is closed",
        window: "5 min, 60 s", warm_up: "stream live", scale: Some(1.0), source: "R3.12, R4.1", spoken: "liquidated shorts in 5 min" }
    LiqShortUsd1h = liquidations(short[1]) { id: "liq_short_usd_1h", group: LIQUIDATIONS, unit: "quote", inputs: LQ,
        definition: "Σ price·qty of liquidated shorts stamped in [t − 1 h, t); 0 while the stream is live and nothing is closed",
        window: "1 h, 60 s", warm_up: "stream live", scale: Some(1.0), source: "R3.12, R4.1", spoken: "liquidated shorts in 1 h" }
    LiqShortUsd4h = liquidations(short[2]) { id: "liq_short_usd_4h", group: LIQUIDATIONS, unit: "quote", inputs: LQ,
        definition: "Σ price·qty of liquidated shorts stamped in [t − 4 h, t); 0 while the stream is live and nothing is closed",
        window: "4 h, 60 s", warm_up: "stream live", scale: Some(1.0), source: "R3.12, R4.1", spoken: "liquidated shorts in 4 h" }
    LiqShortUsd24h = liquidations(short[3]) { id: "liq_short_usd_24h", group: LIQUIDATIONS, unit: "quote", inputs: LQ,
        definition: "Σ price·qty of liquidated shorts stamped in [t − 24 h, t); 0 while the stream is live and nothing is closed",
        window: "24 h, 60 s", warm_up: "stream live", scale: Some(1.0), source: "R3.12, R4.1", spoken: "liquidated shorts in 24 h" }
    LiqCount60s = liquidations(count_60s) { id: "liq_count_60s", group: LIQUIDATIONS, unit: "count", inputs: LQ,
        definition: "liquidations stamped in (t − 60 s, t]; asked at every event besides", window: "60 s, event", warm_up: "stream live",
        scale: Some(1.0), source: "R3.20", spoken: "liquidations within 60 s" }
    LiqBurstRatio = liquidations(burst_ratio) { id: "liq_burst_ratio", group: LIQUIDATIONS, unit: "ratio", inputs: LQ,
        definition: "liq_count_60s / max({burst_count}, q(0.999; 30 d of counts of 60 s)); / {burst_count} before 7 d", window: "30 d, 60 s", warm_up: "stream live",
        scale: Some(0.5), source: "S09", spoken: "burst of liquidations" }
    LiqBurstFlag = liquidations(burst_flag) { id: "liq_burst_flag", group: LIQUIDATIONS, unit: "bool", value: ValueType::Bool,
        inputs: LQ, definition: "liq_count_60s ≥ {burst_count}", window: "60 s", warm_up: "stream live", source: "R3.20, C07",
        spoken: "burst of liquidations" }
    LiqElapsedH = liquidations(elapsed_h) { id: "liq_elapsed_h", group: LIQUIDATIONS, unit: "h", inputs: LQ,
        definition: "clamp(t − start of the first minute with an event in 4 h, {elapsed_floor_h} h, 4 h)", window: "4 h, 60 s", warm_up: "1 event",
        scale: Some(1.0), source: "C07, S03", spoken: "time of liquidations" }
    LiqVelocity4h = liquidations(velocity_4h) { id: "liq_velocity_4h", group: LIQUIDATIONS, unit: "quote per h", inputs: LQ,
        definition: "(liq_long_usd_4h + liq_short_usd_4h) / liq_elapsed_h; no event → 0", window: "4 h, 60 s", warm_up: "stream live",
        scale: Some(50_000.0), source: "R4.2", spoken: "velocity of liquidations" }
    LiqVelocity4hPct30d = liquidations(velocity_pct) among(velocity_rank) { id: "liq_velocity_4h_pct_30d", group: LIQUIDATIONS,
        unit: "[0,1]", inputs: LQ, definition: "pct(liq_velocity_4h; 30 d hourly)", window: "30 d, 1 h", warm_up: "168",
        ranks: Some(Feature::LiqVelocity4h), scale: Some(0.10), source: "S09", spoken: "velocity of liquidations" }
    LiqSeverityRatio = liquidations(severity_ratio) { id: "liq_severity_ratio", group: LIQUIDATIONS, unit: "ratio", inputs: LQ,
        definition: "velocity within the cascade window / {critical_velocity}", window: "4 h", warm_up: "stream live", scale: Some(0.5),
        source: "R4.5, A23", spoken: "severity of liquidations" }
    LiqCascadeFlag = liquidations(cascade_flag) { id: "liq_cascade_flag", group: LIQUIDATIONS, unit: "bool", value: ValueType::Bool,
        inputs: LQ, definition: "velocity within the cascade window > {critical_velocity} and its total > {cascade_total}", window: "4 h",
        warm_up: "stream live", source: "R4.3", spoken: "liquidation cascade" }
    LiqLongShare1h = liquidations(long_share_1h) { id: "liq_long_share_1h", group: LIQUIDATIONS, unit: "[0,1]", inputs: LQ,
        definition: "long / (long + short)", window: "1 h, 60 s", warm_up: "total > 0", scale: Some(0.10), source: "R3.23",
        spoken: "share of longs among liquidations of 1 h" }
    LiqLongShare4h = liquidations(long_share_4h) { id: "liq_long_share_4h", group: LIQUIDATIONS, unit: "[0,1]", inputs: LQ,
        definition: "long / (long + short)", window: "4 h, 60 s", warm_up: "total > 0", scale: Some(0.10), source: "R4.4",
        spoken: "share of longs among liquidations of 4 h" }
    LiqSideBias = liquidations(side_bias) { id: "liq_side_bias", group: LIQUIDATIONS, unit: "enum",
        value: ValueType::Enum(SIDE_BIAS), inputs: LQ, definition: "long share of 4 h > {one_sided_share} LONG, < {1 - one_sided_share} SHORT, else BALANCED",
        window: "4 h", warm_up: "total > 0", source: "R4.4", spoken: "side of liquidations" }
    LiqOneSidedFlag = liquidations(one_sided_flag) { id: "liq_one_sided_flag", group: LIQUIDATIONS, unit: "bool",
        value: ValueType::Bool, inputs: LQ, definition: "the larger share of 1 h > {one_sided_share}, and at least {one_sided_events} events", window: "1 h",
        warm_up: "stream live", source: "R3.23", spoken: "one-sided liquidations" }
    FundingReversalFlag = signals(reversal) { id: "funding_reversal_flag", group: FUNDING, unit: "bool", value: ValueType::Bool,
        inputs: FR, update: Update::Instant,
        definition: "funding_rate_8h has another sign than 8 h before, neither is 0, and abs(funding_change_8h) > {funding_change}",
        window: "8 h, 60 s", warm_up: "2", source: "R4.9, R4.10, A24", spoken: "reversal of funding" }
    FundingAnomalyReasons = signals(reasons) { id: "funding_anomaly_reasons", group: FUNDING, unit: "enum",
        value: ValueType::Enum(ANOMALY_REASONS), inputs: FR, update: Update::Instant,
        definition: "z: abs(funding_zscore_24h) > {funding_anomaly_z}; change: abs(funding_change_8h) > {funding_change}; volatility: funding_vol_24h > {funding_volatility}; what is not ready is no reason",
        warm_up: "6", source: "R4.10, R4.12", spoken: "reasons of a funding anomaly" }
    FundingAnomalyScore = signals(score) { id: "funding_anomaly_score", group: FUNDING, unit: "σ", inputs: FR,
        update: Update::Instant, definition: "abs(funding_zscore_24h) + 0.5 · number of reasons other than z", warm_up: "6",
        scale: Some(1.0), source: "R4.12, S01", spoken: "funding anomaly score" }
    FundingFarmingShare = settled(farming_share) { id: "funding_farming_share", group: FUNDING, unit: "[0,1]", inputs: FS,
        definition: "the larger share of the last 21 complete funding_block_8h beyond +{funding_extreme} or −{funding_extreme}", window: "21 blocks 00/08/16",
        warm_up: "21 blocks", scale: Some(0.10), source: "R3.15, R3.19, A18, S02", spoken: "one-way funding" }
    PositionConcentration = positions(concentration) { id: "position_concentration", group: POSITIONS, unit: "[0,1]", inputs: TOP,
        update: Update::Instant,
        definition: "share of the largest tier of exposures; without tiers 2·max(L, 1 − L) − 1 of the top traders' positions, kind proxy",
        scale: Some(0.10), source: "R3.14, R3.22, A15", spoken: "concentration of positions" }
    PositionHhi = positions(hhi) { id: "position_hhi", group: POSITIONS, unit: "[0,1]", inputs: TOP, update: Update::Instant,
        definition: "Σ of squared shares of the tiers of exposures; no venue publishes them", warm_up: "tiers", scale: Some(0.10),
        source: "R3.14", spoken: "concentration of positions" }
    LongShortRatio = positions(ratio) { id: "long_short_ratio", group: POSITIONS, unit: "ratio", inputs: &[Metric::LongShortRatio],
        update: Update::Instant, definition: "accounts long / short as reported", window: "instant, venue period", scale: Some(0.2),
        source: "A15", spoken: "accounts long for each one short" }
    PriceChange24h = price(moves.change) { id: "price_change_24h", group: VOL, unit: "fraction", inputs: MK,
        definition: "P(t)/P(t − 24 h) − 1; where that minute is missing, the newest of the 5 minutes before it", window: "24 h, 60 s",
        warm_up: "both ends", scale: Some(0.02), source: "UX §1", spoken: "the 24 h move" }
    PriceMove24hPct90d = price(moves.size_pct) { id: "price_move_24h_pct_90d", group: VOL, unit: "[0,1]", inputs: MK,
        definition: "pct(abs(price_change_24h); 90 d hourly)", window: "90 d, 1 h", warm_up: "336", scale: Some(0.10), source: "UX §1",
        spoken: "the size of the 24 h move" }
}

impl Feature {
    /// Number of features in this build.
    pub const COUNT: usize = CATALOGUE.len();

    /// Position in a row.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
    /// The catalogue line.
    #[must_use]
    pub fn spec(self) -> &'static FeatureSpec {
        &CATALOGUE[self.index()]
    }
    /// The wire name.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.spec().id
    }
    /// The feature of this wire name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        CATALOGUE.iter().find(|s| s.id == id).map(|s| s.feature)
    }
    /// Is it made from prices, alone or among others?
    pub(crate) fn reads_prices(self) -> bool {
        self.spec().inputs.iter().any(|m| matches!(m, Metric::Bar | Metric::MarkPrice | Metric::SpotPrice))
    }
    /// The percentile features, with what they rank.
    pub fn percentiles() -> impl Iterator<Item = (Self, Self)> {
        CATALOGUE.iter().filter_map(|s| s.ranks.map(|ranked| (s.feature, ranked)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_id_and_count_agree() {
        for (i, s) in CATALOGUE.iter().enumerate() {
            assert_eq!(s.feature.index(), i);
            assert_eq!(Feature::from_id(s.id), Some(s.feature));
            assert!(
                !s.definition.is_empty() && !s.unit.is_empty() && !s.source.is_empty() && !s.spoken.is_empty(),
                "{}",
                s.id
            );
        }
    }
}
