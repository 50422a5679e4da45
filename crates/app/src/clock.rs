//! The wall clock, read in one place.

use barograph_domain::Ts;
use std::time::{SystemTime, UNIX_EPOCH};

/// The present moment.
pub(crate) fn now() -> Ts {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ts(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
