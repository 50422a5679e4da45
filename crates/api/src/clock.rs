//! What this process calls now, and the recorded stretch that a first reader is shown.

use barograph_domain::Ts;
use serde::Serialize;
use utoipa::ToSchema;

/// The clock that ages, windows and forecasts of this process are counted by.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct ClockView {
    /// The present moment.
    #[schema(value_type = String, format = DateTime)]
    pub now: Ts,
    /// Seconds of this clock per second of the machine; 1 is real time.
    pub rate: f64,
    /// It is the clock of a synthetic market and not that of the machine.
    pub simulated: bool,
    /// The recorded stretch to begin with, once all of it can be read; null where none is meant.
    pub story: Option<StoryView>,
}

/// A recorded stretch worth playing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct StoryView {
    /// Its first moment.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// Its last.
    #[schema(value_type = String, format = DateTime)]
    pub until: Ts,
    /// Recorded seconds per second of the reader's, to begin with.
    pub speed: u32,
}
