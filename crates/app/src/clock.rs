//! The clock of the program, read in one place. The demo's world has its own; everything else runs on the machine's.

use barograph_domain::Ts;

pub(crate) use barograph_net::{Clock, SystemClock};

/// The present moment by the machine's clock.
pub(crate) fn now() -> Ts {
    SystemClock.now()
}

/// One clock for the built-in venue server and for everything that listens to it.
#[derive(Debug)]
pub(crate) struct WorldClock(barograph_sim::VirtualClock);

impl WorldClock {
    /// Begins at `origin` and runs `rate` times as fast as the machine's.
    pub(crate) fn new(origin: Ts, rate: f64) -> Self {
        Self(barograph_sim::VirtualClock::new(origin, rate))
    }
}

impl barograph_sim::Clock for WorldClock {
    fn now(&self) -> Ts {
        barograph_sim::Clock::now(&self.0)
    }
    fn rate(&self) -> f64 {
        barograph_sim::Clock::rate(&self.0)
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Ts {
        barograph_sim::Clock::now(&self.0)
    }
    fn rate(&self) -> f64 {
        barograph_sim::Clock::rate(&self.0)
    }
}
