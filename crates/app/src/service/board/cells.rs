//! One market's cells, from its newest minute as it looks at a moment.

use crate::render::Lens;
use barograph_api::board::{Cells, Column, Value, WIDTH, code, digits, flags};
use barograph_domain::stream::SYNTHETIC;
use barograph_domain::{MinuteRow, Reason, Snapshot, Ts};
use barograph_engine::Feature;

/// Readings that are cells.
const READINGS: [(Column, Feature); 6] = [
    (Column::Vol, Feature::RealizedVol1h),
    (Column::Vol24h, Feature::RealizedVol24h),
    (Column::Funding8h, Feature::FundingRate8h),
    (Column::Oi4h, Feature::OiDelta4h),
    (Column::LongBias, Feature::LongBias),
    (Column::RiskMultiplier, Feature::RiskMultiplier),
];
/// Of these, the ones that say whether the market is still warming up.
const WARMING: [Column; 3] = [Column::Vol, Column::Funding8h, Column::Oi4h];

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
        let all = [
            Column::Price,
            Column::Change24h,
            Column::Risk,
            Column::Trend,
            Column::Volatility,
            Column::Heat,
            Column::Margin,
            Column::Vol,
            Column::Vol24h,
            Column::Funding8h,
            Column::Oi4h,
        ];
        let reasons = all.into_iter().map(|c| (c, Reason::Warming.name())).collect();
        Self { cells, reasons, headline: String::new() }
    }

    /// The cells of a row whose snapshot is `s`.
    pub(super) fn of(lens: &Lens, row: &MinuteRow, s: &Snapshot) -> Self {
        let mut cells = [Value::Null; WIDTH];
        let mut reasons = vec![(Column::Change24h, Reason::MissingInput.name())];
        let mut put = |column: Column, value: Option<Value>, why: &'static str| match value {
            Some(value) if value != Value::Null => cells[column as usize] = value,
            _ => reasons.push((column, why)),
        };
        let axes = &s.regimes;
        let whole = |code: u8| Some(Value::Whole(i64::from(code)));
        put(Column::Price, s.price.map(Value::full), Reason::MissingInput.name());
        put(Column::Risk, whole(code(axes.risk.label)), "");
        put(Column::Trend, whole(code(axes.trend.label)), "");
        put(Column::Volatility, whole(code(axes.volatility.label)), "");
        put(Column::Heat, whole(code(axes.heat.label)), "");
        let squeeze = match axes.risk.direction {
            Some("LONG_SQUEEZE") => 1,
            Some(_) => 2,
            None => 0,
        };
        put(Column::Squeeze, whole(squeeze), "");
        put(Column::Margin, axes.risk.margin.map(Value::reading), "not_available");
        put(Column::RiskSince, Some(Value::Whole(seconds(axes.risk.since))), "");
        put(Column::RowTs, Some(Value::Whole(seconds(row.ts))), "");
        put(Column::Confidence, axes.heat.confidence.map(Value::reading), "not_available");
        put(Column::TfTrend, Some(digits(&row.timeframes.trend)), "");
        put(Column::TfVol, Some(digits(&row.timeframes.volatility)), "");
        let mut set = if axes.risk.stale { flags::STALE } else { 0 };
        for (column, feature) in READINGS {
            let cell = &row.cells[feature.index()];
            let why = cell.reason();
            put(column, cell.ready().map(Value::reading), why.map_or("not_available", Reason::name));
            if why == Some(Reason::Warming) && WARMING.contains(&column) {
                set |= flags::WARMING;
            }
        }
        if row.inputs.iter().any(|i| i.gap.is_some()) {
            set |= flags::LOST;
        }
        if lens.streams.iter().any(|d| d.source == SYNTHETIC) {
            set |= flags::SYNTHETIC;
        }
        put(Column::Flags, Some(Value::Whole(set)), "");
        Self { cells, reasons, headline: s.headline.clone() }
    }
}

/// Epoch seconds.
pub(super) const fn seconds(at: Ts) -> i64 {
    at.0.div_euclid(1_000_000_000)
}

/// A price against an earlier one.
pub(super) fn change(price: Value, base: Option<f64>) -> Value {
    match (price, base) {
        (Value::Number(now), Some(then)) if then > 0.0 => Value::reading(now / then - 1.0),
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
