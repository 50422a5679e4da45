//! Sessions for those who test agents: a clock of their own that only goes forward, and nothing that was known later (agents §4).
//!
//! Calls are answered one after another, so that the same calls give the same record. `clock` is what holds later moments back,
//! `moves` the two tools that exist here only, `record` what is written of each call, `report` what a session was worth.

mod clock;
mod moves;
mod names;
mod record;
mod report;

pub use record::{RecordLine, RecordSink, check_record, digest};
pub use report::{forecasts_of, session_report};

use crate::args::{AS_OF, Param, ToolArgs, schema};
use crate::budget::{FittedAnswer, fit};
use crate::fault::CallFault;
use crate::mask::Mask;
use crate::tools::TOOLS;
use barograph_api::Inside;
use barograph_api::agent_sessions::SessionBasis;
use barograph_domain::Ts;
use record::Record;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

/// A session that is under way.
pub struct LockedSession {
    basis: SessionBasis,
    /// What hides markets, prices and times from the agent; everything here is in real terms.
    mask: Option<Mask>,
    state: Mutex<SessionState>,
}

impl core::fmt::Debug for LockedSession {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LockedSession").field("basis", &self.basis).finish_non_exhaustive()
    }
}

struct SessionState {
    clock: Ts,
    /// The markets that were known at a moment, the clock's when it was asked last.
    known: Option<(Ts, names::KnownNames)>,
    /// Cases that were forecast: event, market, begin of the window.
    stated: Vec<(String, String, Ts)>,
    record: Record,
}

/// A tool of a session, as it is listed.
pub(crate) struct LockedTool {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    params: &'static [Param],
}

impl LockedTool {
    pub(crate) fn schema(&self) -> Value {
        schema(self.params)
    }
}

pub use moves::FORECAST;
pub(crate) use moves::LOCKED_TOOLS;

impl LockedSession {
    /// Begins a session and its record.
    ///
    /// # Errors
    /// In plain words: an end that is not after the beginning, a record that cannot be written.
    pub fn begin(basis: SessionBasis, sink: Box<dyn RecordSink>) -> Result<Self, String> {
        if basis.until <= basis.from {
            return Err(ends_too_early(basis.from, basis.until));
        }
        let mask = basis.mask.as_ref().map(Mask::new);
        let record = Record::begin(&basis, sink)?;
        let state = SessionState { clock: basis.from, known: None, stated: Vec::new(), record };
        Ok(Self { basis, mask, state: Mutex::new(state) })
    }

    /// Answers a call as of the clock; `None`: there is no such tool.
    pub(crate) async fn call(
        &self,
        inside: &Inside,
        tool: &str,
        given: Map<String, Value>,
    ) -> Option<Result<FittedAnswer, CallFault>> {
        let mut state = self.state.lock().await;
        if let Err(why) = state.record.goes_on() {
            return Some(Err(CallFault::new(why)));
        }
        let (clock, mask) = (state.clock, self.mask.as_ref());
        let shown = mask.map_or(clock, |mask| mask.shown(clock));
        let known = TOOLS.iter().find(|known| known.name == tool);
        let answered = if let Err(fault) = self.markets_are_known(&mut state, inside, (tool, &given)).await {
            Err(fault)
        } else if let Some(locked) = LOCKED_TOOLS.iter().find(|known| known.name == tool) {
            self.moved(&mut state, inside, locked, given.clone()).await
        } else if let Some(known) = known {
            match clock::held(given.clone(), shown) {
                Ok(held) => known.call(inside, held, mask).await.map_err(|fault| clock::faded(fault, shown)),
                Err(fault) => Err(mask.map_or(fault.clone(), |mask| mask.of_own_terms(fault))),
            }
        } else {
            let fault = CallFault::new("there is no such tool");
            let noted = state.record.note(clock, &cut(tool), &given, &Err(fault));
            return noted.err().map(|why| Err(CallFault::new(why)));
        };
        // An answer that is not on record was never given.
        Some(match state.record.note(clock, tool, &given, &answered) {
            Ok(()) => answered,
            Err(why) => Err(CallFault::new(why)),
        })
    }

    /// Refuses a market that is not known at the clock, as one that does not exist: that it comes later is not known either.
    async fn markets_are_known(
        &self,
        state: &mut SessionState,
        inside: &Inside,
        (tool, given): (&str, &Map<String, Value>),
    ) -> Result<(), CallFault> {
        let asked = names::asked(given);
        if asked.is_empty() {
            return Ok(());
        }
        let clock = state.clock;
        let known = match &state.known {
            Some((at, known)) if *at == clock => known,
            _ => &state.known.insert((clock, names::known_at(inside, clock).await?)).1,
        };
        for (argument, name) in asked {
            // A name that the mask does not have is refused with those that it has.
            let real = match &self.mask {
                Some(mask) => mask.market(name).ok(),
                None => Some(name),
            };
            // One tool has markets go by their asset; elsewhere an asset is answered with names, those of later markets among them.
            let by_asset = tool == "universe" && argument == "markets";
            let is_known = |real: &str| known.has(real) || by_asset && known.has_asset(real);
            if real.is_some_and(|real| !is_known(real)) {
                let why = format!(
                    "{argument}: '{name}' is no market known at the clock; the tool markets lists those that are"
                );
                return Err(CallFault::new(why));
            }
        }
        Ok(())
    }

    /// The fault of a call that ended without an answer, which is on record as any other.
    pub(crate) async fn broke_off(&self, tool: &str, given: &Map<String, Value>) -> CallFault {
        let mut state = self.state.lock().await;
        let fault = CallFault::new("the call broke off: this is a fault of the program, and the clock has not moved");
        let clock = state.clock;
        match state.record.note(clock, tool, given, &Err(fault.clone())) {
            Ok(()) => fault,
            Err(why) => CallFault::new(why),
        }
    }

    async fn moved(
        &self,
        state: &mut SessionState,
        inside: &Inside,
        tool: &LockedTool,
        given: Map<String, Value>,
    ) -> Result<FittedAnswer, CallFault> {
        let args = ToolArgs::read(given, tool.params)?;
        let mask = self.mask.as_ref();
        let args = match mask {
            Some(mask) => mask.asked(tool.name, &args)?,
            None => args,
        };
        let made = match tool.name {
            moves::ADVANCE => moves::advance(&self.basis, state, inside, &args).await,
            _ => moves::forecast(&self.basis, state, inside, &args).await,
        };
        let answer = match mask {
            Some(mask) => mask.answer(tool.name, None, made.map_err(|fault| mask.fault(fault, None))?, 0),
            None => made?,
        };
        Ok(fit(&answer, BUDGET_OF_MOVES, |_| None))
    }

    /// The mask that is on.
    pub(crate) fn mask(&self) -> Option<&Mask> {
        self.mask.as_ref()
    }
}

/// What is wrong with a session that ends before it begins.
#[must_use]
pub fn ends_too_early(from: Ts, until: Ts) -> String {
    format!("the session ends at {until} and begins at {from}; give an end after the beginning")
}

/// A name of a tool as far as it is kept of one that there is not.
fn cut(tool: &str) -> String {
    tool.chars().take(64).collect()
}

/// Tokens of what `advance` and `forecast` answer.
const BUDGET_OF_MOVES: usize = crate::budget::DEFAULT;

/// What every tool takes of moments.
const MOMENTS: [&str; 3] = [AS_OF.name, "from", "to"];
