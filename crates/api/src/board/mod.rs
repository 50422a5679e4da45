//! The board: every market in one table of cells, and the changes of its cells as they happen.
//!
//! A row is a fixed list of cells, [`COLUMNS`] in order, which `columns.rs` declares; what moves is sent as batches of changed
//! cells that all clients share. [`Hub`] holds the table as it was published last and is turned by whoever knows the markets; this
//! module knows nothing of where the values come from. The format is described in `docs/board.md`.

mod columns;
mod hub;
mod named;
mod part;
mod table;
mod value;
mod view;
mod wire;

pub use columns::{COLUMNS, CellKind, Column, ColumnSpec, SetWith, WIDTH, WarmUp, flags};
pub use hub::{Hub, Joined, News, Topic};
pub use part::{BoardPart, label_words};
pub use table::{BoardRow, Table};
pub use value::{DIGITS, Value, rounded};
pub use view::{BoardView, ChangeView, DataState, HeaderView, LabelsView, RowView};
pub(crate) use wire::frame;

use barograph_domain::{HeatRegime, Label, RiskRegime, TrendRegime, VolRegime};

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
}
