//! Advice on a trade whose side, entry and stop the caller chose (R1.64–R1.74, R2.22–R2.27; C01).
//!
//! [`advise`] turns a context and an intent into numbers and codes; it allocates nothing and writes no text.
//! [`render`] puts those into the words of the wire. Nothing here makes an order, picks a side, or says to enter: the
//! caller states side, entry and equity, and gets parameters with their reasons. The context is a plain struct with an
//! `Option` for everything, so that a snapshot, a row or a frame from Python can fill what it knows; what is missing falls
//! back to the legacy parameters with the reason beside them, and conditions on it are listed as not evaluated.
//!
//! `positions` watches positions the user has registered.

mod basis;
mod context;
pub mod digits;
mod intent;
mod kelly;
mod options;
mod parameters;
mod positions;
mod render;
mod rounding;
mod size;
mod stop;
mod target;
mod text;
mod verdict;
mod warnings;

pub use basis::AdviceBasis;
pub use context::Words;
pub use context::{
    AdviceContext, Calibrated, Confidence, CorrelatedPosition, CrowdedSide, MarketSnapshot, PastDurations, RiskContext,
    SessionContext, SideStops, Staleness, TrendContext, UpcomingEvent,
};
pub use intent::{
    Blackout, CallerLimits, Costs, Intent, IntentError, MarketRules, OperatorSettings, StopMode, Trades, side_of,
};
pub use kelly::{Kelly, expected_value, kelly_fraction, wilson};
pub use options::{MoveStop, Options, SizeOffer, Wait};
pub use parameters::{Parameters, parameters};
pub use positions::{
    CONSERVATIVE_CARD, CascadeNote, FarEntry, PositionContext, PositionError, PositionState, PositionWatch, register,
};
pub use render::render;
pub use size::{RiskFraction, Sizing, Units, position_size, risk_fraction, size_for};
pub use stop::{Clusters, StopPlan, take_stop};
pub use target::{Target, take_target};
pub use verdict::{Judgement, ReasonSet};
pub use warnings::WarningSet;

use barograph_domain::Side;
use barograph_domain::advice::Missing;

/// Everything computed for one intent: numbers and codes, no text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Advice {
    /// Parameters of risk §1.
    pub parameters: Parameters,
    /// The stop in use, the computed one, one off the cluster.
    pub stop: StopPlan,
    /// Where the target lies.
    pub target: Target,
    /// Size of the position, and what limits it.
    pub size: Sizing,
    /// Verdict with its reasons.
    pub judgement: Judgement,
    /// Warnings that hold.
    pub warnings: WarningSet,
    /// What could be done instead.
    pub options: Options,
    /// `no_snapshot` when there was no context.
    pub error: Option<Missing>,
}

impl Advice {
    /// The alias of R2.27: false for AVOID only, with the reason that decided.
    #[must_use]
    pub fn should_trade(&self) -> (bool, &'static str) {
        let fine = self.judgement.verdict != barograph_domain::advice::Verdict::Avoid;
        (fine, self.judgement.decided_by.name())
    }
}

/// Judges one intent in its context; without a context the legacy parameters and AVOID for want of data.
///
/// # Errors
/// When the intent itself cannot be meant: a price that is none, a stop on the wrong side, a share outside its range.
pub fn advise(
    ctx: Option<&AdviceContext<'_>>,
    intent: &Intent<'_>,
    settings: &OperatorSettings,
) -> Result<Advice, IntentError> {
    intent.check()?;
    let parameters = parameters(ctx, intent.side, settings);
    let stop = stop::plan(ctx, intent, &parameters, settings);
    let target = target::place(ctx, intent, &parameters, &stop);
    let size = size::sizing(intent, &parameters, &stop);
    let judgement = verdict::judge(ctx, intent.side, &stop, settings);
    let warnings = warnings::warnings(ctx, intent, &stop, &judgement);
    let options = options::options(ctx, intent, &parameters, &stop, &size, &warnings);
    let error = ctx.is_none().then_some(Missing::NoSnapshot);
    Ok(Advice { parameters, stop, target, size, judgement, warnings, options, error })
}

/// +1 for a long, −1 for a short.
const fn sign(side: Side) -> f64 {
    match side {
        Side::Long => 1.0,
        Side::Short => -1.0,
    }
}
