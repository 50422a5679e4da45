//! What enters beside the frames: changes of the market list, fits of models, words of scheduled events. Each is journalled
//! with a stamp of our own before it counts.

use super::{Plan, Process};
use crate::calendar::{CalendarSource, news};
use crate::change::admit;
use crate::config::MarketsChange;
use crate::scheduled::{Means, Reading};
use crate::{Error, chain, fitting};
use barograph_lake::journal::ControlRecord;
use barograph_net::Net;
use std::io::Write as _;
use std::sync::Arc;

/// Begins to read the calendar.
pub(super) fn read_calendar(
    source: CalendarSource,
    plan: &Plan,
    net: &Arc<Net>,
    runtime: &tokio::runtime::Handle,
) -> Result<Reading, Error> {
    Reading::start(Means { source, net: Arc::clone(net), runtime: runtime.clone(), clock: Arc::clone(&plan.clock) })
}

impl Process {
    /// Takes up a new list of markets. One that cannot be is reported and counted; the process goes on with the old list.
    pub(super) fn change(&mut self, change: &MarketsChange) -> Result<(), Error> {
        let index = match admit(&self.core, change) {
            Ok(index) => index,
            Err(why) => {
                drop(writeln!(std::io::stderr(), "barograph: [MKT] the change is not taken up: {why}"));
                let venue = self.core.venue(&change.venue).unwrap_or(usize::MAX);
                self.meter.fault(venue, "change_refused", &why);
                return Ok(());
            }
        };
        let value = serde_json::to_value(change).map_err(Error::failed)?;
        let at = self.stamp();
        self.journal.control(at, &ControlRecord::Config { value }).map_err(|e| Error::failed(chain(&e)))?;
        let changed = self.core.markets(at, index, &change.markets, &mut self.publisher);
        self.report_carried(index);
        changed
    }

    /// Takes the fit that has come, journal first, and asks for the next that is wanted.
    pub(super) fn models(&mut self) -> Result<(), Error> {
        if self.own < self.own_until
            && let Some(update) = self.fitter.answer()?
        {
            let at = self.stamp();
            self.journal.control(at, &fitting::record(&update)?).map_err(|e| Error::failed(chain(&e)))?;
            self.core.model(at, &update, &mut self.publisher)?;
        }
        self.fitter.ask(|| self.core.engine.fit_wanted())
    }

    /// Takes what the calendar says that is new, journal first.
    pub(super) fn scheduled(&mut self) -> Result<(), Error> {
        if self.own >= self.own_until {
            return Ok(());
        }
        let Some(read) = self.calendar.as_ref().and_then(Reading::news) else { return Ok(()) };
        let at = self.stamp();
        let entries = news(self.core.engine.calendar(), read, at);
        if entries.is_empty() {
            return Ok(());
        }
        let value = serde_json::to_value(&entries).map_err(Error::failed)?;
        self.journal.control(at, &ControlRecord::Calendar { value }).map_err(|e| Error::failed(chain(&e)))?;
        self.core.scheduled(at, &entries, &mut self.publisher)
    }
}
