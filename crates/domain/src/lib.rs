//! What exists: instants, prices, instruments, streams, events, readings, regimes, snapshots.
//!
//! Ring 0. Nothing here reads a clock, a file or a socket, and nothing here names a venue's wire format: that is
//! `venues`. Words that appear on the wire (enum spellings, metric names) are defined here exactly once.
#![warn(missing_docs)]

pub mod advice;
pub mod alert;
pub mod bins;
pub mod calendar;
pub mod case;
pub mod cell;
pub mod contest;
pub mod delivery;
pub mod depth;
pub mod drift;
pub mod event;
pub mod forecast;
pub mod guidance;
pub mod headline;
pub mod health;
pub mod instrument;
pub mod json;
pub mod leg;
pub mod level;
pub mod math;
pub mod metric;
pub mod model;
pub mod number;
pub mod option;
pub mod paper;
pub mod pattern;
pub mod portfolio;
pub mod random;
pub mod regime;
pub mod row;
pub mod scorecard;
pub mod session;
pub mod signal;
pub mod similar;
pub mod snapshot;
pub mod status;
pub mod stream;
pub mod text;
pub mod thresholds;
pub mod time;
pub mod universe;
pub mod whatif;

pub use alert::{Alert, AlertState, KnownAlert, Severity, Trigger};
pub use calendar::{CalendarEntry, Impact};
pub use cell::{Cell, Kind, Reason, State};
pub use event::{Bar, Event, Payload, Side};
pub use headline::{Headline, HeadlineKind, HeadlinePart};
pub use instrument::{Instrument, InstrumentName, MarketKind, NameError, Venue};
pub use level::{Level, LevelChange, LevelEvent, LevelType};
pub use metric::Metric;
pub use model::{Model, ModelReading, ModelState};
pub use number::{Price, Qty};
pub use option::{OptionCurrency, OptionQuote, OptionRight};
pub use pattern::Pattern;
pub use regime::{
    Axis, HeatRegime, HeldBy, Label, Posture, RiskBias, RiskRegime, StopVulnerability, TrendRegime, VolRegime,
    spoken_label, spoken_margin,
};
pub use row::{
    AxisState, Confirmation, InputAge, MinuteRow, OpenAlert, OpenAlerts, OpenExperimental, TIMEFRAMES, Timeframes,
};
pub use session::TradingSession;
pub use signal::{SignalFault, SignalKey, SignalKnown, SignalName, SignalNumber, SignalPoint, SignalScope};
pub use snapshot::Snapshot;
pub use status::{GapReason, Status, StatusState};
pub use stream::{Stamp, StreamDecl, StreamIndex};
pub use time::{Span, Ts};
pub use universe::{PairReading, PairState, Portfolio, UniverseRow};
