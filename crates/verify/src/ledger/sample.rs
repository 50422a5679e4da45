//! What a published minute says to the ledger: its price, and on the grid what forecasts are made from.

use super::GRID;
use barograph_domain::forecast::ForecastEvent;
use barograph_domain::{
    AxisState, Cell, MinuteRow, Reason, RiskRegime, Span, State, StreamDecl, TrendRegime, Ts, VolRegime,
};
use barograph_engine::Feature;
use barograph_engine::catalogue::ValueType;
use barograph_engine::rules::{RuleBook, Ruled, label_margin, rule_distance};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What is read beside the features of the book's rules.
const READ: [Feature; 13] = [
    Feature::Atr14,
    Feature::RealizedVol1h,
    Feature::RealizedVol4h,
    Feature::RealizedVol24h,
    Feature::VolDaily,
    Feature::VolClass,
    Feature::SqueezeDirection,
    Feature::FundingZscore24h,
    Feature::FundingRate8h,
    Feature::LiqLongUsd4h,
    Feature::LiqShortUsd4h,
    Feature::LiqLongUsd1h,
    Feature::LiqShortUsd1h,
];

/// Code of LONG_SQUEEZE among the words of `squeeze_direction`.
const LONG_SQUEEZE: f64 = 0.0;

/// Features that a stored row is asked for, so that [`MinuteSample::of`] finds all it reads.
#[must_use]
pub fn features(book: &RuleBook) -> Vec<Feature> {
    let mut all = READ.to_vec();
    all.extend(book.features().iter().copied());
    all.extend(book.drift_rules().drifts.iter().map(|d| d.feature));
    all.sort_unstable_by_key(|f| f.index());
    all.dedup();
    all
}

/// A stored row with the cells of `features` alone, as [`features`] named them, with every cell in its place. What was not asked for
/// is not read.
#[must_use]
pub fn of_glance(mut row: MinuteRow, features: &[Feature]) -> MinuteRow {
    let mut cells = vec![Cell::undefined(Reason::MissingInput); Feature::COUNT];
    for (feature, cell) in features.iter().zip(&row.cells) {
        cells[feature.index()] = *cell;
    }
    row.cells = cells;
    row
}

/// What an axis says.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct AxisLabel {
    /// Code of the published label.
    pub label: u8,
    /// Code of the raw label.
    pub raw: u8,
    /// An input is stale, or no label is known: no probability is made.
    pub withheld: bool,
    /// Margin of the raw label in the scale units of regimes §7; `None` where it cannot be measured.
    pub margin: Option<f64>,
}

impl AxisLabel {
    fn of<L: Ruled>(state: &AxisState<L>, book: &RuleBook, cells: &[Cell]) -> Self {
        let raw = state.raw_label;
        let withheld = state.stale || raw == L::UNKNOWN;
        let margin = if withheld { None } else { label_margin::<L>(book, cells) };
        Self { label: state.label.code(), raw: raw.code(), withheld, margin }
    }
}

/// Readings of a grid instant.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct GridReadings {
    /// Hourly average true range, in the quote currency.
    pub atr: Option<f64>,
    /// 1 h, 4 h volatility, annualised.
    pub rv: [Option<f64>; 2],
    /// 24 h volatility as a daily fraction.
    pub vol_daily: Option<f64>,
    /// Its class, 0 to 3.
    pub class: Option<u8>,
    /// Longs are crowded (true) or shorts; `None` where funding does not say.
    pub longs_crowded: Option<bool>,
    /// The venue has funding.
    pub has_funding: bool,
    /// Funding per 8 h.
    pub funding: Option<f64>,
    /// Liquidated within 4 h, longs and shorts, in the quote currency.
    pub liquidated: [Option<f64>; 2],
    /// The venue reports liquidations.
    pub has_liquidations: bool,
    /// Liquidations of the last hour were seen, of both sides.
    pub liquidations_seen: bool,
    /// Risk, trend, volatility.
    pub axes: [AxisLabel; 3],
    /// By the places of [`ForecastEvent::EVERY_TICK`]: how far the readings are from what asserts the event, in the scale units of
    /// regimes §7, positive where it is asserted; `None` where they cannot say.
    pub margins: [Option<f64>; ForecastEvent::EVERY_TICK.len()],
    /// First eight bytes of the SHA-256 over what was read.
    pub digest: u64,
}

/// A published minute of one market, as the ledger takes it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MinuteSample {
    /// The minute.
    pub ts: Ts,
    /// The price, where there is a fresh one.
    pub price: Option<f64>,
    /// Cadence of the prices.
    pub step: Span,
    /// On the grid of forecasts only.
    pub grid: Option<GridReadings>,
    /// Numbers that the rules read, where they are ready, by their places in the catalogue; on the grid only.
    pub values: Vec<(u8, f64)>,
}

impl MinuteSample {
    /// Of a row whose cells are in catalogue order; `streams` is what its stream indexes mean.
    #[must_use]
    pub fn of(row: &MinuteRow, streams: &[StreamDecl], book: &RuleBook) -> Self {
        let cell = |f: Feature| row.cells.get(f.index());
        let stream = cell(Feature::RealizedVol1h).and_then(|c| c.stream);
        let step = stream.and_then(|s| streams.get(s.index())).map_or(Span::mins(1), |d| d.cadence);
        let on_grid = row.ts.floor(GRID) == row.ts;
        let grid = on_grid.then(|| readings(row, book));
        let values = if on_grid { numbers(row, book) } else { Vec::new() };
        Self { ts: row.ts, price: row.price, step, grid, values }
    }
}

/// Flags and words are not spread over anything.
fn numbers(row: &MinuteRow, book: &RuleBook) -> Vec<(u8, f64)> {
    let rules = book.features();
    let asked = book.drift_rules().drifts.iter().map(|d| d.feature).filter(|f| !rules.contains(f));
    let read = rules.iter().copied().chain(asked).filter(|f| matches!(f.spec().value, ValueType::Number));
    read.filter_map(|f| {
        let value = row.cells.get(f.index()).and_then(Cell::ready).filter(|x| x.is_finite())?;
        Some((u8::try_from(f.index()).ok()?, value))
    })
    .collect()
}

fn readings(row: &MinuteRow, book: &RuleBook) -> GridReadings {
    let cell = |f: Feature| row.cells.get(f.index());
    let ready = |f: Feature| cell(f).and_then(Cell::ready).filter(|x| x.is_finite());
    let offered = |f: Feature| cell(f).is_some_and(|c| c.state != State::Undefined(Reason::NotOffered));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a code from 0 to 3")]
    let class = ready(Feature::VolClass).filter(|c| (0.0..4.0).contains(c)).map(|c| c as u8);
    let axes = [
        AxisLabel::of::<RiskRegime>(&row.risk, book, &row.cells),
        AxisLabel::of::<TrendRegime>(&row.trend, book, &row.cells),
        AxisLabel::of::<VolRegime>(&row.volatility, book, &row.cells),
    ];
    GridReadings {
        atr: ready(Feature::Atr14).filter(|a| *a > 0.0),
        rv: [ready(Feature::RealizedVol1h), ready(Feature::RealizedVol4h)],
        vol_daily: ready(Feature::VolDaily).filter(|v| *v > 0.0),
        class,
        longs_crowded: ready(Feature::SqueezeDirection).map(|d| d == LONG_SQUEEZE),
        has_funding: offered(Feature::FundingZscore24h),
        funding: ready(Feature::FundingRate8h),
        liquidated: [ready(Feature::LiqLongUsd4h), ready(Feature::LiqShortUsd4h)],
        has_liquidations: offered(Feature::LiqLongUsd4h),
        liquidations_seen: [Feature::LiqLongUsd1h, Feature::LiqShortUsd1h].into_iter().all(|f| ready(f).is_some()),
        margins: ForecastEvent::EVERY_TICK.map(|event| margin(event, &axes, book, &row.cells)),
        axes,
        digest: digest(row, book),
    }
}

/// How far the readings are from what asserts an event. Not the margin of the label: that of NORMAL is the distance to the nearest
/// rule of any kind, which says little of this event and means something else from the day on which an input first arrives.
fn margin(event: ForecastEvent, axes: &[AxisLabel; 3], book: &RuleBook, cells: &[Cell]) -> Option<f64> {
    match event {
        // Most of what is not calm is volatile, chop is by its definition, and what says so needs no input but prices. The distance
        // to the rule of chop is mostly that of how directionless it was, which says little of the next hours.
        ForecastEvent::Calm4h => margin(ForecastEvent::HighVol1h, axes, book, cells).map(|m| -m),
        ForecastEvent::Chop4h => margin(ForecastEvent::HighVol1h, axes, book, cells),
        ForecastEvent::TrendUp24h | ForecastEvent::TrendDown24h => asserted_by::<TrendRegime>(event, book, cells),
        ForecastEvent::HighVol1h | ForecastEvent::Squeeze4h => asserted_by::<RiskRegime>(event, book, cells),
        // Every label of the axis is a class of its own.
        _ => axes[2].margin,
    }
}

/// The margin of the first rule that asserts the event and holds, else that of the one that is nearest to holding.
fn asserted_by<L: Ruled>(event: ForecastEvent, book: &RuleBook, cells: &[Cell]) -> Option<f64> {
    let asserts = |label: L| ForecastEvent::asserted(L::AXIS, label.code()) == Some(event);
    let rules = L::of(book).rules().iter().filter(|r| asserts(r.label));
    let mut nearest = None;
    for margin in rules.filter_map(|r| rule_distance(book, cells, r)) {
        if margin > 0.0 {
            return Some(margin);
        }
        nearest = Some(nearest.map_or(margin, |n: f64| n.max(margin)));
    }
    nearest
}

/// Over the state and the bits of every reading that is looked at, and the price.
fn digest(row: &MinuteRow, book: &RuleBook) -> u64 {
    let mut hash = Sha256::new();
    let mut one = |f: Feature| {
        let cell = row.cells.get(f.index());
        let value = cell.and_then(Cell::ready);
        hash.update([u8::from(value.is_some())]);
        hash.update(value.unwrap_or_default().to_bits().to_be_bytes());
    };
    READ.into_iter().for_each(&mut one);
    book.features().iter().copied().for_each(&mut one);
    hash.update(row.price.unwrap_or_default().to_bits().to_be_bytes());
    u64::from_be_bytes(hash.finalize().first_chunk::<8>().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{HeatRegime, Kind};

    fn book() -> RuleBook {
        RuleBook::shipped("default").unwrap()
    }

    fn row(minute: i64) -> MinuteRow {
        let ts = Ts(0) + Span::mins(minute);
        let mut cells = vec![Cell::undefined(Reason::Warming); Feature::COUNT];
        for (f, v) in [
            (Feature::Atr14, 2.5),
            (Feature::RealizedVol1h, 0.4),
            (Feature::VolClass, 1.0),
            (Feature::SqueezeDirection, 1.0),
        ] {
            cells[f.index()] = Cell::ready_at(v, ts, Kind::Measured);
        }
        cells[Feature::LiqLongUsd4h.index()] = Cell::undefined(Reason::NotOffered);
        MinuteRow { cells, price: Some(100.0), ..MinuteRow::bare(ts) }
    }

    #[test]
    fn readings_are_taken_on_the_grid_alone_and_absence_stays_absence() {
        let book = book();
        assert_eq!(MinuteSample::of(&row(7), &[], &book).grid, None);
        let r = MinuteSample::of(&row(10), &[], &book).grid.unwrap();
        assert_eq!((r.atr, r.rv, r.class, r.vol_daily), (Some(2.5), [Some(0.4), None], Some(1), None));
        assert_eq!((r.longs_crowded, r.has_funding, r.has_liquidations), (Some(false), true, false));
        assert!(r.axes[0].withheld && r.axes[0].margin.is_none(), "a bare row has no label");
        let mut other = row(10);
        other.price = Some(100.5);
        assert_ne!(MinuteSample::of(&other, &[], &book).grid.unwrap().digest, r.digest);
    }

    /// Open interest that begins to come changes what NORMAL is nearest to, and nothing of how far prices are from high volatility.
    #[test]
    fn an_input_that_begins_to_come_moves_no_margin_of_what_it_says_nothing_of() {
        let book = book();
        let with = |zscore: Cell, pct: Cell, oi: Cell| {
            let mut row = row(10);
            let ready = |v: f64| Cell::ready_at(v, row.ts, Kind::Measured);
            for (f, cell) in [
                (Feature::FundingZscore24h, zscore),
                (Feature::FundingPct30d, pct),
                (Feature::OiDelta4h, oi),
                (Feature::OiDelta4hPct90d, pct),
                (Feature::RealizedVol1hPct90d, ready(0.5)),
                (Feature::RealizedVol4hPct90d, ready(0.5)),
            ] {
                row.cells[f.index()] = cell;
            }
            MinuteSample::of(&row, &[], &book).grid.unwrap().margins
        };
        let at = |v: f64| Cell::ready_at(v, row(10).ts, Kind::Measured);
        let none = Cell::undefined(Reason::NotOffered);
        let (without, near) = (with(none, none, none), with(at(1.9), at(0.89), at(0.04)));
        let [high_vol, squeeze, chop, calm] = [0, 1, 2, 3].map(|n| (without[n], near[n]));
        assert!(high_vol.0.is_some_and(|m| m < 0.0), "{high_vol:?}");
        assert_eq!(high_vol.0, high_vol.1);
        assert_eq!(chop, high_vol);
        assert_eq!(calm.0, high_vol.0.map(|m| -m));
        assert_eq!(calm.0, calm.1);
        assert!(squeeze.0.is_none() && squeeze.1.is_some(), "{squeeze:?}");
    }

    #[test]
    fn a_glance_says_the_same_as_the_whole_row() {
        let book = book();
        let wanted = features(&book);
        assert!(wanted.contains(&Feature::Atr14) && wanted.contains(&Feature::FundingPct30d), "{wanted:?}");
        let whole = row(10);
        let cells = wanted.iter().map(|f| whole.cells[f.index()]).collect();
        let glance = of_glance(MinuteRow { cells, heat: AxisState::<HeatRegime>::default(), ..whole.clone() }, &wanted);
        assert_eq!(MinuteSample::of(&glance, &[], &book), MinuteSample::of(&whole, &[], &book));
    }
}
