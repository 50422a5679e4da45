//! What has been done about deliveries and positions since the last look, by whomever: the board's stream says only that, and
//! pages ask again.
//!
//! The dispatcher of this process counts what it does. What other processes write is looked for in the store, once a second and
//! while somebody listens, on the thread that looks for news: a store that is away must not hold the board up.

use super::Service;
use barograph_domain::Span;
use barograph_store::{DeliveryQuery, NoticeQuery, Reader, Result};
use std::sync::{Mutex, PoisonError};

/// How far back counts of deliveries reach: whatever ends now is among them.
const RECENT: Span = Span::hours(1);

/// What was seen last.
#[derive(Debug, Default)]
pub(super) struct Moved {
    dispatched: Mutex<u64>,
    positions: Mutex<Option<String>>,
    deliveries: Mutex<Option<String>>,
}

/// Is it another than was seen last? The first look is news: whoever listens since may have asked a moment too early.
fn differs(seen: &Mutex<Option<String>>, now: Result<String>) -> bool {
    // What cannot be read is looked for again.
    let Ok(now) = now else { return false };
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let differs = seen.as_ref() != Some(&now);
    *seen = Some(now);
    differs
}

impl Service {
    /// Reports to the board's stream what the dispatcher of this process has done; from memory.
    pub(super) fn publish_dispatched(&self) {
        let Some(now) = self.live.as_ref().and_then(|live| live.dispatched()) else { return };
        let mut seen = self.moved.dispatched.lock().unwrap_or_else(PoisonError::into_inner);
        if core::mem::replace(&mut *seen, now) != now {
            self.board.hub.deliveries_moved();
        }
    }

    /// Reports to the board's stream what the store says that it did not say a second ago.
    pub fn check_moves(&self) {
        if !self.board_is_followed() {
            return;
        }
        if self.board.hub.feeds_wanted() {
            self.weigh();
        }
        if differs(&self.moved.positions, positions(self.reader.as_ref())) {
            self.board.hub.notices_moved();
        }
        let delivers = self.live.as_ref().is_some_and(|live| live.dispatched().is_some());
        if !delivers && differs(&self.moved.deliveries, self.deliveries_now()) {
            self.board.hub.deliveries_moved();
        }
    }

    fn deliveries_now(&self) -> Result<String> {
        let newest = self.reader.deliveries(&DeliveryQuery { limit: 1, ..DeliveryQuery::default() })?;
        let newest: Vec<_> = newest.iter().map(|s| (&s.message.id, &s.delivery)).collect();
        let counts = self.reader.delivered_counts(self.clock.now() - RECENT)?;
        let waiting: Vec<_> = counts.iter().map(|c| (&c.endpoint, c.waiting)).collect();
        Ok(format!(
            "{newest:?} {waiting:?} {:?} {:?}",
            self.reader.endpoint_states()?,
            self.reader.silences(None, None)?
        ))
    }
}

fn positions(reader: &dyn Reader) -> Result<String> {
    let newest = NoticeQuery { position: None, instrument: None, as_of: None, limit: 1 };
    Ok(format!("{:?} {:?}", reader.positions(None)?, reader.notices(&newest)?))
}
