//! The board: every market in one table of cells, and the changes of its cells as they happen.
//!
//! A row is a fixed list of cells, [`COLUMNS`] in order; what moves is sent as batches of changed cells that all clients share.
//! [`Hub`] holds the table as it was published last and is turned by whoever knows the markets; this module knows nothing of
//! where the values come from. The format is described in `docs/board.md`.

mod hub;
mod table;
mod value;
mod view;
mod wire;

pub use hub::{Hub, Joined, News, Topic};
pub use table::{Row, Table};
pub use value::{DIGITS, Value, rounded};
pub use view::{BoardView, ChangeView, DataState, HeaderView, LabelsView, RowView};
pub(crate) use wire::frame;

use barograph_domain::{HeatRegime, Label, RiskRegime, TrendRegime, VolRegime};

/// The columns of a row, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Column {
    /// Newest trade, else mark.
    Price,
    /// Price against that of 24 hours ago, fraction.
    Change24h,
    /// Code of the risk label.
    Risk,
    /// Code of the trend label.
    Trend,
    /// Code of the volatility label.
    Volatility,
    /// Code of the heat label.
    Heat,
    /// 0 none, 1 longs are squeezed, 2 shorts.
    Squeeze,
    /// Margin of the risk axis.
    Margin,
    /// Annualised volatility of the last hour, fraction.
    Vol,
    /// Funding per 8 hours, fraction.
    Funding8h,
    /// Change of open interest in 4 hours, fraction.
    Oi4h,
    /// When the risk label was entered, epoch seconds.
    RiskSince,
    /// The minute of the row, epoch seconds.
    RowTs,
    /// Bits: see [`flags`].
    Flags,
    /// Confidence of the regime.
    Confidence,
    /// From −1 to 1.
    LongBias,
    /// Caution multiplier.
    RiskMultiplier,
    /// Trend on 1 h, 4 h, 1 d and 1 w: a code or a dot each.
    TfTrend,
    /// Volatility on the same.
    TfVol,
    /// Episodes that are not over.
    OpenAlerts,
    /// Annualised volatility of the last 24 hours, fraction: what the volatility label is made of.
    Vol24h,
}

/// How many columns there are.
pub const WIDTH: usize = COLUMNS.len();

/// Their names on the wire, in the order of [`Column`].
pub const COLUMNS: [&str; 21] = [
    "price",
    "change_24h",
    "risk",
    "trend",
    "volatility",
    "heat",
    "squeeze",
    "margin",
    "vol",
    "funding_8h",
    "oi_4h",
    "risk_since",
    "row_ts",
    "flags",
    "confidence",
    "long_bias",
    "risk_multiplier",
    "tf_trend",
    "tf_vol",
    "open_alerts",
    "vol_24h",
];

/// Bits of [`Column::Flags`].
pub mod flags {
    /// An input of the risk label is too old.
    pub const STALE: i64 = 1;
    /// A stream that the rule book reads is lost.
    pub const LOST: i64 = 2;
    /// A reading that the board shows has too few samples yet.
    pub const WARMING: i64 = 4;
    /// The market is made up by the built-in venue server.
    pub const SYNTHETIC: i64 = 8;
}

/// One row's cells.
pub type Cells = [Value; WIDTH];

/// The code of a label in cells: 0 is UNKNOWN, the others follow in their own order.
#[must_use]
pub fn code<L: Label>(label: L) -> u8 {
    if label == L::UNKNOWN { 0 } else { label.code() + 1 }
}

/// The words of an axis, by code.
fn words<L: Label>() -> Vec<&'static str> {
    let known = L::LABELS.iter().filter(|l| **l != L::UNKNOWN);
    core::iter::once(&L::UNKNOWN).chain(known).map(|l| l.word()).collect()
}

/// One digit per timeframe, a dot where it is not ready.
#[must_use]
pub fn digits<L: Label>(labels: &[L; 4]) -> Value {
    Value::Digits(labels.map(|l| if l == L::UNKNOWN { b'.' } else { b'0' + code(l) }))
}

/// The words of all axes.
#[must_use]
pub(crate) fn labels() -> LabelsView {
    LabelsView {
        risk: words::<RiskRegime>(),
        trend: words::<TrendRegime>(),
        volatility: words::<VolRegime>(),
        heat: words::<HeatRegime>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_to_their_words() {
        let all = labels();
        assert_eq!(all.risk, ["UNKNOWN", "NORMAL", "CHOP_RISK", "SQUEEZE_RISK", "HIGH_VOL"]);
        for label in RiskRegime::ALL {
            assert_eq!(all.risk[usize::from(code(label))], label.name());
        }
        for label in HeatRegime::ALL {
            assert_eq!(all.heat[usize::from(code(*label))], label.name());
        }
        let trend = [TrendRegime::Unknown, TrendRegime::StrongUptrend, TrendRegime::Sideways, TrendRegime::Unknown];
        assert_eq!(digits(&trend), Value::Digits(*b".13."));
    }

    #[test]
    fn every_column_has_its_name_at_its_place() {
        assert_eq!(COLUMNS[Column::Price as usize], "price");
        assert_eq!(COLUMNS[Column::RowTs as usize], "row_ts");
        assert_eq!(COLUMNS[Column::Vol24h as usize], "vol_24h");
        assert_eq!(Column::Vol24h as usize + 1, WIDTH);
    }
}
