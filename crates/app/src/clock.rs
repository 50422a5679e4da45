//! The clock of the program, read in one place. The demo's world has its own, the venue server's; everything else runs on the machine's.

use barograph_domain::Ts;

pub(crate) use barograph_net::{Clock, SystemClock};

/// The present moment by the machine's clock.
pub(crate) fn now() -> Ts {
    SystemClock.now()
}
