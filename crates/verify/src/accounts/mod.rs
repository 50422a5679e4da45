//! Truth that nobody injected (surveillance §10): where a venue names the accounts of its trades, round trips between linked accounts are
//! what the account-blind statistics of `WASH_TRADING` are held against.
//!
//! Accounts are [`AccountMark`]s, made outside by a salted hash: no address comes here. Reading order: `tape` (fills of accounts become
//! trades), `links` (which hours hold a round trip), `score` (what the statistics were worth).

pub mod links;
pub mod score;
pub mod study;
pub mod tape;

pub use links::{HourLabel, LinkRule, LinkedTrip, label};
pub use score::{AccountScore, AlertHours, SignRoc};
pub use study::{AccountReport, SymbolClass, TapeReport, study};
pub use tape::{AccountFill, AccountMark, AccountTrade, FillTape, join};
