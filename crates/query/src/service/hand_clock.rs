//! A clock of tests, which stands until it is set.

use barograph_domain::Ts;
use barograph_net::Clock;
use std::sync::atomic::{AtomicI64, Ordering};

pub(super) struct Hand(AtomicI64);

impl Hand {
    pub(super) fn at(moment: Ts) -> Self {
        Self(AtomicI64::new(moment.0))
    }

    pub(super) fn set(&self, moment: Ts) {
        self.0.store(moment.0, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Ts {
        Ts(self.0.load(Ordering::Relaxed))
    }
    fn rate(&self) -> f64 {
        1.0
    }
}
