//! One market's cells, from its newest minute as it looks at a moment.

use crate::render::Lens;
use barograph_api::board::{Cells, Column, Value, WIDTH, WarmUp, code, digits, flags};
use barograph_api::live::DataOrigin;
use barograph_domain::health::HealthScore;
use barograph_domain::stream::{RECORDED, SYNTHETIC};
use barograph_domain::{MinuteRow, Reason, Snapshot, StreamDecl, Ts};
use barograph_engine::Feature;

/// The cells of a row, and why some are null. [`Column::OpenAlerts`] is for others to fill in, and prices move on between rows.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct RenderedRow {
    pub(super) cells: Cells,
    pub(super) reasons: Vec<(Column, &'static str)>,
    pub(super) headline: String,
}

impl RenderedRow {
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

    /// Its health, or why there is none.
    pub(super) fn healthy(&mut self, health: &HealthScore) {
        self.cells[Column::Health as usize] = health_cell(health);
        let few = health.band.is_none().then_some(FEW_PATTERNS);
        self.reasons.extend(health.reason.or(few).map(|why| (Column::Health, why)));
    }
}

/// Too few patterns could be judged to call a market healthy.
const FEW_PATTERNS: &str = "few_patterns_judged";

/// A score as a whole number, cut and not rounded so that it stays in its band; none where it would call good what hardly a pattern could be judged by.
pub(super) fn health_cell(health: &HealthScore) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "0 to 100")]
    health.score.filter(|_| health.band.is_some()).map_or(Value::Null, |score| Value::Whole(score.floor() as i64))
}

const NOT_AVAILABLE: &str = "not_available";
const MISSING: &str = Reason::MissingInput.name();

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
        Column::Price => number(s.price, MISSING),
        Column::Change24h => base(row).and_then(|then| match change(number(s.price, MISSING)?, Some(then)) {
            Value::Null => Err(NOT_AVAILABLE),
            moved => Ok(moved),
        }),
        Column::Risk => whole(code(axes.risk.label)),
        Column::Trend => whole(code(axes.trend.label)),
        Column::Volatility => whole(code(axes.volatility.label)),
        Column::Heat => whole(code(axes.heat.label)),
        Column::Squeeze => whole(match axes.risk.direction {
            Some("LONG_SQUEEZE") => 1,
            Some(_) => 2,
            None => 0,
        }),
        Column::Margin => number(axes.risk.turning(), NOT_AVAILABLE),
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
        Column::OiUsd => reading(Feature::OiUsd),
        Column::Vol4h => reading(Feature::RealizedVol4h),
        Column::VolPct90d => reading(Feature::VolPctRank),
        Column::VolHalflife => reading(Feature::VolHalflife),
        Column::Flags | Column::OpenAlerts | Column::OpenExperimental | Column::Health => return None,
    })
}

/// The bits that do not depend on other cells.
fn flags_of(lens: &Lens, row: &MinuteRow, s: &Snapshot) -> i64 {
    let mut set = if s.regimes.risk.stale { flags::STALE } else { 0 };
    if row.inputs.iter().any(|i| i.gap.is_some()) {
        set |= flags::LOST;
    }
    if s.recorded_until.is_some() {
        set |= flags::RECORDED;
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

/// The price a day before that of a row, or why it is not known: by the row's own reading of the day's move, so that table and
/// headline say one number.
pub(super) fn base(row: &MinuteRow) -> Result<f64, &'static str> {
    let moved = &row.cells[Feature::PriceChange24h.index()];
    let x = moved.ready().ok_or_else(|| moved.reason().map_or(NOT_AVAILABLE, Reason::name))?;
    match row.price {
        Some(price) if x > -1.0 => Ok(price / (1.0 + x)),
        _ => Err(MISSING),
    }
}

/// Where the data of these streams come from: made up where any is, else played again where any is.
pub(super) fn origin_of<'a>(streams: impl Iterator<Item = &'a StreamDecl>) -> DataOrigin {
    let of = |decl: &StreamDecl| match decl.source.as_str() {
        SYNTHETIC => DataOrigin::Synthetic,
        RECORDED => DataOrigin::Recorded,
        _ => DataOrigin::Measured,
    };
    streams.map(of).fold(DataOrigin::Measured, DataOrigin::mixed_with)
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
    use barograph_domain::{Cell, State};

    /// R3.28: 79.6 is WATCH. Rounded it would read as 80, which is GOOD.
    #[test]
    fn a_health_on_the_board_is_of_its_band_and_an_empty_one_says_why() {
        use barograph_domain::Pattern;
        use barograph_domain::health::{HealthBand, PatternJudged, ValidShare};
        let of = |share: f64, judged: &[bool]| {
            let stream = ValidShare { metric: "bar", source: "binance-usdm".to_owned(), share };
            let pattern =
                |judged: &bool| PatternJudged { pattern: Pattern::BasisManipulation, trigger: None, judged: *judged };
            let patterns: Vec<PatternJudged> = judged.iter().map(pattern).collect();
            let health = HealthScore::of(Ts(0), Vec::new(), vec![stream], &patterns, &[]);
            let mut row = RenderedRow::nothing();
            row.reasons.clear();
            row.healthy(&health);
            (row.cells[Column::Health as usize].whole(), health.band, row.reasons.first().map(|(_, why)| *why))
        };
        let cases: [(f64, &[bool], _); 5] = [
            (0.32, &[true], (Some(79), Some(HealthBand::Watch), None)),
            (1.0, &[true], (Some(100), Some(HealthBand::Good), None)),
            (1.0, &[true, false, false], (None, None, Some(FEW_PATTERNS))),
            (1.0, &[false], (None, None, Some(FEW_PATTERNS))),
            (0.0, &[true], (None, None, Some("no_data"))),
        ];
        for (share, judged, want) in cases {
            assert_eq!(of(share, judged), want, "{share} {judged:?}");
        }
    }

    #[test]
    fn a_change_needs_both_prices() {
        assert_eq!(change(Value::full(110.0), Some(100.0)), Value::Number(0.1));
        assert_eq!(change(Value::full(110.0), None), Value::Null);
        assert_eq!(change(Value::full(110.0), Some(0.0)), Value::Null);
        assert_eq!(change(Value::Null, Some(1.0)), Value::Null);
    }

    fn row(price: Option<f64>, moved: Cell) -> MinuteRow {
        let mut cells = vec![Cell::undefined(Reason::MissingInput); barograph_engine::CATALOGUE.len()];
        cells[Feature::PriceChange24h.index()] = moved;
        MinuteRow { cells, price, ..MinuteRow::bare(Ts(0)) }
    }

    /// Nothing of the day before has to be stored for it: the headline knows the move from candles.
    #[test]
    fn the_table_has_the_move_that_the_headline_has() {
        let moved = Cell::ready_at(-0.061, Ts(0), barograph_domain::Kind::Measured);
        let then = base(&row(Some(93.9), moved)).unwrap();
        assert_eq!(change(Column::Price.number(93.9), Some(then)), Column::Change24h.number(-0.061));
        let warming = Cell { state: State::Warming { have: 1, need: 2 }, ..moved };
        assert_eq!(base(&row(Some(93.9), warming)), Err(Reason::Warming.name()));
        assert_eq!(base(&row(None, moved)), Err(MISSING));
    }

    #[test]
    fn where_data_come_from_is_said_of_what_is_shown() {
        use barograph_domain::{InstrumentName, Kind, Metric, Span, Stamp};
        let of = |sources: &[&str]| {
            let decl = |source: &&str| StreamDecl {
                instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
                metric: Metric::MarkPrice,
                kind: Kind::Measured,
                cadence: Span::mins(1),
                source: (*source).to_owned(),
                delay: Span::ZERO,
                stamp: Stamp::Instant,
                filled: false,
            };
            origin_of(sources.iter().map(decl).collect::<Vec<_>>().iter())
        };
        assert_eq!(of(&["binance-usdm"]), DataOrigin::Measured);
        assert_eq!(of(&["binance-usdm", RECORDED]), DataOrigin::Recorded);
        assert_eq!(of(&[RECORDED, SYNTHETIC, "binance-usdm"]), DataOrigin::Synthetic);
        assert_eq!(of(&[]), DataOrigin::Measured);
    }
}
