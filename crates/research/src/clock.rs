//! The present moment, for logs: no number depends on it.

use barograph_domain::Ts;
use std::time::SystemTime;

pub(crate) fn now() -> Ts {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ts(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
