//! The network of a command that asks a venue for something once.

use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::failure::{Failure, chain};
use barograph_domain::text::escape_control;
use barograph_domain::{Span, Ts};
use barograph_live::start::endpoints;
use barograph_net::{Bounds, Fetch, InboxReceiver, Net, NetOptions, VenueIndex, inbox};
use barograph_venues::session::{Ask, BaseAddresses, VenueDef};
use std::sync::Arc;

/// An answer is waited for this long.
const TIMEOUT: Span = Span::secs(20);
/// Longest part of an answer that is repeated.
const SHOWN: usize = 200;

/// A venue that can be asked.
pub(super) struct VenueAsked {
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) net: Net,
    pub(super) index: VenueIndex,
    pub(super) endpoints: BaseAddresses,
    pub(super) clock: SystemClock,
    def: &'static VenueDef,
    /// Nothing comes in by itself; while it is held, the network goes on.
    _inbox: InboxReceiver,
}

impl VenueAsked {
    /// Where the settings have it.
    pub(super) fn open(def: &'static VenueDef, settings: &Settings) -> Result<Self, Failure> {
        let endpoints = endpoints(def, &settings.endpoints)?;
        let runtime = super::serve::runtime()?;
        let shared: Arc<dyn Clock> = Arc::new(SystemClock);
        let (stamper, received) = inbox(Arc::clone(&shared), Bounds::default(), Ts(0));
        let net = Net::start(runtime.handle().clone(), shared, stamper, &NetOptions::default())
            .map_err(|e| Failure::broken(chain(&e)))?;
        let index = net.add_venue(def.id, (def.limits)());
        Ok(Self { runtime, net, index, endpoints, clock: SystemClock, def, _inbox: received })
    }

    /// The body of one answer. A refusal is a body too where it is JSON: it names its reason.
    pub(super) fn body(&self, ask: Ask) -> Result<Vec<u8>, Failure> {
        let Ask { url, body, pool, weight } = ask;
        let fetch = Fetch { url, body, pool, weight, timeout: TIMEOUT };
        let answer = self.runtime.block_on(self.net.fetch(self.index, fetch));
        let answer = answer.map_err(|e| Failure::broken(format!("{} does not answer: {}", self.def.id, chain(&e))))?;
        if answer.status != 200 && !answer.body.starts_with(b"{") {
            let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(SHOWN)]).into_owned();
            let why = format!("{} answers with status {}: {}", self.def.id, answer.status, escape_control(&text));
            return Err(Failure::broken(why));
        }
        Ok(answer.body.to_vec())
    }

    /// Closes what was opened.
    pub(super) fn close(self) {
        self.runtime.block_on(self.net.stop());
    }
}
