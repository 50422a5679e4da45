//! What the burst that goes on is made of: its own closes, not those of a minute or of hours around it (surveillance §2).
//!
//! An episode begins with the closes of the 60 s that opened it and takes every one that is heard while it goes on. A record
//! shows them as of the last moment at which the pattern held, so that the end reports the burst and not the calm behind it.

use super::inputs::LiquidationInputs;
use crate::liquidations::Made;
use serde::{Deserialize, Serialize};

/// Memory of one market's burst.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct BurstMemory {
    all: Option<Made>,
    held: Option<Made>,
}

impl BurstMemory {
    /// One evaluation has been made: an episode was open before it, is open after it, and the pattern held.
    pub(super) fn note(&mut self, l: &LiquidationInputs, (was_open, is_open): (bool, bool), known: bool, held: bool) {
        if !was_open {
            *self = Self { all: l.made.filter(|_| is_open), held: None };
        } else if let (Some(all), Some(close)) = (&mut self.all, &l.close) {
            all.add(close);
        }
        if let Some(all) = self.all.as_mut().filter(|_| !known) {
            all.lower_bound = true;
        }
        if held {
            self.held = self.all;
        }
    }

    /// What a record shows.
    pub(super) fn shown(&self) -> Option<Made> {
        self.held.or(self.all)
    }
}
