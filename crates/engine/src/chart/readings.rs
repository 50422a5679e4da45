//! What is read off the charts of one bar stream, taken once whenever a bar closes.

use super::{Charts, RangeVolatility, Trend};
use barograph_domain::{Reason, State, TIMEFRAMES, Ts};

/// A reading, or the state it has instead.
pub type Read<T> = Result<T, State>;

/// Readings of all timeframes of one stream. Position is that of [`TIMEFRAMES`].
#[derive(Clone, Copy, Debug)]
pub struct ChartReadings {
    /// How often they were taken anew: whoever keeps what follows from them compares this.
    pub taken: u32,
    /// Close of the newest bar per timeframe.
    pub anchors: [Option<Ts>; 4],
    /// Regression per timeframe.
    pub trend: [Read<Trend>; 4],
    /// Daily volatility from the timeframe's own closes.
    pub vol_daily: [Read<f64>; 4],
    /// Range estimators of 1 h, and how full their window is.
    pub ranges: Read<(RangeVolatility, f32)>,
    /// Dispersion of 20 hourly returns, percent.
    pub vol_pct: Read<f64>,
    /// Volume of the hour over the mean of the 20 before it.
    pub volume_ratio: Read<f64>,
    /// Standard score of the hourly close within its day, and how full the day is.
    pub price_z: Read<(f64, f32)>,
}

const MISSING: State = State::Undefined(Reason::MissingInput);

impl ChartReadings {
    /// No bar seen.
    pub const NONE: Self = Self {
        taken: 0,
        anchors: [None; 4],
        trend: [Err(MISSING); 4],
        vol_daily: [Err(MISSING); 4],
        ranges: Err(MISSING),
        vol_pct: Err(MISSING),
        volume_ratio: Err(MISSING),
        price_z: Err(MISSING),
    };

    /// Brings the readings of charts that moved since `self` was taken up to date.
    pub fn update(&mut self, charts: &Charts) {
        for (i, chart) in charts.all().into_iter().enumerate() {
            let Some(chart) = chart else { continue };
            let anchor = chart.anchor();
            if anchor == self.anchors[i] {
                continue;
            }
            self.taken = self.taken.wrapping_add(1);
            self.anchors[i] = anchor;
            self.trend[i] = chart.trend();
            self.vol_daily[i] = chart.vol_daily();
            if chart.timeframe() == TIMEFRAMES[0] {
                self.ranges = chart.range_volatility();
                self.vol_pct = chart.vol_pct();
                self.volume_ratio = chart.volume_ratio();
                self.price_z = chart.price_z();
            }
        }
    }
}
