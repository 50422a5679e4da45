//! Candles: of trades, and beside them of mark, index and premium.

/// Open, high, low and close of something that is not traded.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct PriceRange {
    /// First value.
    pub open: f64,
    /// Largest value.
    pub high: f64,
    /// Smallest value.
    pub low: f64,
    /// Last value.
    pub close: f64,
}

impl PriceRange {
    /// A range of one value.
    #[must_use]
    pub const fn of(x: f64) -> Self {
        Self { open: x, high: x, low: x, close: x }
    }
    /// Takes one more value.
    pub const fn add(&mut self, x: f64) {
        self.high = self.high.max(x);
        self.low = self.low.min(x);
        self.close = x;
    }
    /// Takes the range that follows.
    pub const fn join(&mut self, next: &Self) {
        self.high = self.high.max(next.high);
        self.low = self.low.min(next.low);
        self.close = next.close;
    }
}

/// One candle. Prices are ticks, quantities steps, quote amounts in price units × steps (exact).
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct TickBar {
    /// Beginning, ms.
    pub open_ms: i64,
    /// First price.
    pub open: i64,
    /// Highest price.
    pub high: i64,
    /// Lowest price.
    pub low: i64,
    /// Last price.
    pub close: i64,
    /// Base volume.
    pub volume: i64,
    /// Quote volume.
    pub quote_volume: f64,
    /// Base volume of trades whose taker bought.
    pub taker_buy: i64,
    /// Quote volume of trades whose taker bought.
    pub taker_buy_quote: f64,
    /// Trades in the bar.
    pub trades: i64,
    /// Ids of the first and the last trade; absent without trades or where trades are not kept.
    pub ids: Option<(u64, u64)>,
    /// Mark price.
    pub mark: PriceRange,
    /// Index price.
    pub index: PriceRange,
    /// Premium, mark / index - 1 before smoothing.
    pub premium: PriceRange,
}

impl TickBar {
    /// A bar in which nothing has happened yet: everything stands at the previous close.
    #[must_use]
    pub fn flat(open_ms: i64, close: i64, mark: f64, index: f64, premium: f64) -> Self {
        Self {
            open_ms,
            open: close,
            high: close,
            low: close,
            close,
            mark: PriceRange::of(mark),
            index: PriceRange::of(index),
            premium: PriceRange::of(premium),
            ..Self::default()
        }
    }

    /// Appends the bar that follows; a bar without trades adds no price.
    pub fn join(&mut self, next: &Self) {
        if next.trades > 0 {
            if self.trades == 0 {
                (self.open, self.high, self.low) = (next.open, next.high, next.low);
            }
            self.high = self.high.max(next.high);
            self.low = self.low.min(next.low);
            self.close = next.close;
        }
        self.volume += next.volume;
        self.quote_volume += next.quote_volume;
        self.taker_buy += next.taker_buy;
        self.taker_buy_quote += next.taker_buy_quote;
        self.trades += next.trades;
        self.ids = match (self.ids, next.ids) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (mine, theirs) => mine.or(theirs),
        };
        self.mark.join(&next.mark);
        self.index.join(&next.index);
        self.premium.join(&next.premium);
    }
}

/// Candle lengths that the venues offer, with their names on Binance.
pub(crate) const INTERVALS: [(&str, i64); 14] = [
    ("1m", 60_000),
    ("3m", 180_000),
    ("5m", 300_000),
    ("15m", 900_000),
    ("30m", 1_800_000),
    ("1h", 3_600_000),
    ("2h", 7_200_000),
    ("4h", 14_400_000),
    ("6h", 21_600_000),
    ("8h", 28_800_000),
    ("12h", 43_200_000),
    ("1d", 86_400_000),
    ("3d", 259_200_000),
    ("1w", 604_800_000),
];

/// Beginning of the interval that holds `ms`. Weeks begin on Mondays; 1970-01-01 was a Thursday.
pub(crate) const fn interval_start(ms: i64, length_ms: i64) -> i64 {
    const THURSDAY_TO_MONDAY_MS: i64 = 4 * 86_400_000;
    if length_ms == 604_800_000 {
        (ms - THURSDAY_TO_MONDAY_MS).div_euclid(length_ms) * length_ms + THURSDAY_TO_MONDAY_MS
    } else {
        ms.div_euclid(length_ms) * length_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday() {
        let monday = barograph_domain::Ts::from_civil(2026, 11, 16, 0, 0, 0).as_millis();
        let friday = barograph_domain::Ts::from_civil(2026, 11, 20, 12, 0, 0).as_millis();
        assert_eq!(interval_start(friday, 604_800_000), monday);
        assert_eq!(interval_start(monday, 604_800_000), monday);
        assert_eq!(interval_start(61_000, 60_000), 60_000);
    }

    #[test]
    fn joined_bars_are_the_bar_of_both() {
        let mut a = TickBar::flat(0, 10, 1.0, 1.0, 0.0);
        let b = TickBar {
            open: 12,
            high: 15,
            low: 11,
            close: 13,
            volume: 4,
            trades: 2,
            ids: Some((7, 8)),
            ..TickBar::flat(60_000, 10, 2.0, 1.5, 0.1)
        };
        let c = TickBar { open: 13, high: 13, low: 9, close: 9, volume: 1, trades: 1, ids: Some((9, 9)), ..b };
        a.join(&b);
        a.join(&c);
        assert_eq!((a.open, a.high, a.low, a.close, a.volume, a.trades, a.ids), (12, 15, 9, 9, 5, 3, Some((7, 9))));
        assert!((a.mark.high - 2.0).abs() < 1e-12 && (a.mark.open - 1.0).abs() < 1e-12);
    }
}
