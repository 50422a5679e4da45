//! Which notices a receiver wants.

use barograph_domain::delivery::{MessageKind, Notice, Phase};
use barograph_domain::{Axis, InstrumentName, Pattern, Severity, Trigger};

/// What is delivered to a receiver. Empty lists mean everything.
#[derive(Clone, PartialEq, Debug)]
pub struct Filter {
    /// These types only.
    pub types: Vec<Pattern>,
    /// Nothing less severe; what is over is delivered whatever its severity.
    pub severity_min: Severity,
    /// These markets only; a bare symbol means it at every venue.
    pub markets: Vec<String>,
    /// Of label changes, those of these axes only.
    pub axes: Vec<Axis>,
    /// Also when something is over.
    pub resolved: bool,
    /// Also when it cannot be seen whether something goes on.
    pub no_data: bool,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            types: Vec::new(),
            severity_min: Severity::Info,
            markets: Vec::new(),
            axes: Vec::new(),
            resolved: true,
            no_data: false,
        }
    }
}

/// The axis that a label change is about.
#[must_use]
pub fn axis_of(notice: &Notice) -> Option<Axis> {
    let of_type = || (notice.pattern? == Pattern::VolatilityRegimeChange).then_some(Axis::Volatility);
    notice.trigger.and_then(Trigger::axis).or_else(of_type)
}

impl Filter {
    /// Is this notice for the receiver? Samples are, because somebody asked for them.
    #[must_use]
    pub fn wants(&self, notice: &Notice) -> bool {
        match notice.kind {
            // Whoever made a watch wants to hear of it, and may have named who is to hear.
            MessageKind::Sample | MessageKind::Watch => return true,
            // How the delivery itself is doing concerns whoever counts on it, unless the receiver is for certain things only.
            MessageKind::Delivery => return self.types.is_empty() && self.markets.is_empty(),
            MessageKind::Alert | MessageKind::Group | MessageKind::Position => {}
        }
        let phase = match notice.phase {
            Phase::Firing | Phase::Happened => notice.severity >= self.severity_min,
            // An alert that fired below the limit never was severe: its end is not news either.
            Phase::Resolved => self.resolved && notice.severity >= self.severity_min,
            Phase::NoData => self.no_data && notice.severity >= self.severity_min,
        };
        phase && self.of_type(notice) && self.of_market(notice) && self.of_axis(notice)
    }
    fn of_type(&self, notice: &Notice) -> bool {
        self.types.is_empty() || notice.pattern.is_some_and(|p| self.types.contains(&p))
    }
    fn of_market(&self, notice: &Notice) -> bool {
        let Some(instrument) = &notice.instrument else { return true };
        self.markets.is_empty() || self.markets.iter().any(|m| means(m, instrument))
    }
    fn of_axis(&self, notice: &Notice) -> bool {
        self.axes.is_empty() || axis_of(notice).is_none_or(|a| self.axes.contains(&a))
    }
}

fn means(market: &str, instrument: &InstrumentName) -> bool {
    InstrumentName::parse(market).map_or_else(|_bare| instrument.answers_to(market), |full| full == *instrument)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{notice, with};

    #[test]
    fn a_filter_decides_by_each_of_its_parts() {
        let base = notice("binance-usdm:BTCUSDT", Phase::Firing);
        let all = Filter::default();
        let only = |f: fn(&mut Filter)| {
            let mut filter = Filter::default();
            f(&mut filter);
            filter
        };
        let cases = [
            (all.clone(), base.clone(), true),
            (only(|f| f.types = vec![Pattern::FundingAnomaly]), base.clone(), true),
            (only(|f| f.types = vec![Pattern::DataGap]), base.clone(), false),
            (only(|f| f.severity_min = Severity::Critical), base.clone(), false),
            (only(|f| f.severity_min = Severity::High), base.clone(), true),
            (only(|f| f.markets = vec!["BTC/USDT".into()]), base.clone(), true),
            (only(|f| f.markets = vec!["bybit:BTCUSDT".into()]), base.clone(), false),
            (all.clone(), with(&base, |n| n.phase = Phase::Resolved), true),
            (only(|f| f.resolved = false), with(&base, |n| n.phase = Phase::Resolved), false),
            (all.clone(), with(&base, |n| n.phase = Phase::NoData), false),
            (only(|f| f.no_data = true), with(&base, |n| n.phase = Phase::NoData), true),
            (only(|f| f.axes = vec![Axis::Risk]), with(&base, |n| n.trigger = Some(Trigger::Heat)), false),
            (only(|f| f.axes = vec![Axis::Heat]), with(&base, |n| n.trigger = Some(Trigger::Heat)), true),
            (only(|f| f.axes = vec![Axis::Heat]), base.clone(), true),
            (only(|f| f.types = vec![Pattern::DataGap]), with(&base, |n| n.kind = MessageKind::Sample), true),
            (only(|f| f.types = vec![Pattern::DataGap]), with(&base, |n| n.kind = MessageKind::Delivery), false),
        ];
        for (i, (filter, n, want)) in cases.into_iter().enumerate() {
            assert_eq!(filter.wants(&n), want, "case {i}: {filter:?}");
        }
    }
}
