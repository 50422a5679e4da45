//! Trading sessions: when they are, what is usual in them, and the stop distance that follows (features §3, R2.1–R2.7).
//!
//! The clock decides the name, the market's own history decides what is usual. Where there is no history yet the numbers are
//! the second original's, and the payload says so.

mod history;
mod multiplier;
mod set;
mod zone;

pub use history::{SEED_BASE, SESSIONS_MIN, SessionHistory, Stretch};
pub use multiplier::{Adjusted, Conditions, adjust};
pub use set::{SessionHours, SessionSet};
pub use zone::Zone;
