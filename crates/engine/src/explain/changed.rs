//! What moved since the previous snapshot: the label, and up to three readings by margin units (regimes §10).

use super::facts::Facts;
use barograph_domain::MinuteRow;
use barograph_domain::snapshot::{Changed, ChangedFeature};

const SHOWN: usize = 3;

pub(super) fn changed(facts: &Facts<'_>, previous: &MinuteRow) -> Changed {
    let numbers = facts.ctx.book.features_shown().iter().filter_map(|f| Some((*f, facts.ctx.book.scale(*f)?)));
    let mut moved: Vec<ChangedFeature> = numbers
        .filter_map(|(f, scale)| {
            let from = previous.cells.get(f.index()).and_then(barograph_domain::Cell::ready);
            let to = facts.value(f);
            let distance = from.zip(to).map(|(a, b)| (b - a).abs() / scale);
            let differs = distance.map_or(from.is_some() != to.is_some(), |d| d > 0.0);
            differs.then_some(ChangedFeature { feature: f.id(), from, to, distance })
        })
        .collect();
    // Measured changes first, largest first; then readings that came or went.
    moved.sort_by(|a, b| match (a.distance, b.distance) {
        (Some(x), Some(y)) => y.total_cmp(&x),
        (x, y) => y.is_some().cmp(&x.is_some()),
    });
    moved.truncate(SHOWN);
    let before = previous.risk.label;
    Changed { label_from: (before != facts.axis.label).then_some(before), features: moved }
}
