//! The way from the process that listens to the broker. It listens and journals without it: what the broker misses is fetched from the
//! journal later, and what a venue sends comes once.

use super::{AGAIN, bus_options};
use crate::config::Settings;
use crate::failure::Failure;
use barograph_bus::{Bus, Error as BusError, ParcelPublisher};
use barograph_live::ranges::range;
use barograph_live::recorder::{Onward, Relayed};
use barograph_live::worker::{encode_range, read_question};
use core::sync::atomic::{AtomicBool, Ordering};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

/// Sends parcels on, once there is somebody to send them to.
pub(super) struct BrokerLink {
    parcels: Arc<OnceLock<ParcelPublisher>>,
    thread: JoinHandle<Result<(), Failure>>,
}

impl BrokerLink {
    /// Connects beside whatever else is done, and answers questions for the journal from then on, until `stop`.
    pub(super) fn start(
        settings: &Settings,
        (data, relayed): (PathBuf, Arc<Relayed>),
        stop: Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        let options = bus_options(settings)?;
        let parcels = Arc::new(OnceLock::new());
        let set = Arc::clone(&parcels);
        let answer = move |question: &[u8]| {
            let answer = match read_question(question) {
                Some(asked) => {
                    let synced = relayed.synced();
                    range(&data, asked.after, asked.until.unwrap_or(synced), synced)
                }
                None => Err(barograph_live::Error::Refused("a question that is none".to_owned())),
            };
            encode_range(answer)
        };
        let link = move || {
            let mut is_named = false;
            while !stop.load(Ordering::Relaxed) {
                match Bus::open(&options).and_then(|bus| bus.serve(answer.clone()).map(|served| (bus, served))) {
                    Ok((bus, _served)) => {
                        // One thread sets it, once.
                        drop(set.set(bus.publisher()));
                        while !stop.load(Ordering::Relaxed) {
                            std::thread::sleep(AGAIN / 10);
                        }
                        return Ok(());
                    }
                    Err(e @ BusError::Refused(_)) => {
                        // Nobody would ever hear of what is recorded.
                        stop.store(true, Ordering::Relaxed);
                        return Err(Failure::broken(e));
                    }
                    Err(e @ BusError::Away(_)) if !is_named => {
                        is_named = true;
                        let words = "what is recorded meanwhile goes on once it is there";
                        drop(writeln!(std::io::stderr(), "barograph: {e}; waiting for it: {words}"));
                    }
                    Err(BusError::Away(_)) => {}
                }
                std::thread::sleep(AGAIN);
            }
            Ok(())
        };
        let thread = std::thread::Builder::new().name("broker".to_owned()).spawn(link).map_err(Failure::broken)?;
        Ok(Self { parcels, thread })
    }

    /// Where parcels go. Before the broker is there they go nowhere.
    pub(super) fn onward(&self) -> Onward {
        let parcels = Arc::clone(&self.parcels);
        Box::new(move |parcel| {
            if let Some(parcels) = parcels.get() {
                parcels.send(parcel.last().0, parcel.bytes().to_vec());
            }
        })
    }

    /// Ends with the process; why the broker was given up, if it was.
    pub(super) fn end(self) -> Result<(), Failure> {
        self.thread.join().map_err(|_panic| Failure::broken("the way to the broker has crashed"))?
    }
}
