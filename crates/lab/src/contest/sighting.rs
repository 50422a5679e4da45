//! What contestants are shown of a minute row: inputs of the learnt models, and readings of the hour for the filters.

use barograph_domain::Cell;
use barograph_engine::Feature;
use barograph_engine::models::HourReadings;
use serde::{Deserialize, Serialize};

/// Number of inputs.
pub const INPUTS: usize = 14;
/// Of them the first so many are those of the logistic regression (R2.57).
pub(super) const LOGISTIC_INPUTS: usize = 4;

/// ModelInputs in order: those of R2.57, then those of the risk rules (regimes §2).
const READ: [Feature; INPUTS] = [
    Feature::VolPct,
    Feature::SlopePct,
    Feature::TrendR2,
    Feature::VolumeRatio,
    Feature::FundingZscore24h,
    Feature::FundingPct30d,
    Feature::OiDelta1h,
    Feature::OiDelta4h,
    Feature::OiDelta4hPct90d,
    Feature::RealizedVol1h,
    Feature::RealizedVol4h,
    Feature::RealizedVol1hPct90d,
    Feature::RealizedVol4hPct90d,
    Feature::Efficiency12h,
];
const RV_1H: usize = 9;

/// Features that a stored row is asked for, in the order [`Sighting::of`] takes their cells.
#[must_use]
pub fn features() -> Vec<Feature> {
    let mut all = READ.to_vec();
    all.push(Feature::RealizedVol24h);
    all
}

/// Readings of a moment, each present or missing.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ModelInputs {
    values: [f32; INPUTS],
    /// Bit n: input n is present.
    present: u16,
}

impl ModelInputs {
    /// Of readings in their order.
    #[must_use]
    pub fn of(readings: [Option<f64>; INPUTS]) -> Self {
        let mut all = Self::default();
        for (at, x) in readings.into_iter().enumerate() {
            #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough to learn from")]
            let x = x.map(|x| x as f32).filter(|x| x.is_finite());
            if let Some(x) = x {
                all.values[at] = x;
                all.present |= 1 << at;
            }
        }
        all
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<f64> {
        (self.present >> at & 1 == 1).then(|| f64::from(self.values[at]))
    }

    /// Is any of the first `n` there?
    pub(super) const fn has_any(&self, n: usize) -> bool {
        self.present & ((1 << n) - 1) != 0
    }

    /// Bits, for a digest.
    pub(super) fn bits(&self) -> impl Iterator<Item = u8> {
        let values = self.values.iter().flat_map(|v| v.to_bits().to_be_bytes());
        self.present.to_be_bytes().into_iter().chain(values)
    }
}

/// One minute of one market.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Sighting {
    /// For the learnt models.
    pub inputs: ModelInputs,
    /// For the filters; looked at on whole hours.
    pub hour: HourReadings,
}

impl Sighting {
    /// Of the cells that [`features`] names, in its order, and the row's price.
    #[must_use]
    pub fn of(cells: &[Cell], price: Option<f64>) -> Self {
        let ready = |at: usize| cells.get(at).and_then(Cell::ready).filter(|x| x.is_finite());
        let hour = HourReadings { price, rv_1h: ready(RV_1H), rv_24h: ready(INPUTS) };
        Self { inputs: ModelInputs::of(core::array::from_fn(ready)), hour }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{Kind, Reason, Ts};

    #[test]
    fn what_is_missing_stays_missing_and_the_hour_reads_the_right_cells() {
        let mut cells: Vec<Cell> =
            (0..features().len()).map(|n| Cell::ready_at(n as f64, Ts(0), Kind::Measured)).collect();
        cells[2] = Cell::undefined(Reason::Warming);
        let s = Sighting::of(&cells, Some(100.0));
        assert_eq!((s.inputs.get(1), s.inputs.get(2), s.inputs.get(13)), (Some(1.0), None, Some(13.0)));
        assert_eq!(s.hour, HourReadings { price: Some(100.0), rv_1h: Some(9.0), rv_24h: Some(14.0) });
        assert_eq!(features()[RV_1H], Feature::RealizedVol1h);
        assert!(!ModelInputs::default().has_any(INPUTS) && s.inputs.has_any(1));
    }
}
