//! Open interest that is stated in USD, turned into base units once its instants have a price.

use crate::series::Series;
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};

/// Instants that may wait for a price: both sides are known within minutes, so a few are plenty.
const UNPRICED_MAX: usize = 32;

/// Open interest in USD and the instants that have no price yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UsdJoin {
    pub(super) series: Series<f64>,
    unpriced: Vec<i64>,
}

impl UsdJoin {
    pub(super) fn new(series: Series<f64>) -> Self {
        Self { series, unpriced: Vec::with_capacity(UNPRICED_MAX) }
    }

    pub(super) fn settle(&mut self, t: Ts, price_at: impl Fn(Ts) -> Option<f64>, out: &mut Series<f64>) {
        if self.series.settle(t) {
            for &index in self.series.changed() {
                if self.unpriced.len() == UNPRICED_MAX {
                    self.unpriced.remove(0);
                }
                self.unpriced.push(index);
            }
            self.series.seen();
        }
        let series = &self.series;
        self.unpriced.retain(|&index| {
            let at = series.instant(index);
            match (series.at(index), price_at(at)) {
                (Some(usd), Some(price)) if price > 0.0 => {
                    out.put(at, series.event_at(at), usd / price);
                    false
                }
                (None, _) => false,
                _ => true,
            }
        });
    }
}
