//! How good calls were, and every call with what came of it.

use super::{Page, QueryError};
use crate::agent_sessions::{SessionCase, SessionForecast};
use crate::scores::ForecastView;
use barograph_domain::drift::DriftReport;
use barograph_domain::forecast::{ForecastEvent, Forecaster};
use barograph_domain::scorecard::Scorecard;
use barograph_domain::{InstrumentName, Span, Ts};
use std::sync::Arc;

/// Which part of the scorecard.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScorecardFilter {
    /// These events only; empty: all.
    pub events: Vec<ForecastEvent>,
    /// Whose forecasts; `None`: those of the rules.
    pub classifier: Option<Forecaster>,
    /// `all`, groups (`btc`, `eth`, `other`) and markets by their full names; empty: all there are.
    pub scopes: Vec<String>,
    /// `30d`, `90d`, `365d`, `all`; empty: all four.
    pub windows: Vec<String>,
    /// As the ledger was known then.
    pub as_of: Option<Ts>,
}

/// Which part of the answer whether the market has changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DriftFilter {
    /// Markets by their full names; empty: all there are.
    pub markets: Vec<String>,
    /// Weeks looked back, at least 1.
    pub weeks: u32,
    /// As the ledger was known then.
    pub as_of: Option<Ts>,
}

/// Which forecasts, by the moment of issue: the newest of a stretch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForecastFilter {
    /// These events only; empty: all.
    pub events: Vec<ForecastEvent>,
    /// Whose forecasts; `None`: those of the rules.
    pub classifier: Option<Forecaster>,
    /// One market only.
    pub market: Option<InstrumentName>,
    /// First moment; `None`: a day before the end.
    pub from: Option<Ts>,
    /// First moment no longer wanted; `None`: after the newest.
    pub to: Option<Ts>,
    /// The newest so many are left out: those at the last instant that an earlier page has shown.
    pub skip: usize,
    /// Most forecasts wanted; at least 1.
    pub limit: usize,
    /// As the ledger was known then.
    pub as_of: Option<Ts>,
}

impl ForecastFilter {
    /// Longest stretch that one page is looked for in: a page never walks through years.
    pub const STRETCH_MAX: Span = Span::days(31);

    /// Is a stretch longer than that?
    #[must_use]
    pub const fn is_too_long(from: Ts, to: Ts) -> bool {
        to.0.saturating_sub(from.0) > Self::STRETCH_MAX.0
    }
}

/// The scorecard, and the forecasts it is of.
pub trait AskScores {
    /// The answer of [`Self::scorecard`] where it was given before and still holds: nothing is computed.
    ///
    /// # Errors
    /// As there.
    fn scorecard_kept(&self, asked: &ScorecardFilter) -> Result<Option<Arc<Scorecard>>, QueryError>;

    /// Scores the ledger of the configured book. An answer that was given before may be given again while the ledger stands as it
    /// stood. It takes every core and much memory, so this crate asks for one at a time.
    ///
    /// # Errors
    /// [`QueryError::NoForecasts`] where none was registered, [`QueryError::OtherBook`], [`QueryError::TooMuch`] for more cases than
    /// a process may hold, or the store's failure.
    fn scorecard(&self, asked: &ScorecardFilter) -> Result<Arc<Scorecard>, QueryError>;

    /// How far readings have moved against their own past, and how good forecasts were in 30 days.
    ///
    /// # Errors
    /// As [`Self::scorecard`].
    fn drift(&self, asked: &DriftFilter) -> Result<DriftReport, QueryError>;

    /// Forecasts with what came of them, ascending by the moment of issue: the newest `limit` of the stretch. `more`: there are
    /// older ones in it.
    ///
    /// # Errors
    /// As [`Self::scorecard`]; [`QueryError::BadField`] for a stretch longer than [`ForecastFilter::STRETCH_MAX`].
    fn forecasts(&self, asked: &ForecastFilter) -> Result<Page<ForecastView>, QueryError>;

    /// Forecasts that were on the record of a session, beside the cases of the ledger that they are about; ascending by the moment of
    /// issue.
    ///
    /// # Errors
    /// As [`Self::scorecard`]; a ledger that has nothing yet is none.
    fn session_cases(
        &self,
        session: &str,
        stated: &[SessionForecast],
        as_of: Option<Ts>,
    ) -> Result<Vec<SessionCase>, QueryError>;
}
