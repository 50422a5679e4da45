//! Which clauses of an axis follow a feature, noted once per book: varying the feature judges nothing else anew.

use super::book::{Clause, Warming};
use super::range::{Ranges, domain};
use crate::catalogue::Feature;

/// A feature with a margin unit, and the clauses of one axis whose outcome follows it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Readers {
    pub(super) feature: Feature,
    /// Margin unit.
    pub(super) scale: f64,
    /// Place in the scale table.
    pub(super) order: u16,
    /// Values it can take.
    pub(super) possible: Ranges,
    /// Written clauses on it, on a percentile of it, or with a stand-in on it.
    pub(super) clauses: Vec<Clause>,
}

impl Readers {
    /// Of every feature that the clauses read and that has a margin unit.
    pub(super) fn of(clauses: &[&Clause], features: &[Feature], scales: &[Option<f64>]) -> Vec<Self> {
        let measured = features.iter().filter(|f| f.spec().ranks.is_none());
        let all = measured.filter_map(|f| {
            let clauses: Vec<Clause> = clauses.iter().filter(|c| follows(c, *f)).map(|c| (*c).clone()).collect();
            Some(Self { feature: *f, scale: scales[f.index()]?, order: order(*f), possible: domain(*f), clauses })
        });
        all.collect()
    }
}

fn follows(clause: &Clause, feature: Feature) -> bool {
    let by_stand_in = matches!(&clause.warming, Warming::Clause(stand_in) if stand_in.feature == feature);
    clause.feature == feature || clause.ranks() == Some(feature) || by_stand_in
}

/// Place in the scale table of regimes §7; features it does not name follow in catalogue order.
fn order(feature: Feature) -> u16 {
    const TABLE: [Feature; 11] = [
        Feature::FundingZscore24h,
        Feature::OiDelta4h,
        Feature::OiDelta1h,
        Feature::RealizedVol1h,
        Feature::RealizedVol4h,
        Feature::SlopePct,
        Feature::TrendP,
        Feature::VolDaily,
        Feature::Heat,
        Feature::FundingRate8h,
        Feature::Efficiency12h,
    ];
    let place = TABLE.iter().position(|f| *f == feature).unwrap_or(TABLE.len() + feature.index());
    u16::try_from(place).unwrap_or(u16::MAX)
}
