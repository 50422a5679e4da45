//! What the columns of one table mean: the settled answer that [`crate::recognise`] or a user's map arrives at, and all
//! that [`crate::table`] needs to read rows.

use crate::binance::archive::LabelShift;
use barograph_domain::{Metric, Span, Stamp};

/// Which format a file turned out to be; the word a summary prints.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Format {
    /// Binance archive or REST klines, all four price kinds.
    BinanceKlines,
    /// Binance archive `fundingRate`.
    BinanceFunding,
    /// Binance archive `metrics`.
    BinanceMetrics,
    /// Binance archive `aggTrades`.
    BinanceAggTrades,
    /// Binance archive `trades`.
    BinanceTrades,
    /// Binance archive `liquidationSnapshot`, withdrawn in 2024.
    BinanceLiquidations,
    /// Pages of `/fapi/v1/fundingRate`.
    BinanceFundingPages,
    /// Tardis `derivative_ticker`.
    TardisTicker,
    /// Tardis `trades`.
    TardisTrades,
    /// Tardis `liquidations`.
    TardisLiquidations,
    /// freqtrade candles, marks or funding.
    Freqtrade,
    /// Candles with ordinary column names.
    PlainBars,
    /// A series with ordinary column names.
    PlainSeries,
    /// Read through the user's column map.
    Mapped,
    /// Raw frames with receive stamps.
    Recording,
}

impl Format {
    /// As a summary says it.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::BinanceKlines => "binance klines",
            Self::BinanceFunding => "binance archive fundingRate",
            Self::BinanceMetrics => "binance archive metrics",
            Self::BinanceAggTrades => "binance archive aggTrades",
            Self::BinanceTrades => "binance archive trades",
            Self::BinanceLiquidations => "binance archive liquidationSnapshot",
            Self::BinanceFundingPages => "binance fundingRate pages",
            Self::TardisTicker => "tardis derivative_ticker",
            Self::TardisTrades => "tardis trades",
            Self::TardisLiquidations => "tardis liquidations",
            Self::Freqtrade => "freqtrade",
            Self::PlainBars => "plain candles",
            Self::PlainSeries => "plain series",
            Self::Mapped => "column map",
            Self::Recording => "hftbacktest recording",
        }
    }
}

/// Where a row's time stands and what it means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowClock {
    /// Column of the stamp.
    pub column: usize,
    /// Column of the receive time, in recordings.
    pub recv: Option<usize>,
    /// What the stamp means.
    pub stamp: Stamp,
    /// The label shift of Binance `metrics`.
    pub shift: LabelShift,
}

/// Columns of a candle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BarColumns {
    /// First price.
    pub open: usize,
    /// Highest price.
    pub high: usize,
    /// Lowest price.
    pub low: usize,
    /// Last price.
    pub close: usize,
    /// Base volume.
    pub volume: Option<usize>,
    /// Quote volume.
    pub quote_volume: Option<usize>,
    /// The venue's own close time, checked against the timeframe.
    pub close_time: Option<usize>,
    /// COIN-M archives: `volume` counts contracts of this many quote units and `quote_volume` is in base coin.
    pub contract_size: Option<u32>,
    /// Calendar months: no fixed timeframe, the close time alone says when the bar ended.
    pub calendar_month: bool,
}

/// Where the acting side of a trade stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SideColumn {
    /// `true` = the buyer rested, so the seller acted.
    BuyerIsMaker(usize),
    /// `buy` or `sell`, the side that acted.
    Word(usize),
    /// Not stated.
    None,
}

/// What a table holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Candles. Of mark, index and premium candles only the close is kept.
    Bars {
        /// `Bar`, `MarkPrice`, `IndexPrice` or `PremiumIndex`.
        metric: Metric,
        /// Where the prices are.
        columns: BarColumns,
    },
    /// Funding rates.
    Funding {
        /// `FundingRate` or `FundingRateSettled`.
        metric: Metric,
        /// Fraction per interval.
        rate: usize,
        /// Hours per interval.
        interval_h: Option<usize>,
        /// `Regular` or `Special`.
        rate_type: Option<usize>,
    },
    /// One or more plain series side by side.
    Values(Vec<(Metric, usize)>),
    /// Rows of trades.
    Trades {
        /// Trade id.
        id: Option<usize>,
        /// Column of the price.
        price: usize,
        /// Base quantity.
        qty: usize,
        /// Acting side.
        side: SideColumn,
    },
    /// Rows of liquidations.
    Liquidations {
        /// Side of the ORDER: sell closes a long.
        side: usize,
        /// Price, used where there is no average.
        price: usize,
        /// Average fill price.
        average: Option<usize>,
        /// Base quantity filled.
        qty: usize,
        /// Liquidation id.
        id: Option<usize>,
    },
    /// Tardis `derivative_ticker`: the state of a contract whenever something in it changed.
    Ticker {
        /// Running funding rate.
        funding_rate: usize,
        /// Next settlement.
        funding_timestamp: usize,
        /// Open interest, base units.
        open_interest: usize,
        /// Index price.
        index_price: usize,
        /// Mark price.
        mark_price: usize,
    },
}

impl Shape {
    /// Metrics a row can give, in the order of the mapper's targets.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        match self {
            Self::Bars { metric, .. } | Self::Funding { metric, .. } => vec![*metric],
            Self::Values(columns) => columns.iter().map(|(m, _)| *m).collect(),
            Self::Trades { .. } => vec![Metric::Trade],
            Self::Liquidations { .. } => vec![Metric::Liquidation],
            Self::Ticker { .. } => {
                vec![Metric::MarkPrice, Metric::IndexPrice, Metric::FundingRate, Metric::OpenInterest]
            }
        }
    }
}

/// The meaning of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Which format it is.
    pub format: Format,
    /// Time and its meaning.
    pub clock: RowClock,
    /// What the rows hold.
    pub shape: Shape,
    /// Column names as messages show them.
    pub names: Vec<String>,
    /// Cells a text row must have; `None` where rows may differ (JSON objects).
    pub width: Option<usize>,
    /// Column of the venue, where rows of several venues share the table.
    pub venue: Option<usize>,
    /// Column of the symbol, where rows of several symbols share the table.
    pub symbol: Option<usize>,
    /// Rows to keep: column and the text it must hold, case ignored.
    pub filter: Vec<(usize, String)>,
    /// The format promises order: a step backwards is a wrong row, not a reason to sort.
    pub ordered: bool,
    /// Recorded live: the last value holds until the next.
    pub filled: bool,
    /// Time between rows where the format fixes it (metrics: 5 min).
    pub cadence: Option<Span>,
}

impl Layout {
    /// The name of a column in messages.
    #[must_use]
    pub fn column_name(&self, column: usize) -> String {
        match self.names.get(column) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => format!("column {}", column + 1),
        }
    }
    /// Every column a mapper reads, so that typed tables need not decode the rest.
    #[must_use]
    pub fn used_columns(&self) -> Vec<usize> {
        let mut used = self.plan_columns();
        match &self.shape {
            Shape::Bars { columns: c, .. } => {
                used.extend([c.open, c.high, c.low, c.close]);
                used.extend([c.volume, c.quote_volume, c.close_time].into_iter().flatten());
            }
            Shape::Funding { rate, interval_h, rate_type, .. } => {
                used.push(*rate);
                used.extend([*interval_h, *rate_type].into_iter().flatten());
            }
            Shape::Values(columns) => used.extend(columns.iter().map(|(_, c)| *c)),
            Shape::Trades { id, price, qty, side } => {
                used.extend([*price, *qty]);
                used.extend(*id);
                match side {
                    SideColumn::BuyerIsMaker(c) | SideColumn::Word(c) => used.push(*c),
                    SideColumn::None => {}
                }
            }
            Shape::Liquidations { side, price, average, qty, id } => {
                used.extend([*side, *price, *qty]);
                used.extend([*average, *id].into_iter().flatten());
            }
            Shape::Ticker { funding_rate, funding_timestamp, open_interest, index_price, mark_price } => {
                used.extend([*funding_rate, *funding_timestamp, *open_interest, *index_price, *mark_price]);
            }
        }
        used.sort_unstable();
        used.dedup();
        used
    }
    /// Columns that planning needs: stamp, keys and filter.
    #[must_use]
    pub fn plan_columns(&self) -> Vec<usize> {
        let close_time = match &self.shape {
            Shape::Bars { columns, .. } if columns.calendar_month => columns.close_time,
            _ => None,
        };
        let fixed = [Some(self.clock.column), self.clock.recv, self.venue, self.symbol, close_time];
        fixed.into_iter().flatten().chain(self.filter.iter().map(|(c, _)| *c)).collect()
    }
    /// Cells of a text row that planning needs; rows need not be split any further.
    #[must_use]
    pub fn plan_width(&self) -> usize {
        self.plan_columns().into_iter().max().unwrap_or(0) + 1
    }
}
