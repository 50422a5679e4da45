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
    /// Of the hourly bars, as all that follows, each with how full its window is: volatility after Parkinson.
    pub parkinson: Read<(f64, f32)>,
    /// After Garman and Klass.
    pub garman_klass: Read<(f64, f32)>,
    /// After Rogers and Satchell.
    pub rogers_satchell: Read<(f64, f32)>,
    /// After Yang and Zhang.
    pub yang_zhang: Read<(f64, f32)>,
    /// Dispersion of 20 returns, percent.
    pub vol_pct: Read<(f64, f32)>,
    /// Volume of the hour over the mean of the 20 before it.
    pub volume_ratio: Read<(f64, f32)>,
    /// Standard score of the close within its day.
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
        parkinson: Err(MISSING),
        garman_klass: Err(MISSING),
        rogers_satchell: Err(MISSING),
        yang_zhang: Err(MISSING),
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
                let ranges = chart.range_volatility();
                let range = |of: fn(&RangeVolatility) -> Read<f64>| ranges.and_then(|(v, full)| Ok((of(&v)?, full)));
                self.parkinson = range(|v| Ok(v.parkinson));
                self.garman_klass = range(|v| v.garman_klass.map_err(State::Undefined));
                self.rogers_satchell = range(|v| Ok(v.rogers_satchell));
                self.yang_zhang = range(|v| Ok(v.yang_zhang));
                self.vol_pct = chart.vol_pct().map(|v| (v, 1.0));
                self.volume_ratio = chart.volume_ratio().map(|v| (v, 1.0));
                self.price_z = chart.price_z();
            }
        }
    }
}
