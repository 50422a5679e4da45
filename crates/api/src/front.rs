//! What stands before every route, whatever answers behind it: the limits, the clients and the counters.

use crate::clients::Clients;
use crate::serve::{Incident, ServeConfig};
use crate::telemetry::Telemetry;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Shared by everything that one listener serves, also when another query takes over.
pub(crate) struct Front {
    pub(crate) config: ServeConfig,
    pub(crate) telemetry: Telemetry,
    /// What each client does.
    pub(crate) clients: Arc<Clients>,
    /// Requests being answered.
    pub(crate) in_flight: Semaphore,
}

impl Front {
    pub(crate) fn new(config: ServeConfig) -> Arc<Self> {
        Arc::new(Self {
            telemetry: Telemetry::new(&config.version),
            clients: Clients::new(config.clients),
            in_flight: Semaphore::new(config.requests_max),
            config,
        })
    }

    /// Reports to the operator.
    pub(crate) fn incident(&self, route: &'static str, detail: String) {
        self.telemetry.incident();
        (self.config.report.0)(&Incident { route, detail });
    }
}
