//! Fits as data: a request is a window of the past, a result is parameters with their digest; between them lies a pure
//! function that any thread may run.
//!
//! A result says until when it saw data. Who enters it does so at a later moment and keeps it, so that a replay takes the
//! stored result instead of fitting again.

use super::hmm::{self, Fitted, Window};
use barograph_domain::{InstrumentName, Span, Ts};
use serde::{Deserialize, Serialize};

/// Hidden states of a market (regimes §11).
pub const STATES: usize = 3;
/// Hours a window reaches back: 180 days.
pub const WINDOW_H: usize = 4_320;
/// Observed hours before the first fit: 30 days.
pub const FIRST_FIT_H: usize = 720;
/// Hours between fits: a week.
pub const REFIT_H: i64 = 168;

/// Asks for a fit.
#[derive(Clone, PartialEq, Debug)]
pub struct FitRequest {
    /// Market that it is of.
    pub instrument: InstrumentName,
    /// The last hour of the window, in hours since 1970; nothing later is in it.
    pub cut_off: i64,
    /// `(ln rv_1h, r_1h/rv_1h)` of successive hours, the last of them [`Self::cut_off`].
    pub window: Window,
}

/// What came of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ModelUpdate {
    /// Market that it is of.
    pub instrument: InstrumentName,
    /// Which classifier it is for.
    pub classifier: String,
    /// Beginning of the first hour of the window.
    pub fitted_from: Ts,
    /// End of its last hour: nothing after this moment entered the fit.
    pub fitted_until: Ts,
    /// The model, or why there is none.
    pub outcome: Result<Fitted, String>,
    /// Digest of the parameters; empty where there are none.
    pub digest: String,
}

/// Runs a fit: the same request gives the same bits.
#[must_use]
pub fn run(request: &FitRequest) -> ModelUpdate {
    let until = Ts(0) + Span::hours(request.cut_off);
    let length = i64::try_from(request.window.len()).unwrap_or(i64::MAX);
    let outcome = hmm::fit(&request.window, STATES, hmm::fit::RULE).map_err(|e| e.to_string());
    ModelUpdate {
        instrument: request.instrument.clone(),
        classifier: "hmm".to_owned(),
        fitted_from: until - Span::hours(length),
        fitted_until: until,
        digest: outcome.as_ref().map(|f| f.params.digest()).unwrap_or_default(),
        outcome,
    }
}
