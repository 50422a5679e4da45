//! What a core leaves to a process that begins its windows anew.

use super::{Core, CoreSink};
use crate::Error;
use barograph_domain::Ts;

impl Core {
    /// Ends every alert that is open, each with a record that says so: the next process begins its windows anew, and nothing would
    /// ever close them. What was forecast goes on there, and with it what was found of drift.
    pub(crate) fn end_episodes(&mut self, at: Ts, sink: &mut dyn CoreSink) -> Result<(), Error> {
        self.engine.end_episodes(at, &mut self.rows);
        self.drain(sink)?;
        self.flows.end(at);
        self.flows.take().iter().try_for_each(|alert| sink.alert(alert))?;
        self.hours.end_episodes(at).iter().try_for_each(|alert| sink.alert(alert))
    }
}
