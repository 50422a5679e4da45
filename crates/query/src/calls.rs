//! What the ledger had stated of a market before a minute, read from the store.

use crate::contest::InUse;
use crate::render::Lens;
use barograph_domain::forecast::{Calls, ForecastEvent, Forecaster, LedgerTick};
use barograph_domain::{InstrumentName, MinuteRow, Span, Ts};
use barograph_store::{Range, Reader, Result};
use core::ops::ControlFlow;
use std::collections::VecDeque;
use std::sync::Arc;

/// Ticks that are older are not looked for; what is shown of them is decided where they are shown.
const BACK: Span = Span::mins(15);

/// The calls of the newest tick before a row's minute; those of its own minute are not registered yet when the row is published.
///
/// # Errors
/// When the store cannot be read.
pub fn before(reader: &dyn Reader, lens: &Lens, row: &MinuteRow, in_use: Option<&InUse>) -> Result<Option<Arc<Calls>>> {
    let market = &lens.instrument.name;
    let tick = reader.latest_ledger(&lens.logic_version, Some(row.ts))?;
    let Some(mut calls) = tick.and_then(|tick| of(&tick, market)) else { return Ok(None) };
    for (event, who, ledger) in in_use.into_iter().flat_map(InUse::contestants) {
        // Where a contestant has nothing of this tick, the rules' forecast stands and says so.
        let tick = reader.latest_ledger(&ledger, Some(row.ts))?.filter(|t| t.ts == calls.ts);
        if let Some(call) = tick.and_then(|t| Calls::of(&t, market, who)?.get(event).copied()) {
            calls.replace(call);
        }
    }
    Ok(Some(Arc::new(calls)))
}

pub(crate) fn of(tick: &LedgerTick, market: &InstrumentName) -> Option<Calls> {
    Calls::of(tick, market, Forecaster::Rules)
}

/// The calls of a stretch, for rows that are asked in order.
#[derive(Debug, Default)]
pub(crate) struct OrderedCalls {
    coming: VecDeque<Arc<Calls>>,
    last: Option<Arc<Calls>>,
}

impl OrderedCalls {
    /// Those of the newest tick before a minute, not before one that was asked already.
    pub(crate) fn before(&mut self, ts: Ts) -> Option<Arc<Calls>> {
        while self.coming.front().is_some_and(|c| c.ts < ts) {
            self.last = self.coming.pop_front();
        }
        self.last.clone()
    }
}

/// The calls before the minutes of a stretch, both ends among them.
pub(crate) fn over(reader: &dyn Reader, lens: &Lens, from: Ts, to: Ts) -> Result<OrderedCalls> {
    let mut found = OrderedCalls::default();
    let range = Range { start: from - BACK, end: to };
    let market = &lens.instrument.name;
    reader.ledger_scan(&lens.logic_version, range, &ForecastEvent::EVERY_TICK, None, &mut |tick| {
        found.coming.extend(of(tick, market).map(Arc::new));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
