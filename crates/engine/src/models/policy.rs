//! Which markets have models, and who fits them.

use barograph_domain::{InstrumentName, Span};
use serde::{Deserialize, Serialize};

/// Markets with models unless they are named: what is kept of each is some 100 KiB, and a fit takes tenths of a second a week.
pub const MARKETS_MAX: u32 = 20;
/// Over files a fit is known this long after its cut-off.
pub const FIT_DELAY: Span = Span::hours(1);

/// Which markets have models.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelMarkets {
    /// No model is used.
    #[default]
    Off,
    /// The first so many of the run's list.
    First(u32),
    /// Those of this name: `venue:symbol`, or a symbol on any venue.
    Named(Vec<String>),
}

impl ModelMarkets {
    /// Does the market at this position of the run's list have models?
    #[must_use]
    pub fn includes(&self, at: usize, name: &InstrumentName) -> bool {
        match self {
            Self::Off => false,
            Self::First(n) => u32::try_from(at).is_ok_and(|at| at < *n),
            Self::Named(names) => {
                let full = name.to_string();
                names.iter().any(|n| *n == full || name.answers_to(n))
            }
        }
    }
}

/// Who runs fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fits {
    /// The engine, at once, and the result enters this much later: over files, where nobody waits.
    Inline {
        /// From the cut-off to the first minute that knows the fit.
        delay: Span,
    },
    /// Somebody who asks what is wanted and brings the result: live, where it is journalled before it enters.
    Outside,
}

/// How models are run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelPolicy {
    /// Which markets have them.
    pub markets: ModelMarkets,
    /// Who fits them.
    pub fits: Fits,
}

impl Default for ModelPolicy {
    fn default() -> Self {
        Self { markets: ModelMarkets::Off, fits: Fits::Inline { delay: FIT_DELAY } }
    }
}
