//! Sessions of agents as they go over the wire: one that is begun, those there are, and what one was worth (agents §4).
//!
//! Whoever keeps them implements [`AgentSessions`]: the records lie in files, and this crate knows none. A session has a token of its
//! own, which opens `/mcp` and nothing else; it begins with [`SESSION_TOKEN`], so that one that has ended is never taken for no token.

use crate::agents::{AgentDoor, Inside};
use crate::scores::ForecastView;
use barograph_domain::forecast::ForecastEvent;
use barograph_domain::{InstrumentName, Ts};
use core::fmt;
use core::pin::Pin;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// What the token of every session begins with.
pub const SESSION_TOKEN: &str = "brgs_";

/// What the forecaster of an agent's forecast begins with; the id of its session follows.
pub const AGENT: &str = "agent:";

/// A session somebody begins for an agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgentSession {
    /// Who is examined, 1 to 64 characters; `agent` where it is left out.
    #[serde(default)]
    #[schema(example = "momentum")]
    pub agent: Option<String>,
    /// Where its clock begins.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// Where it ends.
    #[schema(value_type = String, format = DateTime)]
    pub until: Ts,
    /// Are markets, prices and times hidden? Not where it is left out.
    #[serde(default)]
    pub mask: Option<bool>,
    /// What the mask is drawn from, below 2^53; goes with `mask`. Left out, it is drawn from the other fields.
    #[serde(default)]
    pub seed: Option<u64>,
}

/// A session that has begun.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct AgentSessionBegun {
    /// Its id, the name of its record.
    #[schema(example = "momentum-1")]
    pub id: String,
    /// Opens `/mcp` as `Authorization: Bearer`, and nothing else. It is shown once.
    pub token: String,
    /// Who is examined.
    pub agent: String,
    /// Where its clock begins.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// Where it ends.
    #[schema(value_type = String, format = DateTime)]
    pub until: Ts,
    /// Are markets, prices and times hidden?
    pub is_masked: bool,
}

/// The sessions there are a record of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct AgentSessionList {
    /// The newest first.
    pub items: Vec<AgentSessionLine>,
    /// There are more than are listed.
    pub more: bool,
}

/// A session in the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct AgentSessionLine {
    /// Its id, the name of its record.
    #[schema(example = "momentum-1")]
    pub id: String,
    /// Who is examined.
    pub agent: String,
    /// Where its clock begins.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// Where it ends.
    #[schema(value_type = String, format = DateTime)]
    pub until: Ts,
    /// Are markets, prices and times hidden?
    pub is_masked: bool,
    /// Does its token still open `/mcp`?
    pub is_open: bool,
    /// Calls on its record.
    pub calls: u64,
    /// Forecasts on its record.
    pub forecasts: u64,
}

/// What a session is about; the first line of its record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionBasis {
    /// Who is examined.
    pub agent: String,
    /// Where its clock begins.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// Where it ends.
    #[schema(value_type = String, format = DateTime)]
    pub until: Ts,
    /// Digest of what is stored, so that two sessions can be compared.
    pub data_digest: String,
    /// Version of the program.
    pub version: String,
    /// What is hidden, and how; left out where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<MaskBasis>,
}

/// What a mask is made of. Whoever has it can take the mask off: it is on the record, and never in an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MaskBasis {
    /// What factors and shift are drawn from.
    pub seed: u64,
    /// The markets, in the order of their names under the mask: the first is `M01`.
    pub markets: Vec<String>,
}

/// A session, read from its record.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct SessionReport {
    /// What it was about.
    pub basis: SessionBasis,
    /// Is what is stored now the same as then? Else outcomes may be others.
    pub is_same_data: bool,
    /// Hash of its last line: two runs of the same agent on the same data have the same.
    pub transcript: String,
    /// How often a tool was called.
    pub calls: u64,
    /// Of them, answered with an error.
    pub errors: u64,
    /// Tokens that were answered.
    pub tokens: u64,
    /// Forecasts on record.
    pub forecasts: u64,
    /// Of them, without an outcome: the ledger has no such case, or too little of its window was seen.
    pub unresolved: u64,
    /// What they were worth, by event.
    pub scores: Vec<SessionScore>,
}

/// Forecasts of one event.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct SessionScore {
    /// The event.
    #[schema(example = "hv_1h")]
    pub event: String,
    /// Cases with an outcome.
    pub n: usize,
    /// Windows among them that do not overlap.
    pub n_eff: usize,
    /// How often it happened.
    pub base_rate: Option<f64>,
    /// Mean squared error of the probabilities.
    pub brier: Option<f64>,
    /// Mean negative log likelihood, nats.
    pub log_score: Option<f64>,
    /// Skill against each of `climatology`, `persistence` and `rules`, on the cases for which it had a probability.
    pub against: BTreeMap<String, AgainstReading>,
}

/// Skill against a reference.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct AgainstReading {
    /// Cases it is of.
    pub n: usize,
    /// `1 − BS/BS_ref`; null where the reference was perfect, or there is no case.
    pub skill: Option<f64>,
    /// Its 90 % band (block bootstrap); null where there is too little data for one.
    pub band: Option<[f64; 2]>,
    /// Mean squared error of the reference.
    pub reference_brier: Option<f64>,
}

/// A forecast on the record of a session, in real terms.
#[derive(Clone, PartialEq, Debug)]
pub struct SessionForecast {
    /// What it is about.
    pub event: ForecastEvent,
    /// Of which market.
    pub market: InstrumentName,
    /// Where its window begins: the case of the ledger that it is about.
    pub issued_ts: Ts,
    /// The session's clock when it was made.
    pub stated_ts: Ts,
    /// Probability that it happens, in [0, 1].
    pub probability: f64,
    /// Hash of its line of the record, hexadecimal: it covers every call and answer before it.
    pub line: String,
}

/// A forecast of a session beside the ledger's own case.
#[derive(Clone, PartialEq, Debug)]
pub struct SessionCase {
    /// As it is listed.
    pub view: ForecastView,
    /// What the ledger has of the same event, market and moment; `None` where it has nothing.
    pub case: Option<ForecastView>,
}

/// Why a session is not begun or shown, one sentence each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionFault {
    /// What was asked for cannot be meant.
    Refused(String),
    /// There is no record of that id.
    Unknown(String),
    /// As many are open as there may be.
    Full(String),
    /// It could not be read or written; for the operator.
    Broken(String),
}

/// Something that takes its time.
pub type SessionWork<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionFault>> + Send + 'a>>;

/// Keeps sessions of agents and their records.
pub trait AgentSessions: Send + Sync {
    /// Begins one; `inside` asks the routes of this server.
    fn begin(&self, inside: Inside, new: NewAgentSession) -> SessionWork<'_, AgentSessionBegun>;
    /// The records there are, the newest first. Reads files.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn list(&self) -> Result<AgentSessionList, SessionFault>;
    /// What one was worth.
    fn report<'a>(&'a self, inside: Inside, id: &'a str) -> SessionWork<'a, SessionReport>;
    /// The forecasts on the record of one, in the order in which they were made. Reads a file.
    ///
    /// # Errors
    /// There is no such record, or it is not what was written.
    fn forecasts(&self, id: &str) -> Result<Vec<SessionForecast>, SessionFault>;
    /// Who answers for the session of this token; `None`: no open session has it. It is in use from now on.
    fn door(&self, token: &str) -> Option<AgentDoor>;
}

/// Who keeps sessions of agents.
#[derive(Clone)]
pub struct SessionRoom(pub Arc<dyn AgentSessions>);

impl fmt::Debug for SessionRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionRoom")
    }
}
