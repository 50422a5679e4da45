//! The columns of the board: each is declared here once. From a line follow the variant, its name on the wire and how it is
//! written there, `docs/board.md` and what the page knows of it (`web/src/board/columns.ts`; both written by `cargo x gen`).
//!
//! What fills a column stands with those who know the markets: `service/board/cells.rs` of `crates/query`, where the compiler asks
//! for it. The order is that of the wire: a new column comes last, for clients find an old one by the place they know.

use super::Value;
use barograph_domain::Axis;

/// What a cell of a column holds, and so how it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CellKind {
    /// A number in full.
    Full,
    /// A number with [`super::DIGITS`] significant digits.
    Reading,
    /// A count or a choice.
    Whole,
    /// Epoch seconds, which a batch counts from its reference.
    Epoch,
    /// The code of a label of this axis.
    Code(Axis),
    /// A code of this axis for each timeframe, or a dot.
    Digits(Axis),
}

/// How often a column is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetWith {
    /// With each minute row of its market.
    Minute,
    /// With each turn of the table.
    Turn,
}

/// What a market that is warming up says of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WarmUp {
    /// Nothing before its first minute.
    Silent,
    /// Before its first minute, that it is warming up.
    Explained,
    /// The same, and the market counts as warming up for as long as this reading is.
    Flagged,
}

/// A column as it is declared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ColumnSpec {
    /// Column that is described.
    pub column: Column,
    /// Its name on the wire.
    pub name: &'static str,
    /// What its cells hold.
    pub kind: CellKind,
    /// How often it is set.
    pub set_with: SetWith,
    /// What a market that is warming up says of it.
    pub warm_up: WarmUp,
    /// What it shows, for `docs/board.md`.
    pub text: &'static str,
}

macro_rules! columns {
    ($($(#[doc = $text:literal])+ $column:ident: $name:literal, $kind:expr, $set_with:expr, $warm_up:expr;)+) => {
        /// The columns of a row, in order.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Column { $($(#[doc = $text])+ $column,)+ }

        /// How many columns there are.
        pub const WIDTH: usize = COLUMNS.len();

        /// Their names on the wire, in the order of [`Column`].
        pub const COLUMNS: [&str; [$($name),+].len()] = [$($name),+];

        const SPECS: [ColumnSpec; WIDTH] = [$(ColumnSpec {
            column: Column::$column,
            name: $name,
            kind: $kind,
            set_with: $set_with,
            warm_up: $warm_up,
            text: concat!($($text),+),
        }),+];
    };
}

use CellKind::{Code, Digits, Epoch, Full, Reading, Whole};
use SetWith::{Minute, Turn};
use WarmUp::{Explained, Flagged, Silent};

columns! {
    /// Newest trade; the mark where there is none, or where the last trade is more than a minute older than the mark.
    Price: "price", Full, Turn, Explained;
    /// Price against that of 24 hours before the row, fraction: at the row itself its `price_change_24h`, as the headline has it.
    Change24h: "change_24h", Reading, Turn, Explained;
    /// Code of the risk label: its place in `labels`; 0 is UNKNOWN.
    Risk: "risk", Code(Axis::Risk), Minute, Explained;
    /// Code of the trend label.
    Trend: "trend", Code(Axis::Trend), Minute, Explained;
    /// Code of the volatility label.
    Volatility: "volatility", Code(Axis::Volatility), Minute, Explained;
    /// Code of the heat label.
    Heat: "heat", Code(Axis::Heat), Minute, Explained;
    /// 0 none, 1 longs are squeezed, 2 shorts.
    Squeeze: "squeeze", Whole, Minute, Silent;
    /// How far the risk label is from turning, in the scale of the condition that is closest to ending it; 0 while it only has to last.
    Margin: "margin", Reading, Minute, Explained;
    /// Annualised volatility of the last hour, fraction (`realized_vol_1h`).
    Vol: "vol", Reading, Minute, Flagged;
    /// Funding per 8 hours, fraction.
    Funding8h: "funding_8h", Reading, Minute, Flagged;
    /// Change of open interest in 4 hours, fraction.
    Oi4h: "oi_4h", Reading, Minute, Flagged;
    /// When the risk label was entered, epoch seconds.
    RiskSince: "risk_since", Epoch, Minute, Silent;
    /// The minute of the row, epoch seconds.
    RowTs: "row_ts", Epoch, Minute, Silent;
    /// Bits of what is wrong or special.
    Flags: "flags", Whole, Turn, Silent;
    /// Confidence of the heat axis, as in `/api/features`.
    Confidence: "confidence", Reading, Minute, Silent;
    /// The reading of this name, from −1 to 1.
    LongBias: "long_bias", Reading, Minute, Silent;
    /// The reading of this name: how many times the usual caution.
    RiskMultiplier: "risk_multiplier", Reading, Minute, Silent;
    /// Four characters, for the trend on 1 h, 4 h, 1 d and 1 w: the code, or a dot where the timeframe is not ready.
    TfTrend: "tf_trend", Digits(Axis::Trend), Minute, Silent;
    /// Volatility on the same.
    TfVol: "tf_vol", Digits(Axis::Volatility), Minute, Silent;
    /// Episodes that are not over; those of pairs of markets are in the header's number alone. The headline leaves out experimental ones
    /// that begin more than once a day here.
    OpenAlerts: "open_alerts", Whole, Turn, Silent;
    /// Annualised volatility of the last 24 hours, fraction (`realized_vol_24h`): what the volatility label is made of.
    Vol24h: "vol_24h", Reading, Minute, Explained;
    /// Open interest in the quote currency (`oi_usd`).
    OiUsd: "oi_usd", Reading, Minute, Explained;
    /// Annualised volatility of the last 4 hours, fraction (`realized_vol_4h`).
    Vol4h: "vol_4h", Reading, Minute, Explained;
    /// Where the volatility of 24 hours stands among its own last 90 days, from 0 to 1 (`vol_pct_rank`).
    VolPct90d: "vol_pct_90d", Reading, Minute, Explained;
    /// Half-life of an outbreak of volatility, days (`vol_halflife`).
    VolHalflife: "vol_halflife", Reading, Minute, Explained;
    /// Of `open_alerts`, those of experimental patterns: how often these are false alarms on real markets is not measured yet.
    OpenExperimental: "open_experimental", Whole, Turn, Silent;
    /// How healthy the market looks, from 0 to 100, by its alerts and by how much of its data came in the last hour: GOOD from 80, WATCH
    /// from 50, POOR below. Null where it would be GOOD by less than half of the patterns. Its parts are in the market's snapshot and
    /// analysis.
    Health: "health", Whole, Minute, Explained;
}

// A batch says in the bits of a u32 which columns changed.
const _: () = assert!(WIDTH <= 32);

impl Column {
    /// All, as they are declared.
    pub const ALL: &[ColumnSpec; WIDTH] = &SPECS;

    /// How it is declared.
    #[must_use]
    pub const fn spec(self) -> &'static ColumnSpec {
        &Self::ALL[self as usize]
    }

    /// A number as this column writes it; null where it is not finite.
    #[inline]
    #[must_use]
    pub fn number(self, x: f64) -> Value {
        match self.spec().kind {
            Full => Value::full(x),
            Reading | Whole | Epoch | Code(_) | Digits(_) => Value::reading(x),
        }
    }
}

/// The bits of the columns that hold epoch seconds.
pub(super) const EPOCHS: u32 = {
    let (mut bits, mut at) = (0, 0);
    while at < WIDTH {
        if matches!(SPECS[at].kind, Epoch) {
            bits |= 1 << at;
        }
        at += 1;
    }
    bits
};

macro_rules! flags {
    ($($(#[doc = $text:literal])+ $flag:ident = $bit:literal;)+) => {
        /// Bits of [`Column::Flags`](super::Column::Flags).
        pub mod flags {
            $($(#[doc = $text])+ pub const $flag: i64 = $bit;)+
            /// Name, bit and meaning of each.
            pub const ALL: &[(&str, i64, &str)] = &[$((stringify!($flag), $bit, concat!($($text),+))),+];
        }
    };
}

flags! {
    /// An input of the risk label is too old.
    STALE = 1;
    /// What the rule book reads is lost in every stream that the market offers of it.
    LOST = 2;
    /// A reading that the board shows has too few samples yet.
    WARMING = 4;
    /// The market is synthetic: from the built-in venue server.
    SYNTHETIC = 8;
    /// The market is a recording that ends with `row_ts`: nothing listens to it.
    RECORDED = 16;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_declared_at_its_place_and_under_a_name_of_its_own() {
        for (at, spec) in Column::ALL.iter().enumerate() {
            assert_eq!((spec.column as usize, spec.name), (at, COLUMNS[at]));
            assert_eq!(spec.column.spec(), spec);
            assert_eq!(COLUMNS.iter().filter(|name| **name == spec.name).count(), 1, "{}", spec.name);
        }
        assert_eq!([0, 12, 20].map(|at| COLUMNS[at]), ["price", "row_ts", "vol_24h"], "clients know their places");
        assert_eq!(EPOCHS, (1 << Column::RiskSince as u32) | (1 << Column::RowTs as u32));
    }

    #[test]
    fn prices_are_written_in_full_and_readings_are_short() {
        assert_eq!(Column::Price.number(63_120.5), Value::Number(63_120.5));
        assert_eq!(Column::Vol24h.number(1.180_04), Value::Number(1.18));
        assert_eq!(Column::Price.number(f64::NAN), Value::Null);
    }
}
