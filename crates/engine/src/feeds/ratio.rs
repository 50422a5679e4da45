//! Ratios of accounts and positions as they are polled.

use super::{COMPARED_BACK, FIVE_MINUTES, StreamSource};
use crate::features::reading::ReadingOrigin;
use crate::rules::Freshness;
use crate::series::Series;
use barograph_domain::{StreamDecl, StreamIndex};
use serde::{Deserialize, Serialize};

/// A polled ratio of longs to shorts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RatioFeed {
    /// Which stream.
    pub source: StreamSource,
    /// Ratios as reported.
    pub series: Series<f64>,
}

impl RatioFeed {
    /// A feed for one declared stream. Nothing looks back at ratios, so few are remembered.
    #[must_use]
    pub fn new(stream: StreamIndex, decl: &StreamDecl, freshness: Freshness) -> Self {
        Self {
            source: StreamSource { stream, metric: decl.metric, kind: decl.kind },
            series: Series::new(decl, FIVE_MINUTES, COMPARED_BACK, freshness.max_age(decl)),
        }
    }

    /// The newest ratio with where it comes from.
    #[must_use]
    pub fn newest(&self) -> Option<(f64, ReadingOrigin)> {
        self.series.newest().map(|(_, ratio)| (ratio, self.source.origin(&self.series)))
    }
}
