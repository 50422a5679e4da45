//! One market's cells, from its newest minute as it looks at a moment.

use crate::render::Lens;
use barograph_api::board::{Cells, Column, Value, WIDTH, WarmUp, code, digits, flags};
use barograph_domain::stream::SYNTHETIC;
use barograph_domain::{MinuteRow, Reason, Snapshot, Ts};
use barograph_engine::Feature;

/// The cells of a row, and why some are null. [`Column::Change24h`] and [`Column::OpenAlerts`] are for others to fill in.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Cooked {
    pub(super) cells: Cells,
    pub(super) reasons: Vec<(Column, &'static str)>,
    pub(super) headline: String,
}

impl Cooked {
    /// A market that has no row yet.
    pub(super) fn nothing() -> Self {
        let mut cells = [Value::Null; WIDTH];
        cells[Column::Flags as usize] = Value::Whole(flags::WARMING);
        let explained = Column::ALL.iter().filter(|spec| spec.warm_up != WarmUp::Silent);
        let reasons = explained.map(|spec| (spec.column, Reason::Warming.name())).collect();
        Self { cells, reasons, headline: String::new() }
    }

    /// The cells of a row whose snapshot is `s`.
    pub(super) fn of(lens: &Lens, row: &MinuteRow, s: &Snapshot) -> Self {
        let mut cells = [Value::Null; WIDTH];
        let mut reasons = Vec::new();
        let mut set = flags_of(lens, row, s);
        for spec in Column::ALL {
            match fill(spec.column, row, s) {
                None => {}
                Some(Ok(value)) => cells[spec.column as usize] = value,
                Some(Err(why)) => {
                    reasons.push((spec.column, why));
                    if spec.warm_up == WarmUp::Flagged && why == Reason::Warming.name() {
                        set |= flags::WARMING;
                    }
                }
            }
        }
        cells[Column::Flags as usize] = Value::Whole(set);
        Self { cells, reasons, headline: s.headline.clone() }
    }
}

const NOT_AVAILABLE: &str = "not_available";

/// What a row fills a column with, or why it is null; `None` where others fill it.
fn fill(column: Column, row: &MinuteRow, s: &Snapshot) -> Option<Result<Value, &'static str>> {
    let axes = &s.regimes;
    let number = |x: Option<f64>, why| x.map(|x| column.number(x)).filter(|v| *v != Value::Null).ok_or(why);
    let reading = |feature: Feature| {
        let cell = &row.cells[feature.index()];
        number(cell.ready(), cell.reason().map_or(NOT_AVAILABLE, Reason::name))
    };
    let whole = |code: u8| Ok(Value::Whole(i64::from(code)));
    let epoch = |at| Ok(Value::Whole(seconds(at)));
    Some(match column {
        Column::Price => number(s.price, Reason::MissingInput.name()),
        Column::Change24h => Err(Reason::MissingInput.name()),
        Column::Risk => whole(code(axes.risk.label)),
        Column::Trend => whole(code(axes.trend.label)),
        Column::Volatility => whole(code(axes.volatility.label)),
        Column::Heat => whole(code(axes.heat.label)),
        Column::Squeeze => whole(match axes.risk.direction {
            Some("LONG_SQUEEZE") => 1,
            Some(_) => 2,
            None => 0,
        }),
        Column::Margin => number(axes.risk.margin, NOT_AVAILABLE),
        Column::Vol => reading(Feature::RealizedVol1h),
        Column::Funding8h => reading(Feature::FundingRate8h),
        Column::Oi4h => reading(Feature::OiDelta4h),
        Column::RiskSince => epoch(axes.risk.since),
        Column::RowTs => epoch(row.ts),
        Column::Confidence => number(axes.heat.confidence, NOT_AVAILABLE),
        Column::LongBias => reading(Feature::LongBias),
        Column::RiskMultiplier => reading(Feature::RiskMultiplier),
        Column::TfTrend => Ok(digits(&row.timeframes.trend)),
        Column::TfVol => Ok(digits(&row.timeframes.volatility)),
        Column::Vol24h => reading(Feature::RealizedVol24h),
        Column::Flags | Column::OpenAlerts => return None,
    })
}

/// The bits that do not depend on other cells.
fn flags_of(lens: &Lens, row: &MinuteRow, s: &Snapshot) -> i64 {
    let mut set = if s.regimes.risk.stale { flags::STALE } else { 0 };
    if row.inputs.iter().any(|i| i.gap.is_some()) {
        set |= flags::LOST;
    }
    if lens.streams.iter().any(|d| d.source == SYNTHETIC) {
        set |= flags::SYNTHETIC;
    }
    set
}

/// Epoch seconds.
pub(super) const fn seconds(at: Ts) -> i64 {
    at.0.div_euclid(1_000_000_000)
}

/// A price against an earlier one.
pub(super) fn change(price: Value, base: Option<f64>) -> Value {
    match (price, base) {
        (Value::Number(now), Some(then)) if then > 0.0 => Column::Change24h.number(now / then - 1.0),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_needs_both_prices() {
        assert_eq!(change(Value::full(110.0), Some(100.0)), Value::Number(0.1));
        assert_eq!(change(Value::full(110.0), None), Value::Null);
        assert_eq!(change(Value::full(110.0), Some(0.0)), Value::Null);
        assert_eq!(change(Value::Null, Some(1.0)), Value::Null);
    }
}
