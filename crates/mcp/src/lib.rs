//! Tools for language models, over the Model Context Protocol: what REST answers, cut to a budget of tokens.
//!
//! Ring 3. A tool asks the routes of the HTTP surface through [`barograph_api::Inside`] and arranges what they answer: it has no
//! arithmetic, no SQL and no cache of its own, so that a field which is added there is there for everybody. Everything is a read.
//! The other way round, `source` calls the tools of others as a venue.
//! Contract: `docs/agents.md`, agents §1–3.

mod answer;
mod args;
mod ask;
mod budget;
mod fault;
mod http;
mod keep;
mod locked;
mod mask;
mod number;
mod server;
mod source;
mod stdio;
mod text;
mod tools;

pub use budget::tokens;
pub use http::OverHttp;
pub use locked::{
    FORECAST, LockedSession, RecordLine, RecordSink, check_record, digest, ends_too_early, forecasts_of, session_report,
};
pub use mask::{mask_basis, seed_of, unclassified};
pub use server::AgentServer;
pub use source::{ServerPlace, SourceServer};
pub use stdio::serve_stdio;
