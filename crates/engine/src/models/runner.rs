//! A market's models on its minutes: hours go in, fits come back, and what is said stands in every row until the next hour.

use super::fitting::{FitRequest, ModelUpdate, run};
use super::market::MarketModels;
use super::observation::HourReadings;
use super::policy::Fits;
use crate::features::hourly::whole_hour;
use barograph_domain::{InstrumentName, ModelReading, Ts};
use serde::{Deserialize, Serialize};

/// Models of one market with the fit that is on its way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Runner {
    models: MarketModels,
    /// A fit made here that is not known yet, and when it is.
    coming: Option<(Ts, ModelUpdate)>,
    readings: [ModelReading; 2],
}

impl Runner {
    /// Models that have seen nothing.
    #[must_use]
    pub fn new(instrument: InstrumentName) -> Self {
        let models = MarketModels::new(instrument);
        let readings = models.shown();
        Self { models, coming: None, readings }
    }

    /// A minute passed. `readings` is asked at whole hours. A fit that is due enters before the hour does.
    pub fn minute(&mut self, t: Ts, fits: Fits, readings: impl FnOnce() -> HourReadings) {
        if self.coming.as_ref().is_some_and(|(at, _)| *at <= t)
            && let Some((_, update)) = self.coming.take()
        {
            // It was asked for here and its cut-off has passed, so it cannot be refused.
            drop(self.enter(t, update));
        }
        let Some(hour) = whole_hour(t) else { return };
        let due = self.models.hour(hour, &readings());
        if due
            && let Fits::Inline { delay } = fits
            && let Some(request) = self.models.wanted()
        {
            self.coming = Some((t + delay, run(&request)));
        }
        self.readings = self.models.shown();
    }

    /// A fit came from outside.
    ///
    /// # Errors
    /// As [`MarketModels::enter`].
    pub fn enter(&mut self, now: Ts, update: ModelUpdate) -> Result<(), String> {
        self.models.enter(now, update)?;
        self.readings = self.models.shown();
        Ok(())
    }

    /// Takes over the model of an earlier state of the same market, where that is newer.
    pub fn adopt(&mut self, other: &Self) {
        self.models.adopt(&other.models);
        self.readings = self.models.shown();
    }

    /// Whose models.
    #[must_use]
    pub const fn instrument(&self) -> &InstrumentName {
        self.models.instrument()
    }

    /// Is a fit wanted from outside?
    #[must_use]
    pub const fn awaits(&self) -> bool {
        self.models.awaits()
    }

    /// The fit that is wanted.
    #[must_use]
    pub fn wanted(&self) -> Option<FitRequest> {
        self.models.wanted()
    }

    /// Probabilities of the hidden states so many hours ahead of the newest one, LOW to HIGH; `None` before the first fit.
    #[must_use]
    pub fn ahead(&self, hours: usize) -> Option<Vec<f64>> {
        self.models.ahead(hours)
    }

    /// What stands in rows now.
    #[must_use]
    pub const fn readings(&self) -> &[ModelReading; 2] {
        &self.readings
    }
}
