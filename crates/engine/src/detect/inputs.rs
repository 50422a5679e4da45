//! What detectors are given: readings with their states, labels, the session. Absence is a state, never a number.

use crate::catalogue::Feature;
use crate::liquidations::{Burst, Close, LiquidationSlots, Made, SoFar};
use barograph_domain::{
    Axis, Cell, HeatRegime, Reason, RiskRegime, Span, State, TradingSession, TrendRegime, Ts, VolRegime,
};

macro_rules! inputs {
    ($($(#[$doc:meta])* $field:ident: $feature:ident,)*) => {
        /// Readings of one market at one moment.
        #[derive(Clone, Copy, Debug)]
        pub struct Inputs {
            /// The moment, by the venue's clock.
            pub ts: Ts,
            $($(#[$doc])* pub $field: Cell,)*
            /// What the score of funding is one within: a day of running funding, or the week of settlements that stands in.
            pub funding_window: Span,
            /// Readings of liquidations.
            pub liquidations: LiquidationInputs,
            /// Published labels.
            pub labels: AxisLabels,
            /// Whether several timeframes confirm an axis, in the order risk, trend, volatility, heat.
            pub confirmed: [Confirmed; 4],
            /// The trading session.
            pub session: Option<TradingSession>,
            /// The price of the minute, where there is a fresh one.
            pub price: Option<f64>,
        }

        impl Inputs {
            /// Nothing known at `ts`.
            #[must_use]
            pub const fn nothing(ts: Ts) -> Self {
                Self {
                    ts,
                    $($field: Cell::undefined(Reason::MissingInput),)*
                    funding_window: Span::hours(24),
                    liquidations: LiquidationInputs::NOTHING,
                    labels: AxisLabels { risk: None, trend: None, volatility: None, heat: None },
                    confirmed: [
                        Confirmed::unknown(Axis::Risk),
                        Confirmed::unknown(Axis::Trend),
                        Confirmed::unknown(Axis::Volatility),
                        Confirmed::unknown(Axis::Heat),
                    ],
                    session: None,
                    price: None,
                }
            }

            /// Takes the readings that are features from those of a minute, which are in the order of the catalogue.
            #[inline]
            pub(crate) fn read(&mut self, cells: &[Cell]) {
                $(self.$field = cells[Feature::$feature.index()];)*
            }
        }
    };
}

inputs! {
    /// `atr_14`: hourly average true range.
    atr_1h: Atr14,
    /// `funding_rate_8h`.
    funding_rate: FundingRate8h,
    /// `funding_rate_settled_8h`.
    settled_rate: FundingRateSettled8h,
    /// `minutes_to_funding`.
    minutes_to_funding: MinutesToFunding,
    /// `funding_zscore_24h`.
    funding_zscore: FundingZscore24h,
    /// `funding_pct_30d`: the rate among those of its own 30 days.
    funding_pct: FundingPct30d,
    /// `funding_change_8h`.
    funding_change: FundingChange8h,
    /// `funding_vol_24h`.
    funding_volatility: FundingVol24h,
    /// `funding_farming_share`.
    farming_share: FundingFarmingShare,
    /// `basis`.
    basis: Basis,
    /// `premium`.
    premium: Premium,
    /// `position_concentration`.
    concentration: PositionConcentration,
    /// `realized_vol_24h`.
    volatility: RealizedVol24h,
    /// `realized_vol_1h`.
    volatility_1h: RealizedVol1h,
    /// `price_change_24h`.
    move_24h: PriceChange24h,
}

/// Published labels of the four axes; `None` for an axis that is not built.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AxisLabels {
    /// Label of the risk axis.
    pub risk: Option<RiskRegime>,
    /// Label of the trend axis.
    pub trend: Option<TrendRegime>,
    /// Label of the volatility axis.
    pub volatility: Option<VolRegime>,
    /// Label of the heat axis.
    pub heat: Option<HeatRegime>,
}

/// Whether several timeframes agree (features §5).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Confirmed {
    /// On which axis.
    pub axis: Axis,
    /// The label they agree on.
    pub label: &'static str,
    /// Its code.
    pub code: u8,
    /// Whether they do; `None` while it is not known.
    pub is: Option<bool>,
    /// Their confidence.
    pub confidence: Option<f64>,
    /// Those that agree.
    pub timeframes: &'static [&'static str],
}

impl Confirmed {
    /// Nothing known of an axis.
    #[must_use]
    pub const fn unknown(axis: Axis) -> Self {
        Self { axis, label: "", code: 0, is: None, confidence: None, timeframes: &[] }
    }
}

macro_rules! liquidation_inputs {
    ($($(#[$doc:meta])* $field:ident: $slot:ident,)*) => {
        /// Readings of liquidations.
        #[derive(Clone, Copy, Debug)]
        pub struct LiquidationInputs {
            $($(#[$doc])* pub $field: Cell,)*
            /// There is less than a week of own history of bursts.
            pub uncalibrated: bool,
            /// What the closes of a burst add up to: those of its 60 s, or in a record those of the whole episode.
            pub made: Option<Made>,
            /// The close that is judged now; `None` at a minute.
            pub close: Option<Close>,
            /// The cascade window as far as it was heard, where that is not the whole of it.
            pub so_far: Option<SoFar>,
        }

        impl LiquidationInputs {
            /// No stream, for this reason.
            #[must_use]
            pub const fn without(reason: Reason) -> Self {
                let cell = Cell::undefined(reason);
                Self { $($field: cell,)* uncalibrated: true, made: None, close: None, so_far: None }
            }

            /// Takes the readings of the last minute as they stand at `t`.
            pub fn read(&mut self, slots: &LiquidationSlots, t: Ts) {
                $(self.$field = slots.$slot.at(t);)*
                self.uncalibrated = slots.uncalibrated;
                self.made = slots.made;
                self.close = None;
                self.so_far = slots.so_far;
            }
        }
    };
}

liquidation_inputs! {
    /// `liq_count_60s`.
    count_60s: count_60s,
    /// What it is compared with.
    burst_threshold: burst_threshold,
    /// Velocity within the cascade window.
    velocity: cascade_velocity,
    /// What it is compared with.
    velocity_threshold: velocity_threshold,
    /// `liq_velocity_4h_pct_30d`.
    velocity_pct: velocity_pct,
    /// Both sides within the cascade window.
    total: cascade_total,
    /// `liq_severity_ratio`.
    severity_ratio: severity_ratio,
    /// `liq_cascade_flag`.
    cascade_flag: cascade_flag,
    /// Side within the cascade window, as a code of `liq_side_bias`.
    side: cascade_side,
    /// `liq_long_share_1h`.
    long_share_1h: long_share_1h,
    /// Events of the last hour.
    events_1h: events_1h,
}

impl LiquidationInputs {
    /// No stream.
    pub const NOTHING: Self = Self::without(Reason::MissingInput);

    /// Readings of the last minute as they stand at `t`.
    #[must_use]
    pub fn of(slots: &LiquidationSlots, t: Ts) -> Self {
        let mut out = Self::NOTHING;
        out.read(slots, t);
        out
    }

    /// The same with the count of 60 s as it stands at an event.
    #[must_use]
    pub fn at_event(mut self, burst: &Burst) -> Self {
        self.count_60s = Cell::ready_at(f64::from(burst.count), burst.ts, burst.kind);
        self.burst_threshold = Cell::ready_at(burst.threshold, burst.ts, burst.kind);
        self.uncalibrated = burst.uncalibrated;
        (self.made, self.close) = (burst.made, Some(burst.close));
        self
    }
}

/// What a reading means for a rule that is about to judge it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Seen {
    /// A number.
    Value(f64),
    /// No number because nothing varies or nothing happened: calm.
    Calm,
    /// The venue does not have it.
    NotOffered,
    /// It cannot be known now: a gap, an old value, too little history.
    Unknown,
}

impl Seen {
    /// Judges a reading's state.
    #[must_use]
    pub fn of(cell: &Cell) -> Self {
        match cell.state {
            State::Ready => Self::Value(cell.value),
            State::Undefined(Reason::ZeroVariance | Reason::ZeroDenominator | Reason::OutOfDomain) => Self::Calm,
            State::Undefined(Reason::NotOffered) => Self::NotOffered,
            State::Warming { .. } | State::Stale | State::Undefined(_) => Self::Unknown,
        }
    }
    /// The number; 0 where it is calm.
    #[must_use]
    pub const fn number(self) -> Option<f64> {
        match self {
            Self::Value(x) => Some(x),
            Self::Calm => Some(0.0),
            Self::NotOffered | Self::Unknown => None,
        }
    }
}
