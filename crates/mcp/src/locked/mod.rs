//! Sessions for those who test agents: a clock of their own that only goes forward, and nothing that was known later (agents §4).
//!
//! Calls are answered one after another, so that the same calls give the same record. `clock` is what holds later moments back,
//! `moves` the two tools that exist here only, `record` what is written of each call, `report` what a session was worth.

mod clock;
mod moves;
mod record;
mod report;

pub use record::{RecordLine, RecordSink, check_record, digest};
pub use report::{AgainstReading, SessionReport, SessionScore, session_report};

use crate::answer::ToolAnswer;
use crate::args::{AS_OF, Param, ToolArgs, schema};
use crate::budget::{FittedAnswer, fit};
use crate::fault::CallFault;
use crate::tools::TOOLS;
use barograph_api::Inside;
use barograph_domain::Ts;
use record::Record;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

/// What a session is about; the first line of its record.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct SessionBasis {
    /// Who is examined.
    pub agent: String,
    /// Where its clock begins.
    pub from: Ts,
    /// Where it ends.
    pub until: Ts,
    /// Digest of what is stored, so that two sessions can be compared.
    pub data_digest: String,
    /// Version of the program.
    pub version: String,
}

/// A session that is under way.
pub struct LockedSession {
    basis: SessionBasis,
    state: Mutex<SessionState>,
}

impl core::fmt::Debug for LockedSession {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LockedSession").field("basis", &self.basis).finish_non_exhaustive()
    }
}

struct SessionState {
    clock: Ts,
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

pub(crate) use moves::LOCKED_TOOLS;

impl LockedSession {
    /// Begins a session and its record.
    ///
    /// # Errors
    /// In plain words: an end that is not after the beginning, a record that cannot be written.
    pub fn begin(basis: SessionBasis, sink: Box<dyn RecordSink>) -> Result<Self, String> {
        if basis.until <= basis.from {
            return Err(format!(
                "the session ends at {} and begins at {}; give an end after the beginning",
                basis.until, basis.from
            ));
        }
        let record = Record::begin(&basis, sink)?;
        let state = SessionState { clock: basis.from, stated: Vec::new(), record };
        Ok(Self { basis, state: Mutex::new(state) })
    }

    /// Answers a call as of the clock; `None`: there is no such tool.
    pub(crate) async fn call(
        &self,
        inside: &Inside,
        tool: &str,
        given: Map<String, Value>,
    ) -> Option<Result<FittedAnswer, CallFault>> {
        let mut state = self.state.lock().await;
        let clock = state.clock;
        let answered = if let Some(locked) = LOCKED_TOOLS.iter().find(|known| known.name == tool) {
            match ToolArgs::read(given.clone(), locked.params) {
                Ok(args) => self
                    .moved(&mut state, inside, tool, &args)
                    .await
                    .map(|answer| fit(&answer, BUDGET_OF_MOVES, |_| None)),
                Err(fault) => Err(fault),
            }
        } else {
            let known = TOOLS.iter().find(|known| known.name == tool)?;
            match clock::held(given.clone(), clock) {
                Ok(held) => known.call(inside, held).await,
                Err(fault) => Err(fault),
            }
        };
        // An answer that is not on record was never given.
        match state.record.note(clock, tool, &given, &answered) {
            Ok(()) => Some(answered),
            Err(why) => Some(Err(CallFault::new(format!("the record of this session cannot be written: {why}")))),
        }
    }

    async fn moved(
        &self,
        state: &mut SessionState,
        inside: &Inside,
        tool: &str,
        args: &ToolArgs,
    ) -> Result<ToolAnswer, CallFault> {
        match tool {
            moves::ADVANCE => moves::advance(&self.basis, state, inside, args).await,
            _ => moves::forecast(&self.basis, state, inside, args).await,
        }
    }
}

/// Tokens of what `advance` and `forecast` answer.
const BUDGET_OF_MOVES: usize = crate::budget::DEFAULT;

/// What every tool takes of moments.
const MOMENTS: [&str; 3] = [AS_OF.name, "from", "to"];
