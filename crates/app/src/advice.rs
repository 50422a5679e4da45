//! Advice on the command line: what the operator has set for it, and how it is printed.

pub(crate) mod print;

use crate::config::Settings;
use barograph_engine::advice::OperatorSettings as Rules;

/// What the operator has set.
pub(crate) const fn rules(settings: &Settings) -> Rules {
    Rules {
        stop_mode: settings.stop_mode,
        stop_uses_vol_multiplier: settings.stop_uses_vol_multiplier,
        blackout: settings.news_blackout,
    }
}
