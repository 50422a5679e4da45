//! The clock of the program, read in one place. The demo's world has its own, the venue server's, and shows it in its data folder;
//! everything else runs on the machine's.

mod shown;

use barograph_domain::Ts;

pub(crate) use barograph_net::{Clock, SystemClock};
pub(crate) use shown::{FolderClock, is_simulated, now_in, shown};

/// The present moment by the machine's clock.
pub(crate) fn now() -> Ts {
    SystemClock.now()
}
