//! The built-in venue server as a process of its own, on a port it chooses.

use super::Place;
use super::process::Running;

pub(crate) struct Sim {
    /// Killed when dropped.
    process: Running,
    /// What `--endpoint` takes.
    pub(crate) endpoint: String,
}

impl Sim {
    /// Three markets, busy enough that each stream speaks within seconds.
    pub(crate) fn start(place: &Place) -> Self {
        Self::of(place, 3)
    }

    /// As many markets.
    pub(crate) fn of(place: &Place, markets: usize) -> Self {
        let mut process = place.start(&format!("sim --port 0 --markets {markets} --messages-per-s {}", 100 * markets));
        let line = process.out.wait_for("--endpoint ");
        let endpoint = line.split_whitespace().find(|w| w.starts_with("binance-usdm=")).unwrap().to_owned();
        Self { process, endpoint }
    }

    /// Ends it; its address answers no more.
    pub(crate) fn stop(mut self) -> String {
        assert!(self.process.kill(), "it had ended: {}", self.process.err.text());
        self.endpoint.clone()
    }
}
