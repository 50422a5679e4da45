//! The scorecard: ticks of the ledger in, one row per event, forecaster, scope and window out (verification §8).
//!
//! Everything follows from the ledger alone, so whoever has its export can make every number again. One event is gathered at a time:
//! a year of ten markets is a million cases of each.

mod alerts;
mod coverage;
mod decision;
mod entry;
mod gather;
mod row;
mod stability;

pub use coverage::Coverage;
pub(crate) use decision::sequence_reading;
pub use gather::Gather;

use barograph_domain::Span;
use barograph_domain::forecast::{ForecastEvent, LedgerTick, SymbolGroup};
use barograph_domain::scorecard::{AlertRow, ScoreRow, StabilityRow};

/// Windows that are shown, shortest first; `None` is all of it.
pub const WINDOWS: [(&str, Option<Span>); 4] =
    [("30d", Some(Span::days(30))), ("90d", Some(Span::days(90))), ("365d", Some(Span::days(365))), ("all", None)];

/// What is wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScoreFilter {
    /// These windows only; empty: all four.
    pub windows: Vec<String>,
    /// These scopes only: `all`, a group or a market; empty: all there are.
    pub scopes: Vec<String>,
}

impl ScoreFilter {
    fn window(&self, id: &str) -> bool {
        self.windows.is_empty() || self.windows.iter().any(|w| w == id)
    }

    /// Windows that are wanted, shortest first.
    fn lengths(&self) -> impl Iterator<Item = (&'static str, Option<Span>)> + '_ {
        WINDOWS.into_iter().filter(|(id, _)| self.window(id))
    }

    fn scope(&self, id: &str) -> bool {
        self.scopes.is_empty() || self.scopes.iter().any(|s| s == id)
    }
}

/// Everything about one event.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EventScores {
    /// Scores of the forecasts, pooled ones first.
    pub rows: Vec<ScoreRow>,
    /// What asserts the event, as alerts.
    pub alerts: Vec<AlertRow>,
    /// Labels of the axis that asserts it; of the first event of each axis.
    pub stability: Vec<StabilityRow>,
    /// What alerts per day are over, where the ticks had forecasts of `hv_1h`; else it is for the caller to fill in.
    pub coverage: Option<Coverage>,
}

/// Scores one event of a ledger. Ticks come in order of time; other events in them are passed over.
pub fn score_event<'a>(
    event: ForecastEvent,
    ticks: impl IntoIterator<Item = &'a LedgerTick>,
    wanted: &ScoreFilter,
) -> EventScores {
    let mut gather = Gather::new(event);
    for tick in ticks {
        gather.tick(tick);
    }
    gather.finish(wanted)
}

/// Which cases count.
#[derive(Clone, PartialEq, Debug)]
enum Scope {
    All,
    Group(SymbolGroup),
    Market(u16),
}

/// The horizon of an event; of one without its own, what a level's hourly bars take.
pub(crate) fn horizon(event: ForecastEvent) -> Span {
    event.horizon().unwrap_or(Span::hours(12))
}
