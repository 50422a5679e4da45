//! A venue whose wire is the Model Context Protocol (R3.9): tools of somebody else's server are called on a schedule, and a table of the
//! settings names where in their answers the facts stand.
//!
//! [`table`] is that table, `shipped` those that come with the program, `read` an answer, `session` when what is called and what
//! follows. The server has to be asked what it has before a session begins; that and every call are requests to addresses of the form
//! `mcp:TOOL` with the arguments as their body, which whoever drives the session carries out.

mod read;
mod session;
mod shipped;
pub mod table;

pub use shipped::{SHIPPED, ShippedTable};
pub use table::{McpCall, McpFact, McpGood, McpSource, StampUnit};

use crate::session::registry::no_further;
use crate::session::{Ask, BaseAddresses, Limits, MarketSpec, Pool, PoolId, VenueDef};
use barograph_domain::{MarketKind, Metric, Span};

/// What ids of such venues end with, so that nobody takes one for the exchange itself.
pub const SUFFIX: &str = "-mcp";
/// Scheme of the addresses of calls.
pub const SCHEME: &str = "mcp:";
/// Address of what the server has: answered with [`Offered`] as JSON.
pub const LIST: &str = "mcp:";
/// The one budget.
pub(crate) const CALLS: PoolId = PoolId(0);
/// Calls a minute: a server stands before an exchange whose limits it does not state.
const CALLS_PER_MINUTE: u32 = 240;
/// Calls under way at once.
const CALLS_AT_ONCE: u32 = 4;

/// What a server has, and which markets the settings name.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Offered {
    /// Names of its tools.
    pub tools: Vec<String>,
    /// Markets that the settings name, as their sessions list them.
    pub markets: Vec<MarketSpec>,
}

/// The venue of this id, which ends with [`SUFFIX`]. Its table is in the configuration of the session.
#[must_use]
pub const fn def(id: &'static str, trades: MarketKind) -> VenueDef {
    VenueDef {
        id,
        trades,
        endpoints,
        limits,
        metrics: &Metric::ALL,
        discovery: |_| vec![Ask::get(LIST.to_owned(), CALLS)],
        further: no_further,
        instruments: |answers| answers.iter().try_fold(Vec::new(), |all, body| markets(all, body)),
        time: |_| None,
        read_time: |_| None,
        open: |config| Box::new(session::McpSession::new(config)),
    }
}

/// The kind of market of a venue with this id, where it is one of these.
#[must_use]
pub fn trades(id: &str) -> Option<MarketKind> {
    let name = id.strip_suffix(SUFFIX)?;
    Some(if name.ends_with("-spot") { MarketKind::Spot } else { MarketKind::Perpetual })
}

/// There are none: the settings name the program or the address.
fn endpoints() -> BaseAddresses {
    BaseAddresses { rest: SCHEME.to_owned(), ws: String::new() }
}

fn limits() -> Limits {
    Limits {
        pools: vec![Pool::own(CALLS, "calls", CALLS_PER_MINUTE, Span::mins(1), CALLS_AT_ONCE)],
        ..Limits::usual("mcp")
    }
}

fn markets(mut all: Vec<MarketSpec>, body: &[u8]) -> Result<Vec<MarketSpec>, String> {
    let offered: Offered =
        serde_json::from_slice(body).map_err(|e| format!("what the server has cannot be read: {e}"))?;
    all.extend(offered.markets);
    Ok(all)
}
